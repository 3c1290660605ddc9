/* What agents look at: who waits, lists, one contact with all of it, a transcript. */
#include "contacts/desk/desk_priv.h"

#include "contacts/desk/date.h"
#include "contacts/rules/transcript.h"

enum { PAGE = 50, MESSAGES_MAX = 20000 };

/* ---- getPendingContacts: an array, as old pages expect ---- */

static void on_pending(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct sb list = {0}, one = {0}, reply = {0};
    struct sio_socket *s;
    char iso[32];

    if (desk_call_is_over(call)) return;
    if (r->rc != OK) {
        desk_call_refuse(call, r->rc, STR_NONE, STR_NONE);
        return;
    }
    sb_char(&list, '[');
    for (unsigned i = 0; i < r->contacts_count; i++) {
        const struct contact *c = &r->contacts[i];

        one.n = 0; /* as newContactSubmission, but that what was not chosen is absent */
        out_new_contact_submission_encode(
            &one, &(struct out_new_contact_submission){
                      .id = c->id,
                      .name = c->name.n ? c->name : STR_NONE,
                      .email = c->email.n ? c->email : STR_NONE,
                      .subject = c->subject.n ? c->subject : STR_NONE,
                      .priority = c->priority.n ? c->priority : STR_NONE,
                      .submitted_at = desk_iso(c->created_at, iso, sizeof iso)});
        if (i) sb_char(&list, ',');
        sb_put(&list, one.p + strlen("[\"newContactSubmission\","),
               one.n - strlen("[\"newContactSubmission\",]"));
    }
    sb_char(&list, ']');
    s = call->later ? event_later_socket(call->later) : NULL;
    one.n = 0;
    out_pending_contacts_encode(&one, &(struct out_pending_contacts){.items = sb_view(&list)});
    if (s) sio_socket_emit(s, sb_view(&one), NULL, 0);
    sb_z(&reply, "\"contacts\":");
    sb_str(&reply, sb_view(&list));
    desk_call_ok(call, sb_view(&reply));
    sb_fini(&list);
    sb_fini(&one);
    sb_fini(&reply);
}

int desk_on_pending(struct event_ctx *c, const union event_in *in)
{
    struct desk_call *call = desk_call_new(c, STR_NONE, 0);

    (void)in;
    store_contact_list(call->desk->store,
                       &(struct store_filter){.status = CONTACT_PENDING,
                                              .sort = STORE_NEWEST,
                                              .limit = STORE_LIST_MAX},
                       on_pending, call);
    return OK;
}

/* ---- listContacts ---- */

static void on_list(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct sb list = {0}, array = {0};

    if (desk_call_is_over(call)) return;
    if (r->rc != OK) {
        desk_call_refuse(call, r->rc,
                         r->rc == ERR_SCHEMA ? STR("cursor: not one of ours") : STR_NONE, STR_NONE);
        return;
    }
    sb_char(&list, '[');
    for (unsigned i = 0; i < r->contacts_count; i++) {
        if (i) sb_char(&list, ',');
        contact_put(&r->contacts[i], RECORD_AGENT, &list);
    }
    sb_char(&list, ']');
    out_contact_list_encode(
        &array, &(struct out_contact_list){.contacts = sb_view(&list),
                                           .total = (int64_t)r->total,
                                           .cursor = r->has_more ? r->cursor : STR_NONE});
    desk_call_answer(call, sb_view(&array));
    sb_fini(&list);
    sb_fini(&array);
}

static enum store_sort sort_of(struct str text)
{
    if (str_eq(text, STR("oldest"))) return STORE_OLDEST;
    return str_eq(text, STR("priority")) ? STORE_QUEUE : STORE_NEWEST;
}

int desk_on_list(struct event_ctx *c, const union event_in *in)
{
    const struct in_list_contacts *x = &in->list_contacts;
    struct desk *d = c->state;
    struct sb scratch = {0};
    struct store_filter f = {.status = x->status,
                             .owner_id = x->owner,
                             .email = x->email,
                             .tag = x->tag,
                             .priority = x->priority,
                             .text = x->text,
                             .sort = sort_of(x->sort),
                             .cursor = x->cursor,
                             .limit = x->has_limit ? (unsigned)x->limit : PAGE,
                             .with_total = true};

    if (f.owner_id.n > 1 && f.owner_id.p[0] == '"')
        (void)!json_text((struct json){JSON_STRING, x->owner}, &scratch, &f.owner_id);
    if ((x->from.n && !date_read(x->from, &f.from)) || (x->to.n && !date_read(x->to, &f.to))) {
        sb_z(c->why, "from, to: not a date");
        sb_fini(&scratch);
        return ERR_SCHEMA;
    }
    store_contact_list(d->store, &f, on_list, desk_call_new(c, STR_NONE, 0));
    sb_fini(&scratch);
    return OK;
}

/* ---- getContact ---- */

static void on_get(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct sb contact = {0}, list = {0}, array = {0};

    if (desk_call_is_over(call)) return;
    if (r->rc != OK) {
        desk_call_refuse(call, r->rc, r->rc == ERR_NOT_FOUND ? STR("Contact not found") : STR_NONE,
                         STR_NONE);
        return;
    }
    contact_put(r->contact, RECORD_AGENT, &contact);
    sb_char(&list, '[');
    for (unsigned i = 0; i < r->messages_count; i++) {
        if (i) sb_char(&list, ',');
        message_put(&r->messages[i], r->contact->id, &list);
    }
    sb_char(&list, ']');
    out_contact_details_encode(&array, &(struct out_contact_details){.contact_id = r->contact->id,
                                                                     .contact = sb_view(&contact),
                                                                     .messages = sb_view(&list),
                                                                     .has_more = true,
                                                                     .more = r->has_more});
    desk_call_answer(call, sb_view(&array));
    sb_fini(&contact);
    sb_fini(&list);
    sb_fini(&array);
}

int desk_on_get(struct event_ctx *c, const union event_in *in)
{
    const struct in_get_contact *x = &in->get_contact;
    struct desk_call *call = desk_call_new(c, x->contact_id, 0);
    struct store_window w = {.before = x->before_seq,
                             .limit = x->has_limit ? (unsigned)x->limit : PAGE,
                             .with_notes = true};

    store_contact_get(call->desk->store, call->contact_id, &w, on_get, call);
    return OK;
}

/* ---- getTranscript ---- */

struct script {
    enum transcript_form form;
    bool has_token;
};

static enum transcript_kind kind_of(const struct message *m)
{
    if (message_is_note(m)) return TRANSCRIPT_NOTE;
    if (str_eq(m->kind, MESSAGE_AGENT)) return TRANSCRIPT_AGENT;
    return str_eq(m->kind, MESSAGE_SYSTEM) ? TRANSCRIPT_SYSTEM : TRANSCRIPT_VISITOR;
}

static void write_script(const struct desk *d, const struct store_result *r,
                         enum transcript_form form, struct sb *out)
{
    const struct contact *c = r->contact;
    struct transcript t = {.form = form, .zone = hours_zone(d->app->hours), .out = out};

    transcript_begin(&t, &(struct transcript_head){.contact_id = c->id,
                                                   .name = c->name,
                                                   .subject = c->subject,
                                                   .submitted_ms = c->created_at});
    transcript_add(&t, &(struct transcript_line){.kind = TRANSCRIPT_VISITOR,
                                                 .name = c->name,
                                                 .text = c->message,
                                                 .at_ms = c->created_at});
    for (unsigned i = 0; i < r->messages_count; i++)
        transcript_add(&t, &(struct transcript_line){.kind = kind_of(&r->messages[i]),
                                                     .name = r->messages[i].author_name,
                                                     .text = r->messages[i].text,
                                                     .at_ms = r->messages[i].at});
    transcript_end(&t);
}

static void on_script(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct script *s = call->op;
    struct sb text = {0}, array = {0};
    int rc = r->rc;

    if (desk_call_is_over(call)) return;
    if (rc == OK && !s->has_token && !desk_is_agent(&call->actor) &&
        !desk_is_visitor(&call->actor, r->contact))
        rc = ERR_FORBIDDEN;
    if (rc != OK) {
        desk_call_refuse(call, rc, rc == ERR_NOT_FOUND ? STR("Contact not found") : STR_NONE,
                         STR_NONE);
        return;
    }
    write_script(call->desk, r, s->form, &text);
    out_contact_transcript_encode(
        &array, &(struct out_contact_transcript){.contact_id = r->contact->id,
                                                 .format = s->form == TRANSCRIPT_HTML ? STR("html")
                                                                                      : STR("text"),
                                                 .text = sb_view(&text)});
    desk_call_answer(call, sb_view(&array));
    sb_fini(&text);
    sb_fini(&array);
}

int desk_on_transcript(struct event_ctx *c, const union event_in *in)
{
    const struct in_get_transcript *x = &in->get_transcript;
    struct desk_call *call = desk_call_new(c, x->contact_id, sizeof(struct script));
    struct script *s = call->op;
    struct store_window w = {.limit = MESSAGES_MAX};

    s->form = str_eq(x->format, STR("html")) ? TRANSCRIPT_HTML : TRANSCRIPT_TEXT;
    s->has_token = desk_opens_chat(call->desk, x->chat_token, x->contact_id);
    store_contact_get(call->desk->store, call->contact_id, &w, on_script, call);
    return OK;
}
