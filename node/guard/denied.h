/* Who is not let in: revoked tokens and timed bans, one list for the whole cluster. It is kept in
 * Redis until each entry ends, and every node holds a copy: asking it costs no command, and goes on
 * working, with what the node knows, while Redis is away. */
#ifndef NODE_GUARD_DENIED_H
#define NODE_GUARD_DENIED_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

#define DENIED_NAME_MAX 128 /* bytes of a name */

enum denied_kind {
    DENIED_USER,        /* tokens of this user id, issued up to the moment of the entry */
    DENIED_JTI,         /* the token with this jti */
    DENIED_BAN_USER,    /* this user id, whatever the token */
    DENIED_BAN_ADDRESS, /* this numeric address */
    DENIED_KIND_COUNT,
};

struct loop;
struct conf;
struct adapter;
struct adapter_script;
struct denied;

/* on_new: something came in, here or elsewhere; who is connected is to be looked at again. It may
 * be called within any call of these. Returns new; denied_free. */
struct denied *denied_new(struct loop *l, const struct conf *c, void (*on_new)(void *ctx),
                          void *ctx);
void denied_free(struct denied *d); /* after denied_attach(d, NULL) */

/* The adapter to use from now on; NULL: none any more. */
void denied_attach(struct denied *d, struct adapter *a);

/* Redis is reached (again): tells what was added meanwhile, and reads on. */
void denied_connected(struct denied *d);

/* Reads on behind what is known: somebody said that the list has grown (ADAPTER_DENIED). */
void denied_sync(struct denied *d);

/* Takes effect here at once, elsewhere one round trip later. While Redis is away it is kept and
 * told later. done, which may be NULL, is called once: OK Redis has it, ERR_UNAVAILABLE not yet.
 * Errors: ERR_SCHEMA an empty name, or one of more than DENIED_NAME_MAX bytes; done is not called.
 */
typedef void denied_done_fn(void *ctx, int rc);
MUST_USE int denied_add(struct denied *d, enum denied_kind kind, struct str name, uint64_t ttl_s,
                        denied_done_fn *done, void *ctx);

/* Milliseconds for which it is still denied; 0: it is not. issued_s: iat of a token (0: unknown),
 * for DENIED_USER only. */
uint64_t denied_left_ms(const struct denied *d, enum denied_kind kind, struct str name,
                        uint64_t issued_s);
size_t denied_count(const struct denied *d);

/* ---- for the command line, which is no node ---- */

/* Script, keys and arguments of one entry. out: 2 keys and 2 arguments, borrow from scratch. */
struct denied_order {
    struct adapter_script *script;
    struct str keys[2], args[2];
};
void denied_order_fill(struct denied_order *o, struct str prefix, enum denied_kind kind,
                       struct str name, uint64_t ttl_s, struct sb *scratch);

#endif
