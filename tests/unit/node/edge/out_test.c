/* Output under pressure: a slow reader gets every frame whole and in order, and nobody else waits
 * for it. */
#include <stdio.h>
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

TestSuite(out, .init = set_up, .fini = tear_down);

#define FRAMES 4000
#define FRAME_BYTES 4096

static void queue_frame(int i)
{
    char text[FRAME_BYTES];

    memset(text, 'a' + i % 26, sizeof text);
    (void)snprintf(text, 9, "%08d", i);
    pipe_send(f.pipe, buf_text(str_of(text, sizeof text)));
}

Test(out, a_slow_reader_gets_every_frame_whole_and_in_order)
{
    size_t frame = 4 + FRAME_BYTES;
    char want[16];

    for (int i = 0; i < FRAMES; i++)
        queue_frame(i);
    loop_turn(f.loop, false);
    cr_expect_gt(pipe_queued(f.pipe), 0, "the peer has not read anything");
    (void)snprintf(want, sizeof want, "%08d", FRAMES - 1);
    cr_assert(edge_fixture_await(&f, want));
    while (f.got.n < FRAMES * frame)
        cr_assert(edge_fixture_await(&f, "z"));
    for (int i = 0; i < FRAMES; i++) {
        const char *at = f.got.p + (size_t)i * frame;

        (void)snprintf(want, sizeof want, "%08d", i);
        cr_assert(at[0] == '\x81' && memcmp(at + 4, want, 8) == 0, "frame %d", i);
    }
    cr_expect_eq(pipe_queued(f.pipe), 0);
}

Test(out, frames_are_freed_when_the_peer_goes_away)
{
    uint64_t count, bytes;

    for (int i = 0; i < FRAMES; i++)
        queue_frame(i);
    loop_turn(f.loop, false);
    edge_fixture_connect(&f);
    cr_assert(edge_fixture_await_log(&f, "gone 0;"));
    loop_turn(f.loop, false);
    buf_stats(&count, &bytes);
    cr_expect_eq(count, 0);
}
