/* Who wants to be told of whom: sockets of this node and the users they chose. What happens to a
 * user is written once for each of them and told once in an interval. */
#ifndef NODE_FEATURES_PRESENCE_PRESENCE_WATCH_H
#define NODE_FEATURES_PRESENCE_PRESENCE_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"
#include "base/map.h"
#include "base/str.h"

enum { PRESENCE_WATCHED_MAX = 500 }; /* of one socket */

struct sio_socket;
struct presence_watcher;

struct presence_watch {
    struct map users;    /* id_text → struct watched */
    struct map watchers; /* socket id → struct presence_watcher */
    struct list pending;
};

void presence_watch_init(struct presence_watch *w);
void presence_watch_fini(struct presence_watch *w);

MUST_USE int presence_watch_add(struct presence_watch *w, struct sio_socket *s,
                                struct str socket_id, struct str id_text); /* ERR_LIMIT */
void presence_watch_remove(struct presence_watch *w, struct str socket_id, struct str id_text);
void presence_watch_forget(struct presence_watch *w, struct str socket_id);
uint64_t presence_watch_seq(const struct presence_watch *w, struct str socket_id);

bool presence_watch_has(const struct presence_watch *w, struct str id_text);
/* json: one object, for joins or for leaves. */
void presence_watch_note(struct presence_watch *w, struct str id_text, bool is_join,
                         struct str json);

struct presence_diff { /* borrows */
    struct sio_socket *socket;
    struct str joins, leaves; /* JSON arrays */
    uint64_t seq;
};
/* fn may end in the socket, or others, being forgotten. */
void presence_watch_flush(struct presence_watch *w,
                          void (*fn)(void *ctx, const struct presence_diff *d), void *ctx);

#endif
