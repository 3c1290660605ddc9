/* See csat.h. */
#include "contacts/rules/csat.h"

#include "contacts/rules/form.h"
#include "base/forbid.h"

int csat_check(int64_t score, struct str *comment)
{
    struct form_fault fault;

    if (score < 1 || score > CSAT_SCORES) return ERR_SCHEMA;
    return form_optional(comment, CSAT_COMMENT_MAX, &fault);
}

int csat_may(bool is_resolved, int64_t resolved_ms, int64_t rated_ms)
{
    if (!is_resolved) return ERR_CLOSED;
    return rated_ms && rated_ms >= resolved_ms ? ERR_EXISTS : OK;
}

void csat_add(struct csat_sum *s, int64_t score)
{
    if (score >= 1 && score <= CSAT_SCORES) s->scores[score - 1]++;
}

void csat_merge(struct csat_sum *s, const struct csat_sum *other)
{
    for (int i = 0; i < CSAT_SCORES; i++)
        s->scores[i] += other->scores[i];
}

uint64_t csat_count(const struct csat_sum *s)
{
    uint64_t n = 0;

    for (int i = 0; i < CSAT_SCORES; i++)
        n += s->scores[i];
    return n;
}

uint64_t csat_average_100(const struct csat_sum *s)
{
    uint64_t n = csat_count(s), sum = 0;

    for (unsigned i = 0; i < CSAT_SCORES; i++)
        sum += s->scores[i] * (i + 1);
    return n ? (sum * 100 + n / 2) / n : 0;
}

void csat_put(const struct csat_sum *s, struct sb *out)
{
    uint64_t average = csat_average_100(s);

    sb_printf(out, "{\"count\":%llu,\"average\":", (unsigned long long)csat_count(s));
    if (average)
        sb_printf(out, "%llu.%02llu", (unsigned long long)average / 100,
                  (unsigned long long)average % 100);
    else
        sb_z(out, "null");
    sb_z(out, ",\"scores\":[");
    for (int i = 0; i < CSAT_SCORES; i++)
        sb_printf(out, "%s%llu", i ? "," : "", (unsigned long long)s->scores[i]);
    sb_z(out, "]}");
}
