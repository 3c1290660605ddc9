/* WebSocket of one connection (RFC 6455): frames in, whole messages up; control frames are answered
 * here. No extensions are negotiated. A breach closes with the code that the RFC names and is
 * counted. */
#include "node/edge/edge_priv.h"

#include "base/mem.h"
#include "base/metric.h"

#define CONTROLS_PER_SECOND 100 /* pings and pongs; a flood above it is a breach of policy */

/* Labels of M_WS_PROTOCOL_ERRORS */
static const struct {
    int code;
    const char *label;
} breaches[] = {{WS_CODE_PROTOCOL, "1002"},
                {WS_CODE_BAD_DATA, "1007"},
                {WS_CODE_POLICY, "1008"},
                {WS_CODE_TOO_BIG, "1009"}};
#define BREACHES (sizeof breaches / sizeof breaches[0])

void ws_metrics_init(void)
{
    static const char *labels[BREACHES];

    for (unsigned i = 0; i < BREACHES; i++)
        labels[i] = breaches[i].label;
    metric_labels(M_WS_PROTOCOL_ERRORS, labels, BREACHES);
}

static struct conn_ws *ws_of(struct conn *c)
{
    if (!c->ws) c->ws = MEM_NEW(struct conn_ws);
    return c->ws;
}

void ws_free(struct conn *c)
{
    if (!c->ws) return;
    sb_fini(&c->ws->message);
    mem_free(c->ws);
    c->ws = NULL;
}

void ws_close(struct conn *c, int code)
{
    char text[2] = {(char)(code >> 8), (char)code};
    struct str payload = str_of(text, code ? 2 : 0);

    out_push(c, buf_frame(WS_CLOSE, &payload, 1));
    conn_finish(c);
}

/* The peer broke the protocol: tell it why, tell the core that it is gone. */
static void breach(struct conn *c, int code)
{
    const struct edge_handler *h = c->edge->handler;

    for (unsigned i = 0; i < BREACHES; i++)
        if (breaches[i].code == code) metric_add_at(M_WS_PROTOCOL_ERRORS, i, 1);
    ws_close(c, code);
    h->on_gone(c->edge->ctx, &c->pipe, code);
}

static void deliver(struct conn *c, enum ws_opcode opcode, struct str data)
{
    if (opcode == WS_TEXT && !str_is_utf8(data)) {
        breach(c, WS_CODE_BAD_DATA);
        return;
    }
    metric_add(M_WS_MESSAGES_IN, 1);
    c->edge->handler->on_message(c->edge->ctx, &c->pipe, data, opcode == WS_BINARY);
}

static void on_close_frame(struct conn *c, struct str payload)
{
    int code, rc = frame_close_decode(payload, &code);

    if (rc != OK) {
        breach(c, rc == ERR_UTF8 ? WS_CODE_BAD_DATA : WS_CODE_PROTOCOL);
        return;
    }
    ws_close(c, code == WS_CODE_NONE ? 0 : code);
    c->edge->handler->on_gone(c->edge->ctx, &c->pipe, 0);
}

static void on_control(struct conn *c, enum ws_opcode opcode, struct str payload)
{
    struct conn_ws *w = ws_of(c);

    if (opcode == WS_CLOSE) {
        on_close_frame(c, payload);
        return;
    }
    if (clock_ms() - w->window_ms >= 1000) {
        w->window_ms = clock_ms();
        w->controls = 0;
    }
    if (++w->controls > CONTROLS_PER_SECOND) {
        breach(c, WS_CODE_POLICY);
    } else if (opcode == WS_PING) {
        struct buf *pong = buf_frame(WS_PONG, &payload, 1);

        pong->flags = BUF_RAW;
        out_push(c, pong);
    }
}

/* A fragment: a first one, one in between or the last. */
static void on_fragment(struct conn *c, const struct ws_frame *f, struct str payload)
{
    struct conn_ws *w = ws_of(c);
    struct sb whole;

    if ((f->opcode == WS_CONT) != (w->fragments > 0)) {
        breach(c, WS_CODE_PROTOCOL);
        return;
    }
    if (f->opcode != WS_CONT) w->opcode = f->opcode;
    if (++w->fragments > c->edge->conf->max_fragments) {
        breach(c, WS_CODE_POLICY);
        return;
    }
    if (w->message.n + payload.n > c->edge->conf->max_payload_bytes) {
        breach(c, WS_CODE_TOO_BIG);
        return;
    }
    sb_put(&w->message, payload.p, payload.n);
    if (!f->fin) return;
    whole = w->message;
    w->message = (struct sb){0};
    w->fragments = 0;
    deliver(c, w->opcode, sb_view(&whole));
    sb_fini(&whole);
}

static void on_frame(struct conn *c, const struct ws_frame *f, struct str payload)
{
    if (f->opcode >= WS_CLOSE)
        on_control(c, f->opcode, payload);
    else if (f->fin && f->opcode != WS_CONT && (!c->ws || !c->ws->fragments))
        deliver(c, f->opcode, payload);
    else
        on_fragment(c, f, payload);
}

/* Reads whole frames off the front; returns how many bytes were used. */
static size_t take_frames(struct conn *c, char *bytes, size_t n)
{
    size_t used = 0;
    struct ws_frame f;

    while (c->state == CONN_WS) {
        struct str rest = str_of(bytes + used, n - used);
        int rc = frame_decode(rest, c->edge->conf->max_payload_bytes, &f);

        if (rc == ERR_AGAIN || (rc == OK && rest.n - f.head_bytes < f.length)) break;
        if (rc != OK) {
            breach(c, rc == ERR_TOO_BIG ? WS_CODE_TOO_BIG : WS_CODE_PROTOCOL);
            break;
        }
        used += f.head_bytes;
        frame_unmask(bytes + used, (size_t)f.length, f.mask, 0);
        on_frame(c, &f, str_of(bytes + used, (size_t)f.length));
        used += (size_t)f.length;
    }
    return used;
}

void ws_input(struct conn *c, char *bytes, size_t n)
{
    size_t used;

    if (c->in.n == 0) { /* the usual case: frames are read where they arrived */
        used = take_frames(c, bytes, n);
        if (c->state == CONN_WS && used < n) sb_put(&c->in, bytes + used, n - used);
        return;
    }
    sb_put(&c->in, bytes, n); /* bounded: a frame over the limit was refused by its header */
    used = take_frames(c, c->in.p, c->in.n);
    if (c->state != CONN_WS || used == c->in.n) {
        sb_fini(&c->in);
    } else if (used) {
        memmove(c->in.p, c->in.p + used, c->in.n - used);
        c->in.n -= used;
    }
}
