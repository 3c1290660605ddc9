/* The operations over a whole cluster as events of clients, for tests/system: whoever is connected
 * says what this server is to do.
 *     wire-cluster [--port=N] [--option=value]…
 * In /: `join` rooms…; `server-count`; `fetch` how; `sockets-join`, `sockets-leave` how rooms…;
 * `sockets-disconnect` how; `ask` how name args… (emit with ack); `server-emit` name args…;
 * `server-ask` name args…. how: {to, except, timeout, close, local}. Questions answer their ack
 * with {rc, asked, answered, missing, counts, answers}. What other servers emit to this one goes to
 * all clients here as `served` name args…; when they want an answer it is {"ours":[name, args…]},
 * and none at all for the name `silent`. */
#include <stdio.h>
#include <string.h>
#include "adapter/adapter.h"
#include "base/json.h"
#include "base/mem.h"
#include "node/run.h"
#include "node/sio/sio.h"

static struct sio_nsp *main_nsp;

/* ---- reading what a client wants ---- */

struct order {
    struct sb scratch;
    struct sio_cast to;
    uint64_t timeout_ms;
    bool close;
    struct str rooms[SIO_CAST_ROOMS];
    unsigned rooms_count;
    struct sb array; /* `[name,args…]` after the options */
};

static unsigned read_names(struct json list, struct sb *scratch, struct str *out)
{
    struct str rest = list.type == JSON_ARRAY ? json_begin(list) : STR_NONE;
    struct json item;
    unsigned n = 0;

    while (n < SIO_CAST_ROOMS && json_next_item(&rest, &item))
        if (item.type == JSON_STRING && json_text(item, scratch, &out[n]) == OK) n++;
    return n;
}

static void read_how(struct json how, struct order *o)
{
    struct json v;
    int64_t ms;
    bool local;

    if (json_member(how, STR("to"), &v))
        o->to.rooms_count = read_names(v, &o->scratch, o->to.rooms);
    if (json_member(how, STR("except"), &v))
        o->to.except_count = read_names(v, &o->scratch, o->to.except);
    if (json_member(how, STR("timeout"), &v) && json_i64(v, &ms)) o->timeout_ms = (uint64_t)ms;
    if (json_member(how, STR("close"), &v)) (void)json_bool(v, &o->close);
    if (json_member(how, STR("local"), &v) && json_bool(v, &local) && local)
        o->to.flags |= SIO_LOCAL;
}

static void read_order(const struct sio_event *e, bool has_how, struct order *o)
{
    struct str rest = json_begin((struct json){JSON_ARRAY, e->array});
    struct json item, texts;

    *o = (struct order){.to = sio_cast_all(main_nsp)};
    sb_reserve(&o->scratch, e->array.n + 1);
    (void)json_next_item(&rest, &item); /* the event's name */
    if (has_how && json_next_item(&rest, &item) && item.type == JSON_OBJECT) read_how(item, o);
    sb_char(&o->array, '[');
    if (json_next_item(&rest, &item))
        sb_str(&o->array, str_skip(e->array, (size_t)(item.raw.p - e->array.p)));
    else
        sb_char(&o->array, ']');
    texts = (struct json){JSON_ARRAY, sb_view(&o->array)};
    o->rooms_count = read_names(texts, &o->scratch, o->rooms);
}

static void order_fini(struct order *o)
{
    sb_fini(&o->scratch);
    sb_fini(&o->array);
}

/* ---- questions ---- */

struct question { /* of a client; answered when the cluster has answered */
    char socket[64], ack[24];
    size_t socket_n, ack_n;
    struct sb counts, answers;
};

static struct question *question_new(struct sio_socket *s, const struct sio_event *e)
{
    struct question *q = MEM_NEW(struct question);
    struct str id = sio_socket_id(s);

    q->socket_n = id.n < sizeof q->socket ? id.n : 0;
    memcpy(q->socket, id.p, q->socket_n);
    q->ack_n = e->ack.n < sizeof q->ack ? e->ack.n : 0;
    if (q->ack_n) memcpy(q->ack, e->ack.p, q->ack_n);
    return q;
}

static void question_end(struct question *q, struct str array)
{
    struct sio_socket *s = sio_socket_find(main_nsp, str_of(q->socket, q->socket_n));

    if (s) sio_socket_ack(s, str_of(q->ack, q->ack_n), array, NULL, 0);
    sb_fini(&q->counts);
    sb_fini(&q->answers);
    mem_free(q);
}

static void on_answer(void *ctx, struct str json, const struct str *attachments, unsigned count)
{
    struct question *q = ctx;

    (void)attachments, (void)count;
    if (q->answers.n) sb_char(&q->answers, ',');
    sb_str(&q->answers, json);
}

static void on_clients(void *ctx, unsigned clients)
{
    struct question *q = ctx;

    if (q->counts.n) sb_char(&q->counts, ',');
    sb_u64(&q->counts, clients);
}

static void on_result(void *ctx, const struct adapter_result *r)
{
    struct question *q = ctx;
    struct sb out = {0};

    sb_printf(&out, "[{\"rc\":%d,\"asked\":%u,\"answered\":%u,\"missing\":[", r->rc, r->asked,
              r->answered);
    for (unsigned i = 0; i < r->missing_count; i++) {
        if (i) sb_char(&out, ',');
        sb_json(&out, r->missing[i]);
    }
    sb_z(&out, "],\"counts\":[");
    sb_str(&out, sb_view(&q->counts));
    sb_z(&out, "],\"answers\":[");
    sb_str(&out, sb_view(&q->answers));
    sb_z(&out, "]}]");
    question_end(q, sb_view(&out));
    sb_fini(&out);
}

static void on_server_count(void *ctx, int rc, unsigned count)
{
    struct sb out = {0};

    if (rc == OK)
        sb_printf(&out, "[%u]", count);
    else
        sb_printf(&out, "[%d]", rc);
    question_end(ctx, sb_view(&out));
    sb_fini(&out);
}

/* ---- events ---- */

static bool is(const struct sio_event *e, const char *name)
{
    return str_eq(e->name, str_z(name));
}

static bool ask(struct sio_socket *s, const struct sio_event *e, const struct order *o)
{
    struct adapter_ask a = {
        .timeout_ms = o->timeout_ms, .each = on_answer, .on_count = on_clients, .done = on_result};
    bool is_question = is(e, "fetch") || is(e, "ask") || is(e, "server-ask");

    if (!is_question) return false;
    a.ctx = question_new(s, e);
    if (is(e, "fetch"))
        sio_sockets_fetch(&o->to, &a);
    else if (is(e, "ask"))
        sio_cast_emit_ack(&o->to, sb_view(&o->array), e->attachments, e->attachments_count, &a);
    else
        sio_server_emit(main_nsp, sb_view(&o->array), &a);
    return true;
}

static void join(struct sio_socket *s, const struct order *o)
{
    for (unsigned i = 0; i < o->rooms_count; i++)
        if (sio_socket_join(s, o->rooms[i]) != OK) fprintf(stderr, "cluster: a room was refused\n");
}

static void on_event(void *ctx, struct sio_socket *s, const struct sio_event *e)
{
    bool has_how = !is(e, "join") && !is(e, "server-emit") && !is(e, "server-ask");
    struct order o;

    (void)ctx;
    if (sio_socket_nsp(s) != main_nsp) return;
    read_order(e, has_how, &o);
    if (is(e, "server-count")) {
        sio_server_count(main_nsp, on_server_count, question_new(s, e));
    } else if (!ask(s, e, &o)) {
        if (is(e, "join"))
            join(s, &o);
        else if (is(e, "sockets-join"))
            sio_sockets_join(&o.to, o.rooms, o.rooms_count);
        else if (is(e, "sockets-leave"))
            sio_sockets_leave(&o.to, o.rooms, o.rooms_count);
        else if (is(e, "sockets-disconnect"))
            sio_sockets_disconnect(&o.to, o.close);
        else if (is(e, "server-emit"))
            sio_server_emit(main_nsp, sb_view(&o.array), NULL);
        else if (is(e, "emit"))
            sio_cast_emit(&o.to, sb_view(&o.array), e->attachments, e->attachments_count);
        sio_socket_ack(s, e->ack, STR("[]"), NULL, 0);
    }
    order_fini(&o);
}

static void on_server_emit(void *ctx, struct sio_nsp *n, struct str array,
                           struct adapter_question *q)
{
    struct sio_cast all = sio_cast_all(n);
    struct sb out = {0};

    (void)ctx;
    all.flags = SIO_LOCAL;
    sb_z(&out, "[\"served\",");
    sb_str(&out, str_skip(array, 1));
    sio_cast_emit(&all, sb_view(&out), NULL, 0);
    if (q && !str_starts(array, STR("[\"silent\""))) {
        out.n = 0;
        sb_z(&out, "{\"ours\":");
        sb_str(&out, array);
        sb_char(&out, '}');
        adapter_answer(q, sb_view(&out), NULL, 0);
    }
    if (q) adapter_answer_end(q);
    sb_fini(&out);
}

static int on_connecting(void *ctx, struct sio_socket *s, struct sio_connect *c)
{
    (void)ctx, (void)c;
    if (str_eq(sio_nsp_name(sio_socket_nsp(s)), STR("/"))) main_nsp = sio_socket_nsp(s);
    return OK;
}

static void on_connect(void *ctx, struct sio_socket *s)
{
    (void)ctx, (void)s;
}

static void on_disconnect(void *ctx, struct sio_socket *s, enum close_reason why)
{
    (void)ctx, (void)s, (void)why;
}

static const struct sio_app cluster_app = {.on_connecting = on_connecting,
                                           .on_connect = on_connect,
                                           .on_event = on_event,
                                           .on_disconnect = on_disconnect,
                                           .on_server_emit = on_server_emit};

int main(int argc, char **argv)
{
    static const char *const namespaces[] = {"/", "/custom", NULL};
    static const char *const defaults[] = {"CORS_ORIGINS", "*", "LOG_LEVEL", "warn", NULL};
    struct node_app app = {
        .name = "cluster", .sio = &cluster_app, .namespaces = namespaces, .defaults = defaults};

    return node_run(&app, argc, argv);
}
