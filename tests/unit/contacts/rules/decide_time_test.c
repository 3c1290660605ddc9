#include "contacts/rules/decide.h"

#include <criterion/criterion.h>
#include "contacts/record/contact.h"
#include "contacts/rules/queue.h"
#include "contacts/rules/zone.h"

#define MIN 60000LL
#define HOUR (60 * MIN)
#define T0 1795392000000LL /* 2026-11-23 00:00 UTC, a Monday */

static const struct decide_who agents[] = {
    {.id = STR("a0"), .name = STR("Ann"), .role = STR("admin")},
    {.id = STR("a1"), .name = STR("Bob"), .role = STR("admin")},
    {.id = STR("a2"), .name = STR("Cleo"), .role = STR("superadmin"), .is_super = true},
};
static const struct decide_who visitor = {.name = STR("Vi")};
#define ann (&agents[0])

static struct sla_policy policy = {.warn_percent = 80, .is_waiting_after_reply = true};
static struct decide_rules rules = {
    .sla = &policy, .auto_assign_ms = 5 * MIN, .first_reply_ms = 10 * MIN};

struct at_hand {
    struct contact c;
    struct arena mem;
    struct decide d;
};

static void open_new(struct at_hand *x)
{
    *x = (struct at_hand){.c = {.id = STR("contact_1_a"), .message = STR("Hi")}};
    x->d = (struct decide){.c = &x->c, .rules = &rules, .mem = &x->mem, .now_ms = T0};
    cr_assert_eq(contact_submit(&x->d), OK);
}

static void tick(struct at_hand *x, int64_t now_ms)
{
    x->d.now_ms = now_ms;
    contact_tick(&x->d);
}

Test(decide_time, nobody_came_an_agent_is_looked_for)
{
    struct at_hand x;

    open_new(&x);
    tick(&x, T0 + 5 * MIN - 1);
    cr_expect_eq(x.d.tell, 0);
    cr_expect_eq(x.c.next_at, T0 + 5 * MIN);
    tick(&x, T0 + 5 * MIN);
    cr_expect_eq(x.d.tell, DO_ASSIGN);
    cr_expect_eq(x.c.next_at, T0 + 10 * MIN, "again later, when nobody is found");
    cr_expect(str_eq(x.c.next_kind, STR("auto_assign")));
    cr_expect_eq(contact_auto_assign(&x.d, ann), OK);
    cr_expect_eq(x.c.next_at, T0 + 15 * MIN);
    cr_expect(str_eq(x.c.next_kind, STR("first_reply")));
    arena_fini(&x.mem);
}

Test(decide_time, no_first_reply_gives_it_to_others)
{
    struct at_hand x;

    open_new(&x);
    cr_expect_eq(contact_claim(&x.d, ann), OK);
    tick(&x, T0 + 10 * MIN);
    cr_expect_eq(x.d.tell, TELL_REQUEUED | TELL_QUEUE | TELL_ESCALATED | DO_ASSIGN);
    cr_expect(str_eq(x.d.slot_drop, ann->id));
    cr_expect(str_eq(x.c.status, CONTACT_PENDING));
    cr_expect(str_eq(decide_not_to(&x.c, &rules, x.d.now_ms), ann->id));
    cr_expect_eq(x.c.queue_rank, queue_rank(SLA_NORMAL, true));
    cr_expect_eq(x.c.next_at, T0 + 15 * MIN);
    arena_fini(&x.mem);
}

Test(decide_time, who_has_answered_is_left_alone)
{
    struct at_hand x;

    open_new(&x);
    cr_expect_eq(contact_claim(&x.d, ann), OK);
    x.d.now_ms += MIN;
    cr_expect_eq(contact_message(&x.d, ann, 1), OK);
    x.d.now_ms += MIN;
    cr_expect_eq(contact_message(&x.d, &visitor, 1), OK);
    cr_expect_eq(x.c.next_at, 0);
    tick(&x, T0 + 500 * MIN);
    cr_expect_eq(x.d.tell, 0);
    cr_expect_eq(contact_transfer(&x.d, ann, &agents[1]), OK);
    cr_expect_eq(x.c.next_at, T0 + 510 * MIN, "the new one has not answered");
    arena_fini(&x.mem);
}

Test(decide_time, nobody_is_pressed_while_it_is_the_visitors_turn)
{
    struct at_hand x;

    open_new(&x);
    cr_expect_eq(contact_claim(&x.d, ann), OK);
    x.d.now_ms += MIN;
    cr_expect_eq(contact_message(&x.d, ann, 1), OK);
    x.d.now_ms += MIN;
    cr_expect_eq(contact_transfer(&x.d, ann, &agents[1]), OK);
    cr_expect_eq(x.c.next_at, 0);
    x.d.now_ms += MIN;
    cr_expect_eq(contact_message(&x.d, &visitor, 1), OK);
    cr_expect_eq(x.c.next_at, T0 + 12 * MIN, "now it is the agent's");
    arena_fini(&x.mem);
}

Test(decide_time, the_first_reply_waits_for_business_hours)
{
    static const char text[] = "{\"zone\":\"UTC\",\"week\":{\"mon\":[\"08:00-12:00\"]}}";
    struct decide_rules office = rules;
    struct hours *h = NULL;
    struct at_hand x;
    struct json v;

    cr_assert_eq(json_parse(str_z(text), &v), OK);
    cr_assert_eq(hours_decode(v, zone_open, &h, NULL), OK);
    office.hours = h;
    open_new(&x);
    x.d.rules = &office;
    x.d.now_ms = T0 + 6 * HOUR;
    cr_expect_eq(contact_claim(&x.d, ann), OK);
    cr_expect_eq(x.c.next_at, T0 + 8 * HOUR + 10 * MIN);
    arena_fini(&x.mem);
    hours_free(h);
}

Test(decide_time, may_be_switched_off)
{
    struct decide_rules off = {.sla = &policy};
    struct at_hand x;

    open_new(&x);
    x.d.rules = &off;
    tick(&x, T0 + 500 * MIN);
    cr_expect_eq(x.d.tell, 0);
    cr_expect_eq(x.c.next_at, 0);
    cr_expect_eq(contact_claim(&x.d, ann), OK);
    cr_expect_eq(x.c.next_at, 0);
    cr_expect_eq(contact_agent_gone(&x.d, ann->id), OK);
    cr_expect_eq(x.d.tell & DO_ASSIGN, 0);
    arena_fini(&x.mem);
}

Test(decide_time, promises_are_warned_of_and_broken)
{
    struct sla_policy promises = policy;
    struct decide_rules strict = {.sla = &promises, .auto_assign_ms = 60 * MIN};
    struct at_hand x;

    promises.target_ms[SLA_NORMAL][SLA_FIRST] = 10 * MIN;
    promises.target_ms[SLA_NORMAL][SLA_RESOLVE] = 50 * MIN;
    open_new(&x);
    x.d.rules = &strict;
    cr_expect_eq(contact_submit(&x.d), OK);
    x.c.sla = STR_NONE;
    cr_expect_eq(contact_submit(&x.d), OK);
    cr_expect_eq(x.c.next_at, T0 + 8 * MIN);
    cr_expect(str_eq(x.c.next_kind, STR("sla")));
    cr_expect_eq(x.c.sla_due_at, T0 + 10 * MIN);
    tick(&x, T0 + 8 * MIN);
    cr_expect_eq(x.d.tell, TELL_SLA);
    cr_expect_eq(x.d.sla.warned, 1u << SLA_FIRST);
    cr_expect_eq(x.c.next_at, T0 + 10 * MIN);
    tick(&x, T0 + 10 * MIN);
    cr_expect_eq(x.d.sla.breached, 1u << SLA_FIRST);
    cr_expect_eq(x.c.sla_breached, 1 << SLA_FIRST);
    cr_expect_eq(x.c.sla_due_at, T0 + 50 * MIN);
    cr_expect_eq(contact_claim(&x.d, ann), OK);
    x.d.now_ms = T0 + 45 * MIN; /* nobody looked at 40 */
    cr_expect_eq(contact_message(&x.d, ann, 1), OK);
    cr_expect_eq(x.d.tell, TELL_MESSAGE | TELL_SLA);
    cr_expect_eq(x.d.sla.warned, 1u << SLA_RESOLVE);
    cr_expect_eq(x.c.sla_due_at, 0, "the visitor is waited for");
    cr_expect_eq(x.c.next_at, 0);
    x.d.now_ms = T0 + 200 * MIN;
    cr_expect_eq(contact_message(&x.d, &visitor, 1), OK);
    cr_expect_eq(x.c.sla_due_at, T0 + 205 * MIN);
    arena_fini(&x.mem);
}

Test(decide_time, a_record_of_the_old_service_is_taken_up)
{
    struct at_hand x = {
        .c = {.id = STR("5f0000000000000000000000"), .created_at = T0, .sla = STR("{}")}};

    x.d = (struct decide){.c = &x.c, .rules = &rules, .mem = &x.mem};
    tick(&x, T0 + 100 * MIN);
    cr_expect_eq(x.d.tell, DO_ASSIGN);
    cr_expect_eq(contact_claim(&x.d, ann), OK);
    cr_expect_eq(contact_message(&x.d, ann, 1), OK);
    cr_expect_eq(contact_resolve(&x.d, ann), OK);
    cr_expect(str_eq(x.c.status, CONTACT_RESOLVED));
    arena_fini(&x.mem);
}

/* ---- by chance: any order of decisions ---- */

static uint64_t state;

static int64_t below(int64_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((state >> 33) % (uint64_t)n);
}

static const struct decide_who *anybody(void)
{
    int64_t i = below(4);

    return i < 3 ? &agents[i] : &visitor;
}

static int decide_anything(struct decide *d)
{
    static const struct str tag[] = {STR("a"), STR("b"), STR("c")};
    struct record_texts add = {&tag[below(3)], 1}, remove = {&tag[below(3)], 1};

    switch (below(14)) {
    case 0:
        return contact_claim(d, anybody());
    case 1:
        return contact_auto_assign(d, &agents[below(3)]);
    case 2:
        return contact_transfer(d, anybody(), anybody());
    case 3:
        return contact_requeue(d, anybody());
    case 4:
        return contact_resolve(d, anybody());
    case 5:
        return contact_reopen(d, anybody(), below(2) ? &agents[below(3)] : NULL);
    case 6:
    case 7:
        return contact_message(d, anybody(), 10);
    case 8:
        return contact_note(d, anybody(), 10);
    case 9:
        return contact_read(d, anybody(), below(50));
    case 10:
        return contact_rate(d, below(7), STR("x"));
    case 11:
        return contact_tag(d, anybody(), &add, &remove);
    case 12:
        return contact_priority(d, anybody(), (enum sla_priority)below(SLA_PRIORITIES));
    default:
        return contact_agent_gone(d, agents[below(3)].id);
    }
}

static void expect_sound(const struct contact *c, const struct decide *d)
{
    bool is_pending = str_eq(c->status, CONTACT_PENDING),
         has_agent = str_eq(c->status, CONTACT_IN_PROGRESS);
    bool is_resolved = str_eq(c->status, CONTACT_RESOLVED);

    cr_assert_eq(is_pending + has_agent + is_resolved, 1);
    cr_assert(!has_agent || (c->owner_id.n && c->claimed_at));
    cr_assert(!is_resolved || (c->resolved_at && !c->next_at), "resolved, and something is due");
    cr_assert(!is_pending || c->next_at, "waits for ever");
    cr_assert(c->next_at == 0 ? c->next_kind.n == 0 : c->next_kind.n > 0);
    cr_assert(c->visitor_read <= c->seq && c->agent_read <= c->seq);
    cr_assert_eq(c->agent_messages > 0, c->first_reply_at > 0);
    cr_assert(c->rate_score >= 0 && c->rate_score <= 5 && (c->rate_score > 0) == (c->rated_at > 0));
    cr_assert(c->tags.count <= 3 && c->queue_rank >= 0 && c->queue_rank < 8);
    cr_assert(!(d->tell & TELL_SLA) == !(d->sla.warned | d->sla.breached));
}

/* The slots of the agents as they are kept beside: who has one, and nobody else. */
static void move_slots(struct decide *d, struct str *slot_of)
{
    if (d->slot_drop.n) {
        cr_assert(str_eq(*slot_of, d->slot_drop), "a slot is dropped that was not taken");
        *slot_of = STR_NONE;
    }
    if (str_eq(d->c->status, CONTACT_IN_PROGRESS) && !slot_of->n) *slot_of = d->c->owner_id;
    if (str_eq(d->c->status, CONTACT_IN_PROGRESS))
        cr_assert(str_eq(*slot_of, d->c->owner_id), "two agents have it");
    else
        cr_assert_eq(slot_of->n, 0, "a slot is never given back");
}

Test(decide_time, holds_for_any_order_of_decisions)
{
    struct sla_policy promises = policy;
    struct decide_rules strict = rules;

    for (int p = 0; p < SLA_PRIORITIES; p++)
        for (int k = 0; k < SLA_CLOCKS; k++)
            promises.target_ms[p][k] = (p + 1) * (k + 2) * 7 * MIN;
    strict.sla = &promises;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct at_hand x;
        struct str slot_of = STR_NONE;

        state = seed;
        open_new(&x);
        x.d.rules = &strict;
        x.c.sla = STR_NONE;
        cr_assert_eq(contact_submit(&x.d), OK);
        for (int step = 0; step < 60; step++) {
            struct contact before = x.c;
            int64_t first = x.c.first_reply_at, due = x.c.next_at;

            x.d.now_ms += below(4) ? below(2 * MIN) : below(30 * MIN);
            if (below(4)) {
                int rc = decide_anything(&x.d);

                if (rc != OK)
                    cr_assert_eq(memcmp(&before, &x.c, sizeof before), 0, "%s", err_wire(rc));
                if (rc != OK || !x.d.tell) continue;
                x.c.seq += (x.d.tell & (TELL_MESSAGE | TELL_NOTE)) != 0;
            } else {
                contact_tick(&x.d);
                cr_assert(!x.c.next_at || x.c.next_at > x.d.now_ms, "seed %llu: due again at once",
                          (unsigned long long)seed);
                if (!due || due > x.d.now_ms) /* too early: at most somebody is looked for again */
                    cr_assert_eq(x.d.tell & ~(unsigned)DO_ASSIGN, 0);
            }
            cr_assert(!first || x.c.first_reply_at == first);
            move_slots(&x.d, &slot_of);
            expect_sound(&x.c, &x.d);
        }
        arena_fini(&x.mem);
    }
}
