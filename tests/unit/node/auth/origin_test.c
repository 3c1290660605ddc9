#include <criterion/criterion.h>
#include "base/conf.h"
#include "node/auth/origin.h"
#include "node/edge/edge.h"

static char list_text[] =
    "http://localhost:3000, https://quizblog.rw ,https://www.quizblog.rw,,null,nonsense";
static char client_text[] = "https://app.example:443/path", frontend_text[] = "", all_text[] = "*";

static struct auth_origins *make(char *list)
{
    struct conf c = {
        .cors_origins = list, .client_url = client_text, .frontend_url = frontend_text};

    return auth_origins_new(&c);
}

Test(auth_origin, allows_what_the_list_says_and_nothing_near_it)
{
    static const struct {
        const char *origin;
        bool want;
    } rows[] = {
        {"http://localhost:3000", true},
        {"https://quizblog.rw", true},
        {"https://www.quizblog.rw", true},
        {"https://QuizBlog.RW", true},
        {"https://app.example", true}, /* CLIENT_URL without its path and its scheme's port */
        {"https://quizblog.rw.evil.example", false},
        {"https://evilquizblog.rw", false},
        {"https://evil.quizblog.rw", false},
        {"https://quizblog.rw:444", false},
        {"http://quizblog.rw", false},
        {"http://localhost", false},
        {"http://localhost:30000", false},
        {"https://quizblog.rw/", false},
        {"https://quizblog.rw@evil.example", false},
        {"https://", false},
        {"null", false},
        {"nonsense", false},
        {"*", false},
        {"", false},
    };
    struct auth_origins *o = make(list_text);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(auth_origin_is_allowed(o, str_z(rows[i].origin)), rows[i].want, "row %zu: %s",
                     i, rows[i].origin);
    auth_origins_free(o);
}

struct row {
    const char *origin, *asked;
    bool preflight, want;
    const char *headers;
};

static void check(char *list, const struct row *rows, size_t count)
{
    struct auth_origins *o = make(list);

    for (size_t i = 0; i < count; i++) {
        const struct http_header headers[] = {
            {STR("oRIGIN"), str_z(rows[i].origin)},
            {STR("Access-Control-Request-Headers"), str_z(rows[i].asked)}};
        const struct http_request r = {.headers = rows[i].origin ? headers : headers + 1,
                                       .headers_count =
                                           (rows[i].origin ? 1U : 0U) + (rows[i].asked ? 1U : 0U)};
        struct sb out = {0};

        cr_expect_eq(auth_origin_headers(o, &r, rows[i].preflight, &out), rows[i].want, "row %zu",
                     i);
        cr_expect(str_eq(sb_view(&out), str_z(rows[i].headers)), "row %zu: " STR_FMT, i,
                  STR_ARG(sb_view(&out)));
        sb_fini(&out);
    }
    auth_origins_free(o);
}

#define VARY "Vary: Origin\r\n"
#define CREDENTIALS "Access-Control-Allow-Credentials: true\r\n"
#define LISTS                                                                                      \
    "Access-Control-Allow-Methods: GET,POST\r\nAccess-Control-Allow-Headers: "                     \
    "Content-Type,Authorization\r\n"

Test(auth_origin, echoes_an_origin_of_the_list)
{
    static const struct row rows[] = {
        {"https://quizblog.rw", NULL, false, true,
         VARY "Access-Control-Allow-Origin: https://quizblog.rw\r\n" CREDENTIALS},
        {"https://quizblog.rw", "x-a", true, true,
         VARY "Access-Control-Allow-Origin: https://quizblog.rw\r\n" CREDENTIALS LISTS},
        {NULL, NULL, false, true, VARY CREDENTIALS},
    };

    check(list_text, rows, sizeof rows / sizeof rows[0]);
}

Test(auth_origin, gives_a_foreign_page_no_leave)
{
    static const struct row rows[] = {
        {"https://evil.example", NULL, false, false, VARY CREDENTIALS},
        {"https://evil.example", "x-a", true, false, VARY CREDENTIALS LISTS},
        {"null", NULL, false, false, VARY CREDENTIALS},
        {"", NULL, false, false, VARY CREDENTIALS},
    };

    check(list_text, rows, sizeof rows / sizeof rows[0]);
}

#define STAR "Access-Control-Allow-Origin: *\r\n"
#define STAR_PREFLIGHT                                                                             \
    STAR "Access-Control-Allow-Methods: GET,HEAD,PUT,PATCH,POST,DELETE\r\nVary: "                  \
         "Access-Control-Request-Headers\r\n"

Test(auth_origin, opens_to_all_without_credentials)
{
    static const struct row rows[] = {
        {"https://evil.example", NULL, false, true, STAR},
        {NULL, NULL, false, true, STAR},
        {"null", "content-type, x-b", true, true,
         STAR_PREFLIGHT "Access-Control-Allow-Headers: content-type, x-b\r\n"},
        {"null", NULL, true, true, STAR_PREFLIGHT},
        {"null", "x\r\nSet-Cookie: a=b", true, true, STAR_PREFLIGHT},
        {"null", "x\xc3\xab", true, true, STAR_PREFLIGHT},
    };

    check(all_text, rows, sizeof rows / sizeof rows[0]);
}

Test(auth_origin, does_not_echo_a_long_list_of_headers)
{
    char asked[1100];
    struct row row = {"http://a", asked, true, true, STAR_PREFLIGHT};

    memset(asked, 'x', sizeof asked);
    asked[1025] = 0;
    check(all_text, &row, 1);
}

Test(auth_origin, a_page_of_this_server_is_not_foreign)
{
    static const struct {
        const char *origin, *host;
        bool want;
    } rows[] = {
        {"http://192.168.1.7:3001", "192.168.1.7:3001", true},
        {"https://Chat.Example", "chat.example", true}, /* behind a proxy that ends TLS */
        {"http://192.168.1.7:3002", "192.168.1.7:3001", false},
        {"http://evil.example", "chat.example", false},
        {"ftp://chat.example", "chat.example", false},
        {"http://", "", false},
    };
    struct auth_origins *o = make(list_text);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct http_header headers[] = {{STR("Origin"), str_z(rows[i].origin)},
                                              {STR("Host"), str_z(rows[i].host)}};
        const struct http_request r = {.headers = headers, .headers_count = 2};
        struct sb out = {0};

        cr_expect_eq(auth_origin_headers(o, &r, false, &out), rows[i].want, "row %zu", i);
        sb_fini(&out);
    }
    auth_origins_free(o);
}
