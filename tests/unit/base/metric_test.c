/* Metrics: counting, labels, the Prometheus text. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <string.h>
#include "base/metric.h"

static struct sb text;

static const char *printed(void)
{
    text.n = 0;
    metric_print(&text);
    sb_char(&text, 0);
    return text.p;
}

static void expect_line(const char *line)
{
    struct sb want = {0};

    sb_printf(&want, "\n%s\n", line);
    cr_expect(str_contains(str_z(printed()), sb_view(&want)), "%s", line);
    sb_fini(&want);
}

Test(metric, counts_and_sets)
{
    metric_add(M_BYTES_IN, 5);
    metric_add(M_BYTES_IN, 6);
    metric_set(M_NODES, 3);
    metric_shift(M_NODES, -1);
    metric_shift(M_SOCKETS, -2);
    cr_expect_eq(metric_get(M_BYTES_IN), 11);
    cr_expect_eq(metric_get(M_NODES), 2);
    expect_line("ingoma_received_bytes_total 11");
    expect_line("# TYPE ingoma_received_bytes_total counter");
    expect_line("ingoma_cluster_nodes 2");
    expect_line("# TYPE ingoma_cluster_nodes gauge");
    expect_line("ingoma_sockets -2");
}

Test(metric, counts_by_label_and_the_rest_as_other)
{
    static const char *const values[] = {"ping timeout", "say \"x\"\\\n"};

    metric_add_at(M_SESSIONS_CLOSED, 0, 1); /* before the labels are known */
    metric_labels(M_SESSIONS_CLOSED, values, 2);
    metric_add_at(M_SESSIONS_CLOSED, 0, 2);
    metric_add_at(M_SESSIONS_CLOSED, 1, 3);
    metric_add_at(M_SESSIONS_CLOSED, 2, 4);
    metric_add_at(M_SESSIONS_CLOSED, 99, 5);
    cr_expect_eq(metric_get_at(M_SESSIONS_CLOSED, 0), 2);
    cr_expect_eq(metric_get_at(M_SESSIONS_CLOSED, 7), 10);
    cr_expect_eq(metric_get(M_SESSIONS_CLOSED), 15);
    expect_line("ingoma_sessions_closed_total{reason=\"ping timeout\"} 2");
    expect_line("ingoma_sessions_closed_total{reason=\"say \\\"x\\\"\\\\\\n\"} 3");
    expect_line("ingoma_sessions_closed_total{reason=\"other\"} 10");
}

Test(metric, a_list_may_end_with_its_own_other_and_may_grow)
{
    static const char *const values[] = {"a", "b", "other"};

    metric_add_at(M_EVENTS_IN, 5, 1);
    metric_labels(M_EVENTS_IN, values, 1);
    metric_add_at(M_EVENTS_IN, 0, 7);
    metric_labels(M_EVENTS_IN, values, 3);
    metric_add_at(M_EVENTS_IN, 44, 1);
    expect_line("ingoma_events_in_total{event=\"a\"} 7");
    expect_line("ingoma_events_in_total{event=\"b\"} 0");
    expect_line("ingoma_events_in_total{event=\"other\"} 2");
    cr_expect_eq(metric_get(M_EVENTS_IN), 9);
    metric_reset_for_test();
    cr_expect_eq(metric_get(M_EVENTS_IN), 0);
}

Test(metric, histograms_are_cumulative)
{
    metric_observe_us(M_EVENT_SECONDS, 0);
    metric_observe_us(M_EVENT_SECONDS, 100); /* the bound belongs to its bucket */
    metric_observe_us(M_EVENT_SECONDS, 101);
    metric_observe_us(M_EVENT_SECONDS, 2000000);
    metric_observe_us(M_EVENT_SECONDS, 60000000);
    cr_expect_eq(metric_get(M_EVENT_SECONDS), 5);
    expect_line("# TYPE ingoma_event_seconds histogram");
    expect_line("ingoma_event_seconds_bucket{le=\"0.0001\"} 2");
    expect_line("ingoma_event_seconds_bucket{le=\"0.00025\"} 3");
    expect_line("ingoma_event_seconds_bucket{le=\"1\"} 3");
    expect_line("ingoma_event_seconds_bucket{le=\"2.5\"} 4");
    expect_line("ingoma_event_seconds_bucket{le=\"10\"} 4");
    expect_line("ingoma_event_seconds_bucket{le=\"+Inf\"} 5");
    expect_line("ingoma_event_seconds_sum 62.000201");
    expect_line("ingoma_event_seconds_count 5");
}

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!islower((unsigned char)s.p[i]) && !isdigit((unsigned char)s.p[i]) && s.p[i] != '_') {
            return false;
        }
    }
    return s.n > 0;
}

Test(metric, every_line_is_exposition_0_0_4)
{
    struct str rest = str_z(printed()), line, name, value;
    int types = 0, ends_total;

    cr_assert_eq(rest.p[rest.n - 1], '\n');
    rest.n--;
    while (str_next(&rest, '\n', &line)) {
        if (str_starts(line, STR("# HELP ingoma_"))) continue;
        if (str_starts(line, STR("# TYPE "))) {
            cr_assert(str_cut(str_skip(line, 7), ' ', &name, &value));
            ends_total = name.n > 6 && str_eq(str_skip(name, name.n - 6), STR("_total"));
            cr_expect_eq(ends_total, str_eq(value, STR("counter")), STR_FMT, STR_ARG(name));
            types++;
            continue;
        }
        cr_assert(str_starts(line, STR("ingoma_")), STR_FMT, STR_ARG(line));
        cr_assert(str_cut(line, ' ', &name, &value));
        name = str_head(name, str_find(name, '{'));
        cr_expect(is_name(name), STR_FMT, STR_ARG(line));
    }
    cr_expect_eq(types, METRIC_COUNT);
    cr_expect_geq(types, 40);
}

Test(metric, the_table_prints_as_markdown)
{
    text.n = 0;
    metric_print_markdown(&text);
    cr_expect(str_contains(sb_view(&text),
                           STR("| `ingoma_sessions_closed_total` | counter | `reason` | ")));
    cr_expect(str_contains(sb_view(&text), STR("| `ingoma_loop_turn_seconds` | histogram |  | ")));
}
