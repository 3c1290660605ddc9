/* Inside node/features/rooms only. */
#ifndef NODE_FEATURES_ROOMS_ROOMS_PRIV_H
#define NODE_FEATURES_ROOMS_ROOMS_PRIV_H

#include "adapter/adapter.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/map.h"
#include "node/event/event.h"
#include "node/event/typing.h"
#include "node/features/rooms/rooms_call.h"
#include "node/features/rooms/rooms_rules.h"
#include "node/features/rooms/rooms_state.h"
#include "node/features/rooms/rooms_type.h"

struct rooms {
    struct events *events;
    struct adapter *adapter; /* NULL: without Redis */
    struct rooms_state *state;
    struct typing typing;
    struct map known;   /* nsp:room → struct rooms_room */
    struct list fading; /* rooms that perhaps nothing keeps */
    struct loop_task fade;
    struct list reapings; /* of dead nodes, that have not begun */
    struct list notes;    /* for that set */
    struct loop_task note;
    struct timer retry; /* rows that Redis did not take */
    unsigned epoch;     /* grows when Redis may have lost what we wrote */
    unsigned steps;     /* scripts under way */
    bool is_closed;     /* freed when none is */
};

/* A room with members here, or one about which something is under way. */
struct rooms_room {
    struct rooms *rooms;
    struct list fading;
    struct str name; /* nsp:room */
    size_t nsp_n;
    char *word; /* roomType of the first joiner, once Redis or a joiner said it; NULL: none */
    /* rooms_room.c */
    bool is_known, is_reading; /* the rules */
    unsigned epoch;            /* in which the rules were read, the rows written */
    struct rooms_rules rules;
    struct list held; /* events that wait for the rules */
    /* rooms_names.c */
    bool is_looking, wants_look;
    bool is_noted;      /* in the set of rooms of this node */
    uint64_t full_ms;   /* when all rows were last written */
    struct list rows;   /* changes to be written */
    struct list comers; /* newcomers to be told */
    struct list sent;   /* changes under way */
    /* rooms_idle.c */
    struct timer idle;
    uint64_t active_ms, noted_ms; /* clock_ms: here, and as Redis was told; 0: not yet */
    char bytes[];
};

void rooms_settle(struct rooms *r); /* frees what was closed */

/* ---- rooms_room.c ---- */
struct rooms_room *rooms_room_find(const struct rooms *r, struct str nsp, struct str room);
struct rooms_room *rooms_room_named(const struct rooms *r, struct str name); /* nsp:room */
struct rooms_room *rooms_room_get(struct rooms *r, struct str nsp, struct str room);
struct str rooms_room_id(const struct rooms_room *m);
struct sio_nsp *rooms_room_nsp(const struct rooms_room *m);
const struct rooms_type *rooms_room_type(const struct rooms_room *m);
void rooms_room_fade(struct rooms_room *m); /* perhaps nothing keeps it */
void rooms_room_free(struct rooms_room *m);
void rooms_room_fade_now(struct loop_task *t);
/* What moderators decided must be known before an event of a room is handled. True: it is not, the
 * event is held and comes again. *m: NULL when the room is unknown and the socket not in it. */
bool rooms_waits(struct event_ctx *c, struct str room, bool is_coming, struct rooms_room **m);
void rooms_room_read(struct rooms_room *m); /* again */

/* ---- rooms_access.c ---- */
int rooms_may_enter(struct event_ctx *c, struct str room); /* its name, and its type's right */
int rooms_may_pass(struct event_ctx *c, const struct rooms_room *m); /* lock and kicks */
bool rooms_is_member(const struct sio_socket *s, struct str room);
bool rooms_is_personal(const struct identity *who, struct str room);
bool rooms_is_hidden(const struct rooms *r, const struct identity *who); /* not counted, not told */
struct str rooms_nsp_of(const struct sio_socket *s);

/* ---- rooms_join.c ---- */
int rooms_on_join(struct event_ctx *c, const union event_in *in);

/* ---- rooms_show.c ---- */
void rooms_announce(struct sio_socket *s, const struct identity *who, struct str room);
/* Leaves; is_told: the others hear of it. */
void rooms_take_out(struct rooms *r, struct sio_socket *s, struct str room, bool is_told);
int rooms_on_leave(struct event_ctx *c, const union event_in *in);
void rooms_on_gone(void *state, struct sio_socket *s, const struct identity *who);
void rooms_on_back(void *state, struct sio_socket *s, const struct identity *who);
void rooms_on_hidden(void *state, struct str id_text, bool hidden);

/* ---- rooms_names.c ---- */
void rooms_names_enter(struct rooms *r, struct sio_socket *s, const struct identity *who,
                       struct str room);
void rooms_names_exit(struct rooms *r, struct sio_socket *s, const struct identity *who,
                      struct str room);
void rooms_names_greet(struct rooms_room *m,
                       struct sio_socket *s); /* who is there, what was said */
void rooms_names_counted(struct rooms_room *m, uint64_t here, uint64_t after); /* by the tally */
void rooms_names_retry(struct timer *t);
void rooms_names_fini(struct rooms_room *m);

/* ---- rooms_look.c ---- */
/* Then the changes follow, as arguments. most 0: no page is wanted. */
void rooms_look_begin(struct rooms_call *c, const struct rooms_room *m, unsigned most,
                      struct str after);
void rooms_look_run(struct rooms *r, struct rooms_call *c, rooms_call_told *told, void *ctx);

/* ---- rooms_members.c ---- */
int rooms_on_members(struct event_ctx *c, const union event_in *in);

/* ---- rooms_rule.c ---- */
struct rooms_order {
    const char *what; /* read, lock, slow, m, k */
    uint64_t value;
    struct str key; /* of a member */
};
void rooms_rule(struct rooms *r, struct str name, const struct rooms_order *o,
                rooms_call_told *told, void *ctx);
void rooms_pace(struct rooms *r, struct str name, struct str key, uint64_t interval_ms,
                rooms_call_told *told, void *ctx);

/* ---- rooms_moderate.c ---- */
int rooms_on_kick(struct event_ctx *c, const union event_in *in);
int rooms_on_mute(struct event_ctx *c, const union event_in *in);
int rooms_on_slow_mode(struct event_ctx *c, const union event_in *in);
int rooms_on_lock(struct event_ctx *c, const union event_in *in);

/* ---- rooms_tell.c ---- */
struct rooms_news { /* of one room, to all nodes; all borrows */
    struct str nsp, room;
    struct str rules; /* empty: nothing new */
    struct str out;   /* key of who is taken out, * all; empty: nobody */
    struct str array; /* to the members here */
};
/* done is called when the other nodes have it, or cannot be reached. May be NULL. */
void rooms_tell(struct rooms *r, const struct rooms_news *n, void (*done)(void *ctx), void *ctx);
void rooms_on_news(void *state, struct str from, struct str payload);

/* ---- rooms_talk.c ---- */
int rooms_on_message(struct event_ctx *c, const union event_in *in);
int rooms_on_typing(struct event_ctx *c, const union event_in *in);
void rooms_on_typing_ended(void *ctx, struct str socket_id, struct str room);

/* ---- rooms_reap.c ---- */
void rooms_reap_note(struct rooms_room *m, bool is_here); /* this node has members there */
void rooms_reap_write(struct loop_task *t);
void rooms_reap(struct rooms *r, struct str node);        /* it died */
void rooms_reap_pardon(struct rooms *r, struct str node); /* it lives; STR_NONE: all */
void rooms_reap_fini(struct rooms *r);

/* ---- rooms_idle.c ---- */
void rooms_idle_init(struct rooms_room *m);
void rooms_idle_touch(struct rooms_room *m); /* something happens here */

#endif
