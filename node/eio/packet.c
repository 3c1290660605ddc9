/* Engine.IO packets. Reads what a peer sent, so nothing here may assert or trust a length. */
#include "node/eio/packet.h"
#include "node/eio/eio.h"

enum { V3_MESSAGE_BYTE = 4 }; /* EIO 3: binary packets start with the type as a number */

static int decode_base64(int protocol, struct str text, struct sb *scratch, struct eio_packet *out)
{
    int rc;

    if (protocol == 3) { /* "b4…": the type digit follows, and only messages are binary */
        if (!text.p || text.n == 0 || text.p[0] != '4') return ERR_PROTO;
        text = str_skip(text, 1);
    }
    scratch->n = 0;
    rc = sb_base64_decode(scratch, text);
    if (rc != OK) return ERR_PROTO;
    *out = (struct eio_packet){EIO_PACKET_MESSAGE, true, sb_view(scratch)};
    return OK;
}

int eio_packet_decode(int protocol, struct str raw, bool binary, struct sb *scratch,
                      struct eio_packet *out)
{
    if (binary) {
        if (protocol == 3) {
            if (raw.n == 0 || raw.p[0] != V3_MESSAGE_BYTE) return ERR_PROTO;
            raw = str_skip(raw, 1);
        }
        *out = (struct eio_packet){EIO_PACKET_MESSAGE, true, raw};
        return OK;
    }
    if (raw.n == 0) return ERR_PROTO;
    if (raw.p[0] == 'b') return decode_base64(protocol, str_skip(raw, 1), scratch, out);
    if (raw.p[0] < '0' || raw.p[0] > '6') return ERR_PROTO;
    *out = (struct eio_packet){(enum eio_packet_type)(raw.p[0] - '0'), false, str_skip(raw, 1)};
    return OK;
}

void eio_packet_base64(int protocol, struct str body, struct sb *out)
{
    sb_char(out, 'b');
    if (protocol == 3) {
        sb_char(out, '4');
        body = str_skip(body, 1);
    }
    sb_base64(out, body);
}

struct buf *eio_text_message(struct str data)
{
    const struct str parts[] = {STR("4"), data};
    struct buf *b = buf_frame(1, parts, 2);

    b->flags |= BUF_COMPRESS;
    return b;
}

struct buf *eio_binary_message(int protocol, struct str data)
{
    static const char type = V3_MESSAGE_BYTE;
    const struct str parts[] = {{&type, protocol == 3 ? 1 : 0}, data};
    struct buf *b = buf_frame(2, parts, 2);

    b->flags |= BUF_BINARY | BUF_COMPRESS;
    return b;
}
