/* WebSocket over a real connection: messages, control frames, every breach with its close code. */
#include <criterion/criterion.h>
#include "tests/unit/support/edge_fixture.h"

static struct edge_fixture f;

static void set_up(void)
{
    edge_fixture_open(&f);
    edge_fixture_upgrade(&f);
}

static void tear_down(void)
{
    edge_fixture_close(&f);
}

TestSuite(ws, .init = set_up, .fini = tear_down);

Test(ws, gives_whole_messages)
{
    edge_fixture_frame(&f, 0x81, STR("hello"));
    edge_fixture_frame(&f, 0x02, STR("ab"));
    edge_fixture_frame(&f, 0x00, STR("cd"));
    edge_fixture_frame(&f, 0x89, STR("between")); /* control frames may stand between fragments */
    edge_fixture_frame(&f, 0x80, STR("ef"));
    cr_assert(edge_fixture_await_log(&f, "binary"));
    cr_expect(str_eq(sb_view(&f.log), STR("text 5 hello;binary 6 abcdef;")));
    cr_expect(edge_fixture_await(&f, "\x8a\x07"
                                     "between"));
}

Test(ws, reads_a_message_byte_by_byte)
{
    static const char bytes[] = "\x81\x85\1\2\3\4"
                                "igohn";

    for (size_t i = 0; i < sizeof bytes - 1; i++)
        edge_fixture_write(&f, str_of(bytes + i, 1));
    cr_assert(edge_fixture_await_log(&f, "text 5 hello;"));
}

Test(ws, takes_a_large_message)
{
    struct sb big = {0};

    for (int i = 0; i < 900000; i++)
        sb_char(&big, 'x');
    edge_fixture_frame(&f, 0x81, sb_view(&big));
    cr_assert(edge_fixture_await_log(&f, "text 900000 xxxxx"));
    sb_fini(&big);
}

Test(ws, sends_what_is_queued_in_one_write)
{
    int64_t before = metric_get(M_WRITES);

    for (int i = 0; i < 5; i++)
        pipe_send(f.pipe, buf_text(STR("hi")));
    cr_assert(edge_fixture_await(&f, "\x81\x02hi\x81\x02hi\x81\x02hi\x81\x02hi\x81\x02hi"));
    cr_expect_eq(metric_get(M_WRITES) - before, 1);
}

Test(ws, closes_with_the_frames_before_it)
{
    pipe_send(f.pipe, buf_text(STR("last")));
    pipe_close(f.pipe, 0);
    cr_assert(edge_fixture_await(&f, "\x81\x04last\x88"));
    cr_expect(edge_fixture_await_end(&f));
    cr_expect(str_eq(sb_view(&f.log), STR("")), "on_gone does not follow an order to close");
}

Test(ws, answers_a_close_with_the_same_code)
{
    edge_fixture_frame(&f, 0x88,
                       STR("\x03\xe8"
                           "bye"));
    cr_expect(edge_fixture_await(&f, "\x88\x02\x03\xe8"));
    cr_expect(edge_fixture_await_log(&f, "gone 0;"));
    cr_expect(edge_fixture_await_end(&f));
}

Test(ws, closes_every_breach_with_its_code)
{
    static const struct {
        struct str bytes;
        const char *close;
    } rows[] = {
        {STR("\x81\x05hello"), "\x88\x02\x03\xea"},                    /* unmasked */
        {STR("\xc1\x80\1\2\3\4"), "\x88\x02\x03\xea"},                 /* RSV1 */
        {STR("\x80\x80\1\2\3\4"), "\x88\x02\x03\xea"},                 /* continuation of nothing */
        {STR("\x01\x80\1\2\3\4\x81\x80\1\2\3\4"), "\x88\x02\x03\xea"}, /* text within fragments */
        {STR("\x88\x81\1\2\3\4\0"), "\x88\x02\x03\xea"},               /* close with one byte */
        {STR("\x88\x82\0\0\0\0\x03\xed"), "\x88\x02\x03\xea"},         /* close 1005 */
        {STR("\x81\x81\0\0\0\0\xff"), "\x88\x02\x03\xef"},             /* bad UTF-8 */
        {STR("\x01\x81\0\0\0\0\xc2\x80\x81\0\0\0\0"
             "a"),
         "\x88\x02\x03\xef"},                                    /* the same over fragments */
        {STR("\x82\xff\x7f\0\0\0\0\0\0\0"), "\x88\x02\x03\xf1"}, /* too big by its header */
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        edge_fixture_upgrade(&f);
        edge_fixture_write(&f, rows[i].bytes);
        cr_expect(edge_fixture_await(&f, rows[i].close), "row %zu", i);
        cr_expect(edge_fixture_await_end(&f), "row %zu", i);
        cr_expect(str_contains(sb_view(&f.log), STR("gone 100")), "row %zu", i);
    }
    cr_expect_eq(metric_get(M_WS_PROTOCOL_ERRORS), sizeof rows / sizeof rows[0]);
}

Test(ws, bounds_fragments_and_control_floods)
{
    for (int i = 0; i < 101; i++)
        edge_fixture_frame(&f, i ? 0x00 : 0x01, STR(""));
    cr_expect(edge_fixture_await(&f, "\x88\x02\x03\xf0"));
    edge_fixture_upgrade(&f);
    for (int i = 0; i < 101; i++)
        edge_fixture_frame(&f, 0x8a, STR(""));
    cr_expect(edge_fixture_await(&f, "\x88\x02\x03\xf0"));
}

Test(ws, fragments_together_keep_the_limit)
{
    struct sb half = {0};

    for (int i = 0; i < 600000; i++)
        sb_char(&half, 'x');
    edge_fixture_frame(&f, 0x02, sb_view(&half));
    edge_fixture_frame(&f, 0x80, sb_view(&half));
    cr_expect(edge_fixture_await(&f, "\x88\x02\x03\xf1"));
    sb_fini(&half);
}
