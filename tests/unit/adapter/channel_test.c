/* Channel names: those of the peers to the byte, and ours where no pattern of theirs reaches. */
#include <criterion/criterion.h>
#include <fnmatch.h>
#include "adapter/channel.h"
#include "tests/unit/support/hex.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

static const char *name_of(enum channel c, const struct channel_parts *parts, struct sb *b)
{
    b->n = 0;
    channel_name(c, parts, b);
    return to_z(b);
}

Test(channel_name, spells_as_the_peers_do)
{
    const struct channel_parts root = {STR("socket.io"), STR("/"), STR("r#1"), STR("JQvYcB"),
                                       STR("n001")};
    const struct channel_parts admin = {STR("app"), STR("/admin"), STR(""), STR("JQvYcB"),
                                        STR("n001")};
    struct sb b = {0};

    cr_expect_str_eq(name_of(CHANNEL_CASTS, &root, &b), "socket.io#/#*");
    cr_expect_str_eq(name_of(CHANNEL_CAST, &root, &b), "socket.io#/#");
    cr_expect_str_eq(name_of(CHANNEL_CAST_ROOM, &root, &b), "socket.io#/#r#1#");
    cr_expect_str_eq(name_of(CHANNEL_REQUEST, &root, &b), "socket.io-request#/#");
    cr_expect_str_eq(name_of(CHANNEL_RESPONSE, &admin, &b), "app-response#/admin#");
    cr_expect_str_eq(name_of(CHANNEL_RESPONSE_OWN, &admin, &b), "app-response#/admin#JQvYcB#");
    cr_expect_str_eq(name_of(CHANNEL_NODE, &root, &b), "ingoma:socket.io:node:n001");
    cr_expect_str_eq(name_of(CHANNEL_NODES, &admin, &b), "ingoma:app:nodes");
    sb_fini(&b);
}

Test(channel_name, escapes_in_patterns_only)
{
    const struct channel_parts odd = {.prefix = STR("a?"), .nsp = STR("/x*[y]\\")};
    struct sb b = {0};

    cr_expect_str_eq(name_of(CHANNEL_CASTS, &odd, &b), "a\\?#/x\\*\\[y\\]\\\\#*");
    cr_expect_str_eq(name_of(CHANNEL_CAST, &odd, &b), "a?#/x*[y]\\#");
    sb_fini(&b);
}

Test(channel_name, keeps_ours_from_the_patterns_of_the_peers)
{
    static const char *const keys[] = {"socket.io", "ingoma", "*", "ingoma:*",
                                       "ingoma:socket.io:nodes"};
    const struct channel_parts parts = {.prefix = STR("socket.io"), .node = STR("n001")};
    struct sb b = {0}, pattern = {0};

    for (size_t i = 0; i < ROWS(keys); i++) {
        pattern.n = 0;
        sb_printf(&pattern, "%s#/#*", keys[i]); /* as a Node server writes it */
        cr_expect_neq(fnmatch(to_z(&pattern), name_of(CHANNEL_NODES, &parts, &b), 0), 0);
        cr_expect_neq(fnmatch(to_z(&pattern), name_of(CHANNEL_NODE, &parts, &b), 0), 0);
    }
    sb_fini(&b);
    sb_fini(&pattern);
}

Test(channel_room, is_what_stands_between)
{
    static const struct {
        const char *channel, *nsp, *room; /* NULL: not of this namespace */
    } rows[] = {
        {"socket.io#/#", "/", ""},
        {"socket.io#/#a#", "/", "a"},
        {"socket.io#/#a#b#", "/", "a#b"},
        {"socket.io#/#ax", "/", "a"}, /* the last character is dropped, whatever it is */
        {"socket.io#/admin#r#", "/admin", "r"},
        {"socket.io#/admin#r#", "/", NULL},
        {"socket.io#/", "/", NULL},
        {"x#/#", "/", NULL},
        {"", "/", NULL},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct str room = STR_NONE;
        bool got =
            channel_room(str_z(rows[i].channel), STR("socket.io"), str_z(rows[i].nsp), &room);

        cr_expect_eq(got, rows[i].room != NULL, "row %zu", i);
        if (got) cr_expect(str_eq(room, str_z(rows[i].room)), "row %zu", i);
    }
}

Test(channel_print_markdown, has_a_line_for_each)
{
    struct sb b = {0};
    int lines = 0;

    channel_print_markdown(&b);
    for (size_t i = 0; i < b.n; i++)
        lines += b.p[i] == '\n';
    cr_expect_eq(lines, CHANNEL_COUNT + 2);
    sb_fini(&b);
}
