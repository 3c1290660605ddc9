/* Lines of an export. The walk over stores is in tests/cluster/store_dump_test.c. */
#include <criterion/criterion.h>
#include "contacts/store/dump.h"

static struct arena mem;
static struct sb why;

static void teardown(void)
{
    arena_fini(&mem);
    sb_fini(&why);
}

TestSuite(dump, .fini = teardown);

Test(dump, a_contact_is_one_line_and_comes_back)
{
    struct message m[] = {{.seq = 1, .id = STR("m1"), .text = STR("a\nb")},
                          {.seq = 2, .id = STR("m2"), .kind = STR("note")}};
    struct outbox o = {.id = STR("o1"), .payload = STR("{\"a\":\n[]}"), .state = STR("due")};
    struct store_item item = {.type = STORE_ITEM_CONTACT,
                              .contact = {.id = STR("c1"), .seq = 2},
                              .messages = m,
                              .messages_count = 2,
                              .outbox = &o,
                              .outbox_count = 1},
                      got;
    enum dump_line type;
    uint64_t items;
    struct sb line = {0};

    dump_line_put(&item, &line);
    cr_expect(
        str_eq(sb_view(&line),
               STR("{\"type\":\"contact\",\"contact\":{\"_id\":\"c1\",\"seq\":2},"
                   "\"messages\":[{\"seq\":1,\"id\":\"m1\",\"message\":\"a\\nb\"},"
                   "{\"seq\":2,\"id\":\"m2\",\"kind\":\"note\"}],"
                   "\"outbox\":[{\"id\":\"o1\",\"payload\":{\"a\": []},\"state\":\"due\"}]}")),
        STR_FMT, STR_ARG(sb_view(&line)));
    cr_assert_eq(dump_line_read(sb_view(&line), &mem, &type, &got, &items, &why), OK);
    cr_expect_eq(type, DUMP_ITEM);
    cr_expect(record_is_equal(&record_contact, &item.contact, &got.contact));
    cr_assert(got.messages_count == 2 && got.outbox_count == 1);
    cr_expect(record_is_equal(&record_message, &m[1], &got.messages[1]));
    sb_fini(&line);
}

Test(dump, the_first_and_the_last_line)
{
    struct store_item item;
    enum dump_line type;
    uint64_t items;

    cr_expect_eq(dump_line_read(STR("{\"type\":\"ingoma-contacts\",\"schema\":1}"), &mem, &type,
                                &item, &items, &why),
                 OK);
    cr_expect_eq(type, DUMP_HEAD);
    cr_expect_eq(dump_line_read(STR("{\"type\":\"end\",\"contacts\":2,\"agents\":1,\"docs\":4}"),
                                &mem, &type, &item, &items, &why),
                 OK);
    cr_expect(type == DUMP_END && items == 7);
}

Test(dump, says_what_is_wrong_with_a_line)
{
    static const struct {
        const char *line;
        int want;
        const char *why;
    } rows[] = {
        {"", ERR_PROTO, "line: malformed data for this protocol"},
        {"{\"type\":\"contact\"", ERR_PROTO, "line: malformed data for this protocol"},
        {"[]", ERR_SCHEMA, "type: the payload does not match the schema"},
        {"{\"type\":\"x\"}", ERR_SCHEMA, "type: the payload does not match the schema"},
        {"{\"type\":\"contact\"}", ERR_SCHEMA, "contact: the payload does not match the schema"},
        {"{\"type\":\"contact\",\"contact\":{}}", ERR_SCHEMA,
         "_id: the payload does not match the schema"},
        {"{\"type\":\"agent\",\"agent\":{\"_id\":{\"$gt\":\"\"}}}", ERR_SCHEMA,
         "_id: the payload does not match the schema"},
        {"{\"type\":\"contact\",\"contact\":{\"_id\":\"c\"},\"messages\":{}}", ERR_SCHEMA,
         "messages: the payload does not match the schema"},
        {"{\"type\":\"contact\",\"contact\":{\"_id\":\"c\",\"seq\":2},\"messages\":[{\"seq\":2},"
         "{\"seq\":2}]}",
         ERR_SCHEMA, "messages.seq: the payload does not match the schema"},
        {"{\"type\":\"contact\",\"contact\":{\"_id\":\"c\",\"seq\":1},\"messages\":[{\"seq\":2}]}",
         ERR_SCHEMA, "messages.seq: the payload does not match the schema"},
        {"{\"type\":\"ingoma-contacts\",\"schema\":2}", ERR_SCHEMA,
         "its schema is 2, this program knows 1"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct store_item item;
        enum dump_line type;
        uint64_t items;

        why.n = 0;
        cr_expect_eq(dump_line_read(str_z(rows[i].line), &mem, &type, &item, &items, &why),
                     rows[i].want, "row %zu", i);
        cr_expect(str_eq(sb_view(&why), str_z(rows[i].why)), "row %zu: " STR_FMT, i,
                  STR_ARG(sb_view(&why)));
    }
}
