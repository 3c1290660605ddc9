/* One list of figures (STATS_FIGURES) makes the struct, the text in Redis and the sum. New figures
 * go to its end: a row of an older node is read as far as it goes. */
#include "node/features/stats/stats_row.h"

#include "base/clock.h"

enum how { SUM, MOST };

void stats_row_put(const struct stats_row *r, struct sb *out)
{
    const char *blank = "";
#define STATS_PUT(name, how)                                                                       \
    sb_z(out, blank);                                                                              \
    sb_u64(out, r->name);                                                                          \
    blank = " ";
    STATS_FIGURES(STATS_PUT)
#undef STATS_PUT
    (void)blank;
}

int stats_row_read(struct str text, struct stats_row *out)
{
    struct stats_row r = {0};
    struct str number;
    uint64_t *const fields[] = {
#define STATS_ADDRESS(name, how) &r.name,
        STATS_FIGURES(STATS_ADDRESS)
#undef STATS_ADDRESS
    };

    if (!text.n) return ERR_PROTO;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0] && str_next(&text, ' ', &number); i++)
        if (str_u64(number, UINT64_MAX >> 8, fields[i]) != OK) return ERR_PROTO;
    *out = r;
    return OK;
}

static uint64_t joined(uint64_t a, uint64_t b, enum how how)
{
    if (how == SUM) return a + b;
    return a > b ? a : b;
}

void stats_row_join(struct stats_row *sum, const struct stats_row *r)
{
#define STATS_JOIN(name, how) sum->name = joined(sum->name, r->name, how);
    STATS_FIGURES(STATS_JOIN)
#undef STATS_JOIN
}

static void put(struct sb *out, const char *key, uint64_t v)
{
    sb_printf(out, "%s\"%s\":", out->n ? "," : "{", key);
    sb_u64(out, v);
}

/* With one digit behind the point, as people read rates. */
static void put_tenths(struct sb *out, const char *key, uint64_t tenths)
{
    put(out, key, tenths / 10);
    if (tenths % 10) sb_printf(out, ".%u", (unsigned)(tenths % 10));
}

void stats_put_connections(const struct stats_cluster *c, struct sb *out)
{
    char when[CLOCK_ISO_SIZE];

    put(out, "totalConnections", c->total);
    put(out, "currentConnections", c->sum.sockets);
    put(out, "peakConnections", c->peak);
    if (c->peak_ms) {
        clock_iso(c->peak_ms, when);
        sb_printf(out, ",\"lastPeak\":\"%s\"", when);
    }
    sb_char(out, '}');
}

void stats_put_memory(const struct stats_row *r, struct sb *out)
{
    put(out, "rss", r->resident_bytes);
    put(out, "heapTotal", r->heap_bytes);
    put(out, "heapUsed", r->heap_used_bytes);
    sb_char(out, '}');
}

static uint64_t tenths_per_second(const struct stats_row *r, uint64_t count)
{
    return r->interval_ms ? count * 10000 / r->interval_ms : 0;
}

void stats_put_rates(const struct stats_row *r, struct sb *out)
{
    put_tenths(out, "eventsPerSecond", tenths_per_second(r, r->events));
    put_tenths(out, "deliveriesPerSecond", tenths_per_second(r, r->deliveries));
    put_tenths(out, "errorsPerSecond", tenths_per_second(r, r->refused));
    put_tenths(out, "eventMs", r->events ? r->events_us / r->events / 100 : 0);
    put_tenths(out, "redisMs", r->redis ? r->redis_us / r->redis / 100 : 0);
    put_tenths(out, "cpuPercent", r->cpu_permille);
    sb_char(out, '}');
}
