#include <criterion/criterion.h>
#include "base/conf.h"
#include "node/features/rooms/rooms_type.h"

static const struct conf conf = {
    .room_idle_chat_ms = 1, .room_idle_quiz_ms = 2, .room_idle_contact_ms = 3};

Test(rooms_type, follows_the_name_and_else_the_word)
{
    static const struct {
        const char *room, *word;
        enum rooms_access access;
        bool has_history, is_left_alone;
        uint64_t idle_ms;
    } rows[] = {
        {"r", NULL, ROOMS_OPEN, true, false, 1},
        {"r", "chat", ROOMS_OPEN, true, false, 1},
        {"r", "lecture", ROOMS_OPEN, false, false, 1}, /* a word of the application */
        {"r", "quiz", ROOMS_OPEN, false, false, 2},    /* a stranger's word closes nothing */
        {"r", "contact", ROOMS_OPEN, false, false, 3},
        {"quiz-1", "chat", ROOMS_NAMED, false, true, 0}, /* nor opens it */
        {"contact-1", "chat", ROOMS_NAMED, false, false, 3},
        {"contact-", NULL, ROOMS_NAMED, false, false, 3},
        {"user-1", "chat", ROOMS_OWN, false, true, 0},
        {"users", NULL, ROOMS_OPEN, true, false, 1},
        {"Contact-1", NULL, ROOMS_OPEN, true, false, 1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str room = str_z(rows[i].room);
        const struct rooms_type *t = rooms_type_of(room, str_z(rows[i].word));

        cr_expect_eq(rooms_type_access(room), rows[i].access, "row %zu", i);
        cr_expect_eq(t->has_history, rows[i].has_history, "row %zu", i);
        cr_expect_eq(t->is_left_alone, rows[i].is_left_alone, "row %zu", i);
        cr_expect_eq(rooms_type_idle_ms(t, &conf), rows[i].idle_ms, "row %zu", i);
    }
}

Test(rooms_type, lists_the_words_whose_rooms_keep_what_is_said)
{
    cr_expect_str_eq(rooms_type_kept(0), "chat");
    cr_expect_str_eq(rooms_type_kept(1), "");
    cr_expect_null(rooms_type_kept(2));
}

Test(rooms_type, bounds_contact_rooms_alone)
{
    cr_expect_eq(rooms_type_of(STR("contact-1"), STR_NONE)->members_max, 50);
    cr_expect_eq(rooms_type_of(STR("r"), STR("chat"))->members_max, 0);
}
