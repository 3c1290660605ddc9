/* An entry of a stream: it is refused, or it can be encoded again and means the same. Input: fields
 * and values, each ended by a zero byte. */
#include <stdlib.h>
#include "adapter/streams.h"
#include "base/json.h"

enum { FIELDS_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct streams_entry *e, const struct wire *w)
{
    static struct streams d;
    const struct wire *v = &d.data.wire;
    struct streams_entry again = *e;
    struct sb out = {0};

    if (streams_encode(w, &out) != OK) abort();
    again.data = sb_view(&out);
    if (streams_decode(&again, &d) != OK) abort();
    if (v->type != w->type || v->initial != w->initial || v->count != w->count) abort();
    if (!str_eq(v->request_id, w->request_id) || v->close != w->close) abort();
    if (v->rooms_count != w->rooms_count) abort();
    if (v->target.rooms_count != w->target.rooms_count) abort();
    if (v->target.except_count != w->target.except_count) abort();
    sb_fini(&out);
}

static unsigned cut(struct str rest, struct str *fields)
{
    unsigned count = 0;

    while (count < FIELDS_MAX && str_next(&rest, 0, &fields[count]))
        count++;
    return count;
}

static void check_name(struct str nsp)
{
    struct sb name = {0};

    streams_name(STR("s"), 7, nsp, &name);
    if (name.n < 3 || name.n > 4 || (name.n == 4 && name.p[2] != '-')) abort();
    sb_fini(&name);
}

static void check_id(struct str text)
{
    struct streams_id id, again;
    struct sb out = {0};

    if (streams_id_read(text, &id) != OK) return;
    streams_id_put(id, &out);
    if (streams_id_read(sb_view(&out), &again) != OK || streams_id_compare(id, again)) abort();
    sb_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct streams s;
    const struct wire *w = &s.data.wire;
    struct str fields[FIELDS_MAX];
    struct streams_entry e;
    struct json v;

    check_id(str_of(data, size));
    if (streams_entry_read(fields, cut(str_of(data, size), fields), &e) != OK) return 0;
    check_name(e.nsp);
    if (streams_decode(&e, &s) != OK) return 0;
    if (w->type == WIRE_CAST && (json_parse(w->cast.array, &v) != OK || v.type != JSON_ARRAY))
        abort();
    if (w->json.n && json_parse(w->json, &v) != OK) abort();
    for (unsigned i = 0; i < w->target.rooms_count; i++)
        if (!str_is_utf8(w->target.rooms[i])) abort();
    check_again(&e, w);
    return 0;
}
