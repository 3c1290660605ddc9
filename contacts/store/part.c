/* What both drivers have to decide alike: numbers, windows, cursors. See store_priv.h. Pure; runs
 * in workers. */
#include "contacts/store/store_priv.h"

#include "contacts/record/contact.h"
#include "contacts/record/message.h"
#include "base/forbid.h"

int store_fail(struct store_call *call, int rc, const char *why)
{
    call->base.rc = rc;
    call->base.why = why ? arena_str(&call->mem, str_z(why)).p : NULL;
    return rc;
}

struct contact *store_put_contact(struct store_call *call, const struct contact *c)
{
    struct contact *to = arena_new(&call->mem, 1, sizeof *to);

    record_copy(&record_contact, c, to, &call->mem);
    return call->result.contact = to;
}

bool store_is_same_form(const struct contact *asked, const struct contact *there)
{
    return str_eq(asked->id, there->id) && asked->created_at == there->created_at &&
           str_eq(asked->message, there->message);
}

int store_number(struct store_call *call, int64_t version)
{
    struct store_ask *a = &call->ask;

    a->contact.version = version;
    a->contact.updated_at = a->now;
    for (unsigned i = 0; i < a->messages_count; i++) {
        a->messages[i].seq = ++a->contact.seq;
        a->contact.bytes += message_bytes(&a->messages[i]);
    }
    if (a->messages_count == 0 ||
        (a->contact.bytes <= CONTACT_BYTES_MAX && a->contact.seq <= CONTACT_MESSAGES_MAX))
        return OK;
    return store_fail(call, ERR_LIMIT, "the contact has as many messages as one may have");
}

void store_cut(struct store_call *call, struct message *all, unsigned count)
{
    const struct store_window *w = &call->ask.window;
    unsigned first = 0, end = count;

    if (w->after > 0) {
        while (first < end && all[first].seq <= w->after)
            first++;
        if (end - first > w->limit) end = first + w->limit;
    } else {
        while (w->before > 0 && end > 0 && all[end - 1].seq >= w->before)
            end--;
        if (end > w->limit) first = end - w->limit;
    }
    call->result.messages = all + first;
    call->result.messages_count = end - first;
    call->result.has_more = w->after > 0 ? end < count : first > 0;
}

/* ---- cursors: base64 of "a b id" ---- */

void store_cursor_put(struct store_call *call, enum store_sort sort, const struct contact *last)
{
    struct sb plain = {0}, out = {0};

    sb_i64(&plain, sort == STORE_QUEUE ? last->queue_rank : last->created_at);
    sb_char(&plain, ' ');
    sb_i64(&plain, sort == STORE_QUEUE ? last->queue_since : 0);
    sb_char(&plain, ' ');
    sb_str(&plain, last->id);
    sb_base64(&out, sb_view(&plain));
    call->result.cursor = arena_str(&call->mem, sb_view(&out));
    call->result.has_more = true;
    sb_fini(&plain);
    sb_fini(&out);
}

static bool read_number(struct str s, int64_t *out)
{
    bool is_below = s.n > 0 && s.p[0] == '-';
    uint64_t v;

    if (str_u64(is_below ? str_skip(s, 1) : s, INT64_MAX, &v) != OK) return false;
    *out = is_below ? -(int64_t)v : (int64_t)v;
    return true;
}

int store_cursor_read(struct store_call *call, struct str text, struct store_cursor *out)
{
    struct sb plain = {0};
    struct str a, b, id, rest;
    int rc = sb_base64_decode(&plain, text);

    if (rc == OK && !(str_cut(sb_view(&plain), ' ', &a, &rest) && str_cut(rest, ' ', &b, &id) &&
                      read_number(a, &out->a) && read_number(b, &out->b) && str_is_utf8(id)))
        rc = ERR_SCHEMA;
    if (rc == OK)
        out->id = arena_str(&call->mem, id);
    else
        rc = store_fail(call, ERR_SCHEMA, "the cursor is none");
    sb_fini(&plain);
    return rc;
}
