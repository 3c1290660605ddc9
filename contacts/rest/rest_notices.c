/* Notices that were given up: who they were for, why, and once more. */
#include "contacts/rest/rest_priv.h"

#include "base/clock.h"
#include "contacts/record/outbox.h"

enum { LIST_DEFAULT = 50 };

static void on_listed(void *ctx, const struct store_result *r)
{
    struct rest_call *call = ctx;
    struct sb body = {0};

    if (rest_is_over(call, r)) return;
    sb_z(&body, "{\"notices\":[");
    for (unsigned i = 0; i < r->letters_count; i++) {
        if (i) sb_char(&body, ',');
        outbox_put(r->letters[i].contact_id, &r->letters[i].entry, &body);
    }
    sb_char(&body, ']');
    rest_page(call, r, &body);
}

void rest_list_notices(struct rest_call *call)
{
    const struct in_rest_list_notices *in = &call->in.rest_list_notices;

    store_outbox_list(call->rest->s.store, in->cursor,
                      in->has_limit ? (unsigned)in->limit : LIST_DEFAULT, on_listed, call);
}

static void on_woken(void *ctx, const struct store_result *r)
{
    struct rest_call *call = ctx;
    const struct rest_seams *s;

    if (rest_is_over(call, r)) return;
    s = &call->rest->s;
    rest_json(call, 202, STR("{\"ok\":true}"));
    if (s->on_letters) s->on_letters(s->ctx);
}

void rest_retry_notice(struct rest_call *call)
{
    const struct in_rest_retry_notice *in = &call->in.rest_retry_notice;

    store_outbox_retry(call->rest->s.store, in->contact_id, in->id, (int64_t)clock_wall_ms(),
                       on_woken, call);
}
