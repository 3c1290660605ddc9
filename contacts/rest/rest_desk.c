/* What is done to a contact: events of the desk, asked for somebody without a socket. The desk
 * decides and tells everybody as for those of the sockets; here is only what goes in and comes out.
 */
#include "contacts/rest/rest_priv.h"

#include "node/event/event.h"

/* ---- what comes out ---- */

/* Sentences of the desk for old pages do not fit here: these codes speak for themselves. */
static struct event_answer reworded(const struct event_answer *a)
{
    struct event_answer out = *a;

    if (a->rc == ERR_NOT_MEMBER) out.rc = ERR_FORBIDDEN; /* there is no chat to join */
    if (a->rc == ERR_NOT_MEMBER || a->rc == ERR_RESOLVED || a->rc == ERR_NOT_FOUND)
        out.why = STR_NONE;
    return out;
}

static void on_told(void *ctx, const struct event_answer *a)
{
    struct rest_call *call = ctx;
    struct sb body = {0};

    if (!call->rest) { /* rest_free has answered */
        rest_call_free(call);
        return;
    }
    if (a->rc != OK) {
        const struct event_answer out = reworded(a);

        rest_refuse_answer(call, &out);
        return;
    }
    sb_char(&body, '{');
    sb_str(&body, a->members.n ? a->members : STR("\"ok\":true"));
    sb_char(&body, '}');
    rest_json(call, call->route->status, sb_view(&body));
    sb_fini(&body);
}

/* ---- what goes in ---- */

/* in has no contact that could not be one: what the events' schemas would refuse is no path. */
static void ask(struct rest_call *call, enum event_id event, const union event_in *in)
{
    struct events *events = call->rest->s.events(call->rest->s.ctx);

    if (!events)
        rest_refuse(call, ERR_UNAVAILABLE, STR_NONE, 0);
    else if (call->id.n > TOKEN_ID_MAX)
        rest_refuse(call, ERR_NOT_FOUND, STR_NONE, 0);
    else
        events_ask(events, &(struct event_ask){.event = event,
                                               .who = call->who,
                                               .address = call->address,
                                               .in = in,
                                               .told = on_told,
                                               .ctx = call});
}

/* Guests show a token of the contact; people with an account may be its visitor by that. */
static bool is_somebody(struct rest_call *call, struct str token)
{
    if (call->who->role > ROLE_GUEST || token.n) return true;
    rest_refuse(call, ERR_AUTH_REQUIRED, STR_NONE, 0);
    return false;
}

void rest_create_contact(struct rest_call *call)
{
    const struct in_rest_create_contact *x = &call->in.rest_create_contact;

    ask(call, EVENT_submitContactForm,
        &(union event_in){.submit_contact_form = {.name = x->name,
                                                  .email = x->email,
                                                  .subject = x->subject,
                                                  .message = x->message,
                                                  .phone = x->phone,
                                                  .category = x->category,
                                                  .priority = x->priority,
                                                  .client_form_id = x->client_form_id,
                                                  .website = x->website}});
}

void rest_create_reply(struct rest_call *call)
{
    const struct in_rest_create_reply *x = &call->in.rest_create_reply;

    if (!is_somebody(call, x->token)) return;
    if (x->note)
        ask(call, EVENT_addContactNote,
            &(union event_in){.add_contact_note = {.contact_id = call->id,
                                                   .text = x->message,
                                                   .client_msg_id = x->client_msg_id,
                                                   .canned_id = x->canned_id}});
    else
        ask(call, EVENT_sendContactMessage,
            &(union event_in){.send_contact_message = {.contact_id = call->id,
                                                       .chat_token = x->token,
                                                       .message = x->message,
                                                       .type = x->type,
                                                       .client_msg_id = x->client_msg_id,
                                                       .canned_id = x->canned_id}});
}

void rest_claim_contact(struct rest_call *call)
{
    ask(call, EVENT_claimContact, &(union event_in){.claim_contact = {.contact_id = call->id}});
}

void rest_resolve_contact(struct rest_call *call)
{
    ask(call, EVENT_resolveContact, &(union event_in){.resolve_contact = {.contact_id = call->id}});
}

void rest_reopen_contact(struct rest_call *call)
{
    struct str token = call->in.rest_reopen_contact.token;

    if (is_somebody(call, token))
        ask(call, EVENT_reopenContact,
            &(union event_in){.reopen_contact = {.contact_id = call->id, .chat_token = token}});
}

void rest_rate_contact(struct rest_call *call)
{
    const struct in_rest_rate_contact *x = &call->in.rest_rate_contact;

    if (rest_has_token(call, TOKEN_RATE, x->token))
        ask(call, EVENT_rateContact,
            &(union event_in){
                .rate_contact = {.token = x->token, .score = x->score, .comment = x->comment}});
}

void rest_get_stats(struct rest_call *call)
{
    const struct in_rest_get_stats *x = &call->in.rest_get_stats;

    ask(call, EVENT_getContactStats,
        &(union event_in){.get_contact_stats = {.from = x->from, .to = x->to}});
}
