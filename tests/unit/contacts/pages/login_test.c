#include <criterion/criterion.h>
#include "base/clock.h"
#include "contacts/pages/login.h"
#include "node/auth/token.h"
#include "tests/unit/support/fake_edge.h"

#define CODE "0123456789abcdef0123456789abcdef"
#define HEAD "POST /dev/login\n"

static char secret[] = "a secret of more than thirty-two bytes, for tests", code[] = CODE,
            none[] = "";
static struct conf conf;
static struct login *l;
static struct fake_edge edge;

static void on_request(void *ctx, struct pipe *p, const struct http_request *r)
{
    (void)ctx;
    if (!login_on_request(l, p, r)) pipe_reply(p, &(struct http_reply){.status = 404});
}

static void on_body(void *ctx, struct pipe *p, int rc, struct str body)
{
    (void)ctx;
    (void)login_on_body(l, p, rc, body);
}

static void on_gone(void *ctx, struct pipe *p, int status)
{
    (void)ctx, (void)p, (void)status;
}

static void up(void)
{
    static const struct edge_handler handler = {
        .on_request = on_request, .on_body = on_body, .on_gone = on_gone};

    clock_freeze(1000, UINT64_C(1700000000000));
    conf = (struct conf){.dev = true,
                         .dev_login = code,
                         .jwt_secret = secret,
                         .jwt_secret_previous = none,
                         .jwt_issuer = none,
                         .jwt_audience = none,
                         .jwt_public_key_file = none,
                         .jwks_file = none};
    l = login_new(&conf);
    fake_edge_init(&edge, &handler, NULL);
}

static void down(void)
{
    fake_edge_fini(&edge);
    login_free(l);
}

TestSuite(login, .init = up, .fini = down);

Test(login, the_code_gives_a_token_of_a_superadmin_once)
{
    struct fake_pipe *p = fake_post(&edge, HEAD, STR("{\"code\":\"" CODE "\"}"));
    struct auth *auth = auth_new(&conf);
    struct identity *who;
    struct str token = str_z(fake_body_z(p));

    cr_assert_eq(p->status, 200);
    token =
        str_head(str_skip(token, strlen("{\"token\":\"")), token.n - strlen("{\"token\":\"\"}"));
    cr_assert_eq(auth_token_check(auth, token, UINT64_C(1700000000000), &who), OK, STR_FMT,
                 STR_ARG(token));
    cr_expect_eq(who->role, ROLE_SUPERADMIN);
    cr_expect_eq(who->expires_s, 1700000000 + 12 * 3600);
    identity_free(who);
    auth_free(auth);
    cr_expect_eq(fake_post(&edge, HEAD, STR("{\"code\":\"" CODE "\"}"))->status, 403);
}

Test(login, another_code_gives_nothing)
{
    static const char *const bodies[] = {"{\"code\":\"0123456789abcdef0123456789abcdeF\"}",
                                         "{\"code\":\"\"}", "{\"code\":7}", "{}", "["};

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct fake_pipe *p = fake_post(&edge, HEAD, str_z(bodies[i]));

        cr_expect(p->status == 403 || p->status == 400, "%s: %d", bodies[i], p->status);
        cr_expect_not(strstr(fake_body_z(p), "token"), "%s", bodies[i]);
    }
    cr_expect_eq(fake_request(&edge, "GET /dev/login\n")->status, 405);
    cr_expect_eq(fake_request(&edge, "GET /dev/logins\n")->status, 404);
}

Test(login, is_there_in_dev_with_a_code_and_a_secret_alone)
{
    static char few[] = "short";
    const struct conf rows[] = {{.dev = false, .dev_login = code, .jwt_secret = secret},
                                {.dev = true, .dev_login = none, .jwt_secret = secret},
                                {.dev = true, .dev_login = few, .jwt_secret = secret},
                                {.dev = true, .dev_login = code, .jwt_secret = none}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_null(login_new(&rows[i]), "row %zu", i);
    login_free(l);
    l = NULL;
    cr_expect_eq(fake_post(&edge, HEAD, STR("{}"))->status, 404);
}
