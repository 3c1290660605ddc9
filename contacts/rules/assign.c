/* See assign.h. Each policy is an order: the one before all others gets it. */
#include "contacts/rules/assign.h"
#include "base/forbid.h"

bool assign_policy_of(struct str name, enum assign_policy *out)
{
    static const char *const names[ASSIGN_POLICIES] = {[ASSIGN_ROUND_ROBIN] = "round_robin",
                                                       [ASSIGN_LEAST_BUSY] = "least_busy",
                                                       [ASSIGN_SKILL] = "skill"};

    for (unsigned i = 0; i < ASSIGN_POLICIES; i++) {
        if (!str_eq(name, str_z(names[i]))) continue;
        *out = (enum assign_policy)i;
        return true;
    }
    return false;
}

bool assign_has_room(const struct agent *a)
{
    return a->online && a->available && a->slots.count < a->capacity;
}

static bool has_skill(const struct agent *a, struct str skill)
{
    for (unsigned i = 0; i < a->skills.count; i++)
        if (str_eq_nocase(a->skills.at[i], skill)) return true;
    return false;
}

static int64_t fitting_skills(const struct agent *a, const struct contact *x)
{
    int64_t n = x->category.n > 0 && has_skill(a, x->category);

    for (unsigned i = 0; i < x->tags.count; i++)
        n += !str_eq_nocase(x->tags.at[i], x->category) && has_skill(a, x->tags.at[i]);
    return n;
}

static int by_number(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_id(struct str a, struct str b)
{
    int c = memcmp(a.p ? a.p : "", b.p ? b.p : "", a.n < b.n ? a.n : b.n);

    return c ? c : by_number((int64_t)a.n, (int64_t)b.n);
}

/* Load against capacity, without a division: both have a capacity above 0. */
static int by_busy(const struct agent *a, const struct agent *b)
{
    return by_number(a->slots.count * b->capacity, b->slots.count * a->capacity);
}

/* Less than 0: a is before b. */
static int compare(enum assign_policy policy, const struct contact *x, const struct agent *a,
                   const struct agent *b)
{
    int c = 0;

    if (policy == ASSIGN_SKILL) c = by_number(fitting_skills(b, x), fitting_skills(a, x));
    if (!c && policy != ASSIGN_ROUND_ROBIN) c = by_busy(a, b);
    if (!c) c = by_number(a->last_assigned_at, b->last_assigned_at);
    return c ? c : by_id(a->id, b->id);
}

size_t assign_pick(enum assign_policy policy, const struct agent *agents, size_t count,
                   const struct contact *c, struct str not_to)
{
    size_t best = ASSIGN_NOBODY;

    for (size_t i = 0; i < count; i++) {
        const struct agent *a = &agents[i];

        if (!assign_has_room(a) || (not_to.n && str_eq(a->id, not_to))) continue;
        if (best == ASSIGN_NOBODY || compare(policy, c, a, &agents[best]) < 0) best = i;
    }
    return best;
}

int64_t assign_free_places(const struct agent *agents, size_t count, int64_t *who_count)
{
    int64_t places = 0;

    *who_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct agent *a = &agents[i];

        if (!a->online || !a->available || a->capacity <= 0) continue;
        ++*who_count;
        if (a->slots.count < a->capacity) places += a->capacity - a->slots.count;
    }
    return places;
}

int64_t assign_stamp_ms(const struct agent *agents, size_t count, int64_t now_ms)
{
    for (size_t i = 0; i < count; i++)
        if (agents[i].last_assigned_at >= now_ms) now_ms = agents[i].last_assigned_at + 1;
    return now_ms;
}
