/* See smtp_fixture.h. */
#include "tests/unit/support/smtp_fixture.h"

#include <stdio.h>
#include <unistd.h>
#include <criterion/criterion.h>
#include "base/mem.h"
#include "tests/unit/support/listen.h"

struct connection {
    struct list node;
    struct smtp_fixture *owner;
    struct loop_fd *watch;
    int fd;
    struct sb got;
    bool in_data;
};

static void connection_end(struct connection *c)
{
    list_unlink(&c->node);
    loop_fd_free(c->watch);
    close(c->fd);
    sb_fini(&c->got);
    mem_free(c);
}

static void say(struct connection *c, const char *line)
{
    char text[200];
    int n = snprintf(text, sizeof text, "%s\r\n", line);

    (void)!write(c->fd, text, (size_t)n);
}

static void on_data_line(struct connection *c, struct str line)
{
    struct smtp_fixture *f = c->owner;

    if (str_eq(line, STR("."))) {
        c->in_data = false;
        f->mails++;
        say(c, f->says[3] ? f->says[3] : "250 kept");
        return;
    }
    if (line.n && line.p[0] == '.') line = str_skip(line, 1);
    sb_str(&f->message, line);
    sb_z(&f->message, "\r\n");
}

/* False: the connection is over. */
static bool on_line(struct connection *c, struct str line)
{
    static const char *const words[] = {"MAIL", "RCPT", "DATA"};
    static const char *const answers[] = {"250 ok", "250 ok", "354 go on"};
    struct smtp_fixture *f = c->owner;

    if (c->in_data) {
        on_data_line(c, line);
        return true;
    }
    sb_str(&f->commands, line);
    sb_char(&f->commands, ';');
    for (int i = 0; i < 3; i++) {
        if (!str_starts(line, str_z(words[i]))) continue;
        say(c, f->says[i] ? f->says[i] : answers[i]);
        c->in_data = i == 2 && !f->says[i];
        if (c->in_data) f->message.n = 0;
        return true;
    }
    say(c, str_starts(line, STR("QUIT")) ? "221 bye" : "250 at your service");
    if (str_starts(line, STR("QUIT"))) connection_end(c);
    return !str_starts(line, STR("QUIT"));
}

static void on_bytes(void *ctx, int what)
{
    struct connection *c = ctx;
    char bytes[4096];
    ssize_t n = read(c->fd, bytes, sizeof bytes);

    (void)what;
    if (n <= 0) {
        connection_end(c);
        return;
    }
    sb_put(&c->got, bytes, (size_t)n);
    for (;;) {
        char *end = memmem(c->got.p, c->got.n, "\r\n", 2);
        struct sb line = {0};
        bool goes_on;

        if (!end) return;
        sb_put(&line, c->got.p, (size_t)(end - c->got.p));
        c->got.n -= line.n + 2;
        memmove(c->got.p, end + 2, c->got.n);
        goes_on = on_line(c, sb_view(&line));
        sb_fini(&line);
        if (!goes_on) return;
    }
}

static void on_accept(void *ctx, int what)
{
    struct smtp_fixture *f = ctx;
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
    if (!f->is_silent) say(c, "220 test ESMTP");
}

void smtp_fixture_open(struct smtp_fixture *f, struct loop *l)
{
    *f = (struct smtp_fixture){.loop = l};
    list_init(&f->connections);
    f->fd = listen_locally("smtp", 0, f->url, sizeof f->url);
    f->listener = loop_fd_new(f->loop, f->fd, on_accept, f);
    loop_fd_want(f->listener, LOOP_READ);
}

void smtp_fixture_close(struct smtp_fixture *f)
{
    LIST_EACH_SAFE(node, after, &f->connections)
    {
        connection_end(LIST_OWNER(node, struct connection, node));
    }
    loop_fd_free(f->listener);
    close(f->fd);
    sb_fini(&f->commands);
    sb_fini(&f->message);
}
