#include <criterion/criterion.h>
#include "contacts/record/contact.h"

static const struct contact claimed = {.id = STR("contact_1_a"),
                                       .status = STR("in_progress"),
                                       .email = STR("ann@example.org"),
                                       .owner_id = STR("7"),
                                       .owner_ref = STR("7"),
                                       .owner_name = STR("B\"ob"),
                                       .owner_email = STR("bob@example.org"),
                                       .claimed_at = 1700000000123};

static void expect_put(const struct contact *c, enum record_sees who, const char *want)
{
    struct sb out = {0};

    contact_put(c, who, &out);
    cr_expect(str_eq(sb_view(&out), str_z(want)), STR_FMT, STR_ARG(sb_view(&out)));
    sb_fini(&out);
}

Test(contact, pages_see_its_agent_as_before)
{
    expect_put(&claimed, RECORD_AGENT,
               "{\"id\":\"contact_1_a\",\"status\":\"in_progress\",\"email\":\"ann@example.org\","
               "\"assignedAdmin\":{\"id\":7,\"name\":\"B\\\"ob\",\"email\":\"bob@example.org\","
               "\"claimedAt\":\"2023-11-14T22:13:20.123Z\"}}");
}

Test(contact, a_visitor_does_not_see_the_agents_address)
{
    expect_put(&claimed, RECORD_VISITOR,
               "{\"id\":\"contact_1_a\",\"status\":\"in_progress\",\"email\":\"ann@example.org\","
               "\"assignedAdmin\":{\"id\":7,\"name\":\"B\\\"ob\","
               "\"claimedAt\":\"2023-11-14T22:13:20.123Z\"}}");
}

Test(contact, nobody_has_it)
{
    expect_put(&(struct contact){.id = STR("c"), .owner_id = STR("7"), .status = STR("pending")},
               RECORD_VISITOR,
               "{\"id\":\"c\",\"status\":\"pending\",\"assignedAdmin\":{\"id\":\"7\"}}");
    expect_put(&(struct contact){.id = STR("c")}, RECORD_VISITOR, "{\"id\":\"c\"}");
}

Test(contact, has_one_status)
{
    struct contact c = {.status = CONTACT_PENDING};

    cr_expect(contact_is_pending(&c) && !contact_is_in_progress(&c) && !contact_is_resolved(&c));
    c.status = CONTACT_RESOLVED;
    cr_expect(!contact_is_pending(&c) && !contact_is_in_progress(&c) && contact_is_resolved(&c));
    c.status = CONTACT_IN_PROGRESS;
    cr_expect(contact_is_in_progress(&c));
}
