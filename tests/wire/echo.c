/* The small program that the conformance suites run against (tests/wire/conformance/README.md):
 *     wire-echo engine|socket [--port N] [--option value]…     (--eio3 on for the suite of
 * Engine.IO 3) engine: sends every Engine.IO message back on /engine.io/; socket: the application
 * of the Socket.IO suite on /socket.io/, and for tests/system two events more in /: `join` rooms…
 * and `broadcast` {to, except, volatile, local} name args…. Everything else is the runtime of the
 * real programs: several of them may share a port and a Redis. */
#include <stdio.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "node/eio/eio.h"
#include "node/run.h"
#include "node/sio/sio.h"

/* ---- engine ---- */

static void engine_message(void *ctx, struct eio_session *s, struct str data, bool binary)
{
    (void)ctx;
    eio_session_send(s, binary ? eio_binary_message(eio_session_protocol(s), data)
                               : eio_text_message(data));
}

static void engine_open(void *ctx, struct eio_session *s)
{
    (void)ctx, (void)s;
}

static void engine_close(void *ctx, struct eio_session *s, enum close_reason why)
{
    (void)ctx, (void)s, (void)why;
}

static const struct eio_app engine_app = {
    .on_open = engine_open, .on_message = engine_message, .on_close = engine_close};

/* ---- socket ---- */

static void socket_connect(void *ctx, struct sio_socket *s)
{
    struct sb array = {0};

    (void)ctx;
    sb_z(&array, "[\"auth\",");
    sb_str(&array, sio_socket_auth(s));
    sb_char(&array, ']');
    sio_socket_emit(s, sb_view(&array), NULL, 0);
    sb_fini(&array);
}

/* Texts of an array, at most max; they point into options or scratch. */
static unsigned read_names(struct json options, const char *key, struct sb *scratch,
                           struct str *out, unsigned max)
{
    struct json list, item;
    struct str rest;
    unsigned n = 0;

    if (!json_member(options, str_z(key), &list) || list.type != JSON_ARRAY) return 0;
    rest = json_begin(list);
    while (n < max && json_next_item(&rest, &item))
        if (item.type == JSON_STRING && json_text(item, scratch, &out[n]) == OK) n++;
    return n;
}

static bool is_set(struct json options, const char *key)
{
    struct json v;
    bool set = false;

    return json_member(options, str_z(key), &v) && json_bool(v, &set) && set;
}

static void socket_broadcast(struct sio_socket *s, const struct sio_event *e)
{
    struct sio_cast c = sio_cast_all(sio_socket_nsp(s));
    struct json whole = {JSON_ARRAY, e->array}, options, name;
    struct str rest = json_begin(whole);
    struct sb scratch = {0}, array = {0};

    if (!json_next_item(&rest, &name) || !json_next_item(&rest, &options) ||
        !json_next_item(&rest, &name) || options.type != JSON_OBJECT)
        return;
    sb_reserve(&scratch, e->array.n + 16); /* so that it does not move */
    c.rooms_count = read_names(options, "to", &scratch, c.rooms, SIO_CAST_ROOMS);
    c.except_count = read_names(options, "except", &scratch, c.except, SIO_CAST_ROOMS);
    if (is_set(options, "volatile")) c.flags |= SIO_VOLATILE;
    if (is_set(options, "local")) c.flags |= SIO_LOCAL;
    sb_char(&array, '[');
    sb_str(&array, str_skip(e->array, (size_t)(name.raw.p - e->array.p)));
    sio_cast_emit(&c, sb_view(&array), e->attachments, e->attachments_count);
    sb_fini(&array);
    sb_fini(&scratch);
}

static void socket_join(struct sio_socket *s, const struct sio_event *e)
{
    struct json whole = {JSON_ARRAY, e->array}, item;
    struct str rest = json_begin(whole), room;
    struct sb scratch = {0};

    (void)json_next_item(&rest, &item); /* the name of the event */
    while (json_next_item(&rest, &item)) {
        scratch.n = 0;
        if (item.type != JSON_STRING || json_text(item, &scratch, &room) != OK) continue;
        if (sio_socket_join(s, room) != OK) fprintf(stderr, "echo: a room was refused\n");
    }
    sb_fini(&scratch);
    sio_socket_ack(s, e->ack, STR("[]"), NULL, 0);
}

static void socket_event(void *ctx, struct sio_socket *s, const struct sio_event *e)
{
    struct sb array = {0};

    (void)ctx;
    if (!str_eq(sio_nsp_name(sio_socket_nsp(s)), STR("/"))) return;
    sb_char(&array, '[');
    if (str_eq(e->name, STR("message"))) {
        sb_z(&array, "\"message-back\"");
        if (e->args.n != 0) sb_char(&array, ',');
        sb_str(&array, e->args);
        sb_char(&array, ']');
        sio_socket_emit(s, sb_view(&array), e->attachments, e->attachments_count);
    } else if (str_eq(e->name, STR("message-with-ack"))) {
        sb_str(&array, e->args);
        sb_char(&array, ']');
        sio_socket_ack(s, e->ack, sb_view(&array), e->attachments, e->attachments_count);
    } else if (str_eq(e->name, STR("join"))) {
        socket_join(s, e);
    } else if (str_eq(e->name, STR("broadcast"))) {
        socket_broadcast(s, e);
    }
    sb_fini(&array);
}

static int socket_connecting(void *ctx, struct sio_socket *s, struct sio_connect *c)
{
    (void)ctx, (void)s, (void)c;
    return OK;
}

static void socket_disconnect(void *ctx, struct sio_socket *s, enum close_reason why)
{
    (void)ctx, (void)s, (void)why;
}

static const struct sio_app socket_app = {.on_connecting = socket_connecting,
                                          .on_connect = socket_connect,
                                          .on_event = socket_event,
                                          .on_disconnect = socket_disconnect};

/* ---- main ---- */

static const char *const namespaces[] = {"/", "/custom", NULL};

/* clang-format off */
#define SUITE_DEFAULTS                                                                             \
    "PING_INTERVAL_MS", "300", "PING_TIMEOUT_MS", "200", "CONNECT_TIMEOUT_MS", "1000",             \
    "MAX_PAYLOAD_BYTES", "1000000", "CORS_ORIGINS", "*", "EIO3", "off", "ADAPTER", "local",        \
    "OPS_PORT", "0", "DRAIN_SECONDS", "0", "LOG_LEVEL", "warn"
/* clang-format on */

static bool is_option(const char *arg)
{
    return arg && strncmp(arg, "--", 2) == 0;
}

/* "--port 3000" becomes "--port=3000", the only form the options know. Returns the new count. */
static int join_values(int argc, char **argv, struct sb *text)
{
    int n = 1;

    sb_reserve(text, 65536); /* so that it does not move: argv points into it */
    for (int i = 1; i < argc; i++) {
        if (!is_option(argv[i]) || strchr(argv[i], '=') || i + 1 == argc ||
            is_option(argv[i + 1]) || text->n + strlen(argv[i]) + strlen(argv[i + 1]) + 2 > 65536) {
            argv[n++] = argv[i];
            continue;
        }
        char *joined = text->p + text->n;

        sb_printf(text, "%s=%s", argv[i], argv[i + 1]);
        sb_char(text, 0);
        argv[n++] = joined;
        i++;
    }
    return n;
}

int main(int argc, char **argv)
{
    static const char *const engine_defaults[] = {SUITE_DEFAULTS, "SOCKET_PATH", "/engine.io/",
                                                  NULL};
    static const char *const socket_defaults[] = {SUITE_DEFAULTS, NULL};
    struct node_app app = {.name = "echo"};
    struct sb text = {0};
    int status;

    if (argc >= 2 && strcmp(argv[1], "engine") == 0) {
        app.eio = &engine_app;
        app.defaults = engine_defaults;
    } else if (argc >= 2 && strcmp(argv[1], "socket") == 0) {
        app.sio = &socket_app;
        app.namespaces = namespaces;
        app.defaults = socket_defaults;
    } else {
        fprintf(stderr, "usage: wire-echo engine|socket [--port N] [--option value]...\n");
        return 2;
    }
    argv[1] = argv[0];
    status = node_run(&app, join_values(argc - 1, argv + 1, &text), argv + 1);
    sb_fini(&text);
    return status;
}
