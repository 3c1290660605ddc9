/* Chunked bodies whatever way they are cut, and the bytes of an answer. */
#include <criterion/criterion.h>
#include "node/edge/http.h"

static int feed(const char *text, size_t step, size_t max, struct sb *out, size_t *unread)
{
    struct http_chunks c = {0};
    struct str all = str_z(text);
    int rc = ERR_AGAIN;

    while (all.n && rc == ERR_AGAIN) {
        struct str in = str_head(all, step);
        size_t before = in.n;

        rc = http_chunks_decode(&c, &in, max, out);
        all = str_skip(all, before - in.n);
    }
    *unread = all.n;
    return rc;
}

Test(http_chunks_decode, joins_chunks_whatever_way_they_arrive)
{
    const char *text = "5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nTrailer: x\r\n\r\nNEXT";

    for (size_t step = 1; step < strlen(text); step++) {
        struct sb out = {0};
        size_t unread;

        cr_expect_eq(feed(text, step, 100, &out, &unread), OK, "step %zu", step);
        cr_expect(str_eq(sb_view(&out), STR("hello world")), "step %zu", step);
        cr_expect_eq(unread, 4, "step %zu", step);
        sb_fini(&out);
    }
}

Test(http_chunks_decode, refuses_malformed_and_too_big)
{
    static const struct {
        const char *text;
        int want;
    } rows[] = {
        {"\r\n", ERR_PROTO},
        {"g\r\n", ERR_PROTO},
        {"-1\r\n", ERR_PROTO},
        {"5\nhello", ERR_PROTO},
        {"5\r\nhelloX", ERR_PROTO},
        {"1234567890abcdef0\r\n", ERR_PROTO},
        {"b\r\nhello world\r\n", ERR_TOO_BIG},
        {"5\r\nhello\r\n6\r\n world\r\n", ERR_TOO_BIG},
        {"0\r\nA: b\n", ERR_PROTO},
        {"5\r\nhel", ERR_AGAIN},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sb out = {0};
        size_t unread;

        cr_expect_eq(feed(rows[i].text, 1000, 10, &out, &unread), rows[i].want, "row %zu", i);
        sb_fini(&out);
    }
}

Test(http_reply_encode, writes_length_and_connection)
{
    struct http_reply r = {.status = 200,
                           .content_type = STR("text/html"),
                           .headers = STR("A: b\r\n"),
                           .body = STR("ok")};
    struct buf *b = http_reply_encode(&r, true, false);

    cr_expect(str_eq(buf_body(b),
                     STR("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n"
                         "A: b\r\nConnection: keep-alive\r\n\r\nok")));
    buf_unref(b);
}
