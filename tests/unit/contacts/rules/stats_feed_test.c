#include "contacts/rules/stats.h"

#include <criterion/criterion.h>
#include "contacts/record/contact.h"

static void expect(const struct contact *c, const char *const *parts)
{
    struct contact_stats *s = contact_stats_new(NULL);
    struct sb out = {0};

    contact_stats_feed(s, c);
    contact_stats_put(s, STR_NONE, &out);
    for (; *parts; parts++)
        cr_expect(str_contains(sb_view(&out), str_z(*parts)), "%s in " STR_FMT, *parts,
                  STR_ARG(out));
    contact_stats_free(s);
    sb_fini(&out);
}

Test(stats_feed, takes_what_the_record_says)
{
    struct contact c = {.status = CONTACT_RESOLVED,
                        .owner_id = STR("a1"),
                        .owner_name = STR("Ann"),
                        .resolved_by = STR("a2"),
                        .created_at = 1795392000000,
                        .first_reply_at = 1795392060000,
                        .resolved_at = 1795392600000,
                        .visitor_messages = 2,
                        .agent_messages = 3,
                        .rate_score = 4,
                        .rated_at = 1795392700000,
                        .reopen_count = 1,
                        .sla_breached = 2};
    static const char *const parts[] = {
        "\"total\":1,\"pending\":0,\"active\":0,\"resolved\":1,\"backlog\":0,\"reopened\":1,"
        "\"breached\":1,"
        "\"messages\":5,\"resolutionRate\":1.000,",
        "\"firstResponse\":{\"count\":1,\"p50Ms\":60000,",
        "\"resolution\":{\"count\":1,\"p50Ms\":600000,",
        "\"agents\":[{\"id\":\"a1\",\"name\":\"Ann\",\"contacts\":1,",
        "\"average\":4.00",
        NULL};

    expect(&c, parts);
}

Test(stats_feed, one_that_nobody_claimed_is_of_who_resolved_it)
{
    struct contact c = {.status = CONTACT_RESOLVED,
                        .resolved_by = STR("a2"),
                        .resolved_name = STR("Bob"),
                        .created_at = 1,
                        .resolved_at = 2};
    struct contact waits = {.status = CONTACT_PENDING, .created_at = 1};
    static const char *const parts[] = {"\"agents\":[{\"id\":\"a2\",\"name\":\"Bob\",", NULL};
    static const char *const nobody[] = {"\"pending\":1,", "\"agents\":[],", NULL};

    expect(&c, parts);
    expect(&waits, nobody);
}

Test(stats_feed, an_open_one_has_no_resolution_although_it_once_was)
{
    struct contact c = {.status = CONTACT_IN_PROGRESS,
                        .owner_id = STR("a1"),
                        .created_at = 1,
                        .resolved_at = 2,
                        .reopen_count = 1};
    static const char *const parts[] = {"\"active\":1,", "\"resolution\":{\"count\":0,", NULL};

    expect(&c, parts);
}
