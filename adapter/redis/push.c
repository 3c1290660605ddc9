/* See push.h. */
#include "adapter/redis/push.h"

#include <hiredis/hiredis.h>

#include "base/forbid.h"

static const struct word {
    struct str text;
    enum redis_push_kind kind;
    size_t elements;
} words[] = {
    {STR("message"), REDIS_PUSH_MESSAGE, 3},    {STR("pmessage"), REDIS_PUSH_PMESSAGE, 4},
    {STR("smessage"), REDIS_PUSH_SMESSAGE, 3},  {STR("subscribe"), REDIS_PUSH_ENTERED, 3},
    {STR("psubscribe"), REDIS_PUSH_ENTERED, 3}, {STR("ssubscribe"), REDIS_PUSH_ENTERED, 3},
    {STR("sunsubscribe"), REDIS_PUSH_LEFT, 3},
};

struct str redis_push_text(const struct redisReply *r)
{
    bool has_text = r->type == REDIS_REPLY_STRING || r->type == REDIS_REPLY_STATUS ||
                    r->type == REDIS_REPLY_ERROR;

    return has_text ? str_of(r->str, r->len) : STR_NONE;
}

struct redis_push redis_push_read(const struct redisReply *r)
{
    struct redis_push p = {0};
    struct str word;

    if (r->type != REDIS_REPLY_ARRAY || r->elements < 3) return p;
    word = redis_push_text(r->element[0]);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (r->elements == words[i].elements && str_eq(word, words[i].text)) p.kind = words[i].kind;
    if (p.kind == REDIS_PUSH_NONE) return p;
    if (p.kind == REDIS_PUSH_ENTERED || p.kind == REDIS_PUSH_LEFT) {
        p.channel = redis_push_text(r->element[1]); /* behind it: a count */
        return p;
    }
    if (p.kind == REDIS_PUSH_PMESSAGE) p.pattern = redis_push_text(r->element[1]);
    p.channel = redis_push_text(r->element[r->elements - 2]);
    p.payload = redis_push_text(r->element[r->elements - 1]);
    return p;
}
