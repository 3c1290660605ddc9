/* What the generated decoders are made of: one member of an object, checked against one rule.
 * Results borrow from the payload or from the scratch builder. The sentence in `why` is for people
 * and exact. */
#ifndef SCHEMAS_DECODE_H
#define SCHEMAS_DECODE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

#define DECODE_BIT(type) (1U << (type))

struct decode_rule {
    struct str key;       /* member of the object */
    const char *path;     /* as `why` names it: "address.city" */
    const char *expected; /* "a string" */
    unsigned types;       /* DECODE_BIT of the allowed ones, for raw values */
    bool is_required;
    uint32_t min_length, max_length; /* characters of a text; max 0: no limit */
    uint32_t max_bytes;              /* of a raw value; 0: no limit */
    const char *const *one_of;       /* ends with NULL; NULL: any */
    const char *one_of_text;         /* "a, b, c" */
    bool has_min, has_max;
    double min, max;
};

struct decode {
    struct sb *scratch, *why;
};

static inline int decode_refuse(struct decode *d, const char *path, const char *what)
{
    d->why->n = 0;
    sb_printf(d->why, "%s: %s", path, what);
    return ERR_SCHEMA;
}

static inline int decode_refuse_number(struct decode *d, const char *path, const char *what,
                                       double n)
{
    d->why->n = 0;
    sb_printf(d->why, "%s: %s %.15g", path, what, n);
    return ERR_SCHEMA;
}

static inline int decode_refuse_type(struct decode *d, const struct decode_rule *r)
{
    d->why->n = 0;
    sb_printf(d->why, "%s: not %s", r->path, r->expected);
    return ERR_SCHEMA;
}

/* ERR_AGAIN: absent and optional. null counts as absent, as old clients send it for undefined. */
static inline int decode_find(struct json object, const struct decode_rule *r, struct decode *d,
                              struct json *item)
{
    if (json_member(object, r->key, item) && item->type != JSON_NULL) return OK;
    return r->is_required ? decode_refuse(d, r->path, "missing") : ERR_AGAIN;
}

static inline int decode_check_text(struct str text, const struct decode_rule *r, struct decode *d)
{
    size_t length = r->min_length || r->max_length ? json_length(text) : 0;

    if (length < r->min_length)
        return decode_refuse_number(d, r->path, "shorter than", r->min_length);
    if (r->max_length && length > r->max_length)
        return decode_refuse_number(d, r->path, "longer than", r->max_length);
    if (!r->one_of) return OK;
    for (const char *const *one = r->one_of; *one; one++)
        if (str_eq(text, str_z(*one))) return OK;
    d->why->n = 0;
    sb_printf(d->why, "%s: not one of %s", r->path, r->one_of_text);
    return ERR_SCHEMA;
}

static inline int decode_text_value(struct json item, const struct decode_rule *r, struct decode *d,
                                    struct str *out)
{
    struct str text;
    int rc;

    if (json_text(item, d->scratch, &text) != OK) return decode_refuse_type(d, r);
    rc = decode_check_text(text, r, d);
    if (rc == OK) *out = text;
    return rc;
}

static inline int decode_text(struct json object, const struct decode_rule *r, struct decode *d,
                              struct str *out)
{
    struct json item;
    int rc = decode_find(object, r, d, &item);

    if (rc != OK) return rc == ERR_AGAIN ? OK : rc;
    return decode_text_value(item, r, d, out);
}

static inline int decode_check_number(struct json item, const struct decode_rule *r,
                                      struct decode *d)
{
    double n;

    if (!json_f64(item, &n)) return decode_refuse_type(d, r);
    if (r->has_min && n < r->min) return decode_refuse_number(d, r->path, "below", r->min);
    if (r->has_max && n > r->max) return decode_refuse_number(d, r->path, "above", r->max);
    return OK;
}

/* A value that is passed on as it came: *out is its raw JSON. */
static inline int decode_raw(struct json object, const struct decode_rule *r, struct decode *d,
                             struct str *out)
{
    struct json item;
    int rc = decode_find(object, r, d, &item);

    if (rc != OK) return rc == ERR_AGAIN ? OK : rc;
    if (!(r->types & DECODE_BIT(item.type))) return decode_refuse_type(d, r);
    if (r->max_bytes && item.raw.n > r->max_bytes) {
        d->why->n = 0;
        sb_printf(d->why, "%s: larger than %u bytes", r->path, (unsigned)r->max_bytes);
        return ERR_SCHEMA;
    }
    if (item.type == JSON_STRING) {
        struct str ignored;

        rc = decode_text_value(item, r, d, &ignored);
    } else if (item.type == JSON_NUMBER) {
        rc = decode_check_number(item, r, d);
    }
    if (rc == OK) *out = item.raw;
    return rc;
}

static inline int decode_number(struct json object, const struct decode_rule *r, struct decode *d,
                                double *out, bool *has)
{
    struct json item;
    int rc = decode_find(object, r, d, &item);

    if (rc != OK) return rc == ERR_AGAIN ? OK : rc;
    rc = decode_check_number(item, r, d);
    if (rc != OK) return rc;
    if (!json_f64(item, out)) return decode_refuse_type(d, r);
    if (has) *has = true;
    return OK;
}

static inline int decode_integer(struct json object, const struct decode_rule *r, struct decode *d,
                                 int64_t *out, bool *has)
{
    struct json item;
    int64_t n;
    int rc = decode_find(object, r, d, &item);

    if (rc != OK) return rc == ERR_AGAIN ? OK : rc;
    if (item.type != JSON_NUMBER || !json_i64(item, &n)) return decode_refuse_type(d, r);
    rc = decode_check_number(item, r, d);
    if (rc != OK) return rc;
    *out = n;
    if (has) *has = true;
    return OK;
}

static inline int decode_bool(struct json object, const struct decode_rule *r, struct decode *d,
                              bool *out, bool *has)
{
    struct json item;
    int rc = decode_find(object, r, d, &item);

    if (rc != OK) return rc == ERR_AGAIN ? OK : rc;
    if (!json_bool(item, out)) return decode_refuse_type(d, r);
    if (has) *has = true;
    return OK;
}

/* Texts of an array into out[max]; each is checked against the rule. */
static inline int decode_texts(struct json object, const struct decode_rule *r, struct decode *d,
                               struct str *out, unsigned max, unsigned *count)
{
    struct json item;
    struct str rest;
    int rc = decode_find(object, r, d, &item);

    if (rc != OK) return rc == ERR_AGAIN ? OK : rc;
    if (item.type != JSON_ARRAY) return decode_refuse(d, r->path, "not an array");
    rest = json_begin(item);
    *count = 0;
    while (json_next_item(&rest, &item)) {
        if (*count == max) return decode_refuse_number(d, r->path, "more items than", max);
        rc = decode_text_value(item, r, d, &out[*count]);
        if (rc != OK) return rc;
        ++*count;
    }
    return OK;
}

/* additionalProperties: false. names ends with NULL. */
static inline int decode_no_more(struct json object, const char *const *names, const char *prefix,
                                 struct decode *d)
{
    struct str rest = json_begin(object), key;
    struct json item;

    while (json_next_member(&rest, &key, &item)) {
        const char *const *name = names;

        while (*name && !json_key_is(key, str_z(*name)))
            name++;
        if (*name) continue;
        key = str_head(key, 40);
        d->why->n = 0;
        sb_printf(d->why, "%s" STR_FMT ": unknown field", prefix, STR_ARG(key));
        return ERR_SCHEMA;
    }
    return OK;
}

/* Room for every text of the payload: unescaped text is never longer than its JSON, so the builder
 * does not move while slices point into it. */
static inline void decode_start(struct decode *d, struct json payload)
{
    if (payload.raw.n && memchr(payload.raw.p, '\\', payload.raw.n))
        sb_reserve(d->scratch, payload.raw.n + 16);
    d->why->n = 0;
}

#endif
