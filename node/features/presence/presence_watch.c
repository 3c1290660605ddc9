/* A watch stands in two lists: of its user and of its socket. */
#include "node/features/presence/presence_watch.h"

#include <string.h>

#include "base/mem.h"

struct watched {
    struct list watches;
    struct str id_text;
    char bytes[];
};

struct presence_watcher {
    struct list watches, pending;
    struct sio_socket *socket;
    struct sb joins, leaves;
    struct str id;
    unsigned count;
    uint64_t seq;
    char bytes[];
};

struct watch {
    struct list of_user, of_socket;
    struct watched *user;
    struct presence_watcher *watcher;
};

void presence_watch_init(struct presence_watch *w)
{
    *w = (struct presence_watch){0};
    list_init(&w->pending);
}

static struct watched *user_of(struct presence_watch *w, struct str id_text)
{
    struct watched *u = map_get(&w->users, id_text);

    if (u) return u;
    u = mem_new(1, sizeof *u + id_text.n);
    memcpy(u->bytes, id_text.p, id_text.n);
    u->id_text = str_of(u->bytes, id_text.n);
    list_init(&u->watches);
    map_put(&w->users, u->id_text, u);
    return u;
}

static struct presence_watcher *watcher_of(struct presence_watch *w, struct sio_socket *s,
                                           struct str id)
{
    struct presence_watcher *r = map_get(&w->watchers, id);

    if (r) return r;
    r = mem_new(1, sizeof *r + id.n);
    memcpy(r->bytes, id.p, id.n);
    r->id = str_of(r->bytes, id.n);
    r->socket = s;
    list_init(&r->watches);
    list_init(&r->pending);
    map_put(&w->watchers, r->id, r);
    return r;
}

static struct watch *find(const struct presence_watcher *r, struct str id_text)
{
    LIST_EACH(node, &r->watches)
    {
        struct watch *one = LIST_OWNER(node, struct watch, of_socket);

        if (str_eq(one->user->id_text, id_text)) return one;
    }
    return NULL;
}

int presence_watch_add(struct presence_watch *w, struct sio_socket *s, struct str socket_id,
                       struct str id_text)
{
    struct presence_watcher *r = watcher_of(w, s, socket_id);
    struct watch *one = find(r, id_text);

    if (one) return OK;
    if (r->count == PRESENCE_WATCHED_MAX) return ERR_LIMIT;
    one = MEM_NEW(struct watch);
    one->user = user_of(w, id_text);
    one->watcher = r;
    list_init(&one->of_user);
    list_init(&one->of_socket);
    list_push(&one->user->watches, &one->of_user);
    list_push(&r->watches, &one->of_socket);
    r->count++;
    return OK;
}

static void end(struct presence_watch *w, struct watch *one)
{
    list_unlink(&one->of_user);
    list_unlink(&one->of_socket);
    one->watcher->count--;
    if (list_is_empty(&one->user->watches)) {
        map_del(&w->users, one->user->id_text);
        mem_free(one->user);
    }
    mem_free(one);
}

void presence_watch_remove(struct presence_watch *w, struct str socket_id, struct str id_text)
{
    struct presence_watcher *r = map_get(&w->watchers, socket_id);
    struct watch *one = r ? find(r, id_text) : NULL;

    if (one) end(w, one);
}

void presence_watch_forget(struct presence_watch *w, struct str socket_id)
{
    struct presence_watcher *r = map_get(&w->watchers, socket_id);

    if (!r) return;
    while (!list_is_empty(&r->watches))
        end(w, LIST_OWNER(r->watches.next, struct watch, of_socket));
    map_del(&w->watchers, r->id);
    list_unlink(&r->pending);
    sb_fini(&r->joins);
    sb_fini(&r->leaves);
    mem_free(r);
}

void presence_watch_fini(struct presence_watch *w)
{
    size_t i = 0;
    struct presence_watcher *r;

    for (; (r = map_next(&w->watchers, &i)); i = 0)
        presence_watch_forget(w, r->id);
    map_fini(&w->watchers);
    map_fini(&w->users);
}

uint64_t presence_watch_seq(const struct presence_watch *w, struct str socket_id)
{
    const struct presence_watcher *r = map_get(&w->watchers, socket_id);

    return r ? r->seq : 0;
}

bool presence_watch_has(const struct presence_watch *w, struct str id_text)
{
    return map_get(&w->users, id_text) != NULL;
}

void presence_watch_note(struct presence_watch *w, struct str id_text, bool is_join,
                         struct str json)
{
    struct watched *u = map_get(&w->users, id_text);

    if (!u) return;
    LIST_EACH(node, &u->watches)
    {
        struct presence_watcher *r = LIST_OWNER(node, struct watch, of_user)->watcher;
        struct sb *to = is_join ? &r->joins : &r->leaves;

        sb_char(to, to->n ? ',' : '[');
        sb_str(to, json);
        if (!list_is_linked(&r->pending)) list_push(&w->pending, &r->pending);
    }
}

static struct str closed(struct sb *array)
{
    if (!array->n) return STR("[]");
    sb_char(array, ']');
    return sb_view(array);
}

void presence_watch_flush(struct presence_watch *w,
                          void (*fn)(void *ctx, const struct presence_diff *d), void *ctx)
{
    struct list *node;

    while ((node = list_shift(&w->pending))) {
        struct presence_watcher *r = LIST_OWNER(node, struct presence_watcher, pending);
        struct sb joins = r->joins, leaves = r->leaves;
        struct presence_diff d = {.socket = r->socket, .seq = ++r->seq};

        r->joins = r->leaves = (struct sb){0}; /* r may go away within fn */
        d.joins = closed(&joins);
        d.leaves = closed(&leaves);
        fn(ctx, &d);
        sb_fini(&joins);
        sb_fini(&leaves);
    }
}
