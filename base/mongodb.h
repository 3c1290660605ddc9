/* What every user of MongoDB here has in common: the URI with deadlines and a write concern that an
 * acknowledgement can stand on, a pool of clients, and what its errors mean. It knows no record.
 * The calls block: they belong into workers (base/pool.h), a client each. */
#ifndef BASE_MONGODB_H
#define BASE_MONGODB_H

#include <mongoc/mongoc.h>
#include "base/str.h"

struct mongodb_conf { /* borrows */
    const char *uri;
    const char *database; /* when the URI names none */
    uint64_t timeout_ms; /* of a call, looking for the server included; the URI may say otherwise */
    unsigned clients;    /* at one time */
};

struct mongodb {
    mongoc_client_pool_t *pool;
    char *database;
};

/* Does not connect. Every write is acknowledged by a majority that has it in its journal, whatever
 * the URI says. *out: mongodb_close. Errors: ERR_CONFIG, *why says it in one sentence (returned
 * new). */
MUST_USE int mongodb_open(const struct mongodb_conf *c, struct mongodb *out, char **why);
void mongodb_close(struct mongodb *m); /* no client is out any more */

/* "MONGODB_URI: text". Returns new. */
char *mongodb_sentence(const char *text);

/* An error of the library as one of ours: ERR_EXISTS, ERR_TOO_BIG, ERR_UNAVAILABLE, ERR_TIMEOUT,
 * ERR_INTERNAL. *is_away: others will fare no better now.
 * was_sent: a write that a broken connection leaves in doubt, ERR_TIMEOUT. */
MUST_USE int mongodb_code(const bson_error_t *e, bool was_sent, bool *is_away);

/* Who may not come in will not be let in later: the operator should know at once. */
bool mongodb_is_turned_away(const bson_error_t *e);

/* What is left until a deadline (clock_us), for maxTimeMS; at least 1. */
int64_t mongodb_left_ms(uint64_t deadline_us);

void mongodb_put_text(bson_t *doc, const char *key, struct str s);

/* Does the server answer? False: *e. */
bool mongodb_ping(mongoc_client_t *client, const char *database, bson_error_t *e);

#endif
