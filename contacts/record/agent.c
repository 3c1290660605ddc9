/* Slots of an agent; see agent.h. */
#include "contacts/record/agent.h"

#include "base/forbid.h"

bool agent_has_slot(const struct agent *a, struct str contact_id)
{
    for (unsigned i = 0; i < a->slots.count; i++)
        if (str_eq(a->slots.at[i].contact, contact_id)) return true;
    return false;
}

/* The slots without this one, with room for one more. */
static struct record_slot *others(const struct agent *a, struct str contact_id, unsigned *count,
                                  struct arena *mem)
{
    struct record_slot *at = arena_new(mem, a->slots.count + 1, sizeof *at);

    *count = 0;
    for (unsigned i = 0; i < a->slots.count; i++)
        if (!str_eq(a->slots.at[i].contact, contact_id)) at[(*count)++] = a->slots.at[i];
    return at;
}

int agent_slot_take(struct agent *a, struct str contact_id, int64_t now_ms, struct arena *mem)
{
    struct record_slot *at;
    unsigned count;

    if (!agent_has_slot(a, contact_id) &&
        (a->slots.count >= RECORD_SLOTS_MAX || (int64_t)a->slots.count >= a->capacity))
        return ERR_LIMIT;
    at = others(a, contact_id, &count, mem);
    at[count++] = (struct record_slot){arena_str(mem, contact_id), now_ms};
    a->slots = (struct record_slots){at, count};
    return OK;
}

bool agent_slot_drop(struct agent *a, struct str contact_id, struct arena *mem)
{
    struct record_slot *at;
    unsigned count;

    if (!agent_has_slot(a, contact_id)) return false;
    at = others(a, contact_id, &count, mem);
    a->slots = (struct record_slots){at, count};
    return true;
}
