/* Inside node/features/private only: what its parts share, and how they call scripts. */
#ifndef NODE_FEATURES_PRIVATE_PRIVATE_PRIV_H
#define NODE_FEATURES_PRIVATE_PRIVATE_PRIV_H

#include "adapter/adapter.h"
#include "base/map.h"
#include "base/timer.h"
#include "node/archive/archive.h"
#include "node/event/event.h"
#include "node/features/private/private_id.h"

struct private
{
    struct events *events;
    struct adapter *adapter; /* NULL: none */
    struct sio_nsp *nsp;
    struct archive *archive; /* may be off, or NULL */
    struct due *marks;       /* NULL: the archive is off */
    struct timer count_timer;
    struct map lanes;   /* conversation and sender → struct lane (private_send.c) */
    struct map readers; /* part of a user with devices here → struct reader (private_read.c) */
    struct str node;    /* own id */
    unsigned under_way; /* answers still to come */
    bool has_store;     /* scripts were answered: this is not ADAPTER=local */
    bool is_closed;     /* events and adapter are gone; freed with the last answer */
};

/* The state of another feature of this name; the end of private_close and of every answer. */
void private_settle(struct private *p);

/* ---- one call of a script (private_call.c) ---- */
enum { PRIVATE_WORDS = 640 };

struct private_call { /* value */
    struct sb text;
    size_t ends[PRIVATE_WORDS];
    unsigned keys, words;
};

/* ERR_CLOSED: only free what ctx holds. */
typedef void private_told(void *ctx, int rc, const struct str *reply, unsigned count);

void private_call_key(struct private_call *c, enum key k, struct str name);
void private_call_arg(struct private_call *c, struct str arg);
void private_call_u64(struct private_call *c, uint64_t arg);
void private_call_optional(struct private_call *c, bool has, int64_t n); /* empty: it has none */
int64_t private_number(struct str s); /* of an answer; 0: it is none */
/* Takes what c holds. told is called once, never within the call; NULL: nobody waits. */
void private_call_run(struct private *p, struct private_call *c, struct adapter_script *s,
                      private_told *told, void *ctx);

/* As events_send, counted like a script. */
void private_tell_node(struct private *p, struct str node, struct str payload,
                       void (*sent)(void *ctx, int rc), void *ctx);

/* ---- private_aim.c ---- */
/* Adds all devices of exactly this user to a cast; names holds what the cast borrows, of two users
 * at the most. */
void private_aim(struct sio_cast *to, struct str text, struct str part, struct sb *names);

/* ---- private_send.c ---- */
struct private_sending {
    const struct private_id *from, *to;
    struct str from_name, message, type, client_msg_id;
    struct sio_socket *socket;
    struct event_later *later; /* taken */
};
void private_send(struct private *p, const struct private_sending *s);

/* ---- private_bell.c ---- */
struct private_ringing { /* borrows */
    const struct private_id *from, *to;
    struct str told;  /* members of messageQueued, the recipientId left out */
    struct str nodes; /* with devices of the recipient, ADAPTER_NODE_ID_SIZE bytes each */
};
void private_bell(struct private *p, const struct private_ringing *r);

/* ---- private_archive.c ---- */
void private_archive_open(struct private *p);
void private_archive_close(struct private *p);
/* So many times of PRIVATE_KEEP_… are kept of what is not archived; 0: there is no archive. */
uint64_t private_archive_times(const struct private *p);
/* Sees to it that what is in the conversation's log by now will be archived: told says that Redis
 * knows, later, or ERR_CLOSED within private_archive_close. 0: there is no archive, or it is not
 * told; else 1. told may be NULL. */
unsigned private_archive_mark(struct private *p, struct str conversation,
                              void (*told)(void *ctx, int rc), void *ctx);

/* ---- private_read.c ---- */
void private_device_open(struct private *p, struct sio_socket *s, const struct identity *who);
void private_device_close(struct private *p, struct sio_socket *s, const struct identity *who);
bool private_ring(struct private *p, struct str part); /* false: no device here */
void private_ring_all(struct private *p);              /* Redis is back */
void private_readers_close(struct private *p);

/* ---- private_ask.c ---- */
struct private_ask { /* from the question to its answer */
    struct private *feature;
    struct event_later *later;
    struct private_id own, other; /* other: of questions about a conversation */
    struct sb conv, socket;
    bool is_block;
    uint64_t seq; /* the read cursor */
};
/* other: raw JSON, STR_NONE: none. *out is untouched on failure; else one of the two below. */
MUST_USE int private_ask_new(struct event_ctx *c, struct str other, struct private_ask **out);
void private_ask_end(struct private_ask *a, int rc, struct str reply); /* takes a */
void private_ask_answer(struct private_ask *a, struct str array);      /* takes a */

event_handle private_on_read, private_on_unread, private_on_block, private_on_unblock,
    private_on_blocked;

/* ---- private_history.c ---- */
event_handle private_on_history;

#endif
