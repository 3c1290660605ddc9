/* The tables of the records, and what treats all members alike; see record.h. */
#include "contacts/record/record.h"

#include <stddef.h>
#include "base/forbid.h"

#define SEES_VISITOR RECORD_VISITOR
#define SEES_AGENT RECORD_AGENT
#define SEES_STORE RECORD_STORE
#define ROW(kind, member, type_, name_, wire_, sees_, max_, doc_)                                  \
    {.name = name_,                                                                                \
     .wire = wire_[0] ? wire_ : NULL,                                                              \
     .type = RECORD_##type_,                                                                       \
     .sees = SEES_##sees_,                                                                         \
     .at = offsetof(struct kind, member),                                                          \
     .max = (max_),                                                                                \
     .doc = (doc_)},
#define KIND(kind, rows)                                                                           \
    const struct record_kind record_##kind = {.name = #kind,                                       \
                                              .fields = rows,                                      \
                                              .count = sizeof rows / sizeof rows[0],               \
                                              .size = sizeof(struct kind)}

#define FIELD(...) ROW(contact, __VA_ARGS__)
static const struct record_field contact_rows[] = {
#include "contacts/record/contact.def"
};
#undef FIELD
#define FIELD(...) ROW(message, __VA_ARGS__)
static const struct record_field message_rows[] = {
#include "contacts/record/message.def"
};
#undef FIELD
#define FIELD(...) ROW(agent, __VA_ARGS__)
static const struct record_field agent_rows[] = {
#include "contacts/record/agent.def"
};
#undef FIELD
#define FIELD(...) ROW(outbox, __VA_ARGS__)
static const struct record_field outbox_rows[] = {
#include "contacts/record/outbox.def"
};
#undef FIELD
#define FIELD(...) ROW(doc, __VA_ARGS__)
static const struct record_field doc_rows[] = {
#include "contacts/record/doc.def"
};
#undef FIELD

KIND(contact, contact_rows);
KIND(message, message_rows);
KIND(agent, agent_rows);
KIND(outbox, outbox_rows);
KIND(doc, doc_rows);

#define TEXT_OF(p) (*(const struct str *)(p))
#define NUMBER_OF(p) (*(const int64_t *)(p))
#define BOOL_OF(p) (*(const bool *)(p))
#define TEXTS_OF(p) (*(const struct record_texts *)(p))
#define SLOTS_OF(p) (*(const struct record_slots *)(p))

const struct record_field *record_field_of(const struct record_kind *k, const char *name)
{
    for (unsigned i = 0; i < k->count; i++)
        if (strcmp(k->fields[i].name, name) == 0) return &k->fields[i];
    return NULL;
}

bool record_is_empty(const struct record_field *f, const void *record)
{
    const void *p = record_member_of(f, record);

    switch (f->type) {
    case RECORD_TEXT:
    case RECORD_JSON:
        return TEXT_OF(p).n == 0;
    case RECORD_I64:
    case RECORD_DATE:
        return NUMBER_OF(p) == 0;
    case RECORD_BOOL:
        return !BOOL_OF(p);
    case RECORD_TEXTS:
        return TEXTS_OF(p).count == 0;
    case RECORD_SLOTS:
        return SLOTS_OF(p).count == 0;
    }
    return true;
}

/* ---- what may be kept ---- */

static int check_text(struct str s, size_t max)
{
    if (s.n > max) return ERR_TOO_BIG;
    return str_is_utf8(s) ? OK : ERR_UTF8;
}

static int check_json(struct str s, size_t max)
{
    struct json v;

    if (s.n == 0) return OK;
    if (s.n > max) return ERR_TOO_BIG;
    return json_parse(s, &v) == OK ? OK : ERR_SCHEMA;
}

static int check_member(const struct record_field *f, const void *p)
{
    int rc = OK;

    switch (f->type) {
    case RECORD_TEXT:
        return check_text(TEXT_OF(p), f->max);
    case RECORD_JSON:
        return check_json(TEXT_OF(p), f->max);
    case RECORD_TEXTS:
        if (TEXTS_OF(p).count > RECORD_TEXTS_MAX) return ERR_TOO_BIG;
        for (unsigned i = 0; i < TEXTS_OF(p).count && rc == OK; i++)
            rc = check_text(TEXTS_OF(p).at[i], f->max);
        return rc;
    case RECORD_SLOTS:
        if (SLOTS_OF(p).count > RECORD_SLOTS_MAX) return ERR_TOO_BIG;
        for (unsigned i = 0; i < SLOTS_OF(p).count && rc == OK; i++)
            rc = check_text(SLOTS_OF(p).at[i].contact, record_contact.fields[0].max);
        return rc;
    case RECORD_DATE: /* what ISO 8601 can say in four digits */
        return NUMBER_OF(p) < 0 || NUMBER_OF(p) > RECORD_DATE_MAX ? ERR_SCHEMA : OK;
    case RECORD_I64:
    case RECORD_BOOL:
        break;
    }
    return OK;
}

int record_check(const struct record_kind *k, const void *record, const char **field)
{
    for (unsigned i = 0; i < k->count; i++) {
        int rc = check_member(&k->fields[i], record_member_of(&k->fields[i], record));

        if (rc == OK) continue;
        if (field) *field = k->fields[i].name;
        return rc;
    }
    return OK;
}

/* ---- copies ---- */

static struct record_texts copy_texts(struct record_texts from, struct arena *a)
{
    struct str *at;

    if (from.count == 0) return (struct record_texts){0};
    at = arena_new(a, from.count, sizeof *at);
    for (unsigned i = 0; i < from.count; i++)
        at[i] = arena_str(a, from.at[i]);
    return (struct record_texts){at, from.count};
}

static struct record_slots copy_slots(struct record_slots from, struct arena *a)
{
    struct record_slot *at;

    if (from.count == 0) return (struct record_slots){0};
    at = arena_new(a, from.count, sizeof *at);
    for (unsigned i = 0; i < from.count; i++)
        at[i] = (struct record_slot){arena_str(a, from.at[i].contact), from.at[i].at};
    return (struct record_slots){at, from.count};
}

void record_copy(const struct record_kind *k, const void *from, void *to, struct arena *a)
{
    memcpy(to, from, k->size);
    for (unsigned i = 0; i < k->count; i++) {
        void *p = record_member(&k->fields[i], to);

        switch (k->fields[i].type) {
        case RECORD_TEXT:
        case RECORD_JSON:
            *(struct str *)p = arena_str(a, TEXT_OF(p));
            break;
        case RECORD_TEXTS:
            *(struct record_texts *)p = copy_texts(TEXTS_OF(p), a);
            break;
        case RECORD_SLOTS:
            *(struct record_slots *)p = copy_slots(SLOTS_OF(p), a);
            break;
        case RECORD_I64:
        case RECORD_BOOL:
        case RECORD_DATE:
            break;
        }
    }
}

static bool texts_are_equal(struct record_texts a, struct record_texts b)
{
    if (a.count != b.count) return false;
    for (unsigned i = 0; i < a.count; i++)
        if (!str_eq(a.at[i], b.at[i])) return false;
    return true;
}

static bool slots_are_equal(struct record_slots a, struct record_slots b)
{
    if (a.count != b.count) return false;
    for (unsigned i = 0; i < a.count; i++)
        if (a.at[i].at != b.at[i].at || !str_eq(a.at[i].contact, b.at[i].contact)) return false;
    return true;
}

static bool members_are_equal(const struct record_field *f, const void *a, const void *b)
{
    switch (f->type) {
    case RECORD_TEXT:
    case RECORD_JSON:
        return str_eq(TEXT_OF(a), TEXT_OF(b));
    case RECORD_I64:
    case RECORD_DATE:
        return NUMBER_OF(a) == NUMBER_OF(b);
    case RECORD_BOOL:
        return BOOL_OF(a) == BOOL_OF(b);
    case RECORD_TEXTS:
        return texts_are_equal(TEXTS_OF(a), TEXTS_OF(b));
    case RECORD_SLOTS:
        return slots_are_equal(SLOTS_OF(a), SLOTS_OF(b));
    }
    return false;
}

bool record_is_equal(const struct record_kind *k, const void *a, const void *b)
{
    for (unsigned i = 0; i < k->count; i++) {
        const struct record_field *f = &k->fields[i];

        if (!members_are_equal(f, record_member_of(f, a), record_member_of(f, b))) return false;
    }
    return true;
}
