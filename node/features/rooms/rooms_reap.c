/* The rooms that a dead node was the last one in. Each node keeps a set of the rooms it has members
 * in; whoever sees it die goes through that set, when it is still dead after DEAD_MS (a node that
 * was stopped itself takes the others for dead, until it hears them), and lets each room end in
 * which nobody else is. All nodes do so, in parts by chance: what two of them do is done once, and
 * what one of them leaves undone the others do. When nobody is left to do it, or Redis is away, the
 * keys end by themselves within an hour. */
#include "node/features/rooms/rooms_priv.h"

#include "base/conf.h"
#include "base/mem.h"

enum { CHANGES_MAX = 100, PART = 50 };

/* KEYS: the set. ARGV: seconds it lives, how many are asked for, then + or - and a room. Returns
 * some of them. */
static struct adapter_script here_script = {
    .name = "room_here",
    .keys = {KEY_ROOMS_HERE},
    .keys_count = 1,
    .text = "for i = 3, #ARGV do\n"
            "  local room = string.sub(ARGV[i], 2)\n"
            "  if string.sub(ARGV[i], 1, 1) == '+' then redis.call('SADD', KEYS[1], room)\n"
            "  else redis.call('SREM', KEYS[1], room) end\n"
            "end\n"
            "redis.call('EXPIRE', KEYS[1], ARGV[1])\n"
            "if ARGV[2] == '0' then return {} end\n"
            "return redis.call('SRANDMEMBER', KEYS[1], ARGV[2])\n",
};

/* KEYS: nodes, members, rows, log, rules. ARGV: the dead node. */
static struct adapter_script reap_script = {
    .name = "room_reap",
    .keys = {KEY_ROOM_NODES, KEY_ROOM_MEMBERS, KEY_ROOM_ROWS, KEY_ROOM_LOG, KEY_ROOM_RULES},
    .keys_count = 5,
    .text = "local N = KEYS[1]\n"
            "redis.call('HDEL', N, ARGV[1])\n"
            "if redis.call('HLEN', N) > redis.call('HEXISTS', N, ':type') then return {} end\n"
            "redis.call('DEL', N)\n"
            "for i = 2, 5 do redis.call('EXPIRE', KEYS[i], 60) end\n"
            "return {}\n",
};

static void put_set(struct rooms_call *c, const struct rooms *r, struct str node, unsigned asked)
{
    struct sb name = {0};

    sb_z(&name, events_conf(r->events)->adapter_prefix);
    sb_char(&name, ':');
    sb_str(&name, node);
    rooms_call_key(c, KEY_ROOMS_HERE, sb_view(&name));
    rooms_call_u64(c, KEY_ROOMS_HERE_TTL_S);
    rooms_call_u64(c, asked);
    sb_fini(&name);
}

/* ---- the own set ---- */

struct note {
    struct list node;
    size_t n;
    char text[];
};

void rooms_reap_note(struct rooms_room *m, bool is_here)
{
    struct rooms *r = m->rooms;
    struct note *note = mem_new(1, sizeof *note + 1 + m->name.n);

    list_init(&note->node);
    note->text[0] = is_here ? '+' : '-';
    memcpy(note->text + 1, m->name.p, m->name.n);
    note->n = 1 + m->name.n;
    list_push(&r->notes, &note->node);
    loop_at_end(events_loop(r->events), &r->note);
}

void rooms_reap_write(struct loop_task *t)
{
    struct rooms *r = LIST_OWNER(t, struct rooms, note);
    struct list *node;

    while (!list_is_empty(&r->notes)) {
        struct rooms_call c = {0};

        put_set(&c, r, adapter_node_id(r->adapter), 0);
        for (unsigned i = 0; i < CHANGES_MAX && (node = list_shift(&r->notes)); i++) {
            struct note *note = LIST_OWNER(node, struct note, node);

            rooms_call_arg(&c, str_of(note->text, note->n));
            mem_free(note);
        }
        rooms_call_run(r, &c, &here_script, NULL, NULL); /* lost: written again with the rows */
    }
}

void rooms_reap_fini(struct rooms *r)
{
    struct list *node;

    while ((node = list_shift(&r->notes)))
        mem_free(LIST_OWNER(node, struct note, node));
    loop_task_cancel(&r->note);
    rooms_reap_pardon(r, STR_NONE);
}

/* ---- those of a dead node ---- */

struct reaping {
    struct rooms *rooms;
    struct list waiting; /* linked: it has not begun */
    struct timer start;
    char node[ADAPTER_NODE_ID_SIZE];
    unsigned waits; /* for rooms of this part */
    int rc;
    struct rooms_call next; /* takes them out of the set, and asks for more */
};

static struct str node_of(const struct reaping *g)
{
    return str_of(g->node, sizeof g->node);
}

static void on_part(void *ctx, int rc, const struct str *reply, unsigned count);

static void end(struct reaping *g)
{
    loop_timer_stop(events_loop(g->rooms->events), &g->start);
    list_unlink(&g->waiting);
    sb_fini(&g->next.text);
    mem_free(g);
}

static void ask(struct reaping *g)
{
    struct rooms_call c = g->next;

    g->next = (struct rooms_call){0};
    put_set(&g->next, g->rooms, node_of(g), PART);
    rooms_call_run(g->rooms, &c, &here_script, on_part, g);
}

static void on_reaped(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct reaping *g = ctx;

    (void)reply, (void)count;
    if (rc != OK) g->rc = rc;
    if (--g->waits) return;
    if (g->rc == OK)
        ask(g);
    else
        end(g);
}

static void reap_one(struct reaping *g, struct str room)
{
    struct rooms_call c = {0};
    struct sb out = {0};

    for (unsigned i = 0; i < reap_script.keys_count; i++)
        rooms_call_key(&c, reap_script.keys[i], room);
    rooms_call_arg(&c, node_of(g));
    sb_char(&out, '-');
    sb_str(&out, room);
    rooms_call_arg(&g->next, sb_view(&out));
    sb_fini(&out);
    rooms_call_run(g->rooms, &c, &reap_script, on_reaped, g);
}

static void on_part(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct reaping *g = ctx;

    if (rc != OK || !count || adapter_is_alive(g->rooms->adapter, node_of(g))) {
        end(g);
        return;
    }
    g->waits = count;
    for (unsigned i = 0; i < count; i++)
        reap_one(g, reply[i]);
}

static void on_start(struct timer *t)
{
    struct reaping *g = LIST_OWNER(t, struct reaping, start);

    list_unlink(&g->waiting);
    if (adapter_is_alive(g->rooms->adapter, node_of(g)))
        end(g);
    else
        ask(g);
}

void rooms_reap_pardon(struct rooms *r, struct str node)
{
    LIST_EACH_SAFE(at, after, &r->reapings)
    {
        struct reaping *g = LIST_OWNER(at, struct reaping, waiting);

        if (!node.n || str_eq(node_of(g), node)) end(g);
    }
}

void rooms_reap(struct rooms *r, struct str node)
{
    struct reaping *g;

    if (!r->adapter || node.n != ADAPTER_NODE_ID_SIZE) return;
    g = MEM_NEW(struct reaping);
    g->rooms = r;
    memcpy(g->node, node.p, sizeof g->node);
    put_set(&g->next, r, node, PART);
    list_init(&g->waiting);
    list_push(&r->reapings, &g->waiting);
    timer_init(&g->start, on_start);
    loop_timer(events_loop(r->events), &g->start, events_conf(r->events)->dead_ms);
}
