/* Signatures of webhooks. Source: the Standard Webhooks specification, "Signature scheme". */
#include "contacts/notice/sign.h"

#include "base/hmac.h"
#include "base/forbid.h"

static int sign_with(struct str secret, struct str content, struct sb *out)
{
    static const struct str prefix = {"whsec_", 6};
    unsigned char sum[HMAC_SHA256_SIZE];
    struct sb key = {0};
    int rc = OK;

    if (str_starts(secret, prefix))
        rc = sb_base64_decode(&key, str_skip(secret, prefix.n));
    else
        sb_str(&key, secret);
    if (rc != OK || !key.n) {
        rc = ERR_CONFIG;
        goto out;
    }
    hmac_sha256(sb_view(&key), content, sum);
    sb_z(out, "v1,");
    sb_base64(out, str_of(sum, sizeof sum));
out:
    if (key.p) explicit_bzero(key.p, key.cap);
    sb_fini(&key);
    return rc;
}

int notice_sign(struct str secrets, struct str id, uint64_t timestamp_s, struct str body,
                struct sb *out)
{
    struct sb content = {0};
    struct str rest = secrets, secret;
    size_t before = out->n;
    int rc = OK;

    sb_str(&content, id);
    sb_char(&content, '.');
    sb_u64(&content, timestamp_s);
    sb_char(&content, '.');
    sb_str(&content, body);
    while (rc == OK && str_next(&rest, ' ', &secret)) {
        if (!secret.n) continue;
        if (out->n > before) sb_char(out, ' ');
        rc = sign_with(secret, sb_view(&content), out);
    }
    if (rc == OK && out->n == before) rc = ERR_CONFIG;
    if (rc != OK) out->n = before;
    sb_fini(&content);
    return rc;
}
