/* Messages between nodes: what is accepted is exactly what would be written. */
#include <stdlib.h>
#include "node/eio/remote_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct remote_message m;
    struct sb again = {0};
    struct str rest, frame;
    int opcode;

    if (remote_wire_decode(str_of(data, size), 1000000, &m) == OK) {
        remote_wire_encode(&m, &again);
        must(str_eq(sb_view(&again), str_of(data, size)));
        if (m.kind == REMOTE_SEND) {
            rest = m.texts[SEND_FRAMES];
            while (remote_wire_next_frame(&rest, &opcode, &frame) == OK) {
                must(opcode == 1 || opcode == 2);
            }
        }
        if (m.kind == REMOTE_REPLY) (void)remote_wire_are_headers(m.texts[REPLY_HEADERS]);
    }
    sb_fini(&again);
    return 0;
}
