/* A real edge on a loopback port with a core that records what it is told, and a client socket: for
 * tests of node/edge. */
#ifndef TESTS_UNIT_SUPPORT_EDGE_FIXTURE_H
#define TESTS_UNIT_SUPPORT_EDGE_FIXTURE_H

#include "base/conf.h"
#include "base/loop.h"
#include "base/metric.h"
#include "node/edge/edge.h"

struct edge_fixture {
    struct conf conf;
    struct loop *loop;
    struct edge *edge;
    struct pipe *pipe; /* of the newest request */
    struct sb log;     /* "request GET /x;" "body 5 hello;" "text hi;" "binary hi;" "gone 0;" */
    struct sb got;     /* what the client has received so far */
    bool is_closed;    /* the client has seen the end of the stream */
    bool hold;         /* do not answer requests */
    int fd;            /* the client */
};

void edge_fixture_open(
    struct edge_fixture *f); /* conf: defaults; then change f->conf and connect */
void edge_fixture_close(struct edge_fixture *f);
void edge_fixture_connect(struct edge_fixture *f);
/* These bytes are on their way before the edge accepts: none of its deadlines runs before them. */
void edge_fixture_connect_with(struct edge_fixture *f, struct str bytes);
void edge_fixture_write(struct edge_fixture *f, struct str bytes);
/* Turns the loop and reads until what has come contains the text; false when nothing happens any
 * more. */
bool edge_fixture_await(struct edge_fixture *f, const char *text);
bool edge_fixture_await_log(struct edge_fixture *f, const char *text);
bool edge_fixture_await_end(struct edge_fixture *f);
void edge_fixture_upgrade(struct edge_fixture *f); /* a WebSocket; got is empty afterwards */
void edge_fixture_frame(struct edge_fixture *f, int first_byte, struct str payload); /* masked */

#endif
