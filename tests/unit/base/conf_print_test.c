/* What options print: nothing is missing, no secret shows. */
#include <criterion/criterion.h>
#include "base/conf.h"

static char *no_env(const char *name)
{
    (void)name;
    return NULL;
}

static int rows_of_table(void)
{
    int n = 0;
#define OPT(name, env, type, def, min, max, secret, doc) n++;
#include "base/conf.def"
#undef OPT
    return n;
}

static int lines_with(struct str text, struct str part)
{
    struct str line;
    int n = 0;

    while (str_next(&text, '\n', &line))
        n += str_contains(line, part);
    return n;
}

Test(conf_print, shows_what_is_in_force_without_secrets)
{
    char program[] = "p", secret[] = "--jwt-secret=01234567890123456789012345678901",
         dev[] = "--dev", port[] = "--port=77";
    char *const argv[] = {program, secret, dev, port};
    struct sb mistakes = {0}, out = {0};
    struct conf c;

    cr_assert_eq(conf_read(&c, 4, argv, no_env, &mistakes), OK);
    conf_print(&c, &out);
    cr_expect_eq(lines_with(sb_view(&out), STR("=")), rows_of_table());
    cr_expect(str_contains(sb_view(&out), STR("PORT=77\n")));
    cr_expect(str_contains(sb_view(&out), STR("\nDEV=on\n")));
    cr_expect(str_contains(sb_view(&out), STR("\nJWT_SECRET=***\n")));
    cr_expect(str_contains(sb_view(&out), STR("\nREDIS_URL=***\n")));
    cr_expect(str_contains(sb_view(&out), STR("\nCLIENT_URL=\n")));
    cr_expect_not(str_contains(sb_view(&out), STR("0123")));
    conf_fini(&c);
    sb_fini(&out);
    sb_fini(&mistakes);
}

Test(conf_print, help_and_markdown_have_every_option)
{
    struct sb help = {0}, table = {0};

    conf_default("PORT", "5008");
    conf_print_help(&help, "ingoma-gateway");
    conf_print_markdown(&table);
    cr_expect_eq(lines_with(sb_view(&help), STR("  --")), rows_of_table() + 3);
    cr_expect(str_contains(sb_view(&help), STR("PORT, 1…65535, default 5008\n")));
    cr_expect(str_contains(sb_view(&help), STR("  --ping-interval-ms ")));
    cr_expect_eq(lines_with(sb_view(&table), STR("| `")), rows_of_table());
    cr_expect(str_contains(sb_view(&table), STR("| `PORT` | `--port` | 1…65535 | `3001` | ")));
    cr_expect(str_contains(sb_view(&table),
                           STR("| `JWT_SECRET` | `--jwt-secret` | 0…4096 bytes | empty | ")));
    sb_fini(&help);
    sb_fini(&table);
}
