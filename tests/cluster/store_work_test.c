/* What both stores promise: agents, what is due, the outbox, documents. */
#include "contacts/record/agent.h"
#include "tests/unit/support/store_contract.h"

#define NOW 1700000100000

/* ---- agents ---- */

static const struct store_result *put_agent(unsigned i, const struct agent *a)
{
    return GOT(&f, store_agent_update, f.stores[i], a);
}

CONTRACT(every_member_of_an_agent_comes_back)
{
    static const struct str skills[] = {STR("billing"), STR("")};
    static const struct record_slot slots[] = {{STR("contact_1_a"), 5}, {STR("contact_2_b"), 6}};
    struct agent a = {.id = STR("a.1/$x"),
                      .ref = STR("\"a.1/$x\""),
                      .name = STR("B\xc3\xb6"),
                      .email = STR("bob@example.org"),
                      .role = STR("admin"),
                      .skills = {skills, 2},
                      .capacity = 3,
                      .available = true,
                      .online = true,
                      .seen_at = 7,
                      .gone_at = 8,
                      .slots = {slots, 2},
                      .last_assigned_at = 9,
                      .next_at = 10,
                      .next_kind = STR("gone"),
                      .extra = STR("{\"a\":[]}")};

    cr_assert_eq(put_agent(0, &a)->rc, OK);
    cr_expect_eq(f.got.agent->version, 1);
    GOT(&f, store_agent_get, f.stores[1], a.id);
    cr_assert_eq(f.got.rc, OK);
    a.version = 1;
    a.updated_at = f.got.agent->updated_at;
    cr_expect(record_is_equal(&record_agent, &a, f.got.agent));
    a.slots = (struct record_slots){0};
    a.online = a.available = false;
    cr_assert_eq(put_agent(1, &a)->rc, OK);
    GOT(&f, store_agent_get, f.stores[2], a.id);
    cr_expect(f.got.agent->slots.count == 0 && !f.got.agent->online && !f.got.agent->available);
    cr_expect_eq(f.got.agent->version, 2);
    cr_expect_eq(GOT(&f, store_agent_get, f.stores[0], STR("a.1/$"))->rc, ERR_NOT_FOUND);
}

CONTRACT(an_agent_is_swapped_by_version)
{
    struct agent a = {.id = STR("a1"), .capacity = 1}, b;

    cr_expect_eq(put_agent(0, &a)->rc, OK);
    cr_expect_eq(put_agent(1, &a)->rc, ERR_CONFLICT, "there is one already");
    a.version = 1;
    b = a;
    cr_expect_eq(put_agent(1, &a)->rc, OK);
    cr_expect_eq(put_agent(2, &b)->rc, ERR_CONFLICT);
    b.id = STR("a2");
    cr_expect_eq(put_agent(2, &b)->rc, ERR_CONFLICT, "there is none");
    b.version = 0;
    cr_expect_eq(put_agent(2, &b)->rc, OK);
    GOT(&f, store_agent_list, f.stores[0]);
    cr_assert_eq(f.got.agents_count, 2);
    EXPECT_STR(f.got.agents[0].id, "a1");
    EXPECT_STR(f.got.agents[1].id, "a2");
}

static int take_slot(void *ctx, struct agent *a, struct arena *mem)
{
    a->capacity = 3;
    return agent_slot_take(a, *(const struct str *)ctx, NOW, mem);
}

struct taker {
    struct str contact;
    int rc;
};
static struct taker takers[40];
static unsigned taken;

static void on_taken(void *ctx, const struct store_result *r)
{
    ((struct taker *)ctx)->rc = r->rc;
    taken++;
}

CONTRACT(capacity_is_never_exceeded)
{
    static char ids[40][8];
    unsigned ok = 0, limit = 0;

    for (unsigned i = 0; i < 40; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "c%u", i);
        takers[i].contact = str_z(ids[i]);
        store_agent_change(f.stores[i % 3], STR("a1"), take_slot, on_taken, &takers[i]);
    }
    while (taken < 40)
        loop_turn(f.loop, true);
    for (unsigned i = 0; i < 40; i++) {
        ok += takers[i].rc == OK;
        limit += takers[i].rc == ERR_LIMIT;
    }
    cr_expect(ok == 3 && limit == 37, "%u and %u", ok, limit);
    GOT(&f, store_agent_get, f.stores[0], STR("a1"));
    cr_expect_eq(f.got.agent->slots.count, 3);
}

/* ---- what is due ---- */

static void add_due(const char *id, int64_t at)
{
    struct contact c = store_fixture_contact(id);

    c.next_at = at;
    c.next_kind = STR("auto_assign");
    cr_assert_eq(insert(0, &c, NULL)->rc, OK);
}

static const struct store_result *take_due(unsigned i, int64_t now)
{
    return GOT(&f, store_due_take, f.stores[i], now, 1000);
}

CONTRACT(what_is_due_is_given_in_its_order)
{
    add_due("contact_1", NOW + 30);
    add_due("contact_2", NOW + 20);
    add_due("contact_3", 0);
    cr_expect_eq(GOT(&f, store_due_next, f.stores[1])->at, NOW + 20);
    cr_expect_eq(take_due(0, NOW + 19)->rc, ERR_NOT_FOUND);
    cr_expect_eq(take_due(1, NOW + 40)->rc, OK);
    EXPECT_STR(f.got.contact->id, "contact_2");
    EXPECT_STR(f.got.contact->next_kind, "auto_assign");
    cr_expect_eq(f.got.at, NOW + 20);
    cr_expect_eq(f.got.contact->next_at, NOW + 1040);
    cr_expect_eq(f.got.contact->version, 1, "a lease is no change");
    cr_expect_eq(take_due(2, NOW + 41)->rc, OK);
    EXPECT_STR(f.got.contact->id, "contact_1");
    cr_expect_eq(take_due(0, NOW + 41)->rc, ERR_NOT_FOUND);
    cr_expect_eq(take_due(0, NOW + 1040)->rc, OK, "the lease is over: again");
    EXPECT_STR(f.got.contact->id, "contact_2");
}

CONTRACT(who_took_it_writes_the_next_deadline)
{
    struct contact c;

    add_due("contact_1", NOW);
    c = *take_due(0, NOW)->contact;
    c.next_at = NOW + 5;
    c.next_kind = STR("first_reply");
    cr_expect_eq(update(1, &c, NULL)->rc, OK);
    cr_expect_eq(GOT(&f, store_due_next, f.stores[0])->at, NOW + 5);
}

CONTRACT(agents_are_due_too)
{
    struct agent a = {.id = STR("a1"), .next_at = NOW + 1, .next_kind = STR("gone")};

    cr_assert_eq(put_agent(0, &a)->rc, OK);
    cr_expect_eq(GOT(&f, store_due_next, f.stores[1])->at, NOW + 1);
    cr_expect_eq(take_due(1, NOW + 2)->rc, OK);
    cr_assert_not_null(f.got.agent);
    cr_expect_null(f.got.contact);
    EXPECT_STR(f.got.agent->next_kind, "gone");
    cr_expect_eq(f.got.at, NOW + 1);
    a = *f.got.agent;
    a.next_at = 0;
    cr_expect_eq(put_agent(2, &a)->rc, OK);
    cr_expect_eq(GOT(&f, store_due_next, f.stores[0])->at, 0);
}

static unsigned got_ids[100];

/* contact_12 → 12 */
static uint64_t number_of(struct str id, size_t from)
{
    uint64_t n = 99;

    cr_expect_eq(str_u64(str_skip(id, from), 98, &n), OK);
    return n;
}

static void on_due(void *ctx, const struct store_result *r)
{
    if (r->rc == OK) got_ids[number_of(r->contact->id, 8)]++;
    store_fixture_done(ctx, r);
}

CONTRACT(each_is_taken_by_one)
{
    unsigned from;
    char id[24];

    for (int i = 0; i < 40; i++) {
        (void)snprintf(id, sizeof id, "contact_%d", i);
        add_due(id, NOW);
    }
    from = f.answers;
    for (unsigned i = 0; i < 60; i++)
        store_due_take(f.stores[i % 3], NOW, 60000, on_due, &f);
    store_fixture_await(&f, from + 60);
    for (int i = 0; i < 40; i++)
        cr_expect_eq(got_ids[i], 1, "%d", i);
    cr_expect_eq(count_rc(from, ERR_NOT_FOUND), 20);
}

/* ---- the outbox ---- */

static void add_entries(const char *id, const struct outbox *o, unsigned count)
{
    struct contact c = store_fixture_contact(id);

    cr_assert_eq(insert(0, &c, &(struct store_more){.outbox = o, .outbox_count = count})->rc, OK);
}

static const struct store_result *take_entry(unsigned i, int64_t now)
{
    return GOT(&f, store_outbox_take, f.stores[i], now, 1000);
}

CONTRACT(an_entry_is_kept_until_it_was_told)
{
    struct outbox o = store_fixture_entry("o1", NOW), want = o;

    add_entries("contact_1", &o, 1);
    cr_expect_eq(GOT(&f, store_outbox_next, f.stores[1])->at, NOW);
    cr_expect_eq(take_entry(1, NOW - 1)->rc, ERR_NOT_FOUND);
    cr_expect_eq(take_entry(1, NOW)->rc, OK);
    EXPECT_STR(f.got.contact->id, "contact_1");
    o = *f.got.outbox;
    want.at = NOW + 1000;
    want.lease = o.lease;
    cr_expect(record_is_equal(&record_outbox, &want, &o));
    cr_expect_gt(o.lease.n, 10);
    cr_expect_eq(take_entry(2, NOW)->rc, ERR_NOT_FOUND, "somebody has it");
    cr_expect_eq(GOT(&f, store_outbox_done, f.stores[2], STR("contact_1"), &o)->rc, OK);
    cr_expect_eq(GOT(&f, store_outbox_next, f.stores[0])->at, 0);
    cr_expect_eq(GOT(&f, store_outbox_done, f.stores[2], STR("contact_1"), &o)->rc, ERR_NOT_FOUND);
}

CONTRACT(who_lost_the_lease_changes_nothing)
{
    struct outbox o = store_fixture_entry("o1", NOW), first;

    add_entries("contact_1", &o, 1);
    first = *take_entry(0, NOW)->outbox;
    cr_expect_eq(take_entry(1, NOW + 1000)->rc, OK, "the first one died, or was too slow");
    cr_expect_eq(GOT(&f, store_outbox_done, f.stores[0], STR("contact_1"), &first)->rc,
                 ERR_NOT_FOUND);
    cr_expect_eq(
        GOT(&f, store_outbox_fail, f.stores[0], STR("contact_1"), &first, NOW, STR("x"))->rc,
        ERR_NOT_FOUND);
    cr_expect_eq(GOT(&f, store_outbox_dead, f.stores[0], STR("contact_1"), &first, STR("x"))->rc,
                 ERR_NOT_FOUND);
    cr_expect_eq(GOT(&f, store_outbox_next, f.stores[0])->at, NOW + 2000);
}

CONTRACT(an_entry_that_failed_is_tried_later)
{
    struct outbox o = store_fixture_entry("o1", NOW);

    add_entries("contact_1", &o, 1);
    o = *take_entry(0, NOW)->outbox;
    cr_expect_eq(
        GOT(&f, store_outbox_fail, f.stores[1], STR("contact_1"), &o, NOW + 50, STR("503"))->rc,
        OK);
    cr_expect_eq(take_entry(0, NOW + 49)->rc, ERR_NOT_FOUND);
    cr_expect_eq(take_entry(0, NOW + 50)->rc, OK);
    cr_expect_eq(f.got.outbox->tries, 1);
    EXPECT_STR(f.got.outbox->why, "503");
}

CONTRACT(the_dead_are_listed_and_may_be_woken)
{
    struct outbox o[3] = {store_fixture_entry("o1", NOW), store_fixture_entry("o2", NOW),
                          store_fixture_entry("o3", NOW + 90)};
    struct str cursor;

    o[0].created_at = 5;
    o[1].created_at = 4;
    add_entries("contact_1", o, 3);
    for (int i = 0; i < 2; i++) {
        struct outbox due = *take_entry(0, NOW)->outbox;

        cr_expect_eq(
            GOT(&f, store_outbox_dead, f.stores[1], STR("contact_1"), &due, STR("410"))->rc, OK);
    }
    cr_expect_eq(take_entry(0, NOW + 10)->rc, ERR_NOT_FOUND, "the dead are not due");
    cr_expect_eq(GOT(&f, store_outbox_next, f.stores[0])->at, NOW + 90);
    GOT(&f, store_outbox_list, f.stores[0], STR_NONE, 1);
    cr_assert_eq(f.got.letters_count, 1);
    EXPECT_STR(f.got.letters[0].entry.id, "o2");
    EXPECT_STR(f.got.letters[0].entry.why, "410");
    EXPECT_STR(f.got.letters[0].contact_id, "contact_1");
    cr_expect_eq(f.got.letters[0].entry.tries, 1);
    cr_assert(f.got.has_more);
    cursor = f.got.cursor;
    GOT(&f, store_outbox_list, f.stores[0], cursor, 1);
    cr_assert_eq(f.got.letters_count, 1);
    EXPECT_STR(f.got.letters[0].entry.id, "o1");
    cr_expect(!f.got.has_more);
    cr_expect_eq(
        GOT(&f, store_outbox_retry, f.stores[0], STR("contact_1"), STR("o1"), NOW + 20)->rc, OK);
    cr_expect_eq(
        GOT(&f, store_outbox_retry, f.stores[0], STR("contact_1"), STR("o1"), NOW + 20)->rc,
        ERR_NOT_FOUND, "it is not dead");
    cr_expect_eq(take_entry(0, NOW + 20)->rc, OK);
    EXPECT_STR(f.got.outbox->id, "o1");
    cr_expect_eq(f.got.outbox->tries, 0);
}

static void on_entry(void *ctx, const struct store_result *r)
{
    if (r->rc == OK) got_ids[number_of(r->outbox->id, 1)]++;
    store_fixture_done(ctx, r);
}

CONTRACT(an_entry_is_told_by_one)
{
    char contact[24], ids[40][16];
    unsigned from;

    for (int i = 0; i < 40; i += 2) {
        struct outbox two[2];

        for (int n = 0; n < 2; n++) {
            (void)snprintf(ids[i + n], sizeof ids[i + n], "o%d", i + n);
            two[n] = store_fixture_entry(ids[i + n], NOW);
        }
        (void)snprintf(contact, sizeof contact, "contact_%d", i);
        add_entries(contact, two, 2);
    }
    from = f.answers;
    for (unsigned i = 0; i < 60; i++)
        store_outbox_take(f.stores[i % 3], NOW, 60000, on_entry, &f);
    store_fixture_await(&f, from + 60);
    for (int i = 0; i < 40; i++)
        cr_expect_eq(got_ids[i], 1, "o%d", i);
    cr_expect_eq(count_rc(from, ERR_NOT_FOUND), 20);
}

CONTRACT(a_letter_does_not_disturb_a_claim)
{
    struct outbox o = store_fixture_entry("o1", NOW);
    struct contact c;

    add_entries("contact_1", &o, 1);
    c = *get(0, "contact_1")->contact;
    o = *take_entry(1, NOW)->outbox;
    c.status = CONTACT_IN_PROGRESS;
    cr_expect_eq(
        update(0, &c,
               &(struct store_more){.outbox = (struct outbox[]){store_fixture_entry("o2", NOW + 7)},
                                    .outbox_count = 1})
            ->rc,
        OK);
    cr_expect_eq(GOT(&f, store_outbox_done, f.stores[1], STR("contact_1"), &o)->rc, OK);
    cr_expect_eq(GOT(&f, store_outbox_next, f.stores[0])->at, NOW + 7);
    cr_expect(contact_is_in_progress(get(2, "contact_1")->contact));
}

/* ---- documents ---- */

static const struct store_result *put_doc(unsigned i, const struct doc *d)
{
    return GOT(&f, store_doc_put, f.stores[i], d);
}

CONTRACT(documents_are_kept_by_kind_and_version)
{
    struct doc d = {.kind = STR("canned"), .id = STR("hello"), .body = STR("{\"$x.y\": [1.0]}")};
    struct doc other = {.kind = STR("canned"), .id = STR("bye"), .body = STR("1")};
    struct doc hours = {.kind = STR("hours"), .id = STR("hello"), .body = STR("null")};

    cr_expect_eq(put_doc(0, &d)->rc, OK);
    cr_expect_eq(f.got.doc->version, 1);
    cr_expect_eq(put_doc(1, &d)->rc, ERR_EXISTS);
    cr_expect_eq(f.got.doc->version, 1);
    cr_expect_eq(put_doc(1, &other)->rc, OK);
    cr_expect_eq(put_doc(1, &hours)->rc, OK);
    d.version = 1;
    d.body = STR("2");
    cr_expect_eq(put_doc(2, &d)->rc, OK);
    cr_expect_eq(put_doc(2, &d)->rc, ERR_CONFLICT);
    EXPECT_STR(f.got.doc->body, "2");
    GOT(&f, store_doc_list, f.stores[0], STR("canned"));
    cr_assert_eq(f.got.docs_count, 2);
    EXPECT_STR(f.got.docs[0].id, "bye");
    EXPECT_STR(f.got.docs[1].id, "hello");
    GOT(&f, store_doc_get, f.stores[1], STR("hours"), STR("hello"));
    EXPECT_STR(f.got.doc->body, "null");
    cr_expect_eq(GOT(&f, store_doc_delete, f.stores[0], STR("canned"), STR("hello"))->rc, OK);
    cr_expect_eq(GOT(&f, store_doc_delete, f.stores[0], STR("canned"), STR("hello"))->rc,
                 ERR_NOT_FOUND);
    cr_expect_eq(GOT(&f, store_doc_get, f.stores[1], STR("canned"), STR("hello"))->rc,
                 ERR_NOT_FOUND);
    d.version = 2;
    cr_expect_eq(put_doc(2, &d)->rc, ERR_NOT_FOUND);
    d.version = 0;
    d.kind = STR_NONE;
    cr_expect_eq(put_doc(2, &d)->rc, ERR_SCHEMA);
}

/* ---- what somebody might try ---- */

CONTRACT(hostile_texts_are_texts)
{
    static const struct str rows[] = {
        STR("{\"$ne\":null}"),
        STR("$where"),
        STR("a.b.c"),
        STR("'; DROP TABLE contacts; --"),
        STR("\"\\%_"),
        STR("a\0b"),
        STR("\0"),
        STR("\xf0\x9f\x98\x80 \xe2\x80\xae"),
        STR("<script>alert(1)</script>"),
        STR("\r\nBcc: x@y.z"),
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct contact c = store_fixture_contact("");
        char id[24];

        (void)snprintf(id, sizeof id, "contact_%zu_x", i);
        c.id = str_z(id);
        c.name = c.email = c.message = c.subject = c.owner_id = c.form_key = rows[i];
        c.tags = (struct record_texts){&rows[i], 1};
        cr_assert_eq(insert(0, &c, NULL)->rc, OK, "row %zu: %s", i, f.got.why ? f.got.why : "");
        c = *get(1, id)->contact;
        cr_expect(str_eq(c.name, rows[i]) && str_eq(c.message, rows[i]) &&
                      str_eq(c.owner_id, rows[i]) && str_eq(c.tags.at[0], rows[i]),
                  "row %zu", i);
        cr_expect_eq(get(1, "{\"$ne\":null}")->rc, ERR_NOT_FOUND);
        cr_expect_eq(GOT(&f, store_contact_get, f.stores[0], rows[i], NULL)->rc, ERR_NOT_FOUND);
        c.version = 1;
        c.id = rows[i];
        cr_expect_eq(update(0, &c, NULL)->rc, ERR_NOT_FOUND, "row %zu", i);
    }
    GOT(&f, store_contact_counts, f.stores[0]);
    cr_expect_eq(f.got.counts.pending, ROWS(rows));
}

CONTRACT(a_megabyte_is_refused)
{
    struct contact c = store_fixture_contact("contact_1");
    char *large = malloc(1048576);

    memset(large, 'x', 1048576);
    c.name = str_of(large, 1048576);
    cr_expect_eq(insert(0, &c, NULL)->rc, ERR_TOO_BIG);
    c = store_fixture_contact("contact_1");
    c.id = str_of(large, 1048576);
    cr_expect_eq(insert(0, &c, NULL)->rc, ERR_TOO_BIG);
    cr_expect_eq(GOT(&f, store_contact_get, f.stores[0], c.id, NULL)->rc, ERR_NOT_FOUND);
    free(large);
}
