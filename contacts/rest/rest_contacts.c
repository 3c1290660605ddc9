/* Contacts by REST: list, read, erase. */
#include "contacts/rest/rest_priv.h"

#include "base/clock.h"
#include "contacts/record/contact.h"
#include "contacts/record/message.h"

enum { LIST_DEFAULT = 50, MESSAGES_DEFAULT = 100 };

bool rest_is_agent(const struct rest_call *call)
{
    return call->who->role >= ROLE_ADMIN;
}

bool rest_may_see(struct rest_call *call, struct str chat_token)
{
    return rest_is_agent(call) || rest_has_token(call, TOKEN_CHAT, chat_token);
}

bool rest_has_token(struct rest_call *call, enum token_purpose purpose, struct str token)
{
    struct str id = STR("");
    int rc = ERR_AUTH_REQUIRED;

    if (token.n) rc = token_check(&call->rest->keys, purpose, token, clock_wall_ms() / 1000, &id);
    if (rc == OK && !str_eq(id, call->id)) rc = ERR_FORBIDDEN; /* of another contact */
    if (rc == OK) return true;
    rest_refuse(call, rc, STR(""), 0);
    return false;
}

/* ---- the list ---- */

static enum store_sort sort_of(struct str word)
{
    if (str_eq(word, STR("oldest"))) return STORE_OLDEST;
    return str_eq(word, STR("queue")) ? STORE_QUEUE : STORE_NEWEST;
}

static void on_listed(void *ctx, const struct store_result *r)
{
    struct rest_call *call = ctx;
    struct sb body = {0};

    if (rest_is_over(call, r)) return;
    sb_z(&body, "{\"contacts\":[");
    for (unsigned i = 0; i < r->contacts_count; i++) {
        if (i) sb_char(&body, ',');
        contact_put(&r->contacts[i], RECORD_AGENT, &body);
    }
    sb_printf(&body, "],\"total\":%llu", (unsigned long long)r->total);
    rest_page(call, r, &body);
}

void rest_list_contacts(struct rest_call *call)
{
    const struct in_rest_list_contacts *in = &call->in.rest_list_contacts;
    const struct store_filter f = {.status = in->status,
                                   .owner_id = in->owner,
                                   .user_id = in->user,
                                   .tag = in->tag,
                                   .priority = in->priority,
                                   .email = in->email,
                                   .text = in->text,
                                   .from = in->from,
                                   .to = in->to,
                                   .sort = sort_of(in->sort),
                                   .cursor = in->cursor,
                                   .limit = in->has_limit ? (unsigned)in->limit : LIST_DEFAULT,
                                   .with_total = true};

    store_contact_list(call->rest->s.store, &f, on_listed, call);
}

/* ---- one ---- */

static void on_read(void *ctx, const struct store_result *r)
{
    struct rest_call *call = ctx;
    struct sb body = {0};

    if (rest_is_over(call, r)) return;
    sb_z(&body, "{\"contact\":");
    contact_put(r->contact, rest_is_agent(call) ? RECORD_AGENT : RECORD_VISITOR, &body);
    sb_z(&body, ",\"messages\":[");
    for (unsigned i = 0; i < r->messages_count; i++) {
        if (i) sb_char(&body, ',');
        message_put(&r->messages[i], r->contact->id, &body);
    }
    sb_printf(&body, "],\"hasMore\":%s}", r->has_more ? "true" : "false");
    rest_json(call, 200, sb_view(&body));
    sb_fini(&body);
}

void rest_get_contact(struct rest_call *call)
{
    const struct in_rest_get_contact *in = &call->in.rest_get_contact;
    const struct store_window w = {.after = in->after,
                                   .limit = in->has_limit ? (unsigned)in->limit : MESSAGES_DEFAULT,
                                   .with_notes = rest_is_agent(call)};

    if (rest_may_see(call, in->token))
        store_contact_get(call->rest->s.store, call->id, &w, on_read, call);
}

static void on_erased(void *ctx, const struct store_result *r)
{
    struct rest_call *call = ctx;

    if (!rest_is_over(call, r)) rest_json(call, 200, STR("{\"ok\":true}"));
}

void rest_delete_contact(struct rest_call *call)
{
    store_contact_delete(call->rest->s.store, call->id, on_erased, call);
}
