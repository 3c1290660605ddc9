/* Messages of @socket.io/redis-streams-adapter 0.3: entries of a stream are flat fields (uid, nsp,
 * type, data), publications the sharded envelope, always as MessagePack. Pure: no Redis here.
 * Source: reference "Streams adapter", 6.1. */
#ifndef ADAPTER_STREAMS_H
#define ADAPTER_STREAMS_H

#include "adapter/wire_data.h"

/* ---- ids of entries ---- */

struct streams_id {
    uint64_t ms, seq;
};

/* "1526919030474-55". Errors: ERR_PROTO. */
MUST_USE int streams_id_read(struct str text, struct streams_id *out);
void streams_id_put(struct streams_id id, struct sb *out); /* appends */
int streams_id_compare(struct streams_id a, struct streams_id b);

/* ---- names of streams ---- */

/* Appends the name of the namespace's stream: the base alone for one stream, else with a number
 * behind it that is negative where Node's is (reference 10.30). */
void streams_name(struct str base, unsigned count, struct str nsp, struct sb *out);

/* ---- writing ---- */

/* By a publication instead of an entry: what wants an answer soon, and all answers. */
bool streams_is_ephemeral(const struct wire *w);

/* Appends the field data: JSON when there is no binary, else base64 of MessagePack; nothing for
 * messages that have none. Errors: as wire_data_put. */
MUST_USE int streams_encode(const struct wire *w, struct sb *out);

struct streams_add { /* borrows */
    struct str stream, maxlen, uid, nsp, type, data;
};
#define STREAMS_ADD_WORDS 14

/* The command that adds an entry; the stream is its second word. Borrows what a does. */
void streams_add(const struct streams_add *a, struct str argv[STREAMS_ADD_WORDS]);

/* ---- reading ---- */

struct streams_entry { /* borrows */
    struct str uid, nsp, type, data;
};

/* From the fields and values of an entry, one after the other; the last of equal names counts.
 * Errors: ERR_PROTO no nsp or no type, or a name without its value. */
MUST_USE int streams_entry_read(const struct str *fields, unsigned count,
                                struct streams_entry *out);

/* What a decoded entry borrows from; reused from one to the next. Zero-initialise. */
struct streams {
    struct wire_data data; /* data.wire: the message */
    struct sb bytes, json; /* an entry with binary: its MessagePack, and that as JSON */
};

/* s->data.wire borrows from e and from s until the next call. Errors: ERR_NOT_FOUND an unknown type
 * or a packet that is no event (ignore quietly); ERR_PROTO, ERR_UTF8, ERR_DEPTH, ERR_LIMIT garbage.
 */
MUST_USE int streams_decode(const struct streams_entry *e, struct streams *s);
void streams_fini(struct streams *s);

#endif
