/* Who waits for what, with answers of Redis made by hand. */
#include <criterion/criterion.h>
#include <hiredis/hiredis.h>
#include "adapter/redis/stream_gate_priv.h"
#include "tests/unit/support/hex.h"

static struct stream_gate g;
static struct sb passed;
static struct {
    redis_link_reply_fn *done;
    void *ctx;
} asked[STREAM_GATE_MAX + 8];
static unsigned asked_count;
static int ask_rc;

static int ask_end(void *ctx, redis_link_reply_fn *done, void *done_ctx)
{
    cr_assert_eq(ctx, &g);
    if (ask_rc != OK) return ask_rc;
    asked[asked_count].done = done;
    asked[asked_count++].ctx = done_ctx;
    return OK;
}

static void answer(unsigned i, int rc, const char *id)
{
    struct redisReply text = {.type = REDIS_REPLY_STRING}, fields = {.type = REDIS_REPLY_ARRAY},
                      entry = {.type = REDIS_REPLY_ARRAY, .elements = 2},
                      all = {.type = REDIS_REPLY_ARRAY};
    struct redisReply *in_entry[] = {&text, &fields}, *in_all[] = {&entry};
    char copy[32] = "";

    if (id) {
        strncat(copy, id, sizeof copy - 1);
        text.str = copy;
        text.len = strlen(copy);
        entry.element = in_entry;
        all.element = in_all;
        all.elements = 1;
    }
    asked[i].done(asked[i].ctx, rc, rc == OK ? &all : NULL);
}

static int on_pass_answer = -1; /* this answer comes while something passes */

static void on_passed(void *ctx, const void *owner, struct str payload)
{
    cr_assert_eq(ctx, &g);
    if (on_pass_answer >= 0) {
        unsigned i = (unsigned)on_pass_answer;

        on_pass_answer = -1;
        answer(i, ERR_UNAVAILABLE, NULL);
    }
    sb_printf(&passed, "%s:" STR_FMT " ", (const char *)owner, STR_ARG(payload));
}

static void set_up(void)
{
    g = (struct stream_gate){.ctx = &g, .ask_end = ask_end, .on_passed = on_passed};
    stream_gate_init(&g);
    stream_gate_open(&g, true, (struct streams_id){5, 0});
}

static void tear_down(void)
{
    stream_gate_fini(&g);
    sb_fini(&passed);
}

TestSuite(stream_gate, .init = set_up, .fini = tear_down);

static const char *all_passed(void)
{
    const char *text = to_z(&passed);

    passed.n = 0;
    return text;
}

Test(stream_gate, holds_a_publication_until_what_was_before_it_has_been_read)
{
    stream_gate_put(&g, "a", STR("1"));
    stream_gate_put(&g, "b", STR("2"));
    cr_expect_str_eq(all_passed(), "", "Redis is still asked");
    answer(0, OK, "6-1");
    answer(1, OK, "5-0");
    cr_expect_str_eq(all_passed(), "", "the second one waits for the first");
    stream_gate_open(&g, true, (struct streams_id){6, 0});
    cr_expect_str_eq(all_passed(), "");
    stream_gate_open(&g, true, (struct streams_id){6, 1});
    cr_expect_str_eq(all_passed(), "a:1 b:2 ");
}

Test(stream_gate, waits_for_nothing_where_nothing_is)
{
    stream_gate_put(&g, "a", STR("1"));
    answer(0, OK, NULL); /* an empty stream */
    cr_expect_str_eq(all_passed(), "a:1 ");
    stream_gate_put(&g, "a", STR("2"));
    answer(1, OK, "garbage");
    cr_expect_str_eq(all_passed(), "a:2 ");
    stream_gate_put(&g, "a", STR("3"));
    answer(2, ERR_TIMEOUT, NULL);
    cr_expect_str_eq(all_passed(), "a:3 ");
    ask_rc = ERR_UNAVAILABLE;
    stream_gate_put(&g, "a", STR(""));
    cr_expect_str_eq(all_passed(), "a: ");
}

Test(stream_gate, nobody_waits_for_a_reader_that_is_not_there)
{
    stream_gate_put(&g, "a", STR("1"));
    stream_gate_put(&g, "a", STR("2"));
    answer(0, OK, "9-9");
    stream_gate_open(&g, false, (struct streams_id){5, 0});
    cr_expect_str_eq(all_passed(), "a:1 a:2 ");
    stream_gate_put(&g, "a", STR("3"));
    cr_expect_str_eq(all_passed(), "a:3 ");
    cr_expect_eq(asked_count, 2);
    answer(1, OK, "9-9"); /* of one that has passed */
    cr_expect_str_eq(all_passed(), "");
}

/* As when the connection is closed by what passes. */
Test(stream_gate, an_answer_may_come_while_its_publication_passes)
{
    stream_gate_put(&g, "a", STR("1"));
    on_pass_answer = 0;
    stream_gate_open(&g, false, (struct streams_id){5, 0});
    cr_expect_str_eq(all_passed(), "a:1 ");
}

Test(stream_gate, what_waits_is_bounded)
{
    for (unsigned i = 0; i <= STREAM_GATE_MAX; i++)
        stream_gate_put(&g, "a", STR("1"));
    cr_expect_str_eq(all_passed(), "a:1 ");
    for (unsigned i = 0; i <= STREAM_GATE_MAX; i++)
        answer(i, OK, NULL);
}
