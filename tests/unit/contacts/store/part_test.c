/* What both drivers decide alike. */
#include <criterion/criterion.h>
#include "contacts/record/contact.h"
#include "contacts/record/message.h"
#include "contacts/store/store_priv.h"

static struct store_call call;

static void teardown(void)
{
    arena_fini(&call.mem);
}

TestSuite(store_part, .fini = teardown);

Test(store_part, numbers_go_on_behind_the_head)
{
    struct message m[2] = {{.text = STR("one")}, {.text = STR("three")}};

    call.ask.contact = (struct contact){.version = 4, .seq = 7, .bytes = 100};
    call.ask.messages = m;
    call.ask.messages_count = 2;
    call.ask.now = 55;
    cr_expect_eq(store_number(&call, 5), OK);
    cr_expect(m[0].seq == 8 && m[1].seq == 9);
    cr_expect_eq(call.ask.contact.seq, 9);
    cr_expect_eq(call.ask.contact.version, 5);
    cr_expect_eq(call.ask.contact.updated_at, 55);
    cr_expect_eq(call.ask.contact.bytes, 100 + message_bytes(&m[0]) + message_bytes(&m[1]));
}

Test(store_part, a_full_contact_takes_no_message_but_a_head)
{
    struct message m = {.text = STR("x")};

    call.ask.contact = (struct contact){.bytes = CONTACT_BYTES_MAX};
    cr_expect_eq(store_number(&call, 1), OK);
    call.ask.messages = &m;
    call.ask.messages_count = 1;
    cr_expect_eq(store_number(&call, 1), ERR_LIMIT);
    cr_expect_not_null(call.base.why);
    call.ask.contact = (struct contact){.seq = CONTACT_MESSAGES_MAX};
    cr_expect_eq(store_number(&call, 1), ERR_LIMIT);
    call.ask.contact = (struct contact){.seq = CONTACT_MESSAGES_MAX - 1};
    cr_expect_eq(store_number(&call, 1), OK);
}

Test(store_part, a_window_is_cut)
{
    struct message m[5] = {{.seq = 1}, {.seq = 2}, {.seq = 4}, {.seq = 5}, {.seq = 9}};
    static const struct {
        struct store_window w;
        int64_t first;
        unsigned count;
        bool more;
    } rows[] = {
        {{.limit = 2}, 5, 2, true},
        {{.limit = 5}, 1, 5, false},
        {{.limit = 2, .before = 5}, 2, 2, true},
        {{.limit = 2, .before = 4}, 1, 2, false},
        {{.limit = 2, .after = 1}, 2, 2, true},
        {{.limit = 2, .after = 4}, 5, 2, false},
        {{.limit = 1, .after = 5}, 9, 1, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        call.ask.window = rows[i].w;
        store_cut(&call, m, 5);
        cr_assert_eq(call.result.messages_count, rows[i].count, "row %zu", i);
        cr_expect_eq(call.result.messages[0].seq, rows[i].first, "row %zu", i);
        cr_expect_eq(call.result.has_more, rows[i].more, "row %zu", i);
    }
    call.ask.window = (struct store_window){.limit = 3, .after = 9};
    store_cut(&call, m, 5);
    cr_expect_eq(call.result.messages_count, 0);
    store_cut(&call, m, 0);
    cr_expect_eq(call.result.messages_count, 0);
}

Test(store_part, a_cursor_comes_back)
{
    static const struct contact last = {.id = STR("contact 1\xc3\xa9"),
                                        .created_at = 1700000000000,
                                        .queue_rank = -3,
                                        .queue_since = 5};
    struct store_cursor c;

    store_cursor_put(&call, STORE_QUEUE, &last);
    cr_expect(call.result.has_more);
    cr_assert_eq(store_cursor_read(&call, call.result.cursor, &c), OK);
    cr_expect(c.a == -3 && c.b == 5);
    cr_expect(str_eq(c.id, last.id));
    store_cursor_put(&call, STORE_NEWEST, &last);
    cr_assert_eq(store_cursor_read(&call, call.result.cursor, &c), OK);
    cr_expect_eq(c.a, 1700000000000);
}

Test(store_part, refuses_what_is_no_cursor)
{
    /* "1", "1 2", "x 2 id", "1 2 \xff", "99999999999999999999 2 id" */
    static const char *const rows[] = {
        "", "*", "MQ==", "MSAy", "eCAyIGlk", "MSAyIP8=", "OTk5OTk5OTk5OTk5OTk5OTk5OTkgMiBpZA=="};
    struct store_cursor c;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(store_cursor_read(&call, str_z(rows[i]), &c), ERR_SCHEMA, "row %zu", i);
}

Test(store_part, knows_the_same_form)
{
    struct contact a = {.id = STR("c"), .created_at = 5, .message = STR("m")}, b = a;

    b.status = STR("resolved");
    cr_expect(store_is_same_form(&a, &b), "whatever has become of it");
    b.created_at = 6;
    cr_expect(!store_is_same_form(&a, &b));
    b = a;
    b.message = STR("n");
    cr_expect(!store_is_same_form(&a, &b));
}
