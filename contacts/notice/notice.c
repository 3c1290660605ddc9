/* The outbox of the store, taken entry by entry. One timer a node for the earliest entry that is
 * due; it is asked for anew when something was written here, when others may have died, and every
 * LOOK_MS otherwise. */
#include "contacts/notice/notice_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "contacts/notice/backoff.h"

enum {
    LEASE_MS = 4000,  /* of an entry just taken; notice_keep makes it longer */
    RUNNING_MAX = 16, /* deliveries of a node at one time */
    LOOK_MS = 5000,   /* others may have written something and be gone: promise P5 */
    AWAY_MS = 2000,   /* the store did not answer */
    WHY_MAX = 200,
};
enum result { RESULT_TOLD, RESULT_FAILED, RESULT_DEAD };

static int64_t now_ms(void)
{
    return (int64_t)clock_wall_ms();
}

/* ---- letters ---- */

static struct notice_letter *letter_new(struct notice *n)
{
    struct notice_letter *l = MEM_NEW(struct notice_letter);

    l->notice = n;
    list_init(&l->node);
    list_push(&n->letters, &l->node);
    return l;
}

static void letter_free(struct notice_letter *l)
{
    if (list_is_linked(&l->node)) list_unlink(&l->node);
    arena_fini(&l->mem);
    mem_free(l);
}

bool notice_is_over(struct notice_letter *l)
{
    if (l->notice) return false;
    letter_free(l);
    return true;
}

/* ---- looking ---- */

static void look(struct notice *n);
static void leave(struct notice_letter *l, int64_t at);
static void on_told(void *letter, int rc);

static void wait_until(struct notice *n, int64_t at)
{
    int64_t now = now_ms(), ms = at > now ? at - now : 0;

    if (ms > LOOK_MS) ms = LOOK_MS;
    n->timer_at = now + ms;
    loop_timer(n->loop, &n->timer, (uint64_t)ms);
}

static void wait_at_most_until(struct notice *n, int64_t at)
{
    if (!timer_is_set(&n->timer) || at < n->timer_at) wait_until(n, at);
}

static void wait(struct notice *n, int64_t ms)
{
    wait_until(n, now_ms() + ms);
}

static void looked(struct notice *n)
{
    n->is_looking = false;
    if (n->is_wanted) look(n);
}

static void on_next(void *ctx, const struct store_result *r)
{
    struct notice_letter *l = ctx;
    struct notice *n = l->notice;

    if (notice_is_over(l)) return;
    letter_free(l);
    if (r->rc != OK)
        wait(n, AWAY_MS);
    else if (!r->at)
        wait(n, LOOK_MS);
    else
        wait_until(n, r->at);
    looked(n);
}

static void deliver(struct notice_letter *l)
{
    struct notice *n = l->notice;

    if (str_eq(l->entry.kind, STR("socket"))) {
        if (!n->hooks.tell_agents(n->hooks.ctx, &l->entry, on_told, l))
            leave(l, now_ms() + LEASE_MS);
    } else if (str_eq(l->entry.kind, STR("webhook"))) {
        notice_webhook_send(l);
    } else if (str_eq(l->entry.kind, STR("mail"))) {
        notice_mail_send(l);
    } else {
        notice_give_up(l, STR("nothing here sends this kind"));
    }
}

static void on_taken(void *ctx, const struct store_result *r)
{
    struct notice_letter *l = ctx;
    struct notice *n = l->notice;

    if (notice_is_over(l)) return;
    if (r->rc == ERR_NOT_FOUND) { /* nothing is due: when will there be? */
        store_outbox_next(n->store, on_next, l);
        return;
    }
    if (r->rc != OK) {
        letter_free(l);
        wait(n, AWAY_MS);
        looked(n);
        return;
    }
    record_copy(&record_outbox, r->outbox, &l->entry, &l->mem);
    record_copy(&record_contact, r->contact, &l->contact, &l->mem);
    n->running++;
    n->is_wanted = n->running < RUNNING_MAX; /* there may be another one */
    deliver(l);
    looked(n);
}

static void look(struct notice *n)
{
    n->is_wanted = n->is_looking || n->running >= RUNNING_MAX;
    if (n->is_wanted) return;
    n->is_looking = true;
    loop_timer_stop(n->loop, &n->timer);
    store_outbox_take(n->store, now_ms(), LEASE_MS, on_taken, letter_new(n));
}

static void on_timer(struct timer *t)
{
    look(LIST_OWNER(t, struct notice, timer));
}

void notice_ask(struct notice *n)
{
    if (n) look(n);
}

void notice_due_at(struct notice *n, int64_t at)
{
    if (!n || !at) return;
    if (n->is_looking || at <= now_ms())
        look(n); /* a look that is under way may have missed it */
    else
        wait_at_most_until(n, at);
}

/* ---- the end of a delivery ---- */

/* at: there will be something to tell then; 0: nothing that is not known. */
static void leave(struct notice_letter *l, int64_t at)
{
    struct notice *n = l->notice;
    bool was_full = n->running-- == RUNNING_MAX;

    letter_free(l);
    if (was_full)
        look(n);
    else if (at && !n->is_looking)
        wait_at_most_until(n, at);
}

/* Not struck out, or not put off: its lease ends, and somebody tells it again. */
static void on_written(void *ctx, const struct store_result *r)
{
    struct notice_letter *l = ctx;
    int64_t at = l->again_at;

    if (notice_is_over(l)) return;
    if (r->rc != OK && r->rc != ERR_NOT_FOUND) {
        LOG_WARN("notice.unwritten", LOG_S("id", l->entry.id), LOG_Z("why", err_wire(r->rc)));
        at = now_ms() + LEASE_MS;
    }
    leave(l, at);
}

void notice_told(struct notice_letter *l)
{
    int64_t took = now_ms() - l->entry.created_at;

    metric_add_at(M_NOTICES, RESULT_TOLD, 1);
    metric_observe_us(M_NOTICE_SECONDS, took > 0 ? (uint64_t)took * 1000 : 0);
    store_outbox_done(l->notice->store, l->contact.id, &l->entry, on_written, l);
}

static void on_told(void *letter, int rc)
{
    struct notice_letter *l = letter;

    if (notice_is_over(l)) return;
    if (rc == OK)
        notice_told(l);
    else
        leave(l, now_ms() + LEASE_MS);
}

void notice_give_up(struct notice_letter *l, struct str why)
{
    metric_add_at(M_NOTICES, RESULT_DEAD, 1);
    LOG_WARN("notice.dead", LOG_S("id", l->entry.id), LOG_S("kind", l->entry.kind),
             LOG_S("contact", l->contact.id), LOG_S("why", str_head(why, WHY_MAX)));
    store_outbox_dead(l->notice->store, l->contact.id, &l->entry, str_head(why, WHY_MAX),
                      on_written, l);
}

void notice_failed(struct notice_letter *l, struct str why, uint64_t retry_after_s)
{
    int64_t at = now_ms() + (int64_t)notice_backoff_ms(l->entry.tries, retry_after_s);

    if (l->entry.tries + 1 >= (int64_t)l->notice->conf->notice_tries) {
        notice_give_up(l, why);
        return;
    }
    l->again_at = at;
    metric_add_at(M_NOTICES, RESULT_FAILED, 1);
    LOG_INFO("notice.failed", LOG_S("id", l->entry.id), LOG_S("kind", l->entry.kind),
             LOG_S("why", str_head(why, WHY_MAX)), LOG_U("tries", l->entry.tries + 1));
    store_outbox_fail(l->notice->store, l->contact.id, &l->entry, at, str_head(why, WHY_MAX),
                      on_written, l);
}

/* ---- the lease ---- */

static void on_kept(void *ctx, const struct store_result *r)
{
    struct notice_letter *l = ctx;

    if (notice_is_over(l)) return;
    if (r->rc == OK) {
        l->then(l);
        return;
    }
    leave(l,
          now_ms() + LEASE_MS); /* another node has it now, or the store is away: it comes again */
}

void notice_keep(struct notice_letter *l, uint64_t ms, void (*then)(struct notice_letter *l))
{
    l->then = then;
    store_outbox_keep(l->notice->store, l->contact.id, &l->entry, now_ms() + (int64_t)ms, on_kept,
                      l);
}

/* ---- the whole ---- */

struct notice *notice_new(struct loop *l, const struct conf *c, struct store *s,
                          const struct notice_hooks *hooks, char **why)
{
    static const char *const results[] = {
        [RESULT_TOLD] = "told", [RESULT_FAILED] = "failed", [RESULT_DEAD] = "dead"};
    struct notice *n = MEM_NEW(struct notice);
    struct sb sentence = {0};

    metric_labels(M_NOTICES, results, sizeof results / sizeof results[0]);
    n->loop = l;
    n->conf = c;
    n->store = s;
    n->hooks = *hooks;
    list_init(&n->letters);
    timer_init(&n->timer, on_timer);
    n->out = outbound_new(l, c->outbound_ca_file);
    if (notice_webhooks_open(n, &sentence) != OK || notice_mail_open(n, &sentence) != OK) {
        *why = str_dup(sb_view(&sentence));
        notice_free(n);
        n = NULL;
    } else {
        wait(n, 0); /* a turn later all of the program is there */
    }
    sb_fini(&sentence);
    return n;
}

void notice_free(struct notice *n)
{
    if (!n) return;
    loop_timer_stop(n->loop, &n->timer);
    LIST_EACH_SAFE(node, after, &n->letters)
    {
        struct notice_letter *l = LIST_OWNER(node, struct notice_letter, node);

        list_unlink(&l->node);
        l->notice = NULL;
        if (!l->call) continue; /* the store still answers to it */
        outbound_cancel(l->call);
        letter_free(l);
    }
    mailer_free(n->mail.mailer); /* tells the letters that it had */
    outbound_free(n->out);
    notice_webhooks_close(n);
    mem_free(n);
}
