/* Settings of the promises, and their names. Strict, with the place of each mistake. */
#include "contacts/rules/sla.h"
#include "base/forbid.h"

static const char *const priorities[SLA_PRIORITIES] = {
    [SLA_LOW] = "low", [SLA_NORMAL] = "normal", [SLA_HIGH] = "high", [SLA_URGENT] = "urgent"};
static const char *const clocks[SLA_CLOCKS] = {
    [SLA_FIRST] = "first", [SLA_NEXT] = "next", [SLA_RESOLVE] = "resolve"};
static const char *const members[SLA_CLOCKS] = {
    [SLA_FIRST] = "firstMinutes", [SLA_NEXT] = "nextMinutes", [SLA_RESOLVE] = "resolveMinutes"};

const char *sla_clock_name(enum sla_clock clock)
{
    return clocks[clock];
}

const char *sla_priority_name(enum sla_priority p)
{
    return priorities[p];
}

bool sla_priority_of(struct str name, enum sla_priority *out)
{
    for (unsigned i = 0; i < SLA_PRIORITIES; i++) {
        if (!str_eq(name, str_z(priorities[i]))) continue;
        *out = (enum sla_priority)i;
        return true;
    }
    return false;
}

void sla_policy_init(struct sla_policy *p)
{
    *p = (struct sla_policy){.warn_percent = 80, .is_waiting_after_reply = true};
}

#define REFUSE(why, ...) ((why) ? sb_printf((why), __VA_ARGS__) : (void)0, ERR_CONFIG)

static unsigned find(const char *const *names, unsigned count, struct str key)
{
    unsigned i = 0;

    while (i < count && !json_key_is(key, str_z(names[i])))
        i++;
    return i;
}

static int read_targets(const char *name, struct json v, int64_t *target_ms, struct sb *why)
{
    struct str rest, key;
    struct json member;

    if (v.type != JSON_OBJECT) return REFUSE(why, "priorities.%s: an object is wanted", name);
    rest = json_begin(v);
    while (json_next_member(&rest, &key, &member)) {
        unsigned i = find(members, SLA_CLOCKS, key);
        int64_t minutes;

        if (i == SLA_CLOCKS)
            return REFUSE(why,
                          "priorities.%s: " STR_FMT " is unknown; firstMinutes, nextMinutes and "
                          "resolveMinutes are not",
                          name, STR_ARG(str_head(key, 40)));
        if (!json_i64(member, &minutes) || minutes < 1 || minutes > SLA_MINUTES_MAX)
            return REFUSE(why, "priorities.%s.%s: whole minutes are wanted, 1 to %d", name,
                          members[i], SLA_MINUTES_MAX);
        target_ms[i] = minutes * 60000;
    }
    return OK;
}

static int read_priorities(struct json v, struct sla_policy *p, struct sb *why)
{
    struct str rest, key;
    struct json member;

    if (v.type != JSON_OBJECT) return REFUSE(why, "priorities: an object is wanted");
    rest = json_begin(v);
    while (json_next_member(&rest, &key, &member)) {
        unsigned i = find(priorities, SLA_PRIORITIES, key);
        int rc;

        if (i == SLA_PRIORITIES)
            return REFUSE(
                why, "priorities: " STR_FMT " is unknown; low, normal, high and urgent are not",
                STR_ARG(str_head(key, 40)));
        rc = read_targets(priorities[i], member, p->target_ms[i], why);
        if (rc != OK) return rc;
    }
    return OK;
}

static int read_member(struct str key, struct json v, struct sla_policy *p, struct sb *why)
{
    int64_t percent;

    if (json_key_is(key, STR("priorities"))) return read_priorities(v, p, why);
    if (json_key_is(key, STR("warnPercent"))) {
        if (!json_i64(v, &percent) || percent < 1 || percent > 99)
            return REFUSE(why, "warnPercent: a number from 1 to 99 is wanted");
        p->warn_percent = (int)percent;
        return OK;
    }
    if (json_key_is(key, STR("waitAfterReply"))) {
        if (!json_bool(v, &p->is_waiting_after_reply))
            return REFUSE(why, "waitAfterReply: true or false is wanted");
        return OK;
    }
    return REFUSE(why, STR_FMT " is unknown; priorities, warnPercent and waitAfterReply are not",
                  STR_ARG(str_head(key, 40)));
}

int sla_policy_decode(struct json v, struct sla_policy *out, struct sb *why)
{
    struct sla_policy p;
    struct str rest, key;
    struct json member;
    int rc = OK;

    sla_policy_init(&p);
    if (v.type != JSON_OBJECT) return REFUSE(why, "an object with priorities is wanted");
    rest = json_begin(v);
    while (rc == OK && json_next_member(&rest, &key, &member))
        rc = read_member(key, member, &p, why);
    if (rc == OK) *out = p;
    return rc;
}
