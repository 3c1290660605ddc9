/* Inside node/event only. */
#ifndef NODE_EVENT_EVENT_PRIV_H
#define NODE_EVENT_EVENT_PRIV_H

#include "base/loop.h"
#include "node/event/event.h"
#include "node/event/rate.h"
#include "node/event/registry.h"
#include "node/people/people.h"

enum { EVENT_FEATURES_MAX = 16, EXPIRY_GRACE_S = 30 };

struct events {
    struct loop *loop;
    const struct conf *conf;
    const struct auth *auth;
    struct sio *sio;         /* NULL before events_attach and after events_detach */
    struct adapter *adapter; /* NULL: none */
    struct people *people;   /* as long as sio */
    struct registry registry;
    struct rate_limits limits;
    const struct feature *features[EVENT_FEATURES_MAX];
    void *states[EVENT_FEATURES_MAX];
    unsigned features_count;
    struct list peers; /* connected or about to be */
};

/* What hangs on a socket: freed at the end of the turn in which it disconnected. Thousands are
 * alive: keep it small. */
struct event_peer {
    struct list node; /* in peers */
    struct loop_task free_task;
    struct events *events;
    const struct registry_nsp *rows; /* NULL: no events in this namespace */
    const struct identity *who;
    const struct identity *token; /* owned; who, or what it was before it ran out */
    struct person *person;        /* NULL: a guest, or not a device */
    struct rate rate;
    int auth_rc;       /* of the token that came with CONNECT */
    bool is_connected; /* features know it */
    bool is_closing;   /* struck out */
};

void dispatch_event(struct events *e, struct sio_socket *s, const struct sio_event *event);

/* authError {code, message} to one socket. */
void dispatch_auth_error(struct sio_socket *s, int code);

#endif
