/* A session out of Redis: it is refused, or it can be written again and means the same. Input: its
 * MessagePack, or with a leading zero byte the text as it is in Redis. */
#include <stdlib.h>
#include "adapter/session_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const struct session *a, const struct session *b)
{
    if (!str_eq(a->sid, b->sid) || !str_eq(a->pid, b->pid)) abort();
    if (!str_eq(a->since, b->since) || !str_eq(a->who, b->who)) abort();
    if (a->has_who != b->has_who || a->is_live != b->is_live) abort();
    if (a->generation != b->generation || a->rooms_count != b->rooms_count) abort();
    if (a->data.n && !str_eq(a->data, b->data)) abort();
    for (unsigned i = 0; i < a->rooms_count; i++)
        if (!str_eq(a->rooms[i], b->rooms[i]) || !str_is_utf8(a->rooms[i])) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct session_wire first, second;
    struct str bytes = str_of(data, size);
    struct sb text = {0};

    if (size && data[0] == 0)
        sb_str(&text, str_skip(bytes, 1));
    else
        sb_base64(&text, bytes);
    if (session_wire_decode(sb_view(&text), &first) == OK) {
        text.n = 0;
        session_wire_encode(&first.session, &text);
        if (text.n <= SESSION_BYTES_MAX) {
            if (session_wire_decode(sb_view(&text), &second) != OK) abort();
            check_same(&first.session, &second.session);
        }
    }
    sb_fini(&text);
    return 0;
}
