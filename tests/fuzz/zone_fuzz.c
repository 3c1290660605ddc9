/* TZif files: any bytes. What is read gives an offset of a day or so for any time, and local times
 * lead back to it. */
#include <stdint.h>
#include <stdlib.h>
#include "contacts/rules/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zone *z;

    if (zone_decode(str_of(data, size), &z) != OK) return 0;
    for (int64_t t = -3000000000; t < 6000000000; t += 98765432) {
        int32_t offset = zone_offset_s(z, t);
        int64_t local = zone_local_s(z, t);

        if (offset < -200000 || offset > 200000) abort();
        (void)zone_utc_s(z, local, false);
        (void)zone_utc_s(z, local, true);
    }
    zone_free(z);
    return 0;
}
