/* Metrics: one table (metric.def) gives the counters, the Prometheus text and docs/metrics.md.
 * Labels are closed sets; user data never becomes a label. */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include <stdint.h>
#include "base/str.h"

enum metric {
#define METRIC(id, kind, name, label, doc) M_##id,
#include "base/metric.def"
#undef METRIC
    METRIC_COUNT
};

void metric_add(enum metric m, uint64_t v);                      /* COUNTER without label */
void metric_add_at(enum metric m, unsigned label_i, uint64_t v); /* COUNTER with a label */
void metric_set(enum metric m, int64_t v);                       /* GAUGE */
void metric_shift(enum metric m, int64_t by);                    /* GAUGE, up or down */
void metric_observe_us(enum metric m, uint64_t us); /* HISTOGRAM of seconds, given in µs */
int64_t metric_get(enum metric m);                  /* value or sum over labels; HISTOGRAM: count */
uint64_t metric_sum_us(enum metric m);              /* HISTOGRAM */
int64_t metric_get_at(enum metric m, unsigned label_i);

/* Values of a label, in the order of the indexes; the strings live for the whole process. */
void metric_labels(enum metric m, const char *const *values, unsigned count);

void metric_print(struct sb *out); /* Prometheus text exposition 0.0.4, names start "ingoma_" */
void metric_print_markdown(struct sb *out); /* docs/metrics.md */
void metric_reset_for_test(void);

#endif
