/* The list of origins. Compares whole origins only: prefixes, suffixes and patterns have no way in
 * (CVE-2020-28481 and its family). */
#include "node/auth/origin.h"

#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "node/edge/edge.h"

enum { ORIGINS_MAX = 64, ALLOW_HEADERS_MAX = 1024 };

struct auth_origins {
    char *list[ORIGINS_MAX];
    unsigned count;
    bool is_all; /* "*": everybody, without credentials */
};

/* scheme://host[:port] of an entry: a path and the scheme's own port are left off, as browsers send
 * it. */
static bool reduce(struct str entry, struct str *origin)
{
    size_t scheme = str_find(entry, ':');
    struct str rest = str_skip(entry, scheme), authority;

    if (!str_starts(rest, STR("://"))) return false;
    rest = str_skip(rest, 3);
    authority = str_head(rest, str_find(rest, '/'));
    if (!authority.n) return false;
    *origin = str_head(entry, scheme + 3 + authority.n);
    if (str_starts_nocase(*origin, STR("https://")) && origin->n > 4 &&
        str_eq(str_skip(*origin, origin->n - 4), STR(":443")))
        origin->n -= 4;
    else if (str_starts_nocase(*origin, STR("http://")) && origin->n > 3 &&
             str_eq(str_skip(*origin, origin->n - 3), STR(":80")))
        origin->n -= 3;
    return true;
}

static void add(struct auth_origins *o, struct str entry)
{
    struct str origin;

    entry = str_trim(entry);
    if (!entry.n) return;
    if (str_eq(entry, STR("*"))) {
        o->is_all = true;
        return;
    }
    if (o->count == ORIGINS_MAX || !reduce(entry, &origin)) {
        LOG_WARN("origin.ignored", LOG_S("origin", entry));
        return;
    }
    o->list[o->count++] = str_dup(origin);
}

struct auth_origins *auth_origins_new(const struct conf *c)
{
    struct auth_origins *o = MEM_NEW(struct auth_origins);
    struct str rest = str_z(c->cors_origins), piece;

    while (str_next(&rest, ',', &piece))
        add(o, piece);
    add(o, str_z(c->client_url));
    add(o, str_z(c->frontend_url));
    return o;
}

void auth_origins_free(struct auth_origins *o)
{
    if (!o) return;
    for (unsigned i = 0; i < o->count; i++)
        mem_free(o->list[i]);
    mem_free(o);
}

bool auth_origin_is_allowed(const struct auth_origins *o, struct str origin)
{
    if (o->is_all) return true;
    for (unsigned i = 0; i < o->count; i++)
        if (str_eq_nocase(origin, str_z(o->list[i]))) return true;
    return false;
}

/* What a preflight asks for may be echoed only if it is a list of header names. */
static bool is_name_list(struct str s)
{
    static const char others[] =
        "!#$%&'*+-.^_`|~, \t"; /* RFC 9110 5.6.2, and the list's separators */

    if (!s.n || s.n > ALLOW_HEADERS_MAX) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool is_alnum = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (!is_alnum && (!c || !strchr(others, c))) return false;
    }
    return true;
}

static void headers_for_all(const struct http_request *r, bool preflight, struct sb *out)
{
    struct str asked;

    sb_z(out, "Access-Control-Allow-Origin: *\r\n");
    if (!preflight) return;
    sb_z(out, "Access-Control-Allow-Methods: GET,HEAD,PUT,PATCH,POST,DELETE\r\n"
              "Vary: Access-Control-Request-Headers\r\n");
    asked = http_header(r, STR("Access-Control-Request-Headers"));
    if (!is_name_list(asked)) return;
    sb_z(out, "Access-Control-Allow-Headers: ");
    sb_str(out, asked);
    sb_z(out, "\r\n");
}

/* A page that this very server gave (the demo page) is no foreign one, whatever name it was asked
 * by: the part after the scheme is the Host of the request (RFC 6454 4, RFC 9110 7.2). */
static bool is_own(const struct http_request *r, struct str origin)
{
    struct str host = http_header(r, STR("Host"));

    if (!host.n) return false;
    if (str_starts_nocase(origin, STR("http://"))) return str_eq_nocase(str_skip(origin, 7), host);
    if (str_starts_nocase(origin, STR("https://"))) return str_eq_nocase(str_skip(origin, 8), host);
    return false;
}

bool auth_origin_headers(void *ctx, const struct http_request *r, bool preflight, struct sb *out)
{
    const struct auth_origins *o = ctx;
    struct str origin = http_header(r, STR("Origin"));
    bool is_allowed = auth_origin_is_allowed(o, origin);

    if (o->is_all) {
        headers_for_all(r, preflight, out);
        return true;
    }
    sb_z(out, "Vary: Origin\r\n"); /* always: caches must not mix answers of two origins */
    if (origin.n && is_allowed) {
        sb_z(out, "Access-Control-Allow-Origin: ");
        sb_str(out, origin);
        sb_z(out, "\r\n");
    }
    sb_z(out, "Access-Control-Allow-Credentials: true\r\n");
    if (preflight)
        sb_z(out, "Access-Control-Allow-Methods: GET,POST\r\n"
                  "Access-Control-Allow-Headers: Content-Type,Authorization\r\n");
    return is_allowed || !origin.p || is_own(r, origin);
}
