/* Tokens: signature by libjwt, claims by our own JSON reader. Never logs a token.
 *
 * libjwt 1.10 verifies nothing without a key, takes the algorithm from the token, and checks no
 * claims: so the header is read here first, only keys of its algorithm are ever given to the
 * library, the algorithm is compared again afterwards, and exp, nbf, iss and aud are ours (RFC 7519
 * 4.1, RFC 8725 3.1). Keys that a token brings along (jwk, jku, x5u) are not looked at. */
#include "node/auth/token.h"

#include <stdlib.h>
#include <jwt.h>
#include "base/clock.h"
#include "base/conf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/rand.h"
#include "node/auth/jwks.h"
#include "node/auth/keys.h"

enum { NBF_LEEWAY_S = 30, GUEST_TTL_S = 12 * 3600 };
enum result { RESULT_OK, RESULT_INVALID, RESULT_EXPIRED };

struct auth {
    const struct conf *conf;
    struct auth_keys *keys;
    struct auth_jwks *jwks;        /* NULL: no JWKS_URL, or not watching yet */
    const char *issuer, *audience; /* of the options; NULL or empty: any */
    char *secret;                  /* signs guests of the demo */
    int secret_len;
};

struct auth *auth_new(const struct conf *c)
{
    static const char *const results[] = {
        [RESULT_OK] = "ok", [RESULT_INVALID] = "auth_invalid", [RESULT_EXPIRED] = "auth_expired"};
    struct auth *a = MEM_NEW(struct auth);

    a->secret = str_dup(str_z(c->jwt_secret));
    a->secret_len = (int)strlen(a->secret);
    a->conf = c;
    a->keys = auth_keys_new(c);
    a->issuer = c->jwt_issuer;
    a->audience = c->jwt_audience;
    metric_labels(M_AUTH_TOKENS, results, 3);
    return a;
}

void auth_free(struct auth *a)
{
    if (!a) return;
    explicit_bzero(a->secret, (size_t)a->secret_len);
    mem_free(a->secret);
    auth_jwks_free(a->jwks);
    auth_keys_free(a->keys);
    mem_free(a);
}

void auth_watch(struct auth *a, struct loop *l)
{
    a->jwks = auth_jwks_new(l, a->conf, a->keys);
}

bool auth_is_settled(const struct auth *a)
{
    return auth_jwks_is_settled(a->jwks);
}

bool auth_has_keys(const struct auth *a)
{
    return auth_keys_any(a->keys);
}

bool auth_has_secret(const struct auth *a)
{
    return a->secret_len > 0;
}

static struct str without_bearer(struct str s)
{
    s = str_trim(s);
    if (!str_starts_nocase(s, STR("Bearer")) || (s.n > 6 && s.p[6] != ' ')) return s;
    return str_trim(str_skip(s, 6));
}

bool auth_token_find(struct str auth_json, struct str query, struct str authorization,
                     struct sb *scratch, struct str *token)
{
    struct json auth, v;
    struct str found, encoded;
    size_t start;

    sb_reserve(scratch, auth_json.n + query.n + 32); /* what is found may point into it */
    if (auth_json.n && json_parse(auth_json, &auth) == OK && auth.type == JSON_OBJECT &&
        json_member(auth, STR("token"), &v) && v.type == JSON_STRING &&
        json_text(v, scratch, &found) == OK) {
        found = without_bearer(found);
        if (found.n) goto found;
    }
    if (str_query(query, STR("token"), &encoded) && encoded.n) {
        start = scratch->n;
        sb_percent_decode(scratch, encoded);
        found = without_bearer(str_skip(sb_view(scratch), start));
        if (found.n) goto found;
    }
    found = without_bearer(authorization);
    /* "Basic dXNlcjpwYXNz" belongs to a proxy, it is no token */
    if (!found.n || str_find(found, ' ') != found.n) return false;
found:
    *token = found;
    return true;
}

static bool is_base64url(struct str s)
{
    if (!s.n) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return true;
}

struct parts { /* of a token */
    struct str head, payload, signature;
};

/* Three parts of base64url and nothing else: no padding, no blanks, no NUL. */
static bool split(struct str token, struct parts *out)
{
    struct str rest;

    if (!str_cut(token, '.', &out->head, &rest)) return false;
    if (!str_cut(rest, '.', &out->payload, &out->signature)) return false;
    return is_base64url(out->head) && is_base64url(out->payload) && is_base64url(out->signature);
}

static int decode_object(struct str part, struct sb *out, struct json *object)
{
    if (jwk_base64url(part, out) != OK || json_parse(sb_view(out), object) != OK) return ERR_AUTH;
    return object->type == JSON_OBJECT ? OK : ERR_AUTH;
}

/* A signature of another length than its algorithm makes is none: no library has to look at it. */
static bool is_signature(enum jwk_alg alg, struct str text)
{
    if (alg == JWK_HS256) return text.n == 43; /* 32 bytes */
    if (alg == JWK_ES256) return text.n == 86; /* 64 bytes */
    return text.n >= 342 && text.n <= 1366;    /* RSA of 2048 to 8192 bits */
}

/* crit names what a reader must understand, and we understand none (RFC 7515 4.1.11). */
static int read_head(struct str part, struct sb *scratch, enum jwk_alg *alg, struct str *kid)
{
    struct sb text = {0};
    struct json head, v;
    struct str name;
    int rc = decode_object(part, &text, &head);

    sb_reserve(scratch, 2 * part.n + 16);
    *kid = STR_NONE;
    if (rc != OK) goto out;
    rc = ERR_AUTH;
    if (json_member(head, STR("crit"), &v)) goto out;
    if (!json_member(head, STR("alg"), &v) || json_text(v, scratch, &name) != OK) goto out;
    if (!jwk_alg_of(name, alg)) goto out;
    if (json_member(head, STR("kid"), &v)) {
        if (json_text(v, scratch, &name) != OK) goto out;
        *kid = str_of(scratch->p + scratch->n, name.n); /* text is freed below */
        sb_str(scratch, name);
    }
    rc = OK;
out:
    sb_fini(&text);
    return rc;
}

/* A time claim: absent is fine (*has false), anything but a number is not. */
static int time_claim(struct json claims, struct str name, bool *has, double *seconds)
{
    struct json v;

    *has = json_member(claims, name, &v);
    if (!*has) return OK;
    return v.type == JSON_NUMBER && json_f64(v, seconds) ? OK : ERR_AUTH;
}

static int check_times(struct json claims, uint64_t wall_ms, uint64_t *expires_s)
{
    double now = (double)(wall_ms / 1000), exp = 0, nbf = 0;
    bool has_exp, has_nbf;

    if (time_claim(claims, STR("exp"), &has_exp, &exp) != OK) return ERR_AUTH;
    if (time_claim(claims, STR("nbf"), &has_nbf, &nbf) != OK) return ERR_AUTH;
    if (has_nbf && nbf > now + NBF_LEEWAY_S) return ERR_AUTH;
    *expires_s = 0;
    if (!has_exp) return OK;
    if (!(exp > now)) return ERR_EXPIRED;
    if (exp < 9e15) *expires_s = (uint64_t)exp;
    return OK;
}

/* A text that is exactly want, or with is_list a list that holds it (RFC 7519 4.1.3). */
static bool says(struct json claims, struct str name, struct str want, bool is_list)
{
    struct sb scratch = {0};
    struct json v, item;
    struct str text, rest;
    bool found = false;

    if (!json_member(claims, name, &v)) return false;
    if (v.type == JSON_STRING) {
        found = json_text(v, &scratch, &text) == OK && str_eq(text, want);
    } else if (v.type == JSON_ARRAY && is_list) {
        rest = json_begin(v);
        while (!found && json_next_item(&rest, &item)) {
            scratch.n = 0;
            found = json_text(item, &scratch, &text) == OK && str_eq(text, want);
        }
    }
    sb_fini(&scratch);
    return found;
}

static int check_names(const struct auth *a, struct json claims)
{
    struct str issuer = str_z(a->issuer), audience = str_z(a->audience);

    if (issuer.n && !says(claims, STR("iss"), issuer, false)) return ERR_AUTH;
    if (audience.n && !says(claims, STR("aud"), audience, true)) return ERR_AUTH;
    return OK;
}

static bool verify_with(const struct auth_key *key, const char *token)
{
    static const jwt_alg_t algs[JWK_ALG_COUNT] = {
        [JWK_HS256] = JWT_ALG_HS256, [JWK_RS256] = JWT_ALG_RS256, [JWK_ES256] = JWT_ALG_ES256};
    jwt_t *jwt = NULL;
    bool is_good = jwt_decode(&jwt, token, (const unsigned char *)key->text, key->n) == 0 &&
                   jwt_get_alg(jwt) == algs[key->alg];

    jwt_free(jwt);
    return is_good;
}

static int verify(const struct auth *a, struct str token, const struct parts *parts)
{
    struct sb scratch = {0};
    struct auth_key key;
    enum jwk_alg alg = JWK_HS256;
    struct str kid;
    char *z = NULL;
    unsigned i = 0;
    bool has_key = false;
    int rc = read_head(parts->head, &scratch, &alg, &kid);

    if (rc == OK && !is_signature(alg, parts->signature)) rc = ERR_AUTH;
    if (rc != OK) goto out;
    rc = ERR_AUTH;
    z = str_dup(token); /* libjwt wants a terminated string */
    while (rc != OK && auth_keys_next(a->keys, alg, kid, &i, &key)) {
        has_key = true;
        if (verify_with(&key, z)) rc = OK;
    }
    if (!has_key && kid.n) auth_jwks_want(a->jwks);
out:
    mem_free(z);
    sb_fini(&scratch);
    return rc;
}

static int check(const struct auth *a, struct str token, uint64_t wall_ms, struct identity **out)
{
    struct sb text = {0};
    struct json claims;
    struct parts parts;
    uint64_t expires_s = 0;
    int rc = ERR_AUTH;

    if (token.n > AUTH_TOKEN_MAX || !split(token, &parts)) return ERR_AUTH;
    if (verify(a, token, &parts) != OK) return ERR_AUTH;
    rc = decode_object(parts.payload, &text, &claims);
    if (rc == OK) rc = check_names(a, claims);
    if (rc == OK) rc = check_times(claims, wall_ms, &expires_s);
    if (rc == OK) rc = identity_from_claims(claims, out);
    if (rc == OK) (*out)->expires_s = expires_s;
    sb_fini(&text);
    return rc;
}

int auth_token_check(const struct auth *a, struct str token, uint64_t wall_ms,
                     struct identity **out)
{
    int rc;

    if (!auth_has_keys(a)) return ERR_UNAVAILABLE;
    auth_keys_refresh(a->keys, clock_ms());
    rc = check(a, token, wall_ms, out);
    metric_add_at(M_AUTH_TOKENS,
                  rc == OK            ? RESULT_OK
                  : rc == ERR_EXPIRED ? RESULT_EXPIRED
                                      : RESULT_INVALID,
                  1);
    return rc;
}

static int sign(const struct auth *a, struct str id, struct str name, uint64_t wall_ms,
                struct sb *out)
{
    struct sb claims = {0};
    jwt_t *jwt = NULL;
    char *text = NULL;
    int rc = ERR_UNAVAILABLE;

    if (!auth_has_secret(a)) return rc;
    sb_z(&claims, "{\"id\":");
    sb_json(&claims, id);
    sb_z(&claims, ",\"role\":\"user\",\"name\":");
    sb_json(&claims, name);
    sb_printf(&claims, ",\"exp\":%llu}", (unsigned long long)(wall_ms / 1000 + GUEST_TTL_S));
    sb_char(&claims, 0);
    if (jwt_new(&jwt) != 0 || jwt_add_grants_json(jwt, claims.p) != 0) goto out;
    if (jwt_set_alg(jwt, JWT_ALG_HS256, (const unsigned char *)a->secret, a->secret_len) != 0)
        goto out;
    text = jwt_encode_str(jwt);
    if (!text) goto out;
    sb_z(out, text);
    rc = OK;
out:
    free(text); /* allocated by libjwt */
    jwt_free(jwt);
    sb_fini(&claims);
    return rc;
}

int auth_token_sign_guest(const struct auth *a, struct str name, uint64_t wall_ms, struct sb *out)
{
    char id[14] = "guest-";

    rand_id(id + 6, 8);
    return sign(a, str_of(id, sizeof id), name, wall_ms, out);
}

int auth_token_sign_named(const struct auth *a, struct str name, uint64_t wall_ms, struct sb *out)
{
    struct sb id = {0};
    int rc;

    sb_z(&id, "demo-");
    for (size_t i = 0; i < name.n; i++)
        sb_char(&id, name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] | 0x20) : name.p[i]);
    rc = sign(a, sb_view(&id), name, wall_ms, out);
    sb_fini(&id);
    return rc;
}
