/* SQLite: lists, counts, scans. A statement is made of fixed pieces; values are bound. */
#include "contacts/store/sqlite_priv.h"

#include "contacts/record/contact.h"
#include "base/forbid.h"

struct query {
    struct sb where;
    struct {
        struct str text;
        int64_t number;
        bool is_text;
    } values[24];
    int count;
};

static void and_that(struct query *q, const char *condition)
{
    sb_z(&q->where, q->where.n ? " AND " : " WHERE ");
    sb_z(&q->where, condition);
}

static void with_text(struct query *q, struct str s)
{
    q->values[q->count].is_text = true;
    q->values[q->count++].text = s;
}

static void with_number(struct query *q, int64_t v)
{
    q->values[q->count++].number = v;
}

static void and_text(struct query *q, const char *condition, struct str s)
{
    if (s.n == 0) return;
    and_that(q, condition);
    with_text(q, s);
}

/* %text% with the signs of LIKE escaped. */
static struct str like(struct store_call *call, struct str text)
{
    struct sb b = {0};
    struct str s;

    sb_char(&b, '%');
    for (size_t i = 0; i < text.n; i++) {
        if (strchr("%_\\", text.p[i])) sb_char(&b, '\\');
        sb_char(&b, text.p[i]);
    }
    sb_char(&b, '%');
    s = arena_str(&call->mem, sb_view(&b));
    sb_fini(&b);
    return s;
}

static void and_filter(struct query *q, struct store_call *call)
{
    const struct store_filter *f = &call->ask.filter;

    and_text(q, "status=?", f->status);
    and_text(q, "owner_id=?", f->owner_id);
    and_text(q, "user_id=?", f->user_id);
    and_text(q, "priority=?", f->priority);
    and_text(q, "email=? COLLATE NOCASE", f->email);
    and_text(q, "tags<>'' AND EXISTS(SELECT 1 FROM json_each(tags) WHERE value=?)", f->tag);
    if (f->text.n) {
        struct str pattern = like(call, f->text);

        and_that(q, "(contact_name LIKE ? ESCAPE '\\' OR email LIKE ? ESCAPE '\\'"
                    " OR subject LIKE ? ESCAPE '\\' OR message LIKE ? ESCAPE '\\')");
        for (int i = 0; i < 4; i++)
            with_text(q, pattern);
    }
    if (f->from) and_that(q, "contact_date>=?"), with_number(q, f->from);
    if (f->to) and_that(q, "contact_date<?"), with_number(q, f->to);
    if (f->sort == STORE_QUEUE) and_that(q, "version>0");
}

static int and_cursor(struct query *q, struct store_call *call)
{
    static const char *const behind[] = {
        [STORE_NEWEST] = "(contact_date,_id)<(?,?)",
        [STORE_OLDEST] = "(contact_date,_id)>(?,?)",
        [STORE_QUEUE] = "(queue_rank,queue_since,_id)>(?,?,?)",
    };
    const struct store_filter *f = &call->ask.filter;
    struct store_cursor c;

    if (f->cursor.n == 0) return OK;
    if (store_cursor_read(call, f->cursor, &c) != OK) return ERR_SCHEMA;
    and_that(q, behind[f->sort]);
    with_number(q, c.a);
    if (f->sort == STORE_QUEUE) with_number(q, c.b);
    with_text(q, c.id);
    return OK;
}

static void bind(const struct query *q, sqlite3_stmt *st)
{
    for (int i = 0; i < q->count; i++) {
        if (q->values[i].is_text)
            sqlite_bind_text(st, i + 1, q->values[i].text);
        else
            sqlite_bind_i64(st, i + 1, q->values[i].number);
    }
}

static int count_all(struct sqlite_worker *w, struct store_call *call, const struct query *q,
                     uint64_t *out)
{
    struct sb sql = {0};
    sqlite3_stmt *st;
    int rc = OK;

    sb_z(&sql, "SELECT count(*) FROM contacts");
    sb_str(&sql, sb_view(&q->where));
    st = sqlite_prepare(w, sb_view(&sql));
    sb_fini(&sql);
    if (!st) return sqlite_fail(w, call);
    bind(q, st);
    if (sqlite3_step(st) == SQLITE_ROW)
        *out = (uint64_t)sqlite3_column_int64(st, 0);
    else
        rc = sqlite_fail(w, call);
    sqlite_release(w, st);
    return rc;
}

static sqlite3_stmt *prepare_list(struct sqlite_worker *w, const struct query *q,
                                  enum store_sort sort)
{
    static const char *const orders[] = {
        [STORE_NEWEST] = " ORDER BY contact_date DESC,_id DESC",
        [STORE_OLDEST] = " ORDER BY contact_date,_id",
        [STORE_QUEUE] = " ORDER BY queue_rank,queue_since,_id",
    };
    struct sb sql = {0};
    sqlite3_stmt *st;

    sb_z(&sql, "SELECT ");
    sqlite_columns(&record_contact, SQLITE_NAMES, &sql);
    sb_z(&sql, " FROM contacts");
    sb_str(&sql, sb_view(&q->where));
    sb_z(&sql, orders[sort]);
    sb_z(&sql, " LIMIT ?");
    st = sqlite_prepare(w, sb_view(&sql));
    sb_fini(&sql);
    return st;
}

static int read_list(struct sqlite_worker *w, struct store_call *call, struct query *q)
{
    const struct store_filter *f = &call->ask.filter;
    sqlite3_stmt *st = prepare_list(w, q, f->sort);
    struct contact *c = arena_new(&call->mem, f->limit + 1, sizeof *c);
    unsigned n = 0;
    int code, rc = OK;

    if (!st) return sqlite_fail(w, call);
    with_number(q, (int64_t)f->limit + 1); /* one more: is there another page? */
    bind(q, st);
    while ((code = sqlite3_step(st)) == SQLITE_ROW && n <= f->limit)
        sqlite_read_record(st, 0, &record_contact, &call->mem, &c[n++]);
    if (code != SQLITE_DONE && code != SQLITE_ROW) rc = sqlite_fail(w, call);
    sqlite_release(w, st);
    if (n > f->limit) store_cursor_put(call, f->sort, &c[(n = f->limit) - 1]);
    call->result.contacts = c;
    call->result.contacts_count = n;
    return rc;
}

int sqlite_contact_list(struct sqlite_worker *w, struct store_call *call)
{
    struct query q = {0};
    int rc = OK;

    and_filter(&q, call);
    if (call->ask.filter.with_total) rc = count_all(w, call, &q, &call->result.total);
    if (rc == OK) rc = and_cursor(&q, call);
    if (rc == OK) rc = read_list(w, call, &q);
    sb_fini(&q.where);
    return rc;
}

int sqlite_contact_counts(struct sqlite_worker *w, struct store_call *call)
{
    struct store_counts *c = &call->result.counts;
    sqlite3_stmt *st = sqlite_prepare(
        w, STR("SELECT status,count(*) FROM contacts WHERE version>0 GROUP BY status"));
    int code, rc = OK;

    if (!st) return sqlite_fail(w, call);
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        struct contact of = {.status = sqlite_text(st, 0, &call->mem)};
        uint64_t n = (uint64_t)sqlite3_column_int64(st, 1);

        if (contact_is_pending(&of)) c->pending = n;
        if (contact_is_in_progress(&of)) c->in_progress = n;
        if (contact_is_resolved(&of)) c->resolved = n;
    }
    if (code != SQLITE_DONE) rc = sqlite_fail(w, call);
    sqlite_release(w, st);
    return rc;
}

int sqlite_queue_place(struct sqlite_worker *w, struct store_call *call)
{
    struct query q = {0};
    int rc = sqlite_contact_head(w, call, call->ask.id);

    if (rc != OK) return rc;
    and_text(&q, "version>0 AND status=?", CONTACT_PENDING);
    rc = count_all(w, call, &q, &call->result.counts.pending);
    if (rc == OK && contact_is_pending(call->result.contact) && call->result.contact->version > 0) {
        and_that(&q, "(queue_rank,queue_since,_id)<=(?,?,?)");
        with_number(&q, call->result.contact->queue_rank);
        with_number(&q, call->result.contact->queue_since);
        with_text(&q, call->result.contact->id);
        rc = count_all(w, call, &q, &call->result.counts.place);
    }
    sb_fini(&q.where);
    return rc;
}

int sqlite_contact_scan(struct sqlite_worker *w, struct store_call *call)
{
    const struct store_scan *scan = &call->ask.scan;
    struct arena mem = {0};
    struct contact c;
    struct sb sql = {0};
    sqlite3_stmt *st;
    int code, rc = OK;

    sb_z(&sql, "SELECT ");
    sqlite_columns(&record_contact, SQLITE_NAMES, &sql);
    sb_z(&sql, " FROM contacts WHERE contact_date>=? AND contact_date<?");
    st = sqlite_prepare(w, sb_view(&sql));
    sb_fini(&sql);
    if (!st) return sqlite_fail(w, call);
    sqlite_bind_i64(st, 1, scan->from);
    sqlite_bind_i64(st, 2, scan->to ? scan->to : INT64_MAX);
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        sqlite_read_record(st, 0, &record_contact, &mem, &c);
        scan->step(scan->fold, &c);
        arena_fini(&mem);
    }
    if (code != SQLITE_DONE) rc = sqlite_fail(w, call);
    sqlite_release(w, st);
    return rc;
}
