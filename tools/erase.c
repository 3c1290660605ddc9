/* ingoma-erase: erases a user's private messages, in Redis and in the archive, and when it was last
 * seen. It walks until a walk finds nothing. Status: 0 nothing is left, 1 it failed, 2 bad usage,
 * 3 somebody goes on writing. Never prints the URLs: they may hold passwords. */
#include <stdio.h>
#include <stdlib.h>

#include "adapter/redis/sweep.h"
#include "base/conf.h"
#include "base/loop.h"
#include "base/mem.h"
#include "node/archive/archive.h"
#include "node/features/presence/presence_erase.h"
#include "node/features/private/private_erase.h"
#include "tools/command.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NEVER_ENDS = 3 };
enum { WALKS_MAX = 5, FLAGS_MAX = 5 };

static const char help[] =
    "ingoma erase USER [option...]     erases a user's private messages\n"
    "\n"
    "  USER              the user's id; every conversation of it goes, also for the other ones, "
    "and\n"
    "                    its inbox, cursors, blocks, and when it was last seen\n"
    "  --number          the id is a number in tokens: 7 is not \"7\"\n"
    "  --redis URL       REDIS_URL when left out\n"
    "  --mongodb URI     MONGODB_URI of the gateways when left out; empty: there is no archive\n"
    "\n"
    "Log the user out first (ingoma revoke), and give it no new token.\n"
    "Status: 0 nothing is left, 1 failed, 2 bad usage, 3 somebody goes on writing.\n";

struct wish {
    struct str user;
    bool is_number;
    struct sb redis, mongodb; /* flags of conf_read, terminated; empty: not given */
};

struct erasure {
    struct loop *loop;
    struct conf conf;
    struct archive *archive;
    struct private_erase what;
    struct str patterns[PRIVATE_ERASE_PATTERNS + 1];
    struct sb scratch;
    unsigned walks, keys, messages;
    unsigned found; /* by this walk */
    bool is_over;
    int status;
};

static int complain(const char *what, const char *sentence)
{
    fprintf(stderr, "ingoma erase: %s%s\n", what, sentence);
    return EXIT_USAGE;
}

/* ---- what is wanted ---- */

static int read_wish(struct wish *w, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct str name, value;
        bool has_value = str_cut(str_z(argv[i]), '=', &name, &value);

        if (str_eq(name, STR("--number"))) {
            w->is_number = true;
        } else if (str_eq(name, STR("--redis")) || str_eq(name, STR("--mongodb"))) {
            if (!has_value && i + 1 == argc) return complain(argv[i], ": needs a value");
            if (!has_value) value = str_z(argv[++i]);
            if (str_eq(name, STR("--redis")))
                command_flag(&w->redis, "--redis-url=", value);
            else
                command_flag(&w->mongodb, "--mongodb-uri=", value);
        } else if (str_starts(name, STR("--")) || w->user.p) {
            return complain(argv[i], ": no such option; --help lists them");
        } else {
            w->user = str_z(argv[i]);
        }
    }
    return w->user.n ? EXIT_DONE : complain("", "give the id of a user");
}

/* ---- walks ---- */

static void end(struct erasure *e, int status)
{
    e->status = status;
    e->is_over = true;
    loop_stop(e->loop);
}

static bool on_key(void *ctx, struct str key, struct redis_visit *out)
{
    struct erasure *e = ctx;

    return private_erase_key(&e->what, key, out) ||
           presence_erase_key(e->what.id.text, key, out, &e->scratch);
}

static void walk(struct erasure *e);

static void end_walk(struct erasure *e)
{
    if (!e->found) {
        printf("erased %u entries in Redis and %u messages in the archive%s\n", e->keys,
               e->messages, archive_is_on(e->archive) ? "" : ", which is off (MONGODB_URI)");
        end(e, EXIT_DONE);
    } else if (++e->walks == WALKS_MAX) {
        fputs("ingoma erase: there is always something new: is the user still there?\n", stderr);
        end(e, EXIT_NEVER_ENDS);
    } else {
        walk(e);
    }
}

static void erase_archived(struct erasure *e);

static void on_erased(void *ctx, int rc, unsigned count)
{
    struct erasure *e = ctx;

    e->messages += count;
    e->found += count;
    if (rc != OK) {
        fprintf(stderr, "ingoma erase: the archive: %s; run it again\n", err_text(rc));
        end(e, EXIT_FAILED);
    } else if (count) {
        erase_archived(e);
    } else {
        end_walk(e);
    }
}

static void erase_archived(struct erasure *e)
{
    archive_erase(e->archive, e->what.id.part, on_erased, e);
}

static void on_swept(void *ctx, int rc, unsigned count, struct str why)
{
    struct erasure *e = ctx;

    e->keys += count;
    e->found += count;
    if (rc != OK) {
        fprintf(stderr, "ingoma erase: " STR_FMT "; run it again\n", STR_ARG(why));
        end(e, EXIT_FAILED);
    } else if (archive_is_on(e->archive)) {
        erase_archived(e);
    } else {
        end_walk(e);
    }
}

static void walk(struct erasure *e)
{
    const struct redis_sweep_conf c = {.patterns = e->patterns,
                                       .patterns_count = PRIVATE_ERASE_PATTERNS + 1,
                                       .on_key = on_key,
                                       .ctx = e};
    char *why = NULL;

    e->found = 0;
    if (redis_sweep(e->loop, &e->conf, &c, on_swept, e, &why) == OK) return;
    end(e, complain("", why));
    mem_free(why);
}

/* ---- from the options to the end ---- */

static int erase(struct erasure *e)
{
    char *why = NULL;

    e->loop = loop_new();
    e->status = EXIT_USAGE;
    memcpy(e->patterns, e->what.patterns, sizeof e->what.patterns);
    e->patterns[PRIVATE_ERASE_PATTERNS] = STR(PRESENCE_ERASE_PATTERN);
    if (archive_open(e->loop, &e->conf, ARCHIVE_OF_OPERATOR, &e->archive, &why) == OK) {
        walk(e);
        if (!e->is_over) loop_run(e->loop);
        archive_close(e->archive);
    } else {
        complain("", why);
    }
    loop_turn(e->loop, false);
    loop_free(e->loop);
    mem_free(why);
    return e->status;
}

/* The id as it is in tokens. */
static int name_user(const struct wish *w, struct private_erase *out)
{
    struct sb raw = {0};
    int rc = str_is_utf8(w->user) ? OK : ERR_UTF8;

    if (w->is_number)
        sb_str(&raw, w->user);
    else
        sb_json(&raw, w->user);
    if (rc == OK) rc = private_erase_init(out, sb_view(&raw));
    if (rc == OK && w->is_number != (out->id.part.p[0] == '#')) rc = ERR_SCHEMA;
    sb_fini(&raw);
    return rc;
}

static int run(struct wish *w)
{
    char dev[] = "--dev", name[] = "erase"; /* secrets of nodes are no matter here */
    char *flags[FLAGS_MAX] = {name, dev};
    struct erasure e = {0};
    struct sb why = {0};
    int count = 2, status = EXIT_USAGE;

    if (w->redis.n) flags[count++] = w->redis.p;
    if (w->mongodb.n) flags[count++] = w->mongodb.p;
    if (conf_read(&e.conf, count, flags, getenv, &why) != OK)
        fprintf(stderr, "ingoma erase: " STR_FMT, STR_ARG(sb_view(&why)));
    else if (name_user(w, &e.what) != OK)
        complain("", w->is_number ? "that is no number" : "that is no id");
    else
        status = erase(&e);
    private_erase_fini(&e.what);
    sb_fini(&e.scratch);
    conf_fini(&e.conf);
    sb_fini(&why);
    return status;
}

int main(int argc, char **argv)
{
    struct wish w = {0};
    int status;

    if (command_begin("erase", help, argc, argv)) return EXIT_DONE;
    status = read_wish(&w, argc, argv);
    if (status == EXIT_DONE) status = run(&w);
    sb_fini(&w.redis);
    sb_fini(&w.mongodb);
    return status;
}
