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
    if (!str_query(query, STR("db"), &db))
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

static int parse_host(struct str s, struct redis_url *u, char **why)
{
    struct str host = s, port = STR_NONE;
    uint64_t n = 6379;
    bool has_port;

    if (s.n && s.p[0] == '[') { /* an IPv6 address */
        has_port = false;
        if (!str_cut(str_skip(s, 1), ']', &host, &port))
            return refuse(why, "REDIS_URL: the bracket of the IPv6 address is not closed");
        if (port.n) {
            if (port.p[0] != ':') return refuse(why, "REDIS_URL: a port is wanted after ]");
            port = str_skip(port, 1);
            has_port = true;
        }
    } else {
        has_port = str_cut(s, ':', &host, &port);
    }
    if (!host.n) return refuse(why, "REDIS_URL: the host is missing, as in redis://host:6379/0");
    if (has_port && (str_u64(port, UINT16_MAX, &n) != OK || n == 0))
        return refuse(why, "REDIS_URL: the port must be a number from 1 to 65535");
    u->host = str_dup(host);
    u->port = (uint16_t)n;
    return OK;
}

static size_t find_last(struct str s, char c) /* index, or s.n */
{
    for (size_t i = s.n; i > 0; i--)
        if (s.p[i - 1] == c) return i - 1;
    return s.n;
}

static int parse_tcp(struct str s, struct redis_url *u, char **why)
{
    struct str authority, path = STR_NONE;
    bool has_path = str_cut(s, '/', &authority, &path);
    size_t at = find_last(authority, '@');
    int rc;

    if (at < authority.n) {
        parse_user(str_head(authority, at), u);
        authority = str_skip(authority, at + 1);
    }
    rc = parse_host(authority, u, why);
    if (rc == OK && has_path && path.n) rc = parse_db(path, u, why);
    return rc;
}

int redis_url_parse(struct str text, struct redis_url *out, char **why)
{
    *out = (struct redis_url){0};
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] <= ' ' || text.p[i] == 0x7f)
            return refuse(why, "REDIS_URL: blanks and control characters are not allowed");
    if (str_starts_nocase(text, STR("redis://"))) return parse_tcp(str_skip(text, 8), out, why);
    if (str_starts_nocase(text, STR("unix://"))) return parse_unix(str_skip(text, 7), out, why);
    if (str_starts_nocase(text, STR("rediss://")))
        return refuse(why,
                      "REDIS_URL: rediss:// is not possible, the packaged Redis library has no "
                      "TLS; use redis:// or a tunnel");
    return refuse(why, "REDIS_URL must start with redis:// or unix://");
}

void redis_url_fini(struct redis_url *u)
{
    mem_free(u->path);
    mem_free(u->host);
    mem_free(u->user);
    mem_free(u->password);
    *u = (struct redis_url){0};
}
