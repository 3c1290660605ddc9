/* WebSocket headers: what is accepted is masked, bounded and in its shortest form. */
#include <stdlib.h>
#include "node/edge/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ws_frame f;
    int code;

    if (frame_decode(str_of(data, size), 100000, &f) == OK) {
        if (f.length > 100000 || f.head_bytes > size || f.head_bytes < 6) abort();
        if (f.opcode >= WS_CLOSE && (!f.fin || f.length > 125)) abort();
    }
    if (frame_close_decode(str_of(data, size), &code) == OK && (code < 1000 || code > 4999))
        abort();
    return 0;
}
