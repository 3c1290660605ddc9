/* Export and import: what goes through both stores comes back the same, line by line. */
#include "base/mem.h"
#include "contacts/store/dump.h"
#include "tests/unit/support/store_contract.h"

struct lines { /* an export in memory */
    struct sb text;
    struct str rest;
};

static int write_line(void *ctx, struct str line)
{
    struct lines *l = ctx;

    sb_str(&l->text, line);
    sb_char(&l->text, '\n');
    return OK;
}

static bool read_line(void *ctx, struct str *line)
{
    struct lines *l = ctx;

    return str_next(&l->rest, '\n', line) && line->n > 0;
}

static uint64_t export(struct lines *l)
{
    char *why = NULL;
    uint64_t items;

    l->text.n = 0;
    cr_assert_eq(dump_export(&f.conf, write_line, l, &items, &why), OK, "%s", why);
    return items;
}

static int import(struct lines *l, struct store_loaded *sum, char **why)
{
    l->rest = sb_view(&l->text);
    *sum = (struct store_loaded){0};
    *why = NULL;
    return dump_import(&f.conf, read_line, l, sum, why);
}

static const struct str tags[] = {STR("a"), STR("$b.c")};

static void fill(void)
{
    char id[24];

    for (int i = 0; i < 20; i++) {
        struct contact c = store_fixture_contact("");
        struct message m[3] = {store_fixture_message("m1", "one\n\"two\""),
                               store_fixture_message("m2", "note"),
                               store_fixture_message("m3", "a\0b")};
        struct outbox o[2] = {store_fixture_entry("o1", 7), store_fixture_entry("o2", 5)};

        (void)snprintf(id, sizeof id, "contact_%02d_x", i);
        c.id = str_z(id);
        c.form_key = i % 2 ? str_z(id) : STR_NONE;
        c.tags = (struct record_texts){tags, 2};
        c.extra = STR("{\"$set\":{\"a.b\":[1.0,1e3,\"\\u0000\"]}}");
        m[1].kind = MESSAGE_NOTE;
        m[2].text = STR("a\0b");
        cr_assert_eq(insert(0, &c, &(struct store_more){m, 3, o, (unsigned)i % 3})->rc, OK);
    }
    GOT(&f, store_agent_update, f.stores[0],
        &(struct agent){.id = STR("a1"), .ref = STR("1"), .capacity = 3, .available = true});
    GOT(&f, store_doc_put, f.stores[0],
        &(struct doc){.kind = STR("canned"), .id = STR("x/y"), .body = STR("{\"a\":\n1}")});
}

CONTRACT(an_export_of_nothing_has_a_head_and_an_end)
{
    struct lines l = {0};

    cr_expect_eq(export(&l), 0);
    cr_expect(str_eq(sb_view(&l.text),
                     STR("{\"type\":\"ingoma-contacts\",\"schema\":1}\n"
                         "{\"type\":\"end\",\"contacts\":0,\"agents\":0,\"docs\":0}\n")));
    sb_fini(&l.text);
}

CONTRACT(an_import_is_refused_where_it_is_cut_off)
{
    struct lines l = {0};
    struct store_loaded sum;
    char *why;

    fill();
    export(&l);
    l.text.n -= 50;
    while (l.text.p[l.text.n - 1] != '\n')
        l.text.n--;
    cr_expect_eq(import(&l, &sum, &why), ERR_SCHEMA);
    cr_expect(strstr(why, "it has no end"), "%s", why);
    mem_free(why);
    sb_fini(&l.text);
}

CONTRACT(an_import_again_changes_nothing)
{
    struct lines l = {0}, after = {0};
    struct store_loaded sum;
    char *why;

    fill();
    cr_expect_eq(export(&l), 22);
    cr_expect_eq(import(&l, &sum, &why), OK, "%s", why);
    cr_expect(sum.added == 0 && sum.skipped == 22);
    export(&after);
    cr_expect(str_eq(sb_view(&l.text), sb_view(&after.text)));
    sb_fini(&l.text);
    sb_fini(&after.text);
}

/* From the fixture that is open into a fresh one of the other kind, and its export. */
static void move_to(const char *uri, struct lines *l, struct lines *out)
{
    struct store_loaded sum;
    char *why;

    store_fixture_close(&f);
    store_fixture_open(&f, uri, 1);
    cr_assert_eq(import(l, &sum, &why), OK, "%s", why);
    cr_expect_eq(sum.added, 22);
    export(out);
}

Test(store_dump, goes_through_both_and_comes_back, .timeout = 120)
{
    struct lines one = {0}, two = {0}, three = {0};
    struct contact c;

    if (!mongo_fixture_uri()) cr_skip_test("no MongoDB-wire server: %s", mongo_fixture_why());
    store_fixture_open(&f, NULL, 1);
    fill();
    export(&one);
    move_to(mongo_fixture_uri(), &one, &two);
    cr_expect(str_eq(sb_view(&one.text), sb_view(&two.text)), "SQLite to MongoDB");
    move_to(NULL, &two, &three);
    cr_expect(str_eq(sb_view(&one.text), sb_view(&three.text)), "and back");
    c = *get(0, "contact_02_x")->contact;
    cr_expect_eq(f.got.messages_count, 3);
    cr_expect_eq(update(0, &c, NULL)->rc, OK, "it goes on where it was");
    store_fixture_close(&f);
    sb_fini(&one.text);
    sb_fini(&two.text);
    sb_fini(&three.text);
}
