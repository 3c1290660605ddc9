#include "tests/unit/support/rest_rig.inc"

TestSuite(rest, .init = rest_up, .fini = rest_down);

Test(rest, lets_in_by_role)
{
    static const struct {
        const char *who;
        int status;
        const char *code; /* NULL: let in */
    } rows[] = {
        {NULL, 401, "auth_required"},
        {USER, 403, "forbidden"},
        {"\"id\":\"a1\",\"role\":\"Admin\",\"exp\":1699999999", 401, "auth_expired"},
        {ADMIN, 0, NULL},
        {"\"id\":\"a1\",\"role\":\"SUPERADMIN\"", 0, NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fake_pipe *p = ask("GET /api/contacts", rows[i].who);
        char want[64];

        if (!rows[i].code) {
            cr_expect(fake_is_pending(p), "row %zu", i);
            store_says(OK);
            cr_expect_eq(p->status, 200, "row %zu", i);
            continue;
        }
        snprintf(want, sizeof want, "{\"code\":\"%s\",\"message\":", rows[i].code);
        cr_expect_eq(p->status, rows[i].status, "row %zu: %d", i, p->status);
        cr_expect(strncmp(fake_body_z(p), want, strlen(want)) == 0, "row %zu: %s", i,
                  fake_body_z(p));
        cr_expect_eq(strstr(fake_headers_z(p), "WWW-Authenticate: Bearer") != NULL,
                     rows[i].status == 401, "row %zu", i);
        cr_expect_null(rr.done, "the store was not asked");
    }
}

Test(rest, a_bad_token_is_refused_also_where_guests_may)
{
    struct fake_pipe *p =
        fake_request(&rr.edge, "GET /api/contacts/c1\nAuthorization: Bearer a.b.c\n");

    cr_expect_eq(p->status, 401);
    cr_expect_not_null(strstr(fake_body_z(p), "auth_invalid"));
}

Test(rest, knows_its_paths_and_methods)
{
    struct fake_pipe *p = ask("GET /health", NULL);

    cr_expect_eq(p->status, 418, "not below /api/");
    p = ask("GET /api/nothing", ADMIN);
    cr_expect_eq(p->status, 404);
    cr_expect_not_null(strstr(fake_body_z(p), "\"code\":\"not_found\""));
    p = ask("PUT /api/contacts", ADMIN);
    cr_expect_eq(p->status, 405);
    cr_expect_not_null(strstr(fake_headers_z(p), "Allow: POST, GET, HEAD"));
}

Test(rest, tells_browsers_what_they_may_send)
{
    struct fake_pipe *p =
        fake_request(&rr.edge, "OPTIONS /api/contacts/c1\nOrigin: https://quizblog.rw\n"
                               "Access-Control-Request-Method: DELETE\n");

    cr_expect_eq(p->status, 204);
    cr_expect_not_null(
        strstr(fake_headers_z(p), "Access-Control-Allow-Origin: https://quizblog.rw"));
    cr_expect_not_null(strstr(fake_headers_z(p), "Access-Control-Allow-Methods: "));
    cr_expect_not_null(strstr(fake_headers_z(p), "DELETE"));
    cr_expect_not_null(
        strstr(fake_headers_z(p), "Access-Control-Allow-Headers: Content-Type,Authorization"));
    p = fake_request(&rr.edge, "OPTIONS /api/contacts/c1\nOrigin: https://evil.example\n");
    cr_expect_null(strstr(fake_headers_z(p), "Access-Control-Allow-Origin"));
    cr_expect_not_null(strstr(fake_headers_z(p), "Vary: Origin"));
    p = fake_request(&rr.edge, "GET /api/contacts\nOrigin: https://quizblog.rw\n");
    cr_expect_eq(p->status, 401);
    cr_expect_not_null(
        strstr(fake_headers_z(p), "Access-Control-Allow-Origin: https://quizblog.rw"),
        "a page can read why it was refused");
}

Test(rest, reads_bodies_of_json_alone)
{
    static const char path[] = "POST /api/contacts/notices";
    static const struct {
        const char *type, *body;
        int status;
        const char *says;
    } rows[] = {
        {"application/json", "{\"contactId\":\"c1\",\"id\":\"n1\"}", 0, ""},
        {"Application/JSON;charset=utf-8", "{\"contactId\":\"c1\",\"id\":\"n1\"}", 0, ""},
        {"text/plain", "{\"contactId\":\"c1\",\"id\":\"n1\"}", 415, "application/json"},
        {"application/jsonp", "{}", 415, ""},
        {"application/json", "{\"contactId\":\"c1\"", 400, "bad_request"},
        {"application/json", "[]", 400, "payload: not an object"},
        {"application/json", "{\"contactId\":{\"$ne\":null},\"id\":\"n1\"}", 400,
         "contactId: not a string"},
        {"application/json", "{\"contactId\":\"c1\"}", 400, "id: missing"},
        {"application/json", "{\"contactId\":\"c1\",\"id\":\"\xff\"}", 400, "bad_utf8"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char head[1000];
        struct fake_pipe *p;

        snprintf(head, sizeof head, "%s\nContent-Type: %s\nAuthorization: Bearer %s\n", path,
                 rows[i].type, fake_token(ADMIN));
        p = fake_post(&rr.edge, head, str_z(rows[i].body));
        if (!rows[i].status) store_says(OK);
        cr_expect_eq(p->status, rows[i].status ? rows[i].status : 202, "row %zu: %d", i, p->status);
        cr_expect_not_null(strstr(fake_body_z(p), rows[i].says), "row %zu: %s", i, fake_body_z(p));
    }
}

Test(rest, bounds_bodies)
{
    struct fake_pipe *p;
    char head[1000];

    snprintf(
        head, sizeof head,
        "POST /api/contacts/notices\nContent-Type: application/json\nAuthorization: Bearer %s\n",
        fake_token(ADMIN));
    p = fake_post_head(&rr.edge, head, 1000000);
    cr_expect_eq(p->status, 413, "refused by its head");
    p = fake_post_head(&rr.edge, head, UINT64_MAX);
    cr_expect(fake_is_pending(p));
    fake_body(&rr.edge, p, ERR_TOO_BIG, STR(""));
    cr_expect_eq(p->status, 413);
    p = ask("POST /api/contacts/notices", ADMIN);
    cr_expect_eq(p->status, 400, "no body at all");
    p = fake_post_head(&rr.edge, "POST /api/contacts/notices\nContent-Type: application/json\n",
                       10);
    cr_expect_eq(p->status, 401, "before its body");
}

Test(rest, says_what_the_store_says)
{
    static const struct {
        int rc, status;
    } rows[] = {{ERR_NOT_FOUND, 404}, {ERR_UNAVAILABLE, 503}, {ERR_TIMEOUT, 504},
                {ERR_CONFLICT, 409},  {ERR_INTERNAL, 500},    {ERR_SCHEMA, 400}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fake_pipe *p = ask("GET /api/contacts", ADMIN);

        store_says(rows[i].rc);
        cr_expect_eq(p->status, rows[i].status, "row %zu: %d", i, p->status);
        cr_expect_eq(strstr(fake_headers_z(p), "Retry-After: ") != NULL, rows[i].status == 503);
    }
}

Test(rest, outlives_those_who_leave)
{
    struct fake_pipe *p = ask("GET /api/contacts", ADMIN);

    fake_gone(&rr.edge, p, 0);
    store_says(OK);
    cr_expect_eq(p->replies + p->late_orders, 0);
    p = fake_post_head(&rr.edge, "POST /api/contacts/notices\nContent-Type: application/json\n",
                       10);
    p = ask("GET /api/contacts", ADMIN);
    rest_free(rr.rest);
    rr.rest = NULL;
    cr_expect_eq(p->status, 503);
    store_says(ERR_CLOSED);
    cr_expect_eq(p->replies, 1);
}

Test(rest, has_nobody_to_ask_before_the_node_is_up)
{
    struct fake_pipe *p;

    rr.is_detached = true;
    p = ask("GET /api/contacts", ADMIN);
    cr_expect_eq(p->status, 503);
}

Test(rest, works_on_so_many_requests_at_one_time)
{
    struct fake_pipe *p = NULL;

    for (int i = 0; i < REST_CALLS_MAX; i++) {
        char head[1000];

        snprintf(
            head, sizeof head,
            "POST /api/contacts/notices\nContent-Type: application/json\nAuthorization: Bearer "
            "%s\n",
            fake_token(ADMIN));
        p = fake_post_head(&rr.edge, head, 10);
    }
    cr_expect(fake_is_pending(p));
    p = ask("GET /api/contacts", ADMIN);
    cr_expect_eq(p->status, 503);
}
