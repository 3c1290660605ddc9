/* Who may give orders on the ops port. Must never log a token. */
#include "node/ops/bearer.h"

bool ops_bearer_fits(struct str token, struct str given)
{
    volatile unsigned char differs = given.n != token.n;

    for (size_t i = 0; given.n && i < token.n; i++)
        differs |= (unsigned char)(given.p[i % given.n] ^ token.p[i]);
    return given.n && !differs;
}

/* The name of the scheme has no case (RFC 9110 11.1). */
struct str ops_bearer_of(const struct http_request *r)
{
    struct str text = str_trim(http_header(r, STR("authorization")));

    if (!str_starts_nocase(text, STR("Bearer "))) return STR_NONE;
    return str_trim(str_skip(text, 7));
}

void ops_bearer_answer(struct pipe *p, int status, const char *headers, const struct sb *body)
{
    struct sb lines = {0};
    struct http_reply r = {.status = status,
                           .content_type = STR("application/json"),
                           .body = sb_view(body),
                           .close = status == 413};

    sb_z(&lines, "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
    sb_z(&lines, headers);
    r.headers = sb_view(&lines);
    pipe_reply(p, &r);
    sb_fini(&lines);
}
