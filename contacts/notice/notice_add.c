/* Entries of the outbox for what happens to a contact: one for each webhook, with what was so when
 * it happened (what has become of it since is asked for by REST), and one for each mailbox. */
#include "contacts/notice/notice_priv.h"

#include "base/clock.h"
#include "base/rand.h"
#include "contacts/notice/mail.h"
#include "contacts/record/contact.h"
#include "contacts/record/message.h"

enum { ID_SIZE = 24 };

static const char *const events[NOTICE_WHAT_COUNT] = {
    [NOTICE_CREATED] = "contact.created",   [NOTICE_CLAIMED] = "contact.claimed",
    [NOTICE_VISITOR] = "message.visitor",   [NOTICE_AGENT] = "message.agent",
    [NOTICE_RESOLVED] = "contact.resolved", [NOTICE_RATED] = "contact.rated",
};

const char *notice_event(enum notice_what what)
{
    return events[what];
}

/* {"type","timestamp","data":{"contact":{…},"message":{…}}}, as Standard Webhooks advise. */
static struct str payload_of(enum notice_what what, const struct contact *c,
                             const struct message *m, struct arena *mem)
{
    char iso[CLOCK_ISO_SIZE];
    struct sb b = {0};
    struct str kept;

    clock_iso(clock_wall_ms(), iso);
    sb_printf(&b, "{\"type\":\"%s\",\"timestamp\":\"%s\",\"data\":{\"contact\":", events[what],
              iso);
    contact_put(c, RECORD_AGENT, &b);
    if (m) {
        sb_z(&b, ",\"message\":");
        message_put(m, c->id, &b);
    }
    sb_z(&b, "}}");
    kept = arena_str(mem, sb_view(&b));
    sb_fini(&b);
    return kept;
}

static struct outbox *grow(struct store_more *more, unsigned by, struct arena *mem)
{
    struct outbox *all = arena_new(mem, more->outbox_count + by, sizeof *all);

    if (more->outbox_count) memcpy(all, more->outbox, more->outbox_count * sizeof *all);
    more->outbox = all;
    more->outbox_count += by;
    return all + more->outbox_count - by;
}

static void fill(struct outbox *o, enum notice_what what, const char *kind, struct str target,
                 struct arena *mem)
{
    char id[ID_SIZE];

    rand_id(id, sizeof id);
    *o = (struct outbox){.id = arena_str(mem, str_of(id, sizeof id)),
                         .kind = str_z(kind),
                         .target = target,
                         .event = str_z(events[what]),
                         .created_at = (int64_t)clock_wall_ms(),
                         .state = STR("due"),
                         .at = (int64_t)clock_wall_ms()};
}

static void add_webhooks(const struct notice *n, enum notice_what what, const struct contact *c,
                         const struct message *m, struct arena *mem, struct store_more *more)
{
    struct str payload;
    struct outbox *o;

    if (!n->webhooks_count) return;
    payload = payload_of(what, c, m, mem);
    o = grow(more, n->webhooks_count, mem);
    for (unsigned i = 0; i < n->webhooks_count; i++) {
        fill(&o[i], what, "webhook", arena_str(mem, str_z(n->webhooks[i].id)), mem);
        o[i].payload = payload;
    }
}

/* The team hears of a form at once; a visitor of an answer after MAIL_AWAY_MS without being here.
 */
static void add_mails(const struct notice *n, enum notice_what what, const struct contact *c,
                      struct arena *mem, struct store_more *more)
{
    unsigned count = what == NOTICE_CREATED ? n->mail.team_count : 0;
    struct outbox *o;
    int64_t at;

    if (!n->mail.mailer) return;
    o = count ? grow(more, count, mem) : NULL;
    for (unsigned i = 0; i < count; i++)
        fill(&o[i], what, "mail", arena_str(mem, n->mail.team[i]), mem);
    if (what != NOTICE_AGENT || !mail_is_address(c->email)) return;
    o = grow(more, 1, mem);
    fill(o, what, "mail", arena_str(mem, c->email), mem);
    at = c->visitor_seen_at + (int64_t)n->conf->mail_away_ms;
    if (at > o->at) o->at = at;
}

void notice_add(const struct notice *n, enum notice_what what, const struct contact *c,
                const struct message *m, struct arena *mem, struct store_more *more)
{
    if (!n) return;
    add_webhooks(n, what, c, m, mem, more);
    add_mails(n, what, c, mem, more);
}
