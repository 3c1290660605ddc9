/* What agents write on a contact for each other: notes, tags, a priority. */
#include "contacts/desk/desk_priv.h"

#include "base/clock.h"

/* ---- addContactNote: to agents alone, in the store and on the wire ---- */

struct note {
    struct str text, client_id, canned_id;
};

static int decide_note(void *ctx, struct contact *c, const struct store_result *read,
                       struct store_more *more)
{
    struct desk_call *call = ctx;
    const struct note *n = call->op;
    const struct decide_who by = desk_who(&call->actor, true);
    struct message *m = arena_new(read->arena, 1, sizeof *m);

    if (!call->desk) return ERR_CLOSED;
    desk_message_init(m, MESSAGE_NOTE, &call->actor, read->arena);
    m->text = n->text;
    m->client_id = n->client_id;
    more->messages = m;
    more->messages_count = 1;
    return desk_decided(
        call, contact_note(desk_decide(call, c, read->arena), &by, message_bytes(m)), more);
}

static void say_noted(const struct desk_call *call, const struct message *m)
{
    struct sio_cast to = desk_to_agents(call->desk);
    char iso[CLOCK_ISO_SIZE];

    emit_contact_note(&to, &(struct out_contact_note){.contact_id = call->contact_id,
                                                      .id = m->id,
                                                      .text = m->text,
                                                      .author_id = m->author_ref,
                                                      .author_name = m->author_name,
                                                      .timestamp = desk_iso(m->at, iso, sizeof iso),
                                                      .seq = m->seq});
}

static void on_noted(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    const struct note *n = call->op;

    if (desk_call_is_over(call)) return;
    if (r->rc == OK) {
        say_noted(call, &r->messages[0]);
        if (n->canned_id.n) desk_canned_used(call->desk, n->canned_id);
    }
    if (r->rc == OK || (r->rc == ERR_EXISTS && r->messages_count))
        desk_call_sent(call, &r->messages[0]);
    else
        desk_call_refuse(call, r->rc, STR_NONE, STR_NONE);
}

int desk_on_note(struct event_ctx *c, const union event_in *in)
{
    const struct in_add_contact_note *x = &in->add_contact_note;
    struct desk_call *call = desk_call_new(c, x->contact_id, sizeof(struct note));
    struct note *n = call->op;

    n->text = arena_str(&call->mem, x->text);
    n->client_id = desk_client_id(call, "note ", x->client_msg_id);
    n->canned_id = arena_str(&call->mem, x->canned_id);
    store_contact_change(call->desk->store, call->contact_id, NULL, decide_note, on_noted, call);
    return OK;
}

/* ---- tagContact, setContactPriority ---- */

struct care {
    struct record_texts add, remove;
    struct str priority; /* empty: tags */
};

static int decide_care(void *ctx, struct contact *c, const struct store_result *read,
                       struct store_more *more)
{
    struct desk_call *call = ctx;
    const struct care *k = call->op;
    const struct decide_who by = desk_who(&call->actor, true);
    enum sla_priority priority = SLA_NORMAL;
    struct decide *x;

    if (!call->desk) return ERR_CLOSED;
    x = desk_decide(call, c, read->arena);
    if (!k->priority.n) return desk_decided(call, contact_tag(x, &by, &k->add, &k->remove), more);
    (void)sla_priority_of(k->priority, &priority);
    return desk_decided(call, contact_priority(x, &by, priority), more);
}

static void on_cared(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct desk *d = call->desk;

    if (desk_call_is_over(call)) return;
    if (r->rc != OK) {
        desk_call_refuse(call, r->rc, STR_NONE, STR_NONE);
        return;
    }
    if (call->decided.tell & TELL_UPDATED) desk_say_updated(d, r->contact);
    desk_follow(call, r->contact);
    desk_call_ok(call, STR_NONE);
}

static struct record_texts copy(struct desk_call *call, const struct str *from, unsigned count)
{
    struct str *to = arena_new(&call->mem, count + 1, sizeof *to);

    for (unsigned i = 0; i < count; i++)
        to[i] = arena_str(&call->mem, from[i]);
    return (struct record_texts){to, count};
}

int desk_on_tag(struct event_ctx *c, const union event_in *in)
{
    const struct in_tag_contact *x = &in->tag_contact;
    struct desk_call *call = desk_call_new(c, x->contact_id, sizeof(struct care));
    struct care *k = call->op;

    k->add = copy(call, x->add, x->add_count);
    k->remove = copy(call, x->remove, x->remove_count);
    store_contact_change(call->desk->store, call->contact_id, NULL, decide_care, on_cared, call);
    return OK;
}

int desk_on_priority(struct event_ctx *c, const union event_in *in)
{
    const struct in_set_contact_priority *x = &in->set_contact_priority;
    struct desk_call *call = desk_call_new(c, x->contact_id, sizeof(struct care));
    struct care *k = call->op;

    k->priority = arena_str(&call->mem, x->priority);
    store_contact_change(call->desk->store, call->contact_id, NULL, decide_care, on_cared, call);
    return OK;
}
