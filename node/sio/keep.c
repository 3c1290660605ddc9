/* What is kept of sockets while they are connected, so that a client can come back although this
 * node died: written when a socket is there, when its rooms have changed, twice in the time that it
 * lives in Redis, and when it goes. Source: reference 2.4; pitfalls 25 and 26. */
#include "node/sio/sio_priv.h"

#include "adapter/session.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/mem.h"
#include "base/rand.h"

#define TICK_MS 100
#define TICK_SOCKETS 500 /* written again at a time */

struct sio_keep {
    struct list node; /* in sio->keeps, the next one first, or in sio->keeps_changed */
    struct sio_socket *socket;
    uint64_t due_ms, generation;
    struct session_mark mark;
    char pid[EIO_ID_SIZE];
    struct str since, who, data; /* they follow the struct */
    bool has_who;
};

static bool is_kept(const struct sio *sio)
{
    return sio->conf->recovery_ms && sio->adapter;
}

static void store(struct sio_keep *k, bool is_live, uint64_t ttl_ms)
{
    const struct sio_socket *s = k->socket;
    struct str *rooms = mem_new(s->seats_count + 1, sizeof *rooms);
    struct session what = {.sid = sio_socket_str(s),
                           .pid = str_of(k->pid, sizeof k->pid),
                           .rooms = rooms,
                           .rooms_count = s->seats_count + 1,
                           .data = k->data,
                           .since = k->since,
                           .who = k->who,
                           .has_who = k->has_who,
                           .is_live = is_live,
                           .generation = k->generation};

    rooms[0] = what.sid;
    for (uint32_t i = 0; i < s->seats_count; i++)
        rooms[i + 1] = str_of(s->seats[i].room->name, s->seats[i].room->name_n);
    session_put(s->nsp->sio->adapter, &what, ttl_ms, &k->mark);
    mem_free(rooms);
}

static void write_live(struct sio *sio, struct sio_keep *k)
{
    uint64_t recovery_ms = sio->conf->recovery_ms;

    store(k, true, recovery_ms + recovery_ms / 2);
    k->due_ms = clock_ms() + recovery_ms / 2;
    list_unlink(&k->node);
    list_push(&sio->keeps, &k->node);
    if (!timer_is_set(&sio->keep_timer)) loop_timer(sio->loop, &sio->keep_timer, TICK_MS);
}

static void on_tick(struct timer *t)
{
    struct sio *sio = LIST_OWNER(t, struct sio, keep_timer);

    for (unsigned i = 0; i < TICK_SOCKETS && !list_is_empty(&sio->keeps); i++) {
        struct sio_keep *k = LIST_OWNER(sio->keeps.next, struct sio_keep, node);

        if (k->due_ms > clock_ms() || !is_kept(sio)) break;
        write_live(sio, k);
    }
    if (!list_is_empty(&sio->keeps)) loop_timer(sio->loop, &sio->keep_timer, TICK_MS);
}

static void write_changed(struct loop_task *t)
{
    struct sio *sio = LIST_OWNER(t, struct sio, keep_task);

    while (is_kept(sio) && !list_is_empty(&sio->keeps_changed))
        write_live(sio, LIST_OWNER(sio->keeps_changed.next, struct sio_keep, node));
}

void sio_keep_init(struct sio *sio)
{
    list_init(&sio->keeps);
    list_init(&sio->keeps_changed);
    timer_init(&sio->keep_timer, on_tick);
    loop_task_init(&sio->keep_task, write_changed);
}

void sio_keep_fini(struct sio *sio)
{
    loop_timer_stop(sio->loop, &sio->keep_timer);
    loop_task_cancel(&sio->keep_task);
}

void sio_keep_changed(struct sio_socket *s)
{
    struct sio *sio = s->nsp->sio;

    list_unlink(&s->keep->node);
    list_push(&sio->keeps_changed, &s->keep->node);
    loop_at_end(sio->loop, &sio->keep_task);
}

static struct str copy(char **at, struct str s)
{
    struct str out = {*at, s.n};

    if (s.n) memcpy(*at, s.p, s.n);
    *at += s.n;
    return out;
}

void sio_keep_open(struct sio_socket *s, const struct session *was)
{
    struct sio *sio = s->nsp->sio;
    struct str since = was->since.n || !is_kept(sio)
                           ? was->since
                           : adapter_offset(sio->adapter, sio_nsp_str(s->nsp));
    struct sio_keep *k;
    char *at;

    if (!is_kept(sio) || !since.n || eio_session_protocol(s->session) == 3) return;
    k = mem_new(1, sizeof *k + since.n + was->who.n + was->data.n);
    at = (char *)(k + 1);
    k->since = copy(&at, since);
    k->who = copy(&at, was->who);
    k->data = copy(&at, was->data);
    k->has_who = was->has_who;
    k->socket = s;
    if (was->pid.n == sizeof k->pid)
        memcpy(k->pid, was->pid.p, sizeof k->pid);
    else
        eio_new_id(sio->eio, k->pid);
    rand_bytes(&k->generation, sizeof k->generation);
    k->generation >>= 11; /* a number to JavaScript */
    list_init(&k->node);
    s->keep = k;
    sio_keep_changed(s);
}

struct str sio_keep_pid(const struct sio_socket *s)
{
    return s->keep ? str_of(s->keep->pid, sizeof s->keep->pid) : STR_NONE;
}

void sio_keep_close(struct sio_socket *s, enum close_reason why)
{
    struct sio *sio = s->nsp->sio;

    if (!s->keep) return;
    if (is_kept(sio) && close_may_recover(why))
        store(s->keep, false, sio->conf->recovery_ms);
    else if (is_kept(sio))
        session_drop(sio->adapter, sio_keep_pid(s), &s->keep->mark);
    sio_keep_forget(s);
}

void sio_keep_forget(struct sio_socket *s)
{
    if (!s->keep) return;
    list_unlink(&s->keep->node);
    mem_free(s->keep);
    s->keep = NULL;
}
