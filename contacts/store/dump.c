/* Export and import: the lines, and the walk over a store. See dump.h. */
#include "contacts/store/dump.h"

#include "base/conf.h"
#include "base/mem.h"
#include "contacts/record/contact.h"
#include "contacts/store/store_priv.h"
#include "base/forbid.h"

#define LINE_DEPTH (JSON_DEPTH_MAX + 8) /* values of records stand in arrays of a line */
#define BUNDLE 200                      /* items of one write */
#define BUNDLE_BYTES 16777216

static const struct {
    const char *name;
    const struct record_kind *kind;
} types[] = {
    [STORE_ITEM_CONTACT] = {"contact", &record_contact},
    [STORE_ITEM_AGENT] = {"agent", &record_agent},
    [STORE_ITEM_DOC] = {"doc", &record_doc},
};

static const void *record_of(const struct store_item *item)
{
    if (item->type == STORE_ITEM_CONTACT) return &item->contact;
    return item->type == STORE_ITEM_AGENT ? (const void *)&item->agent : (const void *)&item->doc;
}

static void put_list(const char *name, const struct record_kind *k, const void *records,
                     unsigned count, struct sb *out)
{
    if (count == 0) return;
    sb_printf(out, ",\"%s\":[", name);
    for (unsigned i = 0; i < count; i++) {
        sb_z(out, i ? ",{" : "{");
        (void)record_dump(k, (const char *)records + i * k->size, out);
        sb_char(out, '}');
    }
    sb_char(out, ']');
}

void dump_line_put(const struct store_item *item, struct sb *out)
{
    const char *name = types[item->type].name;

    sb_printf(out, "{\"type\":\"%s\",\"%s\":{", name, name);
    (void)record_dump(types[item->type].kind, record_of(item), out);
    sb_char(out, '}');
    if (item->type == STORE_ITEM_CONTACT) {
        put_list("messages", &record_message, item->messages, item->messages_count, out);
        put_list("outbox", &record_outbox, item->outbox, item->outbox_count, out);
    }
    sb_char(out, '}');
}

/* ---- and back ---- */

static int complain(struct sb *why, int rc, const char *what)
{
    if (why) sb_printf(why, "%s: %s", what, err_text(rc));
    return rc;
}

struct found { /* a list of records; field: of the first that is wrong */
    void *at;
    unsigned count;
    const char *field;
};

static int read_list(struct json line, const char *name, const struct record_kind *k,
                     struct arena *a, struct found *out)
{
    struct json list, v;
    struct str rest;
    size_t n;
    char *at;

    *out = (struct found){.field = name};
    if (!json_member(line, str_z(name), &list)) return OK;
    if (list.type != JSON_ARRAY) return ERR_SCHEMA;
    n = json_count(list);
    if (n > CONTACT_MESSAGES_MAX) return ERR_TOO_BIG;
    out->at = at = arena_new(a, n, k->size);
    rest = json_begin(list);
    while (json_next_item(&rest, &v)) {
        int rc = record_read(k, v, a, at + out->count++ * k->size, &out->field);

        if (rc != OK) return rc;
    }
    return OK;
}

/* Numbers that count up; otherwise the store would take two for one. */
static bool are_in_order(const struct store_item *item)
{
    for (unsigned i = 0; i < item->messages_count; i++)
        if (item->messages[i].seq <= (i ? item->messages[i - 1].seq : 0)) return false;
    return item->messages_count == 0 ||
           item->messages[item->messages_count - 1].seq <= item->contact.seq;
}

static int read_item(struct json line, enum store_item_type type, struct arena *a,
                     struct store_item *out, struct sb *why)
{
    void *to = type == STORE_ITEM_CONTACT ? (void *)&out->contact
               : type == STORE_ITEM_AGENT ? (void *)&out->agent
                                          : (void *)&out->doc;
    struct found messages = {0}, outbox = {0};
    const char *field = types[type].name;
    struct json v;
    int rc = json_member(line, str_z(types[type].name), &v) ? OK : ERR_SCHEMA;

    memset(out, 0, sizeof *out);
    out->type = type;
    if (rc == OK) rc = record_read(types[type].kind, v, a, to, &field);
    if (rc != OK) return complain(why, rc, field);
    if (type == STORE_ITEM_CONTACT) {
        rc = read_list(line, "messages", &record_message, a, &messages);
        if (rc != OK) return complain(why, rc, messages.field);
        rc = read_list(line, "outbox", &record_outbox, a, &outbox);
        if (rc != OK) return complain(why, rc, outbox.field);
    }
    out->messages = messages.at;
    out->messages_count = messages.count;
    out->outbox = outbox.at;
    out->outbox_count = outbox.count;
    if (((const struct str *)to)->n == 0) return complain(why, ERR_SCHEMA, "_id");
    return are_in_order(out) ? OK : complain(why, ERR_SCHEMA, "messages.seq");
}

static int64_t number_of(struct json line, const char *name)
{
    int64_t n = 0;
    struct json v;

    return json_member(line, str_z(name), &v) && v.type == JSON_NUMBER && json_i64(v, &n) ? n : -1;
}

static int read_head(struct json line, struct sb *why)
{
    int64_t schema = number_of(line, "schema");

    if (schema == STORE_SCHEMA) return OK;
    if (why)
        sb_printf(why, "its schema is %lld, this program knows %d", (long long)schema,
                  STORE_SCHEMA);
    return ERR_SCHEMA;
}

int dump_line_read(struct str text, struct arena *a, enum dump_line *type, struct store_item *out,
                   uint64_t *items, struct sb *why)
{
    struct json line, v;
    struct sb scratch = {0};
    struct str name = STR_NONE;
    int rc;

    if (text.n > DUMP_LINE_MAX) return complain(why, ERR_TOO_BIG, "line");
    rc = json_parse_deep(text, LINE_DEPTH, &line);
    if (rc != OK) return complain(why, rc, "line");
    if (line.type == JSON_OBJECT && json_member(line, STR("type"), &v) &&
        json_text(v, &scratch, &name) == OK)
        name = arena_str(a, name);
    sb_fini(&scratch);
    *type = DUMP_ITEM;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_eq(name, str_z(types[i].name)))
            return read_item(line, (enum store_item_type)i, a, out, why);
    *type = DUMP_HEAD;
    if (str_eq(name, STR("ingoma-contacts"))) return read_head(line, why);
    *type = DUMP_END;
    if (!str_eq(name, STR("end"))) return complain(why, ERR_SCHEMA, "type");
    *items = (uint64_t)(number_of(line, "contacts") + number_of(line, "agents") +
                        number_of(line, "docs"));
    return OK;
}

/* ---- over a store ---- */

struct opened {
    const struct store_driver *driver;
    void *state, *worker;
};

static int open_store(const struct conf *c, struct opened *o, char **why)
{
    int rc;

    o->driver = store_driver_of(c);
    rc = o->driver->open(c, &o->state, why);
    if (rc == OK || rc == ERR_UNAVAILABLE) {
        if (rc == ERR_UNAVAILABLE) o->driver->close(o->state);
        if (rc == OK) o->worker = o->driver->worker_open(o->state);
    }
    return rc;
}

/* Closes; why a failure was one is said once. */
static int close_store(struct opened *o, int rc, char **why)
{
    if (rc != OK && !*why) {
        const char *text = o->driver->why(o->worker);

        *why = str_dup(str_z(text && text[0] ? text : err_text(rc)));
    }
    o->driver->worker_close(o->worker);
    o->driver->close(o->state);
    return rc;
}

struct exporter {
    int (*write)(void *ctx, struct str line);
    void *ctx;
    struct sb line;
    uint64_t counts[sizeof types / sizeof *types];
    bool cannot_write;
};

static int write_line(struct exporter *e)
{
    int rc = e->write(e->ctx, sb_view(&e->line));

    e->line.n = 0;
    e->cannot_write = rc != OK;
    return rc;
}

static int export_item(void *ctx, const struct store_item *item)
{
    struct exporter *e = ctx;

    e->counts[item->type]++;
    dump_line_put(item, &e->line);
    return write_line(e);
}

int dump_export(const struct conf *c, int (*write)(void *ctx, struct str line), void *ctx,
                uint64_t *items, char **why)
{
    struct exporter e = {.write = write, .ctx = ctx};
    const struct store_sink sink = {.put = export_item, .ctx = &e};
    struct opened o = {0};
    int rc = open_store(c, &o, why);

    if (rc != OK) return rc;
    sb_printf(&e.line, "{\"type\":\"ingoma-contacts\",\"schema\":%d}", STORE_SCHEMA);
    rc = write_line(&e);
    if (rc == OK) rc = o.driver->dump(o.worker, &sink);
    if (rc == OK) {
        sb_printf(&e.line, "{\"type\":\"end\",\"contacts\":%llu,\"agents\":%llu,\"docs\":%llu}",
                  (unsigned long long)e.counts[STORE_ITEM_CONTACT],
                  (unsigned long long)e.counts[STORE_ITEM_AGENT],
                  (unsigned long long)e.counts[STORE_ITEM_DOC]);
        rc = write_line(&e);
    }
    *items = e.counts[STORE_ITEM_CONTACT] + e.counts[STORE_ITEM_AGENT] + e.counts[STORE_ITEM_DOC];
    sb_fini(&e.line);
    if (e.cannot_write) *why = str_dup(STR("the export cannot be written"));
    return close_store(&o, rc, why);
}

struct importer {
    struct opened store;
    struct arena mem;
    struct store_item items[BUNDLE];
    unsigned count;
    size_t bytes;
    uint64_t line, read; /* numbers of lines; items */
    bool has_head, has_end;
};

static int flush(struct importer *i, struct store_loaded *sum)
{
    int rc = OK;

    if (i->count) rc = i->store.driver->load(i->store.worker, i->items, i->count, sum);
    i->count = 0;
    i->bytes = 0;
    arena_fini(&i->mem);
    return rc;
}

/* One line. What is wrong with it goes to *why. */
static int import_line(struct importer *i, struct str line, struct store_loaded *sum,
                       struct sb *why)
{
    enum dump_line type;
    uint64_t items = 0;
    int rc = dump_line_read(line, &i->mem, &type, &i->items[i->count], &items, why);

    if (rc != OK) return rc;
    if (!i->has_head && type != DUMP_HEAD)
        return complain(why, ERR_SCHEMA, "no export of contacts");
    if (i->has_end) return complain(why, ERR_SCHEMA, "something behind the end");
    i->has_head = true;
    if (type == DUMP_END) {
        i->has_end = true;
        return items == i->read ? OK : complain(why, ERR_SCHEMA, "lines are missing");
    }
    if (type != DUMP_ITEM) return OK;
    i->read++;
    i->bytes += line.n;
    if (++i->count < BUNDLE && i->bytes < BUNDLE_BYTES) return OK;
    return flush(i, sum);
}

int dump_import(const struct conf *c, bool (*read)(void *ctx, struct str *line), void *ctx,
                struct store_loaded *sum, char **why)
{
    struct importer *i = MEM_NEW(struct importer);
    struct sb said = {0}, sentence = {0};
    struct str line;
    int rc = open_store(c, &i->store, why);

    if (rc != OK) {
        mem_free(i);
        return rc;
    }
    while (rc == OK && read(ctx, &line)) {
        i->line++;
        rc = import_line(i, line, sum, &said);
    }
    if (rc == OK && !i->has_end)
        rc = complain(&said, ERR_SCHEMA, "the export is cut off: it has no end");
    if (said.n) {
        sb_printf(&sentence, "line %llu: " STR_FMT, (unsigned long long)i->line,
                  STR_ARG(sb_view(&said)));
        *why = str_dup(sb_view(&sentence));
    }
    if (rc == OK) rc = flush(i, sum);
    rc = close_store(&i->store, rc, why);
    arena_fini(&i->mem);
    sb_fini(&said);
    sb_fini(&sentence);
    mem_free(i);
    return rc;
}
