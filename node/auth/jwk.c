/* JWK ↔ PEM by hand: a SubjectPublicKeyInfo is four nested headers around the numbers. */
#include "node/auth/jwk.h"

enum {
    RSA_MIN_BYTES = 256, /* 2048 bits, RFC 7518 3.3 */
    RSA_MAX_BYTES = 1024,
    E_MAX_BYTES = 8,
    POINT_BYTES = 32, /* P-256 */
    PEM_MAX = 8192,
    LINE = 64,
    DER_SEQUENCE = 0x30,
    DER_INTEGER = 0x02,
    DER_BITS = 0x03,
};

/* AlgorithmIdentifier of rsaEncryption, with its NULL, and of id-ecPublicKey on prime256v1. */
static const char rsa_id[] = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
static const char p256_id[] =
    "\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";

bool jwk_alg_of(struct str name, enum jwk_alg *out)
{
    static const struct str names[JWK_ALG_COUNT] = {
        [JWK_HS256] = {"HS256", 5}, [JWK_RS256] = {"RS256", 5}, [JWK_ES256] = {"ES256", 5}};

    for (int i = 0; i < JWK_ALG_COUNT; i++) {
        if (!str_eq(name, names[i])) continue;
        *out = (enum jwk_alg)i;
        return true;
    }
    return false;
}

int jwk_base64url(struct str text, struct sb *out)
{
    struct sb standard = {0};
    int rc = text.n ? OK : ERR_PROTO;

    for (size_t i = 0; rc == OK && i < text.n; i++) {
        char c = text.p[i];

        if (c == '+' || c == '/' || c == '=') rc = ERR_PROTO;
        sb_char(&standard, c == '-' ? '+' : c == '_' ? '/' : c);
    }
    while (standard.n % 4)
        sb_char(&standard, '=');
    if (rc == OK) rc = sb_base64_decode(out, sb_view(&standard));
    sb_fini(&standard);
    return rc;
}

/* ---- writing DER (X.690 8.1) ---- */

static void put_header(struct sb *out, int tag, size_t n)
{
    sb_char(out, (char)tag);
    if (n >= 256) {
        sb_char(out, (char)0x82);
        sb_char(out, (char)(n >> 8));
    } else if (n >= 128) {
        sb_char(out, (char)0x81);
    }
    sb_char(out, (char)n);
}

static void put_integer(struct sb *out, struct str n)
{
    bool is_high = ((unsigned char)n.p[0] & 0x80) != 0; /* it would be negative */

    put_header(out, DER_INTEGER, n.n + is_high);
    if (is_high) sb_char(out, 0);
    sb_str(out, n);
}

/* SubjectPublicKeyInfo around the bits, as PEM. */
static void put_pem(struct sb *out, struct str id, struct str bits)
{
    struct sb inner = {0}, der = {0}, text = {0};
    struct str rest;

    sb_str(&inner, id);
    put_header(&inner, DER_BITS, bits.n + 1);
    sb_char(&inner, 0); /* no unused bits */
    sb_str(&inner, bits);
    put_header(&der, DER_SEQUENCE, inner.n);
    sb_str(&der, sb_view(&inner));
    sb_base64(&text, sb_view(&der));
    sb_z(out, "-----BEGIN PUBLIC KEY-----\n");
    for (rest = sb_view(&text); rest.n; rest = str_skip(rest, LINE)) {
        sb_str(out, str_head(rest, LINE));
        sb_char(out, '\n');
    }
    sb_z(out, "-----END PUBLIC KEY-----\n");
    sb_char(out, 0);
    sb_fini(&inner);
    sb_fini(&der);
    sb_fini(&text);
}

/* ---- one key of a set ---- */

static struct str text_member(struct json jwk, struct str name, struct sb *scratch)
{
    struct json v;
    struct str text;

    if (!json_member(jwk, name, &v) || v.type != JSON_STRING) return STR_NONE;
    return json_text(v, scratch, &text) == OK ? text : STR_NONE;
}

/* An absent member fits. */
static bool fits(struct json jwk, struct str name, struct str want)
{
    struct sb scratch = {0};
    struct json v;
    bool is_good = !json_member(jwk, name, &v) || str_eq(text_member(jwk, name, &scratch), want);

    sb_fini(&scratch);
    return is_good;
}

/* A number without its leading zeros: a DER integer has none. */
static int number_member(struct json jwk, struct str name, struct sb *out, struct str *number)
{
    struct sb scratch = {0};
    int rc = jwk_base64url(text_member(jwk, name, &scratch), out);

    sb_fini(&scratch);
    if (rc != OK) return ERR_AUTH;
    *number = sb_view(out);
    while (number->n && number->p[0] == 0)
        *number = str_skip(*number, 1);
    return number->n ? OK : ERR_AUTH;
}

static int rsa_to_pem(struct json jwk, struct sb *pem)
{
    struct sb n_bytes = {0}, e_bytes = {0}, both = {0}, bits = {0};
    struct str n, e;
    int rc = number_member(jwk, STR("n"), &n_bytes, &n);

    if (rc == OK) rc = number_member(jwk, STR("e"), &e_bytes, &e);
    if (rc == OK && (n.n < RSA_MIN_BYTES || n.n > RSA_MAX_BYTES || e.n > E_MAX_BYTES ||
                     (e.n == 1 && (unsigned char)e.p[0] < 3)))
        rc = ERR_AUTH;
    if (rc == OK) {
        put_integer(&both, n);
        put_integer(&both, e);
        put_header(&bits, DER_SEQUENCE, both.n);
        sb_str(&bits, sb_view(&both));
        put_pem(pem, str_of(rsa_id, sizeof rsa_id - 1), sb_view(&bits));
    }
    sb_fini(&n_bytes);
    sb_fini(&e_bytes);
    sb_fini(&both);
    sb_fini(&bits);
    return rc;
}

static int ec_to_pem(struct json jwk, struct sb *pem)
{
    struct sb scratch = {0}, point = {0};
    int rc = OK;

    sb_char(&point, 4); /* uncompressed, SEC 1 2.3.3; coordinates keep their zeros */
    if (jwk_base64url(text_member(jwk, STR("x"), &scratch), &point) != OK ||
        point.n != 1 + POINT_BYTES)
        rc = ERR_AUTH;
    scratch.n = 0;
    if (rc == OK && (jwk_base64url(text_member(jwk, STR("y"), &scratch), &point) != OK ||
                     point.n != 1 + 2 * POINT_BYTES))
        rc = ERR_AUTH;
    if (rc == OK) put_pem(pem, str_of(p256_id, sizeof p256_id - 1), sb_view(&point));
    sb_fini(&scratch);
    sb_fini(&point);
    return rc;
}

int jwk_to_pem(struct json jwk, enum jwk_alg *alg, struct sb *pem)
{
    struct sb scratch = {0};
    struct str kind;
    int rc = ERR_NOT_FOUND;

    if (jwk.type != JSON_OBJECT) return ERR_AUTH;
    kind = text_member(jwk, STR("kty"), &scratch);
    if (!fits(jwk, STR("use"), STR("sig"))) {
        rc = ERR_NOT_FOUND;
    } else if (str_eq(kind, STR("RSA")) && fits(jwk, STR("alg"), STR("RS256"))) {
        *alg = JWK_RS256;
        rc = rsa_to_pem(jwk, pem);
    } else if (str_eq(kind, STR("EC")) && fits(jwk, STR("crv"), STR("P-256")) &&
               fits(jwk, STR("alg"), STR("ES256"))) {
        *alg = JWK_ES256;
        rc = ec_to_pem(jwk, pem);
    }
    sb_fini(&scratch);
    return rc;
}

/* ---- reading a PEM ---- */

/* Header of one DER element with this tag: the content, which must not reach past der. */
static bool der_open(struct str der, int tag, struct str *content)
{
    size_t n, head = 2;

    if (der.n < 2 || (unsigned char)der.p[0] != tag) return false;
    n = (unsigned char)der.p[1];
    if (n >= 0x80) {
        size_t bytes = n & 0x7f;

        if (bytes < 1 || bytes > 2 || der.n < 2 + bytes) return false;
        n = 0;
        for (size_t i = 0; i < bytes; i++)
            n = n << 8 | (unsigned char)der.p[2 + i];
        head += bytes;
    }
    if (der.n - head < n) return false;
    *content = str_of(der.p + head, n);
    return true;
}

static bool is_strong_rsa(struct str bits)
{
    struct str both, n;

    if (bits.n < 1 || bits.p[0] != 0) return false;
    if (!der_open(str_skip(bits, 1), DER_SEQUENCE, &both)) return false;
    if (!der_open(both, DER_INTEGER, &n)) return false;
    while (n.n && n.p[0] == 0)
        n = str_skip(n, 1);
    return n.n >= RSA_MIN_BYTES && n.n <= RSA_MAX_BYTES;
}

static int der_alg(struct str der, enum jwk_alg *out)
{
    struct str info, bits, rsa = str_of(rsa_id, sizeof rsa_id - 1),
                           p256 = str_of(p256_id, sizeof p256_id - 1);

    if (!der_open(der, DER_SEQUENCE, &info)) return ERR_AUTH;
    if (str_starts(info, rsa) && der_open(str_skip(info, rsa.n), DER_BITS, &bits) &&
        is_strong_rsa(bits)) {
        *out = JWK_RS256;
        return OK;
    }
    if (str_starts(info, p256) && der_open(str_skip(info, p256.n), DER_BITS, &bits) &&
        bits.n == 2 + 2 * POINT_BYTES) {
        *out = JWK_ES256;
        return OK;
    }
    return ERR_AUTH;
}

int jwk_pem_alg(struct str pem, enum jwk_alg *out)
{
    struct sb text = {0}, der = {0};
    struct str line;
    bool is_inside = false, is_whole = false;
    int rc = ERR_AUTH;

    if (pem.n > PEM_MAX) return ERR_AUTH;
    while (!is_whole && str_next(&pem, '\n', &line)) {
        if (line.n && line.p[line.n - 1] == '\r') line.n--;
        if (str_eq(line, STR("-----BEGIN PUBLIC KEY-----")))
            is_inside = true;
        else if (is_inside && str_eq(line, STR("-----END PUBLIC KEY-----")))
            is_whole = true;
        else if (is_inside)
            sb_str(&text, line);
    }
    if (is_whole && sb_base64_decode(&der, sb_view(&text)) == OK) rc = der_alg(sb_view(&der), out);
    sb_fini(&text);
    sb_fini(&der);
    return rc;
}
