/* Any text into the decoder of Socket.IO packets. What it accepts must encode to something it
 * accepts again, and placeholders that were put in order must stay in order. */
#include <stdlib.h>
#include "base/mem.h"
#include "node/sio/binary.h"
#include "node/sio/packet.h"

#define ATTACHMENTS 10

static void must(bool ok)
{
    if (!ok) abort();
}

static void check_binary(const struct sio_packet *p)
{
    struct sb name = {0};
    struct sio_packet again;
    struct sio_binary *b;
    unsigned n;

    if (sio_binary_new(p, 1000000, &b) != OK) return;
    for (unsigned i = 1; i < p->attachments; i++)
        must(sio_binary_add(b, STR("abc")) == ERR_AGAIN);
    must(sio_binary_add(b, STR("")) == OK);
    must(sio_packet_decode(sio_binary_text(b), ATTACHMENTS, &name, &again) == OK);
    must(again.type == p->type && again.attachments == p->attachments);
    must(sio_binary_attachments(b, &n) && n == p->attachments);
    sio_binary_free(b);
    sb_fini(&name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sb name = {0}, name2 = {0}, text = {0};
    struct sio_packet p, again;

    if (sio_packet_decode(str_of(data, size), ATTACHMENTS, &name, &p) == OK) {
        sio_packet_encode(&text, &p);
        must(sio_packet_decode(sb_view(&text), ATTACHMENTS, &name2, &again) == OK);
        must(again.type == p.type && str_eq(again.nsp, p.nsp) && str_eq(again.ack, p.ack));
        must(str_eq(again.json, p.json) && str_eq(again.name, p.name) &&
             str_eq(again.args, p.args));
        if (p.attachments != 0) check_binary(&p);
    }
    sb_fini(&text);
    sb_fini(&name);
    sb_fini(&name2);
    return 0;
}
