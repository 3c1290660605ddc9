/* One code for one token of a superadmin, for half a day. */
#include "contacts/pages/login.h"

#include "base/clock.h"
#include "base/hmac.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"

enum { LIVES_S = 12 * 3600, CODE_MIN = 16, BODY_MAX = 512 };

struct login {
    const struct conf *conf;
    bool is_used;
};

struct login *login_new(const struct conf *c)
{
    struct login *l;

    if (!c->dev || str_z(c->dev_login).n < CODE_MIN || !c->jwt_secret[0]) return NULL;
    l = MEM_NEW(struct login);
    l->conf = c;
    LOG_WARN("login.dev", LOG_Z("path", "/dev/login"));
    return l;
}

void login_free(struct login *l)
{
    mem_free(l);
}

/* base64url without padding (RFC 7515, appendix C). */
static void put_base64url(struct sb *b, struct str bytes)
{
    size_t start = b->n;

    sb_base64(b, bytes);
    while (b->n > start && b->p[b->n - 1] == '=')
        b->n--;
    for (size_t i = start; i < b->n; i++)
        b->p[i] = b->p[i] == '+' ? '-' : b->p[i] == '/' ? '_' : b->p[i];
}

/* RFC 7515, HS256. */
static void put_token(const struct login *l, struct sb *out)
{
    unsigned char mac[HMAC_SHA256_SIZE];
    uint64_t now_s = clock_wall_ms() / 1000;
    const struct conf *c = l->conf;
    struct sb claims = {0}, text = {0};

    sb_z(&claims, "{\"id\":\"dev-admin\",\"name\":\"Developer\",\"role\":\"superadmin\"");
    if (c->jwt_issuer[0]) {
        sb_z(&claims, ",\"iss\":");
        sb_json(&claims, str_z(c->jwt_issuer));
    }
    if (c->jwt_audience[0]) {
        sb_z(&claims, ",\"aud\":");
        sb_json(&claims, str_z(c->jwt_audience));
    }
    sb_printf(&claims, ",\"iat\":%llu,\"exp\":%llu}", (unsigned long long)now_s,
              (unsigned long long)now_s + LIVES_S);
    put_base64url(&text, STR("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"));
    sb_char(&text, '.');
    put_base64url(&text, sb_view(&claims));
    hmac_sha256(str_z(c->jwt_secret), sb_view(&text), mac);
    sb_str(out, sb_view(&text));
    sb_char(out, '.');
    put_base64url(out, str_of(mac, sizeof mac));
    sb_fini(&claims);
    sb_fini(&text);
}

static void answer(struct pipe *p, int status, struct str body)
{
    pipe_reply(p, &(struct http_reply){.status = status,
                                       .content_type = STR("application/json"),
                                       .headers = STR("Cache-Control: no-store\r\n"),
                                       .body = body});
}

bool login_on_request(struct login *l, struct pipe *p, const struct http_request *r)
{
    if (!l || !str_eq(r->path, STR("/dev/login"))) return false;
    if (r->method != HTTP_POST || !r->has_body)
        answer(p, 405, STR("{\"error\":\"POST a code\"}"));
    else
        p->user = l;
    return true;
}

bool login_on_body(struct login *l, struct pipe *p, int rc, struct str body)
{
    struct sb scratch = {0}, out = {0};
    struct str code = STR_NONE;
    struct json v, item;

    if (!l || p->user != l) return false;
    p->user = NULL;
    if (rc != OK || body.n > BODY_MAX || json_parse(body, &v) != OK || v.type != JSON_OBJECT ||
        !json_member(v, STR("code"), &item) || json_text(item, &scratch, &code) != OK) {
        answer(p, 400, STR("{\"error\":\"a code is needed\"}"));
    } else if (l->is_used || !hmac_is_same(code, str_z(l->conf->dev_login))) {
        answer(p, 403, STR("{\"error\":\"not a code, or used already\"}"));
    } else {
        l->is_used = true;
        sb_z(&out, "{\"token\":\"");
        put_token(l, &out);
        sb_z(&out, "\"}");
        answer(p, 200, sb_view(&out));
    }
    sb_fini(&scratch);
    sb_fini(&out);
    return true;
}
