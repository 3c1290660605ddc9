/* Entries of kind "webhook": a signed POST to one of WEBHOOK_URLS. Only the operator's options say
 * where; an entry names its URL by a sum of it, so that no address is kept in the store. */
#include "contacts/notice/notice_priv.h"

#include "base/clock.h"
#include "base/hmac.h"
#include "base/mem.h"
#include "contacts/notice/sign.h"

enum { ANSWER_MAX = 4096, LEASE_SPARE_MS = 1000, SECRET_MIN = 24, STATUS_GONE = 410 };

/* ---- options ---- */

static void name_hook(struct notice_hook *h)
{
    unsigned char sum[HMAC_SHA256_SIZE];
    static const char digits[] = "0123456789abcdef";

    hmac_sha256(STR("webhook"), str_z(h->url), sum);
    for (unsigned i = 0; i < NOTICE_HOOK_ID; i++)
        h->id[i] = digits[i % 2 ? sum[i / 2] & 15 : sum[i / 2] >> 4];
}

static bool is_url(struct str url)
{
    for (size_t i = 0; i < url.n; i++)
        if ((unsigned char)url.p[i] <= ' ' || (unsigned char)url.p[i] > '~') return false;
    return (str_starts_nocase(url, STR("https://")) && url.n > 8) ||
           (str_starts_nocase(url, STR("http://")) && url.n > 7);
}

int notice_webhooks_open(struct notice *n, struct sb *why)
{
    struct str rest = str_z(n->conf->webhook_urls), url;
    struct sb probe = {0};
    int rc = OK;

    while (rest.n && str_next(&rest, ',', &url)) {
        struct notice_hook *h = &n->webhooks[n->webhooks_count];

        url = str_trim(url);
        if (!url.n) continue;
        if (!is_url(url) || n->webhooks_count == NOTICE_HOOKS_MAX) {
            sb_printf(why, "WEBHOOK_URLS: %d URLs of http or https at the most, between commas",
                      NOTICE_HOOKS_MAX);
            return ERR_CONFIG;
        }
        h->url = str_dup(url);
        name_hook(h);
        n->webhooks_count++;
    }
    if (!n->webhooks_count) return OK;
    if (strlen(n->conf->webhook_secret) < SECRET_MIN)
        rc = ERR_CONFIG;
    else
        rc = notice_sign(str_z(n->conf->webhook_secret), STR("i"), 0, STR("b"), &probe);
    sb_fini(&probe);
    if (rc != OK)
        sb_printf(why,
                  "WEBHOOK_SECRET: %d characters or more, or whsec_ and base64; webhooks are "
                  "signed with it",
                  SECRET_MIN);
    return rc;
}

void notice_webhooks_close(struct notice *n)
{
    for (unsigned i = 0; i < n->webhooks_count; i++)
        mem_free(n->webhooks[i].url);
}

/* ---- sending ---- */

static const struct notice_hook *find(const struct notice *n, struct str id)
{
    for (unsigned i = 0; i < n->webhooks_count; i++)
        if (str_eq(str_z(n->webhooks[i].id), id)) return &n->webhooks[i];
    return NULL;
}

static void on_answer(void *ctx, const struct outbound_answer *a)
{
    struct notice_letter *l = ctx;
    struct sb why = {0};

    l->call = NULL;
    if (a->rc == OK && a->status >= 200 && a->status < 300) {
        notice_told(l);
        return;
    }
    if (a->rc == OK)
        sb_printf(&why, "status %u", a->status);
    else
        sb_z(&why, a->why);
    if (a->rc == OK && a->status == STATUS_GONE)
        notice_give_up(l, sb_view(&why)); /* it says that it will never want it */
    else
        notice_failed(l, sb_view(&why), a->retry_after_s);
    sb_fini(&why);
}

static void post(struct notice_letter *l)
{
    const struct notice_hook *hook = find(l->notice, l->entry.target);
    const struct conf *c = l->notice->conf;
    uint64_t now_s = clock_wall_ms() / 1000;
    struct sb id = {0}, at = {0}, signature = {0};
    int rc;

    sb_z(&id, "webhook-id: ");
    sb_str(&id, l->entry.id);
    sb_char(&id, 0);
    sb_printf(&at, "webhook-timestamp: %llu", (unsigned long long)now_s);
    sb_char(&at, 0);
    sb_z(&signature, "webhook-signature: ");
    rc = notice_sign(str_z(c->webhook_secret), l->entry.id, now_s, l->entry.payload, &signature);
    sb_char(&signature, 0);
    if (rc == OK) {
        const char *const headers[] = {"Content-Type: application/json", id.p, at.p, signature.p,
                                       NULL};
        const struct outbound_request r = {.url = hook->url,
                                           .headers = headers,
                                           .body = l->entry.payload,
                                           .timeout_ms = c->webhook_timeout_ms,
                                           .max_bytes = ANSWER_MAX};

        l->call = outbound_http(l->notice->out, &r, on_answer, l);
    } else {
        notice_failed(l, STR("WEBHOOK_SECRET cannot be used"), 0);
    }
    sb_fini(&id);
    sb_fini(&at);
    sb_fini(&signature);
}

void notice_webhook_send(struct notice_letter *l)
{
    if (find(l->notice, l->entry.target))
        notice_keep(l, l->notice->conf->webhook_timeout_ms + LEASE_SPARE_MS, post);
    else
        notice_give_up(l, STR("WEBHOOK_URLS does not name it any more"));
}
