/* See stream_restore_priv.h. One command of a restore is under way at a time. */
#include "adapter/redis/stream_restore_priv.h"

#include <hiredis/hiredis.h>

#include "adapter/driver_priv.h"
#include "adapter/redis/push.h"
#include "adapter/redis/store.h"
#include "adapter/session_wire.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/forbid.h"

enum {
    PAGE = 100,      /* entries */
    FIELDS_MAX = 64, /* as the reader */
};

struct restore {
    struct list node;
    struct stream_restores *home;
    struct session_restore to;
    struct timer deadline;
    struct streams_id from;  /* all up to it is known to the client; zero: nothing */
    struct streams_id until; /* taken: end of the stream; reading: where the late ones begin */
    bool has_until, is_reading;
    bool is_asking, is_over; /* over, and the last answer is still to come */
    char pid[SESSION_PID_SIZE];
    struct str nsp; /* follows the struct */
};

static struct adapter_script take_script = {
    .name = "session_take",
    .keys = {KEY_SESSION},
    .keys_count = 1,
    .text = "local is = redis.call('GET', KEYS[1])\n"
            "if not is then return {} end\n"
            "redis.call('DEL', KEYS[1])\n"
            "return {is}\n",
};

/* Last in a function. */
static void end(struct restore *r, int rc)
{
    struct session_restore to = r->to;

    list_unlink(&r->node);
    loop_timer_stop(r->home->loop, &r->deadline);
    r->is_over = true;
    if (!r->is_asking) mem_free(r);
    to.done(to.ctx, rc);
}

static void on_deadline(struct timer *t)
{
    end(LIST_OWNER(t, struct restore, deadline), ERR_TIMEOUT);
}

/* The answer is here. False: nobody waits for it. */
static bool answered(struct restore *r)
{
    bool is_over = r->is_over;

    r->is_asking = false;
    if (is_over) mem_free(r);
    return !is_over;
}

static void ask(struct restore *r, const struct str *argv, unsigned argc, redis_link_reply_fn *done)
{
    int rc = redis_hub_send(r->home->hub, r->home->stream, argv, argc, done, r);

    if (rc == OK)
        r->is_asking = true;
    else
        end(r, ERR_UNAVAILABLE);
}

/* ---- pages ---- */

static struct str array_text(const struct redisReply *r, size_t i)
{
    return r->type == REDIS_REPLY_ARRAY && i < r->elements ? redis_push_text(r->element[i])
                                                           : STR_NONE;
}

/* [id, [field, value, …]]. A session's casts are those that were kept for it: no volatile ones. */
static void give(struct restore *r, const struct redisReply *fields, struct streams *s)
{
    struct str texts[FIELDS_MAX];
    struct streams_entry e;
    const struct wire *w = &s->data.wire;
    struct sb offset = {0};
    struct adapter_cast c;

    if (fields->type != REDIS_REPLY_ARRAY || fields->elements > FIELDS_MAX) return;
    for (size_t i = 0; i < fields->elements; i++)
        texts[i] = redis_push_text(fields->element[i]);
    if (streams_entry_read(texts, (unsigned)fields->elements, &e) != OK) return;
    if (!str_eq(e.nsp, r->nsp) || streams_decode(&e, s) != OK) return;
    if (w->type != WIRE_CAST || w->request_id.n || (w->cast.flags & ADAPTER_VOLATILE)) return;
    streams_id_put(r->from, &offset);
    c = w->cast;
    c.offset = sb_view(&offset);
    r->to.on_missed(r->to.ctx, &c, false);
    sb_fini(&offset);
}

static void read_page(struct restore *r);

static void on_page(void *ctx, int rc, const struct redisReply *reply)
{
    struct restore *r = ctx;
    struct streams s = {0};
    struct streams_id id;
    bool is_whole = r->from.ms == 0 && r->from.seq == 0; /* nothing is before what is there */
    size_t count = rc == OK && reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;

    if (!answered(r)) return;
    for (size_t i = 0; i < count; i++) {
        const struct redisReply *e = reply->element[i];

        if (streams_id_read(array_text(e, 0), &id) != OK || e->elements != 2) break;
        if (i == 0 && !is_whole) {
            is_whole = streams_id_compare(id, r->from) == 0;
            if (!is_whole) break;
            continue;
        }
        r->from = id;
        give(r, e->element[1], &s);
    }
    streams_fini(&s);
    if (!is_whole)
        end(r, rc == OK ? ERR_NOT_FOUND : ERR_UNAVAILABLE);
    else if (count > PAGE)
        read_page(r);
    else
        end(r, rc);
}

static void read_page(struct restore *r)
{
    struct str argv[] = {STR("XRANGE"), r->home->stream, STR_NONE,
                         STR_NONE,      STR("COUNT"),    STR("101")};
    struct sb from = {0}, until = {0};

    streams_id_put(r->from, &from);
    streams_id_put(r->until, &until);
    argv[2] = sb_view(&from);
    argv[3] = sb_view(&until);
    ask(r, argv, 6, on_page);
    sb_fini(&from);
    sb_fini(&until);
}

/* ---- the steps before them ---- */

static void read_if_there(struct restore *r)
{
    const struct stream_restores *s = r->home;

    if (r->is_reading || !r->has_until || !s->is_ready) return;
    if (streams_id_compare(s->position, r->until) < 0) return;
    r->is_reading = true;
    r->until = s->position;
    read_page(r);
}

/* The client was there when the stream had no entry: all of it, if nothing was trimmed since. The
 * figures are there from Redis 7 on. */
static void on_info(void *ctx, int rc, const struct redisReply *reply)
{
    struct restore *r = ctx;
    long long length = -1, added = -2;
    bool is_new = rc == OK && str_starts(redis_push_text(reply), STR("ERR no such key"));

    if (!answered(r)) return;
    for (size_t i = 0; rc == OK && reply->type == REDIS_REPLY_ARRAY && i + 1 < reply->elements;
         i += 2) {
        struct str name = redis_push_text(reply->element[i]);

        if (str_eq(name, STR("length"))) length = reply->element[i + 1]->integer;
        if (str_eq(name, STR("entries-added"))) added = reply->element[i + 1]->integer;
    }
    if (!is_new && length != added) {
        end(r, ERR_NOT_FOUND);
        return;
    }
    r->has_until = true;
    read_if_there(r);
}

/* [[id, …]], or nothing: an empty stream. */
static void on_end(void *ctx, int rc, const struct redisReply *reply)
{
    struct restore *r = ctx;
    const struct str argv[] = {STR("XINFO"), STR("STREAM"), r->home->stream};

    if (!answered(r)) return;
    if (rc != OK || reply->type != REDIS_REPLY_ARRAY) {
        end(r, ERR_UNAVAILABLE);
        return;
    }
    if (reply->elements && streams_id_read(array_text(reply->element[0], 0), &r->until) != OK)
        r->until = (struct streams_id){0};
    if (streams_id_compare(r->from, r->until) > 0) {
        end(r, ERR_NOT_FOUND); /* of the future, or of another stream */
        return;
    }
    if (r->from.ms == 0 && r->from.seq == 0) {
        ask(r, argv, 3, on_info);
        return;
    }
    r->has_until = true;
    read_if_there(r);
}

/* Nobody is told what was said before he came. */
static int set_from(struct restore *r, struct str since)
{
    struct streams_id id;

    if (streams_id_read(since, &id) != OK) /* of Node: what the client says has to do */
        return r->from.ms || r->from.seq ? OK : ERR_NOT_FOUND;
    if (streams_id_compare(r->from, id) < 0) r->from = id;
    return OK;
}

static int take(struct restore *r, struct str value)
{
    struct session_wire w = {0};
    int rc = session_wire_decode(value, &w);

    if (rc == OK && !str_eq(w.session.pid, str_of(r->pid, sizeof r->pid))) rc = ERR_PROTO;
    if (rc != OK) {
        metric_add(M_REDIS_GARBAGE, 1);
        rc = ERR_NOT_FOUND;
    }
    if (rc == OK) rc = set_from(r, w.session.since);
    if (rc == OK && !r->to.on_session(r->to.ctx, &w.session)) rc = ERR_FORBIDDEN;
    session_wire_fini(&w);
    return rc;
}

static void on_taken(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct restore *r = ctx;
    const struct str argv[] = {STR("XREVRANGE"), r->home->stream, STR("+"),
                               STR("-"),         STR("COUNT"),    STR("1")};

    if (!answered(r)) return;
    if (rc == OK) rc = count == 1 && reply[0].n ? take(r, reply[0]) : ERR_NOT_FOUND;
    if (rc == OK)
        ask(r, argv, 6, on_end);
    else
        end(r, rc);
}

/* ---- public ---- */

void stream_restores_init(struct stream_restores *s)
{
    list_init(&s->open);
}

/* NOLINTNEXTLINE(readability-function-size): what a client said, and who wants to know */
int stream_restores_begin(struct stream_restores *s, struct str nsp, struct str pid,
                          struct str offset, const struct session_restore *to)
{
    struct restore *r;
    struct streams_id from = {0};
    struct sb key = {0};
    struct str name;
    struct driver_eval e = {
        .script = &take_script, .keys = &name, .keys_count = 1, .done = on_taken};
    int rc = offset.n ? streams_id_read(offset, &from) : OK;

    if (rc != OK || !session_is_pid(pid)) return ERR_NOT_FOUND;
    r = mem_new(1, sizeof *r + nsp.n + 1);
    memcpy(r + 1, nsp.p, nsp.n);
    r->nsp = str_of(r + 1, nsp.n);
    memcpy(r->pid, pid.p, sizeof r->pid);
    r->home = s;
    r->to = *to;
    r->from = from;
    r->is_asking = true;
    timer_init(&r->deadline, on_deadline);
    key_name(KEY_SESSION, pid, &key);
    name = sb_view(&key);
    e.ctx = r;
    rc = redis_store_eval(s->hub, &e);
    sb_fini(&key);
    if (rc != OK) {
        mem_free(r);
        return rc;
    }
    list_push(&s->open, &r->node);
    loop_timer(s->loop, &r->deadline, s->timeout_ms);
    return OK;
}

void stream_restores_moved(struct stream_restores *s, bool is_ready, struct streams_id position)
{
    s->is_ready = is_ready;
    s->position = position;
    LIST_EACH_SAFE(node, after, &s->open)
    {
        read_if_there(LIST_OWNER(node, struct restore, node));
    }
}

void stream_restores_heard(struct stream_restores *s, const struct adapter_cast *c)
{
    if (c->flags & ADAPTER_VOLATILE) return;
    LIST_EACH(node, &s->open)
    {
        const struct restore *r = LIST_OWNER(node, struct restore, node);

        if (r->is_reading && str_eq(r->nsp, c->nsp)) r->to.on_missed(r->to.ctx, c, true);
    }
}

void stream_restores_close(struct stream_restores *s)
{
    while (!list_is_empty(&s->open))
        end(LIST_OWNER(s->open.next, struct restore, node), ERR_CLOSED);
}
