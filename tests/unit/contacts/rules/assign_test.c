#include "contacts/rules/assign.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const struct str billing[] = {STR("Billing"), STR("french")};
static const struct str quiz[] = {STR("quiz")};
static const struct record_slot slots[16];
static const struct contact any = {0};

#define AGENT(name, is_online, is_available, room, load, last, skill_list, skill_count)            \
    {                                                                                              \
        .id = STR(name), .online = is_online, .available = is_available, .capacity = room,         \
        .slots = {slots, load}, .last_assigned_at = last, .skills = {                              \
            skill_list,                                                                            \
            skill_count                                                                            \
        }                                                                                          \
    }
static const struct agent team[] = {
    AGENT("ann", true, true, 4, 1, 500, billing, 2),
    AGENT("bob", true, true, 10, 2, 300, quiz, 1),
    AGENT("cleo", true, true, 2, 0, 400, NULL, 0),
    AGENT("dan", false, true, 9, 0, 0, billing, 2), /* offline */
    AGENT("eve", true, false, 9, 0, 0, billing, 2), /* at lunch */
    AGENT("fred", true, true, 3, 3, 0, billing, 2), /* full */
    AGENT("guy", true, true, 0, 0, 0, billing, 2),  /* never */
};
#define TEAM (sizeof team / sizeof team[0])

static struct str picked(enum assign_policy policy, const struct contact *c, struct str not_to)
{
    size_t i = assign_pick(policy, team, TEAM, c, not_to);

    return i == ASSIGN_NOBODY ? STR("nobody") : team[i].id;
}

Test(assign, each_policy_has_its_order)
{
    static const struct str tags[] = {STR("billing"), STR("urgent")}, quizzes[] = {STR("quiz")},
                            other[] = {STR("other")};
    static const struct {
        enum assign_policy policy;
        struct contact contact;
        const char *not_to, *want;
    } rows[] = {
        {ASSIGN_ROUND_ROBIN, {.id = STR_NONE}, "", "bob"},
        {ASSIGN_ROUND_ROBIN, {.id = STR_NONE}, "bob", "cleo"},
        {ASSIGN_LEAST_BUSY, {.id = STR_NONE}, "", "cleo"},
        {ASSIGN_LEAST_BUSY, {.id = STR_NONE}, "cleo", "bob"}, /* 2 of 10 before 1 of 4 */
        {ASSIGN_SKILL, {.tags = {tags, 2}}, "", "ann"},
        {ASSIGN_SKILL, {.tags = {quizzes, 1}}, "", "bob"},
        {ASSIGN_SKILL, {.category = STR("QUIZ")}, "", "bob"},
        {ASSIGN_SKILL,
         {.category = STR("french"), .tags = {quizzes, 1}},
         "",
         "bob"}, /* one each: the freer */
        {ASSIGN_SKILL, {.category = STR("french"), .tags = {tags, 2}}, "", "ann"},
        {ASSIGN_SKILL, {.category = STR("quiz"), .tags = {quizzes, 1}}, "bob", "cleo"},
        {ASSIGN_SKILL, {.tags = {other, 1}}, "", "cleo"}, /* nobody knows: the freest */
        {ASSIGN_SKILL, {.tags = {tags, 2}}, "ann", "cleo"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str got = picked(rows[i].policy, &rows[i].contact, str_z(rows[i].not_to));

        cr_expect(str_eq(got, str_z(rows[i].want)), "row %zu: " STR_FMT, i, STR_ARG(got));
    }
}

Test(assign, nobody_is_nobody)
{
    cr_expect_eq(assign_pick(ASSIGN_SKILL, team + 3, 4, &any, STR_NONE), ASSIGN_NOBODY);
    cr_expect_eq(assign_pick(ASSIGN_SKILL, NULL, 0, &any, STR_NONE), ASSIGN_NOBODY);
    cr_expect_eq(assign_pick(ASSIGN_LEAST_BUSY, team, 1, &any, STR("ann")), ASSIGN_NOBODY);
}

Test(assign, the_order_of_the_list_does_not_matter)
{
    struct agent turned[TEAM];

    for (int policy = 0; policy < ASSIGN_POLICIES; policy++)
        for (size_t by = 0; by < TEAM; by++) {
            size_t i;

            for (size_t k = 0; k < TEAM; k++)
                turned[k] = team[(k + by) % TEAM];
            i = assign_pick((enum assign_policy)policy, turned, TEAM, &any, STR_NONE);
            cr_expect(str_eq(turned[i].id, picked((enum assign_policy)policy, &any, STR_NONE)));
        }
}

Test(assign, counts_the_places)
{
    int64_t who;

    cr_expect_eq(assign_free_places(team, TEAM, &who), 3 + 8 + 2);
    cr_expect_eq(who, 4, "who is full is there, too");
    cr_expect_eq(assign_free_places(NULL, 0, &who), 0);
    cr_expect_eq(who, 0);
}

static uint64_t state = 3;

static uint64_t below(uint64_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % n;
}

/* By chance: agents come, go and fill up; contacts are given and end. */
Test(assign, never_gives_more_than_there_is_room_for)
{
    enum { N = 9 };
    struct agent a[N];
    char ids[N][16];

    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < N; i++) {
            snprintf(ids[i], sizeof ids[i], "a%d", i);
            a[i] = (struct agent){.id = str_z(ids[i]), .capacity = (int64_t)below(4)};
        }
        for (int step = 0; step < 200; step++) {
            struct agent *who = &a[below(N)];
            struct str not_to = below(3) ? STR_NONE : who->id;
            bool has_room = false;
            size_t i;

            who->online = below(4) > 0;
            who->available = below(4) > 0;
            if (who->slots.count && below(2)) who->slots.count--;
            i = assign_pick((enum assign_policy)below(ASSIGN_POLICIES), a, N, &any, not_to);
            for (int k = 0; k < N; k++)
                has_room |= assign_has_room(&a[k]) && !(not_to.n && str_eq(a[k].id, not_to));
            cr_assert_eq(i != ASSIGN_NOBODY, has_room);
            if (i == ASSIGN_NOBODY) continue;
            cr_assert(a[i].online && a[i].available && a[i].slots.count < a[i].capacity);
            cr_assert(!not_to.n || !str_eq(a[i].id, not_to));
            a[i].slots.count++;
            a[i].last_assigned_at = assign_stamp_ms(a, N, 1000);
        }
    }
}

/* All at one time, as after a night: nobody has two more than another. */
Test(assign, round_robin_goes_round)
{
    enum { N = 7 };
    struct agent a[N];
    char ids[N][16];

    for (int i = 0; i < N; i++) {
        snprintf(ids[i], sizeof ids[i], "a%d", i);
        a[i] = (struct agent){.id = str_z(ids[i]),
                              .online = true,
                              .available = true,
                              .capacity = 1000,
                              .last_assigned_at = (int64_t)below(3)};
    }
    for (int step = 0; step < 1000; step++) {
        size_t i = assign_pick(ASSIGN_ROUND_ROBIN, a, N, &any, STR_NONE);
        unsigned least = UINT32_MAX, most = 0;

        a[i].slots.count++;
        a[i].last_assigned_at =
            assign_stamp_ms(a, N, 5000 + step / 50); /* many in one millisecond */
        for (int k = 0; k < N; k++) {
            least = a[k].slots.count < least ? a[k].slots.count : least;
            most = a[k].slots.count > most ? a[k].slots.count : most;
        }
        cr_assert_leq(most - least, 1, "step %d", step);
    }
}

Test(assign, knows_the_names_of_its_policies)
{
    enum assign_policy p = ASSIGN_SKILL;

    cr_expect(assign_policy_of(STR("round_robin"), &p) && p == ASSIGN_ROUND_ROBIN);
    cr_expect(assign_policy_of(STR("least_busy"), &p) && p == ASSIGN_LEAST_BUSY);
    cr_expect(assign_policy_of(STR("skill"), &p) && p == ASSIGN_SKILL);
    cr_expect_not(assign_policy_of(STR("random"), &p));
}
