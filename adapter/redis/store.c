/* See store.h. A job is one run of a script; it holds its command until the reply, for the second
 * try. */
#include "adapter/redis/store.h"

#include <hiredis/hiredis.h>

#include "adapter/redis/hub_priv.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sha1.h"
#include "base/forbid.h"

#define REPLY_MAX 1000000 /* texts of one reply */

struct job {
    struct redis_hub *hub;
    const struct adapter_script *script;
    driver_eval_fn *done;
    void *ctx;
    bool is_second;
    unsigned argc;
    struct str argv[]; /* EVALSHA sha numkeys keys… args…; the bytes follow */
};

static void fill_sha(struct adapter_script *s)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[SHA1_SIZE];

    if (s->sha[0]) return;
    sha1(str_z(s->text), sum);
    for (int i = 0; i < SHA1_SIZE; i++) {
        s->sha[2 * i] = digits[sum[i] >> 4];
        s->sha[2 * i + 1] = digits[sum[i] & 15];
    }
}

static struct str word_of(const struct driver_eval *e, unsigned i) /* keys, then arguments */
{
    return i < e->keys_count ? e->keys[i] : e->args[i - e->keys_count];
}

static struct job *job_new(const struct driver_eval *e)
{
    struct sb count = {0};
    struct job *j;
    unsigned words = e->keys_count + e->args_count, argc = 3 + words;
    size_t bytes = 16;
    char *at;

    for (unsigned i = 0; i < words; i++)
        bytes += word_of(e, i).n;
    j = mem_new(1, sizeof *j + argc * sizeof(struct str) + bytes);
    at = (char *)(j->argv + argc);
    sb_u64(&count, e->keys_count);
    memcpy(at, count.p, count.n);
    j->script = e->script;
    j->done = e->done;
    j->ctx = e->ctx;
    j->argc = argc;
    j->argv[0] = STR("EVALSHA");
    j->argv[1] = str_z(e->script->sha);
    j->argv[2] = str_of(at, count.n);
    at += count.n;
    sb_fini(&count);
    for (unsigned i = 0; i < words; i++) {
        struct str from = word_of(e, i);

        if (from.n) memcpy(at, from.p, from.n);
        j->argv[3 + i] = str_of(at, from.n);
        at += from.n;
    }
    return j;
}

/* All keys of a script share a hash tag: the first one says where it runs. */
static struct str key_of(const struct job *j)
{
    return str_eq(j->argv[2], STR("0")) ? STR_NONE : j->argv[3];
}

static unsigned count_texts(const struct redisReply *r)
{
    unsigned count = 0;

    if (r->type != REDIS_REPLY_ARRAY) return 1;
    for (size_t i = 0; i < r->elements && count < REPLY_MAX; i++)
        count += count_texts(r->element[i]);
    return count;
}

/* Numbers go into a builder that was made large enough before. */
static void flatten(const struct redisReply *r, struct sb *numbers, struct str *out, unsigned max,
                    unsigned *n)
{
    size_t start = numbers->n;

    if (r->type == REDIS_REPLY_ARRAY) {
        for (size_t i = 0; i < r->elements; i++)
            flatten(r->element[i], numbers, out, max, n);
        return;
    }
    if (*n == max) return;
    if (r->type == REDIS_REPLY_INTEGER) {
        sb_i64(numbers, r->integer);
        out[*n] = str_of(numbers->p + start, numbers->n - start);
    } else if (r->type == REDIS_REPLY_STRING || r->type == REDIS_REPLY_STATUS) {
        out[*n] = str_of(r->str, r->len);
    } else {
        out[*n] = STR_NONE;
    }
    ++*n;
}

void redis_store_texts(const struct redisReply *r, redis_told_fn *told, void *ctx)
{
    unsigned count = count_texts(r), n = 0;
    struct str *texts = mem_new(count, sizeof *texts);
    struct sb numbers = {0};

    sb_reserve(&numbers, 24 * (size_t)count + 1);
    flatten(r, &numbers, texts, count, &n);
    told(ctx, texts, n);
    sb_fini(&numbers);
    mem_free(texts);
}

static void tell(void *ctx, const struct str *reply, unsigned count)
{
    struct job *j = ctx;

    j->done(j->ctx, OK, reply, count);
}

/* States of the server, not mistakes of the script. */
static bool is_passing(struct str error)
{
    static const char *const words[] = {"LOADING",  "BUSY",       "OOM",
                                        "READONLY", "MASTERDOWN", "CLUSTERDOWN",
                                        "TRYAGAIN", "NOREPLICAS", "MISCONF"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_starts(error, str_z(words[i]))) return true;
    return false;
}

static void on_reply(void *ctx, int rc, const struct redisReply *r)
{
    struct job *j = ctx;
    struct str error;

    if (rc == OK && r->type != REDIS_REPLY_ERROR) {
        redis_store_texts(r, tell, j);
        goto out;
    }
    if (rc == OK) {
        error = str_of(r->str, r->len);
        if (str_starts(error, STR("NOSCRIPT")) && !j->is_second) {
            j->is_second = true;
            j->argv[0] = STR("EVAL"); /* keeps the script for the next EVALSHA as well */
            j->argv[1] = str_z(j->script->text);
            rc = redis_hub_send(j->hub, key_of(j), j->argv, j->argc, on_reply, j);
            if (rc == OK) return;
        } else {
            rc = is_passing(error) ? ERR_UNAVAILABLE : ERR_INTERNAL;
            LOG_ERROR("redis.script", LOG_Z("script", j->script->name), LOG_S("why", error));
        }
    }
    j->done(j->ctx, rc == ERR_LIMIT ? ERR_UNAVAILABLE : rc, NULL, 0);
out:
    mem_free(j);
}

int redis_store_eval(struct redis_hub *h, const struct driver_eval *e)
{
    struct job *j;
    int rc;

    fill_sha(e->script);
    j = job_new(e);
    j->hub = h;
    rc = redis_hub_send(h, key_of(j), j->argv, j->argc, on_reply, j);
    if (rc != OK) mem_free(j);
    return rc;
}
