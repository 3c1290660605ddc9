/* Sending mail over SMTP. libcurl says good-bye to a server and waits for the answer, so this runs
 * in a worker of its own (base/pool.h), one mail at a time. */
#ifndef BASE_MAILER_H
#define BASE_MAILER_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

struct loop;
struct mailer;

struct mailer_conf {     /* copied */
    const char *url;     /* smtp://[user:password@]host[:port] (STARTTLS where it is offered, a must
                            with a password), smtps://… */
    const char *ca_file; /* as outbound_new */
    uint64_t timeout_ms; /* of one mail */
};

struct mailer_mail {     /* borrows; copied */
    struct str from, to; /* addresses, without brackets */
    struct str bytes;    /* the message, lines ended by CRLF */
};

struct mailer_answer { /* borrows */
    /* OK: the server has it. ERR_FORBIDDEN: it will never take it (5xx). ERR_TIMEOUT, ERR_IO,
     * ERR_CONFIG; ERR_CLOSED: mailer_free. */
    int rc;
    unsigned status; /* the server's last word: 250, 550; 0: none */
    const char *why; /* a sentence for the log, when rc is not OK */
};

bool mailer_url_is_good(const char *url);

struct mailer *mailer_new(struct loop *l, const struct mailer_conf *c); /* returns new */
/* The mail under way is broken off; done is called for all, within the call. */
void mailer_free(struct mailer *m);

/* done is called once, on the loop, never within the call. Errors: ERR_LIMIT too many wait. */
MUST_USE int mailer_send(struct mailer *m, const struct mailer_mail *mail,
                         void (*done)(void *ctx, const struct mailer_answer *a), void *ctx);

#endif
