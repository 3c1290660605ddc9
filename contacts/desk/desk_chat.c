/* The chat of a contact: its visitor and agents. Who may write is in the chat already, or is named
 * by the contact. */
#include "contacts/desk/desk_priv.h"

#include "base/clock.h"
#include "contacts/rules/form.h"

enum { HISTORY = 50 };

/* ---- sendContactMessage ---- */

struct send {
    struct str text, type, client_id, canned_id;
};

/* The visitor, by account or because it opened the chat by its token. */
static bool is_its_visitor(const struct desk_actor *a, const struct contact *c)
{
    return a->is_in_chat || desk_is_visitor(a, c);
}

static int decide_send(void *ctx, struct contact *c, const struct store_result *read,
                       struct store_more *more)
{
    struct desk_call *call = ctx;
    const struct send *s = call->op;
    const struct desk_actor *a = &call->actor;
    bool as_agent = desk_acts_as_agent(a, c);
    const struct decide_who by = desk_who(a, as_agent);
    struct message *m;

    if (!call->desk) return ERR_CLOSED;
    if (!as_agent && !is_its_visitor(a, c)) return ERR_NOT_MEMBER;
    m = arena_new(read->arena, 1, sizeof *m);
    desk_message_init(m, as_agent ? MESSAGE_AGENT : MESSAGE_VISITOR, a, read->arena);
    if (!as_agent && !m->author_name.n) m->author_name = c->name;
    if (!as_agent) m->author_role = STR_NONE;
    m->text = s->text;
    if (s->type.n) m->type = s->type;
    m->client_id = s->client_id;
    more->messages = m;
    more->messages_count = 1;
    return desk_decided(
        call, contact_message(desk_decide(call, c, read->arena), &by, message_bytes(m)), more);
}

static void on_sent(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    const struct send *s = call->op;
    struct desk *d = call->desk;

    if (desk_call_is_over(call)) return;
    if (r->rc == ERR_EXISTS && r->messages_count) { /* sent again: it was heard the first time */
        desk_call_sent(call, &r->messages[0]);
        return;
    }
    if (r->rc != OK) {
        desk_call_refuse(call, r->rc,
                         r->rc == ERR_NOT_FOUND || r->rc == ERR_RESOLVED
                             ? STR("Chat session not found") /* as old pages expect */
                         : r->rc == ERR_NOT_MEMBER ? STR("join the chat first")
                         : r->rc == ERR_FORBIDDEN  ? STR("claim the contact first")
                                                   : STR_NONE,
                         STR_NONE);
        return;
    }
    desk_say_message(d, r->contact, &r->messages[0]);
    desk_follow(call, r->contact);
    if (s->canned_id.n && str_eq(r->messages[0].kind, MESSAGE_AGENT))
        desk_canned_used(d, s->canned_id);
    desk_call_sent(call, &r->messages[0]);
}

int desk_on_message(struct event_ctx *c, const union event_in *in)
{
    const struct in_send_contact_message *x = &in->send_contact_message;
    struct desk_call *call = desk_call_new(c, x->contact_id, sizeof(struct send));
    struct send *s = call->op;
    struct form_fault fault = {0};
    struct str text = x->message;
    struct sb why = {0};
    int rc = form_text(&text, &fault);

    if (rc != OK) {
        sb_printf(&why, "%s: %s", fault.field ? fault.field : "message", fault.text);
        desk_call_refuse(call, rc, sb_view(&why), STR_NONE);
        sb_fini(&why);
        return OK;
    }
    s->text = arena_str(&call->mem, text);
    s->type = arena_str(&call->mem, x->type);
    s->canned_id = arena_str(&call->mem, x->canned_id);
    s->client_id = desk_client_id(call, "", x->client_msg_id);
    if (desk_opens_chat(call->desk, x->chat_token, x->contact_id)) call->actor.is_in_chat = true;
    store_contact_change(call->desk->store, call->contact_id, NULL, decide_send, on_sent, call);
    return OK;
}

/* ---- joinContactChat ---- */

struct join {
    bool has_token;
};

static void put_messages(const struct store_result *r, struct sb *out)
{
    bool is_first = true;

    sb_char(out, '[');
    for (unsigned i = 0; i < r->messages_count; i++) {
        if (message_is_note(&r->messages[i])) continue;
        if (!is_first) sb_char(out, ',');
        is_first = false;
        message_put(&r->messages[i], r->contact->id, out);
    }
    sb_char(out, ']');
}

static void on_history(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct join *j = call->op;
    struct desk *d = call->desk;
    struct sio_socket *s;
    const struct contact *c = r->contact;
    struct sb room = {0}, list = {0}, array = {0};
    int rc = r->rc;

    if (desk_call_is_over(call)) return;
    s = call->later ? event_later_socket(call->later) : NULL;
    if (rc == OK && !j->has_token && !desk_is_agent(&call->actor) &&
        !desk_is_visitor(&call->actor, c))
        rc = ERR_FORBIDDEN;
    if (rc == OK && s) {
        desk_room(c->id, &room);
        rc = sio_socket_join(s, sb_view(&room));
    }
    if (rc != OK || !s) {
        desk_call_refuse(call, rc, rc == ERR_NOT_FOUND ? STR("Contact not found") : STR_NONE,
                         STR_NONE);
        sb_fini(&room);
        return;
    }
    if (contact_is_pending(c) && !desk_is_agent(&call->actor)) {
        desk_queue_watch(d, c->id);
        desk_queue_on_message(d, STR_NONE);
    }
    put_messages(r, &list);
    out_contact_chat_history_encode(
        &array, &(struct out_contact_chat_history){
                    .contact_id = c->id,
                    .messages = sb_view(&list),
                    .status = c->status,
                    .has_more = true,
                    .more = r->has_more,
                    .has_agent_read = true,
                    .agent_read = c->agent_read,
                    .has_visitor_read = true,
                    .visitor_read = c->visitor_read,
                    .agent_name = contact_is_in_progress(c) ? c->owner_name : STR_NONE});
    desk_call_answer(call, sb_view(&array));
    sb_fini(&room);
    sb_fini(&list);
    sb_fini(&array);
}

int desk_on_join(struct event_ctx *c, const union event_in *in)
{
    const struct in_join_contact_chat *x = &in->join_contact_chat;
    const struct desk *d = c->state;
    struct store_window w = {.after = x->after_seq,
                             .before = x->before_seq,
                             .limit = x->has_limit ? (unsigned)x->limit : HISTORY};
    struct str id = x->contact_id;
    struct desk_call *call;
    struct join *j;

    if (x->chat_token.n) {
        int rc = token_check(&d->keys, TOKEN_CHAT, x->chat_token, (uint64_t)desk_now() / 1000, &id);

        if (rc != OK || (x->contact_id.n && !str_eq(id, x->contact_id)))
            return rc == ERR_EXPIRED ? rc : ERR_FORBIDDEN;
    } else if (!id.n) {
        sb_z(c->why, "contactId: missing");
        return ERR_SCHEMA;
    } else if (c->who->role == ROLE_GUEST) {
        return ERR_FORBIDDEN;
    }
    call = desk_call_new(c, id, sizeof(struct join));
    j = call->op;
    j->has_token = x->chat_token.n > 0;
    store_contact_get(call->desk->store, call->contact_id, &w, on_history, call);
    return OK;
}

/* ---- contactTyping: of those who are in the chat, nothing is stored ---- */

static void tell_typing(struct sio_socket *s, struct str contact_id, bool is_typing)
{
    const struct identity *who = event_identity(s);
    char iso[CLOCK_ISO_SIZE];
    struct sb room = {0};
    struct sio_cast to;

    desk_room(contact_id, &room);
    to = sio_cast_room_but(s, sb_view(&room));
    to.flags |= SIO_VOLATILE;
    emit_contact_user_typing(
        &to,
        &(struct out_contact_user_typing){
            .contact_id = contact_id,
            .user_name = who->name,
            .user_role = who->role >= ROLE_ADMIN ? str_z(identity_role_name(who->role)) : STR_NONE,
            .is_typing = is_typing,
            .timestamp = desk_iso(desk_now(), iso, sizeof iso)});
    sb_fini(&room);
}

int desk_on_typing(struct event_ctx *c, const union event_in *in)
{
    const struct in_contact_typing *x = &in->contact_typing;
    struct desk *d = c->state;
    struct str id = sio_socket_id(c->socket);
    bool is_news;

    if (!desk_is_in_chat(c->socket, x->contact_id)) return ERR_NOT_MEMBER;
    is_news = x->is_typing ? typing_start(&d->typing, id, x->contact_id)
                           : typing_stop(&d->typing, id, x->contact_id);
    if (is_news) tell_typing(c->socket, x->contact_id, x->is_typing);
    return OK;
}

void desk_on_typing_ended(void *ctx, struct str socket_id, struct str contact_id)
{
    const struct desk *d = ctx;
    struct sio_socket *s = sio_socket_find(d->nsp, socket_id);

    if (s && desk_is_in_chat(s, contact_id)) tell_typing(s, contact_id, false);
}

/* ---- markContactRead ---- */

struct reading {
    int64_t wanted, seq;
    bool as_agent;
};

static int decide_read(void *ctx, struct contact *c, const struct store_result *read,
                       struct store_more *more)
{
    struct desk_call *call = ctx;
    struct reading *x = call->op;
    const struct desk_actor *a = &call->actor;
    struct decide_who by;
    int rc;

    if (!call->desk) return ERR_CLOSED;
    x->as_agent = desk_acts_as_agent(a, c);
    if (!x->as_agent && !is_its_visitor(a, c)) return ERR_NOT_MEMBER;
    by = desk_who(a, x->as_agent);
    rc = contact_read(desk_decide(call, c, read->arena), &by, x->wanted);
    x->seq = x->as_agent ? c->agent_read : c->visitor_read;
    return desk_decided(call, rc, more);
}

static void on_read(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct reading *x = call->op;
    char iso[CLOCK_ISO_SIZE];
    struct sb room = {0};
    struct sio_cast to;

    if (desk_call_is_over(call)) return;
    if (r->rc != OK) {
        desk_call_refuse(call, r->rc, STR_NONE, STR_NONE);
        return;
    }
    if (call->decided.tell & TELL_READ) {
        desk_room(call->contact_id, &room);
        to = desk_to_chat(call->desk, sb_view(&room), true);
        emit_contact_read(
            &to, &(struct out_contact_read){.contact_id = call->contact_id,
                                            .by = x->as_agent ? STR("agent") : STR("visitor"),
                                            .seq = x->seq,
                                            .timestamp = desk_iso(desk_now(), iso, sizeof iso)});
        sb_fini(&room);
    }
    desk_call_ok(call, STR_NONE);
}

int desk_on_read(struct event_ctx *c, const union event_in *in)
{
    struct desk_call *call =
        desk_call_new(c, in->mark_contact_read.contact_id, sizeof(struct reading));
    struct reading *x = call->op;

    x->wanted = in->mark_contact_read.seq;
    store_contact_change(call->desk->store, call->contact_id, NULL, decide_read, on_read, call);
    return OK;
}
