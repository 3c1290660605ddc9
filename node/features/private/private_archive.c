/* From the log in Redis to the archive. Who stores a message marks its conversation: a job that
 * survives its node. The job reads behind the conversation's archive cursor, appends, and moves the
 * cursor; the log is cut behind the cursor alone. Whatever dies in between, the job runs again, and
 * what is appended twice is there once. */
#include "adapter/due.h"
#include "adapter/key.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/rand.h"
#include "base/sha1.h"
#include "node/features/private/private_priv.h"

enum {
    GATHER_MS = 1000, /* what is said in a conversation meanwhile goes with it */
    LEASE_MS = 10000, /* a dead node's job is free after it */
    RETRY_MS = 1000,
    RETRY_MAX_MS = 60000,
    COUNT_EVERY_MS = 10000,
    BATCH = 100,
    BATCH_BYTES = 1048576,
    HEAD_WORDS = 2,
    ENTRY_WORDS = 6,
};

/* ARGV: seq up to which it is archived now (empty: nothing new), most, most bytes, messages kept,
 * seconds kept, so many times of both at most. Returns messages that went without being archived
 * since the last time, now, and seq, time, sender, hidden, messageId, event of what comes next. */
static struct adapter_script archive_script = {
    .name = "private_archive",
    .keys = {KEY_CONV_LOG, KEY_CONV_STATE},
    .keys_count = 2,
    .text =
        "local log, state, keep, ttl = KEYS[1], KEYS[2], tonumber(ARGV[4]), tonumber(ARGV[5])\n"
        "local clock = redis.call('TIME')\n"
        "local now = clock[1] * 1000 + math.floor(clock[2] / 1000)\n"
        "local function get(field) return tonumber(redis.call('HGET', state, field) or 0) end\n"
        "local function text(n) return string.format('%.0f', n) end\n"
        "if redis.call('HEXISTS', state, 'seq') == 0 then return {0, text(now)} end\n"
        "local archived, seq, lost = get('a'), get('seq'), get('lost')\n"
        "local new = tonumber(ARGV[1])\n"
        "if new and new > archived then\n"
        "  archived = new\n"
        "  redis.call('HSET', state, 'a', ARGV[1])\n"
        "  redis.call('XTRIM', log, 'MAXLEN',\n"
        "    math.max(keep, math.min(seq - archived, keep * tonumber(ARGV[6]))))\n"
        "  for _, e in ipairs(redis.call('XRANGE', log, '-', text(archived) .. '-0', 'COUNT', "
        "100)) do\n"
        "    if tonumber(e[2][2]) > now - ttl * 1000 then break end\n"
        "    redis.call('XDEL', log, e[1])\n"
        "  end\n"
        "  if archived >= seq then redis.call('EXPIRE', log, ttl) end\n"
        "end\n"
        "if lost > 0 then redis.call('HDEL', state, 'lost') end\n"
        "local out, bytes = {lost, text(now)}, 0\n"
        "local low = text(archived + 1) .. '-0'\n"
        "for i, e in ipairs(redis.call('XRANGE', log, low, '+', 'COUNT', ARGV[2])) do\n"
        "  local v = e[2]\n"
        "  bytes = bytes + #v[12]\n"
        "  if i > 1 and bytes > tonumber(ARGV[3]) then break end\n"
        "  for _, word in ipairs({string.match(e[1], '^%d+'), v[2], v[4], v[8], v[10], v[12]}) do\n"
        "    out[#out + 1] = word\n"
        "  end\n"
        "end\n"
        "return out\n",
};

struct job {
    struct private *feature;
    struct due_job *due;
    struct str conversation;
    uint64_t archived;  /* seq up to which Redis is still to be told; 0: nothing */
    uint64_t oldest_ms; /* of what was archived with it */
    uint64_t last;      /* seq of what is being archived */
    char bytes[];
};

uint64_t private_archive_times(const struct private *p)
{
    return p->marks ? events_conf(p->events)->private_archive_backlog : 0;
}

/* ---- a mark ---- */

struct mark {
    void (*told)(void *ctx, int rc);
    void *ctx;
};

static void on_marked(void *ctx, int rc)
{
    struct mark *m = ctx;

    if (rc == ERR_LIMIT) { /* DUE_JOBS_MAX wait: the conversation's next message marks it again */
        metric_add(M_ARCHIVE_UNMARKED, 1);
        rc = OK;
    }
    if (m->told) m->told(m->ctx, rc);
    mem_free(m);
}

unsigned private_archive_mark(struct private *p, struct str conversation,
                              void (*told)(void *ctx, int rc), void *ctx)
{
    unsigned char sum[SHA1_SIZE]; /* the name may be longer than an id */
    struct due_entry e = {.payload = conversation, .delay_ms = GATHER_MS, .keeps_earlier = true};
    struct sb id = {0};
    struct mark *m;
    int rc;

    if (!p->marks) return 0;
    m = MEM_NEW(struct mark);
    *m = (struct mark){told, ctx};
    sha1(conversation, sum);
    sb_base64(&id, str_of(sum, sizeof sum));
    e.id = sb_view(&id);
    rc = due_put(p->marks, &e, on_marked, m);
    if (rc != OK) mem_free(m); /* the adapter is gone: the inbox is as far away */
    sb_fini(&id);
    return rc == OK;
}

/* ---- a job ---- */

static void step(struct job *j);

/* Doubled from run to run, and not the same for all. */
static uint64_t retry_ms(const struct job *j)
{
    unsigned runs = due_runs(j->due);
    uint64_t ms = runs > 6 ? RETRY_MAX_MS : (uint64_t)RETRY_MS << runs;

    if (ms > RETRY_MAX_MS) ms = RETRY_MAX_MS;
    return ms / 2 + rand_below((uint32_t)ms);
}

static void job_end(struct job *j, int rc)
{
    if (rc == OK)
        due_done(j->due);
    else
        due_again(j->due, rc == ERR_CLOSED ? 0 : retry_ms(j));
    mem_free(j);
}

static void on_appended(void *ctx, int rc)
{
    struct job *j = ctx;
    struct private *p = j->feature;

    if (p->is_closed) rc = ERR_CLOSED;
    if (rc == OK) {
        j->archived = j->last;
        step(j);
    } else {
        job_end(j, rc);
    }
    p->under_way--;
    private_settle(p);
}

static int read_entries(const struct str *words, unsigned count, struct archive_message *out)
{
    for (unsigned i = 0; i < count; i++, words += ENTRY_WORDS) {
        if (str_u64(words[0], INT64_MAX, &out[i].seq) != OK ||
            str_u64(words[1], INT64_MAX, &out[i].at_ms) != OK)
            return ERR_INTERNAL;
        out[i].from = words[2];
        out[i].is_hidden = str_eq(words[3], STR("1"));
        out[i].id = words[4];
        out[i].event = words[5];
    }
    return OK;
}

static void append(struct job *j, const struct archive_message *m, unsigned count)
{
    struct archive_batch b = {.conversation = j->conversation, .messages = m, .count = count};

    (void)str_cut(j->conversation, ':', &b.users[0], &b.users[1]);
    j->last = m[count - 1].seq;
    j->oldest_ms = m[0].at_ms;
    j->feature->under_way++;
    archive_append(j->feature->archive, &b, on_appended, j);
}

static void count_archived(struct job *j, uint64_t now_ms)
{
    if (!j->archived) return;
    metric_observe_us(M_ARCHIVE_LAG_SECONDS,
                      now_ms > j->oldest_ms ? (now_ms - j->oldest_ms) * 1000 : 0);
}

static void on_step(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct archive_message m[BATCH];
    struct job *j = ctx;
    uint64_t now_ms = 0;

    if (rc == OK &&
        (count < HEAD_WORDS || (count - HEAD_WORDS) % ENTRY_WORDS ||
         count > HEAD_WORDS + BATCH * ENTRY_WORDS || str_u64(reply[1], INT64_MAX, &now_ms) != OK))
        rc = ERR_INTERNAL;
    if (rc == OK) {
        metric_add(M_ARCHIVE_LOST, (uint64_t)private_number(reply[0]));
        count_archived(j, now_ms);
        count = (count - HEAD_WORDS) / ENTRY_WORDS;
        rc = read_entries(reply + HEAD_WORDS, count, m);
    }
    if (rc == OK && count)
        append(j, m, count);
    else
        job_end(j, rc);
}

static void step(struct job *j)
{
    struct private *p = j->feature;
    const struct conf *conf = events_conf(p->events);
    struct private_call c = {0};

    private_call_key(&c, KEY_CONV_LOG, j->conversation);
    private_call_key(&c, KEY_CONV_STATE, j->conversation);
    private_call_optional(&c, j->archived != 0, (int64_t)j->archived);
    private_call_u64(&c, archive_is_up(p->archive) ? BATCH : 1);
    private_call_u64(&c, BATCH_BYTES);
    private_call_u64(&c, conf->private_keep_messages);
    private_call_u64(&c, conf->private_keep_days * 86400);
    private_call_u64(&c, conf->private_archive_backlog);
    private_call_run(p, &c, &archive_script, on_step, j);
}

static void on_due(void *ctx, struct str id, struct str payload, struct due_job *due)
{
    struct job *j = mem_new(1, sizeof *j + payload.n);

    (void)id;
    j->feature = ctx;
    j->due = due;
    memcpy(j->bytes, payload.p, payload.n);
    j->conversation = str_of(j->bytes, payload.n);
    step(j);
}

/* ---- how many wait ---- */

static void on_counted(void *ctx, int rc, uint64_t jobs)
{
    (void)ctx;
    if (rc == OK) metric_set(M_ARCHIVE_WAITING, (int64_t)jobs);
}

static void on_count_timer(struct timer *t)
{
    struct private *p = LIST_OWNER(t, struct private, count_timer);

    (void)!due_count(p->marks, on_counted, NULL);
    loop_timer(events_loop(p->events), &p->count_timer, COUNT_EVERY_MS);
}

/* ---- life ---- */

void private_archive_open(struct private *p)
{
    const struct due_conf conf = {
        .kind = STR("private-archive"), .on_due = on_due, .ctx = p, .lease_ms = LEASE_MS};

    timer_init(&p->count_timer, on_count_timer);
    if (!p->adapter || !archive_is_on(p->archive)) return;
    p->marks = due_open(p->adapter, &conf);
    loop_timer(events_loop(p->events), &p->count_timer, COUNT_EVERY_MS);
}

void private_archive_close(struct private *p)
{
    struct due *marks = p->marks;

    if (!marks) return;
    loop_timer_stop(events_loop(p->events), &p->count_timer);
    p->marks = NULL;
    due_close(marks);
}
