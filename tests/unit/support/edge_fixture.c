/* See edge_fixture.h. The client's descriptor is non-blocking; waiting is done by turning the loop,
 * not by sleeping. */
#include "edge_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>
#include <criterion/criterion.h>
#include "base/clock.h"

#define PATIENCE_MS 15000 /* bound of a wait that should have ended long before */

static void on_request(void *ctx, struct pipe *p, const struct http_request *r)
{
    struct edge_fixture *f = ctx;
    struct http_reply ok = {.status = 200, .body = STR("ok")};

    sb_printf(&f->log, "request " STR_FMT " " STR_FMT ";", STR_ARG(r->method_text),
              STR_ARG(r->path));
    f->pipe = p;
    if (r->is_upgrade && !f->hold)
        pipe_accept(p, STR("X-Extra: 1\r\n"));
    else if (!r->has_body && !f->hold)
        pipe_reply(p, &ok);
}

static void on_body(void *ctx, struct pipe *p, int rc, struct str body)
{
    struct edge_fixture *f = ctx;
    struct http_reply ok = {.status = rc == OK ? 200 : 413, .body = body};

    sb_printf(&f->log, "body %zu " STR_FMT ";", body.n, STR_ARG(str_head(body, 20)));
    if (!f->hold) pipe_reply(p, &ok);
}

static void on_message(void *ctx, struct pipe *p, struct str data, bool binary)
{
    struct edge_fixture *f = ctx;

    (void)p;
    sb_printf(&f->log, "%s %zu " STR_FMT ";", binary ? "binary" : "text", data.n,
              STR_ARG(str_head(data, 20)));
}

static void on_gone(void *ctx, struct pipe *p, int code)
{
    struct edge_fixture *f = ctx;

    sb_printf(&f->log, "gone %d;", code);
    if (f->pipe == p) f->pipe = NULL;
}

static char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

void edge_fixture_open(struct edge_fixture *f)
{
    static const struct edge_handler handler = {on_request, on_body, on_message, on_gone};
    char *argv[] = {(char[]){"test"}, NULL};
    struct sb mistakes = {0};
    char *why = NULL;

    *f = (struct edge_fixture){.fd = -1};
    metric_reset_for_test();
    cr_assert_eq(conf_read(&f->conf, 1, argv, no_environment, &mistakes), OK);
    f->loop = loop_new();
    cr_assert_eq(edge_open(f->loop, &f->conf, "127.0.0.1", 0, &handler, f, &f->edge, &why), OK,
                 "%s", why);
    sb_fini(&mistakes);
}

void edge_fixture_close(struct edge_fixture *f)
{
    if (f->fd >= 0) close(f->fd);
    edge_free(f->edge);
    loop_free(f->loop);
    conf_fini(&f->conf);
    sb_fini(&f->log);
    sb_fini(&f->got);
    buf_pool_trim();
}

void edge_fixture_connect(struct edge_fixture *f)
{
    edge_fixture_connect_with(f, STR_NONE);
}

void edge_fixture_connect_with(struct edge_fixture *f, struct str bytes)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)edge_port(f->edge)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    if (f->fd >= 0) close(f->fd);
    f->got.n = 0;
    f->is_closed = false;
    f->fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect(f->fd, (struct sockaddr *)&to, sizeof to), 0);
    if (bytes.n) cr_assert_eq(send(f->fd, bytes.p, bytes.n, MSG_NOSIGNAL), (ssize_t)bytes.n);
    loop_turn(f->loop, true);
}

static void read_some(struct edge_fixture *f)
{
    char bytes[4096];
    ssize_t n;

    while ((n = recv(f->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        sb_put(&f->got, bytes, (size_t)n);
    if (n == 0 || (n < 0 && errno != EAGAIN)) f->is_closed = true;
}

void edge_fixture_write(struct edge_fixture *f, struct str bytes)
{
    while (bytes.n) {
        ssize_t n = send(f->fd, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n > 0)
            bytes = str_skip(bytes, (size_t)n);
        else if (errno != EAGAIN)
            return;
        loop_turn(f->loop, false);
        read_some(f);
    }
}

static bool await(struct edge_fixture *f, bool (*is_done)(struct edge_fixture *, const char *),
                  const char *text)
{
    uint64_t end = clock_us() + PATIENCE_MS * 1000;

    while (!is_done(f, text)) {
        struct pollfd p = {.fd = f->fd, .events = POLLIN};

        if (clock_us() > end) return false;
        loop_turn(f->loop, false);
        (void)poll(&p, 1, 1);
        read_some(f);
    }
    return true;
}

static bool has_got(struct edge_fixture *f, const char *text)
{
    return str_contains(sb_view(&f->got), str_z(text));
}

static bool has_logged(struct edge_fixture *f, const char *text)
{
    return str_contains(sb_view(&f->log), str_z(text));
}

static bool has_ended(struct edge_fixture *f, const char *text)
{
    (void)text;
    return f->is_closed;
}

bool edge_fixture_await(struct edge_fixture *f, const char *text)
{
    return await(f, has_got, text);
}

bool edge_fixture_await_log(struct edge_fixture *f, const char *text)
{
    return await(f, has_logged, text);
}

bool edge_fixture_await_end(struct edge_fixture *f)
{
    return await(f, has_ended, "");
}

void edge_fixture_upgrade(struct edge_fixture *f)
{
    edge_fixture_connect(f);
    edge_fixture_write(
        f, STR("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
    cr_assert(edge_fixture_await(f, "\r\n\r\n"));
    cr_expect(
        has_got(f, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")); /* RFC 6455 1.3 */
    cr_expect(has_got(f, "X-Extra: 1\r\n"));
    f->got.n = 0;
    f->log.n = 0;
}

void edge_fixture_frame(struct edge_fixture *f, int first_byte, struct str payload)
{
    struct sb frame = {0};

    sb_char(&frame, (char)first_byte);
    if (payload.n < 126) {
        sb_char(&frame, (char)(0x80 | payload.n));
    } else if (payload.n < 65536) {
        sb_char(&frame, (char)(0x80 | 126));
        sb_char(&frame, (char)(payload.n >> 8));
        sb_char(&frame, (char)payload.n);
    } else {
        sb_char(&frame, (char)(0x80 | 127));
        for (int i = 56; i >= 0; i -= 8)
            sb_char(&frame, (char)((uint64_t)payload.n >> i));
    }
    sb_put(&frame, "\1\2\3\4", 4);
    for (size_t i = 0; i < payload.n; i++)
        sb_char(&frame, (char)(payload.p[i] ^ "\1\2\3\4"[i & 3]));
    edge_fixture_write(f, sb_view(&frame));
    sb_fini(&frame);
}
