#include <criterion/criterion.h>
#include "node/eio/eio_priv.h"
#include "tests/unit/support/eio_rig.h"

/* answer.c is reached through the engine's refusals; what a refusal looks like is pinned here. */

Test(eio_refuse, answers_json_with_the_code_and_the_cors_lines)
{
    struct eio_rig r;
    struct fake_pipe *p;

    rig_open(&r, NULL);
    p = fake_request(&r.edge, "GET /socket.io/?EIO=4&transport=abc\n");
    cr_expect_eq(p->status, 400);
    cr_expect(str_eq(sb_view(&p->type), STR("application/json")));
    cr_expect_str_eq(fake_body_z(p), "{\"code\":0,\"message\":\"Transport unknown\"}");
    cr_expect(str_contains(sb_view(&p->headers), STR("Vary: Origin\r\n")));
    cr_expect(str_contains(sb_view(&p->headers), STR("cache-control: no-store\r\n")));
    cr_expect_not(p->reply_close);
    rig_close(&r);
}

Test(eio_refuse, answers_an_upgrade_with_the_plain_message_and_closes)
{
    struct eio_rig r;
    struct fake_pipe *p;

    rig_open(&r, NULL);
    p = fake_request(&r.edge, "GET /socket.io/?EIO=4&transport=abc\nUpgrade: websocket\n");
    cr_expect_eq(p->status, 400);
    cr_expect(str_eq(sb_view(&p->type), STR("text/html")));
    cr_expect_str_eq(fake_body_z(p), "Transport unknown");
    cr_expect(str_contains(sb_view(&p->headers), STR("Vary: Origin\r\n")));
    cr_expect(p->reply_close);
    rig_close(&r);
}

Test(eio_refuse, counts_by_code)
{
    struct eio_rig r;
    int64_t before;

    rig_open(&r, NULL);
    before = metric_get_at(M_EIO_ERRORS, 1);
    (void)fake_request(&r.edge,
                       "GET /socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA\n");
    cr_expect_eq(metric_get_at(M_EIO_ERRORS, 1), before + 1);
    rig_close(&r);
}
