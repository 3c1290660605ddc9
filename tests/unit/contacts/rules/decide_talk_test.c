#include "contacts/rules/decide.h"

#include <criterion/criterion.h>
#include "contacts/record/contact.h"
#include "contacts/rules/queue.h"

#define MIN 60000LL
#define T0 1795392000000LL

static const struct decide_who ann = {.id = STR("a1"), .name = STR("Ann"), .role = STR("admin")};
static const struct decide_who bob = {.id = STR("a2"), .name = STR("Bob"), .role = STR("admin")};
static const struct decide_who chief = {
    .id = STR("a9"), .role = STR("superadmin"), .is_super = true};
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

Test(decide_talk, the_visitor_may_always_speak_the_agent_who_has_it)
{
    struct at_hand x;

    open_new(&x);
    cr_expect_eq(contact_message(&x.d, &visitor, 10), OK, "before somebody has it");
    cr_expect_eq(contact_message(&x.d, &ann, 10), ERR_FORBIDDEN);
    cr_expect_eq(contact_message(&x.d, &chief, 10), ERR_FORBIDDEN, "claim it first");
    x.d.now_ms += MIN;
    cr_expect_eq(contact_claim(&x.d, &ann), OK);
    cr_expect_eq(contact_message(&x.d, &bob, 10), ERR_FORBIDDEN);
    x.d.now_ms += MIN;
    cr_expect_eq(contact_message(&x.d, &ann, 10), OK);
    cr_expect_eq(x.d.tell, TELL_MESSAGE);
    cr_expect_eq(x.c.first_reply_at, T0 + 2 * MIN);
    cr_expect(str_eq(x.c.first_reply_by, ann.id));
    cr_expect_eq(x.c.first_reply_ms, 2 * MIN);
    cr_expect_eq(x.c.next_at, 0, "the visitor's turn");
    x.d.now_ms += MIN;
    cr_expect_eq(contact_message(&x.d, &chief, 10), OK);
    cr_expect_eq(x.c.first_reply_at, T0 + 2 * MIN, "the first stays the first");
    cr_expect_eq(x.c.agent_messages, 2);
    cr_expect_eq(x.c.agent_at, T0 + 3 * MIN);
    x.d.now_ms += MIN;
    cr_expect_eq(contact_message(&x.d, &visitor, 10), OK);
    cr_expect_eq(x.c.visitor_messages, 2);
    cr_expect_eq(x.c.visitor_at, T0 + 4 * MIN);
    cr_expect_eq(contact_resolve(&x.d, &ann), OK);
    cr_expect_eq(contact_message(&x.d, &visitor, 10), ERR_RESOLVED);
    cr_expect_eq(contact_message(&x.d, &ann, 10), ERR_RESOLVED);
    arena_fini(&x.mem);
}

Test(decide_talk, a_chat_ends_where_it_is_full)
{
    struct at_hand x;

    open_new(&x);
    x.c.bytes = CONTACT_BYTES_MAX - 10;
    cr_expect_eq(contact_message(&x.d, &visitor, 10), OK);
    cr_expect_eq(contact_message(&x.d, &visitor, 11), ERR_LIMIT);
    cr_expect_eq(contact_note(&x.d, &ann, 11), ERR_LIMIT);
    x.c.bytes = 0;
    x.c.seq = CONTACT_MESSAGES_MAX;
    cr_expect_eq(contact_message(&x.d, &visitor, 1), ERR_LIMIT);
    arena_fini(&x.mem);
}

Test(decide_talk, notes_are_for_agents_and_move_no_clock)
{
    struct at_hand x;

    open_new(&x);
    cr_expect_eq(contact_note(&x.d, &visitor, 5), ERR_FORBIDDEN);
    cr_expect_eq(contact_note(&x.d, &bob, 5), OK);
    cr_expect_eq(x.d.tell, TELL_NOTE);
    cr_expect_eq(x.c.agent_messages, 0);
    cr_expect_eq(x.c.first_reply_at, 0);
    cr_expect_eq(x.c.next_at, T0 + 5 * MIN);
    arena_fini(&x.mem);
}

Test(decide_talk, reading_goes_forward_and_not_beyond_the_end)
{
    struct at_hand x;

    open_new(&x);
    x.c.seq = 7;
    cr_expect_eq(contact_read(&x.d, &visitor, 3), OK);
    cr_expect_eq(x.d.tell, TELL_READ);
    cr_expect_eq(x.c.visitor_read, 3);
    cr_expect_eq(contact_read(&x.d, &visitor, 2), OK);
    cr_expect_eq(x.d.tell, 0);
    cr_expect_eq(x.c.visitor_read, 3);
    cr_expect_eq(contact_read(&x.d, &visitor, INT64_MAX), OK);
    cr_expect_eq(x.c.visitor_read, 7);
    cr_expect_eq(contact_read(&x.d, &bob, 5), ERR_FORBIDDEN, "looking is not reading");
    cr_expect_eq(contact_claim(&x.d, &bob), OK);
    cr_expect_eq(contact_read(&x.d, &bob, 5), OK);
    cr_expect_eq(x.c.agent_read, 5);
    arena_fini(&x.mem);
}

Test(decide_talk, a_rating_is_given_once_for_each_end)
{
    struct at_hand x;

    open_new(&x);
    cr_expect_eq(contact_rate(&x.d, 5, STR("")), ERR_CLOSED);
    cr_expect_eq(contact_resolve(&x.d, &ann), OK);
    cr_expect_eq(contact_rate(&x.d, 6, STR("")), ERR_SCHEMA);
    x.d.now_ms += MIN;
    cr_expect_eq(contact_rate(&x.d, 4, STR(" quick ")), OK);
    cr_expect_eq(x.d.tell, TELL_RATED);
    cr_expect_eq(x.c.rate_score, 4);
    cr_expect(str_eq(x.c.rate_comment, STR("quick")));
    cr_expect_eq(contact_rate(&x.d, 1, STR("")), ERR_EXISTS);
    cr_expect_eq(contact_reopen(&x.d, &visitor, NULL), OK);
    x.d.now_ms += MIN;
    cr_expect_eq(contact_resolve(&x.d, &ann), OK);
    cr_expect_eq(contact_rate(&x.d, 1, STR("")), OK);
    arena_fini(&x.mem);
}

static bool tags_are(const struct contact *c, const char *want)
{
    struct sb b = {0};
    bool is_same;

    for (unsigned i = 0; i < c->tags.count; i++)
        sb_printf(&b, "%s" STR_FMT, i ? "," : "", STR_ARG(c->tags.at[i]));
    is_same = str_eq(sb_view(&b), str_z(want));
    cr_expect(is_same, STR_FMT, STR_ARG(b));
    sb_fini(&b);
    return is_same;
}

Test(decide_talk, tags_come_and_go)
{
    static const struct str two[] = {STR("a"), STR("b")}, again[] = {STR("b"), STR("c"), STR("c")},
                            gone[] = {STR("a"), STR("x")};
    static const struct record_texts none = {0};
    struct at_hand x;

    open_new(&x);
    cr_expect_eq(contact_tag(&x.d, &visitor, &(struct record_texts){two, 2}, &none), ERR_FORBIDDEN);
    cr_expect_eq(contact_tag(&x.d, &ann, &(struct record_texts){two, 2}, &none), OK);
    cr_expect_eq(x.d.tell, TELL_UPDATED);
    tags_are(&x.c, "a,b");
    cr_expect_eq(contact_tag(&x.d, &ann, &(struct record_texts){two, 2}, &none), OK);
    cr_expect_eq(x.d.tell, 0, "nothing new");
    cr_expect_eq(
        contact_tag(&x.d, &ann, &(struct record_texts){again, 3}, &(struct record_texts){gone, 2}),
        OK);
    tags_are(&x.c, "b,c");
    cr_expect_eq(contact_tag(&x.d, &ann, &none, &(struct record_texts){again, 3}), OK);
    tags_are(&x.c, "");
    arena_fini(&x.mem);
}

Test(decide_talk, tags_are_bounded)
{
    static char names[DECIDE_TAGS_MAX + 1][4];
    struct str many[DECIDE_TAGS_MAX + 1];
    static const struct record_texts none = {0};
    struct at_hand x;

    open_new(&x);
    for (int i = 0; i <= DECIDE_TAGS_MAX; i++) {
        names[i][0] = (char)('a' + i / 10);
        names[i][1] = (char)('0' + i % 10);
        many[i] = str_z(names[i]);
    }
    cr_expect_eq(contact_tag(&x.d, &ann, &(struct record_texts){many, DECIDE_TAGS_MAX + 1}, &none),
                 ERR_LIMIT);
    cr_expect_eq(x.c.tags.count, 0);
    cr_expect_eq(contact_tag(&x.d, &ann, &(struct record_texts){many, DECIDE_TAGS_MAX}, &none), OK);
    cr_expect_eq(x.c.tags.count, DECIDE_TAGS_MAX);
    arena_fini(&x.mem);
}

Test(decide_talk, priority_moves_it_in_the_queue)
{
    struct at_hand x;

    open_new(&x);
    cr_expect_eq(contact_priority(&x.d, &visitor, SLA_URGENT), ERR_FORBIDDEN);
    cr_expect_eq(contact_priority(&x.d, &ann, SLA_NORMAL), OK);
    cr_expect_eq(x.d.tell, 0);
    cr_expect_eq(contact_priority(&x.d, &ann, SLA_URGENT), OK);
    cr_expect_eq(x.d.tell, TELL_UPDATED | TELL_QUEUE);
    cr_expect(str_eq(x.c.priority, STR("urgent")));
    cr_expect_eq(x.c.queue_rank, queue_rank(SLA_URGENT, false));
    cr_expect_eq(contact_claim(&x.d, &ann), OK);
    cr_expect_eq(contact_requeue(&x.d, &ann), OK);
    cr_expect_eq(contact_priority(&x.d, &ann, SLA_LOW), OK);
    cr_expect_eq(x.c.queue_rank, queue_rank(SLA_LOW, true), "still in front of its new priority");
    arena_fini(&x.mem);
}
