/* Rooms by namespace and name over adapter/tally; the first joiner's type is the label. */
#include "node/features/rooms/rooms_state.h"

#include "adapter/tally.h"
#include "base/mem.h"

struct rooms_state {
    struct tally *tally;
    struct rooms_state_conf conf;
};

struct question { /* the answer names the room alone */
    size_t nsp_n;
    rooms_told *told;
    void *ctx;
};

struct sb rooms_state_name(struct str nsp, struct str room)
{
    struct sb name = {0};

    sb_str(&name, nsp);
    sb_char(&name, ':');
    sb_str(&name, room);
    return name;
}

static void on_step(void *ctx, const struct tally_step *step)
{
    const struct rooms_state_conf *c = &((struct rooms_state *)ctx)->conf;

    if (c->on_step) c->on_step(c->ctx, step->name, step->here, step->after);
}

struct rooms_state *rooms_state_new(const struct rooms_state_conf *c)
{
    struct rooms_state *st = MEM_NEW(struct rooms_state);

    st->conf = *c;
    st->tally = tally_new(&(struct tally_conf){.loop = c->loop,
                                               .adapter = c->adapter,
                                               .key = KEY_ROOM_NODES,
                                               .ttl_s = KEY_ROOM_NODES_TTL_S,
                                               .dead_ms = c->dead_ms,
                                               .on_step = on_step,
                                               .ctx = st});
    return st;
}

void rooms_state_free(struct rooms_state *st)
{
    tally_free(st->tally);
    mem_free(st);
}

void rooms_state_enter(struct rooms_state *st, struct str nsp, struct str room, struct str type)
{
    struct sb name = rooms_state_name(nsp, room);

    tally_add(st->tally, sb_view(&name), type);
    sb_fini(&name);
}

void rooms_state_hold(struct rooms_state *st, struct str nsp, struct str room, struct str type)
{
    struct sb name = rooms_state_name(nsp, room);

    tally_hold(st->tally, sb_view(&name), type);
    sb_fini(&name);
}

void rooms_state_release(struct rooms_state *st, struct str nsp, struct str room)
{
    struct sb name = rooms_state_name(nsp, room);

    tally_release(st->tally, sb_view(&name));
    sb_fini(&name);
}

void rooms_state_write(struct rooms_state *st, struct str nsp, struct str room)
{
    struct sb name = rooms_state_name(nsp, room);

    tally_write(st->tally, sb_view(&name));
    sb_fini(&name);
}

void rooms_state_exit(struct rooms_state *st, struct str nsp, struct str room)
{
    struct sb name = rooms_state_name(nsp, room);

    tally_sub(st->tally, sb_view(&name));
    sb_fini(&name);
}

static void on_told(void *ctx, int rc, const struct tally_count *count)
{
    struct question *q = ctx;
    struct rooms_count say = {
        .room = str_skip(count->name, q->nsp_n + 1), .type = count->label, .members = count->total};

    q->told(q->ctx, rc, &say);
    mem_free(q);
}

void rooms_state_ask(struct rooms_state *st, struct str nsp, struct str room, rooms_told *told,
                     void *ctx)
{
    struct sb name = rooms_state_name(nsp, room);
    struct question *q = MEM_NEW(struct question);

    *q = (struct question){.nsp_n = nsp.n, .told = told, .ctx = ctx};
    tally_ask(st->tally, sb_view(&name), on_told, q);
    sb_fini(&name);
}

void rooms_state_lost(struct rooms_state *st, struct str node)
{
    tally_lost(st->tally, node);
    tally_refresh(st->tally);
}

void rooms_state_refresh(struct rooms_state *st)
{
    tally_refresh(st->tally);
}

void rooms_state_return(struct rooms_state *st)
{
    tally_return(st->tally);
}

size_t rooms_state_size(const struct rooms_state *st)
{
    return tally_size(st->tally);
}
