#include "tests/unit/support/rest_rig.inc"

TestSuite(rest_contacts, .init = rest_up, .fini = rest_down);

static struct contact contact = {.id = {"contact_1_a", 11},
                                 .status = {"pending", 7},
                                 .name = {"Ann <b>", 7},
                                 .email = {"ann@example.org", 15},
                                 .message = {"Hello", 5},
                                 .created_at = 1700000000000};
static struct message messages[] = {
    {.seq = 1, .id = {"m1", 2}, .kind = {"visitor", 7}, .text = {"one", 3}, .at = 1700000000001},
    {.seq = 2, .id = {"m2", 2}, .kind = {"agent", 5}, .text = {"two", 3}, .at = 1700000000002}};

Test(rest_contacts, lists_with_filters_and_pages)
{
    struct fake_pipe *p =
        ask("GET /api/contacts?status=pending&email=Ann%40example.org&sort=queue&from=5&limit=2",
            ADMIN);

    cr_expect_str_eq(rest_log(),
                     "list status=pending email=Ann@example.org text= sort=2 from=5 limit=2;");
    rr.result = (struct store_result){.contacts = &contact,
                                      .contacts_count = 1,
                                      .has_more = true,
                                      .cursor = STR("c\"2"),
                                      .total = 7};
    store_says(OK);
    cr_expect_eq(p->status, 200);
    cr_expect_not_null(strstr(fake_body_z(p), "\"total\":7,\"cursor\":\"c\\\"2\"}"));
    cr_expect_not_null(strstr(fake_body_z(p), "\"name\":\"Ann <b>\""), "%s", fake_body_z(p));
    cr_expect(str_eq(sb_view(&p->type), STR("application/json")));
    cr_expect_not_null(strstr(fake_headers_z(p), "X-Content-Type-Options: nosniff"));
    p = ask("GET /api/contacts", ADMIN);
    cr_expect_not_null(strstr(rest_log(), "limit=50;"));
    store_says(OK);
}

Test(rest_contacts, refuses_filters_that_are_none)
{
    static const struct {
        const char *query, *why;
    } rows[] = {
        {"limit=0", "limit: below 1"},
        {"limit=201", "limit: above 200"},
        {"limit=x", "limit: not an integer"},
        {"status=all", "status: not one of"},
        {"sort=name", "sort: not one of"},
        {"from=-1", "from: below 0"},
        {"limit=1&limit=x", "limit: not an integer"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char line[200];
        struct fake_pipe *p;

        snprintf(line, sizeof line, "GET /api/contacts?%s", rows[i].query);
        p = ask(line, ADMIN);
        cr_expect_eq(p->status, 400, "row %zu", i);
        cr_expect_not_null(strstr(fake_body_z(p), rows[i].why), "row %zu: %s", i, fake_body_z(p));
        cr_expect_null(rr.done, "row %zu", i);
    }
}

/* A chatToken of that contact. */
static const char *path_with_token(const char *id, const char *of)
{
    static char path[600];
    struct sb token = {0};

    cr_assert_eq(token_sign(&rr.rest->keys, TOKEN_CHAT, str_z(of), 1700000060, &token), OK);
    snprintf(path, sizeof path, "GET /api/contacts/%s?token=" STR_FMT, id,
             STR_ARG(sb_view(&token)));
    sb_fini(&token);
    return path;
}

Test(rest_contacts, an_agent_reads_notes_and_a_visitor_does_not)
{
    struct fake_pipe *p = ask("GET /api/contacts/contact_1_a?after=3", ADMIN);

    cr_expect_str_eq(rest_log(), "get contact_1_a after=3 limit=100 notes=1;");
    rr.result = (struct store_result){
        .contact = &contact, .messages = messages, .messages_count = 2, .has_more = true};
    store_says(OK);
    cr_expect_not_null(strstr(fake_body_z(p), "\"hasMore\":true}"));
    cr_expect_not_null(strstr(fake_body_z(p), "\"message\":\"two\""));
    p = ask(path_with_token("contact_1_a", "contact_1_a"), NULL);
    cr_expect_str_eq(rest_log(), "get contact_1_a after=0 limit=100 notes=0;");
    store_says(OK);
    cr_expect_eq(p->status, 200);
}

Test(rest_contacts, nobody_reads_the_chat_of_somebody_else)
{
    struct fake_pipe *p = ask(path_with_token("contact_2_b", "contact_1_a"), NULL);

    cr_expect_eq(p->status, 403);
    p = ask("GET /api/contacts/contact_1_a", NULL);
    cr_expect_eq(p->status, 401);
    p = ask("GET /api/contacts/contact_1_a", USER);
    cr_expect_eq(p->status, 401);
    p = ask("GET /api/contacts/contact_1_a?token=chat.1.contact_1_a.x", NULL);
    cr_expect_eq(p->status, 401);
    p = ask(path_with_token("contact_1_a/transcript", "contact_2_b"), USER);
    cr_expect_eq(p->status, 403);
    cr_expect_null(rr.done, "the store was not asked");
}

Test(rest_contacts, only_agents_erase)
{
    struct fake_pipe *p = ask("DELETE /api/contacts/contact_1_a", USER);

    cr_expect_eq(p->status, 403);
    p = ask("DELETE /api/contacts/contact_1_a", ADMIN);
    cr_expect_str_eq(rest_log(), "delete contact_1_a;");
    store_says(OK);
    cr_expect_str_eq(fake_body_z(p), "{\"ok\":true}");
    p = ask("DELETE /api/contacts/contact_1_a", ADMIN);
    store_says(ERR_NOT_FOUND);
    cr_expect_eq(p->status, 404);
}
