/* Polling bodies of all three forms. First byte: the form. What was read is written again and must
 * read the same. */
#include <stdlib.h>
#include "node/eio/eio.h"
#include "node/eio/payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok) abort();
}

/* Messages alone: the other types have no frames of their own. "t" or "b", length, bytes. */
static void read_all(enum eio_payload_form form, struct str body, struct sb *seen,
                     struct buf_queue *q)
{
    struct eio_payload p;
    struct eio_packet packet;
    struct sb scratch = {0};
    unsigned count = 0;
    int rc = eio_payload_start(&p, form, body, 100);

    while (rc == OK && (rc = eio_payload_next(&p, &scratch, &packet)) == OK) {
        must(++count <= 100);
        if (packet.type != EIO_PACKET_MESSAGE) continue;
        sb_printf(seen, "%c%zu:", packet.binary ? 'b' : 't', packet.data.n);
        sb_str(seen, packet.data);
        if (!q) continue;
        buf_queue_push(q, packet.binary
                              ? eio_binary_message(form == EIO_PAYLOAD_V4 ? 4 : 3, packet.data)
                              : eio_text_message(packet.data));
    }
    must(q || rc == ERR_AGAIN); /* what we wrote is well-formed */
    sb_fini(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sb seen = {0}, seen_again = {0};
    struct buf_queue q = {0};
    struct eio_batch batch;
    enum eio_payload_form form, out_form;

    if (size == 0) return 0;
    form = (enum eio_payload_form)(data[0] % 3);
    read_all(form, str_of(data + 1, size - 1), &seen, &q);
    if (q.count > 0) {
        eio_payload_take(&q, form == EIO_PAYLOAD_V4 ? 4 : 3, form == EIO_PAYLOAD_V3_TEXT, SIZE_MAX,
                         &batch);
        out_form = form == EIO_PAYLOAD_V4 ? form
                   : batch.is_octets      ? EIO_PAYLOAD_V3_BINARY
                                          : EIO_PAYLOAD_V3_TEXT;
        read_all(out_form, sb_view(&batch.body), &seen_again, NULL);
        must(str_eq(sb_view(&seen), sb_view(&seen_again)));
        sb_fini(&batch.body);
    }
    buf_queue_clear(&q);
    sb_fini(&seen);
    sb_fini(&seen_again);
    return 0;
}
