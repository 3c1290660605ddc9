/* Scripted pipes. Nothing here decides anything: it records what the core orders. */
#include "tests/unit/support/fake_edge.h"

#include <stdlib.h>
#include "base/mem.h"

static struct fake_pipe *fake_of(struct pipe *p)
{
    return (struct fake_pipe *)(void *)p;
}

static bool is_late(struct fake_pipe *f)
{
    if (!f->pipe.is_closed) return false;
    f->late_orders++;
    return true;
}

static void on_reply(struct pipe *p, const struct http_reply *r)
{
    struct fake_pipe *f = fake_of(p);

    if (is_late(f)) return;
    f->replies++;
    f->status = r->status;
    f->reply_close = r->close;
    sb_str(&f->type, r->content_type);
    sb_str(&f->headers, r->headers);
    sb_str(&f->body, r->body);
    p->is_closed = true;
}

static void on_accept(struct pipe *p, struct str headers)
{
    struct fake_pipe *f = fake_of(p);

    if (is_late(f)) return;
    f->status = 101;
    sb_str(&f->headers, headers);
    p->is_ws = true;
}

static void on_send(struct pipe *p, struct buf *b)
{
    struct fake_pipe *f = fake_of(p);
    struct str body = buf_body(b);

    if (is_late(f)) goto out;
    f->frames_count++;
    if (b->flags & BUF_BINARY) {
        sb_char(&f->frames, '#');
        for (size_t i = 0; i < body.n; i++) {
            sb_printf(&f->frames, "%02x", (unsigned char)body.p[i]);
        }
    } else {
        sb_str(&f->frames, body);
    }
    sb_char(&f->frames, '\n');
out:
    buf_unref(b);
}

static void on_close(struct pipe *p, int code)
{
    struct fake_pipe *f = fake_of(p);

    if (is_late(f)) return;
    f->is_cut = true;
    f->close_code = code;
    p->is_closed = true;
}

static size_t on_queued(const struct pipe *p)
{
    return ((const struct fake_pipe *)(const void *)p)->queued;
}

static const struct pipe_ops ops = {
    .reply = on_reply,
    .accept = on_accept,
    .send = on_send,
    .close = on_close,
    .queued = on_queued,
};

void fake_edge_init(struct fake_edge *e, const struct edge_handler *h, void *ctx)
{
    list_init(&e->pipes);
    e->handler = *h;
    e->ctx = ctx;
}

void fake_edge_fini(struct fake_edge *e)
{
    struct list *node;

    while ((node = list_shift(&e->pipes)) != NULL) {
        struct fake_pipe *f = LIST_OWNER(node, struct fake_pipe, node);

        sb_fini(&f->type);
        sb_fini(&f->headers);
        sb_fini(&f->body);
        sb_fini(&f->frames);
        mem_free(f);
    }
}

static enum http_method method_of(struct str text)
{
    if (str_eq(text, STR("GET"))) return HTTP_GET;
    if (str_eq(text, STR("POST"))) return HTTP_POST;
    if (str_eq(text, STR("OPTIONS"))) return HTTP_OPTIONS;
    if (str_eq(text, STR("HEAD"))) return HTTP_HEAD;
    return HTTP_OTHER;
}

static struct fake_pipe *request(struct fake_edge *e, const char *head, uint64_t length)
{
    struct fake_pipe *f = MEM_NEW(struct fake_pipe);
    struct http_header headers[16];
    struct http_request r = {.headers = headers, .address = STR("127.0.0.1")};
    struct str rest = str_z(head), line, target;

    f->pipe.ops = &ops;
    f->close_code = -1;
    list_push(&e->pipes, &f->node);
    (void)str_next(&rest, '\n', &line);
    (void)str_cut(line, ' ', &r.method_text, &target);
    (void)str_cut(target, '?', &r.path, &r.query);
    r.method = method_of(r.method_text);
    while (str_next(&rest, '\n', &line) && r.headers_count < 16) {
        struct http_header *h = &headers[r.headers_count];

        if (!str_cut(line, ':', &h->name, &h->value)) continue;
        h->value = str_trim(h->value);
        r.is_upgrade |= str_eq_nocase(h->name, STR("upgrade"));
        r.headers_count++;
    }
    r.content_length = length;
    r.has_body = length > 0;
    e->handler.on_request(e->ctx, &f->pipe, &r);
    return f;
}

struct fake_pipe *fake_request(struct fake_edge *e, const char *head)
{
    return request(e, head, 0);
}

struct fake_pipe *fake_post_head(struct fake_edge *e, const char *head, uint64_t content_length)
{
    return request(e, head, content_length);
}

struct fake_pipe *fake_post(struct fake_edge *e, const char *head, struct str body)
{
    struct fake_pipe *f = request(e, head, body.n);

    if (body.n > 0) fake_body(e, f, OK, body);
    return f;
}

void fake_body(struct fake_edge *e, struct fake_pipe *p, int rc, struct str body)
{
    if (!p->pipe.is_closed) e->handler.on_body(e->ctx, &p->pipe, rc, body);
}

void fake_text(struct fake_edge *e, struct fake_pipe *p, const char *text)
{
    if (!p->pipe.is_closed) e->handler.on_message(e->ctx, &p->pipe, str_z(text), false);
}

void fake_binary(struct fake_edge *e, struct fake_pipe *p, struct str data)
{
    if (!p->pipe.is_closed) e->handler.on_message(e->ctx, &p->pipe, data, true);
}

void fake_gone(struct fake_edge *e, struct fake_pipe *p, int code)
{
    if (p->pipe.is_closed) return;
    p->pipe.is_closed = true;
    e->handler.on_gone(e->ctx, &p->pipe, code);
}

static const char *view(struct sb *b)
{
    sb_char(b, 0);
    b->n--;
    return b->p;
}

const char *fake_body_z(struct fake_pipe *p)
{
    return view(&p->body);
}

const char *fake_frames_z(struct fake_pipe *p)
{
    return view(&p->frames);
}

const char *fake_headers_z(struct fake_pipe *p)
{
    return view(&p->headers);
}

void fake_frames_forget(struct fake_pipe *p)
{
    p->frames.n = 0;
    p->frames_count = 0;
}

bool fake_is_pending(const struct fake_pipe *p)
{
    return !p->pipe.is_closed && !p->pipe.is_ws;
}
