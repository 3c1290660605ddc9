#include "contacts/rules/decide.h"

#include <criterion/criterion.h>
#include "contacts/record/contact.h"

#define MIN 60000LL
#define T0 1795392000000LL

static const struct decide_who ann = {.id = STR("a1"),
                                      .ref = STR("\"a1\""),
                                      .name = STR("Ann"),
                                      .email = STR("ann@x.rw"),
                                      .role = STR("admin")};
static const struct decide_who bob = {.id = STR("a2"), .name = STR("Bob"), .role = STR("admin")};
static const struct decide_who chief = {
    .id = STR("a9"), .name = STR("Chief"), .role = STR("superadmin"), .is_super = true};
static const struct decide_who visitor = {.name = STR("Vi")};
static const struct sla_policy no_promises = {.warn_percent = 80, .is_waiting_after_reply = true};
static const struct decide_rules rules = {
    .sla = &no_promises, .auto_assign_ms = 5 * MIN, .first_reply_ms = 10 * MIN};

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

/* open, then claimed by Ann a minute later */
static void open_claimed(struct at_hand *x)
{
    open_new(x);
    x->d.now_ms += MIN;
    cr_assert_eq(contact_claim(&x->d, &ann), OK);
}

Test(decide, a_new_one_waits_in_the_queue)
{
    struct at_hand x;

    open_new(&x);
    cr_expect(str_eq(x.c.status, CONTACT_PENDING));
    cr_expect(str_eq(x.c.priority, STR("normal")));
    cr_expect_eq(x.c.created_at, T0);
    cr_expect_eq(x.c.queue_since, T0);
    cr_expect_eq(x.d.tell, TELL_SUBMITTED | TELL_QUEUE);
    cr_expect_eq(x.c.next_at, T0 + 5 * MIN);
    cr_expect(str_eq(x.c.next_kind, STR("auto_assign")));
    arena_fini(&x.mem);
}

Test(decide, one_agent_gets_it_and_losers_see_who)
{
    struct at_hand x;
    struct contact before;

    open_new(&x);
    x.d.now_ms += MIN;
    cr_expect_eq(contact_claim(&x.d, &visitor), ERR_FORBIDDEN);
    cr_expect_eq(contact_claim(&x.d, &ann), OK);
    cr_expect_eq(x.d.tell, TELL_CLAIMED | TELL_QUEUE);
    cr_expect(str_eq(x.c.status, CONTACT_IN_PROGRESS));
    cr_expect(str_eq(x.c.owner_id, ann.id) && str_eq(x.c.owner_ref, ann.ref));
    cr_expect(str_eq(x.c.owner_name, ann.name) && str_eq(x.c.owner_email, ann.email));
    cr_expect_eq(x.c.claimed_at, T0 + MIN);
    cr_expect_eq(x.c.assign_count, 1);
    cr_expect_eq(x.c.next_at, T0 + 11 * MIN);
    cr_expect(str_eq(x.c.next_kind, STR("first_reply")));
    before = x.c;
    cr_expect_eq(contact_claim(&x.d, &bob), ERR_CLAIMED);
    cr_expect_eq(contact_auto_assign(&x.d, &bob), ERR_CLAIMED);
    cr_expect_eq(contact_claim(&x.d, &ann), ERR_EXISTS);
    cr_expect_eq(x.d.tell, 0);
    cr_expect_arr_eq(&before, &x.c, sizeof before);
    cr_expect_eq(contact_resolve(&x.d, &ann), OK);
    cr_expect_eq(contact_claim(&x.d, &bob), ERR_RESOLVED);
    arena_fini(&x.mem);
}

Test(decide, the_service_gives_it_as_well)
{
    struct at_hand x;

    open_new(&x);
    cr_expect_eq(contact_auto_assign(&x.d, &bob), OK);
    cr_expect_eq(x.d.tell, TELL_ASSIGNED | TELL_QUEUE);
    cr_expect(str_eq(x.c.owner_id, bob.id));
    arena_fini(&x.mem);
}

Test(decide, transfer_is_for_the_owner_or_a_superadmin)
{
    struct at_hand x;

    open_claimed(&x);
    cr_expect_eq(contact_transfer(&x.d, &bob, &bob), ERR_FORBIDDEN);
    cr_expect_eq(contact_transfer(&x.d, &visitor, &bob), ERR_FORBIDDEN);
    cr_expect_eq(contact_transfer(&x.d, &ann, &visitor), ERR_FORBIDDEN);
    cr_expect_eq(contact_transfer(&x.d, &ann, &ann), ERR_EXISTS);
    x.d.now_ms += MIN;
    cr_expect_eq(contact_transfer(&x.d, &ann, &bob), OK);
    cr_expect_eq(x.d.tell, TELL_TRANSFERRED);
    cr_expect(str_eq(x.d.slot_drop, ann.id));
    cr_expect(str_eq(x.c.owner_id, bob.id));
    cr_expect_eq(x.c.claimed_at, T0 + 2 * MIN);
    cr_expect_eq(x.c.next_at, T0 + 12 * MIN, "Bob has the whole time");
    cr_expect_eq(contact_transfer(&x.d, &chief, &ann), OK);
    cr_expect(str_eq(x.d.slot_drop, bob.id));
    cr_expect_eq(contact_resolve(&x.d, &ann), OK);
    cr_expect_eq(contact_transfer(&x.d, &chief, &bob), ERR_RESOLVED);
    arena_fini(&x.mem);
}

Test(decide, one_that_waits_may_be_handed_to_a_colleague)
{
    struct at_hand x;

    open_new(&x);
    cr_expect_eq(contact_transfer(&x.d, &ann, &bob), OK);
    cr_expect_eq(x.d.tell, TELL_TRANSFERRED | TELL_QUEUE);
    cr_expect_eq(x.d.slot_drop.n, 0);
    arena_fini(&x.mem);
}

Test(decide, what_is_given_back_goes_to_the_front_and_to_others)
{
    struct at_hand x;
    int64_t rank;

    open_new(&x);
    rank = x.c.queue_rank;
    cr_expect_eq(contact_requeue(&x.d, &ann), ERR_EXISTS);
    cr_expect_eq(contact_claim(&x.d, &ann), OK);
    cr_expect_eq(contact_requeue(&x.d, &bob), ERR_FORBIDDEN);
    cr_expect_eq(contact_requeue(&x.d, &visitor), ERR_FORBIDDEN);
    x.d.now_ms += 3 * MIN;
    cr_expect_eq(contact_requeue(&x.d, &ann), OK);
    cr_expect_eq(x.d.tell, TELL_REQUEUED | TELL_QUEUE);
    cr_expect(str_eq(x.d.slot_drop, ann.id));
    cr_expect(str_eq(x.c.status, CONTACT_PENDING));
    cr_expect_lt(x.c.queue_rank, rank);
    cr_expect_eq(x.c.requeue_count, 1);
    cr_expect_eq(x.c.next_at, T0 + 8 * MIN);
    cr_expect(str_eq(decide_not_to(&x.c, &rules, T0 + 4 * MIN), ann.id));
    cr_expect_eq(decide_not_to(&x.c, &rules, T0 + 8 * MIN).n, 0, "better she than nobody");
    cr_expect_eq(contact_claim(&x.d, &ann), OK, "by hand she may");
    cr_expect_eq(decide_not_to(&x.c, &rules, T0 + 4 * MIN).n, 0);
    arena_fini(&x.mem);
}

Test(decide, the_end_is_the_owners_and_frees_the_place)
{
    struct at_hand x;

    open_claimed(&x);
    cr_expect_eq(contact_resolve(&x.d, &visitor), ERR_FORBIDDEN);
    cr_expect_eq(contact_resolve(&x.d, &bob), ERR_FORBIDDEN);
    x.d.now_ms += 4 * MIN;
    cr_expect_eq(contact_resolve(&x.d, &ann), OK);
    cr_expect_eq(x.d.tell, TELL_RESOLVED);
    cr_expect(str_eq(x.d.slot_drop, ann.id));
    cr_expect_eq(x.d.handled_ms, 4 * MIN);
    cr_expect_eq(x.c.resolved_at, T0 + 5 * MIN);
    cr_expect(str_eq(x.c.resolved_by, ann.id) && str_eq(x.c.resolved_name, ann.name));
    cr_expect_eq(x.c.resolve_ms, 5 * MIN);
    cr_expect_eq(x.c.next_at, 0, "nothing is due any more");
    cr_expect_eq(contact_resolve(&x.d, &ann), ERR_RESOLVED);
    arena_fini(&x.mem);
    open_new(&x);
    cr_expect_eq(contact_resolve(&x.d, &bob), OK, "one that waits: any agent");
    cr_expect_eq(x.d.tell, TELL_RESOLVED | TELL_QUEUE);
    cr_expect_eq(x.d.slot_drop.n, 0);
    arena_fini(&x.mem);
}

Test(decide, it_may_be_opened_again)
{
    struct at_hand x;

    open_claimed(&x);
    cr_expect_eq(contact_reopen(&x.d, &visitor, NULL), ERR_EXISTS);
    cr_expect_eq(contact_resolve(&x.d, &ann), OK);
    x.d.now_ms += 60 * MIN;
    cr_expect_eq(contact_reopen(&x.d, &visitor, NULL), OK);
    cr_expect_eq(x.d.tell, TELL_REOPENED | TELL_QUEUE);
    cr_expect(str_eq(x.c.status, CONTACT_PENDING));
    cr_expect_eq(x.c.queue_since, x.d.now_ms);
    cr_expect_eq(x.c.reopen_count, 1);
    cr_expect_eq(x.c.next_at, x.d.now_ms + 5 * MIN);
    cr_expect_eq(decide_not_to(&x.c, &rules, x.d.now_ms).n, 0, "she did answer");
    cr_expect_eq(contact_resolve(&x.d, &chief), OK);
    cr_expect_eq(contact_reopen(&x.d, &ann, &ann), OK);
    cr_expect_eq(x.d.tell, TELL_REOPENED);
    cr_expect(str_eq(x.c.status, CONTACT_IN_PROGRESS));
    cr_expect(str_eq(x.c.owner_id, ann.id));
    arena_fini(&x.mem);
}

Test(decide, nothing_is_taken_from_who_does_not_have_it)
{
    struct at_hand x;

    open_claimed(&x);
    cr_expect_eq(contact_agent_gone(&x.d, bob.id), ERR_NOT_MEMBER);
    cr_expect_eq(contact_agent_gone(&x.d, STR_NONE), ERR_NOT_MEMBER);
    cr_expect_eq(contact_agent_gone(&x.d, ann.id), OK);
    cr_expect_eq(x.d.tell, TELL_REQUEUED | TELL_QUEUE | TELL_AGENT_GONE | DO_ASSIGN);
    cr_expect(str_eq(x.d.slot_drop, ann.id));
    cr_expect(str_eq(decide_not_to(&x.c, &rules, x.d.now_ms), ann.id));
    cr_expect_eq(contact_agent_gone(&x.d, ann.id), ERR_NOT_MEMBER, "once");
    arena_fini(&x.mem);
}
