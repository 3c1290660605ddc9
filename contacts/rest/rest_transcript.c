/* What was said, as a document: read page by page, written as it comes. */
#include "contacts/rest/rest_priv.h"

#include "base/mem.h"
#include "contacts/record/message.h"
#include "contacts/rules/transcript.h"

enum { PAGE = 500 };

/* HTML of ours runs nothing and loads nothing, whatever it holds. */
#define CSP                                                                                        \
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; sandbox\r\n"          \
    "Content-Disposition: inline\r\n"

struct paper {
    struct transcript transcript;
    struct sb text;
    bool is_begun;
};

static void paper_free(void *op)
{
    struct paper *p = op;

    sb_fini(&p->text);
    mem_free(p);
}

static enum transcript_kind kind_of(const struct message *m)
{
    if (str_eq(m->kind, MESSAGE_AGENT)) return TRANSCRIPT_AGENT;
    if (str_eq(m->kind, MESSAGE_SYSTEM)) return TRANSCRIPT_SYSTEM;
    return message_is_note(m) ? TRANSCRIPT_NOTE : TRANSCRIPT_VISITOR;
}

/* The form's own text is its first line. */
static void begin(struct paper *p, const struct contact *c)
{
    const struct transcript_head head = {
        .contact_id = c->id, .name = c->name, .subject = c->subject, .submitted_ms = c->created_at};
    const struct transcript_line form = {
        .kind = TRANSCRIPT_VISITOR, .name = c->name, .text = c->message, .at_ms = c->created_at};

    if (p->is_begun) return;
    p->is_begun = true;
    transcript_begin(&p->transcript, &head);
    transcript_add(&p->transcript, &form);
}

static void read_on(struct rest_call *call, int64_t after);

static void on_page(void *ctx, const struct store_result *r)
{
    struct rest_call *call = ctx;
    struct paper *p = call->op;

    if (rest_is_over(call, r)) return;
    begin(p, r->contact);
    for (unsigned i = 0; i < r->messages_count; i++) {
        const struct message *m = &r->messages[i];
        const struct transcript_line line = {
            .kind = kind_of(m), .name = m->author_name, .text = m->text, .at_ms = m->at};

        transcript_add(&p->transcript, &line);
    }
    if (r->has_more && r->messages_count && !p->transcript.is_cut) {
        read_on(call, r->messages[r->messages_count - 1].seq);
        return;
    }
    transcript_end(&p->transcript);
    rest_text(call, str_z(transcript_type(p->transcript.form)), STR(CSP), sb_view(&p->text));
}

/* Behind 0 are all: the first page is asked for as "after the number before the first". */
static void read_on(struct rest_call *call, int64_t after)
{
    const struct store_window w = {.after = after ? after : -1, .limit = PAGE};

    store_contact_get(call->rest->s.store, call->id, &w, on_page, call);
}

void rest_get_transcript(struct rest_call *call)
{
    const struct in_rest_get_transcript *in = &call->in.rest_get_transcript;
    struct paper *p;

    if (!rest_may_see(call, in->token)) return;
    p = MEM_NEW(struct paper);
    p->transcript.form = str_eq(in->format, STR("html")) ? TRANSCRIPT_HTML : TRANSCRIPT_TEXT;
    p->transcript.out = &p->text;
    call->op = p;
    call->drop = paper_free;
    read_on(call, 0);
}
