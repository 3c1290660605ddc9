/* A small HTTP server on the loop of a test, on a port of 127.0.0.1: it writes down what it is
 * asked and answers what the test has laid ready, byte for byte. */
#ifndef TESTS_UNIT_SUPPORT_HTTP_FIXTURE_H
#define TESTS_UNIT_SUPPORT_HTTP_FIXTURE_H

#include "base/list.h"
#include "base/loop.h"

#define HTTP_FIXTURE_WAIT_MS 15000 /* for a condition: generous */

struct http_fixture {
    struct loop *loop;
    struct loop_fd *listener;
    int fd;
    char url[64];        /* "http://127.0.0.1:port" */
    const char *answer;  /* raw; NULL: requests are held, without an answer */
    size_t answer_bytes; /* 0: up to its NUL */
    bool is_closing;     /* the connection ends after an answer */
    struct list connections;
    unsigned requests, connects;
    struct sb last; /* the newest request, head and body */
};

void http_fixture_open(struct http_fixture *f, struct loop *l);
void http_fixture_close(struct http_fixture *f); /* the connections too: nobody is there any more */
void http_fixture_reopen(struct http_fixture *f); /* on the same port, after a close */
void http_fixture_json(struct http_fixture *f, struct sb *answer,
                       const char *body); /* with a 200 */

/* Turns the loop until the number has reached want. */
bool http_fixture_await(struct http_fixture *f, const unsigned *number, unsigned want);

#endif
