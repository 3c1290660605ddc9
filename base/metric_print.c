/* Metrics as text: Prometheus exposition 0.0.4, and the table of docs/metrics.md. Only reads. */
#include "base/metric_priv.h"

#include "base/forbid.h"

static const char *const kind_names[] = {
    [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};

static void put_seconds(struct sb *out, uint64_t us)
{
    char digits[6];
    unsigned n = sizeof digits;

    sb_u64(out, us / 1000000);
    us %= 1000000;
    if (us == 0) return;
    for (unsigned i = sizeof digits; i > 0; us /= 10)
        digits[--i] = (char)('0' + us % 10);
    while (digits[n - 1] == '0')
        n--;
    sb_char(out, '.');
    sb_put(out, digits, n);
}

/* Source: Prometheus "Exposition formats": in label values \\, \" and \n are escaped. */
static void put_label_value(struct sb *out, const char *z)
{
    for (; *z; z++) {
        if (*z == '\\' || *z == '"') sb_char(out, '\\');
        if (*z == '\n') {
            sb_z(out, "\\n");
        } else {
            sb_char(out, *z);
        }
    }
}

static void put_labelled(struct sb *out, const struct metric_row *row, const char *label,
                         uint64_t v)
{
    sb_printf(out, "ingoma_%s{%s=\"", row->name, row->label);
    put_label_value(out, label);
    sb_z(out, "\"} ");
    sb_u64(out, v);
    sb_char(out, '\n');
}

static void put_histogram(struct sb *out, const struct metric_row *row,
                          const struct metric_state *s)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < METRIC_BOUNDS; i++) {
        sum += s->at ? s->at[i] : 0;
        sb_printf(out, "ingoma_%s_bucket{le=\"", row->name);
        put_seconds(out, metric_bounds_us[i]);
        sb_z(out, "\"} ");
        sb_u64(out, sum);
        sb_char(out, '\n');
    }
    sb_printf(out, "ingoma_%s_bucket{le=\"+Inf\"} ", row->name);
    sb_i64(out, s->value);
    sb_printf(out, "\ningoma_%s_sum ", row->name);
    put_seconds(out, s->other);
    sb_printf(out, "\ningoma_%s_count ", row->name);
    sb_i64(out, s->value);
    sb_char(out, '\n');
}

void metric_print(struct sb *out)
{
    for (unsigned m = 0; m < METRIC_COUNT; m++) {
        const struct metric_row *row = &metric_rows[m];
        const struct metric_state *s = &metric_states[m];

        sb_printf(out, "# HELP ingoma_%s %s\n# TYPE ingoma_%s %s\n", row->name, row->doc, row->name,
                  kind_names[row->kind]);
        if (row->kind == METRIC_HISTOGRAM) {
            put_histogram(out, row, s);
        } else if (row->label) {
            for (unsigned i = 0; i < s->labels_count; i++) {
                put_labelled(out, row, s->labels[i], s->at[i]);
            }
            if (s->other) put_labelled(out, row, "other", s->other);
        } else {
            sb_printf(out, "ingoma_%s ", row->name);
            sb_i64(out, s->value);
            sb_char(out, '\n');
        }
    }
}

void metric_print_markdown(struct sb *out)
{
    sb_z(out, "| metric | kind | label | meaning |\n|---|---|---|---|\n");
    for (unsigned m = 0; m < METRIC_COUNT; m++) {
        const struct metric_row *row = &metric_rows[m];

        sb_printf(out, "| `ingoma_%s` | %s | ", row->name, kind_names[row->kind]);
        if (row->label) sb_printf(out, "`%s`", row->label);
        sb_printf(out, " | %s |\n", row->doc);
    }
}
