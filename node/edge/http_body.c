/* Chunked request bodies (RFC 9112 7.1) and the encoding of answers. Pure: bytes in, bytes out. */
#include "node/edge/http.h"

#include "base/metric.h"

enum {
    CHUNK_SIZE,
    CHUNK_EXT,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_CR,
    CHUNK_LF,
    TRAILER,
    TRAILER_LINE,
    TRAILER_LF,
    END_LF
};

#define CHUNK_LINE_MAX 256 /* a size line with its extensions, or a trailer line */

static int size_byte(struct http_chunks *c, char byte)
{
    int v = str_hex_digit(byte);

    if (v >= 0) {
        if (c->line_bytes > 15) return ERR_PROTO; /* more digits than a size of ours can have */
        c->left = c->left << 4 | (unsigned)v;
        return OK;
    }
    if (c->line_bytes == 1) return ERR_PROTO; /* no digit at all */
    if (byte == ';')
        c->state = CHUNK_EXT;
    else if (byte == '\r')
        c->state = CHUNK_SIZE_LF;
    else
        return ERR_PROTO;
    return OK;
}

/* One byte outside of chunk data. ERR_CLOSED: the body is complete. */
static int line_byte(struct http_chunks *c, char byte)
{
    if (++c->line_bytes > CHUNK_LINE_MAX) return ERR_PROTO;
    switch (c->state) {
    case CHUNK_SIZE:
        return size_byte(c, byte);
    case CHUNK_EXT:
        if (byte == '\r') c->state = CHUNK_SIZE_LF;
        return byte == '\n' ? ERR_PROTO : OK;
    case CHUNK_SIZE_LF:
        c->state = c->left ? CHUNK_DATA : TRAILER;
        c->line_bytes = 0;
        return byte == '\n' ? OK : ERR_PROTO;
    case CHUNK_CR:
        c->state = CHUNK_LF;
        return byte == '\r' ? OK : ERR_PROTO;
    case CHUNK_LF:
        c->state = CHUNK_SIZE;
        c->line_bytes = 0;
        return byte == '\n' ? OK : ERR_PROTO;
    case TRAILER:
        c->state = byte == '\r' ? END_LF : TRAILER_LINE;
        return byte == '\n' ? ERR_PROTO : OK;
    case TRAILER_LINE:
        if (byte == '\r') c->state = TRAILER_LF;
        return byte == '\n' ? ERR_PROTO : OK;
    case TRAILER_LF:
        c->state = TRAILER; /* line_bytes is not reset: all trailers share one bound */
        return byte == '\n' ? OK : ERR_PROTO;
    default:
        return byte == '\n' ? ERR_CLOSED : ERR_PROTO;
    }
}

int http_chunks_decode(struct http_chunks *c, struct str *in, size_t max, struct sb *out)
{
    while (in->n) {
        if (c->state == CHUNK_DATA) {
            size_t take = in->n < c->left ? in->n : (size_t)c->left;

            if (out->n + take > max) return ERR_TOO_BIG;
            sb_put(out, in->p, take);
            *in = str_skip(*in, take);
            c->left -= take;
            if (c->left == 0) {
                c->state = CHUNK_CR;
                c->line_bytes = 0;
            }
        } else {
            int rc = line_byte(c, in->p[0]);

            *in = str_skip(*in, 1);
            if (rc == ERR_CLOSED) return OK;
            if (rc != OK) return rc;
            if (c->state == CHUNK_DATA && c->left > max) return ERR_TOO_BIG;
        }
    }
    return ERR_AGAIN;
}

/* clang-format off */
static const struct {
    int status;
    const char *number, *text;
} statuses[] = {
    {200, "200", "OK"}, {202, "202", "Accepted"}, {204, "204", "No Content"}, {304, "304", "Not Modified"}, {400, "400", "Bad Request"},
    {401, "401", "Unauthorized"}, {403, "403", "Forbidden"}, {404, "404", "Not Found"}, {405, "405", "Method Not Allowed"},
    {408, "408", "Request Timeout"}, {413, "413", "Content Too Large"}, {417, "417", "Expectation Failed"},
    {426, "426", "Upgrade Required"}, {429, "429", "Too Many Requests"}, {431, "431", "Request Header Fields Too Large"},
    {500, "500", "Internal Server Error"}, {501, "501", "Not Implemented"}, {503, "503", "Service Unavailable"},
    {505, "505", "HTTP Version Not Supported"}, {0, "other", "Status"},
};
/* clang-format on */
#define STATUSES (sizeof statuses / sizeof statuses[0])

unsigned http_status_label(int status)
{
    unsigned i = 0;

    while (i < STATUSES - 1 && statuses[i].status != status)
        i++;
    return i;
}

const char *http_status_text(int status)
{
    return statuses[http_status_label(status)].text;
}

void http_metrics_init(void)
{
    static const char *labels[STATUSES];

    for (unsigned i = 0; i < STATUSES; i++)
        labels[i] = statuses[i].number;
    metric_labels(M_HTTP_RESPONSES, labels, STATUSES);
    metric_labels(M_HTTP_REFUSED, labels, STATUSES);
    metric_labels(M_WS_REFUSED, labels, STATUSES);
}

struct buf *http_reply_encode(const struct http_reply *r, bool keep_alive, bool head_only)
{
    struct sb head = {0};
    struct str parts[2];
    struct buf *b;

    sb_z(&head, "HTTP/1.1 ");
    sb_i64(&head, r->status);
    sb_char(&head, ' ');
    sb_z(&head, http_status_text(r->status));
    sb_z(&head, "\r\n");
    if (r->content_type.n) {
        sb_z(&head, "Content-Type: ");
        sb_str(&head, r->content_type);
        sb_z(&head, "\r\n");
    }
    if (r->status != 304) {
        sb_z(&head, "Content-Length: ");
        sb_u64(&head, r->body.n);
        sb_z(&head, "\r\n");
    }
    sb_str(&head, r->headers);
    sb_z(&head, keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
    parts[0] = sb_view(&head);
    parts[1] = head_only ? STR_NONE : r->body;
    b = buf_raw(parts, 2);
    sb_fini(&head);
    return b;
}
