/* What both stores promise: lists, pages, counts, places, scans. */
#include "tests/unit/support/store_contract.h"

static void add(const char *id, void (*change)(struct contact *c, int i), int i)
{
    struct contact c = store_fixture_contact(id);

    change(&c, i);
    cr_assert_eq(insert(0, &c, NULL)->rc, OK, "%s", f.got.why ? f.got.why : "");
}

static const struct str tags_a[] = {STR("billing"), STR("vip")}, tags_b[] = {STR("bill")};

static void various(struct contact *c, int i)
{
    c->created_at = 1700000000000 + (int64_t)i * 1000;
    c->queue_since = c->created_at;
    c->status = i % 3 == 0 ? CONTACT_RESOLVED : i % 3 == 1 ? CONTACT_IN_PROGRESS : CONTACT_PENDING;
    c->owner_id = i % 2 ? STR("a1") : STR_NONE;
    c->user_id = i == 4 ? STR("u4") : STR_NONE;
    c->priority = i == 5 ? STR("urgent") : STR("normal");
    c->email = i == 6 ? STR("Six@Example.org") : STR("ann@example.org");
    c->message = i == 7 ? STR("100% (sure) [a.b]* x_y \\ back") : STR("hello");
    c->subject = i == 8 ? STR("An Invoice") : STR("");
    c->tags = i == 1   ? (struct record_texts){tags_a, 2}
              : i == 2 ? (struct record_texts){tags_b, 1}
                       : (struct record_texts){0};
}

static void add_ten(void)
{
    char id[24];

    for (int i = 0; i < 10; i++) {
        (void)snprintf(id, sizeof id, "contact_%d", i);
        add(id, various, i);
    }
}

/* The numbers of the contacts that were got. */
static void expect_list(const char *want, size_t row)
{
    struct sb got = {0};

    cr_assert_eq(f.got.rc, OK, "row %zu: %s", row, f.got.why ? f.got.why : "");
    for (unsigned i = 0; i < f.got.contacts_count; i++)
        sb_printf(&got, "%.*s", (int)f.got.contacts[i].id.n - 8, f.got.contacts[i].id.p + 8);
    cr_expect(str_eq(sb_view(&got), str_z(want)), "row %zu: " STR_FMT ", want %s", row,
              STR_ARG(sb_view(&got)), want);
    sb_fini(&got);
}

CONTRACT(a_list_shows_what_was_asked_for)
{
    static const struct {
        struct store_filter f;
        const char *want;
    } rows[] = {
        {{.limit = 20}, "9876543210"},
        {{.sort = STORE_OLDEST, .limit = 20}, "0123456789"},
        {{.sort = STORE_OLDEST}, "0123456789"},
        {{.status = CONTACT_PENDING, .limit = 20}, "852"},
        {{.status = CONTACT_RESOLVED, .limit = 20}, "9630"},
        {{.status = CONTACT_IN_PROGRESS, .owner_id = STR("a1"), .limit = 20}, "71"},
        {{.owner_id = STR("a"), .limit = 20}, ""},
        {{.user_id = STR("u4"), .limit = 20}, "4"},
        {{.priority = STR("urgent"), .limit = 20}, "5"},
        {{.tag = STR("billing"), .limit = 20}, "1"},
        {{.tag = STR("bill"), .limit = 20}, "2"},
        {{.tag = STR("ill"), .limit = 20}, ""},
        {{.email = STR("six@example.ORG"), .limit = 20}, "6"},
        {{.email = STR("six@exampleXorg"), .limit = 20}, ""},
        {{.email = STR("ix@example.org"), .limit = 20}, ""},
        {{.text = STR("invoice"), .limit = 20}, "8"},
        {{.text = STR("100%"), .limit = 20}, "7"},
        {{.text = STR("(SURE) [a.b]* x_y \\"), .limit = 20}, "7"},
        {{.text = STR("x.y"), .limit = 20}, ""},
        {{.text = STR("%"), .limit = 20}, "7"},
        {{.text = STR("_"), .limit = 20}, "7"},
        {{.text = STR(".*"), .limit = 20}, ""},
        {{.text = STR("six@"), .limit = 20}, "6"},
        {{.text = STR("$ne"), .limit = 20}, ""},
        {{.from = 1700000003000, .to = 1700000006000, .limit = 20}, "543"},
        {{.from = 1700000008000, .status = CONTACT_RESOLVED, .text = STR("hello"), .limit = 20},
         "9"},
        {{.status = STR("{\"$ne\":null}"), .limit = 20}, ""},
    };

    add_ten();
    for (size_t i = 0; i < ROWS(rows); i++) {
        GOT(&f, store_contact_list, f.stores[i % 3], &rows[i].f);
        expect_list(rows[i].want, i);
        cr_expect(!f.got.has_more && f.got.cursor.n == 0, "row %zu", i);
    }
}

static void expect_pages(enum store_sort sort, const char *const *pages)
{
    struct store_filter filter = {.sort = sort, .limit = 4, .with_total = true};

    for (size_t i = 0; i < 3; i++) {
        GOT(&f, store_contact_list, f.stores[0], &filter);
        expect_list(pages[i], i);
        cr_expect_eq(f.got.total, 10, "page %zu", i);
        cr_expect_eq(f.got.has_more, i < 2, "page %zu", i);
        cr_expect_eq(f.got.cursor.n > 0, i < 2, "page %zu", i);
        filter.cursor = f.got.cursor;
    }
}

CONTRACT(pages_follow_each_other)
{
    add_ten();
    expect_pages(STORE_NEWEST, (const char *const[]){"9876", "5432", "10"});
    expect_pages(STORE_OLDEST, (const char *const[]){"0123", "4567", "89"});
}

static void of_one_moment(struct contact *c, int i)
{
    (void)i;
    c->queue_rank = 2;
}

CONTRACT(pages_do_not_lose_those_of_one_moment)
{
    char id[24];

    for (int i = 9; i >= 0; i--) {
        (void)snprintf(id, sizeof id, "contact_%d", i);
        add(id, of_one_moment, i);
    }
    expect_pages(STORE_NEWEST, (const char *const[]){"9876", "5432", "10"});
    expect_pages(STORE_QUEUE, (const char *const[]){"0123", "4567", "89"});
}

CONTRACT(a_page_in_between_is_not_disturbed_by_newcomers)
{
    struct store_filter filter = {.limit = 4};

    add_ten();
    GOT(&f, store_contact_list, f.stores[0], &filter);
    filter.cursor = f.got.cursor;
    add("contact_x", various, 50);
    GOT(&f, store_contact_list, f.stores[0], &filter);
    expect_list("5432", 0);
}

CONTRACT(a_cursor_that_is_none_is_refused)
{
    const struct store_filter filter = {.cursor = STR("{\"$gt\":\"\"}"), .limit = 4};
    const struct store_filter odd = {.text = STR("a\0b"), .limit = 4};

    cr_expect_eq(GOT(&f, store_contact_list, f.stores[0], &filter)->rc, ERR_SCHEMA);
    cr_expect_eq(GOT(&f, store_contact_list, f.stores[0], &odd)->rc, ERR_SCHEMA);
    cr_expect_eq(GOT(&f, store_outbox_list, f.stores[0], STR("x"), 5)->rc, ERR_SCHEMA);
}

static void waits(struct contact *c, int i)
{
    static const int64_t ranks[] = {5, 3, 5, 3, 1};

    c->queue_rank = ranks[i];
    c->queue_since = 1700000000000 - i;
}

CONTRACT(the_queue_has_an_order_and_places)
{
    static const char *const ids[] = {"contact_0", "contact_1", "contact_2", "contact_3",
                                      "contact_4"};
    static const uint64_t places[] = {5, 3, 4, 2, 1};
    struct contact c;

    for (int i = 0; i < 5; i++)
        add(ids[i], waits, i);
    GOT(&f, store_contact_list, f.stores[1],
        &(struct store_filter){.sort = STORE_QUEUE, .status = CONTACT_PENDING, .limit = 10});
    expect_list("43120", 0);
    for (int i = 0; i < 5; i++) {
        GOT(&f, store_queue_place, f.stores[0], str_z(ids[i]));
        cr_expect_eq(f.got.counts.place, places[i], "%d: %d", i, (int)f.got.counts.place);
        cr_expect_eq(f.got.counts.pending, 5);
    }
    c = *get(0, "contact_4")->contact;
    c.status = CONTACT_IN_PROGRESS;
    cr_assert_eq(update(0, &c, NULL)->rc, OK);
    GOT(&f, store_queue_place, f.stores[0], STR("contact_4"));
    cr_expect_eq(f.got.counts.place, 0, "it waits no more");
    GOT(&f, store_queue_place, f.stores[0], STR("contact_0"));
    cr_expect_eq(f.got.counts.place, 4);
    GOT(&f, store_contact_counts, f.stores[2]);
    cr_expect(f.got.counts.pending == 4 && f.got.counts.in_progress == 1 &&
              f.got.counts.resolved == 0);
}

/* ---- scans ---- */

struct sum {
    unsigned count;
    int64_t versions;
};

static unsigned freed;
static struct sum seen;

static void step(void *fold, const struct contact *c)
{
    struct sum *s = fold;

    s->count++;
    s->versions += c->version;
}

static void free_sum(void *fold)
{
    freed++;
    free(fold);
}

static void on_scanned(void *ctx, const struct store_result *r)
{
    if (r->fold) seen = *(struct sum *)r->fold;
    store_fixture_done(ctx, r);
}

static void scan(int64_t from, int64_t to)
{
    struct store_scan s = {.from = from,
                           .to = to,
                           .step = step,
                           .free = free_sum,
                           .fold = calloc(1, sizeof(struct sum))};
    unsigned before = f.answers;

    seen = (struct sum){0};
    store_contact_scan(f.stores[0], &s, on_scanned, &f);
    store_fixture_await(&f, before + 1);
}

CONTRACT(a_scan_folds_all_heads_of_a_range)
{
    add_ten();
    scan(0, 0);
    cr_expect_eq(f.got.rc, OK);
    cr_expect(seen.count == 10 && seen.versions == 10);
    scan(1700000003000, 1700000006000);
    cr_expect_eq(seen.count, 3);
    scan(1800000000000, 0);
    cr_expect_eq(seen.count, 0);
    cr_expect_eq(freed, 3, "each sum is given back");
}
