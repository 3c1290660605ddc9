/* Parsing of REDIS_URL. Every refusal is one sentence that says what to write instead. */
#include "adapter/redis/url.h"

#include "base/mem.h"
#include "base/forbid.h"

#define DB_MAX 1000000

static int refuse(char **why, const char *sentence)
{
    *why = str_dup(str_z(sentence));
    return ERR_CONFIG;
}

static char *decoded(struct str s) /* a plus stays a plus: this is no query */
{
    struct sb b = {0};
    struct str piece;
    char *z;
    bool more;

    do {
        more = str_cut(s, '+', &piece, &s);
        sb_percent_decode(&b, piece);
        if (more) sb_char(&b, '+');
    } while (more);
    z = str_dup(sb_view(&b));
    sb_fini(&b);
    return z;
}

static int parse_db(struct str s, struct redis_url *u, char **why)
{
    uint64_t db;

    if (str_u64(s, DB_MAX, &db) != OK)
        return refuse(why, "REDIS_URL: the database must be a number, as in redis://host:6379/0");
    u->db = (uint32_t)db;
    return OK;
}

/* False: a key that is not a or b. */
static bool query_is_of(struct str query, struct str a, struct str b)
{
    struct str piece, key, value;

    while (str_next(&query, '&', &piece)) {
        str_cut(piece, '=', &key, &value);
        if (!str_eq(key, a) && !str_eq(key, b)) return false;
    }
    return true;
}

static int parse_unix(struct str s, struct redis_url *u, char **why)
{
    struct str path, query, db;
    bool has_query = str_cut(s, '?', &path, &query);

    if (path.n < 2 || path.p[0] != '/')
        return refuse(why,
                      "REDIS_URL: unix:// wants an absolute path, as in unix:///run/redis.sock");
    if (path.n > 107) return refuse(why, "REDIS_URL: a socket's path has at most 107 bytes");
    u->path = str_dup(path);
    if (!has_query) return OK;
    if (!query_is_of(query, STR("db"), STR("db")) || !str_query(query, STR("db"), &db))
        return refuse(why, "REDIS_URL: after unix:///path only ?db=N is understood");
    return parse_db(db, u, why);
}

static void parse_user(struct str s, struct redis_url *u)
{
    struct str user, password;
    bool has_password = str_cut(s, ':', &user, &password);

    if (user.n) u->user = decoded(user);
    if (has_password) u->password = decoded(password);
    if (!has_password && user.n) { /* redis://secret@host: old servers know a password only */
        u->password = u->user;
        u->user = NULL;
    }
}

static bool host_is_good(struct str s, bool is_v6)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool is_name = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == '_';

        if (!is_name && !(is_v6 && c == ':')) return false;
    }
    return true;
}

static int parse_host(struct str s, uint16_t usual_port, struct redis_place *out, char **why)
{
    struct str host = s, port = STR_NONE;
    uint64_t n = usual_port;
    bool has_port, is_v6 = s.n && s.p[0] == '[';

    if (is_v6) {
        has_port = false;
        if (!str_cut(str_skip(s, 1), ']', &host, &port))
            return refuse(why, "REDIS_URL: the bracket of the IPv6 address is not closed, write "
                               "redis://[::1]:6379/0");
        if (port.n) {
            if (port.p[0] != ':')
                return refuse(why,
                              "REDIS_URL: a port is wanted after ], as in redis://[::1]:6379/0");
            port = str_skip(port, 1);
            has_port = true;
        }
    } else {
        has_port = str_cut(s, ':', &host, &port);
    }
    if (!host.n) return refuse(why, "REDIS_URL: the host is missing, as in redis://host:6379/0");
    if (!host_is_good(host, is_v6))
        return refuse(why, "REDIS_URL: the host has a character that no host has; in user and "
                           "password write / ? # @ and % as %2F %3F %23 %40 and %25");
    if (has_port && (str_u64(port, UINT16_MAX, &n) != OK || n == 0))
        return refuse(why, "REDIS_URL: the port must be a number from 1 to 65535 (an IPv6 address "
                           "stands in brackets)");
    *out = (struct redis_place){str_dup(host), (uint16_t)n};
    return OK;
}

static size_t find_last(struct str s, char c) /* index, or s.n */
{
    for (size_t i = s.n; i > 0; i--)
        if (s.p[i - 1] == c) return i - 1;
    return s.n;
}

/* authority: in/out, without the user afterwards. */
static void cut_user(struct str *authority, struct redis_url *u)
{
    size_t at = find_last(*authority, '@');

    if (at == authority->n) return;
    parse_user(str_head(*authority, at), u);
    *authority = str_skip(*authority, at + 1);
}

static int parse_tcp(struct str s, struct redis_url *u, char **why)
{
    struct str authority, path = STR_NONE;
    bool has_path = str_cut(s, '/', &authority, &path);
    struct redis_place place;
    int rc;

    cut_user(&authority, u);
    if (str_find(authority, ',') < authority.n)
        return refuse(why,
                      "REDIS_URL: redis:// has one host; for several sentinels write "
                      "redis+sentinel://host1:26379,host2:26379/master-name, for a Redis Cluster "
                      "redis+cluster://host1:6379,host2:6379");
    rc = parse_host(authority, 6379, &place, why);
    if (rc != OK) return rc;
    u->host = place.host;
    u->port = place.port;
    return has_path && path.n ? parse_db(path, u, why) : OK;
}

/* ---- sentinels ---- */

/* host[:port],… appended to a list. */
static int parse_places(struct str hosts, uint16_t usual_port, struct redis_place **list,
                        unsigned *count, char **why)
{
    struct str piece;

    while (str_next(&hosts, ',', &piece)) {
        struct redis_place place;
        int rc = parse_host(piece, usual_port, &place, why);

        if (rc != OK) return rc;
        *list = mem_grow(*list, (*count + 1) * sizeof **list);
        (*list)[(*count)++] = place;
    }
    return OK;
}

static int parse_sentinels(struct str hosts, struct redis_url *u, char **why)
{
    if (!hosts.n)
        return refuse(why, "REDIS_URL: the sentinels are missing, write "
                           "redis+sentinel://host1:26379,host2:26379/master-name");
    return parse_places(hosts, 26379, &u->sentinels, &u->sentinels_count, why);
}

static int parse_sentinel_user(struct str query, struct redis_url *u, char **why)
{
    struct str user, password;

    if (!query_is_of(query, STR("sentinelUser"), STR("sentinelPassword")))
        return refuse(why, "REDIS_URL: after redis+sentinel://.../master-name only ?sentinelUser= "
                           "and &sentinelPassword= are understood; the database is written "
                           "/master-name/0");
    if (str_query(query, STR("sentinelUser"), &user) && user.n) u->sentinel_user = decoded(user);
    if (str_query(query, STR("sentinelPassword"), &password))
        u->sentinel_password = decoded(password);
    if (u->sentinel_user && !u->sentinel_password)
        return refuse(why, "REDIS_URL: sentinelUser wants its sentinelPassword beside it, as in "
                           "?sentinelUser=u&sentinelPassword=p");
    return OK;
}

/* Redis itself allows letters, digits and .-_ (SENTINEL MONITOR), and refuses none; so do we,
 * but for what ends up between blanks in +switch-master. */
static bool master_is_good(struct str name)
{
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] <= ' ') return false;
    return name.n > 0;
}

static int parse_sentinel(struct str s, struct redis_url *u, char **why)
{
    struct str authority, path, query, name, db;
    bool has_db;
    int rc;

    str_cut(s, '/', &authority, &path);
    str_cut(path, '?', &path, &query);
    has_db = str_cut(path, '/', &name, &db);
    cut_user(&authority, u);
    rc = parse_sentinels(authority, u, why);
    if (rc != OK) return rc;
    u->master = decoded(name);
    if (!master_is_good(str_z(u->master)))
        return refuse(why, "REDIS_URL: the name of the master is missing, write "
                           "redis+sentinel://host1:26379,host2:26379/master-name");
    if (query.n) rc = parse_sentinel_user(query, u, why);
    if (rc == OK && has_db && db.n) rc = parse_db(db, u, why);
    return rc;
}

/* ---- cluster ---- */

static int parse_cluster(struct str s, struct redis_url *u, char **why)
{
    struct str authority, path;

    str_cut(s, '/', &authority, &path);
    if (path.n && !str_eq(path, STR("0")))
        return refuse(why, "REDIS_URL: a Redis Cluster has no databases, write "
                           "redis+cluster://host1:6379,host2:6379 without anything behind it");
    cut_user(&authority, u);
    if (!authority.n)
        return refuse(why, "REDIS_URL: the servers are missing, write "
                           "redis+cluster://host1:6379,host2:6379 (some of them are enough)");
    return parse_places(authority, 6379, &u->seeds, &u->seeds_count, why);
}

/* ---- the first word ---- */

#define NO_TLS                                                                                     \
    "is not possible, the packaged Redis library has no TLS; use redis:// in a private network "   \
    "or "                                                                                          \
    "through a tunnel"

static const struct scheme {
    struct str word;
    int (*parse)(struct str rest, struct redis_url *u, char **why); /* NULL: refused */
    const char *why;
} schemes[] = {
    /* clang-format off */
    {STR("redis://"), parse_tcp, NULL},
    {STR("unix://"), parse_unix, NULL},
    {STR("redis+sentinel://"), parse_sentinel, NULL},
    {STR("rediss://"), NULL, "REDIS_URL: rediss:// " NO_TLS},
    {STR("rediss+sentinel://"), NULL, "REDIS_URL: TLS to sentinels " NO_TLS},
    {STR("redis+cluster://"), parse_cluster, NULL},
    {STR("rediss+cluster://"), NULL, "REDIS_URL: TLS to a Redis Cluster " NO_TLS},
    {STR("redis-cluster://"), NULL, "REDIS_URL: a Redis Cluster is written redis+cluster://host1:6379,host2:6379"},
    {STR("redis-sentinel://"), NULL, "REDIS_URL: sentinels are written redis+sentinel://host1:26379,host2:26379/master-name"},
    {STR("sentinel://"), NULL, "REDIS_URL: sentinels are written redis+sentinel://host1:26379,host2:26379/master-name"},
    {STR("redis+unix://"), NULL, "REDIS_URL: a unix socket is written unix:///run/redis.sock"},
    {STR("redis+socket://"), NULL, "REDIS_URL: a unix socket is written unix:///run/redis.sock"},
    {STR("redis-socket://"), NULL, "REDIS_URL: a unix socket is written unix:///run/redis.sock"},
    /* clang-format on */
};

int redis_url_parse(struct str text, struct redis_url *out, char **why)
{
    *out = (struct redis_url){0};
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] <= ' ' || text.p[i] == 0x7f)
            return refuse(why, "REDIS_URL: blanks and control characters are not allowed, write "
                               "them as %20");
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        const struct scheme *s = &schemes[i];

        if (!str_starts_nocase(text, s->word)) continue;
        return s->parse ? s->parse(str_skip(text, s->word.n), out, why) : refuse(why, s->why);
    }
    return refuse(
        why, "REDIS_URL must start with redis://, unix://, redis+sentinel:// or redis+cluster://");
}

static void free_places(struct redis_place *places, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        mem_free(places[i].host);
    mem_free(places);
}

void redis_url_fini(struct redis_url *u)
{
    free_places(u->sentinels, u->sentinels_count);
    free_places(u->seeds, u->seeds_count);
    mem_free(u->path);
    mem_free(u->host);
    mem_free(u->master);
    mem_free(u->user);
    mem_free(u->password);
    mem_free(u->sentinel_user);
    mem_free(u->sentinel_password);
    *u = (struct redis_url){0};
}
