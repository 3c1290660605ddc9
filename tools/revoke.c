/* ingoma-revoke: ends a user's tokens, or one token, on all nodes of a cluster, by way of Redis.
 * Status: 0 done, 1 it failed, 2 bad usage, 3 done, but no node listens. Never prints the Redis
 * URL: it may hold a password. */
#include <stdio.h>
#include <stdlib.h>

#include "adapter/redis/order.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/loop.h"
#include "base/mem.h"
#include "node/guard/denied.h"
#include "tools/command.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NOBODY = 3 };

static const char help[] =
    "ingoma revoke --user ID | --jti ID [option...]     logs out on all nodes\n"
    "\n"
    "  --user ID         every token of this user that was issued up to now; later ones are good\n"
    "  --jti ID          the one token with this jti\n"
    "  --until SECONDS   exp of the token (since 1970): it is kept no longer; REVOKE_SECONDS from\n"
    "                    now when left out\n"
    "  --redis URL       REDIS_URL when left out\n"
    "  --prefix P        ADAPTER_PREFIX when left out\n"
    "\n"
    "Status: 0 done, 1 failed, 2 bad usage, 3 done, but no node listens.\n";

struct wish {
    struct str user, jti, until;
    struct sb redis, prefix; /* flags of conf_read, terminated; empty: not given */
};

struct ending {
    struct loop *loop;
    int status;
};

static int complain(const char *what, const char *sentence)
{
    fprintf(stderr, "ingoma revoke: %s%s\n", what, sentence);
    return EXIT_USAGE;
}

static bool take(struct wish *w, struct str name, struct str value)
{
    if (str_eq(name, STR("--user")))
        w->user = value;
    else if (str_eq(name, STR("--jti")))
        w->jti = value;
    else if (str_eq(name, STR("--until")))
        w->until = value;
    else if (str_eq(name, STR("--redis")))
        command_flag(&w->redis, "--redis-url=", value);
    else if (str_eq(name, STR("--prefix")))
        command_flag(&w->prefix, "--adapter-prefix=", value);
    else
        return false;
    return true;
}

static int read_wish(struct wish *w, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct str name, value;
        bool has_value = str_cut(str_z(argv[i]), '=', &name, &value);

        if (!has_value && i + 1 < argc) value = str_z(argv[i + 1]);
        if (!has_value && i + 1 == argc && str_starts(name, STR("--")))
            return complain(argv[i], ": needs a value");
        if (!take(w, name, value)) return complain(argv[i], ": no such option; --help lists them");
        i += !has_value;
    }
    if ((w->user.p != NULL) == (w->jti.p != NULL)) return complain("", "give --user or --jti");
    return EXIT_DONE;
}

static void on_done(void *ctx, int rc, unsigned nodes, struct str why)
{
    struct ending *end = ctx;

    if (rc != OK) {
        fprintf(stderr, "ingoma revoke: " STR_FMT ".\n", STR_ARG(why));
        end->status = EXIT_FAILED;
    } else {
        printf("revoked; heard by %u node%s\n", nodes, nodes == 1 ? "" : "s");
        end->status = nodes ? EXIT_DONE : EXIT_NOBODY;
    }
    loop_stop(end->loop);
}

static int send_order(const struct wish *w, const struct conf *c, uint64_t ttl_s)
{
    struct ending end = {.loop = loop_new(), .status = EXIT_USAGE};
    struct sb scratch = {0};
    struct denied_order order;
    struct redis_order redis = {.keys = order.keys,
                                .args = order.args,
                                .keys_count = 2,
                                .args_count = 2,
                                .say = ADAPTER_DENIED};
    char *why = NULL;

    denied_order_fill(&order, str_z(c->adapter_prefix), w->user.p ? DENIED_USER : DENIED_JTI,
                      w->user.p ? w->user : w->jti, ttl_s, &scratch);
    redis.script = order.script;
    if (redis_order_once(end.loop, c, &redis, on_done, &end, &why) == OK)
        loop_run(end.loop);
    else
        complain("", why);
    loop_free(end.loop);
    sb_fini(&scratch);
    mem_free(why);
    return end.status;
}

static int revoke(struct wish *w)
{
    char dev[] = "--dev", name[] = "revoke"; /* secrets of nodes are no matter here */
    char *flags[4] = {name, dev};
    struct str id = w->user.p ? w->user : w->jti;
    struct sb why = {0};
    struct conf conf;
    uint64_t now_s = clock_wall_ms() / 1000, until_s = 0;
    int count = 2, status = EXIT_USAGE;

    if (w->redis.n) flags[count++] = w->redis.p;
    if (w->prefix.n) flags[count++] = w->prefix.p;
    if (conf_read(&conf, count, flags, getenv, &why) != OK) {
        fprintf(stderr, "ingoma revoke: " STR_FMT, STR_ARG(sb_view(&why)));
    } else if (!id.n || id.n > DENIED_NAME_MAX || !str_is_utf8(id)) {
        complain("", "an id has 1 to 128 bytes of UTF-8");
    } else if (w->until.p && (str_u64(w->until, UINT64_C(1) << 40, &until_s) != OK)) {
        complain("--until", ": is no number of seconds since 1970");
    } else if (w->until.p && until_s <= now_s) {
        printf("nothing to do: that token has expired\n");
        status = EXIT_DONE;
    } else {
        status = send_order(w, &conf, w->until.p ? until_s - now_s : conf.revoke_seconds);
    }
    conf_fini(&conf);
    sb_fini(&why);
    return status;
}

int main(int argc, char **argv)
{
    struct wish w = {0};
    int status;

    if (command_begin("revoke", help, argc, argv)) return EXIT_DONE;
    status = read_wish(&w, argc, argv);
    if (status == EXIT_DONE) status = revoke(&w);
    sb_fini(&w.redis);
    sb_fini(&w.prefix);
    return status;
}
