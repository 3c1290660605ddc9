#include "tests/unit/support/rest_rig.inc"

TestSuite(rest_transcript, .init = rest_up, .fini = rest_down);

static struct contact contact = {.id = {"contact_1_a", 11},
                                 .name = {"Ann", 3},
                                 .message = {"the form", 8},
                                 .created_at = 1700000000000};
static struct message one = {.seq = 1,
                             .kind = {"agent", 5},
                             .author_name = {"Bob", 3},
                             .text = {"<script>x</script>", 18},
                             .at = 1700000000001};
static struct message two = {
    .seq = 2, .kind = {"note", 4}, .text = {"a secret", 8}, .at = 1700000000002};

Test(rest_transcript, is_read_page_by_page)
{
    struct fake_pipe *p = ask("GET /api/contacts/contact_1_a/transcript", ADMIN);

    cr_expect_str_eq(rest_log(), "get contact_1_a after=-1 limit=500 notes=0;");
    rr.result = (struct store_result){
        .contact = &contact, .messages = &one, .messages_count = 1, .has_more = true};
    store_says(OK);
    cr_expect(fake_is_pending(p));
    cr_expect_str_eq(rest_log(), "get contact_1_a after=1 limit=500 notes=0;");
    rr.result = (struct store_result){.contact = &contact, .messages = &two, .messages_count = 1};
    store_says(OK);
    cr_expect_eq(p->status, 200);
    cr_expect(str_starts(sb_view(&p->type), STR("text/plain")));
    cr_expect_not_null(strstr(fake_body_z(p), "the form"));
    cr_expect_eq(strstr(strstr(fake_body_z(p), "the form") + 1, "the form"), NULL, "once");
    cr_expect_not_null(strstr(fake_body_z(p), "<script>x</script>"), "as text it is harmless");
    cr_expect_null(strstr(fake_body_z(p), "a secret"), "notes are for agents");
}

Test(rest_transcript, as_html_it_is_inert)
{
    struct fake_pipe *p = ask("GET /api/contacts/contact_1_a/transcript?format=html", ADMIN);

    rr.result = (struct store_result){.contact = &contact, .messages = &one, .messages_count = 1};
    store_says(OK);
    cr_expect(str_starts(sb_view(&p->type), STR("text/html")));
    cr_expect_null(strstr(fake_body_z(p), "<script"));
    cr_expect_not_null(strstr(fake_headers_z(p), "Content-Security-Policy: default-src 'none'"));
    p = ask("GET /api/contacts/contact_1_a/transcript?format=pdf", ADMIN);
    cr_expect_eq(p->status, 400);
}

Test(rest_transcript, ends_when_the_store_fails_half_way)
{
    struct fake_pipe *p = ask("GET /api/contacts/contact_1_a/transcript", ADMIN);

    rr.result = (struct store_result){
        .contact = &contact, .messages = &one, .messages_count = 1, .has_more = true};
    store_says(OK);
    store_says(ERR_UNAVAILABLE);
    cr_expect_eq(p->status, 503, "half a transcript is none");
}
