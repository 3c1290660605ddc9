/* Words of a script call gathered in one builder; answers that outlive the feature. */
#include <assert.h>

#include "base/mem.h"
#include "node/features/private/private_priv.h"

struct waiting {
    struct private *feature;
    private_told *told;
    void (*sent)(void *ctx, int rc);
    void *ctx;
};

static struct waiting *wait_for(struct private *p, private_told *told,
                                void (*sent)(void *ctx, int rc), void *ctx)
{
    struct waiting *w = MEM_NEW(struct waiting);

    *w = (struct waiting){.feature = p, .told = told, .sent = sent, .ctx = ctx};
    p->under_way++;
    return w;
}

static void on_answer(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct waiting *w = ctx;
    struct private *p = w->feature;

    if (p->is_closed) rc = ERR_CLOSED;
    if (w->told) w->told(w->ctx, rc, reply, rc == OK ? count : 0);
    mem_free(w);
    p->under_way--;
    private_settle(p);
}

static void on_sent(void *ctx, int rc)
{
    struct waiting *w = ctx;
    struct private *p = w->feature;

    w->sent(w->ctx, p->is_closed ? ERR_CLOSED : rc);
    mem_free(w);
    p->under_way--;
    private_settle(p);
}

static void end_word(struct private_call *c)
{
    assert(c->words < PRIVATE_WORDS);
    c->ends[c->words++] = c->text.n;
}

void private_call_key(struct private_call *c, enum key k, struct str name)
{
    assert(c->keys == c->words); /* keys come first */
    key_name(k, name, &c->text);
    end_word(c);
    c->keys++;
}

void private_call_arg(struct private_call *c, struct str arg)
{
    sb_str(&c->text, arg);
    end_word(c);
}

void private_call_u64(struct private_call *c, uint64_t arg)
{
    sb_u64(&c->text, arg);
    end_word(c);
}

void private_call_optional(struct private_call *c, bool has, int64_t n)
{
    if (has)
        private_call_u64(c, (uint64_t)n);
    else
        private_call_arg(c, STR(""));
}

void private_call_run(struct private *p, struct private_call *c, struct adapter_script *s,
                      private_told *told, void *ctx)
{
    struct str words[PRIVATE_WORDS];
    struct waiting *w = wait_for(p, told, NULL, ctx);

    sb_char(&c->text, '\0'); /* never empty: every slice points somewhere */
    for (unsigned i = 0; i < c->words; i++) {
        size_t start = i ? c->ends[i - 1] : 0;

        words[i] = str_of(c->text.p + start, c->ends[i] - start);
    }
    adapter_eval(p->adapter, s, words, c->keys, words + c->keys, c->words - c->keys, on_answer, w);
    sb_fini(&c->text);
}

void private_tell_node(struct private *p, struct str node, struct str payload,
                       void (*sent)(void *ctx, int rc), void *ctx)
{
    events_send(p->events, "private", node, payload, on_sent, wait_for(p, NULL, sent, ctx));
}

int64_t private_number(struct str s)
{
    uint64_t n = 0;

    return str_u64(s, INT64_MAX, &n) == OK ? (int64_t)n : 0;
}
