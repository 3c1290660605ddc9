/* Orders of POST /emit: any bytes; what passes must be an event that every node and client takes.
 */
#include <stdint.h>
#include <stdlib.h>
#include "base/json.h"
#include "node/ops/emit_order.h"
#include "node/sio/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sb scratch = {0}, names = {0}, why = {0}, text = {0};
    struct ops_emit_order o;
    struct sio_packet p;

    if (ops_emit_order_decode(str_of(data, size), &scratch, &o, &why) != OK) {
        if (!why.n) abort();
        goto out;
    }
    if (why.n || o.rooms_count > SIO_CAST_ROOMS || o.except_count > SIO_CAST_ROOMS) abort();
    for (unsigned i = 0; i < o.rooms_count; i++)
        if (!o.rooms[i].n || o.rooms[i].n > OPS_EMIT_NAME_MAX) abort();
    sb_char(&text, '2');
    sb_str(&text, o.array);
    if (sio_packet_decode(sb_view(&text), 0, &names, &p) != OK) abort(); /* reserved names too */
out:
    sb_fini(&scratch);
    sb_fini(&names);
    sb_fini(&why);
    sb_fini(&text);
    return 0;
}
