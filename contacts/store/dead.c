/* Notices that were given up: the walk over their list, on a loop of its own. See dead.h. */
#include "contacts/store/dead.h"

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"

enum { PAGE = 50 }; /* a letter may have 256 KB */

struct walk {
    struct loop *loop;
    struct store *store;
    struct arena mem; /* of the page */
    struct store_letter *letters;
    unsigned count, next; /* of the page; the one that is tried again */
    struct str cursor;    /* of the page behind it; empty: it is the last one */
    int (*each)(void *ctx, const struct store_letter *letter);
    void *ctx;
    uint64_t woken;
    int rc;
    char **why;
};

static void end(struct walk *w, int rc, const char *why)
{
    w->rc = rc;
    if (rc != OK && !*w->why) *w->why = str_dup(str_z(why && why[0] ? why : err_text(rc)));
    loop_stop(w->loop);
}

static void take_page(struct walk *w, const struct store_result *r)
{
    arena_fini(&w->mem);
    w->letters = arena_new(&w->mem, r->letters_count + 1, sizeof *w->letters);
    w->count = r->letters_count;
    w->next = 0;
    for (unsigned i = 0; i < w->count; i++) {
        record_copy(&record_outbox, &r->letters[i].entry, &w->letters[i].entry, &w->mem);
        w->letters[i].contact_id = arena_str(&w->mem, r->letters[i].contact_id);
    }
    w->cursor = r->has_more ? arena_str(&w->mem, r->cursor) : STR_NONE;
}

static void on_page(void *ctx, const struct store_result *r);

static void ask_page(struct walk *w)
{
    store_outbox_list(w->store, w->cursor, PAGE, on_page, w);
}

static void on_woken(void *ctx, const struct store_result *r);

static void wake(struct walk *w, struct str contact_id, struct str id)
{
    store_outbox_retry(w->store, contact_id, id, (int64_t)clock_wall_ms(), on_woken, w);
}

/* The next letter of the page, or the next page. */
static void go_on(struct walk *w)
{
    if (w->next < w->count) {
        const struct store_letter *l = &w->letters[w->next++];

        wake(w, l->contact_id, l->entry.id);
    } else if (w->cursor.n) {
        ask_page(w);
    } else {
        end(w, OK, NULL);
    }
}

static void on_woken(void *ctx, const struct store_result *r)
{
    struct walk *w = ctx;
    bool is_of_a_list = w->count > 0;

    w->woken += r->rc == OK;
    if (!is_of_a_list || (r->rc != OK && r->rc != ERR_NOT_FOUND))
        end(w, r->rc, r->why);
    else
        go_on(w); /* somebody else may have woken it */
}

static void on_page(void *ctx, const struct store_result *r)
{
    struct walk *w = ctx;
    int rc = r->rc;

    if (rc == OK) take_page(w, r);
    for (unsigned i = 0; w->each && i < w->count && rc == OK; i++)
        rc = w->each(w->ctx, &w->letters[i]);
    if (rc != OK) {
        end(w, rc, r->why);
        return;
    }
    if (w->each) w->next = w->count;
    go_on(w);
}

static int walk_open(struct walk *w, const struct conf *c, char **why)
{
    int rc;

    w->why = why;
    w->loop = loop_new();
    rc = store_open(w->loop, c, &w->store, why);
    if (rc != OK) loop_free(w->loop);
    return rc;
}

static int walk_run(struct walk *w)
{
    loop_run(w->loop);
    store_close(w->store);
    loop_free(w->loop);
    arena_fini(&w->mem);
    return w->rc;
}

int dead_list(const struct conf *c, int (*each)(void *ctx, const struct store_letter *letter),
              void *ctx, char **why)
{
    struct walk w = {.each = each, .ctx = ctx};
    int rc = walk_open(&w, c, why);

    if (rc != OK) return rc;
    ask_page(&w);
    return walk_run(&w);
}

int dead_retry(const struct conf *c, struct str contact_id, struct str id, char **why)
{
    struct walk w = {0};
    int rc;

    if (!str_is_utf8(contact_id) || !str_is_utf8(id)) return ERR_NOT_FOUND;
    rc = walk_open(&w, c, why);
    if (rc != OK) return rc;
    wake(&w, contact_id, id);
    return walk_run(&w);
}

int dead_retry_all(const struct conf *c, uint64_t *count, char **why)
{
    struct walk w = {0};
    int rc = walk_open(&w, c, why);

    if (rc != OK) return rc;
    ask_page(&w);
    rc = walk_run(&w);
    *count = w.woken;
    return rc;
}
