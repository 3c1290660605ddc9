/* A small SMTP server on the loop of a test: it says what RFC 5321 wants to hear and keeps what it
 * is given. */
#ifndef TESTS_UNIT_SUPPORT_SMTP_FIXTURE_H
#define TESTS_UNIT_SUPPORT_SMTP_FIXTURE_H

#include "base/list.h"
#include "base/loop.h"

struct smtp_fixture {
    struct loop *loop;
    struct loop_fd *listener;
    int fd;
    char url[64];        /* "smtp://127.0.0.1:port" */
    const char *says[4]; /* instead of its own answer to MAIL, RCPT, DATA, the message */
    bool is_silent;      /* takes connections and says nothing at all */
    struct list connections;
    struct sb commands; /* "EHLO x;MAIL FROM:<a@b>;" of all */
    struct sb message;  /* the newest, unstuffed */
    unsigned mails, connects;
};

void smtp_fixture_open(struct smtp_fixture *f, struct loop *l);
void smtp_fixture_close(struct smtp_fixture *f);

#endif
