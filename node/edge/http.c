/* HTTP/1.1 request heads: one pass, borrowed slices, strict. What is not exactly as RFC 9112 wants
 * it is refused: a lenient parser in front of a proxy is a smuggling hole. Must never allocate or
 * read beyond the given bytes. */
#include "node/edge/http.h"

#include <ctype.h>

static bool is_token(struct str s)
{
    if (s.n == 0) return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c >= 0x80 || (!isalnum(c) && !strchr("!#$%&'*+-.^_`|~", c)) || c == 0) return false;
    }
    return true;
}

static bool is_printable(struct str s, bool blanks) /* field values and targets: no control bytes */
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c == 0x7f || c < 0x20) {
            if (c != '\t' || !blanks) return false;
        } else if (c == ' ' && !blanks) {
            return false;
        }
    }
    return true;
}

static int refuse(struct http_head *h, int status)
{
    h->status = status;
    return status == 431 || status == 414 ? ERR_TOO_BIG : ERR_PROTO;
}

/* Takes one line that ends with CR LF off *rest. A bare LF is malformed. */
static int take_line(struct str *rest, struct str *line)
{
    size_t lf = str_find(*rest, '\n');

    if (lf == rest->n) return ERR_AGAIN;
    if (lf == 0 || rest->p[lf - 1] != '\r') return ERR_PROTO;
    *line = str_head(*rest, lf - 1);
    *rest = str_skip(*rest, lf + 1);
    return OK;
}

static enum http_method method_of(struct str m)
{
    static const struct {
        struct str text;
        enum http_method method;
    } rows[] = {{STR("GET"), HTTP_GET},
                {STR("POST"), HTTP_POST},
                {STR("OPTIONS"), HTTP_OPTIONS},
                {STR("HEAD"), HTTP_HEAD}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (str_eq(rows[i].text, m)) return rows[i].method;
    return HTTP_OTHER;
}

static int read_request_line(struct str line, struct http_head *h)
{
    struct str target, version, rest;
    struct http_request *r = &h->request;

    if (!str_cut(line, ' ', &r->method_text, &rest) || !str_cut(rest, ' ', &target, &version))
        return refuse(h, 400);
    if (!is_token(r->method_text) || r->method_text.n > 16) return refuse(h, 400);
    if (target.n == 0 || !is_printable(target, false)) return refuse(h, 400);
    if (!str_starts(version, STR("HTTP/"))) return refuse(h, 400);
    if (!str_eq(version, STR("HTTP/1.1")) && !str_eq(version, STR("HTTP/1.0")))
        return refuse(h, 505);
    h->keep_alive = str_eq(version, STR("HTTP/1.1"));
    if (str_starts_nocase(target, STR("http://"))) { /* absolute form, RFC 9112 3.2.2 */
        target = str_skip(target, 7);
        target = str_skip(target, str_find(target, '/'));
        if (target.n == 0) target = STR("/");
    }
    if (target.p[0] != '/' && !str_eq(target, STR("*"))) return refuse(h, 400);
    r->method = method_of(r->method_text);
    str_cut(target, '?', &r->path, &r->query);
    return OK;
}

/* What the framing headers said; decided once all lines are read. */
struct framing {
    bool has_length, has_coding, is_chunked, has_host, is_bad;
    bool upgrade_ws, connection_upgrade, connection_close, connection_keep;
    uint64_t length;
    struct str version, key;
};

static bool list_has(struct str list, struct str token)
{
    struct str piece;

    while (str_next(&list, ',', &piece))
        if (str_eq_nocase(str_trim(piece), token)) return true;
    return false;
}

static void note_length(struct framing *f, struct str value)
{
    uint64_t n = 0;

    if (str_u64(value, UINT64_MAX / 2, &n) != OK) f->is_bad = true;
    if (f->has_length && n != f->length) f->is_bad = true;
    f->has_length = true;
    f->length = n;
}

static void note_connection(struct framing *f, struct str value)
{
    f->connection_upgrade |= list_has(value, STR("upgrade"));
    f->connection_close |= list_has(value, STR("close"));
    f->connection_keep |= list_has(value, STR("keep-alive"));
}

static void note_ws_protocol(struct http_head *h, struct str value)
{
    struct str piece;

    if (h->ws_protocol.n || !str_next(&value, ',', &piece)) return;
    piece = str_trim(piece);
    if (is_token(piece) && piece.n <= 128) h->ws_protocol = piece;
}

static void note_header(struct http_head *h, struct framing *f, const struct http_header *line)
{
    struct str name = line->name, value = line->value;

    if (str_eq_nocase(name, STR("content-length"))) {
        note_length(f, value);
    } else if (str_eq_nocase(name, STR("transfer-encoding"))) {
        f->is_bad |= f->has_coding;
        f->has_coding = true;
        f->is_chunked = str_eq_nocase(value, STR("chunked"));
    } else if (str_eq_nocase(name, STR("host"))) {
        f->is_bad |= f->has_host;
        f->has_host = true;
    } else if (str_eq_nocase(name, STR("connection"))) {
        note_connection(f, value);
    } else if (str_eq_nocase(name, STR("upgrade"))) {
        f->upgrade_ws |= list_has(value, STR("websocket"));
    } else if (str_eq_nocase(name, STR("expect"))) {
        h->wants_continue = str_eq_nocase(value, STR("100-continue"));
    } else if (str_eq_nocase(name, STR("sec-websocket-version"))) {
        f->version = value;
    } else if (str_eq_nocase(name, STR("sec-websocket-key"))) {
        f->is_bad |= f->key.n != 0;
        f->key = value;
    } else if (str_eq_nocase(name, STR("sec-websocket-protocol"))) {
        note_ws_protocol(h, value);
    }
}

static bool is_ws_key(struct str key) /* 16 bytes in base64 */
{
    struct sb bytes = {0};
    bool ok = key.n == 24 && sb_base64_decode(&bytes, key) == OK && bytes.n == 16;

    sb_fini(&bytes);
    return ok;
}

static int settle(struct http_head *h, const struct framing *f)
{
    struct http_request *r = &h->request;
    bool is_10 = !h->keep_alive;

    if (f->is_bad || (f->has_length && f->has_coding) || (is_10 && f->has_coding))
        return refuse(h, 400);
    if (!f->has_host && !is_10) return refuse(h, 400);
    if (f->has_coding && !f->is_chunked) return refuse(h, 501);
    r->has_body = f->has_coding || (f->has_length && f->length > 0) ||
                  (f->has_length && r->method == HTTP_POST);
    r->content_length = f->has_coding ? UINT64_MAX : f->length;
    if (r->has_body && r->content_length > 0 && r->method != HTTP_POST && r->method != HTTP_OTHER)
        return refuse(h, 400);
    if (r->method == HTTP_POST && !r->has_body) { /* no body announced: an empty one */
        r->has_body = true;
        r->content_length = 0;
    }
    h->keep_alive = is_10 ? f->connection_keep : !f->connection_close;
    h->wants_ws = f->upgrade_ws && f->connection_upgrade;
    if (!h->wants_ws) return OK;
    if (r->method != HTTP_GET || is_10) return refuse(h, 400);
    if (!str_eq(f->version, STR("13"))) return refuse(h, 426);
    if (!is_ws_key(f->key)) return refuse(h, 400);
    h->ws_key = f->key;
    r->is_upgrade = true;
    return OK;
}

static int read_headers(struct str *rest, const struct http_limits *limits,
                        struct http_header *headers, struct http_head *h, struct framing *f)
{
    struct str line;
    unsigned n = 0;
    int rc;

    for (;;) {
        struct http_header *at;

        if ((rc = take_line(rest, &line)) == ERR_AGAIN) return rc;
        if (rc != OK) return refuse(h, 400);
        if (line.n == 0) break;
        if (n == limits->headers) return refuse(h, 431);
        at = &headers[n++];
        if (!str_cut(line, ':', &at->name, &at->value) || !is_token(at->name))
            return refuse(h, 400); /* folded lines end here too: they start with a blank */
        at->value = str_trim(at->value);
        if (!is_printable(at->value, true)) return refuse(h, 400);
        note_header(h, f, at);
    }
    h->request.headers = headers;
    h->request.headers_count = n;
    return OK;
}

int http_head_decode(struct str bytes, const struct http_limits *limits,
                     struct http_header *headers, struct http_head *head, size_t *used)
{
    struct str rest = bytes, line;
    struct framing f = {0};
    int rc;

    memset(head, 0, sizeof *head);
    while (rest.n >= 2 && rest.p[0] == '\r' && rest.p[1] == '\n') /* RFC 9112 2.2 */
        rest = str_skip(rest, 2);
    rc = take_line(&rest, &line);
    if (rc == ERR_PROTO) return refuse(head, 400);
    if (rc == OK) rc = read_request_line(line, head);
    if (rc == OK) rc = read_headers(&rest, limits, headers, head, &f);
    if (rc == ERR_AGAIN) return bytes.n >= limits->head_bytes ? refuse(head, 431) : ERR_AGAIN;
    if (rc != OK) return rc;
    *used = (size_t)(rest.p - bytes.p);
    if (*used > limits->head_bytes) return refuse(head, 431);
    return settle(head, &f);
}

struct str http_header(const struct http_request *r, struct str name)
{
    for (unsigned i = 0; i < r->headers_count; i++)
        if (str_eq_nocase(r->headers[i].name, name)) return r->headers[i].value;
    return STR_NONE;
}
