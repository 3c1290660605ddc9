/* What both stores promise: contacts and their messages. */
#include "tests/unit/support/store_contract.h"

/* ---- contacts ---- */

CONTRACT(every_member_of_a_contact_comes_back)
{
    static const struct str tags[] = {STR("billing"), STR("vip")};
    struct contact c = store_fixture_contact("contact_1_a"), got;

    for (unsigned i = 0; i < record_contact.count; i++) {
        const struct record_field *row = &record_contact.fields[i];
        void *p = record_member(row, &c);

        if (row->type == RECORD_I64) *(int64_t *)p = (int64_t)i + 1000000000000;
        if (row->type == RECORD_DATE) *(int64_t *)p = 1700000000000 + i;
        if (row->type == RECORD_TEXT && row->max > 64) *(struct str *)p = str_z(row->name);
        if (row->type == RECORD_JSON) *(struct str *)p = STR("{\"$set\":{\"a.b\":[1,null,\"\"]}}");
        if (row->type == RECORD_TEXTS) *(struct record_texts *)p = (struct record_texts){tags, 2};
    }
    cr_assert_eq(insert(0, &c, NULL)->rc, OK);
    cr_expect_eq(f.got.contact->version, 1);
    got = *get(1, "contact_1_a")->contact;
    c.version = 1;
    c.seq = c.bytes = 0;
    cr_expect_gt(got.updated_at, 1700000000000);
    c.updated_at = got.updated_at;
    for (unsigned i = 0; i < record_contact.count; i++) {
        const struct record_kind one = {.fields = &record_contact.fields[i], .count = 1};

        cr_expect(record_is_equal(&one, &c, &got), "%s", record_contact.fields[i].name);
    }
}

CONTRACT(a_member_that_is_emptied_is_empty)
{
    struct contact c = added("contact_1_a");

    c.next_at = 5;
    c.owner_id = STR("a1");
    c.extra = STR("{\"x\":1}");
    c = *update(0, &c, NULL)->contact;
    c.next_at = 0;
    c.owner_id = c.extra = STR_NONE;
    cr_assert_eq(update(0, &c, NULL)->rc, OK);
    c = *get(1, "contact_1_a")->contact;
    cr_expect(c.next_at == 0 && c.owner_id.n == 0 && c.extra.n == 0);
    cr_expect_eq(GOT(&f, store_due_next, f.stores[0])->at, 0);
}

CONTRACT(an_insert_may_be_repeated)
{
    struct contact c = store_fixture_contact("contact_1_a"), other = c;
    struct message m = store_fixture_message("m1", "more");
    struct outbox o = store_fixture_entry("o1", 10);
    const struct store_more more = {&m, 1, &o, 1};

    cr_expect_eq(insert(0, &c, &more)->rc, OK);
    cr_expect_eq(insert(1, &c, &more)->rc, OK, "the same form again");
    cr_expect_eq(get(2, "contact_1_a")->messages_count, 1);
    other.message = STR("something else");
    cr_expect_eq(insert(1, &other, &more)->rc, ERR_EXISTS);
    EXPECT_STR(f.got.contact->message, "I cannot log in");
}

CONTRACT(a_form_is_stored_once_by_its_key)
{
    struct contact c = store_fixture_contact("contact_1_a"),
                   again = store_fixture_contact("contact_2_b");
    struct contact none = store_fixture_contact("contact_3_c"),
                   none_too = store_fixture_contact("contact_4_d");

    c.form_key = again.form_key = STR("1.2.3.4/f-0001");
    cr_expect_eq(insert(0, &c, NULL)->rc, OK);
    cr_expect_eq(insert(1, &again, NULL)->rc, ERR_EXISTS);
    EXPECT_STR(f.got.contact->id, "contact_1_a");
    cr_expect_eq(get(0, "contact_2_b")->rc, ERR_NOT_FOUND);
    cr_expect_eq(GOT(&f, store_contact_by_form, f.stores[2], c.form_key)->rc, OK);
    EXPECT_STR(f.got.contact->id, "contact_1_a");
    cr_expect_eq(GOT(&f, store_contact_by_form, f.stores[0], STR("1.2.3.4/f-0002"))->rc,
                 ERR_NOT_FOUND);
    cr_expect_eq(insert(0, &none, NULL)->rc, OK, "those without a key are all different");
    cr_expect_eq(insert(0, &none_too, NULL)->rc, OK);
    cr_expect_eq(GOT(&f, store_contact_by_form, f.stores[1], STR(""))->rc, ERR_NOT_FOUND);
}

CONTRACT(the_same_form_at_once_on_all_nodes_is_stored_once)
{
    char ids[30][24];
    unsigned from = f.answers;

    for (unsigned i = 0; i < 30; i++) {
        struct contact c;

        (void)snprintf(ids[i], sizeof ids[i], "contact_%u_x", i);
        c = store_fixture_contact(ids[i]);
        c.form_key = STR("key");
        store_contact_insert(f.stores[i % 3], &c, NULL, store_fixture_done, &f);
    }
    store_fixture_await(&f, from + 30);
    cr_expect_eq(count_rc(from, OK), 1);
    cr_expect_eq(count_rc(from, ERR_EXISTS), 29);
}

CONTRACT(of_many_who_change_one_version_one_wins)
{
    struct contact c = added("contact_1_a");
    unsigned from = f.answers;
    char names[60][8];

    for (unsigned i = 0; i < 60; i++) {
        struct contact mine = c;

        (void)snprintf(names[i], sizeof names[i], "a%u", i);
        mine.owner_id = str_z(names[i]);
        mine.status = CONTACT_IN_PROGRESS;
        store_contact_update(f.stores[i % 3], &mine, NULL, store_fixture_done, &f);
    }
    store_fixture_await(&f, from + 60);
    cr_expect_eq(count_rc(from, OK), 1);
    cr_expect_eq(count_rc(from, ERR_CONFLICT), 59);
    cr_expect_eq(get(0, "contact_1_a")->contact->version, 2);
    cr_expect(contact_is_in_progress(f.got.contact));
}

CONTRACT(what_is_not_there_says_so)
{
    struct contact c = store_fixture_contact("contact_9_z");

    c.version = 1;
    cr_expect_eq(update(0, &c, NULL)->rc, ERR_NOT_FOUND);
    cr_expect_eq(get(0, "contact_9_z")->rc, ERR_NOT_FOUND);
    cr_expect_eq(get(0, "")->rc, ERR_NOT_FOUND);
    cr_expect_eq(GOT(&f, store_contact_delete, f.stores[0], c.id)->rc, ERR_NOT_FOUND);
    cr_expect_eq(GOT(&f, store_queue_place, f.stores[0], c.id)->rc, ERR_NOT_FOUND);
}

/* ---- messages ---- */

static int say(struct contact *c, const char *id, const char *text, struct str kind)
{
    struct message m = store_fixture_message(id, text);
    const struct store_more more = {.messages = &m, .messages_count = 1};
    int rc;

    m.kind = kind;
    rc = update(0, c, &more)->rc;
    if (rc == OK) *c = *f.got.contact;
    return rc;
}

CONTRACT(messages_are_numbered_in_their_order)
{
    struct contact c = store_fixture_contact("contact_1_a");
    struct message two[] = {store_fixture_message("m1", "one"), store_fixture_message("m2", "two")};
    const struct store_more more = {.messages = two, .messages_count = 2};

    cr_assert_eq(insert(0, &c, &more)->rc, OK);
    c = *f.got.contact;
    cr_expect_eq(c.seq, 2);
    cr_assert_eq(say(&c, "m3", "a note", MESSAGE_NOTE), OK);
    cr_expect_eq(f.got.messages[0].seq, 3);
    cr_assert_eq(say(&c, "m4", "four", MESSAGE_AGENT), OK);
    get(1, "contact_1_a");
    cr_assert_eq(f.got.messages_count, 4);
    for (unsigned i = 0; i < 4; i++) {
        char id[8];

        (void)snprintf(id, sizeof id, "m%u", i + 1);
        cr_expect_eq(f.got.messages[i].seq, (int64_t)i + 1);
        EXPECT_STR(f.got.messages[i].id, id);
    }
    cr_expect(message_is_note(&f.got.messages[2]));
    cr_expect_eq(f.got.contact->seq, 4);
    cr_expect_gt(f.got.contact->bytes, 15);
}

CONTRACT(every_member_of_a_message_comes_back)
{
    struct contact c = store_fixture_contact("contact_1_a");
    struct message m = {.id = STR("m1"),
                        .kind = MESSAGE_AGENT,
                        .author_id = STR("7"),
                        .author_ref = STR("7"),
                        .author_name = STR("Bob"),
                        .author_role = STR("admin"),
                        .email = STR("bob@example.org"),
                        .text = STR("How can I help?"),
                        .type = STR("text"),
                        .at = 1700000000001,
                        .client_id = STR("bob/1")};
    const struct store_more more = {.messages = &m, .messages_count = 1};

    cr_assert_eq(insert(0, &c, &more)->rc, OK);
    get(1, "contact_1_a");
    m.seq = 1;
    cr_assert_eq(f.got.messages_count, 1);
    cr_expect(record_is_equal(&record_message, &m, &f.got.messages[0]));
}

CONTRACT(a_window_shows_what_was_asked_for)
{
    static const struct {
        struct store_window w;
        const char *want;
        bool more;
    } rows[] = {
        {{.limit = 0}, "", false},
        {{.limit = 3}, "8,9,10", true},
        {{.limit = 100}, "1,2,4,5,6,7,8,9,10", false},
        {{.limit = 100, .with_notes = true}, "1,2,3,4,5,6,7,8,9,10", false},
        {{.limit = 2, .before = 8}, "6,7", true},
        {{.limit = 2, .before = 4}, "1,2", false},
        {{.limit = 2, .before = 4, .with_notes = true}, "2,3", true},
        {{.limit = 2, .after = 2}, "4,5", true},
        {{.limit = 2, .after = 8}, "9,10", false},
        {{.limit = 2, .after = 10}, "", false},
        {{.limit = 2, .before = 1}, "", false},
    };
    struct contact c = added("contact_1_a");

    for (int i = 1; i <= 10; i++)
        cr_assert_eq(say(&c, "m", "x", i == 3 ? MESSAGE_NOTE : MESSAGE_VISITOR), OK);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct sb got = {0};

        GOT(&f, store_contact_get, f.stores[1], STR("contact_1_a"), &rows[i].w);
        for (unsigned n = 0; n < f.got.messages_count; n++)
            sb_printf(&got, "%s%d", n ? "," : "", (int)f.got.messages[n].seq);
        cr_expect(str_eq(sb_view(&got), str_z(rows[i].want)), "row %zu: " STR_FMT, i,
                  STR_ARG(sb_view(&got)));
        cr_expect_eq(f.got.has_more, rows[i].more, "row %zu", i);
        sb_fini(&got);
    }
}

CONTRACT(a_message_that_is_sent_again_is_the_first_one)
{
    struct contact c = added("contact_1_a");
    struct message m = store_fixture_message("m1", "hello");
    const struct store_more more = {.messages = &m, .messages_count = 1};

    m.client_id = STR("ann/1");
    cr_assert_eq(update(0, &c, &more)->rc, OK);
    c = *f.got.contact;
    m.id = STR("m2");
    cr_expect_eq(update(1, &c, &more)->rc, ERR_EXISTS);
    cr_assert_eq(f.got.messages_count, 1);
    EXPECT_STR(f.got.messages[0].id, "m1");
    cr_expect_eq(f.got.messages[0].seq, 1);
    cr_expect_eq(f.got.contact->version, 2, "nothing was written");
    m.client_id = STR("ann/2");
    cr_expect_eq(update(1, &c, &more)->rc, OK);
}

CONTRACT(a_chat_ends_at_its_limit)
{
    struct contact c = added("contact_1_a");
    char *large = calloc(1, 65001);
    int rc = OK, n = 0;

    memset(large, 'x', 65000);
    while (rc == OK && n < 200)
        rc = say(&c, "m", large, MESSAGE_VISITOR), n++;
    cr_expect_eq(rc, ERR_LIMIT);
    cr_expect_eq(n, CONTACT_BYTES_MAX / 65300 + 1, "%d", n);
    cr_expect_eq(get(0, "contact_1_a")->contact->version, n);
    c.status = CONTACT_RESOLVED;
    cr_expect_eq(update(0, &c, NULL)->rc, OK, "its head can still be changed");
    free(large);
}

/* ---- load, decide, write ---- */

static unsigned decided;

static int count_up(void *ctx, struct contact *c, const struct store_result *read,
                    struct store_more *more)
{
    (void)ctx, (void)read, (void)more;
    decided++;
    c->assign_count++;
    return OK;
}

static int keep(void *ctx, struct contact *c, const struct store_result *read,
                struct store_more *more)
{
    (void)ctx, (void)c, (void)read, (void)more;
    return STORE_KEEP;
}

static int refuse(void *ctx, struct contact *c, const struct store_result *read,
                  struct store_more *more)
{
    (void)ctx, (void)c, (void)read, (void)more;
    return ERR_CLAIMED;
}

CONTRACT(a_change_decides_again_when_somebody_was_faster)
{
    unsigned from;

    added("contact_1_a");
    from = f.answers;
    for (unsigned i = 0; i < 30; i++)
        store_contact_change(f.stores[i % 3], STR("contact_1_a"), NULL, count_up,
                             store_fixture_done, &f);
    store_fixture_await(&f, from + 30);
    cr_expect_eq(count_rc(from, OK), 30);
    cr_expect_eq(get(0, "contact_1_a")->contact->assign_count, 30, "none was lost");
    cr_expect_gt(decided, 30);
    GOT(&f, store_contact_change, f.stores[0], STR("contact_1_a"), NULL, keep);
    cr_expect_eq(f.got.rc, OK);
    cr_expect_eq(f.got.contact->assign_count, 30);
    GOT(&f, store_contact_change, f.stores[0], STR("contact_1_a"), NULL, refuse);
    cr_expect_eq(f.got.rc, ERR_CLAIMED);
    cr_expect_eq(f.got.contact->version, 31, "the loser learns what is there");
    GOT(&f, store_contact_change, f.stores[0], STR("contact_2_b"), NULL, count_up);
    cr_expect_eq(f.got.rc, ERR_NOT_FOUND);
}

/* A message that the decision has no place for, any more or never. */
static int refuse_message(void *ctx, struct contact *c, const struct store_result *read,
                          struct store_more *more)
{
    struct message *m = arena_new(read->arena, 1, sizeof *m);

    (void)ctx;
    *m = store_fixture_message("again", "hello");
    m->client_id = c->subject; /* the test says which, by the contact */
    *more = (struct store_more){.messages = m, .messages_count = 1};
    return ERR_RESOLVED;
}

static const struct store_result *say_too_late(struct contact *c, const char *client_id)
{
    c->subject = str_z(client_id);
    cr_assert_eq(update(0, c, NULL)->rc, OK);
    *c = *f.got.contact;
    return GOT(&f, store_contact_change, f.stores[1], c->id, NULL, refuse_message);
}

CONTRACT(a_message_that_was_written_is_not_refused_when_it_is_sent_again)
{
    struct contact c = added("contact_1_a");
    struct message m[] = {store_fixture_message("m1", "hello"), store_fixture_message("m2", "note"),
                          store_fixture_message("m3", "no name")};

    m[0].client_id = STR("ann/1");
    m[1].client_id = STR("note bob/1");
    m[1].kind = MESSAGE_NOTE;
    cr_assert_eq(update(0, &c, &(struct store_more){.messages = m, .messages_count = 3})->rc, OK);
    c = *f.got.contact;
    for (unsigned i = 0; i < 2; i++) {
        const char *name = i ? "note bob/1" : "ann/1";

        cr_expect_eq(say_too_late(&c, name)->rc, ERR_EXISTS, "%s", name);
        cr_assert_eq(f.got.messages_count, 1);
        m[i].seq = i + 1;
        cr_expect(record_is_equal(&record_message, &m[i], &f.got.messages[0]), "%s", name);
        cr_expect_eq(f.got.contact->version, c.version, "nothing was written");
        cr_expect_eq(f.got.contact->seq, 3);
    }
    cr_expect_eq(say_too_late(&c, "ann/2")->rc, ERR_RESOLVED, "nobody has said that");
    cr_expect_eq(f.got.contact->version, c.version);
    cr_expect_eq(say_too_late(&c, "bob/1")->rc, ERR_RESOLVED, "part of a name is none");
    cr_expect_eq(say_too_late(&c, "")->rc, ERR_RESOLVED, "those without a name are all different");
    cr_expect_eq(get(2, "contact_1_a")->messages_count, 3);
    c = added("contact_2_b");
    cr_expect_eq(say_too_late(&c, "ann/1")->rc, ERR_RESOLVED, "names are those of one contact");
}

CONTRACT(who_is_deleted_is_gone)
{
    struct contact c = store_fixture_contact("contact_1_a");
    struct outbox o = store_fixture_entry("o1", 10);

    c.next_at = 5;
    cr_assert_eq(insert(0, &c, &(struct store_more){.outbox = &o, .outbox_count = 1})->rc, OK);
    cr_expect_eq(GOT(&f, store_contact_delete, f.stores[1], c.id)->rc, OK);
    cr_expect_eq(get(2, "contact_1_a")->rc, ERR_NOT_FOUND);
    cr_expect_eq(GOT(&f, store_outbox_next, f.stores[0])->at, 0);
    cr_expect_eq(GOT(&f, store_due_next, f.stores[0])->at, 0);
}

CONTRACT(a_lease_can_be_made_longer)
{
    struct contact c = store_fixture_contact("c1");
    struct outbox o = store_fixture_entry("o1", 10), mine, others;

    cr_assert_eq(insert(0, &c, &(struct store_more){.outbox = &o, .outbox_count = 1})->rc, OK);
    cr_assert_eq(GOT(&f, store_outbox_take, f.stores[0], 10, 5)->rc, OK);
    mine = *f.got.outbox;
    cr_expect_eq(GOT(&f, store_outbox_keep, f.stores[0], c.id, &mine, 100)->rc, OK);
    cr_expect_eq(GOT(&f, store_outbox_take, f.stores[1], 99, 5)->rc, ERR_NOT_FOUND);
    cr_assert_eq(GOT(&f, store_outbox_take, f.stores[1], 100, 5)->rc, OK);
    others = *f.got.outbox;
    cr_expect_eq(GOT(&f, store_outbox_keep, f.stores[0], c.id, &mine, 200)->rc, ERR_NOT_FOUND,
                 "it is another's now");
    cr_expect_eq(GOT(&f, store_outbox_done, f.stores[0], c.id, &mine)->rc, ERR_NOT_FOUND);
    cr_expect_eq(GOT(&f, store_outbox_done, f.stores[1], c.id, &others)->rc, OK);
}
