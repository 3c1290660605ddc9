/* Jobs go to other threads and come back to the loop: once each, whatever happens. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <unistd.h>
#include "base/loop.h"
#include "base/pool.h"

static struct loop *loop;
static pthread_t here;

static void setup(void)
{
    loop = loop_new();
    here = pthread_self();
}

static void teardown(void)
{
    loop_free(loop);
}

TestSuite(pool, .init = setup, .fini = teardown, .timeout = 60);

struct task {
    struct pool_job job;
    int gate;      /* waits until something can be read here; 0: does not */
    pthread_t ran; /* the thread */
    void *worker;
    int number; /* in the order of running, of one worker */
    bool has_run;
    unsigned done;
    bool was_here;
    struct pool *again; /* put once more from done */
};

static int runs;       /* of one worker */
static unsigned total; /* done */
static int order[16];  /* numbers as they came back */

static void run(struct pool_job *j, void *worker)
{
    struct task *t = (struct task *)(void *)j;
    char c;

    if (t->gate && read(t->gate, &c, 1) != 1) return;
    t->ran = pthread_self();
    t->worker = worker;
    t->has_run = true;
    t->number = __atomic_fetch_add(&runs, 1, __ATOMIC_RELAXED);
}

static void done(struct pool_job *j)
{
    struct task *t = (struct task *)(void *)j;
    struct pool *again = t->again;

    t->done++;
    t->was_here = pthread_equal(pthread_self(), here);
    if (total < 16) order[total] = t->number;
    total++;
    t->again = NULL;
    if (again) cr_expect_eq(pool_put(again, j), OK);
}

#define TASK(...) ((struct task){.job = {.run = run, .done = done}, ##__VA_ARGS__})

static void await(unsigned count)
{
    while (total < count)
        loop_turn(loop, true);
}

Test(pool, runs_in_another_thread_and_answers_on_the_loop)
{
    struct pool *p = pool_new(loop, &(struct pool_conf){.name = "t", .workers = 2, .queue = 8});
    struct task t = TASK();

    cr_assert_eq(pool_put(p, &t.job), OK);
    cr_expect_eq(t.done, 0, "never within the call");
    await(1);
    cr_expect(t.has_run && !pthread_equal(t.ran, here));
    cr_expect(t.was_here);
    cr_expect(!t.job.is_cancelled);
    cr_expect(t.job.put_us <= t.job.start_us && t.job.start_us <= t.job.end_us);
    cr_expect_eq(pool_running(p), 0);
    pool_stop(p);
    cr_expect_eq(t.done, 1);
}

Test(pool, one_worker_keeps_the_order)
{
    struct pool *p = pool_new(loop, &(struct pool_conf){.name = "t", .workers = 1, .queue = 16});
    struct task t[10];

    for (int i = 0; i < 10; i++) {
        t[i] = TASK();
        cr_assert_eq(pool_put(p, &t[i].job), OK);
    }
    await(10);
    for (int i = 0; i < 10; i++)
        cr_expect(t[i].number == i && order[i] == i, "job %d", i);
    pool_stop(p);
}

Test(pool, a_done_may_put_its_job_again)
{
    struct pool *p = pool_new(loop, &(struct pool_conf){.name = "t", .workers = 1, .queue = 1});
    struct task t = TASK(.again = p);

    cr_assert_eq(pool_put(p, &t.job), OK);
    await(2);
    cr_expect_eq(t.done, 2);
    pool_stop(p);
}

Test(pool, refuses_what_the_queue_has_no_room_for)
{
    struct pool *p = pool_new(loop, &(struct pool_conf){.name = "t", .workers = 1, .queue = 2});
    struct task t[4];
    int gate[2];

    cr_assert_eq(pipe(gate), 0);
    for (int i = 0; i < 4; i++)
        t[i] = TASK(.gate = gate[0]);
    cr_assert_eq(pool_put(p, &t[0].job), OK);
    while (pool_running(p) == 0)
        continue; /* it has left the queue */
    cr_expect_eq(pool_put(p, &t[1].job), OK);
    cr_expect_eq(pool_put(p, &t[2].job), OK);
    cr_expect_eq(pool_waiting(p), 2);
    cr_expect_eq(pool_put(p, &t[3].job), ERR_LIMIT);
    cr_assert_eq(write(gate[1], "123", 3), 3);
    await(3);
    cr_expect_eq(t[3].done, 0, "what was refused is not answered");
    pool_stop(p);
    close(gate[0]);
    close(gate[1]);
}

static struct pool *stopping;
static int late_rc;

/* Until the pool stops: till then its queue is full. */
static void run_until_stopped(struct pool_job *j, void *worker)
{
    struct pool_job probe;
    char c;

    if (read(((struct task *)(void *)j)->gate, &c, 1) != 1) return; /* the queue is full now */
    while (pool_put(stopping, &probe) == ERR_LIMIT)
        continue;
    ((struct task *)(void *)j)->has_run = true;
    (void)worker;
}

Test(pool, stop_waits_for_who_runs_and_cancels_who_waits)
{
    struct task t[3];
    int gate[2];

    cr_assert_eq(pipe(gate), 0);
    stopping = pool_new(loop, &(struct pool_conf){.name = "t", .workers = 1, .queue = 2});
    for (int i = 0; i < 3; i++)
        t[i] = TASK();
    t[0].job.run = run_until_stopped;
    t[0].gate = gate[0];
    cr_assert_eq(pool_put(stopping, &t[0].job), OK);
    while (pool_running(stopping) == 0)
        continue;
    cr_assert_eq(pool_put(stopping, &t[1].job), OK);
    cr_assert_eq(pool_put(stopping, &t[2].job), OK);
    cr_assert_eq(write(gate[1], "1", 1), 1);
    pool_stop(stopping);
    cr_expect_eq(total, 3, "each is answered, within the call");
    cr_expect(t[0].has_run && !t[0].job.is_cancelled);
    cr_expect(!t[1].has_run && t[1].job.is_cancelled);
    cr_expect(!t[2].has_run && t[2].job.is_cancelled);
    close(gate[0]);
    close(gate[1]);
}

static void put_late(struct pool_job *j)
{
    total++;
    late_rc = pool_put(stopping, j);
}

Test(pool, takes_nothing_while_it_stops)
{
    struct task t = TASK();

    stopping = pool_new(loop, &(struct pool_conf){.name = "t", .workers = 1, .queue = 8});
    t.job.done = put_late;
    cr_assert_eq(pool_put(stopping, &t.job), OK);
    pool_stop(stopping);
    cr_expect_eq(total, 1);
    cr_expect_eq(late_rc, ERR_CLOSED);
}

/* ---- state of a worker, batches ---- */

struct worker {
    unsigned begun, ended, jobs, most;
    bool is_open;
};
static struct worker only;

static void *open_worker(void *ctx)
{
    cr_assert_eq(ctx, &total);
    only.is_open = true;
    return &only;
}

static void close_worker(void *worker)
{
    ((struct worker *)worker)->is_open = false;
}

static void begin(void *worker)
{
    ((struct worker *)worker)->begun++;
}

static void end(void *worker, struct pool_job *const *jobs, unsigned count)
{
    struct worker *w = worker;

    w->ended++;
    w->jobs += count;
    if (count > w->most) w->most = count;
    for (unsigned i = 0; i < count; i++)
        cr_assert(((struct task *)(void *)jobs[i])->done == 0, "not answered before the end");
}

Test(pool, who_waits_together_is_done_together)
{
    struct pool *p = pool_new(loop, &(struct pool_conf){.name = "t",
                                                        .workers = 1,
                                                        .queue = 16,
                                                        .batch = 4,
                                                        .worker_open = open_worker,
                                                        .worker_close = close_worker,
                                                        .batch_begin = begin,
                                                        .batch_end = end,
                                                        .ctx = &total});
    struct task t[9];
    int gate[2];

    cr_assert_eq(pipe(gate), 0);
    for (int i = 0; i < 9; i++)
        t[i] = TASK(.gate = i == 0 ? gate[0] : 0);
    cr_assert_eq(pool_put(p, &t[0].job), OK);
    while (pool_running(p) == 0)
        continue;
    for (int i = 1; i < 9; i++)
        cr_assert_eq(pool_put(p, &t[i].job), OK);
    cr_assert_eq(write(gate[1], "1", 1), 1);
    await(9);
    cr_expect(only.is_open);
    cr_expect_eq(only.begun, 3, "1, 4 and 4");
    cr_expect_eq(only.ended, 3);
    cr_expect_eq(only.jobs, 9);
    cr_expect_eq(only.most, 4);
    for (int i = 0; i < 9; i++)
        cr_expect(t[i].worker == &only && t[i].number == i);
    pool_stop(p);
    cr_expect(!only.is_open);
    close(gate[0]);
    close(gate[1]);
}

Test(pool, many_jobs_over_many_workers_come_back_once_each)
{
    enum { COUNT = 20000 };
    static struct task t[COUNT];
    struct pool *p = pool_new(loop, &(struct pool_conf){.name = "t", .workers = 8, .queue = COUNT});

    for (int i = 0; i < COUNT; i++) {
        t[i] = TASK();
        cr_assert_eq(pool_put(p, &t[i].job), OK);
    }
    await(COUNT);
    for (int i = 0; i < COUNT; i++)
        cr_assert(t[i].done == 1 && t[i].has_run, "job %d", i);
    pool_stop(p);
    cr_expect_eq(total, COUNT);
}
