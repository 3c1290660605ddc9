/* Records: what the store keeps, each described by one table (contact.def, message.def, agent.def,
 * outbox.def, doc.def). Everything that treats all members alike (JSON, columns, documents) walks
 * the table. Pure.
 *
 * A record is a plain struct whose texts borrow: from an arena, where it was read or copied; from
 * anything that lives long enough, where somebody sets a member. Whoever takes one (the store)
 * copies it. Zero, empty and false mean "nothing": such members are not written. */
#ifndef CONTACTS_RECORD_RECORD_H
#define CONTACTS_RECORD_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include "base/json.h"
#include "contacts/record/arena.h"

struct record_texts {
    const struct str *at;
    unsigned count;
};

struct record_slot { /* a contact in the hands of an agent */
    struct str contact;
    int64_t at; /* ms since 1970: since when */
};

struct record_slots {
    const struct record_slot *at;
    unsigned count;
};

#define RECORD_TEXTS_MAX 64             /* in one list */
#define RECORD_SLOTS_MAX 256            /* in one list */
#define RECORD_DATE_MAX 253402300799999 /* the end of the year 9999 */

enum record_type {
    RECORD_TEXT,  /* struct str, UTF-8, NUL allowed */
    RECORD_I64,   /* int64_t */
    RECORD_BOOL,  /* bool */
    RECORD_DATE,  /* int64_t: ms since 1970 UTC; 0: never */
    RECORD_TEXTS, /* struct record_texts; max is of each */
    RECORD_JSON,  /* struct str: one JSON value, kept as it is written */
    RECORD_SLOTS, /* struct record_slots */
};

enum record_sees {
    RECORD_VISITOR,
    RECORD_AGENT,
    RECORD_STORE
}; /* each sees what those before do */

struct record_field {
    const char *name, *wire; /* wire NULL: never there */
    enum record_type type;
    enum record_sees sees;
    size_t at, max;
    const char *doc;
};

struct record_kind {
    const char *name; /* "contact" */
    const struct record_field *fields;
    unsigned count;
    size_t size; /* of the struct */
};

extern const struct record_kind record_contact, record_message, record_agent, record_outbox,
    record_doc;

#define RECORD_MEMBER_TEXT(m) struct str m;
#define RECORD_MEMBER_I64(m) int64_t m;
#define RECORD_MEMBER_BOOL(m) bool m;
#define RECORD_MEMBER_DATE(m) int64_t m;
#define RECORD_MEMBER_TEXTS(m) struct record_texts m;
#define RECORD_MEMBER_JSON(m) struct str m;
#define RECORD_MEMBER_SLOTS(m) struct record_slots m;
#define FIELD(member, type, name, wire, sees, max, doc) RECORD_MEMBER_##type(member)
struct contact {
#include "contacts/record/contact.def"
};
struct message {
#include "contacts/record/message.def"
};
struct agent {
#include "contacts/record/agent.def"
};
struct outbox {
#include "contacts/record/outbox.def"
};
struct doc {
#include "contacts/record/doc.def"
};
#undef FIELD

/* Lengths, UTF-8, JSON values that are one. Errors: ERR_TOO_BIG, ERR_UTF8, ERR_SCHEMA; *field
 * (unless NULL) is then the member's name in the store. */
MUST_USE int record_check(const struct record_kind *k, const void *record, const char **field);

/* to: another struct of the kind, uninitialised; its texts live in the arena. */
void record_copy(const struct record_kind *k, const void *from, void *to, struct arena *a);
bool record_is_equal(const struct record_kind *k, const void *a, const void *b);

/* Appends `"id":"…","status":…`, without braces: what this reader may see, dates as ISO 8601. True:
 * something was appended. */
bool record_put(const struct record_kind *k, const void *record, enum record_sees who,
                struct sb *out);

/* All members under their names in the store, dates as milliseconds: what record_read reads. */
bool record_dump(const struct record_kind *k, const void *record, struct sb *out);

/* An object with members as record_dump writes them; others are passed over, absent ones stay
 * zeroed. *out (zeroed here) borrows from the arena alone. Errors: ERR_SCHEMA a member of another
 * type, ERR_TOO_BIG; *field as record_check. */
MUST_USE int record_read(const struct record_kind *k, struct json object, struct arena *a,
                         void *out, const char **field);

/* ---- one member, by its row ---- */

static inline void *record_member(const struct record_field *f, void *record)
{
    return (char *)record + f->at;
}

static inline const void *record_member_of(const struct record_field *f, const void *record)
{
    return (const char *)record + f->at;
}

bool record_is_empty(const struct record_field *f, const void *record);
const struct record_field *record_field_of(const struct record_kind *k, const char *name);

/* Lists as JSON text, for stores that have columns: ["a"], [["contact",ms]]. Only for TEXTS and
 * SLOTS. */
void record_list_put(const struct record_field *f, const void *record, struct sb *out);
MUST_USE int record_list_read(const struct record_field *f, struct str text, struct arena *a,
                              void *record);

#endif
