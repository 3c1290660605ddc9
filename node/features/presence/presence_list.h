/* Who is online, as this node knows it: a copy of the rows in Redis, and what has changed in it
 * since the last look. Pure: no Redis, no sockets, no clock. */
#ifndef NODE_FEATURES_PRESENCE_PRESENCE_LIST_H
#define NODE_FEATURES_PRESENCE_PRESENCE_LIST_H

#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"
#include "base/map.h"
#include "base/str.h"

enum { PRESENCE_PAGE = 200 };

enum presence_status {
    PRESENCE_ONLINE,
    PRESENCE_AWAY,
    PRESENCE_BUSY,
    PRESENCE_INVISIBLE, /* here, but not to be shown */
    PRESENCE_OFFLINE,   /* no row */
};

const char *presence_status_name(enum presence_status s);
MUST_USE int presence_status_read(struct str word, enum presence_status *out); /* without case */

struct presence_value { /* borrows */
    enum presence_status status;
    uint64_t active_ms;
    struct str members; /* "userId":…,"name":… as JSON */
};

/* As in Redis, but for the time in front: "o 1700000000000 \"userId\":…". */
void presence_value_put(const struct presence_value *v, struct sb *out);
MUST_USE int presence_value_read(struct str text, struct presence_value *out); /* ERR_PROTO */

struct presence_row {
    struct list shown;   /* newest change first */
    struct list changed; /* linked: something is to be told */
    struct str id_text;
    enum presence_status status, told; /* now, and as told last: what others see of it */
    uint64_t active_ms;
    char *members; /* NULL: never seen */
    unsigned round;
    bool is_told_changed; /* shown before and now, but otherwise */
    char bytes[];
};

struct presence_list {
    struct map rows;
    struct list shown, changed;
    size_t shown_count;
    unsigned round; /* of presence_list_sweep */
};

void presence_list_init(struct presence_list *l);
void presence_list_fini(struct presence_list *l);

/* v NULL: no row. Nothing new changes nothing. */
void presence_list_set(struct presence_list *l, struct str id_text, const struct presence_value *v);

struct presence_row *presence_list_get(const struct presence_list *l,
                                       struct str id_text); /* NULL */
bool presence_row_is_shown(const struct presence_row *r);

/* A full copy begins; after it, and some time: rows that were in none since then are gone. keep:
 * they stay all the same. */
void presence_list_round(struct presence_list *l);
void presence_list_sweep(struct presence_list *l, bool (*keep)(void *ctx, struct str id_text),
                         void *ctx);

/* Each change since the last call, once; what came and went within is none. */
enum presence_change { PRESENCE_JOIN, PRESENCE_LEAVE, PRESENCE_UPDATE };
typedef void presence_told(void *ctx, const struct presence_row *r, enum presence_change what);
unsigned presence_list_tell(struct presence_list *l, presence_told *fn, void *ctx);

void presence_row_put(const struct presence_row *r, struct sb *out); /* one JSON object */
void presence_list_page(const struct presence_list *l, size_t page, struct sb *out); /* [rows] */
size_t presence_list_pages(const struct presence_list *l); /* 1 at least */

#endif
