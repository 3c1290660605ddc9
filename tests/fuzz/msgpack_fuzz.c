/* MessagePack to JSON: what comes out is JSON that our own scanner takes, and goes back the same
 * way. */
#include <stdlib.h>
#include "adapter/msgpack.h"
#include "adapter/msgpack_json.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct msgpack_json_attachments a;
    struct sb json = {0}, again = {0};
    struct str rest = str_of(data, size), skipped = rest;
    int rc = msgpack_skip(&skipped);
    struct json v;

    a.count = 0;
    if (msgpack_to_json(&rest, &json, &a) == OK) {
        if (rc != OK || rest.n != skipped.n) abort();
        if (json_parse(sb_view(&json), &v) != OK) abort();
        if (json.n > 64 + 40 * size) abort(); /* the output is bounded by the input */
        if (msgpack_from_json(sb_view(&json), a.items, a.count, &again) != OK) abort();
        rest = sb_view(&again);
        if (msgpack_skip(&rest) != OK || rest.n) abort();
    }
    sb_fini(&json);
    sb_fini(&again);
    return 0;
}
