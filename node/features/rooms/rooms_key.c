/* Spelt in one way: "\u0041" and "A", 7 and 7.0 are one user. */
#include "node/features/rooms/rooms_key.h"

#include "base/json.h"
#include "base/sha1.h"
#include "node/auth/identity.h"

static int put_number(struct json v, struct sb *out)
{
    int64_t n;
    double d;

    if (json_i64(v, &n)) {
        sb_i64(out, n);
        return OK;
    }
    if (!json_f64(v, &d)) return ERR_SCHEMA;
    sb_printf(out, "%.17g", d);
    return OK;
}

int rooms_key_user(struct str raw_id, struct sb *out)
{
    struct sb scratch = {0};
    struct json v;
    struct str text;
    int rc = json_parse(raw_id, &v);

    if (rc == OK) sb_char(out, 'u');
    if (rc == OK && v.type == JSON_NUMBER) {
        rc = put_number(v, out);
    } else if (rc == OK) {
        rc = json_text(v, &scratch, &text);
        if (rc == OK) sb_json(out, text);
    }
    sb_fini(&scratch);
    return rc == OK ? OK : ERR_SCHEMA;
}

void rooms_key_put(const struct identity *who, struct str socket_id, struct sb *out)
{
    unsigned char sum[SHA1_SIZE];

    if (who->id.n && rooms_key_user(who->id, out) == OK) return;
    sha1(socket_id, sum);
    sb_char(out, 'g');
    for (int i = 0; i < (ROOMS_GUEST_KEY - 1) / 2; i++)
        sb_printf(out, "%02x", sum[i]);
}

bool rooms_key_is_guest(struct str key)
{
    if (key.n != ROOMS_GUEST_KEY || key.p[0] != 'g') return false;
    for (size_t i = 1; i < key.n; i++)
        if (str_hex_digit(key.p[i]) < 0) return false;
    return true;
}
