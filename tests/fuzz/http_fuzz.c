/* Request heads: no input may be read beyond its end, and what is accepted must be consistent. */
#include <stdlib.h>
#include "node/edge/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct http_limits limits = {.head_bytes = 8192, .headers = 32};
    struct http_header headers[32];
    struct http_head h;
    size_t used = 0;

    if (http_head_decode(str_of(data, size), &limits, headers, &h, &used) == OK) {
        if (used == 0 || used > size || h.request.path.n == 0) abort();
        if (h.request.is_upgrade && h.ws_key.n != 24) abort();
        (void)http_header(&h.request, STR("origin"));
    }
    return 0;
}
