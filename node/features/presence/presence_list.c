/* Rows are few machine words and the members as text: ten thousand of them are a megabyte or two.
 */
#include "node/features/presence/presence_list.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

static const struct {
    const char *name;
    char letter;
} statuses[] = {
    [PRESENCE_ONLINE] = {"online", 'o'},   [PRESENCE_AWAY] = {"away", 'a'},
    [PRESENCE_BUSY] = {"busy", 'b'},       [PRESENCE_INVISIBLE] = {"invisible", 'i'},
    [PRESENCE_OFFLINE] = {"offline", '-'},
};

const char *presence_status_name(enum presence_status s)
{
    return statuses[s].name;
}

int presence_status_read(struct str word, enum presence_status *out)
{
    for (enum presence_status s = PRESENCE_ONLINE; s < PRESENCE_OFFLINE; s++) {
        if (!str_eq_nocase(word, str_z(statuses[s].name))) continue;
        *out = s;
        return OK;
    }
    return ERR_SCHEMA;
}

void presence_value_put(const struct presence_value *v, struct sb *out)
{
    sb_char(out, statuses[v->status].letter);
    sb_char(out, ' ');
    sb_u64(out, v->active_ms);
    sb_char(out, ' ');
    sb_str(out, v->members);
}

int presence_value_read(struct str text, struct presence_value *out)
{
    struct presence_value v = {.status = PRESENCE_OFFLINE};
    struct str letter, number, rest;

    if (!str_cut(text, ' ', &letter, &rest) || !str_cut(rest, ' ', &number, &v.members))
        return ERR_PROTO;
    for (enum presence_status s = PRESENCE_ONLINE; s < PRESENCE_OFFLINE; s++)
        if (letter.n == 1 && letter.p[0] == statuses[s].letter) v.status = s;
    if (v.status == PRESENCE_OFFLINE || !v.members.n) return ERR_PROTO;
    if (str_u64(number, UINT64_MAX / 1000, &v.active_ms) != OK) return ERR_PROTO;
    *out = v;
    return OK;
}

void presence_list_init(struct presence_list *l)
{
    *l = (struct presence_list){.round = 1};
    list_init(&l->shown);
    list_init(&l->changed);
}

static void forget(struct presence_list *l, struct presence_row *r)
{
    map_del(&l->rows, r->id_text);
    list_unlink(&r->shown);
    list_unlink(&r->changed);
    mem_free(r->members);
    mem_free(r);
}

void presence_list_fini(struct presence_list *l)
{
    size_t i = 0;
    struct presence_row *r;

    while ((r = map_next(&l->rows, &i))) {
        mem_free(r->members);
        mem_free(r);
    }
    map_fini(&l->rows);
}

static bool is_shown(enum presence_status s)
{
    return s < PRESENCE_INVISIBLE;
}

bool presence_row_is_shown(const struct presence_row *r)
{
    return is_shown(r->status);
}

struct presence_row *presence_list_get(const struct presence_list *l, struct str id_text)
{
    return map_get(&l->rows, id_text);
}

static struct presence_row *add(struct presence_list *l, struct str id_text)
{
    struct presence_row *r = mem_new(1, sizeof *r + id_text.n);

    memcpy(r->bytes, id_text.p, id_text.n);
    r->id_text = str_of(r->bytes, id_text.n);
    r->status = r->told = PRESENCE_OFFLINE;
    list_init(&r->shown);
    list_init(&r->changed);
    map_put(&l->rows, r->id_text, r);
    return r;
}

static bool is_same(const struct presence_row *r, const struct presence_value *v)
{
    return v ? r->status == v->status && r->active_ms == v->active_ms && r->members &&
                   str_eq(str_z(r->members), v->members)
             : r->status == PRESENCE_OFFLINE;
}

static void move(struct presence_list *l, struct presence_row *r, enum presence_status status)
{
    if (list_is_linked(&r->shown)) l->shown_count--;
    list_unlink(&r->shown);
    r->status = status;
    if (is_shown(status)) {
        list_push(l->shown.next, &r->shown); /* before the first one */
        l->shown_count++;
    }
    if (!list_is_linked(&r->changed)) list_push(&l->changed, &r->changed);
}

void presence_list_set(struct presence_list *l, struct str id_text, const struct presence_value *v)
{
    struct presence_row *r = presence_list_get(l, id_text);

    if (!r && !v) return;
    if (!r) r = add(l, id_text);
    r->round = l->round;
    if (is_same(r, v)) return;
    if (v && !(r->members && str_eq(str_z(r->members), v->members))) {
        mem_free(r->members);
        r->members = str_dup(v->members);
    }
    if (v) r->active_ms = v->active_ms;
    r->is_told_changed = true;
    move(l, r, v ? v->status : PRESENCE_OFFLINE);
}

void presence_list_round(struct presence_list *l)
{
    l->round++;
}

void presence_list_sweep(struct presence_list *l, bool (*keep)(void *ctx, struct str id_text),
                         void *ctx)
{
    size_t i = 0;
    struct presence_row *r;

    while ((r = map_next(&l->rows, &i)))
        if (r->round != l->round && r->status != PRESENCE_OFFLINE && !keep(ctx, r->id_text))
            move(l, r, PRESENCE_OFFLINE);
}

unsigned presence_list_tell(struct presence_list *l, presence_told *fn, void *ctx)
{
    unsigned told = 0;
    struct list *node;

    while ((node = list_shift(&l->changed))) {
        struct presence_row *r = LIST_OWNER(node, struct presence_row, changed);
        bool before = is_shown(r->told), now = is_shown(r->status);

        if (before != now || (now && r->is_told_changed)) {
            told++;
            fn(ctx, r, !now ? PRESENCE_LEAVE : before ? PRESENCE_UPDATE : PRESENCE_JOIN);
        }
        r->told = r->status;
        r->is_told_changed = false;
        if (r->status == PRESENCE_OFFLINE) forget(l, r);
    }
    return told;
}

void presence_row_put(const struct presence_row *r, struct sb *out)
{
    char when[CLOCK_ISO_SIZE];

    clock_iso(r->active_ms, when);
    sb_char(out, '{');
    sb_z(out, r->members);
    sb_printf(out, ",\"status\":\"%s\",\"lastActivity\":\"%s\"}", presence_status_name(r->status),
              when);
}

size_t presence_list_pages(const struct presence_list *l)
{
    return l->shown_count ? (l->shown_count + PRESENCE_PAGE - 1) / PRESENCE_PAGE : 1;
}

void presence_list_page(const struct presence_list *l, size_t page, struct sb *out)
{
    size_t i = 0, from = page * PRESENCE_PAGE;

    sb_char(out, '[');
    LIST_EACH(node, &l->shown)
    {
        if (i++ < from) continue;
        if (i > from + PRESENCE_PAGE) break;
        if (i > from + 1) sb_char(out, ',');
        presence_row_put(LIST_OWNER(node, struct presence_row, shown), out);
    }
    sb_char(out, ']');
}
