/* Request heads: what is read, what is refused and with which status. */
#include <criterion/criterion.h>
#include "node/edge/http.h"

static const struct http_limits limits = {.head_bytes = 512, .headers = 8};

static int decode(const char *text, struct http_head *h, struct http_header *headers)
{
    size_t used = 0;

    return http_head_decode(str_z(text), &limits, headers, h, &used);
}

Test(http_head_decode, reads_a_polling_request)
{
    struct http_header headers[8];
    struct http_head h;
    size_t used;
    struct str bytes = STR("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n"
                           "Origin:  http://x \r\n\r\nrest");

    cr_assert_eq(http_head_decode(bytes, &limits, headers, &h, &used), OK);
    cr_expect_eq(used, bytes.n - 4);
    cr_expect_eq(h.request.method, HTTP_GET);
    cr_expect(str_eq(h.request.path, STR("/socket.io/")));
    cr_expect(str_eq(h.request.query, STR("EIO=4&transport=polling")));
    cr_expect(str_eq(http_header(&h.request, STR("origin")), STR("http://x")));
    cr_expect(h.keep_alive);
    cr_expect_not(h.request.has_body);
}

Test(http_head_decode, reads_a_body_announcement)
{
    static const struct {
        const char *text;
        bool has_body;
        uint64_t length;
    } rows[] = {
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", true, 5},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", true, 0},
        {"POST / HTTP/1.1\r\nHost: a\r\n\r\n", true, 0},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", true, UINT64_MAX},
        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", false, 0},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", true, 5},
    };
    struct http_header headers[8];
    struct http_head h;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert_eq(decode(rows[i].text, &h, headers), OK, "row %zu", i);
        cr_expect_eq(h.request.has_body, rows[i].has_body, "row %zu", i);
        cr_expect_eq(h.request.content_length, rows[i].length, "row %zu", i);
    }
}

Test(http_head_decode, waits_for_the_rest)
{
    const char *whole = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct http_header headers[8];
    struct http_head h;
    size_t used;

    for (size_t n = 0; n < strlen(whole); n++)
        cr_expect_eq(http_head_decode(str_of(whole, n), &limits, headers, &h, &used), ERR_AGAIN,
                     "%zu", n);
}

Test(http_head_decode, knows_a_valid_upgrade)
{
    struct http_header headers[8];
    struct http_head h;

    cr_assert_eq(
        decode("GET /socket.io/ HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: "
               "WebSocket\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
               "Sec-WebSocket-Protocol: chat, other\r\n\r\n",
               &h, headers),
        OK);
    cr_expect(h.request.is_upgrade);
    cr_expect(str_eq(h.ws_protocol, STR("chat")));
}

#define WS_HEAD "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"

Test(http_head_decode, refuses_what_could_be_read_in_two_ways)
{
    static const struct {
        const char *text;
        int status;
    } rows[] = {
        {"GET / HTTP/1.1\nHost: a\n\n", 400},
        {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        {"GET / FTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400}, /* no Host */
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: a\x02\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
        {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd", 400},
        {WS_HEAD "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         426},
        {WS_HEAD "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", 426},
        {WS_HEAD "Sec-WebSocket-Version: 13\r\n\r\n", 400},
        {WS_HEAD "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2hvcnQ=\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\n1: a\r\n2: a\r\n3: a\r\n4: a\r\n5: a\r\n6: a\r\n7: a\r\n8: "
         "a\r\n\r\n",
         431},
    };
    struct http_header headers[8];
    struct http_head h;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int rc = decode(rows[i].text, &h, headers);

        cr_expect(rc == ERR_PROTO || rc == ERR_TOO_BIG, "row %zu: %d", i, rc);
        cr_expect_eq(h.status, rows[i].status, "row %zu: %d", i, h.status);
    }
}

Test(http_head_decode, refuses_a_head_without_end)
{
    char text[600];
    struct http_header headers[8];
    struct http_head h;
    size_t used;

    memset(text, 'a', sizeof text);
    memcpy(text, "GET /", 5);
    cr_expect_eq(http_head_decode(str_of(text, sizeof text), &limits, headers, &h, &used),
                 ERR_TOO_BIG);
    cr_expect_eq(h.status, 431);
}

Test(http_head_decode, connection_close_forbids_the_upgrade)
{
    struct http_header headers[8];
    struct http_head h;

    cr_assert_eq(
        decode("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nUpgrade: websocket\r\n\r\n", &h,
               headers),
        OK);
    cr_expect_not(h.request.is_upgrade);
    cr_expect_not(h.keep_alive);
}
