#include <criterion/criterion.h>
#include "base/metric.h"
#include "node/eio/eio.h"
#include "tests/unit/support/eio_rig.h"

Test(transport, echoes_over_polling)
{
    static const struct {
        int protocol;
        const char *more, *body;
    } rows[] = {
        {4, NULL, "4hello"},
        {4, NULL,
         "4one\x1e"
         "4two\x1e"
         "4three"},
        {4, NULL,
         "4hello\x1e"
         "bAQIDBA=="},
        {4, NULL, "4\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {4, NULL, "4"},
        {3, "b64=1", "6:4hello"},
        {3, "b64=1", "6:4test16:4test26:4test3"},
        {3, "b64=1", "6:4hello10:b4AQIDBA=="},
        {3, "b64=1",
         "2:4\xe2\x82\xac"
         "3:4\xf0\x9f\x98\x80"},
        {3, NULL, "6:4hello"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eio_rig r;
        struct fake_pipe *p;

        rig_open(&r, NULL);
        r.echoes = true;
        (void)rig_poll_open(&r, rows[i].protocol, rows[i].more);
        p = rig_post(&r, rows[i].protocol, rows[i].body);
        cr_expect_eq(p->status, 200, "row %zu", i);
        cr_expect_str_eq(fake_body_z(p), "ok", "row %zu", i);
        cr_expect(str_eq(sb_view(&p->type), STR("text/html")), "row %zu", i);
        p = rig_get(&r, rows[i].protocol);
        cr_expect_str_eq(fake_body_z(p), rows[i].body, "row %zu", i);
        cr_expect(str_eq(sb_view(&p->type), STR("text/plain; charset=UTF-8")), "row %zu", i);
        rig_close(&r);
    }
}

Test(transport, speaks_the_binary_form_of_eio_3)
{
    static const struct str body = {"\0\6\xff"
                                    "4hello\1\5\xff\4\1\2\3\4",
                                    17};
    struct eio_rig r;
    struct fake_pipe *p;
    struct sb head = {0};

    rig_open(&r, NULL);
    r.echoes = true;
    (void)rig_poll_open(&r, 3, NULL);
    sb_z(&head, rig_head(&r, "POST", 3, "polling", NULL));
    sb_z(&head, "Content-Type: application/octet-stream\n");
    sb_char(&head, 0);
    cr_expect_str_eq(fake_body_z(fake_post(&r.edge, head.p, body)), "ok");
    p = rig_get(&r, 3);
    cr_expect(str_eq(sb_view(&p->body), body));
    cr_expect(str_eq(sb_view(&p->type), STR("application/octet-stream")));
    sb_fini(&head);
    rig_close(&r);
}

Test(transport, ends_a_session_over_a_bad_post)
{
    static const struct {
        int protocol;
        const char *body, *told;
    } rows[] = {
        {4, "abc", "close:parse error\n"},
        {4, "", "close:parse error\n"},
        {4, "4a\x1e", "text:a\nclose:parse error\n"},
        {4, "4\xff", "close:parse error\n"},
        {4, "2", "close:transport error\n"},
        {4,
         "4a\x1e"
         "2\x1e"
         "4b",
         "text:a\nclose:transport error\n"},
        {4, "1", "close:transport close\n"},
        {4,
         "4a\x1e"
         "1\x1e"
         "4b",
         "text:a\nclose:transport close\n"},
        {3, "abc", "close:parse error\n"},
        {3, "", "close:parse error\n"},
        {3, "1:1", "close:transport close\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eio_rig r;
        struct fake_pipe *get, *post;

        rig_open(&r, NULL);
        (void)rig_poll_open(&r, rows[i].protocol, NULL);
        (void)rig_told(&r);
        get = rig_get(&r, rows[i].protocol);
        post = rig_post(&r, rows[i].protocol, rows[i].body);
        cr_expect_str_eq(fake_body_z(post), "ok", "row %zu", i);
        cr_expect_str_eq(rig_told(&r), rows[i].told, "row %zu", i);
        cr_expect_eq(get->body.p[get->body.n - 1],
                     strstr(rows[i].told, "transport close") ? '6' : '1', "row %zu: %s", i,
                     fake_body_z(get));
        cr_expect_eq(rig_get(&r, rows[i].protocol)->status, 400, "row %zu", i);
        rig_close(&r);
    }
}

Test(transport, refuses_more_packets_than_the_limit)
{
    struct eio_rig r;

    rig_open(&r, "--max-packets=2");
    (void)rig_poll_open(&r, 4, NULL);
    (void)rig_post(&r, 4,
                   "4a\x1e"
                   "4b");
    (void)rig_post(&r, 4,
                   "4c\x1e"
                   "4d\x1e"
                   "4e");
    cr_expect_str_eq(rig_told(&r), "open\ntext:a\ntext:b\ntext:c\ntext:d\nclose:parse error\n");
    rig_close(&r);
}

Test(transport, ends_a_session_over_two_polls)
{
    struct eio_rig r;
    struct fake_pipe *first, *second;

    rig_open(&r, NULL);
    (void)rig_poll_open(&r, 4, NULL);
    first = rig_get(&r, 4);
    second = rig_get(&r, 4);
    cr_expect_eq(second->status, 400);
    cr_expect_eq(second->body.n, 0);
    cr_expect_eq(first->status, 200);
    cr_expect_str_eq(fake_body_z(first), "1");
    cr_expect_str_eq(rig_told(&r), "open\nclose:transport error\n");
    rig_close(&r);
}

Test(transport, ends_a_session_over_two_posts)
{
    struct eio_rig r;
    struct fake_pipe *first, *second;

    rig_open(&r, NULL);
    (void)rig_poll_open(&r, 4, NULL);
    first = fake_post_head(&r.edge, rig_head(&r, "POST", 4, "polling", NULL), 50);
    second = rig_post(&r, 4, "3");
    cr_expect_eq(second->status, 400);
    cr_expect(first->is_cut);
    cr_expect_eq(first->replies, 0);
    cr_expect_str_eq(rig_told(&r), "open\nclose:transport error\n");
    rig_close(&r);
}

Test(transport, ends_a_session_whose_poll_or_post_was_given_up)
{
    for (int is_post = 0; is_post < 2; is_post++) {
        struct eio_rig r;
        struct fake_pipe *p;

        rig_open(&r, NULL);
        (void)rig_poll_open(&r, 4, NULL);
        p = is_post ? fake_post_head(&r.edge, rig_head(&r, "POST", 4, "polling", NULL), 50)
                    : rig_get(&r, 4);
        fake_gone(&r.edge, p, 0);
        cr_expect_str_eq(rig_told(&r), "open\nclose:transport error\n");
        cr_expect_eq(p->late_orders, 0);
        rig_close(&r);
    }
}

Test(transport, refuses_a_body_over_the_limit_and_goes_on)
{
    struct eio_rig r;
    struct fake_pipe *p;

    rig_open(&r, "--max-payload-bytes=1024");
    (void)rig_poll_open(&r, 4, NULL);
    p = fake_post_head(&r.edge, rig_head(&r, "POST", 4, "polling", NULL), 1025); /* by its head */
    cr_expect_eq(p->status, 413);
    cr_expect_eq(p->body.n, 0);
    p = fake_post_head(&r.edge, rig_head(&r, "POST", 4, "polling", NULL), UINT64_MAX);
    fake_body(&r.edge, p, ERR_TOO_BIG, STR("")); /* chunked: found out while reading */
    cr_expect_eq(p->status, 413);
    cr_expect_str_eq(rig_told(&r), "open\n");
    cr_expect_str_eq(fake_body_z(rig_post(&r, 4, "4a")), "ok");
    rig_close(&r);
}

Test(transport, refuses_octets_in_eio_4)
{
    struct eio_rig r;
    struct fake_pipe *p;
    struct sb head = {0};

    rig_open(&r, NULL);
    (void)rig_poll_open(&r, 4, NULL);
    sb_z(&head, rig_head(&r, "POST", 4, "polling", NULL));
    sb_z(&head, "Content-Type: application/octet-stream\n");
    sb_char(&head, 0);
    p = fake_post(&r.edge, head.p, STR("4a"));
    cr_expect_eq(p->status, 400);
    cr_expect_eq(p->body.n, 0);
    cr_expect_str_eq(rig_told(&r), "open\nclose:transport error\n");
    sb_fini(&head);
    rig_close(&r);
}

Test(transport, answers_other_methods_with_500_and_goes_on)
{
    static const char *const methods[] = {"HEAD", "PUT", "DELETE", "PATCH"};
    struct eio_rig r;

    rig_open(&r, NULL);
    (void)rig_poll_open(&r, 4, NULL);
    for (size_t i = 0; i < 4; i++) {
        struct fake_pipe *p = fake_request(&r.edge, rig_head(&r, methods[i], 4, "polling", NULL));

        cr_expect_eq(p->status, 500, "%s", methods[i]);
        cr_expect_eq(p->body.n, 0);
    }
    cr_expect_str_eq(rig_told(&r), "open\n");
    rig_close(&r);
}

Test(transport, refuses_requests_that_do_not_fit_the_session)
{
    struct eio_rig r;

    rig_open(&r, NULL);
    (void)rig_poll_open(&r, 4, NULL);
    cr_expect(str_starts(sb_view(&rig_get(&r, 3)->body), STR("{\"code\":3,")), "other revision");
    cr_expect_not_null(r.session);
    (void)rig_ws_open(&r, 4, NULL);
    cr_expect(str_starts(sb_view(&rig_get(&r, 4)->body), STR("{\"code\":3,")), "other transport");
    cr_expect_eq(rig_upgrade(&r, 4)->status, 400);
    rig_close(&r);
}

Test(transport, compresses_large_answers_for_those_who_ask)
{
    static const struct {
        const char *options, *accept;
        size_t bytes;
        const char *encoding;
    } rows[] = {
        {NULL, "gzip, deflate", 5000, "Content-Encoding: gzip\r\n"},
        {NULL, "deflate", 5000, "Content-Encoding: deflate\r\n"},
        {NULL, "gzip", 100, NULL},
        {NULL, "br", 5000, NULL},
        {"--http-compression=off", "gzip", 5000, NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eio_rig r;
        struct fake_pipe *p;
        struct sb head = {0}, text = {0};

        rig_open(&r, rows[i].options);
        (void)rig_poll_open(&r, 4, NULL);
        for (size_t n = 0; n < rows[i].bytes; n++) {
            sb_char(&text, 'z');
        }
        eio_session_send(r.session, eio_text_message(sb_view(&text)));
        sb_z(&head, rig_head(&r, "GET", 4, "polling", NULL));
        sb_printf(&head, "Accept-Encoding: %s\n", rows[i].accept);
        sb_char(&head, 0);
        p = fake_request(&r.edge, head.p);
        rig_turn(&r);
        if (rows[i].encoding) {
            cr_expect(str_contains(sb_view(&p->headers), str_z(rows[i].encoding)), "row %zu", i);
            cr_expect_lt(p->body.n, 200, "row %zu", i);
        } else {
            cr_expect_not(str_contains(sb_view(&p->headers), STR("Content-Encoding")), "row %zu",
                          i);
            cr_expect_eq(p->body.n, rows[i].bytes + 1, "row %zu", i);
        }
        sb_fini(&head);
        sb_fini(&text);
        rig_close(&r);
    }
}

Test(transport, answers_of_polls_carry_the_cors_lines_of_their_request)
{
    struct eio_rig r;
    struct fake_pipe *get;

    rig_open(&r, NULL);
    r.echoes = true;
    (void)rig_poll_open(&r, 4, NULL);
    get = rig_get(&r, 4);
    cr_expect_str_eq(fake_headers_z(rig_post(&r, 4, "4a")),
                     "Vary: Origin\r\ncache-control: no-store\r\n");
    rig_turn(&r);
    cr_expect_str_eq(fake_headers_z(get), "Vary: Origin\r\ncache-control: no-store\r\n");
    rig_close(&r);
}
