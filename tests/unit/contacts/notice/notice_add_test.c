#include <criterion/criterion.h>
#include "base/clock.h"
#include "contacts/notice/notice_priv.h"
#include "tests/unit/support/hex.h"

static struct arena mem;
static struct store_more more;
static struct notice notice;
static const struct contact contact = {.id = {"contact_1_a", 11},
                                       .name = {"Ann \"A\"\r\n", 9},
                                       .email = {"ann@example.org", 15},
                                       .created_at = 1700000000000};

static void up(void)
{
    clock_freeze(1000, 1700000000123);
    more = (struct store_more){0};
    notice = (struct notice){.webhooks = {{.id = "0123456789abcdef"}, {.id = "fedcba9876543210"}},
                             .webhooks_count = 2};
}

static void down(void)
{
    arena_fini(&mem);
}

TestSuite(notice_add, .init = up, .fini = down);

Test(notice_add, writes_an_entry_for_each_webhook)
{
    struct json payload, v;

    notice_add(&notice, NOTICE_CREATED, &contact, NULL, &mem, &more);
    cr_assert_eq(more.outbox_count, 2);
    for (unsigned i = 0; i < 2; i++) {
        const struct outbox *o = &more.outbox[i];

        cr_expect_eq(record_check(&record_outbox, o, NULL), OK);
        cr_expect(str_eq(o->kind, STR("webhook")));
        cr_expect(str_eq(o->target, str_z(notice.webhooks[i].id)));
        cr_expect(str_eq(o->event, STR("contact.created")));
        cr_expect_eq(o->at, 1700000000123, "due at once");
        cr_assert_eq(json_parse(o->payload, &payload), OK);
        cr_assert(json_member(payload, STR("type"), &v));
        cr_expect(str_eq(v.raw, STR("\"contact.created\"")));
        cr_assert(json_member(payload, STR("timestamp"), &v));
        cr_expect(str_eq(v.raw, STR("\"2023-11-14T22:13:20.123Z\"")));
        cr_assert(json_member(payload, STR("data"), &v) && json_member(v, STR("contact"), &v) &&
                  json_member(v, STR("email"), &v));
        cr_expect(str_eq(v.raw, STR("\"ann@example.org\"")));
    }
    cr_expect_not(str_eq(more.outbox[0].id, more.outbox[1].id));
}

Test(notice_add, keeps_what_is_to_be_written_already)
{
    const struct outbox first = {.id = STR("first"), .kind = STR("socket")};
    const struct message said = {.kind = STR("agent"), .text = STR("Muraho"), .seq = 3};

    more.outbox = &first;
    more.outbox_count = 1;
    notice_add(&notice, NOTICE_AGENT, &contact, &said, &mem, &more);
    cr_assert_eq(more.outbox_count, 3);
    cr_expect(str_eq(more.outbox[0].id, STR("first")));
    cr_expect(str_contains(more.outbox[2].payload, STR("\"message\":\"Muraho\"")));
    cr_expect(str_eq(more.outbox[1].event, STR("message.agent")));
}

Test(notice_add, tells_nobody_where_nobody_wants_to_know)
{
    notice.webhooks_count = 0;
    notice_add(&notice, NOTICE_CREATED, &contact, NULL, &mem, &more);
    notice_add(NULL, NOTICE_CREATED, &contact, NULL, &mem, &more);
    cr_expect_eq(more.outbox_count, 0);
    cr_expect_null(more.outbox);
}

Test(notice_add, has_a_name_for_everything)
{
    for (int i = 0; i < NOTICE_WHAT_COUNT; i++)
        cr_expect_not_null(notice_event((enum notice_what)i), "%d", i);
}

Test(notice_add, mails_the_team_at_once_and_a_visitor_later)
{
    static const struct conf conf = {.mail_away_ms = 600000};
    struct mailer *some = (struct mailer *)(void *)&notice;
    struct contact c = contact;

    notice.webhooks_count = 0;
    notice.conf = &conf;
    notice.mail = (struct notice_mailbox){
        .mailer = some, .team = {STR("one@quizblog.rw"), STR("two@quizblog.rw")}, .team_count = 2};
    c.visitor_seen_at = 1700000000000;
    notice_add(&notice, NOTICE_CREATED, &c, NULL, &mem, &more);
    cr_assert_eq(more.outbox_count, 2);
    cr_expect(str_eq(more.outbox[1].target, STR("two@quizblog.rw")));
    cr_expect(str_eq(more.outbox[1].kind, STR("mail")));
    cr_expect_eq(more.outbox[1].at, 1700000000123);
    more = (struct store_more){0};
    notice_add(&notice, NOTICE_AGENT, &c, NULL, &mem, &more);
    cr_assert_eq(more.outbox_count, 1);
    cr_expect(str_eq(more.outbox[0].target, STR("ann@example.org")));
    cr_expect_eq(more.outbox[0].at, 1700000600000, "ten minutes after the visitor was here");
    c.visitor_seen_at = 1600000000000;
    more = (struct store_more){0};
    notice_add(&notice, NOTICE_AGENT, &c, NULL, &mem, &more);
    cr_expect_eq(more.outbox[0].at, 1700000000123, "away for long: at once");
    c.email = STR("ann@example.org\r\nBcc: x@y");
    more = (struct store_more){0};
    notice_add(&notice, NOTICE_AGENT, &c, NULL, &mem, &more);
    notice_add(&notice, NOTICE_VISITOR, &c, NULL, &mem, &more);
    cr_expect_eq(more.outbox_count, 0, "no address, and nobody to tell");
}
