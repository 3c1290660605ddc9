/* See queue.h. */
#include "contacts/rules/queue.h"
#include "contacts/rules/sla.h"
#include "base/forbid.h"

enum { KEEP_OF_5 = 4 };
#define HANDLING_MAX_MS 86400000 /* one contact that stayed open for a week is no measure */

int64_t queue_handling_ms(int64_t before_ms, int64_t handled_ms)
{
    if (handled_ms < 0) handled_ms = 0;
    if (handled_ms > HANDLING_MAX_MS) handled_ms = HANDLING_MAX_MS;
    if (before_ms <= 0) return handled_ms > 0 ? handled_ms : 1;
    handled_ms = (before_ms * KEEP_OF_5 + handled_ms) / 5;
    return handled_ms > 0 ? handled_ms : 1;
}

int64_t queue_eta_s(int64_t position, int64_t handling_ms, int64_t agents, int64_t free_places)
{
    int64_t ms;

    if (agents <= 0) return -1;
    if (position < 1) position = 1;
    if (position > 1000000) position = 1000000;
    if (handling_ms <= 0) handling_ms = QUEUE_HANDLING_PRESET_MS;
    if (handling_ms > HANDLING_MAX_MS) handling_ms = HANDLING_MAX_MS;
    if (free_places < 1) free_places = 1;
    ms = position * handling_ms / free_places;
    if (ms > QUEUE_ETA_MAX_S * INT64_C(1000)) return QUEUE_ETA_MAX_S;
    return ms > 1000 ? (ms + 999) / 1000 : 1;
}

int64_t queue_rank(int priority, bool is_requeued)
{
    return (int64_t)(SLA_URGENT - priority) * 2 + !is_requeued;
}
