#include "tests/unit/support/rest_rig.inc"

#include "node/guard/denied.h"

TestSuite(rest_answer, .init = rest_up, .fini = rest_down);

Test(rest_answer, every_answer_is_fresh_and_no_script)
{
    struct fake_pipe *p = ask("GET /api/contacts", ADMIN);

    store_says(OK);
    cr_expect_not_null(strstr(fake_headers_z(p), "Cache-Control: no-store\r\n"));
    cr_expect_not_null(strstr(fake_headers_z(p), "X-Content-Type-Options: nosniff\r\n"));
    p = ask("GET /api/nothing", NULL);
    cr_expect_not_null(strstr(fake_headers_z(p), "Cache-Control: no-store\r\n"));
    cr_expect_not_null(strstr(fake_headers_z(p), "X-Content-Type-Options: nosniff\r\n"));
}

Test(rest_answer, says_when_to_come_again)
{
    struct fake_pipe *p = ask("GET /api/contacts", ADMIN);

    store_says(ERR_UNAVAILABLE);
    cr_expect_not_null(strstr(fake_headers_z(p), "Retry-After: 1\r\n"));
    cr_expect_not_null(strstr(fake_body_z(p), "\"retryAfterMs\":1000}"));
    cr_expect_eq(denied_add(events_denied(fake.events), DENIED_BAN_USER, STR("a1"), 60, NULL, NULL),
                 OK);
    p = ask("GET /api/contacts", ADMIN);
    cr_expect_eq(p->status, 403);
    cr_expect_not_null(strstr(fake_headers_z(p), "Retry-After: 60\r\n"), "%s", fake_headers_z(p));
    cr_expect_eq(metric_get(M_REST_REFUSED), 2);
}
