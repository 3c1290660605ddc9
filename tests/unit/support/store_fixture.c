/* See store_fixture.h. */
#include "tests/unit/support/store_fixture.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/mem.h"

static char *no_env(const char *name)
{
    (void)name;
    return NULL;
}

struct store *store_fixture_start(struct store_fixture *f, unsigned i)
{
    char *why = NULL;
    int rc = store_open(f->loop, &f->conf, &f->stores[i], &why);

    if (rc != OK) (void)fprintf(stderr, "store: %s\n", why ? why : "?");
    assert(rc == OK);
    return f->stores[i];
}

void store_fixture_stop(struct store_fixture *f, unsigned i)
{
    if (f->stores[i]) store_close(f->stores[i]);
    f->stores[i] = NULL;
}

void store_fixture_open(struct store_fixture *f, const char *mongodb_uri, unsigned stores)
{
    char flag[600];
    char *argv[] = {(char *)(uintptr_t) "test", flag,
                    (char *)(uintptr_t) "--store-timeout-ms=20000", NULL};
    struct sb mistakes = {0};
    int rc;

    memset(f, 0, sizeof *f);
    memcpy(f->dir, "/tmp/ingoma-store-XXXXXX", 25);
    assert(mkdtemp(f->dir));
    if (mongodb_uri)
        (void)snprintf(flag, sizeof flag, "--mongodb-uri=%s", mongodb_uri);
    else
        (void)snprintf(flag, sizeof flag, "--contacts-db=%s/c.db", f->dir);
    rc = conf_read(&f->conf, 3, argv, no_env, &mistakes);
    assert(rc == OK);
    f->loop = loop_new();
    for (unsigned i = 0; i < stores; i++)
        store_fixture_start(f, i);
}

void store_fixture_close(struct store_fixture *f)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[80];

    for (unsigned i = 0; i < STORE_FIXTURE_MAX; i++)
        store_fixture_stop(f, i);
    loop_free(f->loop);
    conf_fini(&f->conf);
    arena_fini(&f->mem);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        (void)snprintf(path, sizeof path, "%s/c.db%s", f->dir, ends[i]);
        unlink(path);
    }
    rmdir(f->dir);
}

static void *copy_all(struct arena *a, const struct record_kind *k, const void *from,
                      unsigned count)
{
    char *to = from ? arena_new(a, count, k->size) : NULL;

    for (unsigned i = 0; to && i < count; i++)
        record_copy(k, (const char *)from + i * k->size, to + i * k->size, a);
    return to;
}

void store_fixture_done(void *ctx, const struct store_result *r)
{
    struct store_fixture *f = ctx;
    struct arena *a = &f->mem;

    assert(f->answers < sizeof f->rcs / sizeof *f->rcs);
    f->rcs[f->answers++] = r->rc;
    if (r->rc == ERR_INTERNAL) (void)fprintf(stderr, "store: %s\n", r->why ? r->why : "?");
    f->got = *r;
    f->got.arena = NULL;
    f->got.fold = NULL;
    f->got.why = r->why ? arena_str(a, str_z(r->why)).p : NULL;
    f->got.cursor = arena_str(a, r->cursor);
    f->got.contact = copy_all(a, &record_contact, r->contact, 1);
    f->got.contacts = copy_all(a, &record_contact, r->contacts, r->contacts_count);
    f->got.messages = copy_all(a, &record_message, r->messages, r->messages_count);
    f->got.agent = copy_all(a, &record_agent, r->agent, 1);
    f->got.agents = copy_all(a, &record_agent, r->agents, r->agents_count);
    f->got.outbox = copy_all(a, &record_outbox, r->outbox, 1);
    f->got.doc = copy_all(a, &record_doc, r->doc, 1);
    f->got.docs = copy_all(a, &record_doc, r->docs, r->docs_count);
    f->got.letters = arena_new(a, r->letters_count, sizeof *r->letters);
    for (unsigned i = 0; i < r->letters_count; i++) {
        record_copy(&record_outbox, &r->letters[i].entry, &f->got.letters[i].entry, a);
        f->got.letters[i].contact_id = arena_str(a, r->letters[i].contact_id);
    }
}

const struct store_result *store_fixture_await(struct store_fixture *f, unsigned answers)
{
    while (f->answers < answers)
        loop_turn(f->loop, true);
    return &f->got;
}

struct contact store_fixture_contact(const char *id)
{
    return (struct contact){.id = str_z(id),
                            .status = CONTACT_PENDING,
                            .name = STR("Ann"),
                            .email = STR("ann@example.org"),
                            .message = STR("I cannot log in"),
                            .created_at = 1700000000000,
                            .priority = STR("normal"),
                            .queue_rank = 5,
                            .queue_since = 1700000000000};
}

struct message store_fixture_message(const char *id, const char *text)
{
    return (struct message){.id = str_z(id),
                            .kind = MESSAGE_VISITOR,
                            .author_name = STR("Ann"),
                            .text = str_z(text),
                            .type = STR("text"),
                            .at = 1700000001000};
}

struct outbox store_fixture_entry(const char *id, int64_t at)
{
    return (struct outbox){.id = str_z(id),
                           .kind = STR("webhook"),
                           .target = STR("w1"),
                           .event = STR("contact.created"),
                           .payload = STR("{\"a.b\":{\"$ne\":null}}"),
                           .created_at = 1700000000000,
                           .state = OUTBOX_DUE,
                           .at = at};
}
