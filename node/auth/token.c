/* Tokens: signature by libjwt, claims by our own JSON reader. Never logs a token.
 *
 * libjwt 1.10 verifies nothing without a key, takes the algorithm from the token, and checks no
 * times: so a key is always given, the algorithm is compared afterwards, and exp and nbf are ours
 * (RFC 7519 4.1.4, 4.1.5). */
#include "node/auth/token.h"

#include <stdlib.h>
#include <jwt.h>
#include "base/conf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/rand.h"

enum { NBF_LEEWAY_S = 30, GUEST_TTL_S = 12 * 3600 };
enum result { RESULT_OK, RESULT_INVALID, RESULT_EXPIRED };

struct auth {
    char *secret;
    int secret_len;
};

struct auth *auth_new(const struct conf *c)
{
    static const char *const results[] = {
        [RESULT_OK] = "ok", [RESULT_INVALID] = "auth_invalid", [RESULT_EXPIRED] = "auth_expired"};
    struct auth *a = MEM_NEW(struct auth);

    a->secret = str_dup(str_z(c->jwt_secret));
    a->secret_len = (int)strlen(a->secret);
    metric_labels(M_AUTH_TOKENS, results, 3);
    return a;
}

void auth_free(struct auth *a)
{
    if (!a) return;
    explicit_bzero(a->secret, (size_t)a->secret_len);
    mem_free(a->secret);
    mem_free(a);
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

/* Three parts of base64url and nothing else: no padding, no blanks, no NUL. */
static bool split(struct str token, struct str *payload)
{
    struct str head, rest, signature;

    if (!str_cut(token, '.', &head, &rest)) return false;
    if (!str_cut(rest, '.', payload, &signature)) return false;
    return is_base64url(head) && is_base64url(*payload) && is_base64url(signature);
}

static int decode_claims(struct str payload, struct sb *out, struct json *claims)
{
    struct sb text = {0};
    int rc;

    for (size_t i = 0; i < payload.n; i++)
        sb_char(&text, payload.p[i] == '-' ? '+' : payload.p[i] == '_' ? '/' : payload.p[i]);
    while (text.n % 4)
        sb_char(&text, '=');
    rc = sb_base64_decode(out, sb_view(&text));
    sb_fini(&text);
    if (rc == OK) rc = json_parse(sb_view(out), claims);
    return rc == OK && claims->type == JSON_OBJECT ? OK : ERR_AUTH;
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

static int verify(const struct auth *a, struct str token)
{
    jwt_t *jwt = NULL;
    char *z = str_dup(token); /* libjwt wants a terminated string */
    int rc = ERR_AUTH;

    if (jwt_decode(&jwt, z, (const unsigned char *)a->secret, a->secret_len) != 0) goto out;
    if (jwt_get_alg(jwt) != JWT_ALG_HS256) goto out; /* "none" and swapped algorithms end here */
    rc = OK;
out:
    jwt_free(jwt);
    mem_free(z);
    return rc;
}

static int check(const struct auth *a, struct str token, uint64_t wall_ms, struct identity **out)
{
    struct sb text = {0};
    struct json claims;
    struct str payload;
    uint64_t expires_s = 0;
    int rc = ERR_AUTH;

    if (token.n > AUTH_TOKEN_MAX || !split(token, &payload)) return ERR_AUTH;
    if (verify(a, token) != OK) return ERR_AUTH;
    rc = decode_claims(payload, &text, &claims);
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

    if (!a->secret_len) return ERR_UNAVAILABLE;
    rc = check(a, token, wall_ms, out);
    metric_add_at(M_AUTH_TOKENS,
                  rc == OK            ? RESULT_OK
                  : rc == ERR_EXPIRED ? RESULT_EXPIRED
                                      : RESULT_INVALID,
                  1);
    return rc;
}

int auth_token_sign_guest(const struct auth *a, struct str name, uint64_t wall_ms, struct sb *out)
{
    struct sb claims = {0};
    char id[8];
    jwt_t *jwt = NULL;
    char *text = NULL;
    int rc = ERR_UNAVAILABLE;

    if (!auth_has_secret(a)) return rc;
    rand_id(id, sizeof id);
    sb_z(&claims, "{\"id\":\"guest-");
    sb_put(&claims, id, sizeof id);
    sb_z(&claims, "\",\"role\":\"user\",\"name\":");
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
