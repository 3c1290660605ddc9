/* Giving a contact to an agent: a slot of the agent by compare-and-swap, then the contact. Whoever
 * loses the contact gives the slot back; what a crash left behind is swept when an agent is full.
 * So nobody has more than the capacity, and nothing needs a transaction. */
#include "contacts/desk/desk_priv.h"

#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"

#define REASON "Auto-assigned due to no manual claim"
enum { SLOT_FRESH_MS = 10000, WAITING_MAX = 50 };

struct giving {
    struct desk_give g;
    struct str agent_id;
    struct agent agent; /* as its slot was taken */
    bool is_swept, had_slot;
    unsigned to_sweep;
    struct str *bad; /* contacts whose slots are nobody's */
    unsigned bad_count;
};

static void take_slot(struct giving *g);

/* ---- slots that a crash left ---- */

static int decide_swept(void *ctx, struct agent *a, struct arena *mem)
{
    struct giving *g = ctx;
    bool is_changed = false;

    if (!g->g.call->desk) return ERR_CLOSED;
    for (unsigned i = 0; i < g->bad_count; i++)
        is_changed |= agent_slot_drop(a, g->bad[i], mem);
    return is_changed ? OK : STORE_KEEP;
}

static void on_swept(void *ctx, const struct store_result *r)
{
    struct giving *g = ctx;

    if (desk_call_is_over(g->g.call)) return;
    (void)r;
    take_slot(g);
}

struct looking { /* at one slot */
    struct giving *g;
    struct str contact_id;
};

static void on_looked(void *ctx, const struct store_result *r)
{
    struct looking *l = ctx;
    struct giving *g = l->g;
    bool is_nobodys =
        r->rc == ERR_NOT_FOUND || (r->rc == OK && (!contact_is_in_progress(r->contact) ||
                                                   !str_eq(r->contact->owner_id, g->agent_id)));

    if (is_nobodys) g->bad[g->bad_count++] = l->contact_id;
    if (--g->to_sweep) return;
    if (desk_call_is_over(g->g.call)) return;
    if (g->bad_count)
        store_agent_change(g->g.call->desk->store, g->agent_id, decide_swept, on_swept, g);
    else
        g->g.done(g->g.call, &(struct store_result){.rc = ERR_LIMIT}, NULL);
}

static bool sweep(struct giving *g, const struct agent *a)
{
    struct desk_call *call = g->g.call;
    struct looking *all = arena_new(&call->mem, a->slots.count, sizeof *all);
    unsigned n = 0;

    g->is_swept = true;
    g->bad = arena_new(&call->mem, a->slots.count, sizeof *g->bad);
    for (unsigned i = 0; i < a->slots.count; i++)
        if (desk_now() - a->slots.at[i].at > SLOT_FRESH_MS)
            all[n++] = (struct looking){g, arena_str(&call->mem, a->slots.at[i].contact)};
    g->to_sweep = n;
    for (unsigned i = 0; i < n; i++)
        store_contact_get(call->desk->store, all[i].contact_id, NULL, on_looked, &all[i]);
    return n > 0;
}

/* ---- giving ---- */

static int decide_contact(void *ctx, struct contact *c, const struct store_result *read,
                          struct store_more *more)
{
    struct giving *g = ctx;
    struct desk_call *call = g->g.call;
    const struct decide_who who = {.id = g->agent_id,
                                   .ref = g->agent.ref,
                                   .name = g->agent.name,
                                   .email = g->agent.email,
                                   .role = g->agent.role,
                                   .is_super = str_eq(g->agent.role, STR("superadmin"))};
    int rc;

    if (!call->desk) return ERR_CLOSED;
    desk_decide(call, c, read->arena);
    rc = g->g.decide(call, &who, more);
    return desk_decided(call, rc, more);
}

static void on_contact(void *ctx, const struct store_result *r)
{
    struct giving *g = ctx;
    struct desk_call *call = g->g.call;
    struct desk *d = call->desk;

    if (desk_call_is_over(call)) return;
    if (r->rc == OK) {
        desk_agent_joins(d, g->agent_id, r->contact->id);
        desk_agents_say(d, &g->agent);
    } else if (!g->had_slot &&
               r->rc != ERR_TIMEOUT) { /* after a time-out: swept, when it is not theirs */
        desk_drop_slot(d, g->agent_id, call->contact_id);
    }
    g->g.done(call, r, &g->agent);
}

static int decide_slot(void *ctx, struct agent *a, struct arena *mem)
{
    struct giving *g = ctx;
    const struct desk_actor *as = &g->g.as;

    if (!g->g.call->desk) return ERR_CLOSED;
    if (!a->version) {
        if (!as->id.n) return ERR_NOT_FOUND;
        a->capacity = (int64_t)g->g.call->desk->conf->agent_capacity;
        a->available = true;
        a->online = as->socket.n > 0; /* who works over HTTP alone is not given anything */
    }
    if (as->id.n) {
        a->ref = as->ref;
        a->name = as->name;
        a->email = as->email;
        a->role = str_z(identity_role_name(as->role));
    }
    if (g->g.is_to_be_here && (!a->online || !a->available)) return ERR_UNAVAILABLE;
    g->had_slot = agent_has_slot(a, g->g.call->contact_id);
    a->last_assigned_at = g->g.stamp_ms ? g->g.stamp_ms : desk_now();
    return agent_slot_take(a, g->g.call->contact_id, desk_now(), mem);
}

static void on_slot(void *ctx, const struct store_result *r)
{
    struct giving *g = ctx;
    struct desk_call *call = g->g.call;

    if (desk_call_is_over(call)) return;
    if (r->rc == ERR_LIMIT && !g->is_swept && r->agent && sweep(g, r->agent)) return;
    if (r->rc != OK) {
        g->g.done(call, r, NULL);
        return;
    }
    record_copy(&record_agent, r->agent, &g->agent, &call->mem);
    store_contact_change(call->desk->store, call->contact_id, NULL, decide_contact, on_contact, g);
}

static void take_slot(struct giving *g)
{
    store_agent_change(g->g.call->desk->store, g->agent_id, decide_slot, on_slot, g);
}

void desk_give(const struct desk_give *give)
{
    struct giving *g = arena_new(&give->call->mem, 1, sizeof *g);

    g->g = *give;
    g->agent_id = arena_str(&give->call->mem, give->agent_id);
    take_slot(g);
}

/* ---- giving a slot back ---- */

static int decide_drop(void *ctx, struct agent *a, struct arena *mem)
{
    struct desk_call *call = ctx;

    if (!call->desk) return ERR_CLOSED;
    return agent_slot_drop(a, call->contact_id, mem) ? OK : STORE_KEEP;
}

static void on_dropped(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct desk *d = call->desk;

    if (desk_call_is_over(call)) return;
    if (r->rc == OK && r->agent) desk_agents_say(d, r->agent);
    desk_call_free(call);
    if (r->rc == OK) desk_assign_waiting(d); /* there is room */
}

void desk_drop_slot(struct desk *d, struct str agent_id, struct str contact_id)
{
    struct desk_call *call;

    if (!agent_id.n) return;
    call = desk_call_own(d, contact_id, 0);
    store_agent_change(d->store, agent_id, decide_drop, on_dropped, call);
}

/* ---- by itself ---- */

struct assigning {
    struct str not_to, prefer;
    struct contact contact;
    unsigned tries;
};

static void pick(struct desk_call *call);

static int decide_assign(struct desk_call *call, const struct decide_who *agent,
                         struct store_more *more)
{
    (void)more;
    return contact_auto_assign(&call->decided, agent);
}

static void on_assigned(struct desk_call *call, const struct store_result *r, const struct agent *a)
{
    struct assigning *g = call->op;
    struct desk *d = call->desk;
    struct sb array = {0}, contact = {0};

    if ((r->rc == ERR_LIMIT || r->rc == ERR_UNAVAILABLE) && !r->contact && g->tries++ < 3) {
        pick(call); /* its last place went to another contact */
        return;
    }
    if (r->rc == OK) {
        LOG_INFO("contact.assigned", LOG_S("contact", r->contact->id), LOG_S("agent", a->id));
        desk_say_claimed(d, r->contact, STR_NONE);
        contact_put(r->contact, RECORD_AGENT, &contact);
        out_auto_assigned_contact_encode(
            &array, &(struct out_auto_assigned_contact){.contact_id = r->contact->id,
                                                        .contact = sb_view(&contact),
                                                        .reason = STR(REASON)});
        desk_to_user(d, a->id, sb_view(&array));
        desk_follow(call, r->contact);
    }
    sb_fini(&array);
    sb_fini(&contact);
    desk_call_free(call);
}

static size_t choose(const struct assigning *g, const struct store_result *r,
                     enum assign_policy policy)
{
    for (unsigned i = 0; g->prefer.n && i < r->agents_count; i++)
        if (str_eq(r->agents[i].id, g->prefer) && assign_has_room(&r->agents[i])) return i;
    return g->prefer.n ? ASSIGN_NOBODY
                       : assign_pick(policy, r->agents, r->agents_count, &g->contact, g->not_to);
}

static void on_agents(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    size_t at;

    if (desk_call_is_over(call)) return;
    at = r->rc == OK ? choose(call->op, r, call->desk->policy) : ASSIGN_NOBODY;
    if (at == ASSIGN_NOBODY) {
        desk_call_free(call);
        return;
    }
    desk_give(
        &(struct desk_give){.call = call,
                            .agent_id = r->agents[at].id,
                            .stamp_ms = assign_stamp_ms(r->agents, r->agents_count, desk_now()),
                            .is_to_be_here = true,
                            .decide = decide_assign,
                            .done = on_assigned});
}

static void pick(struct desk_call *call)
{
    store_agent_list(call->desk->store, on_agents, call);
}

static void on_wish(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct assigning *g = call->op;
    const struct contact *c = r->contact;

    if (desk_call_is_over(call)) return;
    if (r->rc != OK || !contact_is_pending(c)) {
        desk_call_free(call);
        return;
    }
    g->not_to = arena_str(&call->mem, decide_not_to(c, &call->desk->rules, desk_now()));
    record_copy(&record_contact, c, &g->contact, &call->mem);
    pick(call);
}

void desk_assign(struct desk *d, struct str contact_id, struct str prefer)
{
    struct desk_call *call = desk_call_own(d, contact_id, sizeof(struct assigning));
    struct assigning *g = call->op;

    g->prefer = arena_str(&call->mem, prefer);
    store_contact_get(d->store, call->contact_id, NULL, on_wish, call);
}

/* ---- somebody has room ---- */

static void on_waiting(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct desk *d = call->desk;

    if (desk_call_is_over(call)) return;
    for (unsigned i = 0; r->rc == OK && i < r->contacts_count; i++)
        if (r->contacts[i].queue_since + (int64_t)d->conf->auto_assign_ms <= desk_now())
            desk_assign(d, r->contacts[i].id, STR_NONE);
    desk_call_free(call);
}

void desk_assign_waiting(struct desk *d)
{
    struct desk_call *call;

    if (!d->conf->auto_assign_ms) return;
    call = desk_call_own(d, STR_NONE, 0);
    store_contact_list(d->store,
                       &(struct store_filter){
                           .status = CONTACT_PENDING, .sort = STORE_QUEUE, .limit = WAITING_MAX},
                       on_waiting, call);
}
