/* See mongodb.h. The library watches the servers by itself and comes back to them. */
#include "base/mongodb.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/forbid.h"

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

int mongodb_code(const bson_error_t *e, bool was_sent, bool *is_away)
{
    *is_away = false;
    if (e->domain == MONGOC_ERROR_BSON) return ERR_TOO_BIG; /* its codes are no server's */
    if (e->domain == MONGOC_ERROR_SERVER_SELECTION || e->domain == MONGOC_ERROR_CLIENT ||
        e->domain == MONGOC_ERROR_STREAM) {
        *is_away = true;
        /* Nobody knows whether it was carried out. */
        return was_sent && e->domain == MONGOC_ERROR_STREAM && e->code == MONGOC_ERROR_STREAM_SOCKET
                   ? ERR_TIMEOUT
                   : ERR_UNAVAILABLE;
    }
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (e->code != codes[i].code) continue;
        *is_away = codes[i].is_away;
        return codes[i].rc;
    }
    return ERR_INTERNAL;
}

bool mongodb_is_turned_away(const bson_error_t *e)
{
    return (e->domain == MONGOC_ERROR_CLIENT && e->code == MONGOC_ERROR_CLIENT_AUTHENTICATE) ||
           (e->domain == MONGOC_ERROR_SERVER && (e->code == 13 || e->code == 18));
}

char *mongodb_sentence(const char *text)
{
    struct sb b = {0};
    char *out;

    sb_printf(&b, "MONGODB_URI: %s", text);
    out = str_dup(sb_view(&b));
    sb_fini(&b);
    return out;
}

/* ---- clients ---- */

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

int mongodb_open(const struct mongodb_conf *c, struct mongodb *out, char **why)
{
    bson_error_t error = {0};
    mongoc_client_pool_t *pool = NULL;
    mongoc_uri_t *uri;
    const char *database;

    mongoc_init();
    mongoc_log_set_handler(drop_log, NULL);
    uri = mongoc_uri_new_with_error(c->uri, &error);
    if (!uri) {
        *why = mongodb_sentence(error.message);
        return ERR_CONFIG;
    }
    /* A call that finds the server gone looks for it once more: both within its deadline. */
    set_default(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, c->timeout_ms * 2 / 5);
    set_default(uri, MONGOC_URI_CONNECTTIMEOUTMS, c->timeout_ms * 2 / 5);
    set_default(uri, MONGOC_URI_SOCKETTIMEOUTMS, c->timeout_ms);
    set_write_concern(uri, c->timeout_ms);
    database = mongoc_uri_get_database(uri);
    if (!database || !database[0]) database = c->database;
    pool = mongoc_client_pool_new_with_error(uri, &error);
    if (pool) {
        out->pool = pool;
        out->database = str_dup(str_z(database));
        mongoc_client_pool_max_size(pool, c->clients);
        mongoc_client_pool_set_error_api(pool, MONGOC_ERROR_API_VERSION_2);
    } else {
        *why = mongodb_sentence(error.message);
    }
    mongoc_uri_destroy(uri);
    return pool ? OK : ERR_CONFIG;
}

void mongodb_close(struct mongodb *m)
{
    mongoc_client_pool_destroy(m->pool);
    mem_free(m->database);
    *m = (struct mongodb){0};
}

/* ---- calls ---- */

int64_t mongodb_left_ms(uint64_t deadline_us)
{
    int64_t left = (int64_t)(deadline_us / 1000) - (int64_t)(clock_us() / 1000);

    return left > 0 ? left : 1;
}

void mongodb_put_text(bson_t *doc, const char *key, struct str s)
{
    bson_append_utf8(doc, key, -1, s.p ? s.p : "", (int)s.n);
}

bool mongodb_ping(mongoc_client_t *client, const char *database, bson_error_t *e)
{
    bson_t ping = BSON_INITIALIZER;
    bool is_there;

    bson_append_int32(&ping, "ping", -1, 1);
    is_there = mongoc_client_command_simple(client, database, &ping, NULL, NULL, e);
    bson_destroy(&ping);
    return is_there;
}
