/* ingoma-emit: emits one event to a running cluster by way of Redis, for shells and cron jobs.
 * Status: 0 at least one server heard it, 1 it failed, 2 bad usage, 3 nobody listens. What may be
 * ordered is decided by node/ops/emit_order.c, as for POST /emit. Never prints the Redis URL: it
 * may hold a password. */
#include <stdio.h>
#include <stdlib.h>

#include "adapter/redis/emit.h"
#include "base/conf.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"
#include "node/ops/emit_order.h"
#include "tools/command.h"

enum { EXIT_HEARD = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NOBODY = 3 };

static const char help[] =
    "ingoma emit --event NAME [option...]     emits one event to all servers of a cluster\n"
    "\n"
    "  --data JSON       its one argument; --args '[JSON, ...]' gives several; neither: none\n"
    "  --room R          to the sockets in a room; again for up to 8 rooms\n"
    "  --user U          to the room of a user (user-U)\n"
    "  --except R        but not to those in this room, or of this socket id; again for up to 8\n"
    "  --namespace N     \"/\" when left out\n"
    "  --volatile        clients that are not ready for it may miss it\n"
    "  --redis URL       REDIS_URL when left out\n"
    "  --prefix P        ADAPTER_PREFIX when left out\n"
    "  --adapter A       redis, redis-sharded or redis-streams; ADAPTER when left out\n"
    "\n"
    "Without --room and --user it reaches everybody in the namespace. Prints how many\n"
    "servers heard it.\n"
    "Status: 0 at least one server heard it, 1 failed, 2 bad usage, 3 nobody listens.\n";

struct order {
    struct sb body; /* the order as JSON, without its closing brace */
    struct sb rooms, except;
    struct sb redis, prefix, adapter; /* flags of conf_read, terminated; empty: not given */
};

struct ending {
    struct loop *loop;
    int status;
};

static int complain(const char *option, const char *sentence)
{
    fprintf(stderr, "ingoma emit: %s%s\n", option, sentence);
    return EXIT_USAGE;
}

/* ---- what was asked for ---- */

static void put_member(struct sb *body, const char *name)
{
    sb_char(body, body->n ? ',' : '{');
    sb_json(body, str_z(name));
    sb_char(body, ':');
}

static void put_item(struct sb *list, struct str item)
{
    sb_char(list, list->n ? ',' : '[');
    sb_json(list, item);
}

/* What is spliced must be one whole value: '1,"rooms":...' would be an order of its own. */
static int put_json(struct sb *body, const char *name, struct str text)
{
    struct json v;

    if (json_parse(text, &v) != OK)
        return complain("--", name[0] == 'd' ? "data: is not JSON; a text needs its quotes"
                                             : "args: is not JSON");
    put_member(body, name);
    sb_str(body, v.raw);
    return EXIT_HEARD;
}

static int read_option(struct order *o, const char *name, struct str value)
{
    static const char *const texts[] = {"event", "user", "namespace"};

    if (!str_is_utf8(value)) return complain(name, ": is not UTF-8");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(name + 2, texts[i]) != 0) continue;
        put_member(&o->body, texts[i]);
        sb_json(&o->body, value);
        return EXIT_HEARD;
    }
    if (strcmp(name, "--data") == 0 || strcmp(name, "--args") == 0)
        return put_json(&o->body, name + 2, value);
    if (strcmp(name, "--room") == 0)
        put_item(&o->rooms, value);
    else if (strcmp(name, "--except") == 0)
        put_item(&o->except, value);
    else if (strcmp(name, "--redis") == 0)
        command_flag(&o->redis, "--redis-url=", value);
    else if (strcmp(name, "--adapter") == 0)
        command_flag(&o->adapter, "--adapter=", value);
    else
        command_flag(&o->prefix, "--adapter-prefix=", value);
    return EXIT_HEARD;
}

static const char *known_option(struct str name)
{
    static const char *const names[] = {"--event",  "--data",   "--args",      "--room",
                                        "--user",   "--except", "--namespace", "--redis",
                                        "--prefix", "--adapter"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq(name, str_z(names[i]))) return names[i];
    return NULL;
}

static void put_list(struct sb *body, const char *name, struct sb *list)
{
    if (!list->n) return;
    put_member(body, name);
    sb_str(body, sb_view(list));
    sb_char(body, ']');
}

static int read_options(struct order *o, int argc, char **argv)
{
    int status = EXIT_HEARD;

    for (int i = 1; i < argc && status == EXIT_HEARD; i++) {
        struct str name, value;
        bool has_value = str_cut(str_z(argv[i]), '=', &name, &value);
        const char *known = known_option(name);

        if (str_eq(str_z(argv[i]), STR("--volatile"))) {
            put_member(&o->body, "volatile");
            sb_z(&o->body, "true");
            continue;
        }
        if (!known) return complain(argv[i], ": no such option; --help lists them");
        if (!has_value && i + 1 == argc) return complain(known, ": needs a value");
        status = read_option(o, known, has_value ? value : str_z(argv[++i]));
    }
    put_list(&o->body, "rooms", &o->rooms);
    put_list(&o->body, "except", &o->except);
    sb_z(&o->body, o->body.n ? "}" : "{}");
    return status;
}

/* ---- doing it ---- */

static void on_done(void *ctx, int rc, unsigned servers, struct str why)
{
    struct ending *end = ctx;

    if (rc != OK) {
        fprintf(stderr, "ingoma emit: " STR_FMT ".\n", STR_ARG(why));
        end->status = EXIT_FAILED;
    } else {
        printf("heard by %u server%s\n", servers, servers == 1 ? "" : "s");
        end->status = servers ? EXIT_HEARD : EXIT_NOBODY;
    }
    loop_stop(end->loop);
}

static int send_order(const struct ops_emit_order *o, const struct conf *c)
{
    const struct adapter_cast cast = {.nsp = o->nsp,
                                      .rooms = o->rooms,
                                      .except = o->except,
                                      .rooms_count = o->rooms_count,
                                      .except_count = o->except_count,
                                      .flags = o->is_volatile ? ADAPTER_VOLATILE : 0u,
                                      .array = o->array};
    struct ending end = {.loop = loop_new(), .status = EXIT_USAGE};
    char *why = NULL;

    if (redis_emit_once(end.loop, c, &cast, on_done, &end, &why) == OK)
        loop_run(end.loop);
    else
        complain("", why);
    loop_free(end.loop);
    mem_free(why);
    return end.status;
}

static int emit(struct order *o)
{
    char dev[] = "--dev", name[] = "emit"; /* secrets of nodes are no matter here */
    char *flags[5] = {name, dev};
    struct ops_emit_order order;
    struct sb scratch = {0}, why = {0};
    struct conf conf;
    int count = 2, status = EXIT_USAGE;

    if (o->redis.n) flags[count++] = o->redis.p;
    if (o->prefix.n) flags[count++] = o->prefix.p;
    if (o->adapter.n) flags[count++] = o->adapter.p;
    if (conf_read(&conf, count, flags, getenv, &why) != OK) goto out;
    if (ops_emit_order_decode(sb_view(&o->body), &scratch, &order, &why) != OK) {
        sb_char(&why, '\n');
        goto out;
    }
    status = send_order(&order, &conf);
out:
    if (why.n) fprintf(stderr, "ingoma emit: " STR_FMT, STR_ARG(sb_view(&why)));
    conf_fini(&conf);
    sb_fini(&scratch);
    sb_fini(&why);
    return status;
}

int main(int argc, char **argv)
{
    struct order o = {0};
    int status;

    if (command_begin("emit", help, argc, argv)) return EXIT_HEARD;
    status = read_options(&o, argc, argv);
    if (status == EXIT_HEARD) status = emit(&o);
    sb_fini(&o.body);
    sb_fini(&o.rooms);
    sb_fini(&o.except);
    sb_fini(&o.redis);
    sb_fini(&o.prefix);
    sb_fini(&o.adapter);
    return status;
}
