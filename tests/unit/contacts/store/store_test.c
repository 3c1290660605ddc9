/* The store on the loop, over SQLite: answers, deadlines, refusals, the end. What is stored is in
 * tests/cluster/store_contract_test.c. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/metric.h"
#include "tests/unit/support/store_fixture.h"

static struct store_fixture f;

static void setup(void)
{
    store_fixture_open(&f, NULL, 0);
}

static void teardown(void)
{
    store_fixture_close(&f);
}

TestSuite(store, .init = setup, .fini = teardown, .timeout = 60);

static void insert_later(const char *id)
{
    struct contact c = store_fixture_contact(id);

    store_contact_insert(f.stores[0], &c, NULL, store_fixture_done, &f);
}

Test(store, an_answer_never_comes_within_the_call)
{
    struct contact odd = store_fixture_contact("contact_1_a");

    store_fixture_start(&f, 0);
    insert_later("contact_1_a");
    odd.name = STR("\xff");
    store_contact_insert(f.stores[0], &odd, NULL, store_fixture_done, &f);
    odd.name = STR_NONE;
    odd.id = STR_NONE;
    store_contact_insert(f.stores[0], &odd, NULL, store_fixture_done, &f);
    cr_expect_eq(f.answers, 0);
    store_fixture_await(&f, 3);
    cr_expect_eq(f.rcs[0], ERR_UTF8, "refused at the end of the turn, without a worker");
    cr_expect_eq(f.rcs[1], ERR_SCHEMA);
    cr_expect_eq(f.rcs[2], OK);
}

Test(store, says_which_member_is_wrong)
{
    struct contact c = store_fixture_contact("contact_1_a");

    store_fixture_start(&f, 0);
    c.subject = STR("\xc3");
    GOT(&f, store_contact_insert, f.stores[0], &c, NULL);
    cr_expect_str_eq(f.got.why, "contact.subject: text that is not UTF-8");
}

Test(store, what_is_open_at_the_end_is_told_so)
{
    store_fixture_start(&f, 0);
    for (int i = 0; i < 500; i++)
        insert_later("contact_1_a");
    store_fixture_stop(&f, 0);
    cr_expect_eq(f.answers, 500, "each was answered, within the call");
    for (unsigned i = 0; i < 500; i++)
        cr_expect(f.rcs[i] == OK || f.rcs[i] == ERR_CLOSED, "%d", f.rcs[i]);
    cr_expect_eq(f.rcs[499], ERR_CLOSED);
}

static void again(void *ctx, const struct store_result *r)
{
    store_fixture_done(ctx, r);
    if (r->rc == ERR_CLOSED && f.answers < 100)
        store_contact_counts(f.stores[0], store_fixture_done, &f);
}

Test(store, who_asks_while_it_closes_is_answered_too)
{
    store_fixture_start(&f, 0);
    for (int i = 0; i < 50; i++)
        store_contact_counts(f.stores[0], again, &f);
    store_fixture_stop(&f, 0);
    cr_expect_geq(f.answers, 50);
    for (unsigned i = 50; i < f.answers; i++)
        cr_expect_eq(f.rcs[i], ERR_CLOSED);
}

static unsigned stubborn;

/* Somebody who never gives up. */
static void call_again(void *ctx, const struct store_result *r)
{
    struct contact odd = store_fixture_contact("contact_1_a");

    (void)ctx;
    cr_expect_eq(r->rc, ERR_UTF8);
    odd.name = STR("\xff");
    if (++stubborn < 1000) store_contact_insert(f.stores[0], &odd, NULL, call_again, NULL);
}

Test(store, who_calls_again_at_once_does_not_hold_up_the_loop)
{
    struct contact odd = store_fixture_contact("contact_1_a");

    store_fixture_start(&f, 0);
    odd.name = STR("\xff");
    store_contact_insert(f.stores[0], &odd, NULL, call_again, NULL);
    loop_turn(f.loop, false);
    cr_expect_eq(stubborn, 1, "one answer in a turn");
    loop_turn(f.loop, false);
    cr_expect_eq(stubborn, 2);
}

/* ---- another process holds the file ---- */

static sqlite3 *hold(void)
{
    sqlite3 *db = NULL;

    cr_assert_eq(sqlite3_open(f.conf.contacts_db, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return db;
}

Test(store, a_file_that_is_locked_ends_in_an_answer)
{
    sqlite3 *db;

    f.conf.store_timeout_ms = 4000;
    store_fixture_start(&f, 0);
    db = hold();
    insert_later("contact_1_a");
    store_fixture_await(&f, 1);
    cr_expect_eq(f.got.rc, ERR_UNAVAILABLE, "%d", f.got.rc);
    cr_expect(strstr(f.got.why, "locked by other processes"), "%s", f.got.why);
    cr_expect(store_is_up(f.stores[0]), "others may fare better");
    cr_expect_eq(GOT(&f, store_contact_get, f.stores[0], STR("contact_1_a"), NULL)->rc,
                 ERR_NOT_FOUND, "who reads does not wait");
    sqlite3_close(db);
    insert_later("contact_1_a");
    store_fixture_await(&f, 3);
    cr_expect_eq(f.got.rc, OK);
}

Test(store, who_waits_too_long_for_a_worker_is_told_so)
{
    sqlite3 *db;
    unsigned late = 0;

    f.conf.store_timeout_ms = 600;
    store_fixture_start(&f, 0);
    db = hold();
    for (int i = 0; i < 200; i++)
        insert_later("contact_1_a");
    store_fixture_await(&f, 200);
    for (unsigned i = 0; i < 200; i++)
        late += f.rcs[i] == ERR_TIMEOUT || f.rcs[i] == ERR_UNAVAILABLE;
    cr_expect_eq(late, 200);
    cr_expect_gt(metric_get_at(M_STORE_FAILURES, 0), 0);
    sqlite3_close(db);
}

Test(store, a_full_queue_refuses)
{
    unsigned refused = 0;
    sqlite3 *db;

    f.conf.store_queue = 3;
    f.conf.store_timeout_ms = 1000;
    store_fixture_start(&f, 0);
    db = hold();
    for (int i = 0; i < 200; i++)
        insert_later("contact_1_a");
    loop_turn(f.loop, false);
    for (unsigned i = 0; i < f.answers; i++)
        refused += f.rcs[i] == ERR_UNAVAILABLE;
    cr_expect_geq(refused, 200 - 3 - 64, "all but those who wait and one batch: %u", refused);
    sqlite3_close(db);
    store_fixture_await(&f, 200);
}

/* ---- files that are none ---- */

static void write_file(const char *bytes, size_t n)
{
    int fd = open(f.conf.contacts_db, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    cr_assert(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    close(fd);
}

static void run_sql(const char *sql)
{
    sqlite3 *db = NULL;

    cr_assert_eq(sqlite3_open(f.conf.contacts_db, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

static void expect_refused(const char *part)
{
    char *why = NULL;

    cr_expect_eq(store_open(f.loop, &f.conf, &f.stores[0], &why), ERR_CONFIG);
    cr_assert_not_null(why);
    cr_expect(strstr(why, part), "%s", why);
    cr_expect(strstr(why, f.conf.contacts_db), "%s", why);
    free(why);
}

Test(store, a_file_that_is_no_database_is_refused)
{
    write_file("this is no database, and long enough to be looked at by SQLite: "
               "a hundred bytes and more, so that there is a header",
               110);
    expect_refused("the file is no database");
}

Test(store, a_corrupt_file_is_refused)
{
    int fd;

    store_fixture_start(&f, 0);
    for (int i = 0; i < 50; i++) {
        char id[24];

        (void)snprintf(id, sizeof id, "contact_%d_x", i);
        insert_later(id);
    }
    store_fixture_await(&f, 50);
    store_fixture_stop(&f, 0);
    fd = open(f.conf.contacts_db, O_WRONLY | O_CLOEXEC);
    for (off_t at = 8192; at < 65536; at += 512)
        cr_assert_eq(pwrite(fd, "garbage garbage garbage", 23, at), 23);
    close(fd);
    expect_refused("corrupt");
}

Test(store, the_file_of_a_newer_program_is_refused)
{
    store_fixture_start(&f, 0);
    store_fixture_stop(&f, 0);
    run_sql("PRAGMA user_version=2");
    expect_refused("its schema is 2, this program knows 1");
}

Test(store, the_database_of_another_program_is_refused)
{
    run_sql("CREATE TABLE contacts(x)");
    expect_refused("it is the database of another program");
}

Test(store, a_folder_that_is_not_there_is_refused)
{
    free(f.conf.contacts_db);
    f.conf.contacts_db = strdup("/nowhere/at/all/c.db");
    expect_refused("cannot be opened");
}

Test(store, a_file_that_may_only_be_read_is_refused)
{
    int status;
    pid_t pid;

    store_fixture_start(&f, 0);
    store_fixture_stop(&f, 0);
    cr_assert(chmod(f.conf.contacts_db, 0444) == 0 && chmod(f.dir, 0555) == 0);
    pid = fork();
    if (pid == 0) { /* root may write everywhere: as somebody else */
        char *why = NULL;
        int rc;

        if (getuid() == 0 && setuid(65534) != 0) _exit(3);
        rc = store_open(f.loop, &f.conf, &f.stores[0], &why);
        _exit(rc == ERR_CONFIG && why && strstr(why, "read-only") ? 0 : 1);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%x", status);
    (void)chmod(f.dir, 0700);
}

Test(store, columns_of_a_newer_table_are_added)
{
    store_fixture_start(&f, 0);
    insert_later("contact_1_a");
    store_fixture_await(&f, 1);
    store_fixture_stop(&f, 0);
    run_sql("ALTER TABLE contacts DROP COLUMN mail_last; ALTER TABLE outbox DROP COLUMN why");
    store_fixture_start(&f, 0);
    cr_expect_eq(GOT(&f, store_contact_get, f.stores[0], STR("contact_1_a"), NULL)->rc, OK);
    cr_expect_eq(f.got.contact->mail_last.n, 0);
}
