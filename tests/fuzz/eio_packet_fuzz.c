/* Engine.IO packets of both revisions. First byte: revision and whether the rest came as bytes.
 * What was read as a binary message must survive its way out as text and in again. */
#include <stdlib.h>
#include "node/eio/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sb scratch = {0}, text = {0}, body = {0}, scratch_again = {0};
    struct eio_packet p, again;
    int protocol;

    if (size == 0) return 0;
    protocol = data[0] & 1 ? 3 : 4;
    if (eio_packet_decode(protocol, str_of(data + 1, size - 1), data[0] & 2, &scratch, &p) == OK) {
        must(p.type <= EIO_PACKET_NOOP);
        must(p.data.n < size);
        if (p.binary) {
            must(p.type == EIO_PACKET_MESSAGE);
            if (protocol == 3) sb_char(&body, 4);
            sb_str(&body, p.data);
            eio_packet_base64(protocol, sb_view(&body), &text);
            must(eio_packet_decode(protocol, sb_view(&text), false, &scratch_again, &again) == OK);
            must(again.binary && str_eq(again.data, p.data));
        }
    }
    sb_fini(&scratch);
    sb_fini(&scratch_again);
    sb_fini(&text);
    sb_fini(&body);
    return 0;
}
