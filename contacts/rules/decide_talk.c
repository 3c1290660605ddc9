/* What is said in a contact and about it. See decide.h. */
#include "contacts/rules/decide_priv.h"

#include "contacts/rules/csat.h"
#include "contacts/rules/queue.h"
#include "base/forbid.h"

static bool is_full(const struct contact *c, int64_t bytes)
{
    return c->bytes + bytes > CONTACT_BYTES_MAX || c->seq >= CONTACT_MESSAGES_MAX;
}

static void visitor_spoke(struct decide *d)
{
    d->c->visitor_messages++;
    d->c->visitor_at = d->c->visitor_seen_at = d->now_ms;
    decide_happens(d, SLA_VISITOR_SPOKE);
}

static void agent_spoke(struct decide *d, const struct decide_who *by)
{
    struct contact *c = d->c;

    c->agent_messages++;
    c->agent_at = d->now_ms;
    if (!c->first_reply_at) {
        c->first_reply_at = d->now_ms;
        c->first_reply_by = by->id;
        c->first_reply_ms = hours_between_ms(d->rules->hours, c->created_at, d->now_ms);
    }
    decide_happens(d, SLA_AGENT_SPOKE);
}

int contact_message(struct decide *d, const struct decide_who *by, int64_t bytes)
{
    decide_start(d);
    if (decide_state_of(d->c) == DECIDE_RESOLVED) return ERR_RESOLVED;
    if (decide_is_agent(by) && (decide_state_of(d->c) == DECIDE_PENDING || !decide_may(d->c, by)))
        return ERR_FORBIDDEN;
    if (is_full(d->c, bytes)) return ERR_LIMIT;
    if (decide_is_agent(by))
        agent_spoke(d, by);
    else
        visitor_spoke(d);
    d->tell |= TELL_MESSAGE;
    decide_settle(d);
    return OK;
}

int contact_note(struct decide *d, const struct decide_who *by, int64_t bytes)
{
    decide_start(d);
    if (!decide_is_agent(by)) return ERR_FORBIDDEN;
    if (is_full(d->c, bytes)) return ERR_LIMIT;
    d->tell = TELL_NOTE;
    decide_settle(d);
    return OK;
}

int contact_read(struct decide *d, const struct decide_who *by, int64_t seq)
{
    struct contact *c = d->c;
    int64_t *mark = decide_is_agent(by) ? &c->agent_read : &c->visitor_read;

    decide_start(d);
    if (decide_is_agent(by) && !decide_may(c, by)) return ERR_FORBIDDEN;
    if (seq > c->seq) seq = c->seq;
    if (seq <= *mark) return OK;
    *mark = seq;
    if (!decide_is_agent(by)) c->visitor_seen_at = d->now_ms;
    d->tell = TELL_READ;
    decide_settle(d);
    return OK;
}

int contact_rate(struct decide *d, int64_t score, struct str comment)
{
    struct contact *c = d->c;
    int rc = csat_check(score, &comment);

    decide_start(d);
    if (rc == OK) rc = csat_may(decide_state_of(c) == DECIDE_RESOLVED, c->resolved_at, c->rated_at);
    if (rc != OK) return rc;
    c->rate_score = score;
    c->rate_comment = comment;
    c->rated_at = d->now_ms;
    d->tell = TELL_RATED;
    decide_settle(d);
    return OK;
}

static bool has(const struct str *tags, unsigned count, struct str tag)
{
    for (unsigned i = 0; i < count; i++)
        if (str_eq(tags[i], tag)) return true;
    return false;
}

int contact_tag(struct decide *d, const struct decide_who *by, const struct record_texts *add,
                const struct record_texts *remove)
{
    struct str tags[DECIDE_TAGS_MAX], *kept;
    const struct record_texts *from[] = {&d->c->tags, add};
    bool has_changed = false;
    unsigned n = 0;

    decide_start(d);
    if (!decide_is_agent(by)) return ERR_FORBIDDEN;
    for (unsigned list = 0; list < 2; list++)
        for (unsigned i = 0; i < from[list]->count; i++) {
            struct str tag = from[list]->at[i];
            bool is_there = has(tags, n, tag), goes = has(remove->at, remove->count, tag);

            has_changed |= list ? !is_there && !goes : goes;
            if (is_there || goes) continue;
            if (n == DECIDE_TAGS_MAX) return ERR_LIMIT;
            tags[n++] = tag;
        }
    if (!has_changed) return OK;
    kept = arena_new(d->mem, n ? n : 1, sizeof *kept);
    for (unsigned i = 0; i < n; i++)
        kept[i] = tags[i];
    d->c->tags = (struct record_texts){kept, n};
    d->tell = TELL_UPDATED;
    decide_settle(d);
    return OK;
}

int contact_priority(struct decide *d, const struct decide_who *by, enum sla_priority priority)
{
    struct contact *c = d->c;
    bool is_requeued = c->queue_rank % 2 == 0 && c->queue_since;

    decide_start(d);
    if (!decide_is_agent(by)) return ERR_FORBIDDEN;
    if (decide_priority(c) == priority) return OK;
    c->priority = str_z(sla_priority_name(priority));
    c->queue_rank = queue_rank((int)priority, is_requeued);
    decide_happens(d, SLA_PRIORITY);
    d->tell |= TELL_UPDATED;
    if (decide_state_of(c) == DECIDE_PENDING) d->tell |= TELL_QUEUE;
    decide_settle(d);
    return OK;
}
