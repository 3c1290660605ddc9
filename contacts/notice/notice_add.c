/* Entries of the outbox for what happens to a contact: one for each webhook. They say what was so
 * when it happened; what has become of it since is asked for by REST. */
#include "contacts/notice/notice_priv.h"

#include "base/clock.h"
#include "base/rand.h"
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

void notice_add(const struct notice *n, enum notice_what what, const struct contact *c,
                const struct message *m, struct arena *mem, struct store_more *more)
{
    struct outbox *o;
    struct str payload;

    if (!n || !n->webhooks_count) return;
    payload = payload_of(what, c, m, mem);
    o = grow(more, n->webhooks_count, mem);
    for (unsigned i = 0; i < n->webhooks_count; i++) {
        fill(&o[i], what, "webhook", arena_str(mem, str_z(n->webhooks[i].id)), mem);
        o[i].payload = payload;
    }
}
