/* Questions of this node, without any wire: what is sent and counted is written down, answers are
 * given by hand. */
#include <criterion/criterion.h>
#include <stdio.h>
#include "adapter/request.h"
#include "adapter/uid.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/metric.h"
#include "tests/unit/support/hex.h"

static struct loop *loop;
static struct request_table *table;
static char id[WIRE_ID_SIZE]; /* of the last question sent */
static struct sb sent, told;
static int wire_rc, count_rc;
static struct {
    void (*done)(void *ctx, int rc, unsigned count);
    void *ctx;
} counting;
static unsigned dones;
static struct adapter_result last;
static char missing[64];

static int wire(void *ctx, const struct wire *w)
{
    (void)ctx;
    if (wire_rc != OK) return wire_rc;
    sb_printf(&sent, "%d " STR_FMT " timeout=%u", w->type, STR_ARG(w->nsp),
              (unsigned)w->timeout_ms);
    if (w->request_id.n) memcpy(id, w->request_id.p, sizeof id);
    sb_z(&sent, w->request_id.n ? " asks;" : ";");
    return OK;
}

static int count(void *ctx, struct str nsp, void (*done)(void *ctx, int rc, unsigned count),
                 void *done_ctx)
{
    (void)ctx, (void)nsp;
    if (count_rc != OK) return count_rc;
    counting.done = done;
    counting.ctx = done_ctx;
    return OK;
}

static void each_node(void *ctx, void (*fn)(void *ctx, struct str node), void *fn_ctx)
{
    (void)ctx;
    fn(fn_ctx, STR("n001"));
    fn(fn_ctx, STR("n002"));
}

static void on_each(void *ctx, struct str json, const struct str *attachments, unsigned n)
{
    (void)ctx, (void)attachments, (void)n;
    sb_printf(&told, STR_FMT ";", STR_ARG(json));
}

static void on_count(void *ctx, unsigned clients)
{
    (void)ctx;
    sb_printf(&told, "count %u;", clients);
}

static void on_done(void *ctx, const struct adapter_result *r)
{
    struct sb names = {0};

    (void)ctx;
    dones++;
    last = *r;
    for (unsigned i = 0; i < r->missing_count; i++)
        sb_printf(&names, STR_FMT ",", STR_ARG(r->missing[i]));
    snprintf(missing, sizeof missing, STR_FMT, STR_ARG(sb_view(&names)));
    sb_fini(&names);
}

static void up(void)
{
    clock_freeze(1000000, 1795397279711);
    loop = loop_new();
    table = request_table_new(
        &(struct request_conf){.loop = loop, .wire = wire, .count = count, .each_node = each_node});
}

static void down(void)
{
    request_table_free(table);
    loop_turn(loop, false);
    loop_free(loop);
    sb_fini(&sent);
    sb_fini(&told);
}

TestSuite(request, .init = up, .fini = down);

static void ask(enum wire_type type, uint64_t timeout_ms)
{
    request_ask(
        table, &(struct wire){.type = type, .nsp = STR("/")},
        &(struct adapter_ask){
            .timeout_ms = timeout_ms, .each = on_each, .on_count = on_count, .done = on_done});
}

static void counted(unsigned servers)
{
    counting.done(counting.ctx, OK, servers);
}

static void hear(const char *uid, enum wire_type type, const char *json, unsigned n)
{
    request_receive(table, &(struct wire){.type = type,
                                          .uid = str_z(uid),
                                          .nsp = STR("/"),
                                          .request_id = str_of(id, sizeof id),
                                          .json = str_z(json),
                                          .count = n});
}

static void pass(uint64_t ms)
{
    clock_advance(ms);
    loop_turn(loop, false);
    loop_turn(loop, false);
}

static const char *take(struct sb *b)
{
    static char text[4][1000];
    static unsigned turn;
    char *out = text[turn++ % 4];

    snprintf(out, sizeof text[0], STR_FMT, STR_ARG(sb_view(b)));
    b->n = 0;
    return out;
}

Test(request, is_complete_with_as_many_answers_as_other_servers)
{
    ask(WIRE_FETCH, 700);
    cr_expect_str_eq(take(&sent), "4 / timeout=700 asks;");
    hear("n001aa", WIRE_FETCH_ANSWER, "[{\"id\":1},{\"id\":2}]", 0);
    cr_expect_str_eq(take(&told), "{\"id\":1};{\"id\":2};", "before the count is known");
    counted(3);
    cr_expect_eq(dones, 0);
    hear("peer-1", WIRE_FETCH_ANSWER, "[]", 0); /* of Node.js: 6 characters that are no node */
    cr_expect_eq(dones, 1);
    cr_expect_eq(last.rc, OK);
    cr_expect_eq(last.asked, 2);
    cr_expect_eq(last.answered, 2);
    cr_expect_eq(request_table_size(table), 0);
    hear("n002aa", WIRE_FETCH_ANSWER, "[{\"id\":3}]", 0);
    cr_expect_str_eq(take(&told), "", "late answers are nobody's");
    pass(10000);
    cr_expect_eq(dones, 1);
}

Test(request, counts_answers_without_a_name_and_none_twice_with_one)
{
    ask(WIRE_EMIT, 700);
    counted(4);
    hear("n001aa", WIRE_EMIT_ANSWER, "1", 0);
    hear("n001aa", WIRE_EMIT_ANSWER, "1", 0);
    hear(NULL, WIRE_EMIT_ANSWER, "2", 0);
    cr_expect_eq(dones, 0);
    hear(NULL, WIRE_EMIT_ANSWER, NULL, 0);
    cr_expect_eq(dones, 1);
    cr_expect_str_eq(take(&told), "1;2;null;");
}

Test(request, alone_it_is_complete_with_the_count)
{
    ask(WIRE_FETCH, 0);
    counted(1);
    cr_expect_eq(dones, 1);
    cr_expect_eq(last.rc, OK);
    ask(WIRE_FETCH, 0);
    counted(0); /* our own subscription is not there yet */
    cr_expect_eq(dones, 2);
    cr_expect_eq(last.rc, OK);
}

Test(request, takes_other_kinds_of_answers_for_none)
{
    ask(WIRE_FETCH, 700);
    counted(2);
    hear("n001aa", WIRE_EMIT_ANSWER, "1", 0);
    hear("n001aa", WIRE_CAST_COUNT, NULL, 1);
    hear("n001aa", WIRE_CAST_ANSWER, "1", 0);
    cr_expect_eq(dones, 0);
    cr_expect_str_eq(take(&told), "");
}

Test(request, ends_at_its_deadline_with_the_missing_named)
{
    ask(WIRE_EMIT, 700);
    counted(4);
    hear("n002aa", WIRE_EMIT_ANSWER, "2", 0);
    pass(690);
    cr_expect_eq(dones, 0);
    pass(20);
    cr_expect_eq(dones, 1);
    cr_expect_eq(last.rc, ERR_TIMEOUT);
    cr_expect_eq(last.asked, 3);
    cr_expect_eq(last.answered, 1);
    cr_expect_str_eq(missing, "n001,");
    ask(WIRE_EMIT, 0); /* the default */
    cr_expect_str_eq(take(&sent), "6 / timeout=700 asks;6 / timeout=5000 asks;");
    pass(4990);
    cr_expect_eq(dones, 1);
    pass(20);
    cr_expect_eq(dones, 2, "even when the count never comes");
    counted(4);
}

Test(request, a_cast_waits_for_counts_and_then_for_every_ack)
{
    ask(WIRE_CAST, 700);
    counted(3);
    hear("n001aa", WIRE_CAST_ANSWER, "\"early\"", 0); /* nobody announced it */
    hear("n001aa", WIRE_CAST_COUNT, NULL, 2);
    hear("n001aa", WIRE_CAST_COUNT, NULL, 2);
    hear(NULL, WIRE_CAST_COUNT, NULL, 1);
    hear("n001aa", WIRE_CAST_ANSWER, "1", 0);
    hear(NULL, WIRE_CAST_ANSWER, "2", 0);
    hear(NULL, WIRE_CAST_ANSWER, "again", 0);
    cr_expect_eq(dones, 0);
    hear("n001aa", WIRE_CAST_ANSWER, NULL, 0);
    cr_expect_eq(dones, 1);
    cr_expect_eq(last.rc, OK);
    cr_expect_str_eq(take(&told), "count 2;count 1;1;2;null;");
}

Test(request, a_dead_node_is_no_longer_waited_for)
{
    ask(WIRE_EMIT, 700);
    counted(3);
    hear("n001aa", WIRE_EMIT_ANSWER, "1", 0);
    request_node_down(table, STR("none"));
    cr_expect_eq(dones, 0);
    request_node_down(table, STR("n002"));
    cr_expect_eq(dones, 1);
    cr_expect_eq(last.rc, OK);
    cr_expect_eq(last.asked, 1);
}

Test(request, a_death_that_the_count_knew_already_ends_nothing_early)
{
    ask(WIRE_EMIT, 700);
    counted(2); /* n002 has gone, and only its last beat is remembered */
    request_node_down(table, STR("n002"));
    cr_expect_eq(dones, 0, "n001 lives and has not answered");
    hear("n001aa", WIRE_EMIT_ANSWER, "1", 0);
    cr_expect_eq(dones, 1);
    cr_expect_eq(last.rc, OK);
}

Test(request, a_dead_nodes_acks_are_not_waited_for)
{
    ask(WIRE_CAST, 700);
    counted(3);
    hear("n001aa", WIRE_CAST_COUNT, NULL, 0);
    hear("n002aa", WIRE_CAST_COUNT, NULL, 5);
    hear("n002aa", WIRE_CAST_ANSWER, "1", 0);
    cr_expect_eq(dones, 0);
    request_node_down(table, STR("n002"));
    cr_expect_eq(dones, 1);
    cr_expect_eq(last.rc, OK);
}

Test(request, without_the_cluster_it_fails_and_never_within_the_call)
{
    wire_rc = ERR_UNAVAILABLE;
    ask(WIRE_FETCH, 700);
    cr_expect_eq(dones, 0);
    loop_turn(loop, false);
    cr_expect_eq(dones, 1);
    cr_expect_eq(last.rc, ERR_UNAVAILABLE);
    counting.done(counting.ctx, ERR_UNAVAILABLE, 0); /* the count ends on its own */
    wire_rc = OK;
    count_rc = ERR_UNAVAILABLE;
    ask(WIRE_FETCH, 700);
    loop_turn(loop, false);
    cr_expect_eq(dones, 2);
    count_rc = OK;
    ask(WIRE_FETCH, 700);
    counting.done(counting.ctx, ERR_UNAVAILABLE, 0);
    cr_expect_eq(dones, 3);
    cr_expect_eq(last.rc, ERR_UNAVAILABLE);
    ask(WIRE_FETCH, 700);
    counted(3);
    request_lost(table);
    cr_expect_eq(dones, 4);
    cr_expect_eq(last.rc, ERR_UNAVAILABLE);
    cr_expect_eq(request_table_size(table), 0);
    cr_expect_eq(metric_get(M_REQUESTS_PARTIAL), 4);
}

Test(request, an_emit_without_answers_is_sent_and_forgotten)
{
    request_ask(table, &(struct wire){.type = WIRE_EMIT, .nsp = STR("/")}, NULL);
    cr_expect_str_eq(take(&sent), "6 / timeout=0;");
    cr_expect_eq(request_table_size(table), 0);
}

Test(request, closing_ends_what_is_open)
{
    ask(WIRE_FETCH, 700);
    ask(WIRE_EMIT, 700);
    counted(5);
    request_table_close(table);
    cr_expect_eq(dones, 2);
    cr_expect_eq(last.rc, ERR_UNAVAILABLE);
    cr_expect_eq(request_table_size(table), 0);
    ask(WIRE_FETCH, 700);
    loop_turn(loop, false);
    cr_expect_eq(dones, 3, "and nothing is asked any more");
}

static void ask_again(void *ctx, const struct adapter_result *r)
{
    (void)ctx, (void)r;
    if (++dones > 100) return;
    request_ask(table, &(struct wire){.type = WIRE_FETCH, .nsp = STR("/")},
                &(struct adapter_ask){.done = ask_again});
}

Test(request, who_asks_again_at_once_is_not_answered_in_the_same_turn)
{
    count_rc = ERR_UNAVAILABLE;
    ask_again(NULL, NULL);
    loop_turn(loop, false);
    cr_expect_eq(dones, 2);
    request_lost(table);
    cr_expect_eq(dones, 3);
    dones = 100; /* enough */
    request_table_close(table);
}
