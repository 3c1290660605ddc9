#include <criterion/criterion.h>
#include "contacts/record/message.h"

static void expect_put(const struct message *m, const char *want)
{
    struct sb out = {0};

    message_put(m, STR("contact_1_a"), &out);
    cr_expect(str_eq(sb_view(&out), str_z(want)), STR_FMT, STR_ARG(sb_view(&out)));
    sb_fini(&out);
}

Test(message, is_shown_without_what_is_the_stores)
{
    struct message m = {.seq = 2,
                        .id = STR("m2"),
                        .kind = MESSAGE_AGENT,
                        .author_id = STR("a1"),
                        .author_ref = STR("\"a1\""),
                        .author_name = STR("Bob"),
                        .email = STR("bob@example.org"),
                        .text = STR("<b>hi</b>"),
                        .at = 1700000000123,
                        .client_id = STR("a1/1")};

    expect_put(&m, "{\"contactId\":\"contact_1_a\",\"seq\":2,\"id\":\"m2\",\"kind\":\"agent\","
                   "\"senderId\":\"a1\",\"senderName\":\"Bob\",\"message\":\"<b>hi</b>\","
                   "\"timestamp\":\"2023-11-14T22:13:20.123Z\"}");
}

Test(message, a_note_says_so)
{
    struct message m = {.seq = 1, .kind = MESSAGE_NOTE};

    cr_expect(message_is_note(&m));
    expect_put(&m, "{\"contactId\":\"contact_1_a\",\"seq\":1,\"kind\":\"note\",\"note\":true}");
    m.kind = MESSAGE_SYSTEM;
    cr_expect(!message_is_note(&m));
}

Test(message, its_bytes_count)
{
    struct message m = {.text = STR("12345")}, none = {0};

    cr_expect_eq(message_bytes(&m) - message_bytes(&none), 5);
    cr_expect_gt(message_bytes(&none), 0);
}
