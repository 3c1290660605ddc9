/* Key files: any bytes as a PEM, and any JSON as a key of a set; what becomes a PEM can be read
 * again. */
#include <stdint.h>
#include <stdlib.h>
#include "node/auth/jwk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_of(data, size);
    struct sb pem = {0};
    struct json jwk;
    enum jwk_alg alg, again;

    (void)jwk_pem_alg(text, &alg);
    if (json_parse(text, &jwk) == OK && jwk_to_pem(jwk, &alg, &pem) == OK) {
        if (!pem.n || pem.p[pem.n - 1] != 0) abort();
        if (jwk_pem_alg(str_z(pem.p), &again) != OK || again != alg) abort();
    }
    sb_fini(&pem);
    return 0;
}
