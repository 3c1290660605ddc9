#include <criterion/criterion.h>
#include "node/ops/bearer.h"

static struct str bearer(const char *value)
{
    static struct http_header header;
    static struct http_request r;

    header = (struct http_header){STR("Authorization"), str_z(value)};
    r = (struct http_request){.headers = &header, .headers_count = 1};
    return ops_bearer_of(&r);
}

Test(ops_bearer, is_what_stands_behind_the_scheme)
{
    cr_expect(str_eq(bearer("Bearer abc"), STR("abc")));
    cr_expect(str_eq(bearer("  bearer   abc "), STR("abc")));
    cr_expect_eq(bearer("Basic abc").n, 0);
    cr_expect_eq(bearer("Bearer").n, 0);
    cr_expect_eq(bearer("abc").n, 0);
    cr_expect_eq(bearer("").n, 0);
}

Test(ops_bearer, fits_only_as_a_whole)
{
    cr_expect(ops_bearer_fits(STR("secret"), STR("secret")));
    cr_expect_not(ops_bearer_fits(STR("secret"), STR("secre")));
    cr_expect_not(ops_bearer_fits(STR("secret"), STR("secretsecret")));
    cr_expect_not(ops_bearer_fits(STR("secret"), STR("Secret")));
    cr_expect_not(ops_bearer_fits(STR("secret"), STR("")));
    cr_expect_not(ops_bearer_fits(STR(""), STR("")));
}
