/* The MongoDB driver: clients of a pool, one for each worker; majority and journal for every write.
 * The library watches the servers by itself and comes back to them. See store_priv.h. */
#include "contacts/store/mongo_priv.h"

#include <stdio.h>
#include "base/conf.h"
#include "base/mem.h"
#include "base/forbid.h"

static mongo_run_fn *const runs[STORE_OPS] = {
#define OP(id, name, is_write) [STORE_OP_##id] = mongo_##name,
#include "contacts/store/op.def"
#undef OP
};

static bool is_write(enum store_op op)
{
    static const bool writes[] = {
#define OP(id, name, is_write) [STORE_OP_##id] = is_write,
#include "contacts/store/op.def"
#undef OP
    };

    return writes[op];
}

/* ---- failures ---- */

int mongo_code(struct mongo_worker *w, bool was_sent, bool *is_away)
{
    (void)snprintf(w->why, sizeof w->why, "MongoDB: %.220s", w->error.message);
    return mongodb_code(&w->error, was_sent, is_away);
}

int mongo_fail(struct mongo_worker *w, struct store_call *call)
{
    int rc = mongo_code(w, is_write(call->op), &call->base.is_away);

    return store_fail(call, rc, w->why);
}

bson_t *mongo_options(const struct store_call *call)
{
    bson_t *options = bson_new();

    bson_append_int64(options, "maxTimeMS", -1, mongodb_left_ms(call->base.deadline_us));
    return options;
}

/* ---- a worker ---- */

static mongoc_collection_t *collection(struct mongo_worker *w, const char *name)
{
    return mongoc_client_get_collection(w->client, w->mongo->db.database, name);
}

static void *worker_open(void *driver)
{
    struct mongo_worker *w = MEM_NEW(struct mongo_worker);

    w->mongo = driver;
    w->client = mongoc_client_pool_pop(w->mongo->db.pool);
    w->contacts = collection(w, "contacts");
    w->agents = collection(w, "contacts_agents");
    w->docs = collection(w, "contacts_docs");
    return w;
}

static void worker_close(void *worker)
{
    struct mongo_worker *w = worker;

    mongoc_collection_destroy(w->contacts);
    mongoc_collection_destroy(w->agents);
    mongoc_collection_destroy(w->docs);
    mongoc_client_pool_push(w->mongo->db.pool, w->client);
    mem_free(w);
}

/* Once for the process; again as long as it does not succeed. */
static int get_ready(struct mongo_worker *w)
{
    int rc;

    if (__atomic_load_n(&w->mongo->is_ready, __ATOMIC_ACQUIRE)) return OK;
    rc = mongo_prepare(w);
    if (rc == OK) __atomic_store_n(&w->mongo->is_ready, true, __ATOMIC_RELEASE);
    return rc;
}

static void run(void *worker, struct store_call *call)
{
    struct mongo_worker *w = worker;
    int rc = get_ready(w);

    if (rc == OK) {
        (void)runs[call->op](w, call);
    } else {
        call->base.is_away = true;
        (void)store_fail(call, ERR_UNAVAILABLE, w->why);
    }
}

static int probe(void *worker)
{
    struct mongo_worker *w = worker;
    bool is_away;

    if (!mongodb_ping(w->client, w->mongo->db.database, &w->error))
        return mongo_code(w, false, &is_away);
    return get_ready(w);
}

static const char *last_why(const void *worker)
{
    return ((const struct mongo_worker *)worker)->why;
}

/* ---- start and end ---- */

static void close_uri(void *driver)
{
    struct mongo *m = driver;

    mongodb_close(&m->db);
    mem_free(m);
}

static int open_uri(const struct conf *c, void **out, char **why)
{
    const struct mongodb_conf conf = {.uri = c->mongodb_uri,
                                      .database = MONGO_DATABASE,
                                      .timeout_ms = c->store_timeout_ms,
                                      .clients = (unsigned)c->store_workers + 1};
    struct mongo *m = MEM_NEW(struct mongo);
    struct mongo_worker *w;
    int rc = mongodb_open(&conf, &m->db, why);

    if (rc != OK) {
        mem_free(m);
        return rc;
    }
    w = worker_open(m);
    rc = get_ready(w);
    if (rc == ERR_UNAVAILABLE && mongodb_is_turned_away(&w->error)) rc = ERR_CONFIG;
    if (rc != OK) *why = mongodb_sentence(w->why);
    worker_close(w);
    *out = m;
    if (rc == OK || rc == ERR_UNAVAILABLE || rc == ERR_TIMEOUT)
        return rc == OK ? OK : ERR_UNAVAILABLE;
    close_uri(m);
    return ERR_CONFIG;
}

const struct store_driver store_mongo = {
    .kind = "mongodb",
    .refuses_when_down = true,
    .open = open_uri,
    .close = close_uri,
    .worker_open = worker_open,
    .worker_close = worker_close,
    .run = run,
    .probe = probe,
    .dump = mongo_dump,
    .load = mongo_load,
    .why = last_why,
};
