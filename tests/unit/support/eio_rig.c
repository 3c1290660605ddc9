/* The engine's test bench. */
#include "tests/unit/support/eio_rig.h"

#include "base/clock.h"
#include "base/mem.h"

static void on_open(void *ctx, struct eio_session *s)
{
    struct eio_rig *r = ctx;

    r->session = s;
    memcpy(r->sid, eio_session_id(s).p, EIO_ID_SIZE);
    sb_z(&r->told, "open\n");
}

static void on_message(void *ctx, struct eio_session *s, struct str data, bool binary)
{
    struct eio_rig *r = ctx;

    sb_z(&r->told, binary ? "bytes:" : "text:");
    for (size_t i = 0; binary && i < data.n; i++) {
        sb_printf(&r->told, "%02x", (unsigned char)data.p[i]);
    }
    if (!binary) sb_str(&r->told, data);
    sb_char(&r->told, '\n');
    if (r->on_message) r->on_message(r, s);
    if (!r->echoes) return;
    eio_session_send(s, binary ? eio_binary_message(eio_session_protocol(s), data)
                               : eio_text_message(data));
}

static void on_close(void *ctx, struct eio_session *s, enum close_reason why)
{
    struct eio_rig *r = ctx;

    if (r->session == s) r->session = NULL;
    sb_printf(&r->told, "close:%s\n", close_text(why));
}

static bool cors_headers(void *ctx, const struct http_request *q, bool preflight, struct sb *out)
{
    struct eio_rig *r = ctx;

    (void)q;
    sb_z(out, "Vary: Origin\r\n");
    if (preflight) sb_z(out, "Access-Control-Allow-Methods: GET,POST\r\n");
    return !r->is_foreign;
}

static void h_request(void *ctx, struct pipe *p, const struct http_request *q)
{
    eio_on_request(((struct eio_rig *)ctx)->eio, p, q);
}

static void h_body(void *ctx, struct pipe *p, int rc, struct str body)
{
    eio_on_body(((struct eio_rig *)ctx)->eio, p, rc, body);
}

static void h_message(void *ctx, struct pipe *p, struct str data, bool binary)
{
    eio_on_message(((struct eio_rig *)ctx)->eio, p, data, binary);
}

static void h_gone(void *ctx, struct pipe *p, int code)
{
    eio_on_gone(((struct eio_rig *)ctx)->eio, p, code);
}

static char *no_env(const char *name)
{
    (void)name;
    return NULL;
}

static int read_conf(struct conf *c, const char *options)
{
    char *argv[16] = {0};
    char *text = str_dup(str_z(options ? options : ""));
    int argc = 1, rc;
    struct str rest = str_z(text), piece;
    struct sb mistakes = {0};

    argv[0] = mem_dup("test", 4);
    while (options && argc < 15 && str_next(&rest, ' ', &piece)) {
        argv[argc++] = str_dup(piece);
    }
    rc = conf_read(c, argc, argv, no_env, &mistakes);
    for (int i = 0; i < argc; i++) {
        mem_free(argv[i]);
    }
    mem_free(text);
    sb_fini(&mistakes);
    return rc;
}

void rig_open_at(struct eio_rig *r, const char *options, const char *node_id, struct loop *loop)
{
    static const struct eio_app app = {on_open, on_message, on_close};
    static const struct edge_handler handler = {h_request, h_body, h_message, h_gone};

    *r = (struct eio_rig){.loop = loop, .owns_loop = loop == NULL};
    if (!loop) {
        clock_freeze(1000000, 1763900000000);
        r->loop = loop_new();
    }
    if (read_conf(&r->conf, options) != OK) __builtin_trap(); /* a mistake of the test */
    r->cors = (struct eio_cors){cors_headers, r};
    r->eio = eio_new(r->loop, &r->conf, str_z(node_id), &app, r, &r->cors);
    fake_edge_init(&r->edge, &handler, r);
}

void rig_open(struct eio_rig *r, const char *options)
{
    rig_open_at(r, options, "nodA", NULL);
}

void rig_close(struct eio_rig *r)
{
    if (r->owns_loop) rig_turn(r); /* what is due to be freed */
    eio_free(r->eio);
    fake_edge_fini(&r->edge);
    if (r->owns_loop) loop_free(r->loop);
    conf_fini(&r->conf);
    sb_fini(&r->told);
    sb_fini(&r->line);
}

void rig_turn(struct eio_rig *r)
{
    loop_turn(r->loop, false);
}

void rig_wait(struct eio_rig *r, uint64_t ms)
{
    rig_turn(r);
    for (uint64_t step = 50; ms > 0; ms -= step) {
        if (step > ms) step = ms;
        clock_advance(step);
        rig_turn(r);
    }
}

const char *rig_told(struct eio_rig *r)
{
    sb_char(&r->told, 0);
    r->told.n = 0;
    return r->told.p;
}

const char *rig_head(struct eio_rig *r, const char *method, int protocol, const char *transport,
                     const char *more)
{
    r->line.n = 0;
    sb_printf(&r->line, "%s /socket.io/?EIO=%d&transport=%s", method, protocol, transport);
    if (r->sid[0]) sb_printf(&r->line, "&sid=%s", r->sid);
    if (more) sb_printf(&r->line, "&%s", more);
    sb_char(&r->line, '\n');
    if (str_eq(str_z(transport), STR("websocket"))) sb_z(&r->line, "Upgrade: websocket\n");
    sb_char(&r->line, 0);
    return r->line.p;
}

struct fake_pipe *rig_poll_open(struct eio_rig *r, int protocol, const char *more)
{
    r->sid[0] = 0;
    return fake_request(&r->edge, rig_head(r, "GET", protocol, "polling", more));
}

struct fake_pipe *rig_ws_open(struct eio_rig *r, int protocol, const char *more)
{
    r->sid[0] = 0;
    return fake_request(&r->edge, rig_head(r, "GET", protocol, "websocket", more));
}

struct fake_pipe *rig_get(struct eio_rig *r, int protocol)
{
    struct fake_pipe *p = fake_request(&r->edge, rig_head(r, "GET", protocol, "polling", NULL));

    rig_turn(r);
    return p;
}

struct fake_pipe *rig_post(struct eio_rig *r, int protocol, const char *body)
{
    return fake_post(&r->edge, rig_head(r, "POST", protocol, "polling", NULL), str_z(body));
}

struct fake_pipe *rig_upgrade(struct eio_rig *r, int protocol)
{
    return fake_request(&r->edge, rig_head(r, "GET", protocol, "websocket", NULL));
}
