/* Jobs that run here, from the script that took them until Redis knows how they ended: the lease is
 * renewed, the end is said again until it is heard. */
#include "adapter/due_priv.h"

#include <assert.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/forbid.h"

#define END_RETRY_MS 1000

static uint64_t number(struct str s)
{
    uint64_t v = 0;

    return str_u64(s, UINT32_MAX, &v) == OK ? v : 0;
}

static uint64_t renew_at(const struct due *d)
{
    return clock_ms() + d->conf.lease_ms / 3;
}

struct due_job *due_job_new(struct due *d, struct str token, const struct str *fields)
{
    struct str id = fields[DUE_REPLY_ID];
    struct due_job *j = mem_new(1, sizeof *j + id.n);

    list_init(&j->node);
    list_push(&d->running, &j->node);
    d->running_count++;
    j->due = d;
    j->runs = (unsigned)number(fields[DUE_REPLY_RUNS]);
    j->renew_at = renew_at(d);
    memcpy(j->token, token.p, sizeof j->token);
    memcpy(j->bytes, id.p, id.n);
    j->id = str_of(j->bytes, id.n);
    metric_add(M_DUE_TAKEN, 1);
    metric_observe_us(M_DUE_LATE_SECONDS, number(fields[DUE_REPLY_LATE_MS]) * 1000);
    if (fields[DUE_REPLY_HOLDER].n == DUE_TOKEN_BYTES) metric_add(M_DUE_TAKEN_OVER, 1);
    return j;
}

static void forget(struct due_job *j)
{
    if (j->is_unheard) j->due->unheard_count--;
    list_unlink(&j->node);
    mem_free(j);
}

static void on_ended(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct due_job *j = ctx;
    struct due *d = j->due;
    struct due_reply r;

    d->holds--;
    if (rc == OK && due_store_read(reply, count, &r) == OK) {
        due_learn(d, &r);
        if (r.is_first && r.status == DUE_STATUS_OK) due_announce(d, j->end.delay_ms);
    }
    if (rc == OK || rc == ERR_INTERNAL || d->is_closed || !d->table) {
        forget(j);
    } else { /* it ran, and Redis must know before the lease ends */
        if (!j->is_unheard) d->unheard_count++;
        j->is_unheard = true;
        j->is_sent = false;
        d->retry_at = clock_ms() + END_RETRY_MS;
    }
    due_arm(d);
    due_free_if_done(d);
}

static void send_end(struct due_job *j)
{
    struct due *d = j->due;

    if (!d->table) {
        forget(j); /* it runs again elsewhere when the lease ends */
        return;
    }
    j->is_sent = true;
    d->holds++;
    due_store_end(&d->store, &j->end, on_ended, j);
}

static void end_job(struct due_job *j, enum due_end how, uint64_t delay_ms)
{
    struct due *d = j->due;

    assert(delay_ms <= DUE_DELAY_MAX_MS);
    list_unlink(&j->node);
    d->running_count--;
    list_push(&d->ending, &j->node);
    j->end = (struct due_ending){
        .how = how, .id = j->id, .token = str_of(j->token, sizeof j->token), .delay_ms = delay_ms};
    send_end(j);
    due_arm(d);
    due_free_if_done(d);
}

void due_done(struct due_job *j)
{
    end_job(j, DUE_DONE, 0);
}

void due_again(struct due_job *j, uint64_t delay_ms)
{
    end_job(j, DUE_AGAIN, delay_ms);
}

unsigned due_runs(const struct due_job *j)
{
    return j->runs;
}

static void on_kept(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct due *d = ctx;
    struct due_reply r;

    d->holds--;
    if (rc == OK && due_store_read(reply, count, &r) == OK) due_learn(d, &r);
    due_arm(d);
    due_free_if_done(d);
}

static void keep_job(struct due_job *j)
{
    struct due *d = j->due;
    struct due_ending e = {.how = DUE_KEEP,
                           .id = j->id,
                           .token = str_of(j->token, sizeof j->token),
                           .delay_ms = d->conf.lease_ms};

    list_unlink(&j->node);
    list_push(&d->running, &j->node);
    j->renew_at = renew_at(d);
    d->holds++;
    due_store_end(&d->store, &e, on_kept, d);
}

void due_job_drop_unsent(struct due *d)
{
    LIST_EACH_SAFE(node, after, &d->ending)
    {
        struct due_job *j = LIST_OWNER(node, struct due_job, node);

        if (!j->is_sent) forget(j);
    }
}

void due_job_on_time(struct due *d, uint64_t now)
{
    if (d->retry_at <= now) {
        d->retry_at = UINT64_MAX;
        LIST_EACH(node, &d->ending)
        {
            struct due_job *j = LIST_OWNER(node, struct due_job, node);

            if (!j->is_sent) send_end(j);
        }
    }
    while (!list_is_empty(&d->running)) {
        struct due_job *j = LIST_OWNER(d->running.next, struct due_job, node);

        if (j->renew_at > now) break;
        keep_job(j);
    }
}
