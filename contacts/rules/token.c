/* See token.h. What is signed is the purpose, the time and the id as they stand in the token: each
 * is of an alphabet without the point between them, so no two tokens are the same text. */
#include "contacts/rules/token.h"

#include <stdio.h>
#include "base/forbid.h"

enum { SIGNATURE_TEXT = 43, LOCAL_MAX = 64 };

static const char *const purposes[TOKEN_PURPOSES] = {[TOKEN_CHAT] = "chat", [TOKEN_RATE] = "rate"};

void token_keys_init(struct token_keys *k, const char *secret, const char *previous)
{
    const char *both[] = {secret, previous};

    *k = (struct token_keys){0};
    for (int i = 0; i < 2; i++)
        if (both[i] && both[i][0])
            hmac_sha256(str_z(both[i]), STR("ingoma contacts links 1"), k->keys[k->count++]);
}

static bool is_id(struct str id)
{
    if (!id.n || id.n > TOKEN_ID_MAX) return false;
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-'))
            return false;
    }
    return true;
}

static void put_signature(const unsigned char key[HMAC_SHA256_SIZE], struct str signed_text,
                          char out[SIGNATURE_TEXT])
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char sum[HMAC_SHA256_SIZE + 1] = {0};

    hmac_sha256(str_of(key, HMAC_SHA256_SIZE), signed_text, sum);
    for (int i = 0; i < SIGNATURE_TEXT; i++) {
        int bit = i * 6;
        unsigned two = (unsigned)sum[bit / 8] << 8 | sum[bit / 8 + 1];

        out[i] = alphabet[two >> (10 - bit % 8) & 63];
    }
}

int token_sign(const struct token_keys *k, enum token_purpose purpose, struct str id,
               uint64_t expires_s, struct sb *out)
{
    size_t start = out->n;
    char signature[SIGNATURE_TEXT];

    if (!k->count) return ERR_CONFIG;
    if (!is_id(id)) return ERR_SCHEMA;
    sb_printf(out, "%s.%llu." STR_FMT, purposes[purpose], (unsigned long long)expires_s,
              STR_ARG(id));
    put_signature(k->keys[0], str_skip(sb_view(out), start), signature);
    sb_char(out, '.');
    sb_put(out, signature, sizeof signature);
    return OK;
}

int token_check(const struct token_keys *k, enum token_purpose purpose, struct str token,
                uint64_t now_s, struct str *id)
{
    struct str rest, word, time, found, signature;
    uint64_t expires_s;
    bool is_ours = false;

    if (!str_cut(token, '.', &word, &rest) || !str_eq(word, str_z(purposes[purpose])))
        return ERR_AUTH;
    if (!str_cut(rest, '.', &time, &rest) || str_u64(time, UINT64_MAX, &expires_s) != OK)
        return ERR_AUTH;
    if (!str_cut(rest, '.', &found, &signature) || !is_id(found)) return ERR_AUTH;
    if (signature.n != SIGNATURE_TEXT || time.n > 20) return ERR_AUTH;
    for (unsigned i = 0; i < k->count; i++) {
        char want[SIGNATURE_TEXT];

        put_signature(k->keys[i], str_head(token, token.n - SIGNATURE_TEXT - 1), want);
        is_ours |= hmac_is_same(signature, str_of(want, sizeof want));
    }
    if (!is_ours) return ERR_AUTH;
    if (now_s >= expires_s) return ERR_EXPIRED;
    *id = found;
    return OK;
}

/* Base32 in lower case (RFC 4648 6): mail servers may change the case. */
static void put_mail_mac(const unsigned char key[HMAC_SHA256_SIZE], struct str id,
                         char out[TOKEN_MAIL_MAC])
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned char sum[HMAC_SHA256_SIZE];
    char text[8 + TOKEN_ID_MAX];
    int n = snprintf(text, sizeof text, "mail." STR_FMT, STR_ARG(id));

    hmac_sha256(str_of(key, HMAC_SHA256_SIZE), str_of(text, (size_t)n), sum);
    for (int i = 0; i < TOKEN_MAIL_MAC; i++) {
        int bit = i * 5;
        unsigned two = (unsigned)sum[bit / 8] << 8 | sum[bit / 8 + 1];

        out[i] = alphabet[two >> (11 - bit % 8) & 31];
    }
}

/* Lower case; false: it would not fit. */
static bool put_lower(struct str s, char *out, size_t max)
{
    if (s.n > max) return false;
    for (size_t i = 0; i < s.n; i++)
        out[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + 32 : s.p[i]);
    return true;
}

int token_mail_sign(const struct token_keys *k, struct str mailbox, struct str id, struct sb *out)
{
    struct str local, domain;
    char lower[TOKEN_ID_MAX], mac[TOKEN_MAIL_MAC];

    if (!k->count) return ERR_CONFIG;
    if (!is_id(id) || !put_lower(id, lower, sizeof lower)) return ERR_SCHEMA;
    if (!str_cut(mailbox, '@', &local, &domain) || !local.n || !domain.n) return ERR_SCHEMA;
    if (local.n + 1 + id.n + 1 + TOKEN_MAIL_MAC > LOCAL_MAX) return ERR_TOO_BIG;
    put_mail_mac(k->keys[0], str_of(lower, id.n), mac);
    sb_printf(out, STR_FMT "+%.*s.%.*s@" STR_FMT, STR_ARG(local), (int)id.n, lower, TOKEN_MAIL_MAC,
              mac, STR_ARG(domain));
    return OK;
}

int token_mail_check(const struct token_keys *k, struct str address, char id_bytes[TOKEN_ID_MAX],
                     struct str *id)
{
    struct str local, domain, box, rest, found, mac;
    char lower[TOKEN_MAIL_MAC], want[TOKEN_MAIL_MAC];
    bool is_ours = false;

    if (!str_cut(address, '@', &local, &domain) || !str_cut(local, '+', &box, &rest))
        return ERR_AUTH;
    if (!str_cut(rest, '.', &found, &mac) || mac.n != TOKEN_MAIL_MAC || !is_id(found))
        return ERR_AUTH;
    if (!put_lower(found, id_bytes, TOKEN_ID_MAX) || !put_lower(mac, lower, sizeof lower))
        return ERR_AUTH;
    for (unsigned i = 0; i < k->count; i++) {
        put_mail_mac(k->keys[i], str_of(id_bytes, found.n), want);
        is_ours |= hmac_is_same(str_of(lower, sizeof lower), str_of(want, sizeof want));
    }
    if (!is_ours) return ERR_AUTH;
    *id = str_of(id_bytes, found.n);
    return OK;
}
