/* Load, decide, write, and again when somebody was faster: the loop around a compare-and-swap. One
 * deadline for all of it. */
#include "contacts/store/store_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/forbid.h"

struct change {
    struct store *store;
    struct arena mem;
    struct str id;
    struct store_window window;
    bool has_window;
    store_decide_fn *decide;
    store_agent_decide_fn *decide_agent;
    store_done_fn *done;
    void *ctx;
    int refusal;       /* of decide, while its message is looked for */
    uint64_t until_ms; /* clock_ms */
};

static void load(struct change *c);

static struct change *change_new(struct store *s, struct str id, store_done_fn *done, void *ctx)
{
    struct change *c = MEM_NEW(struct change);

    c->store = s;
    c->id = arena_str(&c->mem, id);
    c->done = done;
    c->ctx = ctx;
    c->until_ms = clock_ms() + store_timeout_ms(s);
    return c;
}

static void end(struct change *c, const struct store_result *r)
{
    c->done(c->ctx, r);
    arena_fini(&c->mem);
    mem_free(c);
}

static void end_with(struct change *c, const struct store_result *read, int rc)
{
    struct store_result r = *read;

    r.rc = rc;
    r.why = NULL;
    end(c, &r);
}

static uint64_t left_ms(const struct change *c)
{
    return c->until_ms > clock_ms() ? c->until_ms - clock_ms() : 0;
}

static void on_written(void *ctx, const struct store_result *r)
{
    struct change *c = ctx;

    if (r->rc == ERR_CONFLICT && left_ms(c) > 0)
        load(c);
    else
        end(c, r);
}

static void on_looked_for(void *ctx, const struct store_result *r)
{
    struct change *c = ctx;

    if (r->rc == OK)
        end_with(c, r, r->messages_count ? ERR_EXISTS : c->refusal);
    else
        end(c, r);
}

/* Perhaps it was decided before, and only the answer was lost. */
static void refuse(struct change *c, const struct store_result *r, const struct store_more *more,
                   int rc)
{
    struct str client_id = more->messages_count ? more->messages[0].client_id : STR_NONE;

    c->refusal = rc;
    if (!client_id.n)
        end_with(c, r, rc);
    else if (left_ms(c) == 0)
        end_with(c, r, ERR_TIMEOUT);
    else
        store_message_by_client_id(c->store, c->id, client_id, left_ms(c), on_looked_for, c);
}

static void on_contact(struct change *c, const struct store_result *r)
{
    struct store_more more = {0};
    int rc = c->decide(c->ctx, r->contact, r, &more);

    if (rc == STORE_KEEP)
        end_with(c, r, OK);
    else if (rc != OK)
        refuse(c, r, &more, rc);
    else if (left_ms(c) == 0)
        end_with(c, r, ERR_TIMEOUT);
    else
        store_contact_write(c->store, r->contact, &more, left_ms(c), on_written, c);
}

static void on_agent(struct change *c, const struct store_result *r)
{
    struct store_result read = *r;
    int rc;

    if (r->rc == ERR_NOT_FOUND) {
        read.agent = arena_new(r->arena, 1, sizeof *read.agent);
        read.agent->id = c->id;
    }
    rc = c->decide_agent(c->ctx, read.agent, r->arena);
    if (rc != OK)
        end_with(c, &read, rc == STORE_KEEP ? OK : rc);
    else if (left_ms(c) == 0)
        end_with(c, &read, ERR_TIMEOUT);
    else
        store_agent_write(c->store, read.agent, left_ms(c), on_written, c);
}

static void on_loaded(void *ctx, const struct store_result *r)
{
    struct change *c = ctx;

    if (c->decide_agent && (r->rc == OK || r->rc == ERR_NOT_FOUND))
        on_agent(c, r);
    else if (r->rc == OK)
        on_contact(c, r);
    else
        end(c, r);
}

static void load(struct change *c)
{
    if (c->decide_agent)
        store_agent_get(c->store, c->id, on_loaded, c);
    else
        store_contact_get(c->store, c->id, c->has_window ? &c->window : NULL, on_loaded, c);
}

void store_contact_change(struct store *s, struct str id, const struct store_window *w,
                          store_decide_fn *decide, store_done_fn *done, void *ctx)
{
    struct change *c = change_new(s, id, done, ctx);

    c->decide = decide;
    c->has_window = w != NULL;
    if (w) c->window = *w;
    load(c);
}

void store_agent_change(struct store *s, struct str id, store_agent_decide_fn *decide,
                        store_done_fn *done, void *ctx)
{
    struct change *c = change_new(s, id, done, ctx);

    c->decide_agent = decide;
    load(c);
}
