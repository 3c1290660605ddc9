/* See rooms_page.h. */
#include "node/features/rooms/rooms_page.h"

#include "base/clock.h"
#include "node/features/rooms/rooms_key.h"
#include "node/features/rooms/rooms_priv.h"

bool rooms_page_read(struct rooms_page *p, const struct str *reply, unsigned count)
{
    *p = (struct rooms_page){0};
    if (count < 2 || count % 2 || (count - 2) / 2 > ROOMS_NAMES_MAX) return false;
    p->has_more = str_eq(reply[0], STR("1"));
    p->last = reply[1];
    for (unsigned i = 2; i < count; i += 2)
        p->rows[p->count++] = (struct rooms_row){reply[i], reply[i + 1]};
    return true;
}

void rooms_page_put(const struct identity *who, struct sb *out)
{
    char now[CLOCK_ISO_SIZE];

    if (who->id.n) {
        sb_z(out, "\"userId\":");
        sb_str(out, who->id);
        sb_char(out, ',');
    }
    if (who->name.n) {
        sb_z(out, "\"userName\":");
        sb_json(out, who->name);
        sb_char(out, ',');
    }
    clock_iso(clock_wall_ms(), now);
    sb_printf(out, "\"timestamp\":\"%s\"", now);
}

/* ---- out of the sockets here, by key ---- */

struct gathering {
    const struct rooms_room *room;
    struct str after;
    struct entry {
        struct sb key;
        const struct identity *who;
    } entries[ROOMS_NAMES_MAX + 1];
    unsigned count;
};

static int compare(struct str a, struct str b)
{
    int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

    return order ? order : (a.n > b.n) - (a.n < b.n);
}

/* Keeps the first ones, in order. */
static void insert(struct gathering *g, struct sb *key, const struct identity *who)
{
    unsigned i = g->count;

    while (i && compare(sb_view(key), sb_view(&g->entries[i - 1].key)) < 0)
        i--;
    if (i > ROOMS_NAMES_MAX || (i && str_eq(sb_view(key), sb_view(&g->entries[i - 1].key)))) {
        sb_fini(key);
        return;
    }
    if (g->count > ROOMS_NAMES_MAX) sb_fini(&g->entries[--g->count].key);
    memmove(g->entries + i + 1, g->entries + i, (g->count - i) * sizeof g->entries[0]);
    g->entries[i] = (struct entry){*key, who};
    g->count++;
}

static void gather(void *ctx, struct sio_socket *s)
{
    struct gathering *g = ctx;
    const struct identity *who = event_identity(s);
    struct sb key = {0};

    if (rooms_is_hidden(g->room->rooms, who)) return;
    rooms_key_put(who, sio_socket_id(s), &key);
    if (g->after.n && compare(sb_view(&key), g->after) <= 0)
        sb_fini(&key);
    else
        insert(g, &key, who);
}

static void fill(struct rooms_page *p, struct gathering *g)
{
    size_t ends[2 * ROOMS_NAMES_MAX], start = 0;

    p->has_more = g->count > ROOMS_NAMES_MAX;
    p->count = p->has_more ? ROOMS_NAMES_MAX : g->count;
    for (unsigned i = 0; i < p->count; i++) {
        sb_str(&p->text, sb_view(&g->entries[i].key));
        ends[2 * i] = p->text.n;
        rooms_page_put(g->entries[i].who, &p->text);
        ends[2 * i + 1] = p->text.n;
    }
    for (unsigned i = 0; i < p->count; i++) {
        p->rows[i].key = str_of(p->text.p + start, ends[2 * i] - start);
        p->rows[i].row = str_of(p->text.p + ends[2 * i], ends[2 * i + 1] - ends[2 * i]);
        start = ends[2 * i + 1];
    }
    p->last = p->count ? p->rows[p->count - 1].key : STR("");
}

void rooms_page_here(struct rooms_page *p, const struct rooms_room *m, struct str after)
{
    struct gathering g = {.room = m, .after = after};
    struct sio_nsp *nsp = rooms_room_nsp(m);

    *p = (struct rooms_page){0};
    if (nsp) (void)sio_room_each(nsp, rooms_room_id(m), gather, &g);
    fill(p, &g);
    for (unsigned i = 0; i < g.count; i++)
        sb_fini(&g.entries[i].key);
}

void rooms_page_fini(struct rooms_page *p)
{
    sb_fini(&p->text);
}
