/* See visit.h. */
#include "adapter/redis/visit.h"

#include <assert.h>
#include "adapter/redis/hub_priv.h"
#include "base/forbid.h"

enum { EVAL_WORDS = 3 };

void redis_visit_fill(struct redis_visit *v, struct adapter_script *script, struct str name,
                      struct str argument, struct sb *scratch)
{
    size_t ends[REDIS_VISIT_WORDS], start = 0;
    unsigned keys = script->keys_count;

    assert(keys < REDIS_VISIT_WORDS);
    scratch->n = 0;
    for (unsigned i = 0; i < keys; i++) {
        key_name(script->keys[i], name, scratch);
        ends[i] = scratch->n;
    }
    for (unsigned i = 0; i < keys; i++) {
        v->words[i] = str_of(scratch->p + start, ends[i] - start);
        start = ends[i];
    }
    v->script = script;
    v->keys_count = keys;
    v->words_count = keys;
    redis_visit_add(v, argument);
}

void redis_visit_add(struct redis_visit *v, struct str argument)
{
    assert(v->words_count < REDIS_VISIT_WORDS);
    v->words[v->words_count++] = argument;
}

int redis_visit_send(struct redis_hub *h, const struct redis_visit *v,
                     void (*done)(void *ctx, int rc, const struct redisReply *r), void *ctx)
{
    struct str argv[EVAL_WORDS + REDIS_VISIT_WORDS] = {STR("EVAL"), str_z(v->script->text)};
    struct sb number = {0};
    int rc;

    sb_u64(&number, v->keys_count);
    argv[2] = sb_view(&number);
    memcpy(argv + EVAL_WORDS, v->words, v->words_count * sizeof *argv);
    rc = redis_hub_send(h, v->words[0], argv, EVAL_WORDS + v->words_count, done, ctx);
    sb_fini(&number);
    return rc;
}
