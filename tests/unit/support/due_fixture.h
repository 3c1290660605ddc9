/* Nodes of adapter_fixture.h over a real Redis that run jobs of the kind "mail" and write down
 * which. */
#ifndef TESTS_UNIT_SUPPORT_DUE_FIXTURE_H
#define TESTS_UNIT_SUPPORT_DUE_FIXTURE_H

#include "adapter/due.h"
#include "tests/unit/support/adapter_fixture.h"

#define DUE_FIXTURE_NODES 3
#define DUE_FIXTURE_WAIT_MS 10000 /* for a condition: generous */

struct due_runner {
    struct due *due;
    bool is_holding; /* jobs are kept, not done */
    unsigned again;  /* so often a job runs again at once */
    unsigned ran, told;
    int last_rc;
    struct due_job *held; /* the newest */
    struct sb log;        /* "id=payload#runs;" */
    void (*on_run)(struct due_runner *r);
};

struct due_fixture {
    struct adapter_fixture f;
    uint64_t lease_ms; /* 0: the default */
    struct due_runner at[DUE_FIXTURE_NODES];
    struct sb log; /* of all */
    unsigned ran;  /* by all */
};

extern struct due_fixture due_fix;

bool due_fixture_open(void); /* false: no redis-server */
void due_fixture_close(void);
void due_fixture_join(int nodes); /* connected, knowing each other, running jobs */
void due_fixture_runs(int i);     /* opens the kind on a node that has joined */
void due_fixture_leave(int i);    /* the adapter goes first, as when a node dies */

/* Puts and waits for the answer. */
int due_fixture_put(int i, const char *id, uint64_t delay_ms, const char *payload);
int due_fixture_cancel(int i, const char *id);
void due_fixture_told(void *runner, int rc);

bool due_fixture_await(const unsigned *number, unsigned want);
bool due_fixture_await_none(void); /* Redis holds nothing of the kind */
const char *due_fixture_log(struct sb *b);

/* Millisecond at which Redis gives a job away; 0: there is no such job. */
uint64_t due_fixture_time(const char *id);
const char *due_fixture_say(const char *words); /* blanks between the words; K: the times' key */

unsigned due_fixture_evals(void);             /* that Redis was asked for */
bool due_fixture_await_evals(unsigned count); /* exactly; each node looks once when it joins */

#endif
