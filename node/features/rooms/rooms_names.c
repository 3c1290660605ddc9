/* Who is in a room, with names, in Redis: a row a user and node, in the order of the keys, so that
 * pages by cursors neither repeat nor miss who stays. One call of the script a room is under way at
 * a time; it writes the rows that changed here and reads those who are there for all newcomers, so
 * a rush into a room costs a handful of calls. A row counts as long as its node has a count in the
 * room (rooms_state.c), so the rows of a dead node go with its count. */
#include "node/features/rooms/rooms_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "events_out.h"
#include "node/features/rooms/rooms_history.h"
#include "node/features/rooms/rooms_key.h"
#include "node/features/rooms/rooms_page.h"
#include "node/people/people.h"

enum { CHANGES_MAX = 100, FULL_MS = 10 * 60 * 1000, RETRY_MS = 1000 };

struct change { /* of a row */
    struct list node;
    size_t n;
    char text[];
};

struct comer { /* who is to be told */
    struct list node;
    size_t n;
    char id[];
};

static void free_all(struct list *l)
{
    struct list *node;

    while ((node = list_shift(l)))
        mem_free(node); /* the first member of both */
}

static void change(struct rooms_room *m, char what, struct str key, struct str row)
{
    struct change *ch = mem_new(1, sizeof *ch + key.n + row.n + 2);

    list_init(&ch->node);
    ch->text[0] = what;
    memcpy(ch->text + 1, key.p, key.n);
    ch->text[1 + key.n] = '\n';
    if (row.n) memcpy(ch->text + 2 + key.n, row.p, row.n);
    ch->n = key.n + row.n + 2;
    list_push(&m->rows, &ch->node);
}

/* ---- telling newcomers ---- */

struct batch { /* newcomers who are told the same */
    struct rooms *rooms;
    struct sb name;
    struct list comers;
    unsigned waits; /* for the names, for the history */
};

static void batch_done(struct batch *b)
{
    if (--b->waits) return;
    free_all(&b->comers);
    sb_fini(&b->name);
    mem_free(b);
}

/* Still there, and in the room. */
static struct sio_socket *socket_of(const struct rooms_room *m, struct list *node)
{
    const struct comer *comer = LIST_OWNER(node, struct comer, node);
    struct sio_nsp *nsp = rooms_room_nsp(m);
    struct sio_socket *s = nsp ? sio_socket_find(nsp, str_of(comer->id, comer->n)) : NULL;

    return s && sio_socket_is_in(s, rooms_room_id(m)) ? s : NULL;
}

static void say_to(struct sio_socket *s, struct str array)
{
    struct sio_cast to = sio_cast_self(s);

    to.flags |= SIO_LOCAL; /* not kept: it can be asked for */
    sio_cast_emit(&to, array, NULL, 0);
}

/* userJoinedRoom of each row, encoded once for all. */
static void put_arrays(const struct rooms_page *p, struct str room, struct sb *all, size_t *ends)
{
    for (unsigned i = 0; i < p->count; i++) {
        sb_z(all, "[\"userJoinedRoom\",{");
        sb_str(all, p->rows[i].row);
        sb_z(all, ",\"roomId\":");
        sb_json(all, room);
        sb_z(all, ",\"isPresent\":true}]");
        ends[i] = all->n;
    }
}

static void tell_names(struct rooms_room *m, const struct rooms_page *p, struct list *comers)
{
    struct sb all = {0};
    size_t ends[ROOMS_NAMES_MAX];

    put_arrays(p, rooms_room_id(m), &all, ends);
    LIST_EACH(node, comers)
    {
        struct sio_socket *s = socket_of(m, node);
        struct sb own = {0};

        if (s) rooms_key_put(event_identity(s), sio_socket_id(s), &own);
        for (unsigned i = 0; s && i < p->count && sio_socket_is_connected(s); i++) {
            size_t start = i ? ends[i - 1] : 0;

            if (!str_eq(p->rows[i].key, sb_view(&own)))
                say_to(s, str_of(all.p + start, ends[i] - start));
        }
        sb_fini(&own);
    }
    sb_fini(&all);
}

static void tell_names_here(struct rooms_room *m, struct list *comers)
{
    struct rooms_page page;

    rooms_page_here(&page, m, STR(""));
    tell_names(m, &page, comers);
    rooms_page_fini(&page);
}

static void on_history(void *ctx, int rc, struct str array)
{
    struct batch *b = ctx;
    struct rooms_room *m =
        b->rooms->is_closed ? NULL : rooms_room_named(b->rooms, sb_view(&b->name));

    if (m && rc == OK) {
        LIST_EACH(node, &b->comers)
        {
            struct sio_socket *s = socket_of(m, node);

            if (s) say_to(s, array);
        }
    }
    batch_done(b);
}

/* ---- the call ---- */

static void put_back(struct rooms_room *m)
{
    struct list all;

    list_init(&all);
    list_splice(&all, &m->sent);
    list_splice(&all, &m->rows);
    list_splice(&m->rows, &all);
}

static void look(struct rooms_room *m);

static void on_looked(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct batch *b = ctx;
    struct rooms *r = b->rooms;
    struct rooms_room *m = r->is_closed ? NULL : rooms_room_named(r, sb_view(&b->name));
    struct rooms_page page;

    if (m) {
        m->is_looking = false;
        if (rc == OK) {
            free_all(&m->sent);
        } else {
            put_back(m);
            list_splice(&b->comers, &m->comers); /* nobody waits for Redis */
        }
        if (rc == OK && rooms_page_read(&page, reply, count))
            tell_names(m, &page, &b->comers);
        else
            tell_names_here(m, &b->comers);
        if (rc != OK)
            loop_timer(events_loop(r->events), &r->retry, RETRY_MS);
        else if (m->wants_look || !list_is_empty(&m->rows) || !list_is_empty(&m->comers))
            look(m);
        rooms_room_fade(m);
    }
    batch_done(b);
}

static void put_changes(struct rooms_room *m, struct rooms_call *c)
{
    struct list *node;

    for (unsigned i = 0; i < CHANGES_MAX && (node = list_shift(&m->rows)); i++) {
        const struct change *ch = LIST_OWNER(node, struct change, node);

        rooms_call_arg(c, str_of(ch->text, ch->n));
        list_push(&m->sent, node);
    }
}

static void look(struct rooms_room *m)
{
    struct rooms_call c = {0};
    struct batch *b;
    bool has_comers = !list_is_empty(&m->comers);

    m->wants_look = m->is_looking;
    if (m->is_looking) return;
    b = MEM_NEW(struct batch);
    b->rooms = m->rooms;
    b->waits = 2;
    sb_str(&b->name, m->name);
    list_init(&b->comers);
    list_splice(&b->comers, &m->comers);
    m->is_looking = true;
    rooms_look_begin(&c, m, has_comers ? ROOMS_NAMES_MAX : 0, STR(""));
    put_changes(m, &c);
    rooms_look_run(m->rooms, &c, on_looked, b);
    if (has_comers)
        rooms_history_newest(m, on_history, b);
    else
        batch_done(b);
}

/* ---- who comes, who goes ---- */

void rooms_names_enter(struct rooms *r, struct sio_socket *s, const struct identity *who,
                       struct str room)
{
    struct rooms_room *m = r->adapter ? rooms_room_find(r, rooms_nsp_of(s), room) : NULL;
    struct sb key = {0}, row = {0};

    if (!m) return;
    rooms_key_put(who, sio_socket_id(s), &key);
    rooms_page_put(who, &row);
    change(m, '+', sb_view(&key), sb_view(&row)); /* written when the count is */
    sb_fini(&key);
    sb_fini(&row);
}

struct others {
    const struct sio_socket *but;
    struct str room;
    const struct identity *who;
    bool found;
};

static void find_other(void *ctx, struct sio_socket *s)
{
    struct others *o = ctx;

    if (s != o->but && sio_socket_is_in(s, o->room) && str_eq(event_identity(s)->id, o->who->id))
        o->found = true;
}

/* Another device of the same user on this node: the row stays. */
static bool is_still_here(const struct rooms *r, struct sio_socket *s, const struct identity *who,
                          struct str room)
{
    struct others o = {.but = s, .room = room, .who = who};
    struct sb own = {0};

    if (!who->id_text.n || rooms_is_hidden(r, who)) return false;
    people_room(who->id_text, &own);
    (void)sio_room_each(sio_socket_nsp(s), sb_view(&own), find_other, &o);
    sb_fini(&own);
    return o.found;
}

void rooms_names_exit(struct rooms *r, struct sio_socket *s, const struct identity *who,
                      struct str room)
{
    struct rooms_room *m = r->adapter ? rooms_room_find(r, rooms_nsp_of(s), room) : NULL;
    struct sb key = {0};

    if (!m || is_still_here(r, s, who, room)) return;
    rooms_key_put(who, sio_socket_id(s), &key);
    change(m, '-', sb_view(&key), STR_NONE);
    sb_fini(&key);
}

void rooms_names_greet(struct rooms_room *m, struct sio_socket *s)
{
    struct str id = sio_socket_id(s);
    struct comer *comer;

    if (rooms_room_type(m)->is_left_alone) return;
    comer = mem_new(1, sizeof *comer + id.n);
    list_init(&comer->node);
    comer->n = id.n;
    memcpy(comer->id, id.p, id.n);
    list_push(&m->comers, &comer->node);
    if (m->rooms->adapter) {
        look(m);
        return;
    }
    tell_names_here(m, &m->comers);
    free_all(&m->comers);
}

/* ---- all again ---- */

static void add_row(void *ctx, struct sio_socket *s)
{
    struct rooms_room *m = ctx;

    if (!rooms_is_hidden(m->rooms, event_identity(s)))
        rooms_names_enter(m->rooms, s, event_identity(s), rooms_room_id(m));
}

void rooms_names_counted(struct rooms_room *m, uint64_t here, uint64_t after)
{
    struct sio_nsp *nsp = rooms_room_nsp(m);
    bool is_lost = m->epoch != m->rooms->epoch;
    bool is_full = is_lost || clock_ms() - m->full_ms >= FULL_MS;

    if (!m->rooms->adapter) return;
    if (is_lost) {
        m->epoch = m->rooms->epoch;
        m->rules.as_of_us = 0; /* another Redis, another clock */
        rooms_room_read(m);
    }
    if (is_full && here && nsp) {
        m->full_ms = clock_ms();
        (void)sio_room_each(nsp, rooms_room_id(m), add_row, m);
    }
    if (m->is_noted != (here > 0) || (is_full && here)) {
        m->is_noted = here > 0;
        rooms_reap_note(m, m->is_noted);
    }
    if (is_full || !after || !list_is_empty(&m->rows)) look(m);
}

void rooms_names_retry(struct timer *t)
{
    struct rooms *r = LIST_OWNER(t, struct rooms, retry);
    struct rooms_room *m;
    size_t i = 0;

    if (!adapter_is_connected(r->adapter)) return; /* all is written again then */
    while ((m = map_next(&r->known, &i)))
        if (!list_is_empty(&m->rows)) look(m);
}

void rooms_names_fini(struct rooms_room *m)
{
    free_all(&m->rows);
    free_all(&m->sent);
    free_all(&m->comers);
}
