#include "contacts/rules/stats.h"

#include <criterion/criterion.h>
#include "base/json.h"

static struct json shown(const struct contact_stats *s, struct sb *out)
{
    struct json v;

    out->n = 0;
    contact_stats_put(s, STR_NONE, out);
    cr_assert_eq(json_parse(sb_view(out), &v), OK, STR_FMT, STR_ARG(*out));
    return v;
}

static struct json member(struct json v, const char *name)
{
    struct json found;

    cr_assert(json_member(v, str_z(name), &found), "%s", name);
    return found;
}

Test(stats_put, nothing_is_shown_as_nothing)
{
    struct contact_stats *s = contact_stats_new(NULL);
    struct sb out = {0};
    struct json v = shown(s, &out);

    cr_expect(str_eq(member(v, "total").raw, STR("0")));
    cr_expect(str_eq(member(v, "resolutionRate").raw, STR("0.000")));
    cr_expect(
        str_eq(member(v, "firstResponse").raw, STR("{\"count\":0,\"p50Ms\":null,\"p90Ms\":null}")));
    cr_expect(str_eq(member(member(v, "csat"), "average").raw, STR("null")));
    cr_expect_eq(json_count(member(v, "agents")), 0);
    cr_expect_eq(json_count(member(v, "byDay")), 0);
    cr_expect_eq(json_count(member(v, "byHour")), 24);
    cr_expect_eq(json_count(member(v, "byWeekday")), 7);
    cr_expect(str_eq(member(v, "timeZone").raw, STR("\"UTC\"")));
    contact_stats_free(s);
    sb_fini(&out);
}

Test(stats_put, names_are_escaped)
{
    struct contact_stats *s = contact_stats_new(NULL);
    struct sb out = {0};
    struct contact_stats_row row = {.agent_id = STR("a\"1"), .agent_name = STR("<\n\\>")};
    struct json agents, agent;
    struct str rest;

    contact_stats_add(s, &row);
    agents = member(shown(s, &out), "agents");
    rest = json_begin(agents);
    cr_assert(json_next_item(&rest, &agent));
    cr_expect(str_eq(member(agent, "id").raw, STR("\"a\\\"1\"")));
    cr_expect(str_eq(member(agent, "name").raw, STR("\"<\\n\\\\>\"")));
    contact_stats_free(s);
    sb_fini(&out);
}

Test(stats_put, all_resolved_is_one)
{
    struct contact_stats *s = contact_stats_new(NULL);
    struct sb out = {0};
    struct contact_stats_row row = {.state = STATS_RESOLVED, .submitted_ms = 5, .resolved_ms = 9};

    for (int i = 0; i < 3; i++)
        contact_stats_add(s, &row);
    cr_expect(str_eq(member(shown(s, &out), "resolutionRate").raw, STR("1.000")));
    row.state = STATS_PENDING;
    for (int i = 0; i < 6; i++)
        contact_stats_add(s, &row);
    cr_expect(str_eq(member(shown(s, &out), "resolutionRate").raw, STR("0.333")));
    contact_stats_free(s);
    sb_fini(&out);
}
