/* Inside contacts/desk only. */
#ifndef CONTACTS_DESK_DESK_PRIV_H
#define CONTACTS_DESK_DESK_PRIV_H

#include "base/loop.h"
#include "base/map.h"
#include "contacts/desk/app.h"
#include "contacts/desk/desk.h"
#include "contacts/desk/forms.h"
#include "contacts/record/agent.h"
#include "contacts/record/contact.h"
#include "contacts/notice/notice.h"
#include "contacts/record/message.h"
#include "contacts/rules/assign.h"
#include "contacts/rules/decide.h"
#include "contacts/rules/token.h"
#include "contacts/store/store.h"
#include "events_out.h"
#include "node/event/typing.h"

#define DESK_AGENTS STR("agents") /* room of all agents */

struct desk {
    struct events *events;
    struct contacts_app *app;
    struct store *store;
    const struct conf *conf;
    struct sio_nsp *nsp;
    struct forms *forms;
    struct token_keys keys;
    enum assign_policy policy;
    struct decide_rules rules;
    struct list calls;
    struct typing typing; /* a room is a contact's id here */
    struct desk_due {
        struct timer timer;
        int64_t at; /* of the timer; 0: not set */
        unsigned running;
        bool is_taking;
    } due;
    struct desk_queue {
        struct map waiting; /* contact → struct waiter: visitors of this node are told */
        struct timer timer;
        bool is_asking, is_dirty;
        uint64_t round;      /* of questions to the store */
        int64_t handling_ms; /* as it has been lately */
    } queue;
};

/* ---- desk_call.c: one errand, from an event or by the desk itself ---- */

struct desk_actor { /* borrows from the call */
    struct str id;  /* empty: a guest, or the desk itself */
    struct str ref; /* the id as in the token */
    struct str name, email;
    struct str socket; /* empty: a request over HTTP, or the desk itself */
    enum role role;
    bool is_in_chat; /* its socket is in the room of the contact, or it has shown its chatToken */
};

struct desk_call {
    struct list node;
    struct desk *desk;         /* NULL: the feature was closed */
    struct event_later *later; /* NULL: nobody waits for the answer */
    struct arena mem;
    struct desk_actor actor;
    struct str contact_id;
    struct decide decided; /* the last decision; desk_decide */
    int64_t due_at;        /* of a promise, before it */
    int64_t notice_at;     /* the first entry that the decision adds to the outbox; 0: none */
    void *op;              /* of the errand; lives in mem */
};

/* Defers the event's answer: to a socket, or to who asks over HTTP. contact_id is copied. */
struct desk_call *desk_call_new(struct event_ctx *c, struct str contact_id, size_t op_size);
struct desk_call *desk_call_own(struct desk *d, struct str contact_id, size_t op_size);
/* True: the feature is closed, the call is freed. First line of every callback. */
bool desk_call_is_over(struct desk_call *call);
/* Each of these ends the call and frees it. */
void desk_call_ok(struct desk_call *call, struct str reply); /* members of the ack */
void desk_call_refuse(struct desk_call *call, int rc, struct str why, struct str more);
void desk_call_answer(struct desk_call *call, struct str array);      /* ["event",{…}] */
void desk_call_sent(struct desk_call *call, const struct message *m); /* id, seq, timestamp */
void desk_call_free(struct desk_call *call);                          /* an own one */
void desk_calls_close(struct desk *d);

static inline bool desk_is_agent(const struct desk_actor *a)
{
    return a->role >= ROLE_ADMIN;
}

/* Is this the chatToken of the contact? Empty: no. */
bool desk_opens_chat(const struct desk *d, struct str chat_token, struct str contact_id);

/* What a message is called in the store (message.client_id), for each sender has names of its own:
 * "" for what is said, "note " for notes. Lives in the call; empty: it has no name. */
struct str desk_client_id(struct desk_call *call, const char *kind, struct str client_msg_id);

/* The visitor of a contact by account: it sent the form, or the form has its address. */
bool desk_is_visitor(const struct desk_actor *a, const struct contact *c);

/* ---- desk_say.c: what is told to whom ---- */

void desk_room(struct str contact_id, struct sb *out);
bool desk_is_in_chat(const struct sio_socket *s, struct str contact_id);
void desk_user_room(struct str id, struct sb *out);
void desk_email_room(struct str email, struct sb *out);
struct sio_cast desk_to_agents(const struct desk *d);
/* room: of the contact, the caller's; without agents: the visitor alone. */
struct sio_cast desk_to_chat(const struct desk *d, struct str room, bool with_agents);
void desk_to_user(const struct desk *d, struct str id, struct str array); /* all devices */
void desk_say_claimed(struct desk *d, const struct contact *c, struct str socket);
void desk_say_message(struct desk *d, const struct contact *c, const struct message *m);
void desk_say_updated(struct desk *d, const struct contact *c);
void desk_agent_joins(struct desk *d, struct str agent_id, struct str contact_id);
void desk_agent_leaves(struct desk *d, struct str agent_id, struct str contact_id);
struct str desk_iso(int64_t ms, char out[], size_t size);
void desk_message_init(struct message *m, struct str kind, const struct desk_actor *by,
                       struct arena *mem); /* new id, time, author */

/* ---- desk_decide.c: decisions of contacts/rules, and what each of them entails ---- */

int64_t desk_now(void);
void desk_rules_init(struct desk *d);
/* In a callback of store_contact_change: one of contact_… of decide.h follows, and desk_decided. */
struct decide *desk_decide(struct desk_call *call, struct contact *c, struct arena *mem);
/* What the callback returns. Adds to *more what others are to be told. */
int desk_decided(struct desk_call *call, int rc, struct store_more *more);
struct decide_who desk_who(const struct desk_actor *a, bool as_agent);
bool desk_acts_as_agent(const struct desk_actor *a, const struct contact *c);
/* It is written: deadlines, warnings, slots, the queue. What is told beside that is the caller's.
 */
void desk_follow(struct desk_call *call, const struct contact *c);
void desk_say_sla(struct desk *d, const struct contact *c, struct str clock, const char *state,
                  int64_t due_at);

/* ---- desk_assign.c: agents' slots, and who gets a contact ---- */

/* A slot of an agent, then the contact; the ends are told with OK, or the slot is given back. */
struct desk_give {
    struct desk_call *call; /* goes on to its done */
    struct str agent_id;    /* who gets it */
    struct desk_actor as;   /* name, e-mail and ref of that agent; empty: as the record says */
    int64_t stamp_ms;       /* last_assigned_at; 0: now */
    bool is_to_be_here;     /* only an agent who is online and available */
    /* The decision: of decide.h, about call->decided; agent: who gets it. */
    int (*decide)(struct desk_call *call, const struct decide_who *agent, struct store_more *more);
    void (*done)(struct desk_call *call, const struct store_result *r, const struct agent *a);
};
void desk_give(const struct desk_give *g);
void desk_drop_slot(struct desk *d, struct str agent_id, struct str contact_id);

/* To whom the policy says; prefer: to this one or to nobody. */
void desk_assign(struct desk *d, struct str contact_id, struct str prefer);
void desk_assign_waiting(struct desk *d); /* an agent has room: those who waited long enough */

/* ---- desk_agents.c ---- */

void desk_agents_enter(struct desk *d, struct sio_socket *s, const struct identity *who);
void desk_agents_gone(struct desk *d, struct str id);
void desk_agents_say(struct desk *d, const struct agent *a);
void desk_agents_put(const struct agent *a, struct sb *out); /* {agentId, …} */
void desk_agents_due(struct desk *d, const struct agent *a);
event_handle desk_on_set_status, desk_on_list_agents;

/* ---- desk_due.c ---- */

void desk_due_init(struct desk *d);
void desk_due_fini(struct desk *d);
void desk_due_at(struct desk *d,
                 int64_t at);      /* something was written that is due then; 0: nothing */
void desk_due_ask(struct desk *d); /* others may have written something */

/* ---- desk_queue.c: queue:update ---- */

void desk_queue_init(struct desk *d);
void desk_queue_fini(struct desk *d);
void desk_queue_watch(struct desk *d, struct str contact_id); /* its visitor is here */
void desk_queue_changed(struct desk *d, int64_t handled_ms);  /* all nodes; handled: or 0 */
void desk_queue_on_message(struct desk *d, struct str payload);

/* ---- handlers ---- */

event_handle desk_on_submit;                                              /* desk_form.c */
event_handle desk_on_claim, desk_on_requeue, desk_on_transfer;            /* desk_claim.c */
event_handle desk_on_message, desk_on_join, desk_on_typing, desk_on_read; /* desk_chat.c */
typing_ended desk_on_typing_ended;
event_handle desk_on_resolve, desk_on_reopen, desk_on_rate; /* desk_end.c */
event_handle desk_on_note, desk_on_tag, desk_on_priority;   /* desk_care.c */
void desk_canned_used(struct desk *d, struct str id); /* one more time; an unknown one: nothing */
event_handle desk_on_canned_list, desk_on_canned_save, desk_on_canned_delete; /* desk_canned.c */
event_handle desk_on_pending, desk_on_list, desk_on_get, desk_on_transcript;  /* desk_list.c */
event_handle desk_on_stats;                                                   /* desk_stats.c */

/* Its agent is gone: it waits again. */
void desk_take_away(struct desk *d, struct str contact_id, struct str agent_id);
/* To agents, and to the visitor without by and reason. */
void desk_say_requeued(struct desk *d, struct str contact_id, struct str reason, struct str by);

#endif
