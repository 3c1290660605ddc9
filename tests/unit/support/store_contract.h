/* The frame of a contract: each case runs over SQLite and over MongoDB, with three stores that
 * share what is kept. For the files tests/cluster/store_*_test.c, once in each. */
#ifndef TESTS_UNIT_SUPPORT_STORE_CONTRACT_H
#define TESTS_UNIT_SUPPORT_STORE_CONTRACT_H

#include <criterion/criterion.h>
#include <stdio.h>
#include "tests/unit/support/mongo_fixture.h"
#include "tests/unit/support/store_fixture.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

static struct store_fixture f;

#define OVER_MONGO(name)                                                                           \
    Test(store_mongo, name, .timeout = 120)                                                        \
    {                                                                                              \
        if (!mongo_fixture_uri()) cr_skip_test("no MongoDB-wire server: %s", mongo_fixture_why()); \
        store_fixture_open(&f, mongo_fixture_uri(), 3);                                            \
        name();                                                                                    \
        store_fixture_close(&f);                                                                   \
    }
#define CONTRACT(name)                                                                             \
    static void name(void);                                                                        \
    Test(store_sqlite, name, .timeout = 120)                                                       \
    {                                                                                              \
        store_fixture_open(&f, NULL, 3);                                                           \
        name();                                                                                    \
        store_fixture_close(&f);                                                                   \
    }                                                                                              \
    OVER_MONGO(name)                                                                               \
    static void name(void)

ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
    (void)tests;
    mongo_fixture_start_for_all();
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
    (void)stats;
    mongo_fixture_stop_for_all();
}

/* ---- the calls, waited for ---- */

__attribute__((unused)) static const struct store_result *
insert(unsigned i, const struct contact *c, const struct store_more *more)
{
    return GOT(&f, store_contact_insert, f.stores[i], c, more);
}

__attribute__((unused)) static const struct store_result *get(unsigned i, const char *id)
{
    static const struct store_window all = {.limit = 1000, .with_notes = true};

    return GOT(&f, store_contact_get, f.stores[i], str_z(id), &all);
}

__attribute__((unused)) static const struct store_result *
update(unsigned i, const struct contact *c, const struct store_more *more)
{
    return GOT(&f, store_contact_update, f.stores[i], c, more);
}

__attribute__((unused)) static struct contact added(const char *id)
{
    struct contact c = store_fixture_contact(id);
    const struct store_result *r = insert(0, &c, NULL);

    cr_assert_eq(r->rc, OK, "%s", r->why ? r->why : "");
    return *r->contact;
}

__attribute__((unused)) static unsigned count_rc(unsigned from, int rc)
{
    unsigned n = 0;

    for (unsigned i = from; i < f.answers; i++)
        n += f.rcs[i] == rc;
    return n;
}

#define EXPECT_STR(s, z) cr_expect(str_eq((s), str_z(z)), "\"" STR_FMT "\"", STR_ARG(s))

#endif
