/* Stores over one SQLite file or one MongoDB database on a loop of the test, and calls that are
 * waited for. */
#ifndef TESTS_UNIT_SUPPORT_STORE_FIXTURE_H
#define TESTS_UNIT_SUPPORT_STORE_FIXTURE_H

#include "base/conf.h"
#include "base/loop.h"
#include "contacts/record/agent.h"
#include "contacts/record/contact.h"
#include "contacts/record/message.h"
#include "contacts/record/outbox.h"
#include "contacts/store/store.h"

#define STORE_FIXTURE_MAX 4

struct store_fixture {
    struct loop *loop;
    struct conf conf;
    char dir[40];
    struct store *stores[STORE_FIXTURE_MAX];
    struct arena mem;        /* of all that was got */
    struct store_result got; /* of the last call: copied */
    unsigned answers;
    int rcs[4096]; /* of all calls, in the order of their answers */
};

/* mongodb_uri NULL: SQLite in a folder of its own. */
void store_fixture_open(struct store_fixture *f, const char *mongodb_uri, unsigned stores);
void store_fixture_close(struct store_fixture *f);
struct store *store_fixture_start(struct store_fixture *f, unsigned i); /* again */
void store_fixture_stop(struct store_fixture *f, unsigned i);

/* done for calls whose answer is looked at by store_fixture_got. */
void store_fixture_done(void *f, const struct store_result *r);
/* Waits for so many answers in all. Borrows the last one until store_fixture_close. */
const struct store_result *store_fixture_await(struct store_fixture *f, unsigned answers);

/* GOT(store_contact_get, f.stores[0], STR("x"), NULL): calls, waits, gives the result. */
#define GOT(f, call, ...)                                                                          \
    (call(__VA_ARGS__, store_fixture_done, (f)), store_fixture_await((f), (f)->answers + 1))

struct contact store_fixture_contact(const char *id); /* a form that waits */
struct message store_fixture_message(const char *id, const char *text);
struct outbox store_fixture_entry(const char *id, int64_t at);

#endif
