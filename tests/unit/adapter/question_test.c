/* Questions of other servers: what reaches the handler, what goes back, and what comes too late. */
#include <criterion/criterion.h>
#include <stdio.h>
#include "adapter/question.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/metric.h"

static struct loop *loop;
static struct request_table *table;
static struct sb sent, told;
static struct adapter_question *held;
static uint64_t held_ms;
static const char *sockets;

static const char *const names[] = {
    [WIRE_FETCH_ANSWER] = "fetch-answer", [WIRE_EMIT_ANSWER] = "emit-answer",
    [WIRE_CAST_COUNT] = "count",          [WIRE_CAST_ANSWER] = "ack",
    [WIRE_ROOMS_ANSWER] = "rooms-answer", [WIRE_SOCKETS_ANSWER] = "sockets-answer",
};

static int wire(void *ctx, const struct wire *w)
{
    (void)ctx;
    sb_printf(&sent, "%s " STR_FMT " " STR_FMT " " STR_FMT, names[w->type], STR_ARG(w->nsp),
              STR_ARG(w->to), STR_ARG(w->request_id));
    if (w->type == WIRE_CAST_COUNT) sb_printf(&sent, " %u", w->count);
    if (w->json.n) sb_printf(&sent, " " STR_FMT, STR_ARG(w->json));
    sb_char(&sent, ';');
    return OK;
}

static void on_cast_ack(void *ctx, const struct adapter_cast *c, uint64_t timeout_ms,
                        struct adapter_question *q)
{
    (void)ctx;
    sb_printf(&told, "cast " STR_FMT ";", STR_ARG(c->array));
    held = q;
    held_ms = timeout_ms;
}

static void on_server_emit(void *ctx, struct str nsp, struct str array, struct adapter_question *q)
{
    (void)ctx;
    sb_printf(&told, "emit " STR_FMT " " STR_FMT ";", STR_ARG(nsp), STR_ARG(array));
    held = q;
}

static void on_join(void *ctx, const struct adapter_target *t, const struct str *rooms,
                    unsigned count)
{
    (void)ctx;
    sb_printf(&told, "join " STR_FMT " %u;", STR_ARG(t->nsp), count);
    (void)rooms;
}

static void on_fetch(void *ctx, const struct adapter_target *t, struct sb *out)
{
    (void)ctx;
    sb_printf(&told, "fetch " STR_FMT " %u;", STR_ARG(t->nsp), t->rooms_count);
    sb_z(out, sockets);
}

static void open_with(bool has_handler)
{
    struct adapter_handler h = {0};

    if (has_handler)
        h = (struct adapter_handler){.on_cast_ack = on_cast_ack,
                                     .on_server_emit = on_server_emit,
                                     .on_join = on_join,
                                     .on_fetch = on_fetch};
    table = request_table_new(&(struct request_conf){.loop = loop, .wire = wire, .handler = h});
}

static void up(void)
{
    clock_freeze(1000000, 1795397279711);
    loop = loop_new();
    sockets = "[{\"id\":\"s1\",\"rooms\":[\"s1\",\"a\"]}]";
    open_with(true);
}

static void down(void)
{
    request_table_free(table);
    loop_turn(loop, false);
    loop_free(loop);
    sb_fini(&sent);
    sb_fini(&told);
}

TestSuite(question, .init = up, .fini = down);

static void hear(enum wire_type type, const char *uid, const char *request_id, uint64_t timeout_ms)
{
    static const struct str room[] = {STR("s1")};

    request_receive(table,
                    &(struct wire){.type = type,
                                   .uid = str_z(uid),
                                   .nsp = STR("/"),
                                   .request_id = str_z(request_id),
                                   .timeout_ms = timeout_ms,
                                   .json = STR("[\"e\",1]"),
                                   .cast = {.nsp = STR("/"), .array = STR("[\"x\"]")},
                                   .target = {.nsp = STR("/"), .rooms = room, .rooms_count = 1},
                                   .rooms = room,
                                   .rooms_count = 1});
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

static void pass(uint64_t ms)
{
    clock_advance(ms);
    loop_turn(loop, false);
    loop_turn(loop, false);
}

Test(question, a_cast_is_answered_by_a_count_and_acks)
{
    hear(WIRE_CAST, "u1", "q1", 800);
    cr_expect_str_eq(take(&told), "cast [\"x\"];");
    cr_expect_eq(held_ms, 800);
    cr_expect_eq(request_table_size(table), 1);
    adapter_answer_count(held, 2);
    adapter_answer_count(held, 9); /* once */
    adapter_answer(held, STR("1"), NULL, 0);
    adapter_answer(held, STR_NONE, NULL, 0);
    adapter_answer_end(held);
    cr_expect_str_eq(take(&sent), "count / u1 q1 2;ack / u1 q1 1;ack / u1 q1;");
    cr_expect_eq(request_table_size(table), 0);
}

Test(question, an_emit_is_answered_once)
{
    hear(WIRE_EMIT, "u1", "q1", 0);
    adapter_answer(held, STR("{}"), NULL, 0);
    adapter_answer(held, STR("2"), NULL, 0);
    adapter_answer_count(held, 1); /* not for this one */
    adapter_answer_end(held);
    cr_expect_str_eq(take(&sent), "emit-answer / u1 q1 {};");
    hear(WIRE_EMIT, "emitter", NULL, 0);
    cr_expect_null(held);
    cr_expect_str_eq(take(&told), "emit / [\"e\",1];emit / [\"e\",1];");
}

Test(question, what_comes_after_the_deadline_goes_nowhere)
{
    static const struct {
        uint64_t asked_ms, want_ms;
    } rows[] = {{800, 800}, {0, REQUEST_TIMEOUT_MS}, {UINT64_MAX, REQUEST_TIMEOUT_MAX_MS}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hear(WIRE_CAST, "u1", "q1", rows[i].asked_ms);
        pass(rows[i].want_ms - 10);
        cr_expect_eq(request_table_size(table), 1, "row %zu", i);
        pass(20);
        cr_expect_eq(request_table_size(table), 0, "row %zu", i);
        adapter_answer_count(held, 1);
        adapter_answer(held, STR("1"), NULL, 0);
        cr_expect_str_eq(take(&sent), "", "row %zu", i);
        adapter_answer_end(held);
    }
}

Test(question, closing_frees_the_table_and_leaves_the_holder_safe)
{
    struct adapter_question *first;

    hear(WIRE_CAST, "u1", "q1", 800);
    first = held;
    hear(WIRE_EMIT, "u1", "q2", 0);
    cr_expect_eq(request_table_size(table), 2);
    request_table_close(table);
    adapter_answer_count(first, 1);
    adapter_answer_end(first);
    cr_expect_eq(request_table_size(table), 0);
    adapter_answer(held, STR("1"), NULL, 0);
    adapter_answer_end(held);
    hear(WIRE_EMIT, "u1", "q3", 0);
    cr_expect_eq(request_table_size(table), 0);
    cr_expect_str_eq(take(&sent), "");
}

Test(question, a_fetch_and_the_old_questions_are_answered_at_once)
{
    hear(WIRE_FETCH, "u1", "q1", 0);
    hear(WIRE_SOCKETS, "u1", "q2", 0);
    hear(WIRE_ROOMS, "u1", "q3", 0);
    cr_expect_str_eq(take(&told), "fetch / 1;fetch / 1;fetch / 0;");
    cr_expect_str_eq(take(&sent),
                     "fetch-answer / u1 q1 [{\"id\":\"s1\",\"rooms\":[\"s1\",\"a\"]}];"
                     "sockets-answer / u1 q2 [\"s1\"];rooms-answer / u1 q3 [\"s1\",\"a\"];");
    cr_expect_eq(metric_get(M_REQUESTS_SERVED), 3);
}

Test(question, an_old_order_is_confirmed_by_the_node_that_has_the_socket)
{
    hear(WIRE_JOIN, NULL, "q1", 0);
    cr_expect_str_eq(take(&sent), "sockets-answer /  q1;");
    sockets = "[]";
    hear(WIRE_JOIN, NULL, "q2", 0);
    cr_expect_str_eq(take(&sent), "");
    cr_expect_str_eq(take(&told), "fetch / 1;join / 1;fetch / 1;join / 1;");
    hear(WIRE_JOIN, "u1", NULL, 0);
    hear(WIRE_LEAVE, "u1", NULL, 0); /* nobody handles it: a program without sockets */
    hear(WIRE_DISCONNECT, "u1", NULL, 0);
    cr_expect_str_eq(take(&told), "join / 1;");
}

Test(question, a_program_without_sockets_answers_with_nothing)
{
    request_table_free(table);
    open_with(false);
    hear(WIRE_CAST, "u1", "q1", 800);
    hear(WIRE_FETCH, "u1", "q2", 0);
    hear(WIRE_EMIT, "u1", "q3", 0);
    hear(WIRE_JOIN, "u1", NULL, 0);
    cr_expect_str_eq(take(&sent), "count / u1 q1 0;fetch-answer / u1 q2 [];");
    cr_expect_eq(request_table_size(table), 0);
}

Test(question, names_that_are_too_long_are_garbage)
{
    char name[80];

    memset(name, 'x', sizeof name);
    name[79] = 0;
    hear(WIRE_EMIT, name, "q1", 0);
    hear(WIRE_FETCH, "u1", name, 0);
    cr_expect_str_eq(take(&told), "");
    cr_expect_eq(metric_get(M_REDIS_GARBAGE), 2);
}
