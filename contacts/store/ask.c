/* The calls of store.h: what is asked is checked, copied and sent. */
#include "contacts/store/store_priv.h"

#include "base/clock.h"
#include "base/rand.h"
#include "base/forbid.h"

static struct str keep(struct store_call *call, struct str s)
{
    return arena_str(&call->mem, s);
}

/* Copies a record into the call; a wrong one is refused. */
static bool take(struct store_call *call, const struct record_kind *k, const void *from, void *to)
{
    const char *field = "";
    struct sb why = {0};
    int rc = record_check(k, from, &field);

    if (rc == OK) {
        record_copy(k, from, to, &call->mem);
        return true;
    }
    sb_printf(&why, "%s.%s: %s", k->name, field, err_text(rc));
    sb_char(&why, 0);
    store_call_refuse(call, rc, why.p);
    sb_fini(&why);
    return false;
}

static bool take_all(struct store_call *call, const struct record_kind *k, const void *from,
                     unsigned count, void *to)
{
    for (unsigned i = 0; i < count; i++)
        if (!take(call, k, (const char *)from + i * k->size, (char *)to + i * k->size))
            return false;
    return true;
}

static bool take_more(struct store_call *call, const struct store_more *more)
{
    static const struct store_more none;
    struct store_ask *a = &call->ask;

    if (!more) more = &none;
    a->messages = arena_new(&call->mem, more->messages_count, sizeof *a->messages);
    a->outbox = arena_new(&call->mem, more->outbox_count, sizeof *a->outbox);
    a->messages_count = more->messages_count;
    a->outbox_count = more->outbox_count;
    return take_all(call, &record_message, more->messages, more->messages_count, a->messages) &&
           take_all(call, &record_outbox, more->outbox, more->outbox_count, a->outbox);
}

/* ---- contacts ---- */

void store_contact_insert(struct store *s, const struct contact *c, const struct store_more *more,
                          store_done_fn *done, void *ctx)
{
    struct store_call *call = store_call_new(s, STORE_OP_CONTACT_INSERT, done, ctx);

    if (!take(call, &record_contact, c, &call->ask.contact) || !take_more(call, more)) return;
    call->ask.now = (int64_t)clock_wall_ms();
    if (c->id.n == 0)
        store_call_refuse(call, ERR_SCHEMA, "a contact without an id");
    else
        store_call_send(call, 0);
}

void store_contact_get(struct store *s, struct str id, const struct store_window *w,
                       store_done_fn *done, void *ctx)
{
    struct store_call *call = store_call_new(s, STORE_OP_CONTACT_GET, done, ctx);

    call->ask.id = keep(call, id);
    if (w) call->ask.window = *w;
    store_call_send(call, 0);
}

void store_contact_by_form(struct store *s, struct str form_key, store_done_fn *done, void *ctx)
{
    struct store_call *call = store_call_new(s, STORE_OP_CONTACT_BY_FORM, done, ctx);

    call->ask.id = keep(call, form_key);
    store_call_send(call, 0);
}

void store_contact_update(struct store *s, const struct contact *c, const struct store_more *more,
                          store_done_fn *done, void *ctx)
{
    store_contact_write(s, c, more, 0, done, ctx);
}

void store_contact_write(struct store *s, const struct contact *c, const struct store_more *more,
                         uint64_t timeout_ms, store_done_fn *done, void *ctx)
{
    struct store_call *call = store_call_new(s, STORE_OP_CONTACT_UPDATE, done, ctx);

    if (!take(call, &record_contact, c, &call->ask.contact) || !take_more(call, more)) return;
    call->ask.now = (int64_t)clock_wall_ms();
    store_call_send(call, timeout_ms);
}

void store_message_by_client_id(struct store *s, struct str contact_id, struct str client_id,
                                uint64_t timeout_ms, store_done_fn *done, void *ctx)
{
    struct store_call *call = store_call_new(s, STORE_OP_MESSAGE_BY_CLIENT_ID, done, ctx);

    call->ask.id = keep(call, contact_id);
    call->ask.client_id = keep(call, client_id);
    store_call_send(call, timeout_ms);
}

void store_contact_delete(struct store *s, struct str id, store_done_fn *done, void *ctx)
{
    struct store_call *call = store_call_new(s, STORE_OP_CONTACT_DELETE, done, ctx);

    call->ask.id = keep(call, id);
    store_call_send(call, 0);
}

void store_contact_list(struct store *s, const struct store_filter *f, store_done_fn *done,
                        void *ctx)
{
    struct store_call *call = store_call_new(s, STORE_OP_CONTACT_LIST, done, ctx);
    struct store_filter *to = &call->ask.filter;
    struct str *texts[] = {&to->status,   &to->owner_id, &to->user_id, &to->tag,
                           &to->priority, &to->email,    &to->text,    &to->cursor};

    *to = *f;
    if (to->limit == 0 || to->limit > STORE_LIST_MAX) to->limit = STORE_LIST_MAX;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        bool is_text =
            str_is_utf8(*texts[i]) && (texts[i]->n == 0 || !memchr(texts[i]->p, 0, texts[i]->n));

        *texts[i] = keep(call, *texts[i]);
        if (is_text && texts[i]->n <= STORE_FILTER_BYTES_MAX) continue;
        store_call_refuse(call, ERR_SCHEMA, "a filter that is no text");
        return;
    }
    store_call_send(call, 0);
}

void store_contact_counts(struct store *s, store_done_fn *done, void *ctx)
{
    store_call_send(store_call_new(s, STORE_OP_CONTACT_COUNTS, done, ctx), 0);
}

void store_queue_place(struct store *s, struct str id, store_done_fn *done, void *ctx)
{
    struct store_call *call = store_call_new(s, STORE_OP_QUEUE_PLACE, done, ctx);

    call->ask.id = keep(call, id);
    store_call_send(call, 0);
}

void store_contact_scan(struct store *s, const struct store_scan *scan, store_done_fn *done,
                        void *ctx)
{
    struct store_call *call = store_call_new(s, STORE_OP_CONTACT_SCAN, done, ctx);

    call->ask.scan = *scan;
    store_call_send(call, scan->timeout_ms);
}

/* ---- agents ---- */

void store_agent_get(struct store *s, struct str id, store_done_fn *done, void *ctx)
{
    struct store_call *call = store_call_new(s, STORE_OP_AGENT_GET, done, ctx);

    call->ask.id = keep(call, id);
    store_call_send(call, 0);
}

void store_agent_list(struct store *s, store_done_fn *done, void *ctx)
{
    store_call_send(store_call_new(s, STORE_OP_AGENT_LIST, done, ctx), 0);
}

void store_agent_update(struct store *s, const struct agent *a, store_done_fn *done, void *ctx)
{
    store_agent_write(s, a, 0, done, ctx);
}

void store_agent_write(struct store *s, const struct agent *a, uint64_t timeout_ms,
                       store_done_fn *done, void *ctx)
{
    struct store_call *call = store_call_new(s, STORE_OP_AGENT_UPDATE, done, ctx);

    if (!take(call, &record_agent, a, &call->ask.agent)) return;
    call->ask.now = (int64_t)clock_wall_ms();
    if (a->id.n == 0)
        store_call_refuse(call, ERR_SCHEMA, "an agent without an id");
    else
        store_call_send(call, timeout_ms);
}

/* ---- deadlines ---- */

void store_due_next(struct store *s, store_done_fn *done, void *ctx)
{
    store_call_send(store_call_new(s, STORE_OP_DUE_NEXT, done, ctx), 0);
}

void store_due_take(struct store *s, int64_t now, int64_t lease_ms, store_done_fn *done, void *ctx)
{
    struct store_call *call = store_call_new(s, STORE_OP_DUE_TAKE, done, ctx);

    call->ask.now = now;
    call->ask.until = now + lease_ms;
    store_call_send(call, 0);
}

/* ---- the outbox ---- */

void store_outbox_next(struct store *s, store_done_fn *done, void *ctx)
{
    store_call_send(store_call_new(s, STORE_OP_OUTBOX_NEXT, done, ctx), 0);
}

void store_outbox_take(struct store *s, int64_t now, int64_t lease_ms, store_done_fn *done,
                       void *ctx)
{
    struct store_call *call = store_call_new(s, STORE_OP_OUTBOX_TAKE, done, ctx);
    char lease[STORE_LEASE_SIZE];

    rand_id(lease, sizeof lease);
    call->ask.lease = keep(call, str_of(lease, sizeof lease));
    call->ask.now = now;
    call->ask.until = now + lease_ms;
    store_call_send(call, 0);
}

static struct store_call *entry_call(struct store *s, enum store_op op, struct str contact_id,
                                     const struct outbox *o, store_done_fn *done, void *ctx)
{
    struct store_call *call = store_call_new(s, op, done, ctx);

    call->ask.id = keep(call, contact_id);
    call->ask.entry_id = keep(call, o->id);
    call->ask.lease = keep(call, o->lease);
    return call;
}

void store_outbox_keep(struct store *s, struct str contact_id, const struct outbox *o, int64_t at,
                       store_done_fn *done, void *ctx)
{
    struct store_call *call = entry_call(s, STORE_OP_OUTBOX_KEEP, contact_id, o, done, ctx);

    call->ask.at = at;
    store_call_send(call, 0);
}

void store_outbox_done(struct store *s, struct str contact_id, const struct outbox *o,
                       store_done_fn *done, void *ctx)
{
    store_call_send(entry_call(s, STORE_OP_OUTBOX_DONE, contact_id, o, done, ctx), 0);
}

/* A reason in the bytes that it may have; never in the middle of a character. */
static struct str keep_why(struct store_call *call, struct str why)
{
    size_t max = record_field_of(&record_outbox, "why")->max;
    struct str cut = str_head(why, max);

    while (cut.n > 0 && !str_is_utf8(cut) && why.n - cut.n < max)
        cut.n--;
    return str_is_utf8(cut) ? keep(call, cut) : STR_NONE;
}

void store_outbox_fail(struct store *s, struct str contact_id, const struct outbox *o, int64_t at,
                       struct str why, store_done_fn *done, void *ctx)
{
    struct store_call *call = entry_call(s, STORE_OP_OUTBOX_FAIL, contact_id, o, done, ctx);

    call->ask.at = at;
    call->ask.why = keep_why(call, why);
    store_call_send(call, 0);
}

void store_outbox_dead(struct store *s, struct str contact_id, const struct outbox *o,
                       struct str why, store_done_fn *done, void *ctx)
{
    struct store_call *call = entry_call(s, STORE_OP_OUTBOX_DEAD, contact_id, o, done, ctx);

    call->ask.why = keep_why(call, why);
    store_call_send(call, 0);
}

void store_outbox_list(struct store *s, struct str cursor, unsigned limit, store_done_fn *done,
                       void *ctx)
{
    struct store_call *call = store_call_new(s, STORE_OP_OUTBOX_LIST, done, ctx);

    call->ask.cursor = keep(call, cursor);
    call->ask.limit = limit && limit < STORE_LIST_MAX ? limit : STORE_LIST_MAX;
    store_call_send(call, 0);
}

void store_outbox_retry(struct store *s, struct str contact_id, struct str entry_id, int64_t at,
                        store_done_fn *done, void *ctx)
{
    const struct outbox entry = {.id = entry_id};
    struct store_call *call = entry_call(s, STORE_OP_OUTBOX_RETRY, contact_id, &entry, done, ctx);

    call->ask.at = at;
    store_call_send(call, 0);
}

/* ---- documents ---- */

void store_doc_put(struct store *s, const struct doc *d, store_done_fn *done, void *ctx)
{
    struct store_call *call = store_call_new(s, STORE_OP_DOC_PUT, done, ctx);

    if (!take(call, &record_doc, d, &call->ask.doc)) return;
    call->ask.now = (int64_t)clock_wall_ms();
    if (d->id.n == 0 || d->kind.n == 0)
        store_call_refuse(call, ERR_SCHEMA, "a document without an id");
    else
        store_call_send(call, 0);
}

static struct store_call *doc_call(struct store *s, enum store_op op, struct str kind,
                                   struct str id, store_done_fn *done, void *ctx)
{
    struct store_call *call = store_call_new(s, op, done, ctx);

    call->ask.kind = keep(call, kind);
    call->ask.id = keep(call, id);
    return call;
}

void store_doc_get(struct store *s, struct str kind, struct str id, store_done_fn *done, void *ctx)
{
    store_call_send(doc_call(s, STORE_OP_DOC_GET, kind, id, done, ctx), 0);
}

void store_doc_list(struct store *s, struct str kind, store_done_fn *done, void *ctx)
{
    store_call_send(doc_call(s, STORE_OP_DOC_LIST, kind, STR_NONE, done, ctx), 0);
}

void store_doc_delete(struct store *s, struct str kind, struct str id, store_done_fn *done,
                      void *ctx)
{
    store_call_send(doc_call(s, STORE_OP_DOC_DELETE, kind, id, done, ctx), 0);
}
