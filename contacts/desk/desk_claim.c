/* Who has a contact: claims, giving back, handing over. */
#include "contacts/desk/desk_priv.h"

#include "base/log.h"

/* ---- claimContact ---- */

struct claim {
    struct str owner_name; /* of who has it */
    bool was_mine;
};

static int decide_claim(struct desk_call *call, const struct decide_who *agent,
                        struct store_more *more)
{
    struct claim *k = call->op;
    int rc = contact_claim(&call->decided, agent);

    (void)more;
    k->was_mine = rc == ERR_EXISTS; /* asked again: as the first time */
    if (rc == ERR_CLAIMED) k->owner_name = arena_str(&call->mem, call->decided.c->owner_name);
    return k->was_mine ? STORE_KEEP : rc;
}

static void on_claimed(struct desk_call *call, const struct store_result *r, const struct agent *a)
{
    struct claim *k = call->op;
    struct desk *d = call->desk;
    struct sb more = {0};

    (void)a;
    if (r->rc == OK) {
        if (!k->was_mine) {
            LOG_INFO("contact.claimed", LOG_S("contact", call->contact_id),
                     LOG_S("agent", call->actor.id));
        }
        desk_say_claimed(d, r->contact, call->actor.socket);
        if (!k->was_mine) desk_follow(call, r->contact);
        desk_call_ok(call, STR_NONE);
        return;
    }
    sb_z(&more, "\"contactId\":");
    sb_json(&more, call->contact_id);
    if (k->owner_name.n) {
        sb_z(&more, ",\"assignedTo\":");
        sb_json(&more, k->owner_name);
    }
    desk_call_refuse(call, r->rc,
                     r->rc == ERR_NOT_FOUND  ? STR("Contact not found")
                     : r->rc == ERR_CLAIMED  ? STR("Contact already claimed by another admin")
                     : r->rc == ERR_RESOLVED ? STR("Contact already resolved")
                     : r->rc == ERR_LIMIT    ? STR("You have as many contacts as you may have")
                                             : STR_NONE,
                     sb_view(&more));
    sb_fini(&more);
}

int desk_on_claim(struct event_ctx *c, const union event_in *in)
{
    struct desk_call *call = desk_call_new(c, in->claim_contact.contact_id, sizeof(struct claim));

    desk_give(&(struct desk_give){.call = call,
                                  .agent_id = call->actor.id,
                                  .as = call->actor,
                                  .decide = decide_claim,
                                  .done = on_claimed});
    return OK;
}

/* ---- requeueContact, and an agent who is gone ---- */

struct requeue {
    struct str gone_id; /* of who is gone; empty: by hand */
    struct str agent_name, reason;
};

static int decide_requeue(void *ctx, struct contact *c, const struct store_result *read,
                          struct store_more *more)
{
    struct desk_call *call = ctx;
    struct requeue *q = call->op;
    const struct decide_who by = desk_who(&call->actor, true);
    struct decide *x;

    if (!call->desk) return ERR_CLOSED;
    x = desk_decide(call, c, read->arena);
    q->agent_name = arena_str(&call->mem, c->owner_name);
    return desk_decided(
        call, q->gone_id.n ? contact_agent_gone(x, q->gone_id) : contact_requeue(x, &by), more);
}

static void say_gone(struct desk *d, const struct desk_call *call)
{
    const struct requeue *q = call->op;
    struct sb room = {0};
    struct sio_cast agents = desk_to_agents(d), visitor;
    struct out_admin_disconnected say = {.contact_id = call->contact_id,
                                         .admin_name = q->agent_name};

    desk_room(call->contact_id, &room);
    say.chat_room_id = sb_view(&room);
    visitor = desk_to_chat(d, sb_view(&room), false);
    emit_admin_disconnected(&agents, &say);
    emit_admin_disconnected(&visitor, &say);
    sb_fini(&room);
}

void desk_say_requeued(struct desk *d, struct str contact_id, struct str reason, struct str by)
{
    struct sb room = {0};
    struct sio_cast agents = desk_to_agents(d), visitor;

    desk_room(contact_id, &room);
    visitor = desk_to_chat(d, sb_view(&room), false);
    emit_contact_requeued(&agents, &(struct out_contact_requeued){
                                       .contact_id = contact_id, .reason = reason, .by = by});
    emit_contact_requeued(&visitor, &(struct out_contact_requeued){.contact_id = contact_id});
    sb_fini(&room);
}

static void on_requeued(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct requeue *q = call->op;
    struct desk *d = call->desk;

    if (desk_call_is_over(call)) return;
    if (r->rc != OK) {
        if (q->gone_id.n && (r->rc == ERR_NOT_MEMBER || r->rc == ERR_NOT_FOUND))
            desk_drop_slot(d, q->gone_id, call->contact_id); /* a slot of nothing */
        desk_call_refuse(call, r->rc,
                         r->rc == ERR_NOT_FOUND  ? STR("Contact not found")
                         : r->rc == ERR_EXISTS   ? STR("Nobody has this contact")
                         : r->rc == ERR_RESOLVED ? STR("Contact already resolved")
                                                 : STR_NONE,
                         STR_NONE);
        return;
    }
    LOG_INFO("contact.requeued", LOG_S("contact", call->contact_id));
    if (q->gone_id.n) say_gone(d, call);
    desk_say_requeued(d, call->contact_id, q->reason, call->actor.name);
    desk_queue_watch(d, call->contact_id);
    desk_follow(call, r->contact);
    desk_call_ok(call, STR_NONE);
}

void desk_take_away(struct desk *d, struct str contact_id, struct str agent_id)
{
    struct desk_call *call = desk_call_own(d, contact_id, sizeof(struct requeue));
    struct requeue *q = call->op;

    q->gone_id = arena_str(&call->mem, agent_id);
    q->reason = STR("The agent is gone");
    store_contact_change(d->store, call->contact_id, NULL, decide_requeue, on_requeued, call);
}

int desk_on_requeue(struct event_ctx *c, const union event_in *in)
{
    struct desk_call *call =
        desk_call_new(c, in->requeue_contact.contact_id, sizeof(struct requeue));
    struct requeue *q = call->op;

    q->reason = arena_str(&call->mem, in->requeue_contact.reason);
    store_contact_change(call->desk->store, call->contact_id, NULL, decide_requeue, on_requeued,
                         call);
    return OK;
}

/* ---- transferContact ---- */

struct transfer {
    struct str from_name, note;
};

static int decide_transfer(struct desk_call *call, const struct decide_who *agent,
                           struct store_more *more)
{
    struct transfer *t = call->op;
    struct decide *x = &call->decided;
    const struct decide_who by = desk_who(&call->actor, true);
    struct message *m;
    int rc;

    t->from_name =
        arena_str(&call->mem, contact_is_in_progress(x->c) ? x->c->owner_name : STR_NONE);
    rc = contact_transfer(x, &by, agent);
    if (rc != OK || !t->note.n) return rc;
    m = arena_new(x->mem, 1, sizeof *m);
    desk_message_init(m, MESSAGE_NOTE, &call->actor, x->mem);
    m->text = t->note;
    more->messages = m;
    more->messages_count = 1;
    return OK;
}

static void say_transferred(struct desk *d, const struct contact *c, const struct transfer *t)
{
    struct sb room = {0}, contact = {0}, array = {0};
    struct sio_cast agents = desk_to_agents(d), visitor;
    struct out_contact_transferred say = {.contact_id = c->id,
                                          .from_name = t->from_name.n ? t->from_name : STR_NONE,
                                          .to_name = c->owner_name};

    desk_room(c->id, &room);
    visitor = desk_to_chat(d, sb_view(&room), false);
    emit_contact_transferred(&visitor, &say);
    say.to_agent_id = c->owner_ref;
    emit_contact_transferred(&agents, &say);
    contact_put(c, RECORD_AGENT, &contact);
    out_contact_claimed_encode(&array,
                               &(struct out_contact_claimed){.contact_id = c->id,
                                                             .contact = sb_view(&contact),
                                                             .chat_room_id = sb_view(&room)});
    desk_to_user(d, c->owner_id, sb_view(&array));
    sb_fini(&room);
    sb_fini(&contact);
    sb_fini(&array);
}

static void on_transferred(struct desk_call *call, const struct store_result *r,
                           const struct agent *a)
{
    struct transfer *t = call->op;
    struct desk *d = call->desk;

    if (r->rc != OK) {
        desk_call_refuse(call, r->rc,
                         r->rc == ERR_LIMIT         ? STR("That agent has no room")
                         : r->rc == ERR_UNAVAILABLE ? STR("That agent is not here")
                         : r->rc == ERR_EXISTS      ? STR("That agent has it already")
                         : r->rc == ERR_NOT_FOUND   ? STR("No such contact or agent")
                                                    : STR_NONE,
                         STR_NONE);
        return;
    }
    LOG_INFO("contact.transferred", LOG_S("contact", call->contact_id), LOG_S("agent", a->id));
    say_transferred(d, r->contact, t);
    desk_follow(call, r->contact);
    desk_call_ok(call, STR_NONE);
}

int desk_on_transfer(struct event_ctx *c, const union event_in *in)
{
    const struct in_transfer_contact *x = &in->transfer_contact;
    struct desk_call *call = desk_call_new(c, x->contact_id, sizeof(struct transfer));
    struct transfer *t = call->op;
    struct sb scratch = {0};
    struct str to = x->to_agent_id;

    if (to.n > 1 && to.p[0] == '"') /* a text: without quotes, as identity has it */
        (void)!json_text((struct json){JSON_STRING, to}, &scratch, &to);
    t->note = arena_str(&call->mem, x->note);
    desk_give(&(struct desk_give){.call = call,
                                  .agent_id = to,
                                  .is_to_be_here = true,
                                  .decide = decide_transfer,
                                  .done = on_transferred});
    sb_fini(&scratch);
    return OK;
}
