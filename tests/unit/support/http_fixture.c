/* See http_fixture.h. */
#include "tests/unit/support/http_fixture.h"

#include <netinet/in.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <criterion/criterion.h>
#include "base/mem.h"
#include "tests/unit/support/listen.h"

struct connection {
    struct list node;
    struct http_fixture *owner;
    struct loop_fd *watch;
    int fd;
    struct sb got;
};

static void connection_end(struct connection *c)
{
    list_unlink(&c->node);
    loop_fd_free(c->watch);
    close(c->fd);
    sb_fini(&c->got);
    mem_free(c);
}

/* Bytes of the first request in got; 0: it is not whole yet. */
static size_t request_bytes(struct connection *c)
{
    static const char name[] = "\r\nContent-Length: ";
    const char *end, *length;
    size_t body = 0;

    sb_char(&c->got, 0);
    c->got.n--;
    end = strstr(c->got.p, "\r\n\r\n");
    if (!end) return 0;
    length = strcasestr(c->got.p, name);
    if (length && length < end) body = strtoul(length + sizeof name - 1, NULL, 10);
    body += (size_t)(end - c->got.p) + 4;
    return c->got.n < body ? 0 : body;
}

static void on_bytes(void *ctx, int what)
{
    struct connection *c = ctx;
    struct http_fixture *f = c->owner;
    char bytes[65536];
    ssize_t n = read(c->fd, bytes, sizeof bytes);
    size_t whole;

    (void)what;
    if (n <= 0) {
        connection_end(c);
        return;
    }
    sb_put(&c->got, bytes, (size_t)n);
    whole = request_bytes(c);
    if (!whole) return;
    f->requests++;
    f->last.n = 0;
    sb_put(&f->last, c->got.p, whole);
    sb_char(&f->last, 0);
    f->last.n--;
    c->got.n = 0; /* nobody pipelines here */
    if (!f->answer) return;
    whole = f->answer_bytes ? f->answer_bytes : strlen(f->answer);
    cr_assert_eq(write(c->fd, f->answer, whole), (ssize_t)whole);
    if (f->is_closing) connection_end(c);
}

static void on_accept(void *ctx, int what)
{
    struct http_fixture *f = ctx;
    struct connection *c = MEM_NEW(struct connection);

    (void)what;
    c->owner = f;
    c->fd = accept(f->fd, NULL, NULL);
    cr_assert(c->fd >= 0);
    list_init(&c->node);
    list_push(&f->connections, &c->node);
    c->watch = loop_fd_new(f->loop, c->fd, on_bytes, c);
    loop_fd_want(c->watch, LOOP_READ);
    f->connects++;
}

static void listen_at(struct http_fixture *f, in_port_t port)
{
    f->fd = listen_locally("http", port, f->url, sizeof f->url);
    f->listener = loop_fd_new(f->loop, f->fd, on_accept, f);
    loop_fd_want(f->listener, LOOP_READ);
}

void http_fixture_open(struct http_fixture *f, struct loop *l)
{
    *f = (struct http_fixture){.loop = l};
    list_init(&f->connections);
    listen_at(f, 0);
}

void http_fixture_reopen(struct http_fixture *f)
{
    listen_at(f, htons((in_port_t)strtoul(strrchr(f->url, ':') + 1, NULL, 10)));
}

void http_fixture_close(struct http_fixture *f)
{
    LIST_EACH_SAFE(node, after, &f->connections)
    {
        connection_end(LIST_OWNER(node, struct connection, node));
    }
    loop_fd_free(f->listener);
    close(f->fd);
    f->listener = NULL;
    sb_fini(&f->last);
    f->last = (struct sb){0};
}

void http_fixture_json(struct http_fixture *f, struct sb *answer, const char *body)
{
    answer->n = 0;
    sb_printf(answer,
              "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
              strlen(body), body);
    sb_char(answer, 0);
    f->answer = answer->p;
}

/* Of the system, also where a test has stopped the house's clock. */
static uint64_t real_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

bool http_fixture_await(struct http_fixture *f, const unsigned *number, unsigned want)
{
    uint64_t end = real_ms() + HTTP_FIXTURE_WAIT_MS;

    while (*number < want && real_ms() < end)
        loop_turn(f->loop, true);
    return *number >= want;
}
