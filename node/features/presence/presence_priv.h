/* Inside node/features/presence only. */
#ifndef NODE_FEATURES_PRESENCE_PRESENCE_PRIV_H
#define NODE_FEATURES_PRESENCE_PRESENCE_PRIV_H

#include "base/loop.h"
#include "node/event/event.h"
#include "node/features/presence/presence_list.h"
#include "node/features/presence/presence_state.h"
#include "node/features/presence/presence_watch.h"

struct presence {
    struct events *events;
    struct adapter *adapter; /* NULL: this node alone */
    struct presence_state *state;
    struct presence_list list;
    struct presence_watch watch;
    struct map users; /* with devices here: id_text → struct presence_user */
    struct timer tick;
    struct sb page; /* the first one, as it was told last; empty: to be made */
    unsigned ticks, listed_at;
    bool is_list_due;
    unsigned waiting; /* answers that are due to us */
    bool is_closed;   /* freed when nothing is due any more */
};

struct presence_user {
    struct presence *presence;
    unsigned devices;
    enum presence_status status;
    bool is_asked, is_known; /* status */
    uint64_t active_ms;
    enum presence_write due; /* when the status is known and a device is counted */
    char *members;
    struct str id_text;
    char bytes[];
};

/* presence.c */
struct presence_user *presence_user_find(const struct presence *p, struct str id_text); /* NULL */
void presence_user_become(struct presence_user *u, enum presence_status status);
bool presence_answered(struct presence *p); /* false: p was closed, and is perhaps no more */

/* presence_tell.c: what clients hear */
void presence_tell_start(struct presence *p);
void presence_tell_stop(struct presence *p);
void presence_tell_newcomer(struct presence *p, struct sio_socket *s);

/* presence_ask.c: what clients ask */
event_handle presence_on_subscribe, presence_on_unsubscribe, presence_on_list;

#endif
