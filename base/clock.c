/* Time. Cached values for the many who ask, one reading a turn; tests stop it and move it by hand.
 */
#include "base/clock.h"

#include <stdbool.h>
#include <time.h>
#include "base/forbid.h"

static uint64_t now_ms, now_wall_ms; /* the cache */
static bool is_read, is_frozen;

static uint64_t read_us(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void clock_refresh(void)
{
    if (is_frozen) return;
    now_ms = read_us(CLOCK_MONOTONIC) / 1000;
    now_wall_ms = read_us(CLOCK_REALTIME) / 1000;
    is_read = true;
}

uint64_t clock_ms(void)
{
    if (!is_read) clock_refresh();
    return now_ms;
}

uint64_t clock_wall_ms(void)
{
    if (!is_read) clock_refresh();
    return now_wall_ms;
}

uint64_t clock_us(void)
{
    return is_frozen ? now_ms * 1000 : read_us(CLOCK_MONOTONIC);
}

void clock_freeze(uint64_t ms, uint64_t wall_ms)
{
    now_ms = ms;
    now_wall_ms = wall_ms;
    is_read = is_frozen = true;
}

void clock_advance(uint64_t ms)
{
    now_ms += ms;
    now_wall_ms += ms;
}

static void put_digits(char *at, unsigned n, uint64_t v)
{
    while (n > 0) {
        at[--n] = (char)('0' + v % 10);
        v /= 10;
    }
}

/* Days since 1970-01-01 to a civil date. Source: Howard Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms", civil_from_days; years begin in March there, so the leap day comes last. */
static void civil_of_days(uint64_t days, uint64_t *year, uint64_t *month, uint64_t *day)
{
    uint64_t z = days + 719468;
    uint64_t era = z / 146097;
    uint64_t doe = z - era * 146097;
    uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    uint64_t mp = (5 * doy + 2) / 153;

    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = yoe + era * 400 + (*month <= 2);
}

void clock_iso(uint64_t wall_ms, char out[CLOCK_ISO_SIZE])
{
    static const char shape[CLOCK_ISO_SIZE] = "0000-00-00T00:00:00.000Z";
    uint64_t year, month, day, ms = wall_ms % 86400000;

    civil_of_days(wall_ms / 86400000, &year, &month, &day);
    for (unsigned i = 0; i < CLOCK_ISO_SIZE; i++)
        out[i] = shape[i];
    put_digits(out, 4, year);
    put_digits(out + 5, 2, month);
    put_digits(out + 8, 2, day);
    put_digits(out + 11, 2, ms / 3600000);
    put_digits(out + 14, 2, ms / 60000 % 60);
    put_digits(out + 17, 2, ms / 1000 % 60);
    put_digits(out + 20, 3, ms % 1000);
}
