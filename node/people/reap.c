/* Users of dead nodes. Each node keeps a list of its users in Redis; when it dies the others go
 * through it together: a slice is taken for some seconds, each user's counts are written anew
 * without the dead node, and what is done leaves the list. Who has died unseen: nodes.c. */
#include "node/people/people_priv.h"

#include "adapter/adapter.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"

enum {
    SLICE_USERS = 100,
    CLAIM_S = 10, /* after it a slice of a survivor that died as well is free */
    RETRY_MS = 1000,
    START_MS = 10,    /* who was stopped itself learns it in the turn in which all are down */
    LIST_USERS = 500, /* in one call */
};

/* KEYS: list of a node's users. ARGV: time to live, count of those to add, they, those to remove.
 */
static struct adapter_script list_script = {
    .name = "people_list",
    .keys = {KEY_NODE_USERS},
    .keys_count = 1,
    .text = "local key, adds = KEYS[1], tonumber(ARGV[2])\n"
            "for i = 3, #ARGV do\n"
            "  if i < 3 + adds then redis.call('ZADD', key, 0, ARGV[i])\n"
            "  else redis.call('ZREM', key, ARGV[i]) end\n"
            "end\n"
            "redis.call('EXPIRE', key, ARGV[1])\n"
            "return redis.call('ZCARD', key)\n",
};

/* KEYS: list of a dead node's users; the score is the second until which somebody has a user.
 * ARGV: most users, seconds. Returns how many are left in the list, and those who were taken. */
static struct adapter_script take_script = {
    .name = "people_take",
    .keys = {KEY_NODE_USERS},
    .keys_count = 1,
    .text = "local key = KEYS[1]\n"
            "local now = tonumber(redis.call('TIME')[1])\n"
            "local ids = redis.call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', 0, ARGV[1])\n"
            "for _, id in ipairs(ids) do redis.call('ZADD', key, now + ARGV[2], id) end\n"
            "table.insert(ids, 1, tostring(redis.call('ZCARD', key)))\n"
            "return ids\n",
};

struct reaping {
    struct list node;
    struct people *people;
    struct timer retry;
    char id[ADAPTER_NODE_ID_SIZE];
    struct sb ids; /* of the slice, each with its NUL */
    unsigned asked, users;
    uint64_t debt; /* of its users: they stay in the list until it is paid */
    bool is_busy, is_owing, has_failed, has_begun;
};

static struct sb users_key(const struct people *p, struct str node)
{
    struct sb name = {0}, key = {0};

    sb_z(&name, p->conf.conf->adapter_prefix);
    sb_char(&name, ':');
    sb_str(&name, node);
    key_name(KEY_NODE_USERS, sb_view(&name), &key);
    sb_fini(&name);
    return key;
}

void people_free_if_done(struct people *p)
{
    if (!p->is_closed || p->tally || p->under_way) return;
    sb_fini(&p->scope);
    mem_free(p);
}

bool people_came_back(struct people *p)
{
    p->under_way--;
    if (!p->is_closed) return true;
    people_free_if_done(p);
    return false;
}

/* ---- the list of this node ---- */

static void put_list(struct people *p, const struct sb ids[2], const unsigned counts[2]);

static void on_list(struct loop_task *t)
{
    struct people *p = LIST_OWNER(t, struct people, list_task);
    struct sb ids[2] = {{0}, {0}}; /* to add, to remove */
    unsigned counts[2] = {0, 0};
    struct list pending, *node;

    if (!adapter_is_connected(p->adapter)) return; /* people_nodes_check comes back to it */
    list_init(&pending);
    while ((node = list_shift(&p->unlisted))) {
        struct person *who = LIST_OWNER(node, struct person, unlisted);
        bool is_gone = !who->devices;

        if (is_gone && (tally_knows(p->tally, who->id_text) || p->paid < who->debt)) {
            list_push(&pending, &who->unlisted); /* Redis may still hold what is of him */
            continue;
        }
        sb_str(&ids[is_gone], who->id_text);
        sb_char(&ids[is_gone], '\0');
        counts[is_gone]++;
        if (is_gone) people_forget(who);
        if (counts[0] + counts[1] < LIST_USERS) continue;
        put_list(p, ids, counts);
        ids[0].n = ids[1].n = counts[0] = counts[1] = 0;
    }
    list_splice(&p->unlisted, &pending);
    if (counts[0] + counts[1]) put_list(p, ids, counts);
    sb_fini(&ids[0]);
    sb_fini(&ids[1]);
}

static void on_listed(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct people *p = ctx;

    (void)reply, (void)count;
    if (!people_came_back(p) || rc == OK) return;
    LOG_WARN("people.list", LOG_Z("code", err_wire(rc)));
    loop_timer(p->conf.loop, &p->check, RETRY_MS); /* it writes all again */
}

static unsigned split(const struct sb *ids, struct str *out)
{
    unsigned n = 0;

    for (size_t at = 0; at < ids->n; at += out[n++].n + 1)
        out[n] = str_z(ids->p + at);
    return n;
}

static void put_list(struct people *p, const struct sb ids[2], const unsigned counts[2])
{
    struct str args[2 + LIST_USERS];
    struct sb key = users_key(p, adapter_node_id(p->adapter)), ttl = {0}, adds = {0};
    struct str name = sb_view(&key);
    unsigned n = 2;

    sb_u64(&ttl, KEY_NODE_USERS_TTL_S);
    sb_u64(&adds, counts[0]);
    args[0] = sb_view(&ttl);
    args[1] = sb_view(&adds);
    n += split(&ids[0], args + n);
    n += split(&ids[1], args + n);
    p->under_way++;
    adapter_eval(p->adapter, &list_script, &name, 1, args, n, on_listed, p);
    sb_fini(&key);
    sb_fini(&ttl);
    sb_fini(&adds);
}

void people_list_later(struct person *who)
{
    struct people *p = who->people;

    if (!p->adapter) {
        if (!who->devices) people_forget(who);
        return;
    }
    if (!list_is_linked(&who->unlisted)) list_push(&p->unlisted, &who->unlisted);
    loop_at_end(p->conf.loop, &p->list_task);
}

/* ---- a dead node ---- */

static void drop(struct reaping *r)
{
    list_unlink(&r->node);
    sb_fini(&r->ids);
    mem_free(r);
}

static void reaping_end(struct reaping *r)
{
    loop_timer_stop(r->people->conf.loop, &r->retry);
    LOG_INFO("people.reaped", LOG_S("peer", str_of(r->id, sizeof r->id)), LOG_U("users", r->users));
    drop(r);
}

/* After an answer. False: all is closed, and r is no more. */
static bool goes_on(struct reaping *r)
{
    r->is_busy = false;
    if (people_came_back(r->people)) return true;
    drop(r);
    return false;
}

static void take_slice(struct reaping *r);

static void try_again(struct reaping *r)
{
    loop_timer(r->people->conf.loop, &r->retry, RETRY_MS);
}

static void on_retry(struct timer *t)
{
    take_slice(LIST_OWNER(t, struct reaping, retry));
}

static void on_slice_listed(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct reaping *r = ctx;

    (void)reply, (void)count;
    if (!goes_on(r)) return;
    if (rc == OK)
        take_slice(r);
    else
        try_again(r);
}

static void unlist_slice(struct reaping *r)
{
    struct people *p = r->people;
    struct str args[2 + SLICE_USERS] = {STR("60"), STR("0")};
    struct sb key;
    struct str name;
    unsigned n = 2;

    n += split(&r->ids, args + n);
    r->users += n - 2;
    key = users_key(p, str_of(r->id, sizeof r->id));
    name = sb_view(&key);
    r->is_busy = true;
    p->under_way++;
    adapter_eval(p->adapter, &list_script, &name, 1, args, n, on_slice_listed, r);
    sb_fini(&key);
}

static void end_slice(struct reaping *r)
{
    struct people *p = r->people;

    r->is_busy = false;
    r->debt = p->owed;
    if (r->has_failed) /* whoever is alive takes them again */
        try_again(r);
    else if (p->paid < r->debt)
        r->is_owing = true;
    else
        unlist_slice(r);
}

void people_reap_paid(struct people *p)
{
    LIST_EACH_SAFE(at, after, &p->reapings)
    {
        struct reaping *r = LIST_OWNER(at, struct reaping, node);

        if (!r->is_owing || p->paid < r->debt) continue;
        r->is_owing = false;
        unlist_slice(r);
    }
}

static void on_counted(void *ctx, int rc, const struct tally_count *count)
{
    struct reaping *r = ctx;

    if (rc != OK || !count->is_whole) r->has_failed = true;
    if (--r->asked == 0) end_slice(r);
}

bool people_is_reaped(const struct people *p, struct str id_text)
{
    LIST_EACH(node, &p->reapings)
    {
        const struct reaping *r = LIST_OWNER(node, struct reaping, node);

        for (size_t at = 0; r->asked && at < r->ids.n; at += strlen(r->ids.p + at) + 1)
            if (str_eq(str_z(r->ids.p + at), id_text)) return true;
    }
    return false;
}

static void on_taken(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct reaping *r = ctx;

    if (!goes_on(r)) return;
    if (rc != OK || count == 0 || count > SLICE_USERS + 1) {
        try_again(r);
        return;
    }
    if (count == 1) {
        if (str_eq(reply[0], STR("0")))
            reaping_end(r);
        else
            try_again(r); /* others are at it */
        return;
    }
    r->ids.n = 0;
    for (unsigned i = 1; i < count; i++) {
        sb_str(&r->ids, reply[i]);
        sb_char(&r->ids, '\0');
    }
    r->has_failed = false;
    r->is_busy = true;
    r->asked = count; /* one too many: the end is not within the loop */
    for (unsigned i = 1; i < count; i++)
        people_count(r->people, reply[i], on_counted, r);
    if (--r->asked == 0) end_slice(r);
}

static void begin(struct reaping *r)
{
    struct str node = str_of(r->id, sizeof r->id);

    r->has_begun = true;
    tally_lost(r->people->tally, node);
    people_nodes_reaped(r->people, node);
}

static void take_slice(struct reaping *r)
{
    struct people *p = r->people;
    struct sb key = users_key(p, str_of(r->id, sizeof r->id)), most = {0}, seconds = {0};
    struct str name = sb_view(&key), args[2];

    if (adapter_is_alive(p->adapter, str_of(r->id, sizeof r->id))) {
        reaping_end(r); /* it was silent, and has come back */
    } else if (!adapter_is_connected(p->adapter)) {
        try_again(r);
    } else {
        if (!r->has_begun) begin(r);
        sb_u64(&most, SLICE_USERS);
        sb_u64(&seconds, CLAIM_S);
        args[0] = sb_view(&most);
        args[1] = sb_view(&seconds);
        r->is_busy = true;
        p->under_way++;
        adapter_eval(p->adapter, &take_script, &name, 1, args, 2, on_taken, r);
    }
    sb_fini(&key);
    sb_fini(&most);
    sb_fini(&seconds);
}

void people_reap(struct people *p, struct str node)
{
    struct reaping *r;

    LIST_EACH(at, &p->reapings)
    {
        r = LIST_OWNER(at, struct reaping, node);
        if (str_eq(str_of(r->id, sizeof r->id), node)) return;
    }
    if (node.n != sizeof r->id) return;
    r = MEM_NEW(struct reaping);
    r->people = p;
    memcpy(r->id, node.p, sizeof r->id);
    timer_init(&r->retry, on_retry);
    list_init(&r->node);
    list_push(&p->reapings, &r->node);
    loop_timer(p->conf.loop, &r->retry, START_MS);
}

void people_reap_pardon(struct people *p)
{
    LIST_EACH_SAFE(at, after, &p->reapings)
    {
        struct reaping *r = LIST_OWNER(at, struct reaping, node);

        if (r->has_begun) continue;
        loop_timer_stop(p->conf.loop, &r->retry);
        drop(r);
    }
}

void people_reap_init(struct people *p)
{
    list_init(&p->unlisted);
    list_init(&p->reapings);
    loop_task_init(&p->list_task, on_list);
}

/* The answers to come end what is busy. */
void people_reap_fini(struct people *p)
{
    struct list *node;

    loop_task_cancel(&p->list_task);
    while ((node = list_shift(&p->reapings))) {
        struct reaping *r = LIST_OWNER(node, struct reaping, node);

        loop_timer_stop(p->conf.loop, &r->retry);
        if (!r->is_busy) drop(r);
    }
}
