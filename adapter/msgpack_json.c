/* JSON text to MessagePack and back. Recursion is bounded by JSON_DEPTH_MAX on both ways. */
#include "adapter/msgpack_json.h"

#include <math.h>
#include <stdlib.h>

#include "adapter/msgpack.h"
#include "base/json.h"
#include "base/forbid.h"

/* ---- JSON to MessagePack ---- */

struct writer {
    const struct str *attachments;
    unsigned attachments_count;
    struct sb *out;
    struct sb scratch;
};

static int write_value(struct writer *w, struct json v);

static int write_text(struct writer *w, struct json v)
{
    struct str s;
    int rc;

    w->scratch.n = 0;
    rc = json_text(v, &w->scratch, &s);
    if (rc == OK) msgpack_put_str(w->out, s);
    return rc;
}

static int write_number(struct writer *w, struct json v)
{
    int64_t i;
    uint64_t u;
    double f;

    if (json_i64(v, &i))
        msgpack_put_int(w->out, i);
    else if (str_u64(v.raw, UINT64_MAX, &u) == OK)
        msgpack_put_uint(w->out, u);
    else if (json_f64(v, &f) && isfinite(f))
        msgpack_put_float(w->out, f);
    else
        msgpack_put_nil(w->out); /* 1e999: JSON has no infinity */
    return OK;
}

/* The attachment that an object stands for; NULL for a plain object. */
static const struct str *placeholder(const struct writer *w, struct json v)
{
    struct json flag, num;
    int64_t i;
    bool is;

    if (!w->attachments_count || !json_member(v, STR("_placeholder"), &flag)) return NULL;
    if (!json_bool(flag, &is) || !is) return NULL;
    if (!json_member(v, STR("num"), &num) || !json_i64(num, &i)) return NULL;
    return i >= 0 && i < (int64_t)w->attachments_count ? &w->attachments[i] : NULL;
}

static int write_object(struct writer *w, struct json v)
{
    const struct str *bytes = placeholder(w, v);
    struct str rest = json_begin(v), key;
    struct json value;
    int rc = OK;

    if (bytes) {
        msgpack_put_bin(w->out, *bytes);
        return OK;
    }
    msgpack_put_map(w->out, json_count(v));
    while (rc == OK && json_next_member(&rest, &key, &value)) {
        rc = write_text(w, (struct json){JSON_STRING, key});
        if (rc == OK) rc = write_value(w, value);
    }
    return rc;
}

static int write_array(struct writer *w, struct json v)
{
    struct str rest = json_begin(v);
    struct json item;
    int rc = OK;

    msgpack_put_array(w->out, json_count(v));
    while (rc == OK && json_next_item(&rest, &item))
        rc = write_value(w, item);
    return rc;
}

static int write_value(struct writer *w, struct json v) /* json_parse bounded the depth */
{
    switch (v.type) {
    case JSON_NULL:
        msgpack_put_nil(w->out);
        return OK;
    case JSON_BOOL:
        msgpack_put_bool(w->out, v.raw.p[0] == 't');
        return OK;
    case JSON_NUMBER:
        return write_number(w, v);
    case JSON_STRING:
        return write_text(w, v);
    case JSON_ARRAY:
        return write_array(w, v);
    case JSON_OBJECT:
    default:
        return write_object(w, v);
    }
}

int msgpack_from_json(struct str text, const struct str *attachments, unsigned count,
                      struct sb *out)
{
    return msgpack_from_json_deep(text, JSON_DEPTH_MAX, attachments, count, out);
}

int msgpack_from_json_deep(struct str text, int depth_max, const struct str *attachments,
                           unsigned count, struct sb *out)
{
    struct writer w = {.attachments = attachments, .attachments_count = count, .out = out};
    struct json v;
    int rc = json_parse_deep(text, depth_max, &v);

    if (rc == OK) rc = write_value(&w, v);
    sb_fini(&w.scratch);
    return rc;
}

/* ---- MessagePack to JSON ---- */

static int read_value(struct str *rest, int depth, struct sb *out,
                      struct msgpack_json_attachments *a);

/* As JSON.stringify prints it, but for the exponent's form: the shortest digits that read back the
 * same. */
static void put_double(struct sb *out, double f)
{
    static const int precisions[] = {15, 16, 17};
    size_t start = out->n;

    if (!isfinite(f)) {
        sb_z(out, "null");
        return;
    }
    if (f == 0) f = 0; /* -0 prints as 0 */
    if (fabs(f) < 1e21 && trunc(f) == f) {
        sb_printf(out, "%.0f", f);
        return;
    }
    for (size_t i = 0; i < sizeof precisions / sizeof *precisions; i++) {
        out->n = start;
        sb_printf(out, "%.*g", precisions[i], f);
        sb_char(out, 0); /* strtod wants an end */
        out->n--;
        if (strtod(out->p + start, NULL) == f) return; /* NOLINT: exact on purpose */
    }
}

/* Date.prototype.toISOString for any year (proleptic Gregorian calendar; days_to_civil of H.
 * Hinnant). */
static void put_date(struct sb *out, int64_t ms)
{
    static const int64_t day_ms = 86400000, max_ms = 8640000000000000; /* ECMA-262 21.4.1.1 */
    int64_t days = ms / day_ms, in_day = ms % day_ms, era, doe, yoe, doy, mp, year, month;

    if (ms > max_ms || ms < -max_ms) {
        sb_z(out, "null"); /* an invalid date */
        return;
    }
    if (in_day < 0) {
        in_day += day_ms;
        days--;
    }
    days += 719468; /* days from 0000-03-01 */
    era = (days >= 0 ? days : days - 146096) / 146097;
    doe = days - era * 146097;
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    mp = (5 * doy + 2) / 153;
    month = mp < 10 ? mp + 3 : mp - 9;
    year = yoe + era * 400 + (month <= 2);
    if (year >= 0 && year <= 9999)
        sb_printf(out, "\"%04d", (int)year);
    else
        sb_printf(out, "\"%c%06d", year < 0 ? '-' : '+', (int)(year < 0 ? -year : year));
    sb_printf(out, "-%02d-%02dT%02d:%02d:%02d.%03dZ\"", (int)month,
              (int)(doy - (153 * mp + 2) / 5 + 1), (int)(in_day / 3600000),
              (int)(in_day / 60000 % 60), (int)(in_day / 1000 % 60), (int)(in_day % 1000));
}

static uint64_t big_endian(struct str s)
{
    uint64_t v = 0;

    for (size_t i = 0; s.p && i < s.n; i++)
        v = v << 8 | (unsigned char)s.p[i];
    return v;
}

static void put_seconds(struct sb *out, int64_t seconds, uint64_t ns)
{
    if (seconds > INT64_C(8640000000001) || seconds < -INT64_C(8640000000001))
        sb_z(out, "null");
    else
        put_date(out, seconds * 1000 + (int64_t)(ns / 1000000));
}

static void put_ext(struct sb *out, const struct msgpack *v)
{
    struct str s = v->bytes;

    if (v->ext == -1 && s.n == 4)
        put_seconds(out, (int64_t)big_endian(s), 0);
    else if (v->ext == -1 && s.n == 8)
        put_seconds(out, (int64_t)(big_endian(s) & 0x3ffffffff), big_endian(s) >> 34);
    else if (v->ext == -1 && s.n == 12)
        put_seconds(out, (int64_t)big_endian(str_skip(s, 4)), big_endian(str_head(s, 4)));
    else if (v->ext == 0 && s.n == 8)
        put_date(out, (int64_t)big_endian(s)); /* notepack.io 2 */
    else
        sb_z(out, "null"); /* ext 0 of one byte is undefined; nobody knows the others */
}

static int put_bin(struct str bytes, int depth, struct sb *out, struct msgpack_json_attachments *a)
{
    if (depth >= JSON_DEPTH_MAX) return ERR_DEPTH; /* a placeholder is an object */
    if (a->count == MSGPACK_JSON_ATTACHMENTS_MAX) return ERR_LIMIT;
    sb_printf(out, "{\"_placeholder\":true,\"num\":%u}", a->count);
    a->items[a->count++] = bytes;
    return OK;
}

/* The scalars whose text is the same as a value and, in quotes, as a key. False: none of them. */
static bool put_scalar(struct sb *out, const struct msgpack *v)
{
    switch (v->type) {
    case MSGPACK_NIL:
        sb_z(out, "null");
        return true;
    case MSGPACK_BOOL:
        sb_z(out, v->b ? "true" : "false");
        return true;
    case MSGPACK_INT:
        sb_i64(out, v->i);
        return true;
    case MSGPACK_UINT:
        sb_u64(out, v->u);
        return true;
    case MSGPACK_FLOAT:
        put_double(out, v->f);
        return true;
    case MSGPACK_STR:
    case MSGPACK_BIN:
    case MSGPACK_EXT:
    case MSGPACK_ARRAY:
    case MSGPACK_MAP:
    default:
        return false;
    }
}

static int read_key(struct str *rest, struct sb *out)
{
    struct msgpack v;
    int rc = msgpack_next(rest, &v);

    if (rc != OK) return rc;
    if (v.type == MSGPACK_STR) {
        sb_json(out, v.bytes);
    } else {
        sb_char(out, '"');
        if (!put_scalar(out, &v)) return ERR_PROTO;
        sb_char(out, '"');
    }
    return OK;
}

static int read_items(struct str *rest, const struct msgpack *head, int depth, struct sb *out,
                      struct msgpack_json_attachments *a)
{
    bool is_map = head->type == MSGPACK_MAP;
    int rc = OK;

    if (depth >= JSON_DEPTH_MAX) return ERR_DEPTH;
    sb_char(out, is_map ? '{' : '[');
    for (uint32_t i = 0; i < head->count && rc == OK; i++) {
        if (i) sb_char(out, ',');
        if (is_map) {
            rc = read_key(rest, out);
            if (rc != OK) break;
            sb_char(out, ':');
        }
        rc = read_value(rest, depth + 1, out, a);
    }
    sb_char(out, is_map ? '}' : ']');
    return rc;
}

static int read_value(struct str *rest, int depth, struct sb *out,
                      struct msgpack_json_attachments *a)
{
    struct msgpack v;
    int rc = msgpack_next(rest, &v);

    if (rc != OK || put_scalar(out, &v)) return rc;
    switch ((int)v.type) {
    case MSGPACK_STR:
        sb_json(out, v.bytes);
        return OK;
    case MSGPACK_BIN:
        return put_bin(v.bytes, depth, out, a);
    case MSGPACK_EXT:
        put_ext(out, &v);
        return OK;
    default:
        return read_items(rest, &v, depth, out, a);
    }
}

int msgpack_to_json(struct str *rest, struct sb *out, struct msgpack_json_attachments *a)
{
    return msgpack_to_json_deep(rest, JSON_DEPTH_MAX, out, a);
}

int msgpack_to_json_deep(struct str *rest, int depth_max, struct sb *out,
                         struct msgpack_json_attachments *a)
{
    struct str left = *rest;
    int rc = read_value(&left, JSON_DEPTH_MAX - depth_max, out, a);

    if (rc == OK) *rest = left;
    return rc;
}
