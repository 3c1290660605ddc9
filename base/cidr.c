/* Networks and addresses as 16 bytes; IPv4 lies in ::ffff:0:0/96 (RFC 4291 2.5.5.2). */
#include "base/cidr.h"

#include <arpa/inet.h>
#include "base/mem.h"
#include "base/forbid.h"

enum { BYTES = 16, V4_OFFSET = 12, V4_BITS = 96, NETWORKS_MAX = 256 };

struct network {
    unsigned char bytes[BYTES];
    unsigned bits;
};

struct cidr_list {
    unsigned count;
    struct network list[];
};

static const unsigned char v4_prefix[V4_OFFSET] = {[10] = 0xff, [11] = 0xff};

static bool read_address(struct str text, unsigned char out[BYTES], bool *is_v4)
{
    char z[CIDR_TEXT_MAX];

    if (!text.n || text.n >= sizeof z || memchr(text.p, 0, text.n)) return false;
    memcpy(z, text.p, text.n);
    z[text.n] = 0;
    *is_v4 = inet_pton(AF_INET, z, out + V4_OFFSET) == 1;
    if (*is_v4) {
        memcpy(out, v4_prefix, V4_OFFSET);
        return true;
    }
    return inet_pton(AF_INET6, z, out) == 1;
}

static bool read_network(struct str text, struct network *out)
{
    struct str address, length;
    uint64_t bits;
    bool is_v4, has_length = str_cut(text, '/', &address, &length);

    if (!read_address(address, out->bytes, &is_v4)) return false;
    out->bits = 8 * BYTES;
    if (!has_length) return true;
    if (str_u64(length, is_v4 ? 32 : 128, &bits) != OK) return false;
    out->bits = (unsigned)bits + (is_v4 ? V4_BITS : 0);
    return true;
}

int cidr_parse(struct str text, struct cidr_list **out, struct str *bad)
{
    struct cidr_list *l = mem_new(1, sizeof *l + NETWORKS_MAX * sizeof l->list[0]);
    struct str piece;

    while (str_next(&text, ',', &piece)) {
        piece = str_trim(piece);
        if (!piece.n) continue;
        if (l->count == NETWORKS_MAX || !read_network(piece, &l->list[l->count])) {
            *bad = piece;
            mem_free(l);
            return ERR_CONFIG;
        }
        l->count++;
    }
    *out = l;
    return OK;
}

void cidr_free(struct cidr_list *l)
{
    mem_free(l);
}

static bool is_in(const struct network *n, const unsigned char address[BYTES])
{
    unsigned whole = n->bits / 8, rest = n->bits % 8;

    if (memcmp(n->bytes, address, whole) != 0) return false;
    return !rest || ((n->bytes[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

bool cidr_has(const struct cidr_list *l, struct str address)
{
    unsigned char bytes[BYTES];
    bool is_v4;

    if (!l || !l->count || !read_address(address, bytes, &is_v4)) return false;
    for (unsigned i = 0; i < l->count; i++)
        if (is_in(&l->list[i], bytes)) return true;
    return false;
}

/* "192.0.2.7:80" has one colon, an IPv6 address has two or more. */
static struct str without_port(struct str text)
{
    size_t colon = str_find(text, ':'), end;

    if (text.n && text.p[0] == '[') {
        end = str_find(text, ']');
        return end == text.n ? STR_NONE : str_head(str_skip(text, 1), end - 1);
    }
    if (colon < text.n && str_find(str_skip(text, colon + 1), ':') == text.n - colon - 1)
        return str_head(text, colon);
    return text;
}

bool cidr_address(struct str text, char out[CIDR_TEXT_MAX])
{
    unsigned char bytes[BYTES];
    bool is_v4;

    if (!read_address(without_port(str_trim(text)), bytes, &is_v4)) return false;
    if (memcmp(bytes, v4_prefix, V4_OFFSET) == 0)
        return inet_ntop(AF_INET, bytes + V4_OFFSET, out, CIDR_TEXT_MAX) != NULL;
    return inet_ntop(AF_INET6, bytes, out, CIDR_TEXT_MAX) != NULL;
}
