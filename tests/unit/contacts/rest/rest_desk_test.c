#include "tests/unit/support/rest_rig.inc"

TestSuite(rest_desk, .init = rest_up, .fini = rest_down);

#define ID "contact_1_a"
#define AT "/api/contacts/" ID

static void desk_says(struct str members)
{
    cr_assert_not_null(rr.later, "the desk was not asked");
    event_later_end(rr.later, OK, members);
    rr.later = NULL;
}

static void desk_refuses(int rc, struct str why, struct str more, uint64_t wait_ms)
{
    cr_assert_not_null(rr.later, "the desk was not asked");
    event_later_refuse_more(
        rr.later,
        &(struct event_refusal){.code = rc, .why = why, .more = more, .retry_after_ms = wait_ms});
    rr.later = NULL;
}

/* {"token":"…" of this purpose and contact, and more. */
static const char *with_token(enum token_purpose purpose, const char *of, const char *more)
{
    static char body[700];
    struct sb token = {0};

    cr_assert_eq(token_sign(&rr.rest->keys, purpose, str_z(of), 1700000060, &token), OK);
    snprintf(body, sizeof body, "{\"token\":\"" STR_FMT "\"%s}", STR_ARG(sb_view(&token)), more);
    sb_fini(&token);
    return body;
}

Test(rest_desk, asks_for_what_the_routes_say_and_answers_with_what_the_desk_says)
{
    static const struct {
        const char *line, *who, *body, *asked, *members;
        int status;
        const char *answer;
    } rows[] = {
        {"POST /api/contacts", NULL,
         "{\"email\":\"a@b.rw\",\"message\":\"Help\",\"clientFormId\":\"f-000001\"}",
         "127.0.0.1 submitContactForm a@b.rw Help f-000001\n", "\"id\":\"c\"", 201,
         "{\"id\":\"c\"}"},
        {"POST " AT "/replies", ADMIN,
         "{\"message\":\"hi\",\"clientMsgId\":\"m\",\"cannedId\":\"k\"}",
         "127.0.0.1 sendContactMessage " ID " hi m k 0\n", "\"seq\":1", 201, "{\"seq\":1}"},
        {"POST " AT "/replies", USER, "{\"message\":\"hi\",\"note\":false}",
         "127.0.0.1 sendContactMessage " ID " hi   0\n", "\"seq\":1", 201, "{\"seq\":1}"},
        {"POST " AT "/replies", ADMIN, "{\"message\":\"hi\",\"note\":true}",
         "127.0.0.1 addContactNote " ID " hi\n", "\"seq\":1", 201, "{\"seq\":1}"},
        {"POST " AT "/claim", ADMIN, "{}", "127.0.0.1 claimContact " ID "\n", "", 200,
         "{\"ok\":true}"},
        {"POST " AT "/resolve", ADMIN, "", "127.0.0.1 resolveContact " ID "\n", "", 200,
         "{\"ok\":true}"},
        {"POST " AT "/reopen", USER, "{}", "127.0.0.1 reopenContact " ID "\n", "", 200,
         "{\"ok\":true}"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fake_pipe *p = send_json(rows[i].line, rows[i].who, rows[i].body);

        cr_expect_str_eq(rest_asked(), rows[i].asked, "row %zu", i);
        cr_expect(fake_is_pending(p), "row %zu", i);
        desk_says(str_z(rows[i].members));
        cr_expect_eq(p->status, rows[i].status, "row %zu: %d", i, p->status);
        cr_expect_str_eq(fake_body_z(p), rows[i].answer, "row %zu", i);
    }
}

Test(rest_desk, figures_come_by_a_query)
{
    struct fake_pipe *p = ask("GET /api/contacts/stats?from=2026-11-01", ADMIN);

    cr_expect_str_eq(rest_asked(), "127.0.0.1 getContactStats 2026-11-01\n");
    desk_says(STR("\"totalContacts\":7"));
    cr_expect_str_eq(fake_body_z(p), "{\"totalContacts\":7}");
}

Test(rest_desk, the_role_of_the_event_is_wanted)
{
    static const struct {
        const char *line, *who, *body;
        int status;
    } rows[] = {
        {"POST " AT "/replies", NULL, "{\"message\":\"hi\"}", 401},
        {"POST " AT "/replies", NULL, "{\"message\":\"hi\",\"note\":true}", 401},
        {"POST " AT "/replies", USER, "{\"message\":\"hi\",\"note\":true}", 403},
        {"POST " AT "/claim", NULL, "{}", 401},
        {"POST " AT "/claim", USER, "{}", 403},
        {"POST " AT "/resolve", NULL, "{}", 401},
        {"POST " AT "/resolve", USER, "{}", 403},
        {"POST " AT "/reopen", NULL, "{}", 401},
        {"POST " AT "/rate", ADMIN, "{\"score\":5}", 400},
        {"POST " AT "/rate", ADMIN, "{\"score\":5,\"token\":\"rate.1.contact_1_a.x\"}", 401},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fake_pipe *p = send_json(rows[i].line, rows[i].who, rows[i].body);

        cr_expect_eq(p->status, rows[i].status, "row %zu: %d", i, p->status);
    }
    cr_expect_eq(ask("GET /api/contacts/stats", NULL)->status, 401);
    cr_expect_eq(ask("GET /api/contacts/stats", USER)->status, 403);
    cr_expect_eq(rr.asked.n, 0, "%s", rest_asked());
}

Test(rest_desk, a_token_is_good_for_one_contact_and_one_purpose)
{
    struct fake_pipe *p = send_json("POST " AT "/rate", NULL,
                                    with_token(TOKEN_RATE, ID, ",\"score\":4,\"comment\":\"ok\""));

    cr_expect_str_eq(rest_asked(), "127.0.0.1 rateContact 4 ok\n");
    desk_refuses(ERR_EXISTS, STR("Rated already"), STR_NONE, 0);
    cr_expect_eq(p->status, 409);
    cr_expect_str_eq(fake_body_z(p), "{\"code\":\"exists\",\"message\":\"Rated already\"}");
    p = send_json("POST " AT "/rate", NULL, with_token(TOKEN_RATE, "contact_2_b", ",\"score\":4"));
    cr_expect_eq(p->status, 403);
    p = send_json("POST " AT "/rate", NULL, with_token(TOKEN_CHAT, ID, ",\"score\":4"));
    cr_expect_eq(p->status, 401);
    p = send_json("POST " AT "/rate", NULL, with_token(TOKEN_RATE, ID, ",\"score\":6"));
    cr_expect_eq(p->status, 400);
    cr_expect_eq(rr.asked.n, 0);
    p = send_json("POST " AT "/replies", NULL, with_token(TOKEN_CHAT, ID, ",\"message\":\"me\""));
    cr_expect_str_eq(rest_asked(), "127.0.0.1 sendContactMessage " ID " me   1\n");
    desk_refuses(ERR_NOT_MEMBER, STR("join the chat first"), STR_NONE, 0);
    cr_expect_eq(p->status, 403, "whose token it is, the desk sees");
    cr_expect_str_eq(fake_body_z(p), "{\"code\":\"forbidden\",\"message\":\"not allowed\"}");
}

Test(rest_desk, a_refusal_has_what_the_event_would_say)
{
    struct fake_pipe *p = send_json("POST " AT "/claim", ADMIN, "{}");

    desk_refuses(ERR_CLAIMED, STR("Contact already claimed by another admin"),
                 STR("\"contactId\":\"" ID "\",\"assignedTo\":\"Bob\""), 0);
    cr_expect_eq(p->status, 409);
    cr_expect_str_eq(
        fake_body_z(p),
        "{\"code\":\"already_claimed\",\"message\":\"Contact already claimed by another "
        "admin\",\"contactId\":\"" ID "\",\"assignedTo\":\"Bob\"}");
    p = send_json("POST /api/contacts", NULL, "{\"message\":\"m\"}");
    desk_refuses(ERR_RATE, STR("too many forms, later"), STR_NONE, 720000);
    cr_expect_eq(p->status, 429);
    cr_expect_not_null(strstr(fake_headers_z(p), "Retry-After: 720\r\n"));
    cr_expect_not_null(strstr(fake_body_z(p), "\"retryAfterMs\":720000}"));
    p = send_json("POST " AT "/replies", ADMIN, "{\"message\":\"m\"}");
    desk_refuses(ERR_RESOLVED, STR("Chat session not found"), STR_NONE, 0);
    cr_expect_eq(p->status, 409);
    cr_expect_str_eq(fake_body_z(p),
                     "{\"code\":\"already_resolved\",\"message\":\"it is resolved\"}");
}

Test(rest_desk, no_contact_has_such_a_name)
{
    char line[200];
    struct fake_pipe *p;

    snprintf(line, sizeof line, "POST /api/contacts/%065d/claim", 1);
    p = send_json(line, ADMIN, "{}");
    cr_expect_eq(p->status, 404);
    cr_expect_eq(rr.asked.n, 0, "the desk is asked for what its schema lets in");
}

Test(rest_desk, an_ending_node_says_so_whoever_ends_first)
{
    struct fake_pipe *p = send_json("POST " AT "/claim", ADMIN, "{}");
    struct event_later *first = rr.later;

    (void)send_json("POST " AT "/claim", ADMIN, "{}");
    event_later_drop(first);
    cr_expect_eq(p->status, 503);
    rest_free(rr.rest);
    rr.rest = NULL;
    event_later_drop(rr.later); /* answered already: the sanitizer looks */
    p = NULL;
}
