/* An errand outlives its event, and may outlive the feature: store calls answer when they want. */
#include "contacts/desk/desk_priv.h"

#include "base/clock.h"
#include "base/mem.h"

struct desk_call *desk_call_own(struct desk *d, struct str contact_id, size_t op_size)
{
    struct desk_call *call = MEM_NEW(struct desk_call);

    call->desk = d;
    list_init(&call->node);
    list_push(&d->calls, &call->node);
    call->contact_id = arena_str(&call->mem, contact_id);
    if (op_size) call->op = arena_new(&call->mem, 1, op_size);
    return call;
}

bool desk_is_in_chat(const struct sio_socket *s, struct str contact_id)
{
    struct sb room = {0};
    bool is_in;

    desk_room(contact_id, &room);
    is_in = sio_socket_is_in(s, sb_view(&room));
    sb_fini(&room);
    return is_in;
}

struct desk_call *desk_call_new(struct event_ctx *c, struct str contact_id, size_t op_size)
{
    struct desk_call *call = desk_call_own(c->state, contact_id, op_size);
    struct desk_actor *a = &call->actor;

    a->id = arena_str(&call->mem, c->who->id_text);
    a->ref = arena_str(&call->mem, c->who->id);
    a->name = arena_str(&call->mem, c->who->name);
    a->email = arena_str(&call->mem, c->who->email);
    a->role = c->who->role;
    if (c->socket) {
        a->socket = arena_str(&call->mem, sio_socket_id(c->socket));
        a->is_in_chat = contact_id.n && desk_is_in_chat(c->socket, contact_id);
    }
    call->later = event_defer(c);
    return call;
}

void desk_call_free(struct desk_call *call)
{
    list_unlink(&call->node);
    if (call->later) event_later_drop(call->later);
    arena_fini(&call->mem);
    mem_free(call);
}

bool desk_call_is_over(struct desk_call *call)
{
    if (call->desk) return false;
    desk_call_free(call);
    return true;
}

void desk_call_ok(struct desk_call *call, struct str reply)
{
    struct event_later *later = call->later;

    call->later = NULL;
    if (later) event_later_end(later, OK, reply);
    desk_call_free(call);
}

void desk_call_refuse(struct desk_call *call, int rc, struct str why, struct str more)
{
    struct event_later *later = call->later;

    call->later = NULL;
    if (later)
        event_later_refuse_more(later,
                                &(struct event_refusal){.code = rc, .why = why, .more = more});
    desk_call_free(call);
}

void desk_call_answer(struct desk_call *call, struct str array)
{
    struct event_later *later = call->later;

    call->later = NULL;
    if (later) event_later_answer(later, array);
    desk_call_free(call);
}

void desk_call_sent(struct desk_call *call, const struct message *m)
{
    char iso[CLOCK_ISO_SIZE];
    struct sb reply = {0};

    sb_z(&reply, "\"id\":");
    sb_json(&reply, m->id);
    sb_printf(&reply, ",\"seq\":%lld,\"timestamp\":", (long long)m->seq);
    sb_json(&reply, desk_iso(m->at, iso, sizeof iso));
    desk_call_ok(call, sb_view(&reply));
    sb_fini(&reply);
}

void desk_calls_close(struct desk *d)
{
    struct list *node;

    while ((node = list_shift(&d->calls))) {
        struct desk_call *call = LIST_OWNER(node, struct desk_call, node);

        if (call->later) event_later_drop(call->later);
        call->later = NULL;
        call->desk = NULL; /* freed when its store call answers */
    }
}

bool desk_opens_chat(const struct desk *d, struct str chat_token, struct str contact_id)
{
    struct str id;

    return chat_token.n &&
           token_check(&d->keys, TOKEN_CHAT, chat_token, (uint64_t)desk_now() / 1000, &id) == OK &&
           str_eq(id, contact_id);
}

struct str desk_client_id(struct desk_call *call, const char *kind, struct str client_msg_id)
{
    struct sb key = {0};
    struct str kept = STR_NONE;

    if (client_msg_id.n) {
        /* The length: a colon in an id makes no other sender of it. */
        sb_printf(&key, "%s%zu:" STR_FMT ":" STR_FMT, kind, call->actor.id.n,
                  STR_ARG(call->actor.id), STR_ARG(client_msg_id));
        kept = arena_str(&call->mem, sb_view(&key));
    }
    sb_fini(&key);
    return kept;
}

bool desk_is_visitor(const struct desk_actor *a, const struct contact *c)
{
    if (a->id.n && str_eq(a->id, c->user_id)) return true;
    return a->email.n && str_eq_nocase(a->email, c->email);
}
