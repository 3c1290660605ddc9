/* Reassembly of binary packets: see binary.h. Must never hold more than it was told to. */
#include "node/sio/binary.h"

#include "base/mem.h"

struct sio_binary {
    struct sb text, bytes;
    size_t bytes_max;
    unsigned count, got;
    uint16_t *place;   /* of the sender's n-th attachment */
    size_t *ends;      /* in bytes, in order of arrival */
    struct str *parts; /* by place, filled at the end: bytes may move before */
};

int sio_binary_new(const struct sio_packet *p, size_t bytes_max, struct sio_binary **out)
{
    struct sio_binary *b = MEM_NEW(struct sio_binary);
    struct sio_packet head = *p;
    int rc;

    b->bytes_max = bytes_max;
    b->count = p->attachments; /* bounded by MAX_ATTACHMENTS in the decoder */
    b->place = mem_new(b->count, sizeof *b->place);
    head.json = STR_NONE;
    sio_packet_encode(&b->text, &head);
    rc = sio_packet_place(p->json, b->count, b->place, &b->text);
    if (rc == OK && b->text.n > bytes_max) rc = ERR_TOO_BIG;
    if (rc != OK) goto out;
    b->ends = mem_new(b->count, sizeof *b->ends);
    b->parts = mem_new(b->count, sizeof *b->parts);
    *out = b;
    b = NULL;
out:
    sio_binary_free(b);
    return rc;
}

void sio_binary_free(struct sio_binary *b)
{
    if (!b) return;
    sb_fini(&b->text);
    sb_fini(&b->bytes);
    mem_free(b->place);
    mem_free(b->ends);
    mem_free(b->parts);
    mem_free(b);
}

int sio_binary_add(struct sio_binary *b, struct str bytes)
{
    if (bytes.n > b->bytes_max - b->text.n - b->bytes.n) return ERR_TOO_BIG;
    sb_put(&b->bytes, bytes.p, bytes.n);
    b->ends[b->got++] = b->bytes.n;
    return b->got == b->count ? OK : ERR_AGAIN;
}

struct str sio_binary_text(const struct sio_binary *b)
{
    return sb_view(&b->text);
}

const struct str *sio_binary_attachments(struct sio_binary *b, unsigned *count)
{
    size_t start = 0;

    for (unsigned i = 0; i < b->got; i++) {
        b->parts[b->place[i]] = str_of(b->bytes.p ? b->bytes.p + start : "", b->ends[i] - start);
        start = b->ends[i];
    }
    *count = b->got;
    return b->parts;
}
