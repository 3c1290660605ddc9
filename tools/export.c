/* ingoma-export: what Redis and the archive have of a user, as lines of JSON: where it is muted,
 * its presence, its block list and unread counts, and its conversations one after the other, a page
 * at a time. Of all of it only the names of the conversations are held in memory. */
#include <stdio.h>

#include "adapter/redis/ask.h"
#include "adapter/redis/sweep.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/mem.h"
#include "node/archive/archive.h"
#include "node/features/presence/presence_export.h"
#include "node/features/private/private_export.h"
#include "node/features/rooms/rooms_export.h"
#include "node/features/rooms/rooms_key.h"
#include "tools/user.h"

enum { EXIT_NOTHING = 1, EXIT_FAILED = 3 };
enum { PATTERNS = 2, PAGE_BYTES = 262144, SCHEMA = 1 };

static const char help[] =
    "ingoma export USER [option...]    writes what the gateways keep of a user to standard output\n"
    "\n"
    "  USER              the user's id\n" USER_HELP "\n"
    "Lines of JSON: the first one says who it is, the last one how many lines there are; a file\n"
    "without that one is cut off. What is in it is said in docs/private.md; contacts are exported\n"
    "by ingoma contacts export.\n"
    "Status: 0 written, 1 nothing is kept of the user, 2 bad usage, 3 failed.\n";

struct name {
    size_t n;
    char text[];
};

struct export
{
    struct loop *loop;
    const struct conf *conf;
    struct archive *archive;
    struct redis_ask *ask; /* NULL: not open */
    struct private_id who;
    struct sb member, scratch, numbers;
    struct sb pattern, out;
    struct map names;      /* of conversations → struct name */
    struct sb last;        /* of the names in the archive */
    size_t at;             /* in names */
    struct str chat;       /* the conversation that is being written; p NULL: none */
    bool is_chat_begun;    /* its own line is written */
    unsigned fact;         /* that is being asked for */
    uint64_t low, low_old; /* seq from which on Redis and the archive are asked */
    struct private_export_page page;
    unsigned long long lines;
    int status;
    bool is_walking, is_over; /* is_walking: the walk ends by itself */
};

/* ---- the end ---- */

static void end(struct export *e, int status)
{
    if (e->is_over) return;
    e->status = status;
    e->is_over = true;
    if (!e->is_walking) loop_stop(e->loop);
}

static void fail(struct export *e, struct str why)
{
    if (!e->is_over)
        fprintf(stderr, "ingoma export: " STR_FMT "; %s\n", STR_ARG(why),
                e->lines ? "the export is cut off" : "nothing was written");
    end(e, EXIT_FAILED);
}

/* ---- lines ---- */

static void put_head(struct export *e)
{
    struct sb head = {0};

    sb_printf(&head, "{\"type\":\"ingoma-user\",\"schema\":%d,\"userId\":", SCHEMA);
    sb_str(&head, e->who.raw);
    sb_printf(&head,
              ",\"archive\":%s,\"kinds\":[\"room\",\"presence\",\"online\",\"offline\",\"blocked\","
              "\"unread\",\"conversation\",\"message\"]}\n",
              archive_is_on(e->archive) ? "true" : "false");
    fwrite(head.p, 1, head.n, stdout);
    sb_fini(&head);
}

/* What is in e->out. False: it cannot be written, and that was said. */
static bool put(struct export *e, unsigned lines)
{
    if (!lines) return true;
    if (!e->lines) put_head(e);
    e->lines += lines;
    fwrite(e->out.p, 1, e->out.n, stdout);
    e->out.n = 0;
    if (!ferror(stdout)) return true;
    fail(e, STR("the export cannot be written"));
    return false;
}

static void put_end(struct export *e)
{
    if (!e->lines) {
        fputs("ingoma export: nothing is kept of that user\n", stderr);
        end(e, EXIT_NOTHING);
        return;
    }
    sb_printf(&e->out, "{\"type\":\"end\",\"lines\":%llu}\n", e->lines);
    if (put(e, 1) && fflush(stdout) == 0)
        end(e, USER_DONE);
    else
        fail(e, STR("the export cannot be written"));
}

/* ---- a conversation ---- */

static void next_chat(struct export *e);

static void on_page(void *ctx, const struct str *reply, unsigned count);

static void ask_page(struct export *e)
{
    struct redis_visit v;

    private_export_page(&e->who, e->chat, e->low, &v, &e->scratch, &e->numbers);
    redis_ask(e->ask, &v, on_page, e);
}

static void put_messages(struct export *e, const struct archive_page *archived)
{
    bool is_put = put(e, private_export_put_messages(&e->page, archived, &e->out));

    if (!is_put) return;
    if (e->page.has_more) {
        e->low = e->low_old = e->page.seqs[e->page.count - 1] + 1;
        ask_page(e);
    } else {
        next_chat(e);
    }
}

static void ask_archive(struct export *e);

static void on_archived(void *ctx, int rc, const struct archive_page *page)
{
    struct export *e = ctx;

    if (e->is_over) return;
    if (rc != OK) {
        struct sb why = {0};

        sb_printf(&why, "the archive: %s", err_text(rc));
        fail(e, sb_view(&why));
        sb_fini(&why);
    } else if (page->has_more && page->count) {
        if (!put(e, private_export_put_messages(&e->page, page, &e->out))) return;
        e->low_old = page->messages[page->count - 1].seq + 1;
        ask_archive(e);
    } else {
        put_messages(e, page);
    }
}

/* In the range of the page from Redis. */
static void ask_archive(struct export *e)
{
    const struct private_export_page *p = &e->page;
    const struct archive_query q = {.conversation = e->chat,
                                    .viewer = e->who.part,
                                    .with_hidden = true,
                                    .low = e->low_old,
                                    .high = p->has_more ? p->seqs[p->count - 1] : INT64_MAX,
                                    .is_forth = true,
                                    .most = ARCHIVE_PAGE_MAX,
                                    .most_bytes = PAGE_BYTES};

    archive_read(e->archive, &q, on_archived, e);
}

static void on_page(void *ctx, const struct str *reply, unsigned count)
{
    static const struct archive_page none = {0};
    struct export *e = ctx;

    if (private_export_page_read(&e->page, reply, count) != OK) {
        fail(e, STR("Redis gave an answer that is none"));
        return;
    }
    if (!e->is_chat_begun) {
        e->is_chat_begun = true;
        private_export_put_conversation(&e->who, e->chat, &e->page, &e->out);
        if (!put(e, 1)) return;
    }
    if (archive_is_on(e->archive))
        ask_archive(e);
    else
        put_messages(e, &none);
}

static void next_chat(struct export *e)
{
    const struct name *name = map_next(&e->names, &e->at);

    if (!name) {
        put_end(e);
        return;
    }
    e->chat = str_of(name->text, name->n);
    e->is_chat_begun = false;
    e->low = e->low_old = 0;
    ask_page(e);
}

/* ---- what Redis has of the user ---- */

static void fill_blocked(struct export *e, struct redis_visit *v)
{
    private_export_blocked(&e->who, v, &e->scratch);
}

static void fill_unread(struct export *e, struct redis_visit *v)
{
    private_export_unread(&e->who, v, &e->scratch);
}

static void fill_seen(struct export *e, struct redis_visit *v)
{
    presence_export_seen(e->who.text, v, &e->scratch);
}

static void fill_row(struct export *e, struct redis_visit *v)
{
    presence_export_row(str_z(e->conf->adapter_prefix), e->who.text, v, &e->scratch);
}

static unsigned put_blocked(struct export *e, const struct str *reply, unsigned count)
{
    return private_export_put_blocked(&e->who, reply, count, &e->out);
}

static unsigned put_unread(struct export *e, const struct str *reply, unsigned count)
{
    return private_export_put_unread(&e->who, reply, count, &e->out);
}

static unsigned put_seen(struct export *e, const struct str *reply, unsigned count)
{
    return presence_export_put_seen(reply, count, &e->out);
}

static unsigned put_row(struct export *e, const struct str *reply, unsigned count)
{
    return presence_export_put_row(reply, count, &e->out);
}

static const struct {
    void (*fill)(struct export *e, struct redis_visit *v);
    unsigned (*put)(struct export *e, const struct str *reply, unsigned count);
} facts[] = {
    {fill_seen, put_seen},
    {fill_row, put_row},
    {fill_blocked, put_blocked},
    {fill_unread, put_unread},
};

static void ask_fact(struct export *e);

static void on_fact(void *ctx, const struct str *reply, unsigned count)
{
    struct export *e = ctx;

    if (!put(e, facts[e->fact].put(e, reply, count))) return;
    e->fact++;
    ask_fact(e);
}

static void ask_fact(struct export *e)
{
    struct redis_visit v;

    if (e->fact == sizeof facts / sizeof *facts) {
        next_chat(e);
        return;
    }
    facts[e->fact].fill(e, &v);
    redis_ask(e->ask, &v, on_fact, e);
}

static void on_up(void *ctx)
{
    ask_fact(ctx);
}

static void on_asked(void *ctx, int rc, unsigned count, struct str why)
{
    struct export *e = ctx;

    (void)count;
    e->ask = NULL;
    if (rc != OK) fail(e, why);
}

static void open_ask(struct export *e)
{
    const struct redis_ask_conf c = {.up = on_up, .done = on_asked, .ctx = e};
    char *why = NULL;

    if (redis_ask_open(e->loop, e->conf, &c, &e->ask, &why) != OK) fail(e, str_z(why));
    mem_free(why);
}

/* ---- which conversations there are ---- */

static void add_name(struct export *e, struct str conversation)
{
    struct name *name;

    if (map_get(&e->names, conversation)) return;
    name = mem_new(1, sizeof *name + conversation.n + 1);
    name->n = conversation.n;
    memcpy(name->text, conversation.p, conversation.n);
    map_put(&e->names, str_of(name->text, name->n), name);
}

static void ask_names(struct export *e);

static void on_names(void *ctx, int rc, const struct archive_page *page)
{
    struct export *e = ctx;
    struct str rest, name;

    if (rc != OK) {
        on_archived(e, rc, page);
        return;
    }
    if (!page->names.n) {
        open_ask(e);
        return;
    }
    for (rest = page->names; str_next(&rest, '\n', &name);) {
        if (!name.n) continue;
        e->last.n = 0;
        sb_str(&e->last, name);
        if (private_conversation_has(name, e->who.part)) add_name(e, name);
    }
    ask_names(e);
}

static void ask_names(struct export *e)
{
    archive_names(e->archive, e->who.part, sb_view(&e->last), on_names, e);
}

/* ---- a walk over the keys ---- */

static bool on_key(void *ctx, struct str key, struct redis_visit *out)
{
    struct export *e = ctx;
    struct str name;

    if (rooms_export_key(sb_view(&e->member), key, out, &e->scratch)) return true;
    if (private_export_key(&e->who, key, &name)) add_name(e, name);
    return false;
}

static void on_room(void *ctx, const struct str *reply, unsigned count)
{
    struct export *e = ctx;

    if (!e->is_over) (void)!put(e, rooms_export_put(reply, count, &e->out));
}

static void on_swept(void *ctx, int rc, unsigned count, struct str why)
{
    struct export *e = ctx;

    (void)count;
    e->is_walking = false;
    if (e->is_over)
        loop_stop(e->loop);
    else if (rc != OK)
        fail(e, why);
    else if (archive_is_on(e->archive))
        ask_names(e);
    else
        open_ask(e);
}

static void walk(struct export *e)
{
    const struct str patterns[PATTERNS] = {sb_view(&e->pattern), STR(ROOMS_EXPORT_PATTERN)};
    const struct redis_sweep_conf c = {.patterns = patterns,
                                       .patterns_count = PATTERNS,
                                       .on_key = on_key,
                                       .on_reply = on_room,
                                       .ctx = e};
    char *why = NULL;

    e->is_walking = redis_sweep(e->loop, e->conf, &c, on_swept, e, &why) == OK;
    if (e->is_walking)
        loop_run(e->loop);
    else
        end(e, user_complain("export", "", why));
    mem_free(why);
}

/* ---- from the options to the end ---- */

static void export_fini(struct export *e)
{
    struct name *name;

    for (size_t i = 0; (name = map_next(&e->names, &i));)
        mem_free(name);
    map_fini(&e->names);
    private_export_page_fini(&e->page);
    private_id_fini(&e->who);
    sb_fini(&e->member);
    sb_fini(&e->scratch);
    sb_fini(&e->numbers);
    sb_fini(&e->pattern);
    sb_fini(&e->out);
    sb_fini(&e->last);
}

static void export_all(struct export *e)
{
    char *why = NULL;

    private_export_pattern(&e->who, &e->pattern);
    e->loop = loop_new();
    if (archive_open(e->loop, e->conf, ARCHIVE_OF_OPERATOR, &e->archive, &why) == OK)
        walk(e);
    else
        end(e, user_complain("export", "", why));
    if (e->ask) redis_ask_end(e->ask);
    archive_close(e->archive);
    loop_turn(e->loop, false);
    loop_free(e->loop);
    mem_free(why);
}

static int run(const struct conf *c, struct str id)
{
    struct export e = {.conf = c};

    if (private_id_init(&e.who, id) == OK && rooms_key_user(id, &e.member) == OK)
        export_all(&e);
    else
        e.status = user_complain("export", "", "that is no id");
    export_fini(&e);
    return e.status;
}

int main(int argc, char **argv)
{
    return user_main("export", help, argc, argv, run);
}
