/* gzip and deflate of polling answers. The only pair of files in the house that knows zlib. */
#ifndef NODE_EIO_COMPRESS_H
#define NODE_EIO_COMPRESS_H

#include "base/err.h"
#include "base/str.h"

enum eio_encoding { EIO_ENCODING_NONE, EIO_ENCODING_GZIP, EIO_ENCODING_DEFLATE };

/* Best encoding that the client takes (RFC 9110 12.5.3): gzip before deflate, q=0 refuses. Pure. */
enum eio_encoding eio_compress_choose(struct str accept_encoding);
const char *eio_compress_name(enum eio_encoding how); /* "gzip", "deflate" */

struct eio_compress;                            /* a compressor kept for the next answer */
void eio_compress_free(struct eio_compress *c); /* NULL is allowed */

/* Appends the compressed body to out. *c: NULL at first, made when needed, kept by the caller.
 * Errors: ERR_MEMORY, ERR_INTERNAL; out is as before then. */
MUST_USE int eio_compress_body(struct eio_compress **c, enum eio_encoding how, struct str body,
                               struct sb *out);

#endif
