/* A broadcast from Redis: it is refused, or it can be encoded again and means the same. */
#include <stdlib.h>
#include "adapter/classic.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct classic *c)
{
    static struct classic d;
    struct sb out = {0};

    if (classic_encode(c->uid, &c->cast, &out) != OK) abort();
    if (classic_decode(sb_view(&out), STR("never"), STR("/"), &d) != OK) abort();
    if (!str_eq(d.cast.array, c->cast.array)) abort();
    if (d.cast.rooms_count != c->cast.rooms_count || d.cast.flags != c->cast.flags) abort();
    if (d.cast.attachments_count != c->cast.attachments_count) abort();
    sb_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct classic c;
    struct json v;

    if (classic_decode(str_of(data, size), STR("abcdef"), STR("/"), &c) != OK) return 0;
    if (json_parse(c.cast.array, &v) != OK || v.type != JSON_ARRAY) abort();
    for (unsigned i = 0; i < c.cast.rooms_count; i++)
        if (!str_is_utf8(c.cast.rooms[i])) abort();
    check_again(&c);
    return 0;
}
