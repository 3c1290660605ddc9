#include "tests/unit/support/rest_rig.inc"

TestSuite(rest_notices, .init = rest_up, .fini = rest_down);

Test(rest_notices, lists_what_was_given_up)
{
    struct store_letter letter = {.entry = {.id = STR("n1"),
                                            .kind = STR("webhook"),
                                            .event = STR("contact.created"),
                                            .payload = STR("{\"a\":1}"),
                                            .why = STR("status 500"),
                                            .tries = 15},
                                  .contact_id = STR("contact_1_a")};
    struct fake_pipe *p = ask("GET /api/contacts/notices?limit=1", ADMIN);

    cr_expect_str_eq(rest_log(), "letters  limit=1;");
    rr.result = (struct store_result){
        .letters = &letter, .letters_count = 1, .has_more = true, .cursor = STR("n1")};
    store_says(OK);
    cr_expect_not_null(strstr(fake_body_z(p), "{\"notices\":[{\"contactId\":\"contact_1_a\","));
    cr_expect_not_null(strstr(fake_body_z(p), "\"why\":\"status 500\""), "%s", fake_body_z(p));
    cr_expect_not_null(strstr(fake_body_z(p), "\"payload\":{\"a\":1}"));
    cr_expect_not_null(strstr(fake_body_z(p), "\"cursor\":\"n1\"}"));
    cr_expect_eq(ask("GET /api/contacts/notices", USER)->status, 403);
}

Test(rest_notices, tries_one_again)
{
    struct fake_pipe *p =
        send_json("POST /api/contacts/notices", ADMIN, "{\"contactId\":\"c1\",\"id\":\"n1\"}");

    cr_expect_str_eq(rest_log(), "retry c1 n1;");
    cr_expect_eq(rr.letters, 0);
    store_says(OK);
    cr_expect_eq(p->status, 202);
    cr_expect_eq(rr.letters, 1, "it is due now");
    p = send_json("POST /api/contacts/notices", ADMIN, "{\"contactId\":\"c1\",\"id\":\"n2\"}");
    store_says(ERR_NOT_FOUND);
    cr_expect_eq(p->status, 404);
    cr_expect_eq(rr.letters, 1);
}
