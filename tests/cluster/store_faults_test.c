/* What was acknowledged stays, whoever dies; what cannot be written says so, and works again when
 * it can. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/unit/support/store_contract.h"

#define ID_SIZE 24

/* ---- kill -9 of who writes ---- */

struct writer {
    struct store_fixture f;
    int out; /* ids that were acknowledged */
    unsigned next;
    char ids[16][ID_SIZE];
};

static void write_next(struct writer *w, unsigned lane);

static struct lane {
    struct writer *w;
    unsigned i;
} lanes[16];

static void on_written(void *ctx, const struct store_result *r)
{
    struct lane *l = ctx;

    if (r->rc == OK && write(l->w->out, l->w->ids[l->i], ID_SIZE) != ID_SIZE) _exit(1);
    write_next(l->w, l->i);
}

static void write_next(struct writer *w, unsigned lane)
{
    struct message m = store_fixture_message("m1", "hello");
    struct contact c;

    memset(w->ids[lane], 0, ID_SIZE);
    (void)snprintf(w->ids[lane], ID_SIZE, "contact_%u_x", w->next++);
    c = store_fixture_contact(w->ids[lane]);
    lanes[lane] = (struct lane){w, lane};
    store_contact_insert(w->f.stores[0], &c,
                         &(struct store_more){.messages = &m, .messages_count = 1}, on_written,
                         &lanes[lane]);
}

/* Another process that writes as fast as it can, on several lanes at once. */
static pid_t start_writer(const char *uri, const char *file, int *acknowledged)
{
    static struct writer w;
    int ends[2];
    pid_t pid;

    cr_assert_eq(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        w.out = dup2(ends[1], 3);
        (void)close_range(4, ~0U, 0); /* the runner waits for the ends of its own */
        store_fixture_open(&w.f, uri, 0);
        if (!uri) {
            free(w.f.conf.contacts_db);
            w.f.conf.contacts_db = strdup(file);
        }
        store_fixture_start(&w.f, 0);
        for (unsigned i = 0; i < 16; i++)
            write_next(&w, i);
        for (;;)
            loop_turn(w.f.loop, true);
    }
    close(ends[1]);
    *acknowledged = ends[0];
    return pid;
}

static char (*acked)[ID_SIZE];
static unsigned acked_count;

static bool read_acked(int fd)
{
    char id[ID_SIZE];

    if (read(fd, id, ID_SIZE) != ID_SIZE) return false;
    acked = realloc(acked, (acked_count + 1) * sizeof *acked);
    memcpy(acked[acked_count++], id, ID_SIZE);
    return true;
}

static void expect_all_there(void)
{
    for (unsigned i = 0; i < acked_count; i++) {
        cr_assert_eq(get(0, acked[i])->rc, OK, "%s of %u was acknowledged and is lost", acked[i],
                     acked_count);
        cr_assert_eq(f.got.messages_count, 1);
    }
}

static void kill_a_writer(const char *uri, unsigned acknowledged)
{
    int fd;
    pid_t pid = start_writer(uri, f.conf.contacts_db, &fd);

    while (acked_count < acknowledged)
        cr_assert(read_acked(fd), "the writer ended");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    while (read_acked(fd))
        continue;
    close(fd);
    store_fixture_start(&f, 0);
    expect_all_there();
    free(acked);
}

Test(store_faults, sqlite_a_writer_is_killed, .timeout = 120)
{
    store_fixture_open(&f, NULL, 0);
    kill_a_writer(NULL, 500);
    store_fixture_close(&f);
}

Test(store_faults, mongo_a_writer_is_killed, .timeout = 120)
{
    if (!mongo_fixture_uri()) cr_skip_test("no MongoDB-wire server: %s", mongo_fixture_why());
    store_fixture_open(&f, mongo_fixture_uri(), 0);
    kill_a_writer(mongo_fixture_uri(), 300);
    store_fixture_close(&f);
}

/* ---- the server is killed, and comes back ---- */

static unsigned ups, downs;

static void on_state(void *ctx, bool up)
{
    (void)ctx;
    if (up)
        ups++;
    else
        downs++;
}

static void await_state(const unsigned *number, unsigned want)
{
    while (*number < want)
        loop_turn(f.loop, true);
}

static struct mongo_fixture server;

static void added_is_refused(void)
{
    struct contact c = store_fixture_contact("contact_refused_x");

    cr_expect_eq(insert(0, &c, NULL)->rc, ERR_UNAVAILABLE, "%d", f.got.rc);
    cr_assert_not_null(f.got.why);
}

Test(store_faults, mongo_the_server_is_killed, .timeout = 240)
{
    int fd;
    pid_t pid;

    if (!mongo_fixture_open(&server))
        cr_skip_test("no MongoDB-wire server: %s", mongo_fixture_why());
    store_fixture_open(&f, server.uri, 0);
    f.conf.store_timeout_ms = 3000;
    pid = start_writer(server.uri, NULL, &fd); /* before this process has threads */
    store_fixture_start(&f, 0);
    while (!store_is_up(f.stores[0])) /* a slow start of the server is no matter of this test */
        loop_turn(f.loop, true);
    store_watch(f.stores[0], on_state, NULL);
    while (acked_count < 100)
        cr_assert(read_acked(fd), "the writer ended");
    mongo_fixture_kill(&server);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    while (read_acked(fd))
        continue;
    close(fd);
    cr_expect_eq(get(0, acked[0])->rc, ERR_UNAVAILABLE, "%d", f.got.rc);
    cr_expect_not_null(f.got.why);
    await_state(&downs, 1);
    cr_expect(!store_is_up(f.stores[0]));
    added_is_refused();
    mongo_fixture_start(&server);
    await_state(&ups, 1);
    expect_all_there();
    added("contact_after_x");
    free(acked);
    store_fixture_close(&f);
    mongo_fixture_close(&server);
}

Test(store_faults, mongo_a_server_that_comes_later, .timeout = 240)
{
    if (!mongo_fixture_open(&server))
        cr_skip_test("no MongoDB-wire server: %s", mongo_fixture_why());
    mongo_fixture_kill(&server);
    store_fixture_open(&f, server.uri, 0);
    f.conf.store_timeout_ms = 1000;
    store_fixture_start(&f, 0);
    store_watch(f.stores[0], on_state, NULL);
    cr_expect(!store_is_up(f.stores[0]));
    added_is_refused();
    mongo_fixture_start(&server);
    await_state(&ups, 1);
    added("contact_1_a");
    store_fixture_close(&f);
    mongo_fixture_close(&server);
}

Test(store_faults, mongo_a_newer_schema_is_refused, .timeout = 120)
{
    char *why = NULL;

    if (!mongo_fixture_uri()) cr_skip_test("no MongoDB-wire server: %s", mongo_fixture_why());
    store_fixture_open(&f, mongo_fixture_uri(), 1);
    store_fixture_stop(&f, 0);
    mongo_fixture_set_schema(2);
    cr_expect_eq(store_open(f.loop, &f.conf, &f.stores[0], &why), ERR_CONFIG);
    cr_assert_not_null(why);
    cr_expect(strstr(why, "its schema is 2, this program knows 1"), "%s", why);
    free(why);
    f.stores[0] = NULL;
    store_fixture_close(&f);
}

Test(store_faults, mongo_an_uri_that_is_none_is_refused)
{
    char *why = NULL;

    store_fixture_open(&f, "http://127.0.0.1/", 0);
    cr_expect_eq(store_open(f.loop, &f.conf, &f.stores[0], &why), ERR_CONFIG);
    cr_assert_not_null(why);
    cr_expect(strstr(why, "MONGODB_URI: "), "%s", why);
    free(why);
    store_fixture_close(&f);
}

/* ---- a full disk ---- */

/* No file may become larger: what SQLite gets is what a full disk gives it. */
static void set_disk(rlim_t bytes)
{
    struct rlimit r;

    sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = bytes;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &r), 0);
}

Test(store_faults, sqlite_a_full_disk_is_said_and_is_over_by_itself, .timeout = 120)
{
    store_fixture_open(&f, NULL, 1);
    store_watch(f.stores[0], on_state, NULL);
    added("contact_before_x");
    set_disk(4096);
    added_is_refused();
    cr_expect(strstr(f.got.why, "the disk"), "%s", f.got.why);
    await_state(&downs, 1);
    cr_expect_eq(get(0, "contact_before_x")->rc, OK, "who reads does not care");
    cr_expect_eq(get(0, "contact_refused_x")->rc, ERR_NOT_FOUND);
    set_disk(RLIM_INFINITY);
    await_state(&ups, 1);
    added("contact_refused_x");
    store_fixture_close(&f);
}

Test(store_faults, sqlite_calls_of_one_transaction_fail_together, .timeout = 120)
{
    unsigned from;

    store_fixture_open(&f, NULL, 1);
    added("contact_before_x");
    set_disk(4096);
    from = f.answers;
    for (int i = 0; i < 100; i++) {
        char id[ID_SIZE];
        struct contact c;

        (void)snprintf(id, sizeof id, "contact_%d_x", i);
        c = store_fixture_contact(id);
        store_contact_insert(f.stores[0], &c, NULL, store_fixture_done, &f);
    }
    store_fixture_await(&f, from + 100);
    cr_expect_eq(count_rc(from, ERR_UNAVAILABLE), 100);
    set_disk(RLIM_INFINITY);
    GOT(&f, store_contact_counts, f.stores[0]);
    cr_expect_eq(f.got.counts.pending, 1, "none of them was written");
    store_fixture_close(&f);
}
