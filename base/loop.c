/* The turn of the house over libevent: events, timers, what is due to be written, what is due to be
 * freed. Nothing else includes libevent. One thread; nothing here blocks but the waiting itself. */
#include "base/loop.h"

#include <arpa/inet.h>
#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/util.h>
#include "base/clock.h"
#include "base/loop_fd.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/forbid.h"

#define SLEEP_MAX_MS 60000

struct loop {
    struct event_base *base;
    struct evdns_base *dns; /* made when a first name is asked for */
    struct event alarm;     /* wakes for the next timer of the wheel */
    uint64_t alarm_ms;      /* time it is set for; 0: not set */
    struct loop_fds fds;    /* every descriptor but libevent's own */
    struct event ready;     /* one of them is */
    struct timers timers;
    struct list writes, next_writes, frees;
    struct list lookups; /* struct lookup, every one that is not answered */
    struct list signals; /* struct watch_signal */
    uint64_t turn;
    uint64_t turn_started_us; /* 0: nothing has happened in this turn yet */
    uint64_t began_ms;        /* of this turn, or the last one */
    struct list pauses;       /* struct loop_pause */
    uint64_t last_turn_us;
    bool is_stopped;
};

struct watch_signal {
    struct list node;
    struct loop *loop;
    struct event event;
    void (*cb)(void *ctx, int signo);
    void *ctx;
};

struct lookup {
    struct list node;
    struct loop_task task;
    struct loop *loop;
    struct evdns_getaddrinfo_request *request;
    void (*cb)(void *ctx, int rc, const char *address);
    void *ctx;
    int rc;
    bool is_dead; /* the loop is going away: nobody listens */
    char address[INET6_ADDRSTRLEN];
};

/* The first event of a turn ends the waiting: from here on the turn is measured and the clock is
 * right. */
static void turn_begin(struct loop *l)
{
    uint64_t gap;

    if (l->turn_started_us) return;
    clock_refresh();
    l->turn_started_us = clock_us();
    gap = clock_ms() - l->began_ms;
    l->began_ms = clock_ms();
    LIST_EACH_SAFE(node, after, &l->pauses)
    {
        struct loop_pause *p = LIST_OWNER(node, struct loop_pause, node);

        if (gap >= p->ms) p->run(p);
    }
}

void loop_pause_watch(struct loop *l, struct loop_pause *p, uint64_t ms,
                      void (*run)(struct loop_pause *p))
{
    p->ms = ms;
    p->run = run;
    list_init(&p->node);
    list_push(&l->pauses, &p->node);
}

void loop_pause_end(struct loop_pause *p)
{
    list_unlink(&p->node);
}

static void on_alarm(evutil_socket_t fd, short what, void *ctx)
{
    struct loop *l = ctx;

    (void)fd;
    (void)what;
    l->alarm_ms = 0;
    turn_begin(l);
}

/* Turns of libevent see one descriptor: ours. */
static void on_ready(evutil_socket_t fd, short what, void *ctx)
{
    struct loop *l = ctx;

    (void)fd;
    (void)what;
    turn_begin(l);
    loop_fds_run(&l->fds);
}

struct loop_fds *loop_fds_of(struct loop *l)
{
    return &l->fds;
}

struct loop *loop_new(void)
{
    struct loop *l = MEM_NEW(struct loop);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct event_config *config;

    sigaction(SIGPIPE, &ignore,
              NULL); /* a peer that is gone is an error code of write, not our end */
    config = event_config_new();
    if (!config || event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) != 0) abort();
    l->base = event_base_new_with_config(config);
    event_config_free(config);
    if (!l->base) abort();
    event_assign(&l->alarm, l->base, -1, 0, on_alarm, l);
    loop_fds_open(&l->fds);
    event_assign(&l->ready, l->base, l->fds.epoll, EV_READ | EV_PERSIST, on_ready, l);
    event_add(&l->ready, NULL);
    clock_refresh();
    timers_init(&l->timers, clock_ms());
    list_init(&l->writes);
    list_init(&l->next_writes);
    list_init(&l->frees);
    list_init(&l->lookups);
    list_init(&l->signals);
    list_init(&l->pauses);
    l->began_ms = clock_ms();
    return l;
}

static void free_lookups(struct loop *l)
{
    LIST_EACH_SAFE(node, after, &l->lookups)
    {
        struct lookup *k = LIST_OWNER(node, struct lookup, node);

        k->is_dead = true;
        if (k->request) {
            evdns_getaddrinfo_cancel(k->request); /* answers, and so frees k, in the turn below */
        } else {
            loop_task_cancel(&k->task);
            list_unlink(&k->node);
            mem_free(k);
        }
    }
    if (!l->dns) return;
    event_base_loop(l->base, EVLOOP_NONBLOCK);
    evdns_base_free(l->dns, 0);
}

static void run_frees(struct loop *l);

void loop_free(struct loop *l)
{
    struct list *node;

    if (!l) return;
    run_frees(l);
    free_lookups(l);
    while ((node = list_shift(&l->signals)) != NULL) {
        struct watch_signal *s = LIST_OWNER(node, struct watch_signal, node);

        event_del(&s->event);
        mem_free(s);
    }
    event_del(&l->alarm);
    event_del(&l->ready);
    loop_fds_close(&l->fds);
    event_base_free(l->base);
    mem_free(l);
}

struct timers *loop_timers(struct loop *l)
{
    return &l->timers;
}

uint64_t loop_last_turn_us(const struct loop *l)
{
    return l->last_turn_us;
}

/* Sets the alarm for the next timer; touches libevent only when that has changed. */
static void set_alarm(struct loop *l)
{
    uint64_t now = clock_ms(), wait = timers_next_ms(&l->timers, now), due;
    struct timeval tv;

    if (wait == UINT64_MAX) {
        if (l->alarm_ms) event_del(&l->alarm);
        l->alarm_ms = 0;
        return;
    }
    if (wait > SLEEP_MAX_MS) wait = SLEEP_MAX_MS;
    due = now + wait;
    if (l->alarm_ms == due) return;
    tv.tv_sec = (time_t)(wait / 1000);
    tv.tv_usec = (suseconds_t)(wait % 1000 * 1000);
    event_add(&l->alarm, &tv);
    l->alarm_ms = due;
}

static void run_writes(struct loop *l)
{
    struct list *node;

    while ((node = list_shift(&l->writes)) != NULL) {
        struct loop_task *t = LIST_OWNER(node, struct loop_task, node);

        t->turn = l->turn;
        t->run(t);
    }
}

static void run_frees(struct loop *l)
{
    struct list *node;

    while ((node = list_shift(&l->frees)) != NULL) {
        struct loop_task *t = LIST_OWNER(node, struct loop_task, node);

        t->run(t);
    }
}

void loop_turn(struct loop *l, bool wait)
{
    int flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY;

    l->turn++;
    list_splice(&l->writes, &l->next_writes);
    if (!wait || !list_is_empty(&l->writes) || !list_is_empty(&l->frees)) flags |= EVLOOP_NONBLOCK;
    if (!(flags & EVLOOP_NONBLOCK)) {
        clock_refresh();
        set_alarm(l);
    }
    l->turn_started_us = 0;
    event_base_loop(l->base, flags);
    turn_begin(l);
    timers_run(&l->timers, clock_ms());
    run_writes(l);
    run_frees(l);
    loop_fds_reap(&l->fds);
    l->last_turn_us = clock_us() - l->turn_started_us;
    metric_observe_us(M_LOOP_SECONDS, l->last_turn_us);
}

void loop_run(struct loop *l)
{
    l->is_stopped = false;
    while (!l->is_stopped)
        loop_turn(l, true);
}

void loop_stop(struct loop *l)
{
    l->is_stopped = true;
}

void loop_at_end(struct loop *l, struct loop_task *t)
{
    if (list_is_linked(&t->node)) return;
    list_push(t->turn == l->turn && l->turn ? &l->next_writes : &l->writes, &t->node);
}

void loop_free_at_end(struct loop *l, struct loop_task *t)
{
    if (list_is_linked(&t->node)) return;
    list_push(&l->frees, &t->node);
}

void loop_task_cancel(struct loop_task *t)
{
    if (list_is_linked(&t->node)) list_unlink(&t->node);
}

/* ---- signals ---- */

static void on_signal(evutil_socket_t signo, short what, void *ctx)
{
    struct watch_signal *s = ctx;

    (void)what;
    turn_begin(s->loop);
    s->cb(s->ctx, (int)signo);
}

void loop_signal(struct loop *l, int signo, void (*cb)(void *ctx, int signo), void *ctx)
{
    struct watch_signal *s = MEM_NEW(struct watch_signal);

    s->loop = l;
    s->cb = cb;
    s->ctx = ctx;
    event_assign(&s->event, l->base, signo, EV_SIGNAL | EV_PERSIST, on_signal, s);
    event_add(&s->event, NULL);
    list_push(&l->signals, &s->node);
}

/* ---- names ---- */

/* Always out of the end of a turn, so the caller never gets its answer before loop_resolve has
 * returned. */
static void answer_lookup(struct loop_task *t)
{
    struct lookup *k = LIST_OWNER(t, struct lookup, task);

    list_unlink(&k->node);
    k->cb(k->ctx, k->rc, k->rc == OK ? k->address : NULL);
    mem_free(k);
}

static void take_address(struct lookup *k, const struct evutil_addrinfo *found)
{
    k->rc = ERR_NOT_FOUND;
    for (; found && k->rc != OK; found = found->ai_next) {
        const void *address = NULL;

        if (found->ai_family == AF_INET) {
            address = &((const struct sockaddr_in *)(const void *)found->ai_addr)->sin_addr;
        } else if (found->ai_family == AF_INET6) {
            address = &((const struct sockaddr_in6 *)(const void *)found->ai_addr)->sin6_addr;
        }
        if (!address) continue;
        if (inet_ntop(found->ai_family, address, k->address, sizeof k->address)) k->rc = OK;
    }
}

static void on_found(int result, struct evutil_addrinfo *found, void *ctx)
{
    struct lookup *k = ctx;

    k->request = NULL;
    if (k->is_dead) {
        list_unlink(&k->node);
        mem_free(k);
        goto out;
    }
    turn_begin(k->loop);
    if (result == 0) {
        take_address(k, found);
    } else {
        k->rc = result == EVUTIL_EAI_NONAME || result == EVUTIL_EAI_NODATA ? ERR_NOT_FOUND : ERR_IO;
    }
    loop_at_end(k->loop, &k->task);
out:
    if (found) evutil_freeaddrinfo(found);
}

/* Without a readable resolv.conf libevent asks 127.0.0.1; /etc/hosts answers first in every case.
 */
static void open_dns(struct loop *l)
{
    if (l->dns) return;
    l->dns = evdns_base_new(l->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (!l->dns) abort();
    evdns_base_resolv_conf_parse(
        l->dns, DNS_OPTION_SEARCH | DNS_OPTION_NAMESERVERS | DNS_OPTION_MISC, "/etc/resolv.conf");
    evdns_base_load_hosts(l->dns, "/etc/hosts");
}

void loop_resolve(struct loop *l, const char *host,
                  void (*cb)(void *ctx, int rc, const char *address), void *ctx)
{
    static const struct evutil_addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    struct lookup *k = MEM_NEW(struct lookup);
    unsigned char binary[sizeof(struct in6_addr)];
    struct evdns_getaddrinfo_request *request;

    k->loop = l;
    k->cb = cb;
    k->ctx = ctx;
    loop_task_init(&k->task, answer_lookup);
    list_push(&l->lookups, &k->node);
    if (inet_pton(AF_INET, host, binary) == 1 || inet_pton(AF_INET6, host, binary) == 1) {
        struct sb text = {.p = k->address, .cap = sizeof k->address};

        sb_put(&text, host, strlen(host) + 1); /* fits: inet_pton took it */
        loop_at_end(l, &k->task);
        return;
    }
    open_dns(l);
    request = evdns_getaddrinfo(l->dns, host, NULL, &hints, on_found, k);
    if (request) k->request = request; /* else it is answered already, and k may not be touched */
}
