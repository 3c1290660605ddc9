/* Counters, gauges and histograms: plain arrays by the rows of metric.def. Counting is one
 * addition; one thread. Never takes a label from a peer: a label is an index into a closed list. */
#include "base/metric_priv.h"

#include <assert.h>
#include "base/mem.h"
#include "base/forbid.h"

#define METRIC(id, kind, name, label, doc) [M_##id] = {METRIC_##kind, (name), (label), (doc)},
const struct metric_row metric_rows[METRIC_COUNT] = {
#include "base/metric.def"
};
#undef METRIC

const uint32_t metric_bounds_us[METRIC_BOUNDS] = {
    100,   250,    500,    1000,   2500,    5000,    10000,   25000,
    50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000};

struct metric_state metric_states[METRIC_COUNT];

void metric_add(enum metric m, uint64_t v)
{
    metric_states[m].value += (int64_t)v;
}

/* An index out of range counts under "other": the list's own last label of that name, else one more
 * at the end. */
void metric_add_at(enum metric m, unsigned label_i, uint64_t v)
{
    struct metric_state *s = &metric_states[m];

    if (label_i < s->labels_count) {
        s->at[label_i] += v;
    } else if (s->has_other) {
        s->at[s->labels_count - 1] += v;
    } else {
        s->other += v;
    }
}

void metric_set(enum metric m, int64_t v)
{
    metric_states[m].value = v;
}

void metric_shift(enum metric m, int64_t by)
{
    metric_states[m].value += by;
}

void metric_observe_us(enum metric m, uint64_t us)
{
    struct metric_state *s = &metric_states[m];
    unsigned i = 0;

    assert(metric_rows[m].kind == METRIC_HISTOGRAM);
    while (i < METRIC_BOUNDS && us > metric_bounds_us[i])
        i++;
    if (!s->at) s->at = mem_new(METRIC_BOUNDS + 1, sizeof *s->at);
    s->at[i]++;
    s->value++;
    s->other += us;
}

int64_t metric_get(enum metric m)
{
    const struct metric_state *s = &metric_states[m];
    uint64_t sum = s->other;

    if (!metric_rows[m].label) return s->value;
    for (unsigned i = 0; i < s->labels_count; i++)
        sum += s->at[i];
    return (int64_t)sum;
}

uint64_t metric_sum_us(enum metric m)
{
    assert(metric_rows[m].kind == METRIC_HISTOGRAM);
    return metric_states[m].other;
}

int64_t metric_get_at(enum metric m, unsigned label_i)
{
    const struct metric_state *s = &metric_states[m];

    if (label_i < s->labels_count) return (int64_t)s->at[label_i];
    return (int64_t)(s->has_other ? s->at[s->labels_count - 1] : s->other);
}

void metric_labels(enum metric m, const char *const *values, unsigned count)
{
    struct metric_state *s = &metric_states[m];
    uint64_t *at = mem_new(count, sizeof *at);

    assert(metric_rows[m].label);
    for (unsigned i = 0; i < count && i < s->labels_count; i++)
        at[i] = s->at[i];
    mem_free(s->at);
    s->at = at;
    s->labels = values;
    s->labels_count = count;
    s->has_other = count > 0 && str_eq(str_z(values[count - 1]), STR("other"));
    if (!s->has_other) return;
    at[count - 1] += s->other; /* counted before the labels were known */
    s->other = 0;
}

void metric_reset_for_test(void)
{
    for (unsigned m = 0; m < METRIC_COUNT; m++) {
        mem_free(metric_states[m].at);
        metric_states[m] = (struct metric_state){0};
    }
}
