/* A request or response from Redis: it is refused, or it can be written again and means the same.
 */
#include <stdlib.h>
#include "adapter/classic_request.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_one(struct str bytes, bool is_answer, struct classic_request *r)
{
    return is_answer ? classic_response_decode(bytes, STR("/"), r)
                     : classic_request_decode(bytes, STR("/"), r);
}

/* The old forms are written as new ones, and answers of old peers have types of their own. */
static void check_again(const struct wire *w, bool is_answer)
{
    static struct classic_request again;
    struct sb out = {0};

    int rc = classic_request_encode(w, &out);

    if (rc == ERR_DEPTH) { /* an ack as JSON may nest deeper than MessagePack here */
        sb_fini(&out);
        return;
    }
    if (rc != OK) abort();
    if (read_one(sb_view(&out), is_answer, &again) != OK) abort();
    if (again.wire.type != w->type || again.wire.count != w->count) abort();
    if (again.wire.target.rooms_count != w->target.rooms_count) abort();
    if (again.wire.rooms_count != w->rooms_count || again.wire.close != w->close) abort();
    if (w->type == WIRE_CAST && again.wire.cast.flags != w->cast.flags) abort();
    if (w->type == WIRE_CAST && again.wire.timeout_ms != w->timeout_ms) abort();
    sb_fini(&out);
}

static void check_json(struct str text)
{
    struct json v;

    if (text.n && json_parse_deep(text, JSON_DEPTH_MAX + 3, &v) != OK) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct classic_request r;
    bool is_answer = size && data[0] & 1;
    const struct wire *w = &r.wire;

    if (!size || read_one(str_of(data + 1, size - 1), is_answer, &r) != OK) return 0;
    check_json(w->json);
    check_json(w->cast.array);
    for (unsigned i = 0; i < w->target.rooms_count; i++)
        if (!str_is_utf8(w->target.rooms[i])) abort();
    for (unsigned i = 0; i < w->rooms_count; i++)
        if (!str_is_utf8(w->rooms[i])) abort();
    check_again(w, is_answer);
    return 0;
}
