/* The state of the clocks as JSON: [[spent, since, warn, due, done, warned, breached], …]. */
#include "contacts/rules/sla.h"
#include "base/forbid.h"

enum { NUMBERS = 7, SPENT = 0, SINCE, WARN, DUE, DONE, WARNED, BREACHED };

void sla_state_put(const struct sla_state *s, struct sb *out)
{
    for (int i = 0; i < SLA_CLOCKS; i++) {
        const struct sla_timer *t = &s->timers[i];

        sb_printf(out, "%s[%lld,%lld,%lld,%lld,%d,%d,%d]", i ? "," : "[", (long long)t->spent_ms,
                  (long long)t->since_ms, (long long)t->warn_ms, (long long)t->due_ms, t->is_done,
                  t->is_warned, t->is_breached);
    }
    sb_char(out, ']');
}

static bool read_timer(struct json v, struct sla_timer *out)
{
    int64_t n[NUMBERS];
    struct str rest;
    struct json item;

    if (v.type != JSON_ARRAY || json_count(v) != NUMBERS) return false;
    rest = json_begin(v);
    for (int i = 0; json_next_item(&rest, &item); i++) {
        if (!json_i64(item, &n[i]) || n[i] < 0) return false;
        if (i >= DONE && n[i] > 1) return false;
    }
    *out = (struct sla_timer){n[SPENT], n[SINCE], n[WARN], n[DUE], n[DONE], n[WARNED], n[BREACHED]};
    return true;
}

int sla_state_read(struct str text, struct sla_state *out)
{
    struct sla_state s = {0};
    struct str rest;
    struct json v, item;

    if (text.n) {
        if (json_parse(text, &v) != OK || v.type != JSON_ARRAY || json_count(v) != SLA_CLOCKS)
            return ERR_SCHEMA;
        rest = json_begin(v);
        for (int i = 0; json_next_item(&rest, &item); i++)
            if (!read_timer(item, &s.timers[i])) return ERR_SCHEMA;
    }
    *out = s;
    return OK;
}
