/* Between the decisions of contacts/rules and what follows from them: the state of one decision
 * lives in its call, what every decision entails is done in one place. */
#include "contacts/desk/desk_priv.h"

#include "base/clock.h"
#include "base/conf.h"

int64_t desk_now(void)
{
    return (int64_t)clock_wall_ms();
}

void desk_rules_init(struct desk *d)
{
    d->rules = (struct decide_rules){.sla = &d->app->sla,
                                     .hours = d->app->hours,
                                     .auto_assign_ms = (int64_t)d->conf->auto_assign_ms,
                                     .first_reply_ms = (int64_t)d->conf->first_reply_ms};
}

struct decide *desk_decide(struct desk_call *call, struct contact *c, struct arena *mem)
{
    call->due_at = c->sla_due_at;
    call->decided =
        (struct decide){.c = c, .rules = &call->desk->rules, .mem = mem, .now_ms = desk_now()};
    return &call->decided;
}

/* One decision is told to webhooks and by mail as one thing at most. */
static void add_notice(struct desk_call *call, struct store_more *more)
{
    static const struct {
        unsigned tell;
        enum notice_what what;
    } rows[] = {{TELL_SUBMITTED, NOTICE_CREATED},
                {TELL_CLAIMED | TELL_ASSIGNED | TELL_TRANSFERRED, NOTICE_CLAIMED},
                {TELL_RESOLVED, NOTICE_RESOLVED},
                {TELL_RATED, NOTICE_RATED}};
    const struct decide *x = &call->decided;
    const struct notice *n = call->desk->app->notice;
    const struct message *m = x->tell & TELL_MESSAGE ? more->messages : NULL;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (x->tell & rows[i].tell) notice_add(n, rows[i].what, x->c, NULL, x->mem, more);
    if (m)
        notice_add(n, str_eq(m->kind, MESSAGE_AGENT) ? NOTICE_AGENT : NOTICE_VISITOR, x->c, m,
                   x->mem, more);
}

static int64_t first_of(const struct outbox *all, unsigned count)
{
    int64_t at = 0;

    for (unsigned i = 0; i < count; i++)
        if (!at || all[i].at < at) at = all[i].at;
    return at;
}

int desk_decided(struct desk_call *call, int rc, struct store_more *more)
{
    if (rc != OK) return rc;
    add_notice(call, more);
    call->notice_at = first_of(more->outbox, more->outbox_count);
    call->decided.slot_drop = arena_str(&call->mem, call->decided.slot_drop);
    return call->decided.tell ? OK : STORE_KEEP;
}

struct decide_who desk_who(const struct desk_actor *a, bool as_agent)
{
    return (struct decide_who){.id = a->id,
                               .ref = a->ref,
                               .name = a->name,
                               .email = a->email,
                               .role = as_agent ? str_z(identity_role_name(a->role)) : STR_NONE,
                               .is_super = as_agent && a->role == ROLE_SUPERADMIN};
}

/* An agent, but for the forms that he has sent himself. */
bool desk_acts_as_agent(const struct desk_actor *a, const struct contact *c)
{
    return desk_is_agent(a) && !(a->id.n && str_eq(a->id, c->user_id));
}

void desk_say_sla(struct desk *d, const struct contact *c, struct str clock, const char *state,
                  int64_t due_at)
{
    char iso[CLOCK_ISO_SIZE];
    struct sio_cast to = desk_to_agents(d);

    emit_sla_warning(&to, &(struct out_sla_warning){
                              .contact_id = c->id,
                              .clock = clock,
                              .state = str_z(state),
                              .due_at = desk_iso(due_at, iso, sizeof iso),
                              .priority = c->priority.n ? c->priority : STR("normal"),
                              .owner_name = contact_is_in_progress(c) ? c->owner_name : STR_NONE});
}

void desk_follow(struct desk_call *call, const struct contact *c)
{
    const struct decide *x = &call->decided;
    struct desk *d = call->desk;

    desk_due_at(d, c->next_at);
    for (unsigned i = 0; x->tell & TELL_SLA && i < SLA_CLOCKS; i++) {
        struct str clock = str_z(sla_clock_name(i));

        if (x->sla.warned & 1U << i) desk_say_sla(d, c, clock, "warning", call->due_at);
        if (x->sla.breached & 1U << i) desk_say_sla(d, c, clock, "breached", call->due_at);
    }
    if (x->slot_drop.n) {
        desk_agent_leaves(d, x->slot_drop, c->id);
        desk_drop_slot(d, x->slot_drop, c->id);
    }
    if (x->tell & (TELL_QUEUE | TELL_RESOLVED)) desk_queue_changed(d, x->handled_ms);
    if (x->tell & DO_ASSIGN) desk_assign(d, c->id, STR_NONE);
    notice_due_at(d->app->notice, call->notice_at);
}
