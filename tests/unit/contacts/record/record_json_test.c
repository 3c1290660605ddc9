/* Records as JSON and back. */
#include <criterion/criterion.h>
#include "contacts/record/record.h"

static struct arena mem;
static struct sb out;

static void teardown(void)
{
    arena_fini(&mem);
    sb_fini(&out);
}

TestSuite(record_json, .fini = teardown);

static const struct str tags[] = {STR("a\"b"), STR("")};
static const struct record_slot slots[] = {{STR("contact_1_a"), 5}, {STR("c2"), -6}};
static const struct contact full = {.id = STR("contact_1_a"),
                                    .version = 3,
                                    .status = STR("pending"),
                                    .name = STR("A\0n\n\xc3\xa9"),
                                    .created_at = 1700000000123,
                                    .form_key = STR("k"),
                                    .tags = {tags, 2},
                                    .extra = STR("{\"$a.b\":[1.50,null]}")};

static int read_z(const struct record_kind *k, const char *json, void *to, const char **field)
{
    struct json v;

    cr_assert_eq(json_parse(str_z(json), &v), OK);
    return record_read(k, v, &mem, to, field);
}

Test(record_json, everybody_sees_what_is_for_him)
{
    cr_expect(record_put(&record_contact, &full, RECORD_VISITOR, &out));
    cr_expect(str_eq(sb_view(&out), STR("\"id\":\"contact_1_a\",\"status\":\"pending\","
                                        "\"name\":\"A\\u0000n\\n\xc3\xa9\","
                                        "\"submittedAt\":\"2023-11-14T22:13:20.123Z\"")),
              STR_FMT, STR_ARG(sb_view(&out)));
    out.n = 0;
    cr_expect(record_put(&record_contact, &full, RECORD_AGENT, &out));
    cr_expect(str_contains(sb_view(&out), STR(",\"tags\":[\"a\\\"b\",\"\"]")));
    cr_expect(str_contains(sb_view(&out), STR(",\"version\":3,")));
    cr_expect(!str_contains(sb_view(&out), STR("form_key")), "the store's own names stay inside");
    out.n = 0;
    cr_expect(!record_put(&record_contact, &(struct contact){0}, RECORD_STORE, &out));
    cr_expect_eq(out.n, 0);
}

Test(record_json, what_is_dumped_is_read_again)
{
    struct agent a = {.id = STR("7"),
                      .ref = STR("7"),
                      .available = true,
                      .capacity = INT64_MAX,
                      .slots = {slots, 2}},
                 b;
    struct contact c;
    struct json v;

    sb_char(&out, '{');
    cr_expect(record_dump(&record_contact, &full, &out));
    sb_char(&out, '}');
    cr_assert_eq(json_parse(sb_view(&out), &v), OK, STR_FMT, STR_ARG(sb_view(&out)));
    cr_assert_eq(record_read(&record_contact, v, &mem, &c, NULL), OK);
    cr_expect(record_is_equal(&record_contact, &full, &c));
    out.n = 0;
    sb_char(&out, '{');
    cr_expect(record_dump(&record_agent, &a, &out));
    sb_char(&out, '}');
    cr_assert_eq(json_parse(sb_view(&out), &v), OK);
    cr_assert_eq(record_read(&record_agent, v, &mem, &b, NULL), OK);
    cr_expect(record_is_equal(&record_agent, &a, &b));
}

Test(record_json, a_dump_is_one_line)
{
    struct contact c = {.extra = STR("{\n\"a\":\r\n1}")};

    cr_expect(record_dump(&record_contact, &c, &out));
    cr_expect(str_eq(sb_view(&out), STR("\"extra\":{ \"a\":  1}")));
}

Test(record_json, reads_nothing_that_is_no_record)
{
    static const struct {
        const char *json;
        int want;
        const char *field;
    } rows[] = {
        {"{}", OK, ""},
        {"[]", ERR_SCHEMA, "contact"},
        {"\"x\"", ERR_SCHEMA, "contact"},
        {"{\"_id\":{\"$ne\":null}}", ERR_SCHEMA, "_id"},
        {"{\"_id\":5}", ERR_SCHEMA, "_id"},
        {"{\"version\":\"5\"}", ERR_SCHEMA, "version"},
        {"{\"version\":1.5}", ERR_SCHEMA, "version"},
        {"{\"contact_date\":-5}", ERR_SCHEMA, "contact_date"},
        {"{\"contact_date\":\"2026\"}", ERR_SCHEMA, "contact_date"},
        {"{\"tags\":{}}", ERR_SCHEMA, "tags"},
        {"{\"tags\":[1]}", ERR_SCHEMA, "tags"},
        {"{\"unknown\":[1]}", OK, ""},
        {"{\"extra\":[1,{\"a\":2}]}", OK, ""},
        {"{\"_id\":\"a\",\"_id\":\"b\"}", OK, ""},
        {"{\"_id\":\"\\ud800\"}", OK, ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *field = "";
        struct contact c;
        int rc = read_z(&record_contact, rows[i].json, &c, &field);

        cr_expect_eq(rc, rows[i].want, "%s: %d", rows[i].json, rc);
        if (rc != OK) cr_expect_str_eq(field, rows[i].field, "%s", rows[i].json);
    }
}

Test(record_json, reads_only_slots_that_are_some)
{
    static const char *const rows[] = {"{\"slots\":[[\"a\"]]}", "{\"slots\":[[1,2]]}",
                                       "{\"slots\":[[\"a\",\"b\"]]}", "{\"slots\":[\"a\"]}",
                                       "{\"slots\":{}}"};
    struct agent a;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(read_z(&record_agent, rows[i], &a, NULL), ERR_SCHEMA, "%s", rows[i]);
}

Test(record_json, lists_stand_in_a_column)
{
    const struct record_field *f = record_field_of(&record_agent, "slots");
    struct agent a = {.slots = {slots, 2}}, b = {0};

    record_list_put(f, &a, &out);
    cr_expect(str_eq(sb_view(&out), STR("[[\"contact_1_a\",5],[\"c2\",-6]]")));
    cr_expect_eq(record_list_read(f, sb_view(&out), &mem, &b), OK);
    cr_expect(record_is_equal(&record_agent, &a, &b));
    cr_expect_eq(record_list_read(f, STR("[[\"a\""), &mem, &b), ERR_SCHEMA);
}
