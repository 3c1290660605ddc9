/* All wait equally long, so the oldest is always the first to expire. */
#include "node/event/typing.h"

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"

struct entry {
    struct list order;
    uint64_t until, told; /* told: when the others last heard of it */
    bool is_shown;        /* they believe it */
    struct str key;
    size_t id_n;
    char bytes[]; /* socket id, a blank, room */
};

static struct sb key_of(struct str socket_id, struct str room)
{
    struct sb key = {0};

    sb_str(&key, socket_id);
    sb_char(&key, ' ');
    sb_str(&key, room);
    return key;
}

static void forget(struct typing *t, struct entry *e)
{
    map_del(&t->entries, e->key);
    list_unlink(&e->order);
    mem_free(e);
}

static void arm(struct typing *t)
{
    uint64_t now = clock_ms(), until;

    if (list_is_empty(&t->order)) {
        loop_timer_stop(t->loop, &t->timer);
        return;
    }
    until = LIST_OWNER(t->order.next, struct entry, order)->until;
    loop_timer(t->loop, &t->timer, until > now ? until - now : 0);
}

static void on_time(struct timer *timer)
{
    struct typing *t = LIST_OWNER(timer, struct typing, timer);

    while (!list_is_empty(&t->order)) {
        struct entry *e = LIST_OWNER(t->order.next, struct entry, order);

        if (e->until > clock_ms()) break;
        map_del(&t->entries, e->key);
        list_unlink(&e->order); /* telling may end in others being forgotten */
        if (e->is_shown) t->ended(t->ctx, str_head(e->key, e->id_n), str_skip(e->key, e->id_n + 1));
        mem_free(e);
    }
    arm(t);
}

void typing_init(struct typing *t, struct loop *l, typing_ended *ended, void *ctx)
{
    *t = (struct typing){.loop = l, .ended = ended, .ctx = ctx};
    list_init(&t->order);
    timer_init(&t->timer, on_time);
}

void typing_fini(struct typing *t)
{
    while (!list_is_empty(&t->order))
        forget(t, LIST_OWNER(t->order.next, struct entry, order));
    loop_timer_stop(t->loop, &t->timer);
    map_fini(&t->entries);
}

static void keep(struct typing *t, struct entry *e)
{
    list_unlink(&e->order);
    list_push(&t->order, &e->order);
    e->until = clock_ms() + TYPING_MS;
    arm(t);
}

bool typing_start(struct typing *t, struct str socket_id, struct str room)
{
    struct sb key = key_of(socket_id, room);
    struct entry *e = map_get(&t->entries, sb_view(&key));
    bool is_due = !e || clock_ms() - e->told >= TYPING_TELL_MS;

    if (!e) {
        e = mem_new(1, sizeof *e + key.n);
        memcpy(e->bytes, key.p, key.n);
        e->key = str_of(e->bytes, key.n);
        e->id_n = socket_id.n;
        list_init(&e->order);
        map_put(&t->entries, e->key, e);
    }
    if (is_due) {
        e->told = clock_ms();
        e->is_shown = true;
    }
    keep(t, e);
    sb_fini(&key);
    return is_due;
}

/* Kept a while: whoever starts and stops all the time is not told of each time. */
bool typing_stop(struct typing *t, struct str socket_id, struct str room)
{
    struct sb key = key_of(socket_id, room);
    struct entry *e = map_get(&t->entries, sb_view(&key));
    bool is_end = e && e->is_shown;

    if (is_end) {
        e->is_shown = false;
        keep(t, e);
    }
    sb_fini(&key);
    return is_end;
}
