/* gzip and deflate of polling answers. One stream is kept for each encoding, so an answer costs no
 * set-up. */
#include "node/eio/compress.h"

#include <zlib.h>
#include "base/mem.h"

enum { WINDOW_BITS = 15, GZIP_BITS = 16, MEM_LEVEL = 8 };

struct eio_compress {
    z_stream streams[EIO_ENCODING_DEFLATE + 1];
    bool is_ready[EIO_ENCODING_DEFLATE + 1];
};

static bool is_refused(struct str params) /* ";q=0", "; q=0.000" */
{
    struct str p;

    while (str_next(&params, ';', &p)) {
        p = str_trim(p);
        if (!str_starts_nocase(p, STR("q="))) continue;
        p = str_skip(p, 2);
        while (p.p && p.n > 0 && (p.p[0] == '0' || p.p[0] == '.')) {
            p = str_skip(p, 1);
        }
        return p.n == 0;
    }
    return false;
}

enum eio_encoding eio_compress_choose(struct str accept_encoding)
{
    bool gzip = false, deflate = false;
    struct str piece, name, params;

    while (str_next(&accept_encoding, ',', &piece)) {
        (void)str_cut(piece, ';', &name, &params);
        name = str_trim(name);
        if (is_refused(params)) continue;
        gzip |= str_eq_nocase(name, STR("gzip")) || str_eq(name, STR("*"));
        deflate |= str_eq_nocase(name, STR("deflate"));
    }
    return gzip ? EIO_ENCODING_GZIP : deflate ? EIO_ENCODING_DEFLATE : EIO_ENCODING_NONE;
}

const char *eio_compress_name(enum eio_encoding how)
{
    return how == EIO_ENCODING_GZIP ? "gzip" : "deflate";
}

void eio_compress_free(struct eio_compress *c)
{
    if (!c) return;
    for (int i = 0; i <= EIO_ENCODING_DEFLATE; i++) {
        if (c->is_ready[i]) (void)deflateEnd(&c->streams[i]);
    }
    mem_free(c);
}

static z_stream *stream_for(struct eio_compress **c, enum eio_encoding how)
{
    z_stream *z;

    if (!*c) *c = MEM_NEW(struct eio_compress);
    z = &(*c)->streams[how];
    if ((*c)->is_ready[how]) return deflateReset(z) == Z_OK ? z : NULL;
    if (deflateInit2(z, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                     how == EIO_ENCODING_GZIP ? WINDOW_BITS + GZIP_BITS : WINDOW_BITS, MEM_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        return NULL;
    }
    (*c)->is_ready[how] = true;
    return z;
}

int eio_compress_body(struct eio_compress **c, enum eio_encoding how, struct str body,
                      struct sb *out)
{
    z_stream *z = stream_for(c, how);
    size_t room;

    if (!z) return ERR_MEMORY;
    if (body.n > UINT32_MAX / 2) return ERR_INTERNAL;
    room = deflateBound(z, (uLong)body.n);
    sb_reserve(out, room);
    z->next_in = (z_const Bytef *)(uintptr_t)body.p;
    z->avail_in = (uInt)body.n;
    z->next_out = (Bytef *)out->p + out->n;
    z->avail_out = (uInt)room;
    if (deflate(z, Z_FINISH) != Z_STREAM_END) return ERR_INTERNAL;
    out->n += room - z->avail_out;
    return OK;
}
