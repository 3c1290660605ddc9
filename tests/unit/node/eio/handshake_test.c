#include <criterion/criterion.h>
#include <stdio.h>
#include "base/mem.h"
#include "node/eio/session_priv.h"
#include "tests/unit/support/eio_rig.h"

#define POLL "GET /socket.io/?EIO=4&transport=polling"

Test(handshake, answers_a_poll_with_the_open_packet)
{
    struct eio_rig r;
    struct fake_pipe *p;
    struct sb want = {0};

    rig_open(&r, "--ping-interval-ms=300 --ping-timeout-ms=200");
    p = rig_poll_open(&r, 4, NULL);
    sb_printf(
        &want,
        "0{\"sid\":\"%s\",\"upgrades\":[\"websocket\"],\"pingInterval\":300,\"pingTimeout\":200,"
        "\"maxPayload\":1000000}",
        r.sid);
    cr_expect_eq(p->status, 200);
    cr_expect(str_eq(sb_view(&p->body), sb_view(&want)), "%s", fake_body_z(p));
    cr_expect(str_eq(sb_view(&p->type), STR("text/plain; charset=UTF-8")));
    cr_expect_eq(memcmp(r.sid, "nodA", 4), 0);
    cr_expect_str_eq(rig_told(&r), "open\n");
    cr_expect_eq(eio_sessions_count(r.eio), 1);
    sb_fini(&want);
    rig_close(&r);
}

Test(handshake, counts_characters_for_eio_3)
{
    struct eio_rig r;
    struct fake_pipe *p;
    struct str length, packet;

    rig_open(&r, NULL);
    p = rig_poll_open(&r, 3, NULL);
    (void)str_cut(sb_view(&p->body), ':', &length, &packet);
    cr_expect_eq((size_t)strtoul(fake_body_z(p), NULL, 10), packet.n);
    cr_expect_eq(packet.p[0], '0');
    cr_expect_eq(eio_session_protocol(r.session), 3);
    rig_close(&r);
}

Test(handshake, accepts_a_websocket_and_sends_the_open_packet_there)
{
    struct eio_rig r;
    struct fake_pipe *p;

    rig_open(&r, NULL);
    p = rig_ws_open(&r, 4, NULL);
    cr_expect_eq(p->status, 101);
    cr_expect_str_eq(fake_headers_z(p), "Vary: Origin\r\n");
    cr_expect_eq(p->frames_count, 1);
    cr_expect(str_contains(sb_view(&p->frames), STR("\"upgrades\":[]")));
    cr_expect(eio_session_is_websocket(r.session));
    rig_close(&r);
}

Test(handshake, keeps_what_the_client_came_with_and_stays_small)
{
    struct eio_rig r;
    const struct eio_handshake *h;

    rig_open(&r, NULL);
    (void)fake_request(&r.edge,
                       POLL "&token=t\nOrigin: http://a\nUser-Agent: UA\nAuthorization: Bearer "
                            "x\nCookie: c=1\n");
    h = eio_session_handshake(r.session);
    cr_expect(str_eq(h->query, STR("EIO=4&transport=polling&token=t")));
    cr_expect(str_eq(h->origin, STR("http://a")));
    cr_expect(str_eq(h->user_agent, STR("UA")));
    cr_expect(str_eq(h->authorization, STR("Bearer x")));
    cr_expect(str_eq(h->cookie, STR("c=1")));
    cr_expect(str_eq(h->address, STR("127.0.0.1")));
    cr_expect_eq(h->wall_ms, 1763900000000);
    cr_expect_lt(sizeof(struct eio_session), 640);
    rig_close(&r);
}

Test(handshake, cuts_a_huge_header_and_refuses_nothing_for_it)
{
    struct eio_rig r;
    struct sb head = {0};

    rig_open(&r, NULL);
    sb_z(&head, POLL "\nUser-Agent: ");
    for (int i = 0; i < 5000; i++) {
        sb_char(&head, 'x');
    }
    sb_char(&head, '\n');
    sb_char(&head, 0);
    cr_expect_eq(fake_request(&r.edge, head.p)->status, 200);
    cr_expect_eq(eio_session_handshake(r.session)->user_agent.n, 1024);
    sb_fini(&head);
    rig_close(&r);
}

#define SID "&sid=AAAAAAAAAAAAAAAAAAAA"
#define UP "\nUpgrade: websocket\n"

Test(handshake, refuses_in_the_order_of_the_reference)
{
    static const struct {
        const char *options, *head;
        int status, code;
    } rows[] = {
        {NULL, "GET /socket.io/?EIO=4\n", 400, 0},
        {NULL, "GET /socket.io/\n", 400, 0},
        {NULL, "GET /socket.io/?EIO=4&transport=constructor\n", 400, 0},
        {NULL, "GET /socket.io/?EIO=4&transport=__proto__" SID "\n", 400, 0},
        {NULL, "GET /socket.io/?EIO=4&transport=%00\n", 400, 0},
        {NULL, "GET /socket.io/?EIO=4&transport=Polling\n", 400, 0},
        {NULL, "GET /socket.io/?EIO=4&transport=abc&transport=polling\n", 400, 0},
        {NULL, POLL SID "\n", 400, 1},
        {NULL, POLL "&sid=x\n", 400, 1},
        {NULL, POLL "&sid=nodAAAAAAAAAAAAAA/..\n", 400, 1},
        {NULL, "GET /socket.io/?EIO=9&transport=polling" SID "\n", 400, 1}, /* sid before version */
        {NULL, "POST /socket.io/?EIO=4&transport=polling\n", 400, 2},
        {NULL, "PUT /socket.io/?EIO=9&transport=polling\n", 400, 2}, /* method before version */
        {NULL, "DELETE /socket.io/?EIO=4&transport=polling\n", 400, 2},
        {NULL, "HEAD /socket.io/?EIO=4&transport=polling\n", 400, 2},
        {NULL, "GET /socket.io/?EIO=4&transport=websocket\n", 400, 3},
        {NULL, "GET /socket.io/?EIO=9&transport=websocket\n", 400, 3},
        {NULL, POLL "\nOrigin: http://a\x01\n", 400, 3},
        {NULL, POLL "&j=0\n", 400, 3},
        {NULL, "GET /socket.io/?EIO=5&transport=polling\n", 400, 5},
        {NULL, "GET /socket.io/?EIO=abc&transport=polling\n", 400, 5},
        {NULL, "GET /socket.io/?EIO=&transport=polling\n", 400, 5},
        {NULL, "GET /socket.io/?EIO=5&transport=polling&EIO=4\n", 400,
         5}, /* the first value counts */
        {"--eio3=off", "GET /socket.io/?EIO=3&transport=polling\n", 400, 5},
        {"--eio3=off", "GET /socket.io/?transport=polling\n", 400, 5},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eio_rig r;
        struct fake_pipe *p;
        char want[16];

        rig_open(&r, rows[i].options);
        p = fake_request(&r.edge, rows[i].head);
        cr_expect_eq(p->status, rows[i].status, "row %zu: %d", i, p->status);
        snprintf(want, sizeof want, "{\"code\":%d,", rows[i].code);
        cr_expect(str_starts(sb_view(&p->body), str_z(want)), "row %zu: %s", i, fake_body_z(p));
        cr_expect_str_eq(rig_told(&r), "", "row %zu", i);
        rig_close(&r);
    }
}

Test(handshake, takes_what_comes_close_to_a_refusal)
{
    static const char *const heads[] = {
        POLL "&EIO=9\n",
        POLL "&transport=abc\n",
        POLL "&sid=\n",
        POLL "&t=abc&b64=1\n",
        "GET /socket.io/?transport=polling\n", /* no EIO: 3 */
        "GET /socket.io/anything?EIO=4&transport=polling\n",
    };

    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct eio_rig r;

        rig_open(&r, NULL);
        cr_expect_eq(fake_request(&r.edge, heads[i])->status, 200, "row %zu", i);
        cr_expect_str_eq(rig_told(&r), "open\n", "row %zu", i);
        rig_close(&r);
    }
}

Test(handshake, refuses_upgrades_before_the_101)
{
    static const struct {
        const char *head, *body;
        int status;
    } rows[] = {
        {"GET /socket.io/?EIO=4&transport=abc" UP, "Transport unknown", 400},
        {"GET /socket.io/?EIO=4&transport=websocket" SID UP, "Session ID unknown", 400},
        {"GET /socket.io/?EIO=4&transport=polling" UP, "Bad request", 400},
        {"GET /socket.io/?EIO=9&transport=websocket" UP, "Unsupported protocol version", 400},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eio_rig r;
        struct fake_pipe *p;

        rig_open(&r, NULL);
        p = fake_request(&r.edge, rows[i].head);
        cr_expect_eq(p->status, rows[i].status, "row %zu", i);
        cr_expect_str_eq(fake_body_z(p), rows[i].body, "row %zu", i);
        cr_expect(p->reply_close, "row %zu", i);
        rig_close(&r);
    }
}

Test(handshake, refuses_a_long_unknown_transport)
{
    struct eio_rig r;
    struct sb head = {0};

    rig_open(&r, NULL);
    sb_z(&head, "GET /socket.io/?EIO=4&transport=");
    for (int i = 0; i < 10000; i++) {
        sb_char(&head, 'p');
    }
    sb_z(&head, "\n");
    sb_char(&head, 0);
    cr_expect(str_starts(sb_view(&fake_request(&r.edge, head.p)->body), STR("{\"code\":0,")));
    sb_fini(&head);
    rig_close(&r);
}

Test(handshake, foreign_origins_may_poll_but_not_upgrade)
{
    struct eio_rig r;
    struct fake_pipe *p;

    rig_open(&r, NULL);
    r.is_foreign = true;
    cr_expect_eq(fake_request(&r.edge, POLL "\nOrigin: http://evil\n")->status, 200);
    p = fake_request(&r.edge, "GET /socket.io/?EIO=4&transport=websocket\nOrigin: http://evil" UP);
    cr_expect_eq(p->status, 403);
    cr_expect_str_eq(fake_body_z(p), "Forbidden");
    p = fake_request(&r.edge, "GET /socket.io/?EIO=4&transport=websocket" UP); /* not a browser */
    cr_expect_eq(p->status, 101);
    rig_close(&r);
    rig_open(&r, "--ws-origin-check=off");
    r.is_foreign = true;
    p = fake_request(&r.edge, "GET /socket.io/?EIO=4&transport=websocket\nOrigin: http://evil" UP);
    cr_expect_eq(p->status, 101);
    rig_close(&r);
}

Test(handshake, refuses_more_sessions_than_connections_are_allowed)
{
    struct eio_rig r;
    struct fake_pipe *p;

    rig_open(&r, "--max-connections=2");
    cr_expect_eq(rig_ws_open(&r, 4, "")->status, 101);
    cr_expect_eq(rig_poll_open(&r, 4, "")->status, 200);
    p = fake_request(&r.edge, POLL "\n");
    cr_expect_eq(p->status, 503);
    cr_expect_str_eq(fake_body_z(p), "{\"code\":3,\"message\":\"Too many sessions\"}");
    cr_expect_eq(fake_request(&r.edge, "GET /socket.io/?EIO=4&transport=websocket" UP)->status,
                 503);
    cr_expect_eq(rig_post(&r, 4, "1")->status, 200); /* one leaves */
    rig_turn(&r);
    cr_expect_eq(rig_poll_open(&r, 4, "")->status, 200);
    rig_close(&r);
}

Test(handshake, answers_a_preflight)
{
    struct eio_rig r;
    struct fake_pipe *p;

    rig_open(&r, NULL);
    p = fake_request(&r.edge, "OPTIONS /socket.io/?EIO=4&transport=polling\nOrigin: http://a\n");
    cr_expect_eq(p->status, 204);
    cr_expect_eq(p->body.n, 0);
    cr_expect(
        str_contains(sb_view(&p->headers), STR("Access-Control-Allow-Methods: GET,POST\r\n")));
    rig_close(&r);
}
