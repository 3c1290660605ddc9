/* MongoDB: records as BSON and back. Texts are typed text, whatever they hold; JSON values are kept
 * as text, so their keys are nobody's operators. */
#include "contacts/store/mongo_priv.h"

#include <stdio.h>
#include "contacts/record/contact.h"
#include "contacts/record/message.h"
#include "base/forbid.h"

/* ---- to BSON ---- */

static bool is_object_id(struct str id)
{
    if (id.n != 24) return false;
    for (size_t i = 0; i < id.n; i++)
        if (!((id.p[i] >= '0' && id.p[i] <= '9') || (id.p[i] >= 'a' && id.p[i] <= 'f')))
            return false;
    return true;
}

const char *mongo_key(unsigned i, char room[MONGO_KEY_SIZE])
{
    (void)snprintf(room, MONGO_KEY_SIZE, "%u", i);
    return room;
}

void mongo_put_id(bson_t *doc, const char *key, struct str id)
{
    char hex[25];
    bson_oid_t oid;

    if (!is_object_id(id)) {
        mongodb_put_text(doc, key, id);
        return;
    }
    memcpy(hex, id.p, 24);
    hex[24] = 0;
    bson_oid_init_from_string(&oid, hex);
    bson_append_oid(doc, key, -1, &oid);
}

static void put_texts(bson_t *doc, const char *name, const struct record_texts *t)
{
    char key[MONGO_KEY_SIZE];
    bson_t list;

    bson_append_array_begin(doc, name, -1, &list);
    for (unsigned i = 0; i < t->count; i++) {
        mongodb_put_text(&list, mongo_key(i, key), t->at[i]);
    }
    bson_append_array_end(doc, &list);
}

static void put_slots(bson_t *doc, const char *name, const struct record_slots *s)
{
    char key[MONGO_KEY_SIZE];
    bson_t list, slot;

    bson_append_array_begin(doc, name, -1, &list);
    for (unsigned i = 0; i < s->count; i++) {
        bson_append_document_begin(&list, mongo_key(i, key), -1, &slot);
        mongodb_put_text(&slot, "contact", s->at[i].contact);
        bson_append_date_time(&slot, "at", -1, s->at[i].at);
        bson_append_document_end(&list, &slot);
    }
    bson_append_array_end(doc, &list);
}

void mongo_put_field(bson_t *doc, const struct record_field *f, const void *record)
{
    const void *p = record_member_of(f, record);

    switch (f->type) {
    case RECORD_TEXT:
    case RECORD_JSON:
        if (strcmp(f->name, "_id") == 0)
            mongo_put_id(doc, f->name, *(const struct str *)p);
        else
            mongodb_put_text(doc, f->name, *(const struct str *)p);
        break;
    case RECORD_I64:
        bson_append_int64(doc, f->name, -1, *(const int64_t *)p);
        break;
    case RECORD_DATE:
        bson_append_date_time(doc, f->name, -1, *(const int64_t *)p);
        break;
    case RECORD_BOOL:
        bson_append_bool(doc, f->name, -1, *(const bool *)p);
        break;
    case RECORD_TEXTS:
        put_texts(doc, f->name, p);
        break;
    case RECORD_SLOTS:
        put_slots(doc, f->name, p);
        break;
    }
}

void mongo_put_record(bson_t *doc, const struct record_kind *k, const void *record)
{
    for (unsigned i = 0; i < k->count; i++)
        if (!record_is_empty(&k->fields[i], record)) mongo_put_field(doc, &k->fields[i], record);
}

void mongo_put_changes(bson_t *update, const struct record_kind *k, const void *record)
{
    bson_t set, unset;

    bson_append_document_begin(update, "$set", -1, &set);
    for (unsigned i = 1; i < k->count; i++)
        if (!record_is_empty(&k->fields[i], record)) mongo_put_field(&set, &k->fields[i], record);
    bson_append_document_end(update, &set);
    bson_append_document_begin(update, "$unset", -1, &unset);
    for (unsigned i = 1; i < k->count; i++)
        if (record_is_empty(&k->fields[i], record))
            bson_append_utf8(&unset, k->fields[i].name, -1, "", 0);
    bson_append_document_end(update, &unset);
}

static void put_all(bson_t *doc, const char *name, const struct record_kind *k, const void *at,
                    unsigned count, bool (*is_wanted)(const void *record))
{
    char key[MONGO_KEY_SIZE];
    bson_t list, item;
    unsigned n = 0;

    bson_append_array_begin(doc, name, -1, &list);
    for (unsigned i = 0; i < count; i++) {
        const void *record = (const char *)at + i * k->size;

        if (is_wanted && !is_wanted(record)) continue;
        bson_append_document_begin(&list, mongo_key(n++, key), -1, &item);
        mongo_put_record(&item, k, record);
        bson_append_document_end(&list, &item);
    }
    bson_append_array_end(doc, &list);
}

static bool is_note(const void *m)
{
    return message_is_note(m);
}

static bool is_reply(const void *m)
{
    return !message_is_note(m);
}

void mongo_put_messages(bson_t *doc, const char *name, const struct message *m, unsigned count,
                        bool notes)
{
    put_all(doc, name, &record_message, m, count, notes ? is_note : is_reply);
}

void mongo_put_entries(bson_t *doc, const char *name, const struct outbox *o, unsigned count)
{
    put_all(doc, name, &record_outbox, o, count, NULL);
}

/* ---- and back ---- */

static struct str text_of(bson_iter_t *it, struct arena *a)
{
    uint32_t n = 0;
    const char *p;
    char hex[25];

    if (BSON_ITER_HOLDS_UTF8(it)) {
        p = bson_iter_utf8(it, &n);
        return str_is_utf8(str_of(p, n)) ? arena_str(a, str_of(p, n)) : STR_NONE;
    }
    if (!BSON_ITER_HOLDS_OID(it)) return STR_NONE;
    bson_oid_to_string(bson_iter_oid(it), hex);
    return arena_str(a, str_z(hex));
}

static int64_t number_of(bson_iter_t *it)
{
    if (BSON_ITER_HOLDS_DATE_TIME(it)) return bson_iter_date_time(it);
    if (BSON_ITER_HOLDS_DOUBLE(it)) {
        double v = bson_iter_double(it);

        return v > -9e15 && v < 9e15 ? (int64_t)v : 0;
    }
    return bson_iter_as_int64(it);
}

/* A date that ISO 8601 can say; 0 for others. */
static int64_t date_of(bson_iter_t *it)
{
    int64_t ms = number_of(it);

    return ms < 0 || ms > RECORD_DATE_MAX ? 0 : ms;
}

static struct record_texts texts_of(bson_iter_t *it, struct arena *a)
{
    struct str *at = arena_new(a, RECORD_TEXTS_MAX, sizeof *at);
    bson_iter_t item;
    unsigned n = 0;

    if (!BSON_ITER_HOLDS_ARRAY(it) || !bson_iter_recurse(it, &item))
        return (struct record_texts){0};
    while (n < RECORD_TEXTS_MAX && bson_iter_next(&item))
        at[n++] = text_of(&item, a);
    return (struct record_texts){n ? at : NULL, n};
}

static struct record_slots slots_of(bson_iter_t *it, struct arena *a)
{
    struct record_slot *at = arena_new(a, RECORD_SLOTS_MAX, sizeof *at);
    bson_iter_t item, member;
    unsigned n = 0;

    if (!BSON_ITER_HOLDS_ARRAY(it) || !bson_iter_recurse(it, &item))
        return (struct record_slots){0};
    for (; n < RECORD_SLOTS_MAX && bson_iter_next(&item); n++) {
        if (!BSON_ITER_HOLDS_DOCUMENT(&item) || !bson_iter_recurse(&item, &member)) continue;
        while (bson_iter_next(&member)) {
            if (strcmp(bson_iter_key(&member), "contact") == 0) at[n].contact = text_of(&member, a);
            if (strcmp(bson_iter_key(&member), "at") == 0) at[n].at = number_of(&member);
        }
    }
    return (struct record_slots){n ? at : NULL, n};
}

static void read_field(bson_iter_t *it, const struct record_field *f, struct arena *a, void *out)
{
    void *p = record_member(f, out);

    switch (f->type) {
    case RECORD_TEXT:
    case RECORD_JSON:
        *(struct str *)p = text_of(it, a);
        break;
    case RECORD_I64:
        *(int64_t *)p = number_of(it);
        break;
    case RECORD_DATE:
        *(int64_t *)p = date_of(it);
        break;
    case RECORD_BOOL:
        *(bool *)p = bson_iter_as_bool(it);
        break;
    case RECORD_TEXTS:
        *(struct record_texts *)p = texts_of(it, a);
        break;
    case RECORD_SLOTS:
        *(struct record_slots *)p = slots_of(it, a);
        break;
    }
}

/* Members stand in the order of the table, mostly: the search begins behind the last one found. */
static void read_members(bson_iter_t *it, const struct record_kind *k, struct arena *a, void *out)
{
    unsigned next = 0;

    memset(out, 0, k->size);
    while (bson_iter_next(it)) {
        for (unsigned i = 0; i < k->count; i++) {
            const struct record_field *f = &k->fields[(next + i) % k->count];

            if (strcmp(f->name, bson_iter_key(it)) != 0) continue;
            read_field(it, f, a, out);
            next = (next + i + 1) % k->count;
            break;
        }
    }
}

void mongo_read_record(const bson_t *doc, const struct record_kind *k, struct arena *a, void *out)
{
    bson_iter_t it;

    memset(out, 0, k->size);
    if (bson_iter_init(&it, doc)) read_members(&it, k, a, out);
}

static bool find_list(const bson_t *doc, const char *name, bson_iter_t *items, unsigned *count)
{
    bson_iter_t it;

    *count = 0;
    if (!bson_iter_init_find(&it, doc, name) || !BSON_ITER_HOLDS_ARRAY(&it)) return false;
    if (!bson_iter_recurse(&it, items)) return false;
    while (bson_iter_next(items))
        ++*count;
    return bson_iter_recurse(&it, items);
}

void *mongo_read_list(const bson_t *doc, const char *name, const struct record_kind *k,
                      struct arena *a, unsigned *count)
{
    bson_iter_t items, members;
    unsigned room, n = 0;
    char *at;

    *count = 0;
    if (!find_list(doc, name, &items, &room)) return NULL;
    at = arena_new(a, room, k->size);
    while (n < room && bson_iter_next(&items))
        if (BSON_ITER_HOLDS_DOCUMENT(&items) && bson_iter_recurse(&items, &members))
            read_members(&members, k, a, at + n++ * k->size);
    *count = n;
    return at;
}

/* What the old service leaves out: its replies are the staff's, unless they have the visitor's
 * address. */
static void complete(struct message *m, const struct contact *c, int64_t seq, struct arena *a)
{
    char id[40];

    (void)snprintf(id, sizeof id, "reply_%lld", (long long)seq);
    m->seq = seq;
    if (m->id.n == 0) m->id = arena_str(a, str_z(id));
    if (m->type.n == 0) m->type = STR("text");
    if (m->kind.n) return;
    m->kind = c->email.n && str_eq_nocase(m->email, c->email) ? MESSAGE_VISITOR : MESSAGE_AGENT;
}

static int by_seq(const void *a, const void *b)
{
    const struct message *x = a, *y = b;

    return (x->seq > y->seq) - (x->seq < y->seq);
}

struct message *mongo_read_messages(const bson_t *doc, const struct contact *c, struct arena *a,
                                    unsigned *count, unsigned *unnumbered)
{
    unsigned replies, notes;
    struct message *r = mongo_read_list(doc, "replies", &record_message, a, &replies);
    struct message *n = mongo_read_list(doc, "notes", &record_message, a, &notes);
    struct message *all = arena_new(a, replies + notes, sizeof *all);
    int64_t seq = c->seq;

    if (replies) memcpy(all, r, replies * sizeof *all);
    if (notes) memcpy(all + replies, n, notes * sizeof *all);
    *count = replies + notes;
    *unnumbered = 0;
    for (unsigned i = 0; i < *count; i++)
        if (all[i].seq > seq) seq = all[i].seq;
    for (unsigned i = 0; i < *count; i++) {
        if (all[i].seq > 0) continue;
        complete(&all[i], c, ++seq, a);
        ++*unnumbered;
    }
    if (*count) qsort(all, *count, sizeof *all, by_seq);
    return all;
}
