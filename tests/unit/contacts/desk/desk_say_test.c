#include "tests/unit/support/desk_rig.inc"

#include "contacts/desk/desk_priv.h"

TestSuite(desk_say, .init = desk_up, .fini = desk_down);

Test(desk_say, the_rooms_have_one_spelling)
{
    struct sb b = {0};

    desk_room(STR("contact_1_a"), &b);
    sb_char(&b, ' ');
    desk_user_room(STR("u7"), &b);
    sb_char(&b, ' ');
    desk_email_room(STR("Ann@X.rw"), &b);
    sb_char(&b, 0);
    cr_expect_str_eq(b.p, "contact-contact_1_a user-u7 email-ann@x.rw");
    sb_fini(&b);
}

Test(desk_say, a_note_is_never_said_in_a_chat)
{
    struct eio_session *ann = desk_client(NULL);
    const char *id = desk_form(ann);
    struct message m = {.kind = MESSAGE_NOTE, .text = STR("secret"), .id = STR("msg_1_a")};

    ann->sent.n = 0;
    desk_say_message(desk_app.desk, fs_contact(str_z(id)), &m);
    cr_expect_str_eq(take(&ann->sent), "");
    m.kind = MESSAGE_VISITOR;
    desk_say_message(desk_app.desk, fs_contact(str_z(id)), &m);
    cr_expect(desk_got(ann, "secret"), "other messages are");
    free_session(ann);
}

Test(desk_say, a_time_that_was_not_is_absent)
{
    char iso[CLOCK_ISO_SIZE];

    cr_expect_null(desk_iso(0, iso, sizeof iso).p);
    cr_expect(str_eq(desk_iso(1, iso, sizeof iso), STR("1970-01-01T00:00:00.001Z")));
}
