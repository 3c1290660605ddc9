#include "tests/unit/support/private_rig.inc"

#include "node/features/private/private_priv.h"

/* Three users: the number 7, the text "7", and one whose id nobody takes for a number. */
static struct eio_session *people[3];
static const char *const claims[] = {"\"id\":7", "\"id\":\"7\"", "\"id\":\"u7\""};

static void up_three(void)
{
    up();
    for (int i = 0; i < 3; i++)
        people[i] = client(claims[i]);
}

static void down_three(void)
{
    for (int i = 0; i < 3; i++)
        free_session(people[i]);
    fake_down();
}

TestSuite(private_aim, .init = up_three, .fini = down_three);

Test(private_aim, reaches_exactly_this_user)
{
    static const struct {
        const char *text, *part, *second_text, *second_part;
        const char *heard; /* by whom, in the order of people */
    } rows[] = {
        {"7", "#7", NULL, NULL, "100"},  {"7", "7", NULL, NULL, "010"},
        {"u7", "u7", NULL, NULL, "001"}, {"7", "#7", "u7", "u7", "101"},
        {"u7", "u7", "7", "7", "011"},   {"8", "#8", "9", "9", "000"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sio_cast to = sio_cast_all(rig.main);
        struct sb names = {0};

        private_aim(&to, str_z(rows[i].text), str_z(rows[i].part), &names);
        if (rows[i].second_text)
            private_aim(&to, str_z(rows[i].second_text), str_z(rows[i].second_part), &names);
        sio_cast_emit(&to, STR("[\"x\"]"), NULL, 0);
        for (int k = 0; k < 3; k++)
            cr_expect_str_eq(take(&people[k]->sent), rows[i].heard[k] == '1' ? "42[\"x\"]\n" : "",
                             "row %zu, user %d", i, k);
        sb_fini(&names);
    }
}
