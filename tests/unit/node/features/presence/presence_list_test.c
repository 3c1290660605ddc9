#include <criterion/criterion.h>
#include <stdio.h>
#include "node/features/presence/presence_list.h"

static struct presence_list list;
static struct sb told;

static void up(void)
{
    presence_list_init(&list);
}

static void down(void)
{
    presence_list_fini(&list);
    sb_fini(&told);
}

static void set(const char *id, enum presence_status status)
{
    struct presence_value v = {.status = status, .active_ms = 1, .members = STR("\"userId\":1")};

    presence_list_set(&list, str_z(id), status == PRESENCE_OFFLINE ? NULL : &v);
}

static void on_told(void *ctx, const struct presence_row *r, enum presence_change what)
{
    (void)ctx;
    sb_printf(&told, "%c" STR_FMT " ", "+-~"[what], STR_ARG(r->id_text));
}

static const char *tell(void)
{
    static char out[200];

    told.n = 0;
    presence_list_tell(&list, on_told, NULL);
    snprintf(out, sizeof out, STR_FMT, STR_ARG(sb_view(&told)));
    return out;
}

static bool keep_b(void *ctx, struct str id_text)
{
    (void)ctx;
    return str_eq(id_text, STR("b"));
}

TestSuite(presence_list, .init = up, .fini = down);

Test(presence_list, tells_each_change_once)
{
    set("a", PRESENCE_ONLINE);
    set("b", PRESENCE_AWAY);
    cr_expect_str_eq(tell(), "+a +b ");
    set("a", PRESENCE_ONLINE);
    cr_expect_str_eq(tell(), "", "nothing new");
    set("a", PRESENCE_BUSY);
    set("b", PRESENCE_OFFLINE);
    cr_expect_str_eq(tell(), "~a -b ");
    cr_expect_str_eq(tell(), "");
    cr_expect_eq(list.rows.count, 1, "who has gone is forgotten");
}

Test(presence_list, tells_nothing_of_who_came_and_went_between)
{
    set("a", PRESENCE_ONLINE);
    set("a", PRESENCE_OFFLINE);
    set("nobody", PRESENCE_OFFLINE);
    cr_expect_str_eq(tell(), "");
    cr_expect_eq(list.rows.count, 0);
}

Test(presence_list, takes_invisible_for_offline)
{
    set("a", PRESENCE_INVISIBLE);
    cr_expect_str_eq(tell(), "");
    cr_expect_eq(list.shown_count, 0);
    set("a", PRESENCE_ONLINE);
    cr_expect_str_eq(tell(), "+a ");
    set("a", PRESENCE_INVISIBLE);
    cr_expect_str_eq(tell(), "-a ");
    set("a", PRESENCE_OFFLINE);
    cr_expect_str_eq(tell(), "");
}

Test(presence_list, sweeps_what_a_full_copy_did_not_have)
{
    set("a", PRESENCE_ONLINE);
    set("b", PRESENCE_ONLINE);
    set("c", PRESENCE_ONLINE);
    tell();
    presence_list_round(&list);
    set("c", PRESENCE_ONLINE);
    presence_list_sweep(&list, keep_b, NULL);
    cr_expect_str_eq(tell(), "-a ");
}

Test(presence_list, gives_pages_newest_change_first)
{
    struct sb page = {0};
    char id[8];

    for (int i = 0; i <= PRESENCE_PAGE; i++) {
        snprintf(id, sizeof id, "u%d", i);
        presence_list_set(
            &list, str_z(id),
            &(struct presence_value){.status = PRESENCE_ONLINE,
                                     .active_ms = 1700000000000,
                                     .members = str_z(i ? "\"userId\":1" : "\"userId\":0")});
    }
    cr_expect_eq(presence_list_pages(&list), 2);
    presence_list_page(&list, 1, &page);
    cr_expect(str_eq(sb_view(&page), STR("[{\"userId\":0,\"status\":\"online\",\"lastActivity\":"
                                         "\"2023-11-14T22:13:20.000Z\"}]")));
    page.n = 0;
    presence_list_page(&list, 2, &page);
    cr_expect(str_eq(sb_view(&page), STR("[]")));
    sb_fini(&page);
}

Test(presence_value, is_read_as_it_was_written)
{
    static const char *const bad[] = {"", "o", "o 1", "o 1 ", "x 1 m", "oo 1 m", "o x m", "- 1 m"};
    struct presence_value v = {
        .status = PRESENCE_BUSY, .active_ms = 17, .members = STR("\"userId\":\"a b\"")};
    struct sb text = {0};

    presence_value_put(&v, &text);
    cr_expect(str_eq(sb_view(&text), STR("b 17 \"userId\":\"a b\"")));
    v = (struct presence_value){0};
    cr_expect_eq(presence_value_read(sb_view(&text), &v), OK);
    cr_expect_eq(v.status, PRESENCE_BUSY);
    cr_expect_eq(v.active_ms, 17);
    cr_expect(str_eq(v.members, STR("\"userId\":\"a b\"")));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_eq(presence_value_read(str_z(bad[i]), &v), ERR_PROTO, "row %zu", i);
    sb_fini(&text);
}

Test(presence_status, is_read_without_case)
{
    enum presence_status s = PRESENCE_ONLINE;

    cr_expect_eq(presence_status_read(STR("Invisible"), &s), OK);
    cr_expect_eq(s, PRESENCE_INVISIBLE);
    cr_expect_eq(presence_status_read(STR("offline"), &s), ERR_SCHEMA, "nobody chooses that");
    cr_expect_str_eq(presence_status_name(PRESENCE_OFFLINE), "offline");
}
