#include <criterion/criterion.h>
#include "node/edge/forwarded.h"

static struct cidr_list *trusted;

static void up(void)
{
    struct str bad;

    cr_assert_eq(cidr_parse(STR("127.0.0.1, 10.0.0.0/8, 2001:db8::/32"), &trusted, &bad), OK);
}

static void down(void)
{
    cidr_free(trusted);
}

TestSuite(forwarded, .init = up, .fini = down);

static void expect(const char *peer, const char *first, const char *second, const char *want)
{
    struct http_header headers[3] = {{STR("Host"), STR("x")},
                                     {STR("X-Forwarded-For"), str_z(first)},
                                     {STR("x-forwarded-for"), str_z(second)}};
    struct http_request r = {.headers = headers, .headers_count = second ? 3 : first ? 2 : 1};
    char out[CIDR_TEXT_MAX];
    struct str got = forwarded_client(trusted, str_z(peer), &r, out);

    cr_expect(str_eq(got, str_z(want)), "%s / %s / %s: " STR_FMT, peer, first ? first : "-",
              second ? second : "-", STR_ARG(got));
}

Test(forwarded, believes_trusted_proxies_only)
{
    expect("192.0.2.1", "198.51.100.1", NULL, "192.0.2.1");
    expect("127.0.0.1", "198.51.100.1", NULL, "198.51.100.1");
    expect("127.0.0.1", NULL, NULL, "127.0.0.1");
    expect("::ffff:127.0.0.1", "198.51.100.1", NULL, "198.51.100.1");
    cidr_free(trusted);
    trusted = NULL;
    expect("127.0.0.1", "198.51.100.1", NULL, "127.0.0.1");
}

Test(forwarded, takes_the_right_most_stranger)
{
    expect("127.0.0.1", "1.1.1.1, 198.51.100.1, 10.1.2.3", NULL, "198.51.100.1");
    expect("127.0.0.1", "1.1.1.1", "198.51.100.1,10.9.9.9",
           "198.51.100.1"); /* two lines: one list */
    expect("127.0.0.1", "198.51.100.1", "10.9.9.9", "198.51.100.1");
    expect("127.0.0.1", "10.0.0.1,10.0.0.2", NULL, "10.0.0.1"); /* nobody but proxies */
    expect("127.0.0.1", "198.51.100.1:4711", NULL, "198.51.100.1");
    expect("127.0.0.1", "[2001:0db9::1]:443, [2001:db8::5]", NULL, "2001:db9::1");
}

Test(forwarded, stops_at_garbage)
{
    static const char *const garbage[] = {"",
                                          ",",
                                          "unknown",
                                          "198.51.100.1,",
                                          "1.2.3",
                                          "[::1",
                                          "198.51.100.1;x",
                                          "\x01",
                                          "198.51.100.1 198.51.100.2"};
    struct sb many = {0};

    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++)
        expect("127.0.0.1", garbage[i], NULL, "127.0.0.1");
    expect("127.0.0.1", "198.51.100.1, junk, 10.0.0.7", NULL, "10.0.0.7");
    for (int i = 0; i < 1000; i++)
        sb_z(&many, "10.0.0.9,");
    sb_z(&many, "10.0.0.8");
    sb_char(&many, 0);
    expect("127.0.0.1", many.p, NULL, "10.0.0.9"); /* gives up, and comes back */
    sb_fini(&many);
}
