/* See due_fixture.h. */
#include "tests/unit/support/due_fixture.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"

#define TIMES "ingoma:{due:socket.io:mail}:times"

struct due_fixture due_fix;

bool due_fixture_open(void)
{
    return adapter_fixture_open(&due_fix.f, true);
}

void due_fixture_close(void)
{
    for (int i = 0; i < DUE_FIXTURE_NODES; i++) {
        due_close(due_fix.at[i].due);
        sb_fini(&due_fix.at[i].log);
    }
    sb_fini(&due_fix.log);
    adapter_fixture_close(&due_fix.f);
}

static void on_due(void *ctx, struct str id, struct str payload, struct due_job *job)
{
    struct due_runner *r = ctx;

    r->ran++;
    due_fix.ran++;
    sb_printf(&r->log, STR_FMT "=" STR_FMT "#%u;", STR_ARG(id), STR_ARG(payload), due_runs(job));
    sb_printf(&due_fix.log, STR_FMT ";", STR_ARG(id));
    if (r->on_run) r->on_run(r);
    if (r->is_holding)
        r->held = job;
    else if (r->again && r->again--)
        due_again(job, 0);
    else
        due_done(job);
}

void due_fixture_runs(int i)
{
    struct due_runner *r = &due_fix.at[i];
    struct due_conf c = {
        .kind = STR("mail"), .on_due = on_due, .ctx = r, .lease_ms = due_fix.lease_ms};

    r->due = due_open(due_fix.f.nodes[i].adapter, &c);
}

void due_fixture_join(int nodes)
{
    for (int i = 0; i < nodes; i++) {
        adapter_fixture_join(&due_fix.f, i, NULL);
        due_fixture_runs(i);
    }
    assert(adapter_fixture_await_all(&due_fix.f, nodes));
}

void due_fixture_leave(int i)
{
    adapter_fixture_leave(&due_fix.f, i);
    due_close(due_fix.at[i].due);
    due_fix.at[i].due = NULL;
}

void due_fixture_told(void *runner, int rc)
{
    struct due_runner *r = runner;

    r->told++;
    r->last_rc = rc;
}

static int await_told(struct due_runner *r, int rc, unsigned before)
{
    if (rc != OK) return rc;
    assert(r->told == before);
    assert(due_fixture_await(&r->told, before + 1));
    return r->last_rc;
}

int due_fixture_put(int i, const char *id, uint64_t delay_ms, const char *payload)
{
    struct due_runner *r = &due_fix.at[i];
    struct due_entry e = {.id = str_z(id), .payload = str_z(payload), .delay_ms = delay_ms};
    unsigned before = r->told;

    return await_told(r, due_put(r->due, &e, due_fixture_told, r), before);
}

int due_fixture_cancel(int i, const char *id)
{
    struct due_runner *r = &due_fix.at[i];
    unsigned before = r->told;

    return await_told(r, due_cancel(r->due, str_z(id), due_fixture_told, r), before);
}

bool due_fixture_await(const unsigned *number, unsigned want)
{
    return adapter_fixture_await(&due_fix.f, number, want, DUE_FIXTURE_WAIT_MS);
}

const char *due_fixture_say(const char *words)
{
    struct str rest = str_z(words), argv[16];
    unsigned argc = 0;

    while (argc < 16 && str_next(&rest, ' ', &argv[argc])) {
        if (str_eq(argv[argc], STR("K"))) argv[argc] = STR(TIMES);
        argc++;
    }
    return redis_fixture_say(&due_fix.f.redis, argv, argc);
}

bool due_fixture_await_none(void)
{
    uint64_t end = clock_us() + DUE_FIXTURE_WAIT_MS * 1000ULL;

    while (clock_us() < end) {
        const char *reply = due_fixture_say("EXISTS K ingoma:{due:socket.io:mail}:payloads "
                                            "ingoma:{due:socket.io:mail}:states");

        if (strcmp(reply, ":0\r\n") == 0) return true;
        loop_turn(due_fix.f.loop, true);
    }
    return false;
}

uint64_t due_fixture_time(const char *id)
{
    struct str argv[3] = {STR("ZSCORE"), STR(TIMES), str_z(id)};
    const char *text = strchr(redis_fixture_say(&due_fix.f.redis, argv, 3), '\n');

    return text ? strtoull(text + 1, NULL, 10) : 0;
}

const char *due_fixture_log(struct sb *b)
{
    sb_char(b, 0);
    b->n--;
    return b->p;
}

unsigned due_fixture_evals(void)
{
    const char *stats = due_fixture_say("INFO commandstats");
    const char *row = strstr(stats, "cmdstat_evalsha:calls=");

    return row ? (unsigned)strtoul(row + 22, NULL, 10) : 0;
}

bool due_fixture_await_evals(unsigned count)
{
    uint64_t end = clock_us() + DUE_FIXTURE_WAIT_MS * 1000ULL;

    while (due_fixture_evals() < count && clock_us() < end)
        loop_turn(due_fix.f.loop, true);
    return due_fixture_evals() == count;
}
