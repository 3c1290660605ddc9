/* Canned replies: documents of the kind `canned`, the body {code, title, text, uses, version}. That
 * version is of the text, which agents change: to be used is no change that they could be late for.
 */
#include "contacts/desk/desk_priv.h"

#include "base/rand.h"
#include "contacts/rules/canned.h"

#define KIND STR("canned")
enum { TRIES = 20 }; /* to count or to save, when others do the same at one time */

struct canned {
    struct str id, code, title, text;
    int64_t version, uses; /* of the text */
    int64_t wanted;        /* version that is to be changed; 0: any */
    int64_t stored;        /* version of the document; 0: a new one */
    unsigned tries;
    bool is_use;             /* counts; nothing else changes */
    struct contact *contact; /* whose fields are filled in; NULL: nobody's */
    bool is_told_all;        /* after a change: to all agents */
};

static int64_t number_of(struct json body, struct str name, int64_t absent)
{
    int64_t n = absent;
    struct json v;

    if (json_member(body, name, &v)) (void)json_i64(v, &n);
    return n;
}

static struct str text_of(struct json body, struct str name, struct sb *scratch)
{
    struct str text = STR_NONE;
    struct json v;

    if (json_member(body, name, &v)) (void)!json_text(v, scratch, &text);
    return text;
}

static void put_one(const struct doc *doc, const struct desk_call *call, struct sb *out)
{
    const struct canned *k = call->op;
    struct sb scratch = {0}, filled = {0};
    struct json body;
    struct str text;

    if (json_parse(doc->body, &body) != OK || body.type != JSON_OBJECT) return;
    sb_reserve(&scratch, doc->body.n + 16);
    if (out->n > 1) sb_char(out, ',');
    sb_z(out, "{\"id\":");
    sb_json(out, doc->id);
    sb_z(out, ",\"code\":");
    sb_json(out, text_of(body, STR("code"), &scratch));
    sb_z(out, ",\"title\":");
    sb_json(out, text_of(body, STR("title"), &scratch));
    text = text_of(body, STR("text"), &scratch);
    sb_z(out, ",\"text\":");
    sb_json(out, text);
    sb_printf(out, ",\"uses\":%lld,\"version\":%lld", (long long)number_of(body, STR("uses"), 0),
              (long long)number_of(body, STR("version"), doc->version));
    if (k->contact && canned_fill(text,
                                  &(struct canned_values){.name = k->contact->name,
                                                          .agent = call->actor.name,
                                                          .contact_id = k->contact->id},
                                  &filled) == OK) {
        sb_z(out, ",\"filled\":");
        sb_json(out, sb_view(&filled));
    }
    sb_char(out, '}');
    sb_fini(&scratch);
    sb_fini(&filled);
}

static void on_docs(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct canned *k = call->op;
    struct sb list = {0}, array = {0};

    if (desk_call_is_over(call)) return;
    if (r->rc != OK) {
        desk_call_refuse(call, r->rc, STR_NONE, STR_NONE);
        return;
    }
    sb_char(&list, '[');
    for (unsigned i = 0; i < r->docs_count; i++)
        put_one(&r->docs[i], call, &list);
    sb_char(&list, ']');
    out_canned_replies_encode(&array, &(struct out_canned_replies){.replies = sb_view(&list)});
    if (k->is_told_all) {
        struct sio_cast to = desk_to_agents(call->desk);

        sio_cast_emit(&to, sb_view(&array), NULL, 0);
        desk_call_free(call);
    } else {
        desk_call_answer(call, sb_view(&array));
    }
    sb_fini(&list);
    sb_fini(&array);
}

static void on_contact(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct canned *k = call->op;

    if (desk_call_is_over(call)) return;
    if (r->rc != OK) {
        desk_call_refuse(call, r->rc, STR_NONE, STR_NONE);
        return;
    }
    k->contact = arena_new(&call->mem, 1, sizeof *k->contact);
    record_copy(&record_contact, r->contact, k->contact, &call->mem);
    store_doc_list(call->desk->store, KIND, on_docs, call);
}

int desk_on_canned_list(struct event_ctx *c, const union event_in *in)
{
    struct str id = in->list_canned_replies.contact_id;
    struct desk_call *call = desk_call_new(c, id, sizeof(struct canned));

    if (id.n)
        store_contact_get(call->desk->store, call->contact_id, NULL, on_contact, call);
    else
        store_doc_list(call->desk->store, KIND, on_docs, call);
    return OK;
}

/* ---- changes: then all agents get the list ---- */

static void tell_all(struct desk *d)
{
    struct desk_call *call = desk_call_own(d, STR_NONE, sizeof(struct canned));
    struct canned *k = call->op;

    k->is_told_all = true;
    store_doc_list(d->store, KIND, on_docs, call);
}

static void read_old(struct desk_call *call);

static void on_saved(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct canned *k = call->op;
    struct sb reply = {0};

    if (desk_call_is_over(call)) return;
    if (r->rc == ERR_CONFLICT && k->stored && ++k->tries < TRIES) {
        read_old(call);
        return;
    }
    if (r->rc != OK || k->is_use) {
        desk_call_refuse(call, r->rc, STR_NONE, STR_NONE);
        return;
    }
    tell_all(call->desk);
    sb_z(&reply, "\"id\":");
    sb_json(&reply, k->id);
    if (r->doc) sb_printf(&reply, ",\"version\":%lld", (long long)k->version);
    desk_call_ok(call, sb_view(&reply));
    sb_fini(&reply);
}

static void save(struct desk_call *call)
{
    struct canned *k = call->op;
    struct sb body = {0};

    sb_z(&body, "{\"code\":");
    sb_json(&body, k->code);
    sb_z(&body, ",\"title\":");
    sb_json(&body, k->title);
    sb_z(&body, ",\"text\":");
    sb_json(&body, k->text);
    sb_printf(&body, ",\"uses\":%lld,\"version\":%lld}", (long long)k->uses, (long long)k->version);
    store_doc_put(
        call->desk->store,
        &(struct doc){.kind = KIND, .id = k->id, .version = k->stored, .body = sb_view(&body)},
        on_saved, call);
    sb_fini(&body);
}

/* The one that is there. Saved, its uses stay; used, its texts do. */
static void take_old(struct desk_call *call, const struct doc *doc, struct json body)
{
    struct canned *k = call->op;
    struct sb scratch = {0};

    k->stored = doc->version;
    k->version = number_of(body, STR("version"), doc->version);
    k->uses = number_of(body, STR("uses"), 0);
    if (!k->is_use) return;
    k->uses++;
    sb_reserve(&scratch, doc->body.n + 16);
    k->code = arena_str(&call->mem, text_of(body, STR("code"), &scratch));
    k->title = arena_str(&call->mem, text_of(body, STR("title"), &scratch));
    k->text = arena_str(&call->mem, text_of(body, STR("text"), &scratch));
    sb_fini(&scratch);
}

static void on_old(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct canned *k = call->op;
    struct json body;
    int rc = r->rc;

    if (desk_call_is_over(call)) return;
    if (rc == OK) rc = json_parse(r->doc->body, &body);
    if (rc != OK) {
        desk_call_refuse(call, rc, STR_NONE, STR_NONE);
        return;
    }
    take_old(call, r->doc, body);
    if (k->wanted && k->wanted != k->version) {
        desk_call_refuse(call, ERR_CONFLICT, STR("Somebody has changed it meanwhile"), STR_NONE);
        return;
    }
    if (!k->is_use) k->version++;
    save(call);
}

static void read_old(struct desk_call *call)
{
    const struct canned *k = call->op;

    store_doc_get(call->desk->store, KIND, k->id, on_old, call);
}

void desk_canned_used(struct desk *d, struct str id)
{
    struct desk_call *call = desk_call_own(d, STR_NONE, sizeof(struct canned));
    struct canned *k = call->op;

    k->id = arena_str(&call->mem, id);
    k->is_use = true;
    read_old(call);
}

int desk_on_canned_save(struct event_ctx *c, const union event_in *in)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    const struct in_save_canned_reply *x = &in->save_canned_reply;
    struct desk_call *call;
    struct canned *k;
    struct sb id = {0};
    int rc = canned_check(x->code, x->text, c->why);

    if (rc != OK) return rc;
    call = desk_call_new(c, STR_NONE, sizeof(struct canned));
    k = call->op;
    k->code = arena_str(&call->mem, x->code);
    k->title = arena_str(&call->mem, x->title);
    k->text = arena_str(&call->mem, x->text);
    if (x->id.n) {
        k->id = arena_str(&call->mem, x->id);
        k->wanted = x->has_version ? x->version : 0;
        read_old(call);
        return OK;
    }
    k->version = 1;
    sb_z(&id, "canned_");
    for (int i = 0; i < 12; i++)
        sb_char(&id, letters[rand_below(sizeof letters - 1)]);
    k->id = arena_str(&call->mem, sb_view(&id));
    sb_fini(&id);
    save(call);
    return OK;
}

int desk_on_canned_delete(struct event_ctx *c, const union event_in *in)
{
    struct desk_call *call = desk_call_new(c, STR_NONE, sizeof(struct canned));
    struct canned *k = call->op;

    k->id = arena_str(&call->mem, in->delete_canned_reply.id);
    store_doc_delete(call->desk->store, KIND, k->id, on_saved, call);
    return OK;
}
