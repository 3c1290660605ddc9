/* getContactStats: counted from the records, in a worker. */
#include "contacts/desk/desk_priv.h"

#include "contacts/desk/date.h"
#include "contacts/rules/stats.h"

#define RANGE_MS (INT64_C(30) * 24 * 3600 * 1000)

struct figures {
    struct contact_stats_sums sums;
    struct sb details;
    struct store_counts counts;
};

static void add(void *fold, const struct contact *c)
{
    contact_stats_feed(fold, c);
}

static void drop(void *fold)
{
    contact_stats_free(fold);
}

static void end(struct desk_call *call, int rc, unsigned agents)
{
    struct figures *f = call->op;
    struct sb array = {0}, details = f->details; /* f goes with the call */
    struct sio_socket *s = call->later ? event_later_socket(call->later) : NULL;

    if (rc != OK) {
        sb_fini(&f->details);
        desk_call_refuse(call, rc, STR_NONE, STR_NONE);
        return;
    }
    out_contact_stats_encode(
        &array,
        &(struct out_contact_stats){.total_contacts = (int64_t)f->sums.total,
                                    .active_chats = (int64_t)f->counts.in_progress,
                                    .messages_exchanged = (int64_t)f->sums.messages,
                                    .average_response_time = (double)f->sums.resolution_mean_ms,
                                    .online_admins = agents,
                                    .pending_contacts = (int64_t)f->counts.pending,
                                    .active_contacts = (int64_t)f->counts.in_progress,
                                    .details = sb_view(&details)});
    if (s) sio_socket_emit(s, sb_view(&array), NULL, 0);
    desk_call_ok(call, str_of(array.p + strlen("[\"contactStats\",{"),
                              array.n - strlen("[\"contactStats\",{}]")));
    sb_fini(&details);
    sb_fini(&array);
}

static void on_agents(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct figures *f = call->op;
    unsigned online = 0;

    if (!call->desk) sb_fini(&f->details);
    if (desk_call_is_over(call)) return;
    for (unsigned i = 0; r->rc == OK && i < r->agents_count; i++)
        online += r->agents[i].online;
    end(call, r->rc, online);
}

static void on_counts(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct figures *f = call->op;

    if (!call->desk) sb_fini(&f->details);
    if (desk_call_is_over(call)) return;
    f->counts = r->counts;
    if (r->rc == OK)
        store_agent_list(call->desk->store, on_agents, call);
    else
        end(call, r->rc, 0);
}

static void on_scanned(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct figures *f = call->op;

    if (desk_call_is_over(call)) return;
    if (r->rc != OK) {
        end(call, r->rc, 0);
        return;
    }
    f->sums = contact_stats_sums(r->fold);
    contact_stats_put(r->fold, STR_NONE, &f->details);
    store_contact_counts(call->desk->store, on_counts, call);
}

int desk_on_stats(struct event_ctx *c, const union event_in *in)
{
    const struct in_get_contact_stats *x = &in->get_contact_stats;
    struct desk *d = c->state;
    struct store_scan scan = {.from = desk_now() - RANGE_MS, .step = add, .free = drop};

    if ((x->from.n && !date_read(x->from, &scan.from)) ||
        (x->to.n && !date_read(x->to, &scan.to))) {
        sb_z(c->why, "from, to: not a date");
        return ERR_SCHEMA;
    }
    scan.fold = contact_stats_new(hours_zone(d->app->hours));
    store_contact_scan(d->store, &scan, on_scanned,
                       desk_call_new(c, STR_NONE, sizeof(struct figures)));
    return OK;
}
