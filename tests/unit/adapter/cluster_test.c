/* Membership by beats, with time moved by hand. */
#include <criterion/criterion.h>
#include <stdio.h>
#include "adapter/cluster.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/metric.h"
#include "tests/unit/support/hex.h"

enum { BEAT = 1000, DEAD = 4000 };

static struct loop *loop;
static struct cluster *cluster;
static struct sb said; /* "say HELLO;" "tell n002 BEAT;" "up n002;" "down n002;" "return;" */

static void on_say(void *ctx, struct str bytes)
{
    struct message m;

    (void)ctx;
    cr_assert_eq(message_decode(bytes, &m), OK);
    sb_printf(&said, "say %s;", message_name(m.kind));
}

static void on_tell(void *ctx, struct str node, struct str bytes)
{
    struct message m;

    (void)ctx;
    cr_assert_eq(message_decode(bytes, &m), OK);
    sb_printf(&said, "tell " STR_FMT " %s;", STR_ARG(node), message_name(m.kind));
}

static void on_up(void *ctx, struct str node)
{
    (void)ctx;
    sb_printf(&said, "up " STR_FMT ";", STR_ARG(node));
}

static void on_down(void *ctx, struct str node)
{
    (void)ctx;
    sb_printf(&said, "down " STR_FMT ";", STR_ARG(node));
}

static void on_return(void *ctx)
{
    (void)ctx;
    sb_z(&said, "return;");
}

static void expect_said(const char *want)
{
    cr_expect_str_eq(to_z(&said), want);
    said.n = 0;
}

static void hear(enum message_kind kind, const char *from, uint64_t instance)
{
    struct message m = {.kind = kind, .from = str_z(from)};

    if (kind == MESSAGE_BYE)
        m.bye.instance = instance;
    else if (kind == MESSAGE_LOST)
        m.lost = (struct message_lost){cluster_instance(cluster), instance};
    else
        m.beat = (struct message_beat){instance, STR("x")}; /* HELLO has the same fields */
    cluster_receive(cluster, &m);
}

static void pass(unsigned ms) /* in small steps, as a loop that lives */
{
    for (unsigned i = 0; i < ms; i += 100) {
        clock_advance(100);
        loop_turn(loop, false);
    }
}

static void start(void)
{
    struct cluster_conf c = {.node_id = STR("n001"),
                             .name = STR("web"),
                             .beat_ms = BEAT,
                             .dead_ms = DEAD,
                             .say = on_say,
                             .tell = on_tell,
                             .on_up = on_up,
                             .on_down = on_down,
                             .on_return = on_return};

    clock_freeze(100000, 0);
    loop = loop_new();
    c.loop = loop;
    cluster = cluster_new(&c);
    cluster_connected(cluster, true);
    expect_said("say HELLO;");
}

static void stop(void)
{
    cluster_free(cluster);
    loop_free(loop);
    sb_fini(&said);
}

Test(cluster, answers_a_hello_to_its_sender_alone, .init = start, .fini = stop)
{
    hear(MESSAGE_HELLO, "n002", 2);
    expect_said("tell n002 BEAT;up n002;");
    hear(MESSAGE_HELLO, "n002", 2);
    expect_said("tell n002 BEAT;");
    cr_expect_eq(cluster_count(cluster), 2);
    cr_expect_eq(metric_get(M_NODES), 2);
    cr_expect(cluster_is_alive(cluster, STR("n002")));
    cr_expect(cluster_is_alive(cluster, STR("n001")));
    cr_expect_not(cluster_is_alive(cluster, STR("n003")));
}

Test(cluster, beats_in_time, .init = start, .fini = stop)
{
    pass(BEAT - 100);
    expect_said("");
    pass(200);
    expect_said("say BEAT;");
    pass(3 * BEAT);
    expect_said("say BEAT;say BEAT;say BEAT;");
}

Test(cluster, loses_who_is_silent_and_keeps_who_beats, .init = start, .fini = stop)
{
    hear(MESSAGE_BEAT, "n002", 2);
    hear(MESSAGE_BEAT, "n003", 3);
    expect_said("up n002;up n003;");
    for (int i = 0; i < 3; i++) {
        pass(BEAT);
        hear(MESSAGE_BEAT, "n003", 3);
    }
    said.n = 0;
    cr_expect_eq(cluster_count(cluster), 3, "one beat is left to n002");
    pass(BEAT + DEAD / 8);
    hear(MESSAGE_BEAT, "n003", 3);
    expect_said("say BEAT;down n002;");
    cr_expect_eq(cluster_count(cluster), 2);
    cr_expect_eq(metric_get(M_NODES_LOST), 1);
    hear(MESSAGE_BEAT, "n002", 2);
    expect_said("tell n002 LOST;up n002;");
}

Test(cluster, forgets_at_once_who_says_bye, .init = start, .fini = stop)
{
    hear(MESSAGE_BEAT, "n002", 2);
    hear(MESSAGE_BYE, "n002", 1); /* of the process before it: late */
    hear(MESSAGE_BYE, "n003", 3);
    expect_said("up n002;");
    hear(MESSAGE_BYE, "n002", 2);
    expect_said("down n002;");
    cr_expect_eq(metric_get(M_NODES_LOST), 0);
    cluster_bye(cluster);
    expect_said("say BYE;");
}

/* In a Redis Cluster a beat to us alone may come on another connection, behind the BYE. */
Test(cluster, is_not_talked_out_of_a_bye, .init = start, .fini = stop)
{
    hear(MESSAGE_BEAT, "n002", 2);
    hear(MESSAGE_BYE, "n002", 2);
    expect_said("up n002;down n002;");
    hear(MESSAGE_BEAT, "n002", 2);
    expect_said("");
    hear(MESSAGE_BYE, "n003", 3); /* before it was ever heard */
    hear(MESSAGE_BEAT, "n003", 3);
    expect_said("");
    hear(MESSAGE_BEAT, "n002", 4);
    expect_said("up n002;");
    for (uint64_t i = 100; i < 1100; i++) /* no more than it remembers */
        hear(MESSAGE_BYE, "n004", i);
    hear(MESSAGE_BEAT, "n004", 1099);
    expect_said("");
}

Test(cluster, tells_a_restarted_node_from_the_old_one, .init = start, .fini = stop)
{
    hear(MESSAGE_BEAT, "n002", 2);
    hear(MESSAGE_BEAT, "n002", 22);
    expect_said("up n002;down n002;up n002;");
}

Test(cluster, kills_nobody_for_its_own_sleep, .init = start, .fini = stop)
{
    hear(MESSAGE_BEAT, "n002", 2);
    said.n = 0;
    clock_advance(DEAD - 100); /* stopped: the beats wait in the socket */
    loop_turn(loop, false);
    expect_said("say BEAT;");
    pass(DEAD - DEAD / 8);
    cr_expect(cluster_is_alive(cluster, STR("n002")), "a fresh period");
    pass(DEAD / 4);
    cr_expect_not(cluster_is_alive(cluster, STR("n002")), "and no more than one");
}

Test(cluster, returns_as_a_new_instance_after_a_sleep_that_killed_it, .init = start, .fini = stop)
{
    uint64_t own = cluster_instance(cluster);
    struct message m = {.kind = MESSAGE_BEAT, .from = STR("n002"), .beat = {2, STR("x")}};
    struct message hello = {.kind = MESSAGE_HELLO, .from = STR("n001")};

    hear(MESSAGE_BEAT, "n002", 2);
    cr_expect_not(cluster_is_stale(cluster, &m));
    said.n = 0;
    clock_advance(DEAD);
    loop_turn(loop, false);
    expect_said("down n002;return;say HELLO;");
    cr_expect_neq(cluster_instance(cluster), own);
    cr_expect_eq(metric_get(M_NODES_LOST), 0);
    cr_expect_eq(metric_get(M_NODE_RETURNS), 1);
    cr_expect(cluster_is_stale(cluster, &m), "it waited in the socket");
    hello.hello.instance = own;
    cr_expect(cluster_is_stale(cluster, &hello), "so did its first HELLO");
    hello.hello.instance = cluster_instance(cluster);
    cr_expect(cluster_is_stale(cluster, &hello), "nobody needs its own HELLO");
    cr_expect_not(cluster_is_stale(cluster, &m), "what comes after it is new");
    hear(MESSAGE_BEAT, "n001", own);
    cr_expect_eq(metric_get(M_NODE_COLLISIONS), 0, "its own late beat is no rival");
    hear(MESSAGE_BEAT, "n002", 2);
    expect_said("up n002;");
}

Test(cluster, reads_again_when_its_hello_does_not_come_back, .init = start, .fini = stop)
{
    struct message m = {.kind = MESSAGE_PIPE, .from = STR("n002"), .pipe = {STR("x")}};

    clock_advance(DEAD);
    loop_turn(loop, false);
    cr_expect(cluster_is_stale(cluster, &m));
    pass(BEAT + 100);
    cr_expect_not(cluster_is_stale(cluster, &m));
}

Test(cluster, sleeps_unnoticed_while_it_hears_nothing, .init = start, .fini = stop)
{
    uint64_t own = cluster_instance(cluster);

    cluster_connected(cluster, false);
    said.n = 0;
    clock_advance(2 * DEAD);
    loop_turn(loop, false);
    expect_said("");
    cluster_connected(cluster, true);
    expect_said("say HELLO;");
    cr_expect_eq(cluster_instance(cluster), own, "who gave it up will say so");
}

Test(cluster, tells_who_is_heard_again_that_it_was_given_up, .init = start, .fini = stop)
{
    hear(MESSAGE_BEAT, "n002", 2);
    hear(MESSAGE_BEAT, "n003", 3);
    pass(DEAD + DEAD / 8);
    cr_expect(cluster_is_lost(cluster, STR("n002")));
    cr_expect_not(cluster_is_alive(cluster, STR("n002")));
    cr_expect_not(cluster_is_lost(cluster, STR("n004")), "unknown is not lost");
    said.n = 0;
    hear(MESSAGE_BEAT, "n002", 2);
    expect_said("tell n002 LOST;up n002;");
    cr_expect_not(cluster_is_lost(cluster, STR("n002")));
    hear(MESSAGE_BEAT, "n003", 33); /* a new instance knows of nothing */
    expect_said("up n003;");
    cr_expect_not(cluster_is_lost(cluster, STR("n003")));
    hear(MESSAGE_BYE, "n002", 2);
    cr_expect_not(cluster_is_lost(cluster, STR("n002")), "who left is not silent");
}

Test(cluster, drops_what_it_had_with_one_that_gave_it_up, .init = start, .fini = stop)
{
    struct message m = {.kind = MESSAGE_LOST, .from = STR("n002")};

    hear(MESSAGE_BEAT, "n002", 2);
    said.n = 0;
    hear(MESSAGE_LOST, "n002", 2);
    expect_said("down n002;up n002;");
    cr_expect(cluster_is_alive(cluster, STR("n002")));
    cr_expect_eq(metric_get(M_NODE_RETURNS), 1);
    hear(MESSAGE_LOST, "n002", 1);                                    /* of a process before it */
    hear(MESSAGE_LOST, "n004", 4);                                    /* nothing was between us */
    hear(MESSAGE_LOST, "n001", 1);                                    /* of the own id */
    m.lost = (struct message_lost){cluster_instance(cluster) + 1, 2}; /* to the process before us */
    cluster_receive(cluster, &m);
    expect_said("");
    cr_expect_eq(metric_get(M_NODE_RETURNS), 1);
}

Test(cluster, remembers_a_bounded_number_of_lost_ones, .init = start, .fini = stop)
{
    unsigned lost = 0;
    char id[8];

    for (unsigned i = 0; i < 1100; i++) {
        snprintf(id, sizeof id, "%04u", i);
        hear(MESSAGE_BEAT, id, 1);
    }
    pass(DEAD + DEAD / 8);
    cr_expect_eq(cluster_count(cluster), 1);
    for (unsigned i = 0; i < 1100; i++) {
        snprintf(id, sizeof id, "%04u", i);
        lost += cluster_is_lost(cluster, str_of(id, 4));
    }
    cr_expect_eq(lost, 1024);
}

Test(cluster, judges_nobody_while_it_hears_nothing, .init = start, .fini = stop)
{
    hear(MESSAGE_BEAT, "n002", 2);
    cluster_connected(cluster, false);
    said.n = 0;
    pass(5 * DEAD);
    expect_said("");
    cluster_connected(cluster, true);
    expect_said("say HELLO;");
    pass(DEAD - DEAD / 8);
    cr_expect(cluster_is_alive(cluster, STR("n002")));
    pass(DEAD / 4);
    cr_expect_not(cluster_is_alive(cluster, STR("n002")));
}

Test(cluster, reports_a_second_node_with_its_own_id_once, .init = start, .fini = stop)
{
    uint64_t own = cluster_instance(cluster);

    hear(MESSAGE_BEAT, "n001", own); /* its own beat comes back */
    cr_expect_eq(metric_get(M_NODE_COLLISIONS), 0);
    hear(MESSAGE_BEAT, "n001", own + 1);
    hear(MESSAGE_HELLO, "n001", own + 1);
    hear(MESSAGE_BYE, "n001", own + 1);
    cr_expect_eq(metric_get(M_NODE_COLLISIONS), 1);
    cr_expect_eq(cluster_count(cluster), 1);
    expect_said("");
}

static void count_node(void *ctx, struct str node)
{
    cr_expect(str_starts(node, STR("n00")));
    ++*(unsigned *)ctx;
}

Test(cluster, walks_the_others, .init = start, .fini = stop)
{
    unsigned count = 0;

    hear(MESSAGE_BEAT, "n002", 2);
    hear(MESSAGE_BEAT, "n003", 2);
    cluster_each(cluster, count_node, &count);
    cr_expect_eq(count, 2);
}

Test(cluster, cuts_a_long_name_between_characters)
{
    struct cluster_conf c = {
        .node_id = STR("n001"), .beat_ms = BEAT, .dead_ms = DEAD, .say = on_say};
    struct sb name = {0};

    clock_freeze(1000, 0);
    sb_char(&name, 'x');
    for (int i = 0; i < 40; i++)
        sb_z(&name, "\xc3\xa9");
    c.loop = loop = loop_new();
    c.name = sb_view(&name);
    cluster = cluster_new(&c);
    cluster_connected(cluster, true); /* on_say decodes it: valid UTF-8 */
    sb_fini(&name);
    stop();
}
