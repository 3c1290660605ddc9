/* ingoma-erase: erases a user's private messages, in Redis and in the archive, and when it was last
 * seen. It walks until a walk finds nothing. Status: 0 nothing is left, 1 it failed, 2 bad usage,
 * 3 somebody goes on writing. Never prints the URLs: they may hold passwords. */
#include <stdio.h>

#include "adapter/redis/sweep.h"
#include "base/loop.h"
#include "base/mem.h"
#include "node/archive/archive.h"
#include "node/features/presence/presence_erase.h"
#include "node/features/private/private_erase.h"
#include "tools/user.h"

enum { EXIT_FAILED = 1, EXIT_NEVER_ENDS = 3 };
enum { WALKS_MAX = 5 };

static const char help[] =
    "ingoma erase USER [option...]     erases a user's private messages\n"
    "\n"
    "  USER              the user's id; every conversation of it goes, also for the other ones, "
    "and\n"
    "                    its inbox, cursors, blocks, and when it was last seen\n" USER_HELP "\n"
    "Log the user out first (ingoma revoke), and give it no new token.\n"
    "Status: 0 nothing is left, 1 failed, 2 bad usage, 3 somebody goes on writing.\n";

struct erasure {
    struct loop *loop;
    const struct conf *conf;
    struct archive *archive;
    struct private_erase what;
    struct str patterns[PRIVATE_ERASE_PATTERNS + 1];
    struct sb scratch;
    unsigned walks, keys, messages;
    unsigned found; /* by this walk */
    bool is_over;
    int status;
};

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
        end(e, USER_DONE);
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
    if (redis_sweep(e->loop, e->conf, &c, on_swept, e, &why) == OK) return;
    end(e, user_complain("erase", "", why));
    mem_free(why);
}

/* ---- from the options to the end ---- */

static int erase(struct erasure *e)
{
    char *why = NULL;

    e->loop = loop_new();
    e->status = USER_BAD_USAGE;
    memcpy(e->patterns, e->what.patterns, sizeof e->what.patterns);
    e->patterns[PRIVATE_ERASE_PATTERNS] = STR(PRESENCE_ERASE_PATTERN);
    if (archive_open(e->loop, e->conf, ARCHIVE_OF_OPERATOR, &e->archive, &why) == OK) {
        walk(e);
        if (!e->is_over) loop_run(e->loop);
        archive_close(e->archive);
    } else {
        user_complain("erase", "", why);
    }
    loop_turn(e->loop, false);
    loop_free(e->loop);
    mem_free(why);
    return e->status;
}

static int run(const struct conf *c, struct str id)
{
    struct erasure e = {.conf = c};
    int status = USER_BAD_USAGE;

    if (private_erase_init(&e.what, id) == OK)
        status = erase(&e);
    else
        user_complain("erase", "", "that is no id");
    private_erase_fini(&e.what);
    sb_fini(&e.scratch);
    return status;
}

int main(int argc, char **argv)
{
    return user_main("erase", help, argc, argv, run);
}
