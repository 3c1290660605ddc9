/* From a Socket.IO event to a feature: token, rate, role, schema, handler, in this order, for every
 * event. Features are tables of rows; they return codes, and only dispatch.c turns a code into an
 * answer.
 *
 * Wiring (node/run.c): events_new → sio_new(…, event_sio_app(), events) → adapter_open →
 * events_attach; the adapter's node and state callbacks are handed on with events_on_*. */
#ifndef NODE_EVENT_EVENT_H
#define NODE_EVENT_EVENT_H

#include <stdbool.h>
#include <stdint.h>
#include "events_in.h"
#include "node/auth/identity.h"
#include "node/sio/sio.h"

struct loop;
struct conf;
struct order;
struct adapter;
struct adapter_script;
struct auth;
struct denied;
struct events;
struct people;
struct people_user;

/* What a handler is called with. All borrows: valid until the handler returns. */
struct event_ctx {
    struct events *events;
    struct sio_socket *socket; /* NULL: an ask, see events_ask */
    const struct identity *who;
    void *state;                   /* of the feature, from its open */
    const struct sio_event *event; /* NULL: the same */
    const struct event_ask *ask;   /* NULL: it came by a socket */
    struct sb *reply; /* further members of a successful ack, `"a":1,"b":2`; usually left alone */
    uint64_t retry_after_ms; /* with an error: when it is worth trying again; 0: not told */
    struct sb *why;          /* with an error: a sentence instead of err_text */
    bool is_deferred;        /* event_defer or event_hold was called */
    unsigned stage;          /* as event_resume was told; 0: it has just come */
};

/* Decoded, allowed and paid for. Returns OK or an error that becomes the event's error event and
 * ack. */
typedef int event_handle(struct event_ctx *c, const union event_in *in);

struct event_row {
    const struct event_schema *schema;
    event_handle *handle;
    bool is_askable; /* events_ask may call it: it looks whether there is a socket */
};
/* Name, decoder, role, rate class and error event from the schema. */
#define EVENT(wire_name) .schema = &event_schemas[EVENT_##wire_name]

struct feature {
    const char *name;
    const struct event_row *events; /* ends with a row without schema */
    void *(*open)(
        struct events *e); /* state, handed to every hook; at events_attach. Returns new */
    void (*close)(void *state);
    void (*on_connect)(void *state, struct sio_socket *s, const struct identity *who);
    void (*on_leave)(void *state, struct sio_socket *s,
                     const struct identity *who); /* still in its rooms */
    /* The first device of a user over the cluster has come, the last one has gone: people.h. */
    void (*on_first_device)(void *state, const struct people_user *u);
    void (*on_last_device)(void *state, const struct people_user *u);
    void (*on_counted)(void *state, const struct people_user *u);
    void (*on_hidden)(void *state, struct str id_text, bool hidden);
    void (*on_node_lost)(void *state, struct str node);
    void (*on_node_up)(void *state, struct str node);
    void (*on_state)(void *state, bool connected); /* of the adapter */
    /* What the same feature of another node sent with events_send. */
    void (*on_message)(void *state, struct str from, struct str payload);
    /* What a back end wants of it, its token checked (base/order.h). */
    void (*on_order)(void *state, const struct order *o);
};

/* nsp: main namespace of the program: its sockets are devices of users, and events that every
 * program answers are answered there. The programs of one Redis have different ones: what is kept
 * in Redis by the name of a user or an address is the gateway's for "/", and has ADAPTER_PREFIX in
 * front of the name for others. features: ends with NULL. Both are borrowed for ever. Joins schemas
 * and rows; NULL after logging every gap and double. */
struct events *events_new(struct loop *l, const struct conf *c, const struct auth *auth,
                          struct str nsp, const struct feature *const features[]);
/* Opens the features. sio's namespaces exist by now. adapter may be NULL (casts and counts stay
 * local). */
void events_attach(struct events *e, struct sio *s, struct adapter *a);
void events_detach(
    struct events *e); /* closes the features; while sio and adapter are still there */
void events_free(struct events *e);
const struct sio_app *event_sio_app(void); /* ctx: the struct events */

/* What the program's start returned (node/run.h): a store, say. NULL where it has none. */
void events_set_app(struct events *e, void *app);
void *events_app(const struct events *e);

void events_on_node_lost(struct events *e, struct str node);
void events_on_node_up(struct events *e, struct str node);
void events_on_people(struct events *e, struct str payload); /* ADAPTER_PEOPLE */
void events_on_state(struct events *e, bool connected);
void events_on_message(struct events *e, struct str from, struct str payload);
/* To the feature that the path begins with; a 404 when it takes no orders, a 503 when it is closed.
 */
void events_order(struct events *e, const struct order *o);

/* From a feature, by its name, to itself on another node: as adapter_send. ERR_UNAVAILABLE without
 * an adapter, within the call. */
void events_send(struct events *e, const char *feature, struct str node, struct str payload,
                 void (*sent)(void *ctx, int rc), void *ctx);

struct loop *events_loop(const struct events *e);
const struct conf *events_conf(const struct events *e);
struct sio *events_sio(const struct events *e);
struct adapter *events_adapter(const struct events *e); /* NULL */
struct people *events_people(const struct events *e);   /* between attach and detach */

/* Revocations and bans of the cluster; a message of kind ADAPTER_DENIED says that they have grown.
 */
struct denied *events_denied(const struct events *e);

/* May this address open another session now? 0, or the milliseconds after which it may try again.
 */
uint64_t events_admit(struct events *e, struct str address);

/* Whom a request over HTTP is from (token empty: a guest), with the tokens, revocations, bans and
 * limits of the sockets. *who: identity_free. Errors: ERR_AUTH, ERR_EXPIRED, ERR_REVOKED;
 * ERR_BANNED and ERR_RATE with *wait_ms, after which it may come again. */
MUST_USE int events_request(struct events *e, struct str token, struct str address,
                            const struct identity **who, uint64_t *wait_ms);

/* auth:refresh. The core's own: list it as the others. */
extern const struct feature feature_auth;

/* Identity of a connected socket. Borrows; valid until the socket is freed. */
const struct identity *event_identity(const struct sio_socket *s);

/* ---- an event of somebody who has no socket: a request over HTTP ---- */

struct event_answer { /* borrows */
    int rc;
    /* OK: members of the ack. An error: further members of the refusal. `"a":1,"b":2`, or empty */
    struct str members;
    struct str why; /* of an error, a sentence instead of err_text; may be empty */
    uint64_t retry_after_ms;
};

struct event_ask { /* borrows until events_ask returns */
    enum event_id event;
    const struct identity *who; /* of events_request, which was the gate of token and rate */
    struct str address;
    const union event_in *in; /* decoded, with the limits of the event's schema */
    void (*told)(void *ctx, const struct event_answer *a);
    void *ctx;
};

/* Role and handler, as for an event of a socket. told is called exactly once, within the call or
 * later: with ERR_UNAVAILABLE when the feature is closed. The row is one with is_askable. */
void events_ask(struct events *e, const struct event_ask *ask);
/* Of the socket, or of who asks. */
struct str event_address(const struct event_ctx *c);

/* ---- an answer that comes later ---- */
struct event_later;

/* The handler returns OK and somebody calls event_later_end once. Returns new. */
struct event_later *event_defer(struct event_ctx *c);
struct sio_socket *event_later_socket(
    const struct event_later *l); /* NULL when there is none any more, or never was */
/* rc OK: ack {ok:true, reply…}; an error: as if the handler had returned it. Takes l. */
void event_later_end(struct event_later *l, int rc, struct str reply);
/* A question's answer, ["event",{members}] as the generated encoders write it: its members as the
 * ack, or the whole as an event when no ack was asked for. Takes l. */
void event_later_answer(struct event_later *l, struct str array);
/* An error with a sentence instead of err_text; why may be empty. Takes l */
void event_later_refuse(struct event_later *l, int rc, struct str why);
/* An error with more to say. All borrows. Takes l */
struct event_refusal {
    int code;
    struct str why; /* empty: err_text */
    uint64_t retry_after_ms;
    struct str more; /* further members of the error event and the ack, `"a":1,"b":2` */
};
void event_later_refuse_more(struct event_later *l, const struct event_refusal *r);
/* A feature is being closed: a socket gets no answer, an ask gets ERR_UNAVAILABLE. Takes l */
void event_later_drop(struct event_later *l);

/* ---- an event that waits for something, and is handled afterwards ---- */
struct event_held;

/* The handler returns OK and somebody ends it once. Returns new. */
struct event_held *event_hold(struct event_ctx *c);
/* Role, schema and handler once more, not the rate: c->stage is this. Takes h */
void event_resume(struct event_held *h, unsigned stage);
void event_held_refuse(struct event_held *h, int rc, uint64_t retry_after_ms); /* takes h */
void event_held_drop(struct event_held *h); /* without an answer. Takes h */

#endif
