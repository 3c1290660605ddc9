#include <criterion/criterion.h>
#include "base/cidr.h"
#include "base/mem.h"

static bool has(const char *list, const char *address)
{
    struct cidr_list *l;
    struct str bad;
    bool found;

    cr_assert_eq(cidr_parse(str_z(list), &l, &bad), OK, "%s", list);
    found = cidr_has(l, str_z(address));
    cidr_free(l);
    return found;
}

Test(cidr, finds_addresses_in_networks)
{
    static const struct {
        const char *list, *address;
        bool want;
    } rows[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"192.0.2.128/25", "192.0.2.129", true},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.8", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false}, /* of the other kind */
        {"::/0", "2001:db8::1", true},
        {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"::1, 127.0.0.0/8", "127.8.9.1", true},
        {"::1, 127.0.0.0/8", "::ffff:127.0.0.1", true}, /* the same, written as IPv6 */
        {" 10.0.0.0/8 ,, 192.0.2.0/24 ", "192.0.2.1", true},
        {"", "192.0.2.1", false},
        {"0.0.0.0/0", "", false},
        {"0.0.0.0/0", "garbage", false},
        {"0.0.0.0/0", "1.2.3", false},
        {"0.0.0.0/0", "1.2.3.4.5", false},
        {"0.0.0.0/0", "01234567890123456789012345678901234567890123456789", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(has(rows[i].list, rows[i].address), rows[i].want, "row %zu", i);
    cr_expect_not(cidr_has(NULL, STR("127.0.0.1")));
    cr_expect_not(has("0.0.0.0/0", "1.2.3.4\n"));
}

Test(cidr, refuses_what_is_no_network)
{
    static const char *const rows[] = {"10.0.0.0/33",  "::/129",     "10.0.0.0/",  "10.0.0.0/-1",
                                       "10.0.0.0/x",   "localhost",  "10.0.0",     "/8",
                                       "10.0.0.0/8/9", "fe80::1%lo", "10.0.0.0/ 8"};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cidr_list *l = NULL;
        struct str bad;
        struct sb text = {0};

        sb_z(&text, "127.0.0.1,");
        sb_z(&text, rows[i]);
        cr_expect_eq(cidr_parse(sb_view(&text), &l, &bad), ERR_CONFIG, "%s", rows[i]);
        cr_expect(str_eq(bad, str_z(rows[i])));
        cr_expect_null(l);
        sb_fini(&text);
    }
}

Test(cidr, has_one_spelling_of_an_address)
{
    static const struct {
        const char *text, *want; /* want NULL: none */
    } rows[] = {
        {"192.0.2.1", "192.0.2.1"},
        {" 192.0.2.1 ", "192.0.2.1"},
        {"192.0.2.1:80", "192.0.2.1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"2001:DB8:0::1", "2001:db8::1"},
        {"[2001:db8::1]:443", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"[::1", NULL},
        {"", NULL},
        {":", NULL},
        {"unknown", NULL},
        {"192.0.2.1, 192.0.2.2", NULL},
        {"[]", NULL},
        {"192.0.2.1\r\n", NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[CIDR_TEXT_MAX] = "";
        bool is_good = cidr_address(str_z(rows[i].text), out);

        cr_expect_eq(is_good, rows[i].want != NULL, "row %zu", i);
        if (rows[i].want && is_good) cr_expect_str_eq(out, rows[i].want, "row %zu", i);
    }
}
