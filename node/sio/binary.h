/* A binary packet on its way in: its text waits here for the attachments that follow.
 * Holds at most bytes_max bytes; knows nothing of sockets. */
#ifndef NODE_SIO_BINARY_H
#define NODE_SIO_BINARY_H

#include "node/sio/packet.h"

struct sio_binary;

/* Starts with a decoded packet of a binary type, attachments >= 1. *out: returns new;
 * sio_binary_free. Errors: ERR_PROTO placeholders that do not fit, ERR_TOO_BIG. */
MUST_USE int sio_binary_new(const struct sio_packet *p, size_t bytes_max, struct sio_binary **out);
void sio_binary_free(struct sio_binary *b); /* NULL is allowed */

/* Next attachment. OK: it was the last one; ERR_AGAIN: more are due. Errors: ERR_TOO_BIG. */
MUST_USE int sio_binary_add(struct sio_binary *b, struct str bytes);

/* Once complete: the packet's text with placeholders in order, and the attachments by number. Both
 * borrow from b. */
struct str sio_binary_text(const struct sio_binary *b);
const struct str *sio_binary_attachments(struct sio_binary *b, unsigned *count);

#endif
