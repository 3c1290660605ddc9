/* The end of a contact, and after it: resolved, opened again, rated. */
#include "contacts/desk/desk_priv.h"

#include "base/conf.h"
#include "base/log.h"
#include "contacts/rules/csat.h"

enum { DAY_S = 86400, MINUTE_MS = 60000 };

/* ---- resolveContact ---- */

static int decide_resolve(void *ctx, struct contact *c, const struct store_result *read,
                          struct store_more *more)
{
    struct desk_call *call = ctx;

    const struct decide_who by = desk_who(&call->actor, true);

    if (!call->desk) return ERR_CLOSED;
    return desk_decided(call, contact_resolve(desk_decide(call, c, read->arena), &by), more);
}

static void tell_visitor(struct desk *d, const struct contact *c)
{
    struct sb room = {0}, token = {0};
    struct sio_cast to;

    desk_room(c->id, &room);
    to = desk_to_chat(d, sb_view(&room), false);
    if (token_sign(&d->keys, TOKEN_RATE, c->id,
                   (uint64_t)desk_now() / 1000 + d->conf->chat_days * DAY_S, &token) != OK)
        token.n = 0;
    emit_contact_resolved(
        &to, &(struct out_contact_resolved){.contact_id = c->id,
                                            .rate_token = token.n ? sb_view(&token) : STR_NONE});
    sb_fini(&room);
    sb_fini(&token);
}

/* To all agents, then to the one who did it in the other shape, as old pages expect; then the
 * visitor. */
static void say_resolved(struct desk *d, const struct desk_call *call, const struct contact *c)
{
    struct sio_cast to = desk_to_agents(d);
    struct sio_socket *s = sio_socket_find(d->nsp, call->actor.socket);
    struct sb contact = {0}, array = {0};
    int64_t took_ms = c->resolved_at - c->created_at;

    emit_contact_resolved(&to, &(struct out_contact_resolved){
                                   .contact_id = c->id,
                                   .resolved_by = c->resolved_name,
                                   .has_response_time = true,
                                   .response_time = (took_ms + MINUTE_MS / 2) / MINUTE_MS});
    if (s) {
        contact_put(c, RECORD_AGENT, &contact);
        out_contact_resolved_encode(&array, &(struct out_contact_resolved){
                                                .contact_id = c->id, .contact = sb_view(&contact)});
        sio_socket_emit(s, sb_view(&array), NULL, 0);
    }
    tell_visitor(d, c);
    sb_fini(&contact);
    sb_fini(&array);
}

static void on_resolved(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct desk *d = call->desk;
    const struct contact *c = r->contact;
    struct sb more = {0};

    if (desk_call_is_over(call)) return;
    if (r->rc != OK) {
        sb_z(&more, "\"contactId\":");
        sb_json(&more, call->contact_id);
        desk_call_refuse(call, r->rc,
                         r->rc == ERR_NOT_FOUND  ? STR("Contact not found")
                         : r->rc == ERR_RESOLVED ? STR("Contact already resolved")
                                                 : STR_NONE,
                         sb_view(&more));
        sb_fini(&more);
        return;
    }
    LOG_INFO("contact.resolved", LOG_S("contact", c->id), LOG_S("agent", call->actor.id));
    say_resolved(d, call, c);
    desk_follow(call, c);
    desk_call_ok(call, STR_NONE);
}

int desk_on_resolve(struct event_ctx *c, const union event_in *in)
{
    struct desk_call *call = desk_call_new(c, in->resolve_contact.contact_id, 0);

    store_contact_change(call->desk->store, call->contact_id, NULL, decide_resolve, on_resolved,
                         call);
    return OK;
}

/* ---- reopenContact ---- */

struct reopen {
    bool has_token;
    struct str last_owner;
};

static int decide_reopen(void *ctx, struct contact *c, const struct store_result *read,
                         struct store_more *more)
{
    struct desk_call *call = ctx;
    struct reopen *o = call->op;
    struct decide_who by;

    if (!call->desk) return ERR_CLOSED;
    if (!o->has_token && !desk_is_agent(&call->actor) && !desk_is_visitor(&call->actor, c))
        return ERR_FORBIDDEN;
    by = desk_who(&call->actor, desk_acts_as_agent(&call->actor, c));
    o->last_owner = arena_str(&call->mem, c->owner_id);
    return desk_decided(call, contact_reopen(desk_decide(call, c, read->arena), &by, NULL), more);
}

static void on_reopened(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct reopen *o = call->op;
    struct desk *d = call->desk;
    struct sb room = {0};
    struct sio_cast agents, visitor;
    struct out_contact_reopened say;

    if (desk_call_is_over(call)) return;
    if (r->rc != OK) {
        desk_call_refuse(call, r->rc,
                         r->rc == ERR_NOT_FOUND ? STR("Contact not found")
                         : r->rc == ERR_EXISTS  ? STR("Contact is not resolved")
                                                : STR_NONE,
                         STR_NONE);
        return;
    }
    desk_room(call->contact_id, &room);
    agents = desk_to_agents(d);
    visitor = desk_to_chat(d, sb_view(&room), false);
    say = (struct out_contact_reopened){.contact_id = call->contact_id,
                                        .by = desk_is_agent(&call->actor) ? call->actor.name
                                                                          : STR("visitor"),
                                        .status = r->contact->status};
    emit_contact_reopened(&agents, &say);
    emit_contact_reopened(&visitor, &say);
    desk_queue_watch(d, call->contact_id);
    desk_follow(call, r->contact);
    if (o->last_owner.n) desk_assign(d, call->contact_id, o->last_owner);
    sb_fini(&room);
    desk_call_ok(call, STR_NONE);
}

int desk_on_reopen(struct event_ctx *c, const union event_in *in)
{
    const struct in_reopen_contact *x = &in->reopen_contact;
    struct desk_call *call = desk_call_new(c, x->contact_id, sizeof(struct reopen));
    struct reopen *o = call->op;

    o->has_token = x->chat_token.n ? desk_opens_chat(call->desk, x->chat_token, x->contact_id)
                                   : call->actor.is_in_chat && !desk_is_agent(&call->actor);
    store_contact_change(call->desk->store, call->contact_id, NULL, decide_reopen, on_reopened,
                         call);
    return OK;
}

/* ---- rateContact ---- */

struct rating {
    int64_t score;
    struct str comment;
};

static int decide_rate(void *ctx, struct contact *c, const struct store_result *read,
                       struct store_more *more)
{
    struct desk_call *call = ctx;
    const struct rating *x = call->op;
    int rc;

    if (!call->desk) return ERR_CLOSED;
    rc = contact_rate(desk_decide(call, c, read->arena), x->score, x->comment);
    return desk_decided(call, rc == ERR_CLOSED ? ERR_CONFLICT : rc, more);
}

static void on_rated(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct rating *x = call->op;
    struct sio_cast to;

    if (desk_call_is_over(call)) return;
    if (r->rc != OK) {
        desk_call_refuse(call, r->rc,
                         r->rc == ERR_EXISTS     ? STR("Rated already")
                         : r->rc == ERR_CONFLICT ? STR("Contact is not resolved")
                                                 : STR_NONE,
                         STR_NONE);
        return;
    }
    to = desk_to_agents(call->desk);
    emit_contact_rated(
        &to, &(struct out_contact_rated){.contact_id = call->contact_id,
                                         .score = x->score,
                                         .comment = x->comment.n ? x->comment : STR_NONE});
    desk_call_ok(call, STR_NONE);
}

int desk_on_rate(struct event_ctx *c, const union event_in *in)
{
    const struct in_rate_contact *x = &in->rate_contact;
    const struct desk *d = c->state;
    struct str id = STR_NONE, comment = x->comment;
    struct desk_call *call;
    struct rating *rating;
    int rc = token_check(&d->keys, TOKEN_RATE, x->token, (uint64_t)desk_now() / 1000, &id);

    if (rc == OK) rc = csat_check(x->score, &comment);
    if (rc != OK) return rc == ERR_AUTH ? ERR_FORBIDDEN : rc;
    call = desk_call_new(c, id, sizeof(struct rating));
    rating = call->op;
    rating->score = x->score;
    rating->comment = arena_str(&call->mem, comment);
    store_contact_change(call->desk->store, call->contact_id, NULL, decide_rate, on_rated, call);
    return OK;
}
