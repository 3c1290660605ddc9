/* Worker threads; see pool.h. One mutex guards the lists; a job that is in none of them belongs to
 * the worker that took it. Must hold nothing but the waiting: what jobs do is not known here. */
#include "base/pool.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/forbid.h"

struct pool {
    struct pool_conf conf;
    struct loop_fd *watch;
    int fd; /* eventfd: something is in done */
    pthread_mutex_t lock;
    pthread_cond_t more;
    /* Guarded by lock: */
    struct list waiting, done;
    unsigned waiting_count, running_count;
    bool is_stopping;
    pthread_t threads[POOL_WORKERS_MAX];
};

static struct pool_job *job_of(struct list *node)
{
    return LIST_OWNER(node, struct pool_job, node);
}

/* ---- in a worker ---- */

/* Up to a batch of jobs; none: the pool stops. */
static unsigned take(struct pool *p, struct pool_job **jobs)
{
    unsigned most = p->conf.batch ? p->conf.batch : 1, n = 0;

    pthread_mutex_lock(&p->lock);
    while (p->waiting_count == 0 && !p->is_stopping)
        pthread_cond_wait(&p->more, &p->lock);
    while (n < most && p->waiting_count > 0 && !p->is_stopping) {
        jobs[n++] = job_of(list_shift(&p->waiting));
        p->waiting_count--;
    }
    p->running_count += n;
    pthread_mutex_unlock(&p->lock);
    return n;
}

static void give_back(struct pool *p, struct pool_job **jobs, unsigned n)
{
    uint64_t one = 1;
    bool was_empty;

    pthread_mutex_lock(&p->lock);
    was_empty = list_is_empty(&p->done);
    for (unsigned i = 0; i < n; i++)
        list_push(&p->done, &jobs[i]->node);
    p->running_count -= n;
    /* Within the lock: the descriptor is closed by who holds it and has joined this thread. */
    if (was_empty && write(p->fd, &one, sizeof one) != sizeof one)
        assert(false && "an eventfd takes a one");
    pthread_mutex_unlock(&p->lock);
}

static void work(struct pool *p, void *worker, struct pool_job **jobs, unsigned n)
{
    uint64_t end_us;

    if (p->conf.batch_begin) p->conf.batch_begin(worker);
    for (unsigned i = 0; i < n; i++) {
        jobs[i]->start_us = clock_us();
        jobs[i]->run(jobs[i], worker);
    }
    if (p->conf.batch_end) p->conf.batch_end(worker, jobs, n);
    end_us = clock_us();
    for (unsigned i = 0; i < n; i++)
        jobs[i]->end_us = end_us;
    give_back(p, jobs, n);
}

static void *worker_main(void *ctx)
{
    struct pool *p = ctx;
    struct pool_job *jobs[POOL_BATCH_MAX];
    void *worker = p->conf.worker_open ? p->conf.worker_open(p->conf.ctx) : NULL;
    unsigned n;

    while ((n = take(p, jobs)) > 0)
        work(p, worker, jobs, n);
    if (p->conf.worker_close) p->conf.worker_close(worker);
    return NULL;
}

/* ---- on the loop ---- */

static void deliver(struct pool *p)
{
    struct list done, *node;

    list_init(&done);
    pthread_mutex_lock(&p->lock);
    list_splice(&done, &p->done);
    pthread_mutex_unlock(&p->lock);
    while ((node = list_shift(&done))) {
        struct pool_job *j = job_of(node);

        j->done(j);
    }
}

static void on_done(void *ctx, int what)
{
    struct pool *p = ctx;
    uint64_t count;

    (void)what;
    if (read(p->fd, &count, sizeof count) > 0) deliver(p);
}

static void start_threads(struct pool *p)
{
    sigset_t all, before;
    char name[16];

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the loop's */
    for (unsigned i = 0; i < p->conf.workers; i++) {
        int rc = pthread_create(&p->threads[i], NULL, worker_main, p);

        if (rc != 0) abort();
        (void)snprintf(name, sizeof name, "%.10s-%u", p->conf.name, i % POOL_WORKERS_MAX);
        (void)pthread_setname_np(p->threads[i], name);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct pool *pool_new(struct loop *l, const struct pool_conf *c)
{
    struct pool *p = MEM_NEW(struct pool);

    assert(c->workers >= 1 && c->workers <= POOL_WORKERS_MAX && c->batch <= POOL_BATCH_MAX);
    p->conf = *c;
    list_init(&p->waiting);
    list_init(&p->done);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->more, NULL);
    p->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (p->fd < 0) abort();
    p->watch = loop_fd_new(l, p->fd, on_done, p);
    loop_fd_want(p->watch, LOOP_READ);
    start_threads(p);
    return p;
}

int pool_put(struct pool *p, struct pool_job *j)
{
    int rc = OK;

    j->put_us = clock_us();
    j->start_us = j->end_us = 0;
    j->is_cancelled = false;
    list_init(&j->node);
    pthread_mutex_lock(&p->lock);
    if (p->is_stopping) {
        rc = ERR_CLOSED;
    } else if (p->waiting_count >= p->conf.queue) {
        rc = ERR_LIMIT;
    } else {
        list_push(&p->waiting, &j->node);
        p->waiting_count++;
        pthread_cond_signal(&p->more);
    }
    pthread_mutex_unlock(&p->lock);
    return rc;
}

static void join_threads(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->is_stopping = true;
    pthread_cond_broadcast(&p->more);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->conf.workers; i++)
        pthread_join(p->threads[i], NULL);
}

void pool_stop(struct pool *p)
{
    join_threads(p); /* from here on the lists are this thread's alone */
    LIST_EACH(node, &p->waiting)
    {
        job_of(node)->is_cancelled = true;
        job_of(node)->end_us = clock_us();
    }
    list_splice(&p->done, &p->waiting);
    p->waiting_count = 0;
    deliver(p);
    loop_fd_free(p->watch);
    close(p->fd);
    pthread_cond_destroy(&p->more);
    pthread_mutex_destroy(&p->lock);
    mem_free(p);
}

unsigned pool_waiting(struct pool *p)
{
    unsigned n;

    pthread_mutex_lock(&p->lock);
    n = p->waiting_count;
    pthread_mutex_unlock(&p->lock);
    return n;
}

unsigned pool_running(struct pool *p)
{
    unsigned n;

    pthread_mutex_lock(&p->lock);
    n = p->running_count;
    pthread_mutex_unlock(&p->lock);
    return n;
}
