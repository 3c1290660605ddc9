/* Shared buffers and their queue. */
#include <criterion/criterion.h>
#include "base/buf.h"
#include "base/mem.h"

static uint64_t live(void)
{
    uint64_t count, bytes;

    buf_stats(&count, &bytes);
    return count;
}

static struct buf *numbered(unsigned i)
{
    return buf_text(str_of(&i, sizeof i));
}

static unsigned number_of(const struct buf *b)
{
    unsigned i;

    cr_assert_eq(buf_body(b).n, sizeof i);
    memcpy(&i, buf_body(b).p, sizeof i);
    return i;
}

Test(buf, a_text_frame_has_header_and_body)
{
    struct buf *b = buf_text(STR("4hello"));

    cr_expect(str_eq(str_of(b->bytes, b->len), STR("\x81\x06"
                                                   "4hello")));
    cr_expect(str_eq(buf_body(b), STR("4hello")));
    cr_expect_eq(b->flags, BUF_COMPRESS);
    buf_unref(b);
    b = buf_binary(STR("\0\1"));
    cr_expect(str_eq(str_of(b->bytes, b->len), STR("\x82\x02\0\1")));
    cr_expect_eq(b->flags, BUF_COMPRESS | BUF_BINARY);
    buf_unref(b);
}

Test(buf, a_frame_joins_its_parts)
{
    const struct str parts[] = {STR("42[\"a\","), STR_NONE, STR("{}"), STR("]")};
    struct buf *b = buf_frame(1, parts, 4);

    cr_expect(str_eq(buf_body(b), STR("42[\"a\",{}]")));
    cr_expect_eq(b->flags, 0);
    buf_unref(b);
    b = buf_frame(9, NULL, 0);
    cr_expect(str_eq(str_of(b->bytes, b->len), STR("\x89\x00")));
    cr_expect_eq(b->flags, BUF_RAW);
    buf_unref(b);
}

Test(buf, the_header_grows_with_the_length)
{
    static const struct {
        size_t n;
        struct str head;
    } rows[] = {
        {0, STR("\x81\x00")},
        {125, STR("\x81\x7d")},
        {126, STR("\x81\x7e\x00\x7e")},
        {65535, STR("\x81\x7e\xff\xff")},
        {65536, STR("\x81\x7f\0\0\0\0\0\x01\0\0")},
        {16777216, STR("\x81\x7f\0\0\0\0\x01\0\0\0")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *body = mem_new(1, rows[i].n);
        struct buf *b = buf_text(str_of(body, rows[i].n));

        cr_expect(str_eq(str_of(b->bytes, b->head), rows[i].head), "row %zu", i);
        cr_expect_eq(b->len, rows[i].n + rows[i].head.n, "row %zu", i);
        buf_unref(b);
        mem_free(body);
    }
}

Test(buf, lives_until_the_last_reference_goes)
{
    struct buf *b = buf_text(STR("x"));
    uint64_t count, bytes;

    buf_ref(b);
    buf_unref(b);
    buf_stats(&count, &bytes);
    cr_expect_eq(count, 1);
    cr_expect_eq(bytes, 3);
    buf_unref(b);
    buf_stats(&count, &bytes);
    cr_expect_eq(count, 0);
    cr_expect_eq(bytes, 0);
}

Test(buf_queue, gives_back_in_order)
{
    struct buf_queue q = {0};
    unsigned in = 0, out = 0;

    cr_expect_null(buf_queue_peek(&q));
    cr_expect_null(buf_queue_shift(&q));
    for (unsigned round = 1; round < 60; round++) { /* ever longer waves over the chunk borders */
        for (unsigned i = 0; i < round; i++)
            buf_queue_push(&q, numbered(in++));
        for (unsigned i = 0; i < round - (round % 3 == 0); i++) {
            struct buf *peeked = buf_queue_peek(&q), *b = buf_queue_shift(&q);

            cr_assert_eq(peeked, b);
            cr_assert_eq(number_of(b), out++);
            buf_unref(b);
        }
        cr_assert_eq(q.count, in - out);
        cr_assert_eq(q.bytes, (in - out) * 6);
    }
    buf_queue_clear(&q);
    cr_expect_eq(live(), 0);
    buf_pool_trim();
}

Test(buf_queue, owns_nothing_when_empty)
{
    struct buf_queue q = {0};

    for (unsigned i = 0; i < 14; i++)
        buf_queue_push(&q, numbered(i));
    while (q.count)
        buf_unref(buf_queue_shift(&q));
    cr_expect_null(q.first);
    cr_expect_null(q.last);
    cr_expect_eq(q.bytes, 0);
    buf_queue_push(&q, numbered(1));
    buf_queue_clear(&q);
    cr_expect_null(q.first);
    cr_expect_eq(live(), 0);
    buf_pool_trim(); /* the leak check sees every chunk that is neither pooled nor freed */
}

Test(buf_queue, moves_all_of_another)
{
    for (unsigned a = 0; a < 32; a += 7) {
        for (unsigned b = 0; b < 32; b += 7) {
            struct buf_queue to = {0}, from = {0};

            for (unsigned i = 0; i < a; i++)
                buf_queue_push(&to, numbered(i));
            for (unsigned i = 0; i < b; i++)
                buf_queue_push(&from, numbered(a + i));
            buf_queue_move(&to, &from);
            cr_expect_eq(from.count, 0);
            cr_expect_null(from.first);
            cr_expect_eq(to.count, a + b);
            cr_expect_eq(to.bytes, (a + b) * 6);
            for (unsigned i = 0; i < a + b; i++) {
                struct buf *got = buf_queue_shift(&to);

                cr_assert_eq(number_of(got), i);
                buf_unref(got);
            }
        }
    }
    cr_expect_eq(live(), 0);
    buf_pool_trim();
}

Test(buf_walk, sees_all_and_takes_none)
{
    for (unsigned skipped = 0; skipped < 20; skipped++) {
        for (unsigned n = 0; n < 45; n++) {
            struct buf_queue q = {0};
            struct buf_walk w;
            unsigned seen = 0;

            for (unsigned i = 0; i < skipped + n; i++)
                buf_queue_push(&q, numbered(i));
            for (unsigned i = 0; i < skipped; i++)
                buf_unref(buf_queue_shift(&q));
            buf_walk_start(&q, &w);
            for (struct buf *b = buf_walk_next(&q, &w); b; b = buf_walk_next(&q, &w)) {
                cr_assert_eq(number_of(b), skipped + seen++);
            }
            cr_assert_eq(seen, n, "%u skipped of %u", skipped, skipped + n);
            cr_assert_null(buf_walk_next(&q, &w));
            cr_assert_eq(q.count, n);
            buf_queue_clear(&q);
        }
    }
    buf_pool_trim();
}
