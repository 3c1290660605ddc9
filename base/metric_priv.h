/* What metric.c and metric_print.c share: the table and the values. Nobody else includes it. */
#ifndef BASE_METRIC_PRIV_H
#define BASE_METRIC_PRIV_H

#include <stdbool.h>
#include "base/metric.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_row {
    enum metric_kind kind;
    const char *name, *label, *doc; /* label NULL: none */
};

#define METRIC_BOUNDS 16

struct metric_state {
    int64_t value;  /* counter or gauge without label; histogram: count */
    uint64_t *at;   /* by label; histogram: by bucket, the last one above all bounds */
    uint64_t other; /* label out of range; histogram: sum in µs */
    const char *const *labels;
    unsigned labels_count;
    bool has_other; /* the last label is "other" itself */
};

extern const struct metric_row metric_rows[METRIC_COUNT];
extern const uint32_t metric_bounds_us[METRIC_BOUNDS];
extern struct metric_state metric_states[METRIC_COUNT]; /* written by metric.c alone */

#endif
