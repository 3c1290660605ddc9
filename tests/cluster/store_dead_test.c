/* Notices that were given up, over both stores: listed page by page, and tried again. */
#include "base/clock.h"
#include "base/mem.h"
#include "contacts/store/dead.h"
#include "tests/unit/support/store_contract.h"

enum { LETTERS = 120 }; /* three pages */

struct seen {
    unsigned count, stop_at; /* stop_at 0: never */
    int64_t last_at;
    bool is_in_order;
    struct sb first; /* contact and id of the first */
};

static int on_letter(void *ctx, const struct store_letter *l)
{
    struct seen *s = ctx;

    if (!s->count)
        sb_printf(&s->first, STR_FMT "/" STR_FMT, STR_ARG(l->contact_id), STR_ARG(l->entry.id));
    s->is_in_order = (s->count == 0 || s->is_in_order) && l->entry.created_at >= s->last_at;
    s->last_at = l->entry.created_at;
    return ++s->count == s->stop_at ? ERR_IO : OK;
}

static struct seen list(void)
{
    struct seen s = {0};
    char *why = NULL;

    cr_expect_eq(dead_list(&f.conf, on_letter, &s, &why), OK, "%s", why);
    sb_char(&s.first, 0);
    return s;
}

/* Contacts with a letter that was given up and one that is due far ahead. */
static void fill(unsigned count)
{
    char id[24], letter[24], due[24];

    for (unsigned i = 0; i < count; i++) {
        struct contact c = store_fixture_contact("");
        struct outbox o[2];

        (void)snprintf(id, sizeof id, "contact_%03u_x", i);
        (void)snprintf(letter, sizeof letter, "n%03u", i);
        (void)snprintf(due, sizeof due, "due%03u", i);
        c.id = str_z(id);
        o[0] = store_fixture_entry(letter, RECORD_DATE_MAX);
        o[0].state = OUTBOX_DEAD;
        o[0].created_at = 1000 + i / 2; /* two of a time */
        o[0].tries = 15;
        o[1] = store_fixture_entry(due, RECORD_DATE_MAX - 1);
        cr_assert_eq(insert(0, &c, &(struct store_more){.outbox = o, .outbox_count = 2})->rc, OK);
    }
}

CONTRACT(all_that_were_given_up_are_listed_the_oldest_first)
{
    struct seen s;

    s = list();
    cr_expect_eq(s.count, 0);
    sb_fini(&s.first);
    fill(LETTERS);
    s = list();
    cr_expect_eq(s.count, LETTERS);
    cr_expect(s.is_in_order);
    cr_expect_str_eq(s.first.p, "contact_000_x/n000");
    sb_fini(&s.first);
}

CONTRACT(a_list_ends_where_it_cannot_be_written)
{
    struct seen s = {.stop_at = 3};
    char *why = NULL;

    fill(5);
    cr_expect_eq(dead_list(&f.conf, on_letter, &s, &why), ERR_IO);
    cr_expect_eq(s.count, 3);
    cr_expect_not_null(why);
    mem_free(why);
    sb_fini(&s.first);
}

CONTRACT(one_is_tried_again_and_no_other)
{
    char *why = NULL;
    struct seen s;
    int64_t now = (int64_t)clock_wall_ms();

    fill(3);
    cr_expect_eq(dead_retry(&f.conf, STR("contact_001_x"), STR("n001"), &why), OK, "%s", why);
    s = list();
    cr_expect_eq(s.count, 2);
    sb_fini(&s.first);
    GOT(&f, store_outbox_take, f.stores[1], now + 60000, 1000);
    cr_assert_eq(f.got.rc, OK, "a service that runs gets it");
    EXPECT_STR(f.got.outbox->id, "n001");
    cr_expect_eq(f.got.outbox->tries, 0);
    cr_expect_eq(dead_retry(&f.conf, STR("contact_001_x"), STR("n001"), &why), ERR_NOT_FOUND);
    cr_expect_eq(dead_retry(&f.conf, STR("contact_000_x"), STR("due000"), &why), ERR_NOT_FOUND);
    cr_expect_eq(dead_retry(&f.conf, STR("\xff"), STR("n000"), &why), ERR_NOT_FOUND);
    mem_free(why);
}

CONTRACT(all_are_tried_again_once)
{
    char *why = NULL;
    uint64_t count = 0;
    struct seen s;

    fill(LETTERS);
    cr_expect_eq(dead_retry_all(&f.conf, &count, &why), OK, "%s", why);
    cr_expect_eq(count, LETTERS);
    s = list();
    cr_expect_eq(s.count, 0);
    sb_fini(&s.first);
    cr_expect_eq(dead_retry_all(&f.conf, &count, &why), OK, "%s", why);
    cr_expect_eq(count, 0);
}

Test(store_dead, a_store_that_is_away_is_said, .timeout = 60)
{
    static char uri[] = "mongodb://127.0.0.1:1/none";
    uint64_t count = 7;
    char *why = NULL;

    store_fixture_open(&f, NULL, 1);
    char *was = f.conf.mongodb_uri;

    f.conf.mongodb_uri = uri;
    f.conf.store_timeout_ms = 300;
    cr_expect_eq(dead_retry_all(&f.conf, &count, &why), ERR_UNAVAILABLE);
    cr_expect_eq(count, 0);
    cr_expect_not_null(why);
    mem_free(why);
    f.conf.mongodb_uri = was;
    store_fixture_close(&f);
}
