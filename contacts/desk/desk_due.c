/* Deadlines are fields of the records; one timer a node, for the earliest that it knows of. Each is
 * taken by one node for LEASE_MS, worked on, and the next deadline is written with the work. It is
 * asked again after own writes, when a node is lost, when Redis or the store is back, at start, and
 * at most once a minute otherwise. */
#include "contacts/desk/desk_priv.h"

#include "base/log.h"

enum { LEASE_MS = 15000, ASK_MS = 60000, RUNNING_MAX = 16 };

static void take(struct desk *d);

static void set_timer(struct desk *d, int64_t at)
{
    int64_t in = at - desk_now();

    if (in < 0) in = 0;
    if (in > ASK_MS) in = ASK_MS;
    d->due.at = at;
    loop_timer(events_loop(d->events), &d->due.timer, (uint64_t)in);
}

void desk_due_at(struct desk *d, int64_t at)
{
    if (at > 0 && (!d->due.at || at < d->due.at)) set_timer(d, at);
}

static void on_next(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct desk *d = call->desk;

    if (desk_call_is_over(call)) return;
    desk_call_free(call);
    if (r->rc == OK && r->at)
        desk_due_at(d, r->at);
    else
        desk_due_at(d, desk_now() + ASK_MS); /* what others write, should they die */
}

void desk_due_ask(struct desk *d)
{
    store_due_next(d->store, on_next, desk_call_own(d, STR_NONE, 0));
}

static void on_timer(struct timer *t)
{
    struct desk *d = LIST_OWNER(t, struct desk, due.timer);

    d->due.at = 0;
    take(d);
}

void desk_due_init(struct desk *d)
{
    timer_init(&d->due.timer, on_timer);
    desk_due_ask(d);
}

void desk_due_fini(struct desk *d)
{
    loop_timer_stop(events_loop(d->events), &d->due.timer);
}

/* ---- one contact ---- */

static int decide_tick(void *ctx, struct contact *c, const struct store_result *read,
                       struct store_more *more)
{
    struct desk_call *call = ctx;

    if (!call->desk) return ERR_CLOSED;
    contact_tick(desk_decide(call, c, read->arena));
    (void)desk_decided(call, OK, more);
    return OK; /* the next deadline is written in any case */
}

static void on_worked(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct desk *d = call->desk;

    if (desk_call_is_over(call)) return;
    d->due.running--;
    if (r->rc == OK) {
        if (call->decided.tell & TELL_ESCALATED) {
            LOG_INFO("contact.escalated", LOG_S("contact", call->contact_id));
            desk_say_sla(d, r->contact, STR("first"), "escalated", call->due_at);
        }
        if (call->decided.tell & TELL_REQUEUED)
            desk_say_requeued(d, call->contact_id, STR("No first reply"), STR_NONE);
        desk_follow(call, r->contact);
    } else if (r->rc != ERR_NOT_FOUND) {
        desk_due_at(d, desk_now() + LEASE_MS); /* whoever comes first */
    }
    desk_call_free(call);
    take(d);
}

static void on_taken(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx, *work;
    struct desk *d = call->desk;

    if (desk_call_is_over(call)) return;
    desk_call_free(call);
    d->due.is_taking = false;
    if (r->rc == OK && r->contact) {
        work = desk_call_own(d, r->contact->id, 0);
        d->due.running++;
        store_contact_change(d->store, work->contact_id, NULL, decide_tick, on_worked, work);
        take(d);
    } else if (r->rc == OK && r->agent) {
        desk_agents_due(d, r->agent);
        take(d);
    } else {
        desk_due_ask(d); /* nothing is due now, or the store is away */
    }
}

static void take(struct desk *d)
{
    if (d->due.is_taking || d->due.running >= RUNNING_MAX) return;
    d->due.is_taking = true;
    store_due_take(d->store, desk_now(), LEASE_MS, on_taken, desk_call_own(d, STR_NONE, 0));
}
