/* See rooms_call.h. The feature is freed when nothing is under way any more. */
#include "node/features/rooms/rooms_call.h"

#include <assert.h>

#include "base/mem.h"
#include "node/features/rooms/rooms_priv.h"

struct waiting {
    struct rooms *rooms;
    rooms_call_told *told;
    void *ctx;
};

static void on_answer(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct waiting *w = ctx;
    struct rooms *r = w->rooms;

    if (r->is_closed) rc = ERR_CLOSED;
    if (w->told) w->told(w->ctx, rc, reply, rc == OK ? count : 0);
    mem_free(w);
    r->steps--;
    rooms_settle(r);
}

static void end_word(struct rooms_call *c)
{
    assert(c->words < ROOMS_WORDS);
    c->ends[c->words++] = c->text.n;
}

void rooms_call_key(struct rooms_call *c, enum key k, struct str name)
{
    assert(c->keys == c->words);
    key_name(k, name, &c->text);
    end_word(c);
    c->keys++;
}

void rooms_call_arg(struct rooms_call *c, struct str arg)
{
    sb_str(&c->text, arg);
    end_word(c);
}

void rooms_call_u64(struct rooms_call *c, uint64_t arg)
{
    sb_u64(&c->text, arg);
    end_word(c);
}

void rooms_call_run(struct rooms *r, struct rooms_call *c, struct adapter_script *s,
                    rooms_call_told *told, void *ctx)
{
    struct str words[ROOMS_WORDS];
    struct waiting *w;

    if (!r->adapter) {
        if (told) told(ctx, ERR_UNAVAILABLE, NULL, 0);
        sb_fini(&c->text);
        return;
    }
    w = MEM_NEW(struct waiting);
    *w = (struct waiting){.rooms = r, .told = told, .ctx = ctx};
    r->steps++;
    sb_char(&c->text, '\0'); /* never empty: every slice points somewhere */
    for (unsigned i = 0; i < c->words; i++) {
        size_t start = i ? c->ends[i - 1] : 0;

        words[i] = str_of(c->text.p + start, c->ends[i] - start);
    }
    adapter_eval(r->adapter, s, words, c->keys, words + c->keys, c->words - c->keys, on_answer, w);
    sb_fini(&c->text);
}
