/* JSON: the strict scanner (RFC 8259) and the walk over what it has passed. One pass, no tree, no
 * allocation, no recursion. Never accepts what JSON.parse refuses: comments, trailing commas, NaN,
 * raw control characters. */
#include "base/json.h"

#include "base/utf8.h"
#include "base/forbid.h"

#define DEPTH_LIMIT 1024 /* a bit each; json_parse_deep allows no more */

#define EACH_BYTE(c) ((uint64_t)(c)*0x0101010101010101u)

struct scan {
    const char *p, *end;
    int depth, depth_max;
    uint64_t is_object[DEPTH_LIMIT / 64]; /* bit per open container */
};

enum step { STEP_VALUE, STEP_KEY, STEP_AFTER, STEP_DONE };

static inline const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

/* Bytes of a string that need no look: eight at a time. The lowest mark is exact, for a borrow only
 * runs upwards; a big-endian machine would need the other end. */
static inline const char *skip_plain(const char *p, const char *end)
{
    while (end - p >= 8) {
        uint64_t v = utf8_load8(p);
        uint64_t marks = ((v - EACH_BYTE(0x20)) | ((v ^ EACH_BYTE('"')) - EACH_BYTE(1)) |
                          ((v ^ EACH_BYTE('\\')) - EACH_BYTE(1)) | v) &
                         UTF8_HIGH_BITS;

        if (marks) return p + __builtin_ctzll(marks) / 8;
        p += 8;
    }
    return p;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Length of the escape at p (it starts with a backslash), 0 when it is none. Halves of surrogate
 * pairs may stand alone, as in Node. */
static size_t escape_length(const char *p, const char *end)
{
    if (end - p < 2) return 0;
    switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return 2;
    case 'u':
        if (end - p < 6) return 0;
        return is_hex(p[2]) && is_hex(p[3]) && is_hex(p[4]) && is_hex(p[5]) ? 6 : 0;
    default:
        return 0;
    }
}

/* s->p is behind the opening quote; moves it behind the closing one. */
static int scan_string(struct scan *s)
{
    const char *p = s->p, *end = s->end;

    for (;;) {
        unsigned char c;
        size_t n;

        p = skip_plain(p, end);
        if (p == end) return ERR_PROTO;
        c = (unsigned char)*p;
        if (c == '"') break;
        if (c == '\\') {
            n = escape_length(p, end);
            if (n == 0) return ERR_PROTO;
        } else if (c >= 0x80) {
            n = utf8_step(p, end);
            if (n == 0) return ERR_UTF8;
        } else {
            if (c < 0x20) return ERR_PROTO;
            n = 1;
        }
        p += n;
    }
    s->p = p + 1;
    return OK;
}

/* Moves *p over digits; false when there is none. */
static bool skip_digits(const char **p, const char *end)
{
    const char *from = *p;

    while (*p < end && **p >= '0' && **p <= '9')
        (*p)++;
    return *p > from;
}

static int scan_number(struct scan *s)
{
    const char *p = s->p, *end = s->end;

    if (p < end && *p == '-') p++;
    if (p < end && *p == '0') {
        p++;
    } else if (!skip_digits(&p, end)) {
        return ERR_PROTO;
    }
    if (p < end && *p == '.') {
        p++;
        if (!skip_digits(&p, end)) return ERR_PROTO;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-')) p++;
        if (!skip_digits(&p, end)) return ERR_PROTO;
    }
    s->p = p;
    return OK;
}

static int scan_word(struct scan *s, const char *word, size_t n)
{
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0) return ERR_PROTO;
    s->p += n;
    return OK;
}

static inline bool in_object(const struct scan *s)
{
    unsigned i = (unsigned)s->depth - 1;

    return s->is_object[i / 64] >> (i % 64) & 1;
}

/* s->p is at the opening bracket. */
static int open_container(struct scan *s, bool is_object, enum step *next)
{
    unsigned i = (unsigned)s->depth;
    uint64_t bit = (uint64_t)1 << (i % 64);

    if (s->depth >= s->depth_max) return ERR_DEPTH;
    s->depth++;
    if (is_object) {
        s->is_object[i / 64] |= bit;
    } else {
        s->is_object[i / 64] &= ~bit;
    }
    s->p = skip_blanks(s->p + 1, s->end);
    *next = is_object ? STEP_KEY : STEP_VALUE;
    if (s->p < s->end && *s->p == (is_object ? '}' : ']')) {
        s->p++;
        s->depth--;
        *next = STEP_AFTER;
    }
    return OK;
}

static int scan_value(struct scan *s, enum step *next)
{
    s->p = skip_blanks(s->p, s->end);
    if (s->p == s->end) return ERR_PROTO;
    *next = STEP_AFTER;
    switch (*s->p) {
    case '"':
        s->p++;
        return scan_string(s);
    case '{':
        return open_container(s, true, next);
    case '[':
        return open_container(s, false, next);
    case 't':
        return scan_word(s, "true", 4);
    case 'f':
        return scan_word(s, "false", 5);
    case 'n':
        return scan_word(s, "null", 4);
    default:
        return scan_number(s);
    }
}

static int scan_key(struct scan *s, enum step *next)
{
    int rc;

    s->p = skip_blanks(s->p, s->end);
    if (s->p == s->end || *s->p != '"') return ERR_PROTO;
    s->p++;
    rc = scan_string(s);
    if (rc != OK) return rc;
    s->p = skip_blanks(s->p, s->end);
    if (s->p == s->end || *s->p != ':') return ERR_PROTO;
    s->p++;
    *next = STEP_VALUE;
    return OK;
}

/* Behind a value: the outermost one ends the scan, others are followed by a comma or the end of
 * their container. */
static int scan_after(struct scan *s, enum step *next)
{
    if (s->depth == 0) {
        *next = STEP_DONE;
        return OK;
    }
    s->p = skip_blanks(s->p, s->end);
    if (s->p == s->end) return ERR_PROTO;
    if (*s->p == ',') {
        *next = in_object(s) ? STEP_KEY : STEP_VALUE;
    } else if (*s->p == (in_object(s) ? '}' : ']')) {
        s->depth--;
        *next = STEP_AFTER;
    } else {
        return ERR_PROTO;
    }
    s->p++;
    return OK;
}

static enum json_type type_of(char c)
{
    switch (c) {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 't':
    case 'f':
        return JSON_BOOL;
    case 'n':
        return JSON_NULL;
    default:
        return JSON_NUMBER;
    }
}

int json_parse_deep(struct str text, int depth_max, struct json *out)
{
    const char *start;
    enum step step = STEP_VALUE;
    struct scan s;
    int rc = OK;

    if (text.n == 0) return ERR_PROTO;
    s.p = text.p;
    s.end = text.p + text.n;
    s.depth = 0;
    s.depth_max = depth_max < DEPTH_LIMIT ? depth_max : DEPTH_LIMIT;
    start = s.p = skip_blanks(s.p, s.end);
    while (rc == OK && step != STEP_DONE) {
        if (step == STEP_VALUE) {
            rc = scan_value(&s, &step);
        } else if (step == STEP_KEY) {
            rc = scan_key(&s, &step);
        } else {
            rc = scan_after(&s, &step);
        }
    }
    if (rc != OK) return rc;
    if (skip_blanks(s.p, s.end) != s.end) return ERR_PROTO;
    out->type = type_of(*start);
    out->raw = str_of(start, (size_t)(s.p - start));
    return OK;
}

int json_parse(struct str text, struct json *out)
{
    return json_parse_deep(text, JSON_DEPTH_MAX, out);
}

/* ---- the walk: what it sees was validated above, so it only looks for ends ---- */

/* p is behind the opening quote; returns the place behind the closing one. */
static const char *string_end(const char *p, const char *end)
{
    while (p < end && *p != '"')
        p += *p == '\\' && end - p > 1 ? 2 : 1;
    return p < end ? p + 1 : end;
}

static const char *container_end(const char *p, const char *end)
{
    int depth = 0;

    while (p < end) {
        char c = *p++;

        if (c == '"') {
            p = string_end(p, end);
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            break;
        }
    }
    return p;
}

static const char *value_end(const char *p, const char *end)
{
    if (*p == '"') return string_end(p + 1, end);
    if (*p == '{' || *p == '[') return container_end(p, end);
    while (p < end && *p != ',' && *p != ' ' && *p != '\n' && *p != '\r' && *p != '\t')
        p++;
    return p;
}

/* Takes the value at *p, which is not the end, and what separates it from the next one. */
static struct json take_value(const char **p, const char *end)
{
    const char *from = *p, *to = value_end(from, end);

    *p = skip_blanks(to, end);
    if (*p < end && **p == ',') (*p)++;
    return (struct json){type_of(*from), str_of(from, (size_t)(to - from))};
}

struct str json_begin(struct json v)
{
    if (v.type != JSON_ARRAY && v.type != JSON_OBJECT) return STR_NONE;
    return str_of(v.raw.p + 1, v.raw.n - 2);
}

bool json_next_item(struct str *rest, struct json *item)
{
    const char *p, *end;

    if (rest->n == 0) return false;
    end = rest->p + rest->n;
    p = skip_blanks(rest->p, end);
    if (p == end) return false;
    *item = take_value(&p, end);
    *rest = str_of(p, (size_t)(end - p));
    return true;
}

bool json_next_member(struct str *rest, struct str *key, struct json *value)
{
    const char *p, *end, *from;

    if (rest->n == 0) return false;
    end = rest->p + rest->n;
    from = p = skip_blanks(rest->p, end);
    if (p == end) return false;
    p = string_end(p + 1, end);
    *key = str_of(from, (size_t)(p - from));
    p = skip_blanks(p, end);
    if (p < end) p = skip_blanks(p + 1, end); /* the colon */
    if (p == end) return false;
    *value = take_value(&p, end);
    *rest = str_of(p, (size_t)(end - p));
    return true;
}

bool json_member(struct json object, struct str name, struct json *value)
{
    struct str rest, key;
    struct json v;
    bool is_found = false;

    if (object.type != JSON_OBJECT) return false;
    rest = json_begin(object);
    while (json_next_member(&rest, &key, &v)) {
        if (!json_key_is(key, name)) continue;
        *value = v;
        is_found = true;
    }
    return is_found;
}

size_t json_count(struct json v)
{
    struct str rest = json_begin(v), key;
    struct json item;
    size_t n = 0;

    if (v.type == JSON_OBJECT) {
        while (json_next_member(&rest, &key, &item))
            n++;
    } else {
        while (json_next_item(&rest, &item))
            n++;
    }
    return n;
}
