/* Ringing at the nodes where a user has devices: a ring carries nothing, who is rung looks into the
 * inbox. Nobody there: the sender is told that the message waits. */
#include "base/mem.h"
#include "node/features/private/private_priv.h"

struct bell { /* rung at several nodes */
    struct private *feature;
    unsigned left;
    bool is_heard;
    struct sb texts;
    size_t text_n, part_n; /* of texts: the sender's, then the event */
};

static void bell_end(struct bell *b)
{
    if (--b->left) return;
    if (!b->is_heard && !b->feature->is_closed) {
        struct str all = sb_view(&b->texts), rest = str_skip(all, b->text_n);
        struct sio_cast to = sio_cast_all(b->feature->nsp);
        struct sb names = {0};

        private_aim(&to, str_head(all, b->text_n), str_head(rest, b->part_n), &names);
        sio_cast_emit(&to, str_skip(rest, b->part_n), NULL, 0);
        sb_fini(&names);
    }
    sb_fini(&b->texts);
    mem_free(b);
}

static void on_rung(void *ctx, int rc)
{
    struct bell *b = ctx;

    /* in doubt it is not said: the message is delivered, or waits, all the same */
    if (rc != ERR_NOT_FOUND) b->is_heard = true;
    bell_end(b);
}

void private_bell(struct private *p, const struct private_ringing *r)
{
    struct bell *b = MEM_NEW(struct bell);

    b->feature = p;
    b->left = 1;
    b->text_n = r->from->text.n;
    b->part_n = r->from->part.n;
    sb_str(&b->texts, r->from->text);
    sb_str(&b->texts, r->from->part);
    sb_z(&b->texts, "[\"messageQueued\",{");
    sb_str(&b->texts, r->told);
    sb_z(&b->texts, ",\"recipientId\":");
    sb_str(&b->texts, r->to->raw);
    sb_z(&b->texts, "}]");
    for (size_t at = 0; at < r->nodes.n; at += ADAPTER_NODE_ID_SIZE) {
        struct str node = str_of(r->nodes.p + at, ADAPTER_NODE_ID_SIZE);

        if (str_eq(node, p->node)) {
            if (private_ring(p, r->to->part)) b->is_heard = true;
        } else {
            b->left++;
            private_tell_node(p, node, r->to->part, on_rung, b);
        }
    }
    bell_end(b);
}
