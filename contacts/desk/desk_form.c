/* submitContactForm: checked, counted, stored, then answered and told to the agents. */
#include "contacts/desk/desk_priv.h"

#include "adapter/adapter.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "contacts/rules/form.h"

#define MESSAGE_TO_VISITOR "Your message has been received. We will get back to you shortly."
enum { DAY_S = 86400, LETTER_LEASE_MS = 3000 };

struct submit {
    struct contact contact;
    struct outbox letter; /* to the agents' sockets */
    struct store_more more;
    struct str address;
    char id[FORM_ID_SIZE], letter_id[FORM_ID_SIZE + 2];
};

static void say_agents(struct desk *d, const struct outbox *o)
{
    struct sio_cast to = desk_to_agents(d);
    struct sb array = {0};

    if (o->target.n) to.except[to.except_count++] = o->target;
    sb_printf(&array, "[\"" STR_FMT "\",", STR_ARG(o->event));
    sb_str(&array, o->payload);
    sb_char(&array, ']');
    sio_cast_emit(&to, sb_view(&array), NULL, 0);
    sb_fini(&array);
}

bool desk_tell_letter(struct desk *d, const struct outbox *o, void (*told)(void *ctx, int rc),
                      void *ctx)
{
    struct adapter *a = events_adapter(d->events);

    if (!adapter_is_connected(a)) return false;
    say_agents(d, o);
    adapter_flush(a, told, ctx);
    return true;
}

static void on_told(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;

    (void)r; /* not taken out: it is told once more, in a moment */
    if (!desk_call_is_over(call)) desk_call_free(call);
}

/* Without Redis the agents of this node have heard of it, and the letter stays for the others. */
static void on_sent(void *ctx, int rc)
{
    struct desk_call *call = ctx;

    if (desk_call_is_over(call)) return;
    if (rc == OK)
        store_outbox_done(call->desk->store, call->contact_id, call->op, on_told, call);
    else
        desk_call_free(call);
}

static void tell(struct desk *d, struct str contact_id, const struct outbox *letter)
{
    struct desk_call *call = desk_call_own(d, contact_id, sizeof *letter);
    struct outbox *kept = call->op;

    kept->id = arena_str(&call->mem, letter->id);
    kept->lease = letter->lease;
    say_agents(d, letter);
    adapter_flush(events_adapter(d->events), on_sent, call);
}

/* The answer of old pages, and what is new beside it. */
static void answer(struct desk *d, struct desk_call *call, const struct contact *c)
{
    struct sb token = {0}, array = {0};
    struct sio_socket *s = sio_socket_find(d->nsp, call->actor.socket);
    struct out_contact_form_submitted say = {.id = c->id,
                                             .message = STR(MESSAGE_TO_VISITOR),
                                             .estimated_response_time = STR("24 hours")};

    if (token_sign(&d->keys, TOKEN_CHAT, c->id,
                   (uint64_t)desk_now() / 1000 + d->conf->chat_days * DAY_S, &token) != OK)
        token.n = 0;
    say.chat_token = token.n ? sb_view(&token) : STR("");
    out_contact_form_submitted_encode(&array, &say);
    if (s) sio_socket_emit(s, sb_view(&array), NULL, 0);
    desk_call_ok(call, str_of(array.p + strlen("[\"contactFormSubmitted\",{"),
                              array.n - strlen("[\"contactFormSubmitted\",{}]")));
    sb_fini(&token);
    sb_fini(&array);
}

static void join_visitor(struct desk *d, struct str socket, const struct contact *c)
{
    struct sio_socket *s = sio_socket_find(d->nsp, socket);
    struct sb room = {0};

    if (!s) return;
    desk_room(c->id, &room);
    (void)!sio_socket_join(s, sb_view(&room)); /* over MAX_ROOMS: resumed by the token */
    sb_fini(&room);
    if (contact_is_pending(c)) desk_queue_watch(d, c->id);
}

static void refuse(struct desk_call *call, int rc)
{
    desk_call_refuse(call, rc, STR("Failed to submit contact form. Please try again."), STR_NONE);
}

static void on_inserted(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct submit *s = call->op;
    struct desk *d = call->desk;
    bool is_again = r->rc == ERR_EXISTS && r->contact && s->contact.form_key.n &&
                    str_eq(r->contact->form_key, s->contact.form_key);

    if (desk_call_is_over(call)) return;
    if (r->rc != OK && !is_again) {
        refuse(call, r->rc == ERR_EXISTS ? ERR_INTERNAL : r->rc);
        return;
    }
    join_visitor(d, call->actor.socket, r->contact);
    if (is_again) {
        forms_give_back(d->forms, s->address);
    } else {
        LOG_INFO("contact.submitted", LOG_S("contact", r->contact->id));
        tell(d, r->contact->id, &s->letter);
        desk_follow(call, r->contact);
    }
    answer(d, call, r->contact);
}

/* What the agents are told is written with the contact: if this node dies before it says so,
 * another one does, LETTER_LEASE_MS later. */
static void write_letter(struct desk_call *call, struct submit *s)
{
    const struct contact *c = &s->contact;
    struct sb array = {0};
    char iso[CLOCK_ISO_SIZE];

    out_new_contact_submission_encode(
        &array, &(struct out_new_contact_submission){
                    .id = c->id,
                    .name = c->name,
                    .email = c->email,
                    .subject = c->subject.n ? c->subject : STR_NONE,
                    .priority = c->priority.n ? c->priority : STR("normal"),
                    .submitted_at = desk_iso(c->created_at, iso, sizeof iso)});
    s->letter = (struct outbox){
        .id = str_z(s->letter_id),
        .kind = STR("socket"),
        .target = call->actor.socket,
        .event = STR("newContactSubmission"),
        .payload = arena_str(&call->mem, str_of(array.p + strlen("[\"newContactSubmission\","),
                                                array.n - strlen("[\"newContactSubmission\",]"))),
        .created_at = c->created_at,
        .state = STR("due"),
        .at = c->created_at + LETTER_LEASE_MS,
        .lease = STR("born"),
    };
    sb_fini(&array);
}

static void insert(struct desk_call *call)
{
    struct submit *s = call->op;

    store_contact_insert(call->desk->store, &s->contact, &s->more, on_inserted, call);
}

static void on_counted(void *ctx, uint64_t wait_ms)
{
    struct desk_call *call = ctx;
    struct event_later *later = call->later;

    if (!wait_ms) {
        insert(call);
        return;
    }
    call->later = NULL;
    event_later_refuse_more(later, &(struct event_refusal){.code = ERR_RATE,
                                                           .why = STR("too many forms, later"),
                                                           .retry_after_ms = wait_ms});
    desk_call_free(call);
}

static void on_dropped(void *ctx)
{
    desk_call_free(ctx);
}

static void count(struct desk_call *call)
{
    const struct submit *s = call->op;

    forms_take(call->desk->forms, s->address, on_counted, on_dropped, call);
}

/* Sent again, it is answered as the first time, and is none of the forms of this hour. */
static void on_looked(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct desk *d = call->desk;

    if (desk_call_is_over(call)) return;
    if (r->rc == ERR_NOT_FOUND) {
        count(call);
    } else if (r->rc != OK) {
        refuse(call, r->rc);
    } else {
        join_visitor(d, call->actor.socket, r->contact);
        answer(d, call, r->contact);
    }
}

/* Fields of the form alone; what a program filled into the trap is answered as any other and kept
 * nowhere. */
static int read_form(struct desk_call *call, const struct in_submit_contact_form *in,
                     struct form *f, struct sb *why)
{
    struct form_fault fault = {0};
    int rc;

    *f = (struct form){.name = in->name.n ? in->name : call->actor.name,
                       .email = in->email.n ? in->email : call->actor.email,
                       .message = in->message,
                       .subject = in->subject,
                       .category = in->category,
                       .phone = in->phone,
                       .priority_name = in->priority,
                       .website = in->website};
    rc = form_check(f, &fault);
    if (rc != OK) sb_printf(why, "%s: %s", fault.field, fault.text);
    return rc;
}

static void fill(struct desk_call *call, const struct form *f, struct str client_id)
{
    struct submit *s = call->op;
    struct contact *c = &s->contact;
    struct arena *mem = &call->mem;
    struct sb key = {0};

    form_id_make((uint64_t)desk_now(), s->id);
    memcpy(s->letter_id, "n_", 2);
    memcpy(s->letter_id + 2, s->id, sizeof s->id);
    c->id = str_z(s->id);
    c->name = arena_str(mem, f->name);
    c->email = arena_str(mem, f->email);
    c->message = arena_str(mem, f->message);
    c->subject = arena_str(mem, f->subject);
    c->phone = arena_str(mem, f->phone);
    c->category = arena_str(mem, f->category);
    c->priority = str_z(sla_priority_name(f->priority));
    c->source = call->actor.socket.n ? STR("socket") : STR("rest");
    c->user_id = call->actor.id;
    c->user_ref = call->actor.ref;
    if (client_id.n) { /* the answer opens the chat: only the same content is the same form */
        unsigned char sum[HMAC_SHA256_SIZE];
        static const char hex[] = "0123456789abcdef";

        sb_printf(&key, STR_FMT "\n" STR_FMT "\n" STR_FMT "\n" STR_FMT "\n" STR_FMT,
                  STR_ARG(client_id), STR_ARG(c->user_id), STR_ARG(c->email), STR_ARG(c->name),
                  STR_ARG(c->message));
        hmac_sha256(STR("form"), sb_view(&key), sum);
        key.n = 0;
        for (size_t i = 0; i < sizeof sum; i++) {
            sb_char(&key, hex[sum[i] >> 4]);
            sb_char(&key, hex[sum[i] & 15]);
        }
        c->form_key = arena_str(mem, sb_view(&key));
    }
    (void)!contact_submit(desk_decide(call, c, mem));
    write_letter(call, s);
    s->more = (struct store_more){.outbox = &s->letter, .outbox_count = 1};
    (void)desk_decided(call, OK, &s->more);
    sb_fini(&key);
}

int desk_on_submit(struct event_ctx *c, const union event_in *in)
{
    struct desk_call *call = desk_call_new(c, STR_NONE, sizeof(struct submit));
    struct submit *s = call->op;
    struct desk *d = call->desk;
    struct sb why = {0};
    struct form f;
    int rc = read_form(call, &in->submit_contact_form, &f, &why);

    if (rc != OK) {
        desk_call_refuse(call, rc, sb_view(&why), STR_NONE);
        sb_fini(&why);
        return OK;
    }
    fill(call, &f, in->submit_contact_form.client_form_id);
    if (form_is_trap(&f)) {
        LOG_INFO("contact.trapped");
        answer(d, call, &s->contact);
        return OK;
    }
    s->address = arena_str(&call->mem, event_address(c));
    if (s->contact.form_key.n)
        store_contact_by_form(d->store, s->contact.form_key, on_looked, call);
    else
        count(call);
    return OK;
}
