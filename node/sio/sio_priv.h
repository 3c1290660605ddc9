/* What the files of node/sio share. Included only in this folder.
 *
 *     session ── client ──┬── socket (namespace /)         ── seats: {room, index} …
 *     (Engine.IO)         └── socket (namespace /contacts) ── seats …
 *     namespace ── rooms: dense arrays of {socket, seat} */
#ifndef NODE_SIO_SIO_PRIV_H
#define NODE_SIO_SIO_PRIV_H

#include "base/list.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/timer.h"
#include "base/trim.h"
#include "node/sio/binary.h"
#include "node/sio/packet.h"
#include "node/sio/sio.h"

#define SIO_ROOM_NAME_MAX 256
#define SIO_AUTH_MAX 4096
#define SIO_ATTEMPTS_PER_NSP                                                                       \
    10 /* CONNECTs a minute, times MAX_NAMESPACES: above it the connection is closed */

struct sio {
    struct loop *loop;
    const struct conf *conf;
    const struct sio_app *app;
    void *ctx;
    struct eio *eio;
    struct adapter *adapter;
    struct map nsps;
    struct list clients;
    struct sb text;              /* packet being encoded */
    struct sb name;              /* event name being unescaped */
    struct sio_socket **targets; /* recipients of casts to several rooms: a stack, casts may nest */
    size_t targets_count, targets_cap;
    uint64_t stamp;      /* of the last such cast */
    unsigned walking;    /* walks over rooms that are under way */
    struct list gapped;  /* rooms that lost members meanwhile */
    struct trim trim;    /* of rooms that are gone */
    struct list gathers; /* gather.c */
    struct loop_task gather_task;
    struct list keeps, keeps_changed; /* keep.c */
    struct timer keep_timer;
    struct loop_task keep_task;
};

struct sio_member {
    struct sio_socket *socket; /* NULL: left during a walk */
    uint32_t seat;             /* index in the socket's seats; unused in nsp->all */
};

struct sio_room {
    struct sio_nsp *nsp;
    struct sio_member *members;
    uint32_t count, cap, gaps;
    struct list gapped;
    size_t name_n;
    char name[];
};

struct sio_nsp {
    struct sio *sio;
    struct map sockets;    /* by id: also their own rooms, which exist only here */
    struct map rooms;      /* the other rooms, by name */
    struct map acks;       /* by digits */
    struct map ack_groups; /* by digits of the same count: acks of casts */
    struct sio_room *all;  /* every connected socket */
    uint64_t next_ack;
    size_t name_n;
    char name[];
};

struct sio_seat {
    struct sio_room *room;
    uint32_t index; /* in room->members */
};

enum sio_state { SIO_STATE_CONNECTING, SIO_STATE_CONNECTED, SIO_STATE_CLOSED };

struct sio_socket {
    struct eio_session *session;
    struct sio_nsp *nsp;
    struct sio_client *client;
    struct sio_socket *next; /* of the same client */
    void *user;
    uint64_t stamp; /* of the last cast to several rooms that has seen it */
    struct sio_seat *seats;
    char *auth;            /* NULL: {} */
    struct sio_keep *keep; /* NULL: its client cannot come back */
    struct list acks;
    struct loop_task free_task;
    uint32_t all_i; /* index in nsp->all */
    uint32_t seats_count, seats_cap;
    uint16_t auth_n;
    uint8_t state, id_n;
    uint8_t inner_count; /* of the seats: inner rooms, which MAX_ROOMS does not count */
    char id[];
};

struct sio_client { /* one session */
    struct sio *sio;
    struct eio_session *session; /* NULL once closed */
    struct list node;
    struct sio_socket *sockets;
    struct sio_recovery *recoveries; /* sockets that are not connected yet */
    struct sio_binary *binary;       /* packet that waits for attachments */
    struct timer connect_timer;
    struct loop_task free_task;
    uint64_t attempts_since_ms;
    uint32_t attempts;
    uint8_t closed_why;
};

/* client.c */
void sio_client_on_open(void *ctx, struct eio_session *session);
void sio_client_on_message(void *ctx, struct eio_session *session, struct str data, bool binary);
void sio_client_on_close(void *ctx, struct eio_session *session, enum close_reason why);
void sio_client_free(struct sio_client *c); /* with its sockets, without a word to anybody */

/* connect.c: answers a CONNECT. auth: raw JSON object, empty for none. */
void sio_connect_try(struct sio_client *c, struct str nsp, struct str auth);
/* The socket is in. was: as it is to be kept; without a pid it gets a new one. */
struct session;
void sio_connect_welcome(struct sio_socket *s, const struct session *was);

/* recovery.c: a client that wants to come back; who as in struct sio_connect. True: the socket is
 * welcomed later, as what it was or as a new one, unless the client is abandoned before. */
bool sio_recovery_try(struct sio_socket *s, struct str who);
bool sio_recovery_is_of(const struct sio_client *c, struct str nsp); /* one is under way */
unsigned sio_recovery_count(const struct sio_client *c);
struct sio_socket *sio_recovery_abandon(struct sio_client *c); /* one socket; NULL: no more */

/* keep.c: nothing happens without RECOVERY_MS. */
void sio_keep_init(struct sio *sio);
void sio_keep_fini(struct sio *sio);
void sio_keep_open(struct sio_socket *s, const struct session *was);
void sio_keep_changed(struct sio_socket *s);         /* s->keep is there */
struct str sio_keep_pid(const struct sio_socket *s); /* empty: none */
void sio_keep_close(struct sio_socket *s, enum close_reason why);
void sio_keep_forget(struct sio_socket *s); /* Redis is left alone */

/* nsp.c */
void sio_nsp_free(struct sio_nsp *n);

/* socket.c */
struct sio_socket *sio_socket_new(struct sio_client *c, struct sio_nsp *n, struct str auth);
void sio_socket_free(struct sio_socket *s); /* hushed or never connected */
void sio_socket_hush(struct sio_socket *s); /* out of its namespace; nothing is said to anybody */
void sio_socket_enter(
    struct sio_socket *s); /* into its client and namespace: connected from now on */
void sio_socket_close(struct sio_socket *s, enum close_reason why); /* no packet is sent */
void sio_socket_drop(
    struct sio_socket *s); /* refused before it was connected: freed at the end of the turn */
void sio_socket_refuse(struct sio_socket *s,
                       enum close_reason why); /* the same, and the application had said yes */
void sio_socket_send(struct sio_socket *s, struct sio_packet *p, const struct str *attachments);

/* ack.c: returns the id to be put on the wire, valid until done is called. */
struct str sio_ack_new(struct sio_socket *s, uint64_t timeout_ms,
                       void (*done)(void *ctx, int rc, struct str array,
                                    const struct str *attachments, unsigned n),
                       void *ctx);
void sio_ack_take(struct sio_socket *s, struct str id, struct str array,
                  const struct str *attachments, unsigned n);
void sio_ack_fail_all(struct sio_socket *s); /* ERR_CLOSED */

/* ack.c: one id for all recipients of a cast on this node. each is called with the first argument
 * of every answer (empty: none); done once, with OK, ERR_TIMEOUT, or ERR_CLOSED when some went away
 * and the others have answered. Nothing is called before start. */
struct sio_ack_group;
struct sio_ack_group *sio_ack_group_new(struct sio_nsp *n, uint64_t timeout_ms,
                                        void (*each)(void *ctx, struct str json,
                                                     const struct str *attachments, unsigned n),
                                        void (*done)(void *ctx, int rc), void *ctx);
struct str sio_ack_group_id(const struct sio_ack_group *g);
struct sio_nsp *sio_ack_group_nsp(const struct sio_ack_group *g);
void sio_ack_group_add(struct sio_ack_group *g, struct sio_socket *s);
void sio_ack_group_start(struct sio_ack_group *g); /* all recipients are in; may end it at once */

/* cast.c: sends to the matching sockets of this node with the group's id; how many. */
struct adapter_cast;
unsigned sio_cast_deliver_ack(struct sio_ack_group *g, const struct adapter_cast *c);

/* cast.c: the frames of a cast for an Engine.IO 4 client, each once. fn takes them. */
void sio_cast_frames(struct sio_nsp *n, const struct adapter_cast *c,
                     void (*fn)(void *ctx, struct buf *b), void *ctx);

/* cast.c: the connected sockets of this node that match, each once, are sio->targets from the
 * returned index up to sio->targets_count, until sio_targets_end; they may close meanwhile. */
struct adapter_target;
size_t sio_targets_begin(struct sio_nsp *n, const struct adapter_target *t);
void sio_targets_end(struct sio *s, size_t first);

/* gather.c: one result of what this node and the others say. parts: how often sio_gather_done is
 * to be called. ask->done comes after the last of them, and never before sio_gather_end. */
struct sio_gather;
struct adapter_ask;
struct sio_gather *sio_gather_begin(struct sio *s, const struct adapter_ask *ask, unsigned parts);
void sio_gather_end(struct sio_gather *g);
void sio_gather_finish_all(struct loop_task *t); /* sio->gather_task */
uint64_t sio_gather_timeout(const struct sio_gather *g);
struct sb *sio_gather_local(struct sio_gather *g); /* a JSON array whose items are told after end */
void sio_gather_each(void *gather, struct str json, const struct str *attachments, unsigned n);
void sio_gather_done(void *gather, int rc);
const struct adapter_ask *sio_gather_ask(struct sio_gather *g); /* for the others' part */

/* describe.c: appends {id, handshake, rooms, data} as fetchSockets of Node.js gives it. */
void sio_describe(const struct sio_socket *s, struct sb *out);

/* room.c */
struct sio_room *sio_room_new(struct sio_nsp *n, struct str name);
void sio_room_free(struct sio_room *r);
struct sio_room *sio_room_get(const struct sio_nsp *n,
                              struct str name); /* NULL; own rooms are not found */
int sio_room_join(struct sio_socket *s, struct str name);
bool sio_room_is_inner(struct str name);
void sio_room_leave(struct sio_socket *s, struct str name);
void sio_room_leave_all(struct sio_socket *s);
bool sio_room_has(const struct sio_room *r, const struct sio_socket *s);
void sio_room_enter_all(struct sio_socket *s); /* into nsp->all */
void sio_room_exit_all(struct sio_socket *s);
/* Between these two, members[0…count at the start) keep their places; those who left are NULL. */
void sio_room_walk_begin(struct sio *s);
void sio_room_walk_end(struct sio *s);

static inline struct str sio_nsp_str(const struct sio_nsp *n)
{
    return str_of(n->name, n->name_n);
}

static inline struct str sio_socket_str(const struct sio_socket *s)
{
    return str_of(s->id, s->id_n);
}

#endif
