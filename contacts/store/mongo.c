/* The MongoDB driver: clients of a pool, one for each worker; majority and journal for every write.
 * The library watches the servers by itself and comes back to them. See store_priv.h. */
#include "contacts/store/mongo_priv.h"

#include <stdio.h>
#include "base/clock.h"
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

/* Codes of the server: src/mongo/base/error_codes.yml. */
static const struct {
    uint32_t code;
    int rc;
    bool is_away;
} codes[] = {
    {11000, ERR_EXISTS, false},     /* DuplicateKey */
    {50, ERR_TIMEOUT, false},       /* MaxTimeMSExpired */
    {64, ERR_TIMEOUT, false},       /* WriteConcernFailed: not yet on a majority */
    {262, ERR_TIMEOUT, false},      /* ExceededTimeLimit */
    {13, ERR_UNAVAILABLE, true},    /* Unauthorized */
    {18, ERR_UNAVAILABLE, true},    /* AuthenticationFailed */
    {6, ERR_UNAVAILABLE, true},     /* HostUnreachable */
    {7, ERR_UNAVAILABLE, true},     /* HostNotFound */
    {89, ERR_UNAVAILABLE, true},    /* NetworkTimeout */
    {91, ERR_UNAVAILABLE, true},    /* ShutdownInProgress */
    {189, ERR_UNAVAILABLE, true},   /* PrimarySteppedDown */
    {10107, ERR_UNAVAILABLE, true}, /* NotWritablePrimary */
    {11600, ERR_UNAVAILABLE, true}, /* InterruptedAtShutdown */
    {11602, ERR_UNAVAILABLE, true}, /* InterruptedDueToReplStateChange */
    {13435, ERR_UNAVAILABLE, true}, /* NotPrimaryNoSecondaryOk */
    {13436, ERR_UNAVAILABLE, true}, /* NotPrimaryOrSecondary */
    {14031, ERR_UNAVAILABLE, true}, /* OutOfDiskSpace */
    {10334, ERR_TOO_BIG, false},    /* BSONObjectTooLarge */
    {17419, ERR_TOO_BIG, false},    /* the same, of an update */
    {17280, ERR_TOO_BIG, false},    /* KeyTooLong */
};

int mongo_code(struct mongo_worker *w, bool was_sent, bool *is_away)
{
    (void)snprintf(w->why, sizeof w->why, "MongoDB: %.220s", w->error.message);
    *is_away = false;
    if (w->error.domain == MONGOC_ERROR_SERVER_SELECTION ||
        w->error.domain == MONGOC_ERROR_CLIENT || w->error.domain == MONGOC_ERROR_STREAM) {
        *is_away = true;
        /* Nobody knows whether it was carried out. */
        return was_sent && w->error.domain == MONGOC_ERROR_STREAM &&
                       w->error.code == MONGOC_ERROR_STREAM_SOCKET
                   ? ERR_TIMEOUT
                   : ERR_UNAVAILABLE;
    }
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (w->error.code != codes[i].code) continue;
        *is_away = codes[i].is_away;
        return codes[i].rc;
    }
    return w->error.domain == MONGOC_ERROR_BSON ? ERR_TOO_BIG : ERR_INTERNAL;
}

int mongo_fail(struct mongo_worker *w, struct store_call *call)
{
    int rc = mongo_code(w, is_write(call->op), &call->is_away);

    return store_fail(call, rc, w->why);
}

int64_t mongo_left_ms(const struct store_call *call)
{
    int64_t left = (int64_t)(call->deadline_us / 1000) - (int64_t)(clock_us() / 1000);

    return left > 0 ? left : 1;
}

bson_t *mongo_options(const struct store_call *call)
{
    bson_t *options = bson_new();

    bson_append_int64(options, "maxTimeMS", -1, mongo_left_ms(call));
    return options;
}

/* ---- a worker ---- */

static mongoc_collection_t *collection(struct mongo_worker *w, const char *name)
{
    return mongoc_client_get_collection(w->client, w->mongo->database, name);
}

static void *worker_open(void *driver)
{
    struct mongo_worker *w = MEM_NEW(struct mongo_worker);

    w->mongo = driver;
    w->client = mongoc_client_pool_pop(w->mongo->pool);
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
    mongoc_client_pool_push(w->mongo->pool, w->client);
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
        call->is_away = true;
        (void)store_fail(call, ERR_UNAVAILABLE, w->why);
    }
}

static int probe(void *worker)
{
    struct mongo_worker *w = worker;
    bson_t *ping = BCON_NEW("ping", BCON_INT32(1));
    bool is_away;
    int rc = OK;

    if (!mongoc_client_command_simple(w->client, w->mongo->database, ping, NULL, NULL, &w->error))
        rc = mongo_code(w, false, &is_away);
    bson_destroy(ping);
    return rc == OK ? get_ready(w) : rc;
}

static const char *last_why(const void *worker)
{
    return ((const struct mongo_worker *)worker)->why;
}

/* ---- start and end ---- */

/* What it has to say is said by results. */
static void drop_log(mongoc_log_level_t level, const char *domain, const char *message, void *ctx)
{
    (void)level, (void)domain, (void)message, (void)ctx;
}

static void set_default(mongoc_uri_t *uri, const char *option, uint64_t ms)
{
    if (!mongoc_uri_has_option(uri, option))
        mongoc_uri_set_option_as_int32(uri, option, (int32_t)ms);
}

static void set_write_concern(mongoc_uri_t *uri, uint64_t timeout_ms)
{
    mongoc_write_concern_t *wc = mongoc_write_concern_new();

    mongoc_write_concern_set_wmajority(wc, (int32_t)timeout_ms);
    mongoc_write_concern_set_journal(wc, true);
    mongoc_uri_set_write_concern(uri, wc);
    mongoc_write_concern_destroy(wc);
}

static int fail_open(char **why, const char *text)
{
    struct sb b = {0};

    sb_printf(&b, "MONGODB_URI: %s", text);
    *why = str_dup(sb_view(&b));
    sb_fini(&b);
    return ERR_CONFIG;
}

static struct mongo *mongo_new(const struct conf *c, char **why)
{
    bson_error_t error;
    struct mongo *m;
    mongoc_uri_t *uri;
    const char *database;

    mongoc_init();
    mongoc_log_set_handler(drop_log, NULL);
    uri = mongoc_uri_new_with_error(c->mongodb_uri, &error);
    if (!uri) {
        (void)fail_open(why, error.message);
        return NULL;
    }
    /* A call that finds the server gone looks for it once more: both within its deadline. */
    set_default(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, c->store_timeout_ms * 2 / 5);
    set_default(uri, MONGOC_URI_CONNECTTIMEOUTMS, c->store_timeout_ms * 2 / 5);
    set_default(uri, MONGOC_URI_SOCKETTIMEOUTMS, c->store_timeout_ms);
    set_write_concern(uri, c->store_timeout_ms);
    m = MEM_NEW(struct mongo);
    database = mongoc_uri_get_database(uri);
    m->database = str_dup(str_z(database && database[0] ? database : MONGO_DATABASE));
    m->pool = mongoc_client_pool_new_with_error(uri, &error);
    mongoc_uri_destroy(uri);
    if (m->pool) return m;
    (void)fail_open(why, error.message);
    mem_free(m->database);
    mem_free(m);
    return NULL;
}

static void close_uri(void *driver)
{
    struct mongo *m = driver;

    mongoc_client_pool_destroy(m->pool);
    mem_free(m->database);
    mem_free(m);
}

/* Who may not come in will not be let in later: the operator should know at once. */
static bool is_turned_away(const bson_error_t *e)
{
    return (e->domain == MONGOC_ERROR_CLIENT && e->code == MONGOC_ERROR_CLIENT_AUTHENTICATE) ||
           (e->domain == MONGOC_ERROR_SERVER && (e->code == 13 || e->code == 18));
}

static int open_uri(const struct conf *c, void **out, char **why)
{
    struct mongo *m = mongo_new(c, why);
    struct mongo_worker *w;
    int rc;

    if (!m) return ERR_CONFIG;
    mongoc_client_pool_max_size(m->pool, (uint32_t)c->store_workers + 1);
    mongoc_client_pool_set_error_api(m->pool, MONGOC_ERROR_API_VERSION_2);
    w = worker_open(m);
    rc = get_ready(w);
    if (rc == ERR_UNAVAILABLE && is_turned_away(&w->error)) rc = ERR_CONFIG;
    if (rc != OK) (void)fail_open(why, w->why);
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
