/* Entries of kind "mail": a form to the team, an answer to a visitor who is away. What is written
 * is put together when it is sent, so several answers are one mail, and somebody who came back in
 * the meantime gets none. */
#include "contacts/notice/notice_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "contacts/notice/mail.h"
#include "contacts/notice/thread.h"
#include "contacts/record/contact.h"
#include "contacts/record/message.h"
#include "contacts/rules/csat.h"

enum { LEASE_SPARE_MS = 10000, MESSAGES_MAX = 100, DAY_S = 86400 };

/* ---- options ---- */

static int read_team(struct notice *n, struct sb *why)
{
    struct str rest = str_z(n->conf->notice_mail_to), one;

    while (rest.n && str_next(&rest, ',', &one)) {
        one = str_trim(one);
        if (!one.n) continue;
        if (!mail_is_address(one) || n->mail.team_count == NOTICE_TEAM_MAX) {
            sb_printf(why, "NOTICE_MAIL_TO: %d addresses at the most, between commas",
                      NOTICE_TEAM_MAX);
            return ERR_CONFIG;
        }
        n->mail.team[n->mail.team_count++] = one;
    }
    return OK;
}

int notice_mail_open(struct notice *n, struct sb *why)
{
    const struct conf *c = n->conf;
    struct str host;
    const struct mailer_conf mailer = {
        .url = c->smtp_url, .ca_file = c->outbound_ca_file, .timeout_ms = c->smtp_timeout_ms};

    if (!c->smtp_url || !c->smtp_url[0]) return OK;
    if (!mailer_url_is_good(c->smtp_url)) {
        sb_z(why, "SMTP_URL: looks like smtp://user:password@host:587 or smtps://host");
        return ERR_CONFIG;
    }
    if (!mail_parse_mailbox(str_z(c->smtp_from), &n->mail.from_name, &n->mail.from)) {
        sb_z(why, "SMTP_FROM: an address, alone or as in Support <help@example.org>");
        return ERR_CONFIG;
    }
    (void)str_cut(n->mail.from, '@', &host, &n->mail.host);
    if (read_team(n, why) != OK) return ERR_CONFIG;
    token_keys_init(&n->mail.keys, c->jwt_secret, c->jwt_secret_previous);
    n->mail.mailer = mailer_new(n->loop, &mailer);
    return OK;
}

/* ---- what is written ---- */

static void put_subject(const struct contact *c, bool is_first, struct sb *out)
{
    if (!is_first) sb_z(out, "Re: ");
    sb_str(out, c->subject.n ? str_head(c->subject, MAIL_ID_MAX) : STR("Your message"));
    while (out->n && !str_is_utf8(sb_view(out)))
        out->n--; /* cut within a character */
}

static bool sign(const struct notice *n, enum token_purpose purpose, const struct contact *c,
                 struct sb *out)
{
    uint64_t until_s = clock_wall_ms() / 1000 + n->conf->chat_days * DAY_S;

    return token_sign(&n->mail.keys, purpose, c->id, until_s, out) == OK;
}

/* A link that opens the chat on any device; of a contact that has ended, one to the question how it
 * was. Both are fragments of the visitor's page: a program that looks at links does nothing by it.
 */
static void put_links(const struct notice *n, const struct contact *c, struct sb *out)
{
    struct sb url = {0};

    sb_printf(&url, "%s/widget/#contact=" STR_FMT "&token=", n->conf->contacts_url, STR_ARG(c->id));
    if (n->conf->contacts_url[0] && sign(n, TOKEN_CHAT, c, &url)) {
        sb_printf(out, "\nAnswer here: " STR_FMT "\n", STR_ARG(sb_view(&url)));
        sb_z(&url, "&rate=");
        if (csat_may(contact_is_resolved(c), c->resolved_at, c->rated_at) == OK &&
            sign(n, TOKEN_RATE, c, &url))
            sb_printf(out, "How was it? " STR_FMT "\n", STR_ARG(sb_view(&url)));
    }
    sb_fini(&url);
}

/* A form, for the team. */
static void put_form(const struct notice *n, const struct contact *c, struct sb *out)
{
    sb_printf(out, "From: " STR_FMT " <" STR_FMT ">\n", STR_ARG(c->name), STR_ARG(c->email));
    if (c->phone.n) sb_printf(out, "Phone: " STR_FMT "\n", STR_ARG(c->phone));
    if (c->category.n) sb_printf(out, "Category: " STR_FMT "\n", STR_ARG(c->category));
    sb_char(out, '\n');
    sb_str(out, c->message);
    sb_char(out, '\n');
    if (n->conf->contacts_url[0]) sb_printf(out, "\nClaim it: %s/admin/\n", n->conf->contacts_url);
}

/* ---- sending ---- */

static void on_sent(void *ctx, const struct mailer_answer *a);

/* seq: of the newest message in it; 0: the form. */
static void post(struct notice_letter *l, int64_t seq, struct str text)
{
    const struct notice *n = l->notice;
    const struct contact *c = &l->contact;
    struct sb id = {0}, first = {0}, reply_to = {0}, subject = {0}, bytes = {0};
    struct mail m = {.from_name = n->mail.from_name,
                     .from = n->mail.from,
                     .to = l->entry.target,
                     .wall_ms = clock_wall_ms(),
                     .text = text};
    int rc;

    notice_thread_id(c->id, (uint64_t)seq, n->mail.host, &id);
    notice_thread_id(c->id, 0, n->mail.host, &first);
    (void)!token_mail_sign(&n->mail.keys, n->mail.from, c->id, &reply_to);
    put_subject(c, seq == 0, &subject);
    m.message_id = sb_view(&id);
    m.subject = sb_view(&subject);
    m.reply_to = sb_view(&reply_to);
    if (seq) {
        m.to_name = c->name;
        m.in_reply_to = c->mail_last.n ? c->mail_last : sb_view(&first);
        m.references = sb_view(&first);
    }
    rc = mail_encode(&m, &bytes);
    if (rc == OK) {
        const struct mailer_mail mail = {
            .from = n->mail.from, .to = l->entry.target, .bytes = sb_view(&bytes)};

        l->mailed_seq = seq;
        rc = mailer_send(n->mail.mailer, &mail, on_sent, l);
    }
    if (rc == ERR_LIMIT)
        notice_failed(l, STR("too many mails wait"), 0);
    else if (rc != OK)
        notice_give_up(l, STR("no address that mail can be sent to"));
    sb_fini(&id);
    sb_fini(&first);
    sb_fini(&reply_to);
    sb_fini(&subject);
    sb_fini(&bytes);
}

/* ---- after it was sent ---- */

static int note_mail(void *ctx, struct contact *c, const struct store_result *read,
                     struct store_more *more)
{
    struct notice_letter *l = ctx;
    struct sb id = {0};

    (void)more;
    if (!l->notice || c->mail_seq >= l->mailed_seq) return STORE_KEEP;
    notice_thread_id(c->id, (uint64_t)l->mailed_seq, l->notice->mail.host, &id);
    c->mail_seq = l->mailed_seq;
    c->mail_last = arena_str(read->arena, sb_view(&id));
    if (!c->mail_thread.n) c->mail_thread = c->mail_last;
    sb_fini(&id);
    return OK;
}

static void on_noted(void *ctx, const struct store_result *r)
{
    struct notice_letter *l = ctx;

    (void)r; /* not written: at the worst it is mailed once more, under the same id */
    if (!notice_is_over(l)) notice_told(l);
}

static void on_sent(void *ctx, const struct mailer_answer *a)
{
    struct notice_letter *l = ctx;

    if (!l->notice) {
        (void)notice_is_over(l);
    } else if (a->rc == ERR_FORBIDDEN) {
        notice_give_up(l, str_z(a->why));
    } else if (a->rc != OK) {
        notice_failed(l, str_z(a->why), 0);
    } else if (l->mailed_seq) {
        store_contact_change(l->notice->store, l->contact.id, NULL, note_mail, on_noted, l);
    } else {
        notice_told(l);
    }
}

/* ---- what is to be sent ---- */

/* Answers that the visitor has neither read nor been mailed. */
static void on_messages(void *ctx, const struct store_result *r)
{
    struct notice_letter *l = ctx;
    struct sb text = {0};
    int64_t seq = 0;

    if (notice_is_over(l)) return;
    if (r->rc != OK) {
        notice_failed(l, str_z(err_text(r->rc)), 0);
        return;
    }
    for (unsigned i = 0; i < r->messages_count; i++) {
        const struct message *m = &r->messages[i];

        if (!str_eq(m->kind, MESSAGE_AGENT)) continue;
        if (text.n) sb_char(&text, '\n');
        sb_str(&text, m->author_name);
        sb_z(&text, ":\n");
        sb_str(&text, m->text);
        sb_char(&text, '\n');
        seq = m->seq;
    }
    if (seq) {
        put_links(l->notice, &l->contact, &text);
        post(l, seq, sb_view(&text));
    } else {
        notice_told(l); /* another mail had it already */
    }
    sb_fini(&text);
}

static void write_mail(struct notice_letter *l)
{
    const struct contact *c = &l->contact;
    struct sb text = {0};

    if (str_eq(l->entry.event, str_z(notice_event(NOTICE_CREATED)))) {
        put_form(l->notice, c, &text);
        post(l, 0, sb_view(&text));
    } else if (c->visitor_seen_at > l->entry.created_at) {
        notice_told(l); /* the visitor came back and has seen it */
    } else {
        const struct store_window w = {.after = c->mail_seq > c->visitor_read ? c->mail_seq
                                                                              : c->visitor_read,
                                       .limit = MESSAGES_MAX};

        store_contact_get(l->notice->store, c->id,
                          w.after ? &w : &(struct store_window){.after = -1, .limit = MESSAGES_MAX},
                          on_messages, l);
    }
    sb_fini(&text);
}

void notice_mail_send(struct notice_letter *l)
{
    if (l->notice->mail.mailer)
        notice_keep(l, l->notice->conf->smtp_timeout_ms + LEASE_SPARE_MS, write_mail);
    else
        notice_give_up(l, STR("SMTP_URL is not set any more"));
}
