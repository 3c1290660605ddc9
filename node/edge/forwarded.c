/* Every proxy appends who came to it; what stands left of the first stranger is his invention. */
#include "node/edge/forwarded.h"

enum { HOPS_MAX = 32 };

/* The last piece of a list; *rest keeps what is before it. */
static struct str last_piece(struct str *rest)
{
    size_t at = rest->n;
    struct str piece;

    while (at && rest->p[at - 1] != ',')
        at--;
    piece = str_trim(str_skip(*rest, at));
    *rest = str_head(*rest, at ? at - 1 : 0);
    return piece;
}

struct str forwarded_client(const struct cidr_list *trusted, struct str peer,
                            const struct http_request *r, char out[CIDR_TEXT_MAX])
{
    struct str client = peer;
    unsigned hops = 0;

    if (!cidr_has(trusted, peer)) return peer;
    for (size_t i = r->headers_count; i-- > 0;) {
        struct str rest = r->headers[i].value;

        if (!str_eq_nocase(r->headers[i].name, STR("x-forwarded-for"))) continue;
        while (rest.n) {
            char next[CIDR_TEXT_MAX];

            if (++hops > HOPS_MAX || !cidr_address(last_piece(&rest), next)) return client;
            memcpy(out, next, sizeof next);
            client = str_z(out);
            if (!cidr_has(trusted, client)) return client;
        }
    }
    return client;
}
