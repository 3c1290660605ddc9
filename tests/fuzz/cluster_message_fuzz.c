/* A node message from Redis: decoded and encoded again. */
#include <stdlib.h>
#include "adapter/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message m, again;
    struct sb out = {0};

    if (message_decode(str_of(data, size), &m) == OK) {
        message_encode(&m, &out);
        if (out.n > size) abort();
        if (message_decode(sb_view(&out), &again) != OK || again.kind != m.kind) abort();
        if (!str_eq(again.from, m.from)) abort();
    }
    sb_fini(&out);
    return 0;
}
