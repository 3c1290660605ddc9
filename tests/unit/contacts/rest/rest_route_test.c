#include <criterion/criterion.h>
#include "contacts/rest/rest_priv.h"
#include "tests/unit/support/hex.h"

static struct sb others;

static const char *route(const char *method, const char *path, struct str *id)
{
    const struct rest_route *r;

    others.n = 0;
    r = rest_route_find(str_z(path), str_z(method), id, &others);
    return r ? r->name : NULL;
}

Test(rest_route, finds_a_path_and_its_id)
{
    static const struct {
        const char *method, *path, *name, *id;
    } rows[] = {
        {"GET", "/api/contacts", "listContacts", ""},
        {"HEAD", "/api/contacts", "listContacts", ""},
        {"GET", "/api/contacts/notices", "listNotices", ""}, /* no contact is called so */
        {"GET", "/api/contacts/contact_1_a", "getContact", "contact_1_a"},
        {"DELETE", "/api/contacts/contact_1_a", "deleteContact", "contact_1_a"},
        {"GET", "/api/contacts/contact_1_a/transcript", "getTranscript", "contact_1_a"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str id = STR_NONE;
        const char *name = route(rows[i].method, rows[i].path, &id);

        cr_assert_not_null(name, "row %zu", i);
        cr_expect_str_eq(name, rows[i].name, "row %zu", i);
        cr_expect(str_eq(id, str_z(rows[i].id)), "row %zu", i);
    }
    sb_fini(&others);
}

Test(rest_route, says_which_methods_a_path_has)
{
    struct str id;

    cr_expect_null(route("PATCH", "/api/contacts/notices", &id));
    cr_expect(strstr(to_z(&others), "GET, HEAD") && strstr(others.p, "POST"), "%s", others.p);
    cr_expect_null(route("PUT", "/api/contacts/c1", &id));
    cr_expect(strstr(to_z(&others), "DELETE") && strstr(others.p, "GET, HEAD"), "%s", others.p);
    sb_fini(&others);
}

Test(rest_route, knows_no_other_paths)
{
    static const char *const rows[] = {"/api",
                                       "/api/",
                                       "/api/contacts/",
                                       "/api/contact",
                                       "/api/contacts/c1/",
                                       "/api/contacts//transcript",
                                       "/api/contacts/c1/transcript/x",
                                       "//api/contacts",
                                       "/API/contacts",
                                       "/api/contacts/c1/../c2"};
    struct str id;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_null(route("GET", rows[i], &id), "row %zu", i);
        cr_expect_eq(others.n, 0, "row %zu", i);
    }
    sb_fini(&others);
}

Test(rest_route, reads_a_query_as_an_object)
{
    static const char *const bare[] = {"limit", "all", NULL};
    static const struct {
        const char *query, *json;
    } rows[] = {
        {"", "{}"},
        {"a=1&limit=20", "{\"a\":\"1\",\"limit\":20}"},
        {"limit=-3&all=true", "{\"limit\":-3,\"all\":true}"},
        {"limit=1e3", "{\"limit\":\"1e3\"}"},
        {"limit=012", "{\"limit\":\"012\"}"},
        {"limit=99999999999999999999", "{\"limit\":\"99999999999999999999\"}"},
        {"limit={}", "{\"limit\":\"{}\"}"},
        {"a=%22%7D%0d%0a+x", "{\"a\":\"\\\"}\\r\\n x\"}"},
        {"a&b=&=c&&", "{}"},
        {"email[$ne]=x", "{\"email[$ne]\":\"x\"}"},
        {"a=%ff", "{\"a\":\"\xef\xbf\xbd\"}"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sb out = {0};
        struct json v;

        rest_route_query(str_z(rows[i].query), bare, &out);
        cr_expect_str_eq(to_z(&out), rows[i].json, "row %zu: %s", i, out.p);
        cr_expect_eq(json_parse(sb_view(&out), &v), OK, "row %zu", i);
        sb_fini(&out);
    }
}
