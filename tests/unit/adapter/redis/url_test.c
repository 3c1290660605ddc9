/* REDIS_URL: what is understood, and the sentence for what is not. */
#include <criterion/criterion.h>
#include "adapter/redis/url.h"
#include "base/mem.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

static bool same(const char *got, const char *want)
{
    return got && want ? strcmp(got, want) == 0 : got == want;
}

Test(redis_url_parse, takes_the_parts_apart)
{
    static const struct {
        const char *url, *path, *host, *user, *password;
        unsigned port, db;
    } rows[] = {
        {"redis://localhost", NULL, "localhost", NULL, NULL, 6379, 0},
        {"redis://10.0.0.1:7000/5", NULL, "10.0.0.1", NULL, NULL, 7000, 5},
        {"REDIS://h/", NULL, "h", NULL, NULL, 6379, 0},
        {"redis://:pa%40ss%2F+%25@h:1", NULL, "h", NULL, "pa@ss/+%", 1, 0},
        {"redis://user:p:w@h:65535/0", NULL, "h", "user", "p:w", 65535, 0},
        {"redis://p@ss@h", NULL, "h", NULL, "p@ss", 6379, 0},
        {"redis://secret@h", NULL, "h", NULL, "secret", 6379, 0},
        {"redis://[::1]:6380/2", NULL, "::1", NULL, NULL, 6380, 2},
        {"redis://u:p@[fe80::1]", NULL, "fe80::1", "u", "p", 6379, 0},
        {"unix:///run/redis.sock", "/run/redis.sock", NULL, NULL, NULL, 0, 0},
        {"unix:///r?db=7", "/r", NULL, NULL, NULL, 0, 7},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct redis_url u;
        char *why = NULL;

        cr_assert_eq(redis_url_parse(str_z(rows[i].url), &u, &why), OK, "row %zu: %s", i, why);
        cr_expect(same(u.path, rows[i].path), "row %zu", i);
        cr_expect(same(u.host, rows[i].host), "row %zu", i);
        cr_expect(same(u.user, rows[i].user), "row %zu", i);
        cr_expect(same(u.password, rows[i].password), "row %zu: %s", i, u.password);
        cr_expect_eq(u.port, rows[i].port, "row %zu", i);
        cr_expect_eq(u.db, rows[i].db, "row %zu", i);
        redis_url_fini(&u);
    }
}

Test(redis_url_parse, refuses_with_one_sentence_that_holds_no_password)
{
    static const struct {
        const char *url, *part; /* of the sentence */
    } rows[] = {
        {"", "must start with"},
        {"localhost:6379", "must start with"},
        {"http://h", "must start with"},
        {"rediss://u:hush@h:6380", "no TLS"},
        {"redis://", "host is missing"},
        {"redis://:hush@", "host is missing"},
        {"redis://h:", "port"},
        {"redis://h:0", "port"},
        {"redis://h:65536", "port"},
        {"redis://h:6x", "port"},
        {"redis://a:1:2", "port"},
        {"redis://h/x", "database"},
        {"redis://h/1/2", "database"},
        {"redis://h/9999999", "database"},
        {"redis://hu/sh:x@h", "database"},
        {"redis://[::1", "bracket"},
        {"redis://[::1]x", "port"},
        {"redis://a b", "blanks"},
        {"unix://run/x", "absolute"},
        {"unix:///", "absolute"},
        {"unix:///r?x=1", "db=N"},
        {"unix:///r?db=x", "database"},
        {"unix:///"
         "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
         "90123456789abcdefg",
         "107"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct redis_url u;
        char *why = NULL;

        cr_expect_eq(redis_url_parse(str_z(rows[i].url), &u, &why), ERR_CONFIG, "row %zu", i);
        cr_expect(why && strstr(why, rows[i].part), "row %zu: %s", i, why);
        cr_expect(why && !strstr(why, "hush"), "row %zu", i);
        mem_free(why);
        redis_url_fini(&u);
    }
}
