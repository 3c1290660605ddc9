/* Inside node/event only. */
#ifndef NODE_EVENT_EVENT_PRIV_H
#define NODE_EVENT_EVENT_PRIV_H

#include "base/loop.h"
#include "node/event/event.h"
#include "node/event/rate.h"
#include "node/event/registry.h"
#include "node/guard/denied.h"
#include "node/guard/limit.h"
#include "node/people/people.h"

enum { EVENT_FEATURES_MAX = 16, EXPIRY_GRACE_S = 30 };

struct events {
    struct loop *loop;
    const struct conf *conf;
    const struct auth *auth;
    struct str nsp;          /* main namespace of the program */
    void *app;               /* events_set_app */
    struct sio *sio;         /* NULL before events_attach and after events_detach */
    struct adapter *adapter; /* NULL: none */
    struct people *people;   /* as long as sio */
    struct registry registry;
    struct rate_limits limits;
    const struct feature *features[EVENT_FEATURES_MAX];
    void *states[EVENT_FEATURES_MAX];
    unsigned features_count;
    struct list peers; /* connected or about to be */
    size_t peers_count;
    struct denied *denied;
    struct limits *limiter;
    struct timer look; /* session_look_again */
    size_t to_look;    /* sockets that are not looked at yet */
};

/* What hangs on a socket: freed at the end of the turn in which it disconnected. Thousands are
 * alive: keep it small. */
struct event_peer {
    struct list node; /* in peers */
    struct loop_task free_task;
    struct events *events;
    struct sio_socket *socket;
    const struct registry_nsp *rows; /* NULL: no events in this namespace */
    const struct identity *who;
    struct identity *token; /* owned; the same as who, NULL for guests */
    struct identity *fresh; /* owned; of the last auth:refresh, or NULL */
    struct person *person;  /* NULL: a guest, or not a device */
    struct timer expiry;
    struct limit_share *user_share, *ip_share; /* NULL: no limit */
    struct rate rate;
    int auth_rc;       /* of the token that came with CONNECT */
    bool is_connected; /* features know it */
    bool is_closing;   /* takes no events any more */
    bool is_told;      /* that its token ran out */
};

void dispatch_event(struct events *e, struct sio_socket *s, const struct sio_event *event);

/* authError {code, message} to one socket. */
void dispatch_auth_error(struct event_peer *p, int code);

#endif
