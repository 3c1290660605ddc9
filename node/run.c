/* The runtime: wires the rooms of the house together and takes them apart in order.
 * Must hold no logic of a protocol: only who gets whose callbacks. */
#include "node/run_priv.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/rand.h"
#include "node/auth/origin.h"
#include "node/auth/token.h"
#include "node/event/event.h"
#include "node/ops/ops.h"

/* "infinity" of a container is no sane size for anybody's tables */
#define DESCRIPTORS_MAX 1048576

static struct str node_id(const struct node *n)
{
    return str_of(n->id, sizeof n->id);
}

/* ---- clients' port: the socket path is Engine.IO's, the rest is ops' ---- */

/* New sessions of who comes too often, or is banned: before anything is kept for them. */
static bool turned_away(struct node *n, struct pipe *p, const struct http_request *r)
{
    struct http_reply no = {.status = 503,
                            .content_type = STR("application/json"),
                            .body = STR("{\"code\":3,\"message\":\"Try again later\"}"),
                            .close = true};
    struct sb lines = {0};
    struct str sid;
    uint64_t wait_ms;

    if (!n->events || r->method == HTTP_OPTIONS || str_query(r->query, STR("sid"), &sid))
        return false;
    wait_ms = events_admit(n->events, r->address);
    if (!wait_ms) return false;
    (void)auth_origin_headers(n->origins, r, false, &lines);
    sb_printf(&lines, "Retry-After: %llu\r\n", (unsigned long long)(wait_ms + 999) / 1000);
    no.headers = sb_view(&lines);
    pipe_reply(p, &no);
    sb_fini(&lines);
    return true;
}

/* True: the program answers it by itself. */
static bool is_programs(struct node *n, struct pipe *p, const struct http_request *r)
{
    const struct node_http *http = n->app->http;

    p->is_apps = false; /* a kept-alive connection: what it asked before is over */
    if (!http || n->is_draining) return false;
    p->is_apps = true; /* before the call: within it the request may be answered, and be over */
    if (http->on_request(n->own, p, r)) return true;
    p->is_apps = false;
    return false;
}

static void on_request(void *ctx, struct pipe *p, const struct http_request *r)
{
    struct node *n = ctx;
    struct http_reply none = {.status = 404,
                              .content_type = STR("application/json"),
                              .body = STR("{\"error\":\"not found\"}")};

    struct http_reply busy = {.status = 503, .headers = STR("Retry-After: 1\r\n"), .close = true};
    struct str sid;

    if (ops_public(n->ops, p, r)) return;
    if (is_programs(n, p, r)) return;
    if (n->is_draining && !str_query(r->query, STR("sid"), &sid)) {
        pipe_reply(p, &busy); /* a kept-alive connection: the next one reaches another node */
        return;
    }
    if (str_starts(r->path, str_z(n->conf.socket_path)) && turned_away(n, p, r)) return;
    if (str_starts(r->path, str_z(n->conf.socket_path)))
        eio_on_request(n->eio, p, r);
    else
        pipe_reply(p, &none);
}

static void on_body(void *ctx, struct pipe *p, int rc, struct str body)
{
    struct node *n = ctx;

    if (p->is_apps)
        n->app->http->on_body(n->own, p, rc, body);
    else if (!ops_public_body(n->ops, p, rc, body))
        eio_on_body(n->eio, p, rc, body);
}

static void on_message(void *ctx, struct pipe *p, struct str data, bool binary)
{
    eio_on_message(((struct node *)ctx)->eio, p, data, binary);
}

static void on_gone(void *ctx, struct pipe *p, int code)
{
    struct node *n = ctx;

    if (p->is_apps)
        n->app->http->on_gone(n->own, p);
    else if (!ops_public_owns(n->ops, p))
        eio_on_gone(n->eio, p, code);
}

static const struct edge_handler public_handler = {
    .on_request = on_request, .on_body = on_body, .on_message = on_message, .on_gone = on_gone};

/* ---- ops port ---- */

static void on_ops_request(void *ctx, struct pipe *p, const struct http_request *r)
{
    ops_private(((struct node *)ctx)->ops, p, r);
}

static void on_ops_body(void *ctx, struct pipe *p, int rc, struct str body)
{
    ops_private_body(((struct node *)ctx)->ops, p, rc, body);
}

static void on_ops_gone(void *ctx, struct pipe *p, int code)
{
    (void)code;
    ops_private_gone(((struct node *)ctx)->ops, p);
}

static const char *part_state(void *ctx)
{
    struct node *n = ctx;

    return n->app->part->state(n->own);
}

static void on_order(void *ctx, const struct order *o)
{
    events_order(((struct node *)ctx)->events, o);
}

static const struct edge_handler ops_handler = {
    .on_request = on_ops_request, .on_body = on_ops_body, .on_gone = on_ops_gone};

/* ---- signals ---- */

static void on_drained(void *ctx)
{
    loop_stop(((struct node *)ctx)->loop);
}

static void on_end_signal(void *ctx, int signo)
{
    struct node *n = ctx;

    if (n->is_draining) { /* asked twice: at once */
        loop_stop(n->loop);
        return;
    }
    n->is_draining = true;
    LOG_INFO("node.stopping", LOG_U("signal", signo));
    ops_set_draining(n->ops);
    edge_stop_accepting(n->edge);
    ops_drain_start(&n->drain, n->loop, n->eio, n->conf.drain_seconds, on_drained, n);
}

/* ---- start ---- */

static bool demo_token(void *ctx, struct str name, struct sb *out)
{
    return auth_token_sign_guest(((struct node *)ctx)->auth, name, clock_wall_ms(), out) == OK;
}

static bool dev_token(void *ctx, struct str name, struct sb *out)
{
    return auth_token_sign_named(((struct node *)ctx)->auth, name, clock_wall_ms(), out) == OK;
}

static void on_death(struct timer *t)
{
    (void)t;
    (void)raise(SIGKILL);
}

/* A turn later, when the answer has left; nothing is taken apart, as with kill -9. */
static void dev_die(void *ctx)
{
    struct node *n = ctx;

    timer_init(&n->death, on_death);
    loop_timer(n->loop, &n->death, 1);
}

static void raise_descriptors(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) != 0) return;
    if (r.rlim_max > DESCRIPTORS_MAX) r.rlim_max = DESCRIPTORS_MAX;
    r.rlim_cur = r.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &r);
}

static void complain(const char *sentence)
{
    fprintf(stderr, "%s\n", sentence);
}

static enum log_level level_of(const char *name)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};

    for (unsigned i = 0; i < 4; i++)
        if (strcmp(names[i], name) == 0) return (enum log_level)i;
    return LOG_LEVEL_INFO;
}

static void set_name(struct conf *c)
{
    char host[65] = "node";

    if (c->node_name[0]) return;
    (void)gethostname(host, sizeof host - 1);
    mem_free(c->node_name);
    c->node_name = str_dup(str_z(host));
}

/* Nobody is let in before JWKS_URL was asked: people with good tokens would be guests. */
static void await_keys(struct node *n)
{
    auth_watch(n->auth, n->loop);
    while (!auth_is_settled(n->auth))
        loop_turn(n->loop, true);
}

/* What stands on nothing but the loop and the options. */
static int start_own(struct node *n, char **why)
{
    const struct node_app *app = n->app;
    const struct conf *c = &n->conf;

    n->loop = loop_new();
    n->auth = auth_new(c);
    await_keys(n);
    n->origins = auth_origins_new(c);
    n->cors = (struct eio_cors){.headers = auth_origin_headers, .ctx = n->origins};
    if (app->start && !(n->own = app->start(n->loop, c, why))) return ERR_CONFIG;
    if (app->features &&
        !(n->events = events_new(n->loop, c, n->auth, str_z(*app->namespaces), app->features)))
        return ERR_CONFIG;
    if (n->events) events_set_app(n->events, n->own);
    return OK;
}

/* The layers, from the bottom up. Why a part could not start is one sentence in *why. */
static int start(struct node *n, char **why)
{
    const struct node_app *app = n->app;
    const struct conf *c = &n->conf;
    struct ops_sources sources = {.program = app->name, .ctx = n};
    int rc = start_own(n, why);

    if (rc != OK) return rc;
    if (!app->eio)
        n->sio = sio_new(n->loop, c, n->events ? event_sio_app() : app->sio,
                         n->events ? n->events : app->ctx);
    n->eio = eio_new(n->loop, c, node_id(n), app->eio ? app->eio : sio_eio_app(),
                     app->eio ? app->ctx : n->sio, &n->cors);
    if (n->sio) sio_attach(n->sio, n->eio);
    rc = adapter_open(n->loop, c, node_id(n), &run_cluster_handler, n, &n->adapter, why);
    if (rc != OK) return rc;
    eio_attach_adapter(n->eio, n->adapter);
    if (n->sio) sio_attach_adapter(n->sio, n->adapter);
    for (const char *const *name = app->namespaces; n->sio && name && *name; name++)
        sio_nsp_add(n->sio, str_z(*name));
    if (n->events) events_attach(n->events, n->sio, n->adapter);
    sources.eio = n->eio;
    sources.sio = n->sio;
    sources.adapter = n->adapter;
    if (n->events) sources.denied = events_denied(n->events);
    if (auth_has_secret(n->auth)) sources.demo_token = demo_token, sources.dev.token = dev_token;
    sources.dev.die = dev_die;
    if (n->events) sources.order = on_order;
    if (app->part) sources.part = app->part->name, sources.part_state = part_state;
    n->ops = ops_new(c, node_id(n), &sources);
    rc = edge_open(n->loop, c, c->host, (unsigned)c->port, &public_handler, n, &n->edge, why);
    if (rc == OK && c->ops_port)
        rc = edge_open(n->loop, c, c->ops_host, (unsigned)c->ops_port, &ops_handler, n,
                       &n->ops_edge, why);
    return rc;
}

static void stop(struct node *n)
{
    if (n->is_draining) loop_timer_stop(n->loop, &n->drain.tick); /* asked twice: it still runs */
    if (n->edge) edge_stop_accepting(n->edge);
    ops_private_cut(n->ops);
    if (n->ops_edge) edge_free(n->ops_edge);
    if (n->eio) eio_free(n->eio);
    n->eio = NULL; /* other nodes may still speak until adapter_close */
    if (n->events) events_detach(n->events);
    if (n->own && n->app->stop) n->app->stop(n->own); /* its requests may still be answered */
    if (n->edge) edge_free(n->edge);
    if (n->sio) sio_attach_adapter(n->sio, NULL);
    if (n->adapter) adapter_close(n->adapter);
    if (n->sio) sio_free(n->sio);
    if (n->events) events_free(n->events);
    ops_free(n->ops);
    if (n->auth) auth_free(n->auth);
    if (n->origins) auth_origins_free(n->origins);
    if (n->loop) loop_free(n->loop);
    buf_pool_trim();
}

/* --help and --version. True: answered, the program ends. */
static bool served_question(int argc, char **argv, const struct node_app *app)
{
    struct sb out = {0};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) conf_print_help(&out, app->name);
        if (strcmp(argv[i], "--version") == 0)
            sb_printf(&out, "ingoma-%s " INGOMA_VERSION "\n", app->name);
    }
    if (out.n == 0) return false;
    (void)fwrite(out.p, 1, out.n, stdout);
    sb_fini(&out);
    return true;
}

static int read_options(struct node *n, int argc, char **argv)
{
    const struct node_app *app = n->app;
    struct sb mistakes = {0};
    int rc;

    if (app->port) conf_default("PORT", app->port);
    if (app->ops_port) conf_default("OPS_PORT", app->ops_port);
    for (const char *const *d = app->defaults; d && *d; d += 2)
        conf_default(d[0], d[1]);
    rc = conf_read(&n->conf, argc, argv, getenv, &mistakes);
    if (rc != OK) (void)fwrite(mistakes.p, 1, mistakes.n, stderr);
    sb_fini(&mistakes);
    return rc;
}

static bool asks_for_config(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--print-config") == 0) return true;
    return false;
}

static void print_config(const struct conf *c)
{
    struct sb out = {0};

    conf_print(c, &out);
    (void)fwrite(out.p, 1, out.n, stdout);
    sb_fini(&out);
}

/* From the options to the end of the loop. Returns the exit status. */
static int serve(struct node *n)
{
    char *why = NULL;
    int status = 1;

    rand_id(n->id, sizeof n->id);
    set_name(&n->conf);
    log_open(str_z(n->conf.node_name), level_of(n->conf.log_level));
    raise_descriptors();
    if (start(n, &why) == OK) {
        status = 0;
        loop_signal(n->loop, SIGTERM, on_end_signal, n);
        loop_signal(n->loop, SIGINT, on_end_signal, n);
        LOG_INFO("node.started", LOG_Z("program", n->app->name), LOG_S("id", node_id(n)),
                 LOG_U("port", edge_port(n->edge)));
        loop_run(n->loop);
        LOG_INFO("node.stopped");
    } else if (why) {
        complain(why);
    }
    stop(n);
    mem_free(why);
    return status;
}

int node_run(const struct node_app *app, int argc, char **argv)
{
    struct node *n;
    int status = 2;

    if (served_question(argc, argv, app)) return 0;
    n = MEM_NEW(struct node);
    n->app = app;
    if (read_options(n, argc, argv) == OK) {
        if (asks_for_config(argc, argv)) {
            print_config(&n->conf);
            status = 0;
        } else {
            status = serve(n);
        }
    }
    conf_fini(&n->conf);
    mem_free(n);
    return status;
}
