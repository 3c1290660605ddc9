/* Chunked bodies: the result may not depend on where the input was cut. First byte: the cut. */
#include <stdlib.h>
#include "node/edge/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int feed(struct str all, size_t step, struct sb *out)
{
    struct http_chunks c = {0};
    int rc = ERR_AGAIN;

    while (all.n && rc == ERR_AGAIN) {
        struct str in = str_head(all, step);
        size_t before = in.n;

        rc = http_chunks_decode(&c, &in, 1000, out);
        all = str_skip(all, before - in.n);
    }
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sb whole = {0}, pieces = {0};
    int a, b;

    if (size < 2) return 0;
    a = feed(str_of(data + 1, size - 1), size, &whole);
    b = feed(str_of(data + 1, size - 1), (size_t)data[0] + 1, &pieces);
    if (a != b) abort();
    if (a == OK && !str_eq(sb_view(&whole), sb_view(&pieces))) abort();
    if (whole.n > 1000) abort();
    sb_fini(&whole);
    sb_fini(&pieces);
    return 0;
}
