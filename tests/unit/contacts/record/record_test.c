/* The tables: every member is copied, compared and checked. */
#include <criterion/criterion.h>
#include "contacts/record/record.h"

static const struct record_kind *const kinds[] = {&record_contact, &record_message, &record_agent,
                                                  &record_outbox, &record_doc};
#define EACH(k) (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)

static union {
    struct contact contact;
    struct message message;
    struct agent agent;
    struct outbox outbox;
    struct doc doc;
} one, two;

/* Sets a member to something that is not empty. */
static void set(const struct record_field *f, void *record)
{
    static const struct str texts[] = {STR("x"), STR("y")};
    static const struct record_slot slots[] = {{STR("contact_1_a"), 5}};
    void *p = record_member(f, record);

    switch (f->type) {
    case RECORD_TEXT:
        *(struct str *)p = STR("text");
        break;
    case RECORD_JSON:
        *(struct str *)p = STR("{\"a\":1}");
        break;
    case RECORD_I64:
    case RECORD_DATE:
        *(int64_t *)p = 7;
        break;
    case RECORD_BOOL:
        *(bool *)p = true;
        break;
    case RECORD_TEXTS:
        *(struct record_texts *)p = (struct record_texts){texts, 2};
        break;
    case RECORD_SLOTS:
        *(struct record_slots *)p = (struct record_slots){slots, 1};
        break;
    }
}

Test(record, names_are_told_apart)
{
    for
        EACH(k)
    for (unsigned i = 0; i < kinds[k]->count; i++)
        for (unsigned n = i + 1; n < kinds[k]->count; n++) {
            const struct record_field *a = &kinds[k]->fields[i], *b = &kinds[k]->fields[n];

            cr_expect_str_neq(a->name, b->name);
            if (a->wire && b->wire) cr_expect_str_neq(a->wire, b->wire);
        }
}

Test(record, names_of_the_old_service_are_kept)
{
    static const char *const names[] = {"_id", "contact_name", "email", "message", "contact_date"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_expect_not_null(record_field_of(&record_contact, names[i]), "%s", names[i]);
    cr_expect_not_null(record_field_of(&record_message, "reply_name"));
    cr_expect_not_null(record_field_of(&record_message, "reply_date"));
    cr_expect_null(record_field_of(&record_message, "reply_nam"));
}

Test(record, each_member_is_copied_and_counts)
{
    struct arena a = {0};

    for
        EACH(k)
    for (unsigned i = 0; i < kinds[k]->count; i++) {
        const struct record_field *f = &kinds[k]->fields[i];

        memset(&one, 0, sizeof one);
        cr_expect(record_is_empty(f, &one), "%s", f->name);
        set(f, &one);
        cr_expect(!record_is_empty(f, &one), "%s", f->name);
        memset(&two, 0, sizeof two);
        cr_expect(!record_is_equal(kinds[k], &one, &two), "%s", f->name);
        record_copy(kinds[k], &one, &two, &a);
        cr_expect(record_is_equal(kinds[k], &one, &two), "%s", f->name);
        cr_expect_eq(record_check(kinds[k], &one, NULL), OK, "%s", f->name);
    }
    arena_fini(&a);
}

Test(record, a_copy_does_not_borrow)
{
    struct arena a = {0};
    char name[] = "Ann", tag[] = "vip";
    const struct str tags[] = {{tag, 3}};
    struct contact c = {.name = {name, 3}, .tags = {tags, 1}}, copy;

    record_copy(&record_contact, &c, &copy, &a);
    name[0] = tag[0] = 'X';
    cr_expect(str_eq(copy.name, STR("Ann")));
    cr_expect(str_eq(copy.tags.at[0], STR("vip")));
    arena_fini(&a);
}

Test(record, refuses_what_cannot_be_kept)
{
    static char large[65537];
    static struct str many[RECORD_TEXTS_MAX + 1];
    static const struct str odd[] = {STR("\xc3")};
    static const struct {
        struct contact c;
        int want;
        const char *field;
    } rows[] = {
        {{.name = STR("\xff")}, ERR_UTF8, "contact_name"},
        {{.message = {large, 65537}}, ERR_TOO_BIG, "message"},
        {{.message = {large, 65536}}, OK, ""},
        {{.extra = STR("{")}, ERR_SCHEMA, "extra"},
        {{.extra = STR("{} {}")}, ERR_SCHEMA, "extra"},
        {{.created_at = -1}, ERR_SCHEMA, "contact_date"},
        {{.created_at = RECORD_DATE_MAX + 1}, ERR_SCHEMA, "contact_date"},
        {{.created_at = RECORD_DATE_MAX}, OK, ""},
        {{.tags = {many, RECORD_TEXTS_MAX + 1}}, ERR_TOO_BIG, "tags"},
        {{.tags = {odd, 1}}, ERR_UTF8, "tags"},
        {{.name = STR("a\0b")}, OK, ""},
        {{.rate_score = INT64_MIN}, OK, ""},
    };

    memset(large, 'x', sizeof large);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *field = "";

        cr_expect_eq(record_check(&record_contact, &rows[i].c, &field), rows[i].want, "row %zu", i);
        cr_expect_str_eq(field, rows[i].field, "row %zu", i);
    }
}
