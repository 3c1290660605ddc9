#include <criterion/criterion.h>
#include "contacts/record/outbox.h"

Test(outbox, is_dead_or_due)
{
    cr_expect(outbox_is_dead(&(struct outbox){.state = OUTBOX_DEAD}));
    cr_expect(!outbox_is_dead(&(struct outbox){.state = OUTBOX_DUE}));
    cr_expect(!outbox_is_dead(&(struct outbox){0}));
}

Test(outbox, is_shown_to_staff_with_its_contact_and_without_its_lease)
{
    const struct outbox o = {.id = STR("n1"),
                             .kind = STR("webhook"),
                             .tries = 2,
                             .lease = STR("mine"),
                             .why = STR("\x1b[0m")};
    struct sb b = {0};

    outbox_put(STR("contact_1_a"), &o, &b);
    sb_char(&b, 0);
    cr_expect_str_eq(b.p, "{\"contactId\":\"contact_1_a\",\"id\":\"n1\",\"kind\":\"webhook\","
                          "\"tries\":2,\"why\":\"\\u001b[0m\"}");
    sb_fini(&b);
}
