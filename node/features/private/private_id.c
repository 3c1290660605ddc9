/* See private_id.h. Numbers are spelt as JavaScript would compare them: 7, 7.0 and 7e0 are one. */
#include "node/features/private/private_id.h"

#include "base/json.h"

static void put_part(struct sb *b, struct str text)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '-' || c == '_' || c == '.' || c == '@') {
            sb_char(b, (char)c);
        } else {
            sb_char(b, '%');
            sb_char(b, digits[c >> 4]);
            sb_char(b, digits[c & 15]);
        }
    }
}

static int put_number(struct sb *b, struct json v)
{
    int64_t n;
    double d;

    if (json_i64(v, &n)) {
        sb_i64(b, n);
        return OK;
    }
    if (!json_f64(v, &d)) return ERR_SCHEMA;
    sb_printf(b, "%.17g", d);
    return OK;
}

/* Text and part into id->bytes; how long the text is. */
static int spell(struct private_id *id, struct json v, size_t *text_n)
{
    struct sb scratch = {0};
    struct str text;
    int rc;

    if (v.type == JSON_NUMBER) {
        rc = put_number(&id->bytes, v);
        *text_n = id->bytes.n;
        sb_char(&id->bytes, '#');
        if (rc == OK) rc = put_number(&id->bytes, v);
        return rc;
    }
    rc = json_text(v, &scratch, &text);
    if (rc == OK && !text.n) rc = ERR_SCHEMA;
    if (rc == OK) {
        sb_str(&id->bytes, text);
        *text_n = text.n;
        put_part(&id->bytes, text);
    }
    sb_fini(&scratch);
    return rc;
}

int private_id_init(struct private_id *id, struct str raw)
{
    struct json v;
    size_t text_n = 0, raw_at;
    struct str all;
    int rc;

    *id = (struct private_id){0};
    if (json_parse(raw, &v) != OK) return ERR_SCHEMA;
    rc = spell(id, v, &text_n);
    if (rc != OK) return rc;
    raw_at = id->bytes.n;
    sb_str(&id->bytes, v.raw);
    all = sb_view(&id->bytes);
    id->text = str_head(all, text_n);
    id->part = str_skip(str_head(all, raw_at), text_n);
    id->raw = str_skip(all, raw_at);
    return OK;
}

void private_id_fini(struct private_id *id)
{
    sb_fini(&id->bytes);
    *id = (struct private_id){0};
}

static bool is_before(struct str a, struct str b)
{
    int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

    return order < 0 || (order == 0 && a.n < b.n);
}

void private_conversation(struct str part_a, struct str part_b, struct sb *out)
{
    bool swap = is_before(part_b, part_a);

    sb_str(out, swap ? part_b : part_a);
    sb_char(out, ':');
    sb_str(out, swap ? part_a : part_b);
}

bool private_conversation_has(struct str conversation, struct str part)
{
    struct str a, b;

    (void)str_cut(conversation, ':', &a, &b);
    return str_eq(a, part) || str_eq(b, part);
}

struct str private_conversation_other(struct str conversation, struct str part)
{
    struct str a, b;

    (void)str_cut(conversation, ':', &a, &b);
    return str_eq(a, part) ? b : a;
}
