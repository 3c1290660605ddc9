/* A message of the sharded wire: it is refused, or it can be encoded again and means the same. */
#include <stdlib.h>
#include "adapter/sharded.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct wire *w)
{
    static struct sharded d;
    const struct wire *v = &d.data.wire;
    struct sb out = {0};

    if (sharded_encode(w, &out) != OK) abort();
    if (sharded_decode(sb_view(&out), STR("never"), STR("/"), &d) != OK) abort();
    if (v->type != w->type || v->initial != w->initial || v->count != w->count) abort();
    if (!str_eq(v->uid, w->uid) || !str_eq(v->request_id, w->request_id)) abort();
    if (v->rooms_count != w->rooms_count || v->close != w->close) abort();
    if (v->target.rooms_count != w->target.rooms_count) abort();
    if (v->target.except_count != w->target.except_count) abort();
    sb_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sharded s;
    const struct wire *w = &s.data.wire;
    struct json v;

    if (sharded_decode(str_of(data, size), STR("never"), STR("/"), &s) != OK) return 0;
    if (w->type == WIRE_CAST && (json_parse(w->cast.array, &v) != OK || v.type != JSON_ARRAY))
        abort();
    if (w->json.n && json_parse(w->json, &v) != OK) abort();
    for (unsigned i = 0; i < w->target.rooms_count; i++)
        if (!str_is_utf8(w->target.rooms[i])) abort();
    check_again(w);
    return 0;
}
