/* Records as JSON: for clients (names of the wire, dates as ISO 8601, only what they may see) and
 * for exports (names of the store, dates as milliseconds, everything). */
#include "contacts/record/record.h"

#include "base/clock.h"
#include "base/forbid.h"

static void put_texts(struct record_texts t, struct sb *out)
{
    sb_char(out, '[');
    for (unsigned i = 0; i < t.count; i++) {
        if (i) sb_char(out, ',');
        sb_json(out, t.at[i]);
    }
    sb_char(out, ']');
}

static void put_slots(struct record_slots s, struct sb *out)
{
    sb_char(out, '[');
    for (unsigned i = 0; i < s.count; i++) {
        sb_z(out, i ? ",[" : "[");
        sb_json(out, s.at[i].contact);
        sb_char(out, ',');
        sb_i64(out, s.at[i].at);
        sb_char(out, ']');
    }
    sb_char(out, ']');
}

/* Line ends between its tokens would end a line of an export. */
static void put_json(struct str s, bool on_one_line, struct sb *out)
{
    size_t from = out->n;

    sb_str(out, s);
    if (!on_one_line) return;
    for (size_t i = from; i < out->n; i++)
        if (out->p[i] == '\n' || out->p[i] == '\r') out->p[i] = ' ';
}

static void put_date(int64_t ms, bool as_iso, struct sb *out)
{
    char iso[CLOCK_ISO_SIZE];

    if (!as_iso) {
        sb_i64(out, ms);
        return;
    }
    clock_iso((uint64_t)ms, iso);
    sb_json(out, str_z(iso));
}

static void put_value(const struct record_field *f, const void *record, bool as_iso, struct sb *out)
{
    const void *p = record_member_of(f, record);

    switch (f->type) {
    case RECORD_TEXT:
        sb_json(out, *(const struct str *)p);
        break;
    case RECORD_JSON:
        put_json(*(const struct str *)p, !as_iso, out);
        break;
    case RECORD_I64:
        sb_i64(out, *(const int64_t *)p);
        break;
    case RECORD_DATE:
        put_date(*(const int64_t *)p, as_iso, out);
        break;
    case RECORD_BOOL:
        sb_z(out, *(const bool *)p ? "true" : "false");
        break;
    case RECORD_TEXTS:
        put_texts(*(const struct record_texts *)p, out);
        break;
    case RECORD_SLOTS:
        put_slots(*(const struct record_slots *)p, out);
        break;
    }
}

static void put_member(const char *name, bool is_first, struct sb *out)
{
    if (!is_first) sb_char(out, ',');
    sb_json(out, str_z(name));
    sb_char(out, ':');
}

bool record_put(const struct record_kind *k, const void *record, enum record_sees who,
                struct sb *out)
{
    bool any = false;

    for (unsigned i = 0; i < k->count; i++) {
        const struct record_field *f = &k->fields[i];

        if (!f->wire || f->sees > who || record_is_empty(f, record)) continue;
        put_member(f->wire, !any, out);
        put_value(f, record, true, out);
        any = true;
    }
    return any;
}

bool record_dump(const struct record_kind *k, const void *record, struct sb *out)
{
    bool any = false;

    for (unsigned i = 0; i < k->count; i++) {
        const struct record_field *f = &k->fields[i];

        if (record_is_empty(f, record)) continue;
        put_member(f->name, !any, out);
        put_value(f, record, false, out);
        any = true;
    }
    return any;
}

void record_list_put(const struct record_field *f, const void *record, struct sb *out)
{
    put_value(f, record, false, out);
}

/* ---- and back ---- */

/* Unescaped into the arena. */
static int read_text(struct json v, struct arena *a, struct str *out)
{
    struct sb scratch = {0};
    struct str s;
    int rc = json_text(v, &scratch, &s);

    if (rc == OK) *out = arena_str(a, s);
    sb_fini(&scratch);
    return rc;
}

static int read_texts(struct json v, struct arena *a, struct record_texts *out)
{
    size_t count = v.type == JSON_ARRAY ? json_count(v) : RECORD_TEXTS_MAX + 1;
    struct str rest, *at;
    struct json item;
    unsigned n = 0;

    if (v.type != JSON_ARRAY) return ERR_SCHEMA;
    if (count > RECORD_TEXTS_MAX) return ERR_TOO_BIG;
    if (count == 0) return OK;
    at = arena_new(a, count, sizeof *at);
    rest = json_begin(v);
    while (json_next_item(&rest, &item)) {
        int rc = read_text(item, a, &at[n++]);

        if (rc != OK) return rc;
    }
    *out = (struct record_texts){at, n};
    return OK;
}

/* ["contact",ms] */
static int read_slot(struct json v, struct arena *a, struct record_slot *out)
{
    struct json contact, at;
    struct str rest;
    int rc;

    if (v.type != JSON_ARRAY || json_count(v) != 2) return ERR_SCHEMA;
    rest = json_begin(v);
    if (!json_next_item(&rest, &contact) || !json_next_item(&rest, &at)) return ERR_SCHEMA;
    rc = read_text(contact, a, &out->contact);
    if (rc == OK && !json_i64(at, &out->at)) rc = ERR_SCHEMA;
    return rc;
}

static int read_slots(struct json v, struct arena *a, struct record_slots *out)
{
    size_t count = v.type == JSON_ARRAY ? json_count(v) : 0;
    struct record_slot *at;
    struct json item;
    struct str rest;
    unsigned n = 0;

    if (v.type != JSON_ARRAY) return ERR_SCHEMA;
    if (count > RECORD_SLOTS_MAX) return ERR_TOO_BIG;
    if (count == 0) return OK;
    at = arena_new(a, count, sizeof *at);
    rest = json_begin(v);
    while (json_next_item(&rest, &item)) {
        int rc = read_slot(item, a, &at[n++]);

        if (rc != OK) return rc;
    }
    *out = (struct record_slots){at, n};
    return OK;
}

static int read_member(const struct record_field *f, struct json v, struct arena *a, void *record)
{
    void *p = record_member(f, record);

    switch (f->type) {
    case RECORD_TEXT:
        return read_text(v, a, p);
    case RECORD_JSON:
        *(struct str *)p = arena_str(a, v.raw);
        return OK;
    case RECORD_I64:
    case RECORD_DATE:
        return v.type == JSON_NUMBER && json_i64(v, p) ? OK : ERR_SCHEMA;
    case RECORD_BOOL:
        return json_bool(v, p) ? OK : ERR_SCHEMA;
    case RECORD_TEXTS:
        return read_texts(v, a, p);
    case RECORD_SLOTS:
        return read_slots(v, a, p);
    }
    return ERR_SCHEMA;
}

int record_read(const struct record_kind *k, struct json object, struct arena *a, void *out,
                const char **field)
{
    struct json v;

    memset(out, 0, k->size);
    if (field) *field = k->name;
    if (object.type != JSON_OBJECT) return ERR_SCHEMA;
    for (unsigned i = 0; i < k->count; i++) {
        const struct record_field *f = &k->fields[i];
        int rc;

        if (!json_member(object, str_z(f->name), &v)) continue;
        rc = read_member(f, v, a, out);
        if (rc == OK) continue;
        if (field) *field = f->name;
        return rc;
    }
    return record_check(k, out, field);
}

int record_list_read(const struct record_field *f, struct str text, struct arena *a, void *record)
{
    struct json v;

    if (json_parse(text, &v) != OK) return ERR_SCHEMA;
    return f->type == RECORD_TEXTS || f->type == RECORD_SLOTS ? read_member(f, v, a, record)
                                                              : ERR_SCHEMA;
}
