#include "tests/unit/support/desk_rig.inc"

#include "contacts/desk/desk_priv.h"

TestSuite(desk_call, .init = desk_up, .fini = desk_down);

Test(desk_call, outlives_the_feature)
{
    struct eio_session *ann = desk_client(NULL);

    say(ann, "2/contacts,1[\"submitContactForm\"," FORM "]"); /* the store has not answered */
    events_detach(fake.events);
    fs.fail = ERR_CLOSED;
    fake_store_run(); /* frees it: the sanitizer looks */
    cr_expect_not(desk_got(ann, "contactForm"));
    free_session(ann);
}

Test(desk_call, outlives_the_socket)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);

    say(ann, "2/contacts,1[\"submitContactForm\"," FORM "]");
    free_session(ann);
    fake_store_run();
    cr_expect_eq(fs.contacts_count, 1);
    cr_expect(desk_got(bob, "newContactSubmission"), "it is stored, and told");
    free_session(bob);
}

Test(desk_call, a_visitor_by_account_has_the_id_or_the_address)
{
    static const struct {
        struct desk_actor actor;
        bool want;
    } rows[] = {
        {{.id = {"u7", 2}}, true},
        {{.id = {"u8", 2}, .email = {"ANN@x.rw", 8}}, true},
        {{.id = {"u8", 2}, .email = {"eve@x.rw", 8}}, false},
        {{.id = {NULL, 0}}, false},
    };
    const struct contact c = {.user_id = STR("u7"), .email = STR("ann@x.rw")},
                         none = {.id = STR("x")};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(desk_is_visitor(&rows[i].actor, &c), rows[i].want, "row %zu", i);
        cr_expect_not(desk_is_visitor(&rows[i].actor, &none), "of nobody: row %zu", i);
    }
}
