/* What is written over, and what is left alone. Needs redis-server. */
#include "adapter/session.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include "tests/unit/support/adapter_fixture.h"

#define KEY "sio:session:P2345678901234567890"
#define PID STR("P2345678901234567890")
#define SAY(...)                                                                                   \
    redis_fixture_say(&f.redis, (const struct str[]){__VA_ARGS__},                                 \
                      sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str))

static struct adapter_fixture f;

static const char *stored(void)
{
    return SAY(STR("GET"), STR(KEY));
}

static void put(const char *who, struct session_mark *mark)
{
    struct session s = {
        .sid = STR("S2345678901234567890"), .pid = PID, .who = str_z(who), .has_who = true};

    session_put(f.nodes[0].adapter, &s, 60000, mark);
}

/* Redis has carried out all that was said before. */
static void settle(void)
{
    static struct adapter_script look = {.name = "look", .text = "return 'done'"};

    f.nodes[0].answers = 0;
    for (unsigned i = 1; i <= 2; i++) { /* a script that is new runs behind those that are not */
        adapter_eval(f.nodes[0].adapter, &look, NULL, 0, NULL, 0, adapter_fixture_done,
                     &f.nodes[0]);
        cr_assert(adapter_fixture_await(&f, &f.nodes[0].answers, i, 5000));
    }
}

static bool open(void)
{
    if (!adapter_fixture_open_with(&f, "redis-streams")) return false;
    f.conf.recovery_ms = 60000;
    adapter_fixture_join(&f, 0, "/");
    cr_assert(adapter_fixture_await_all(&f, 1));
    return true;
}

#define NOTHING "$-1\r\n"
#define OPEN()                                                                                     \
    if (!open()) cr_skip_test("redis-server is not installed")

Test(session_put, writes_over_its_own_and_nobody_elses)
{
    struct session_mark mine = {0}, other = {0};
    char before[512];

    OPEN();
    put("a", &mine);
    put("b", &mine);
    settle();
    snprintf(before, sizeof before, "%s", stored());
    cr_expect_str_neq(before, NOTHING);
    cr_expect_eq(SAY(STR("PTTL"), STR(KEY))[0], ':');
    put("c", &other); /* came back on another node */
    settle();
    cr_expect_str_neq(stored(), before);
    snprintf(before, sizeof before, "%s", stored());
    put("d", &mine);
    session_drop(f.nodes[0].adapter, PID, &mine);
    settle();
    cr_expect_str_eq(stored(), before, "the old one is late");
    session_drop(f.nodes[0].adapter, PID, &other);
    settle();
    cr_expect_str_eq(stored(), NOTHING);
    adapter_fixture_close(&f);
}

Test(session_put, does_not_bring_back_what_somebody_took)
{
    struct session_mark mine = {0};

    OPEN();
    put("a", &mine);
    settle();
    SAY(STR("DEL"), STR(KEY));
    put("b", &mine);
    settle();
    cr_expect_str_eq(stored(), NOTHING);
    mine.connects--; /* Redis was away meanwhile: it may have lost it */
    put("c", &mine);
    settle();
    cr_expect_str_neq(stored(), NOTHING);
    adapter_fixture_close(&f);
}

Test(session_drop, does_nothing_before_anything_was_written)
{
    struct session_mark mine = {0}, none = {0};

    OPEN();
    put("a", &mine);
    session_drop(f.nodes[0].adapter, PID, &none);
    settle();
    cr_expect_str_neq(stored(), NOTHING);
    adapter_fixture_close(&f);
}

Test(session_is_pid, knows_the_ids_that_servers_make)
{
    static const struct {
        const char *pid;
        bool want;
    } rows[] = {
        {"P2345678901234567890", true},
        {"AZaz09-_AZaz09-_AZaz", true},
        {"", false},
        {"P234567890123456789", false},
        {"P23456789012345678901", false},
        {"P234567890123456789*", false},
        {"P234567890123456789 ", false},
        {"P234567890123456789\x80", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(session_is_pid(str_z(rows[i].pid)), rows[i].want, "row %zu", i);
}
