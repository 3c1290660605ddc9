/* Waiting longer and longer. */
#include "contacts/notice/backoff.h"

#include "base/rand.h"
#include "base/forbid.h"

enum { ASKED_MAX_S = 86400 };

uint64_t notice_backoff_ms(int64_t tries, uint64_t asked_s)
{
    uint64_t ms = BACKOFF_FIRST_MS, quarter;

    for (int64_t i = 0; i < tries && ms < BACKOFF_MAX_MS; i++)
        ms *= 2;
    if (ms > BACKOFF_MAX_MS) ms = BACKOFF_MAX_MS;
    quarter = ms / 4;
    ms = ms - quarter + rand_below((uint32_t)(2 * quarter + 1));
    if (asked_s > ASKED_MAX_S) asked_s = ASKED_MAX_S;
    return ms > asked_s * 1000 ? ms : asked_s * 1000;
}
