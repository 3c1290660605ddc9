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
        {"unix:///r?db=1&x=1", "db=N"},
        {"unix:///r?", "db=N"},
        {"redis://h?db=1", "character"},
        {"redis://u:hush?@h,g", "several sentinels"},
        {"redis://[::1?]", "character"},
        {"redis://fe80::1", "brackets"},
        {"rediss+sentinel://u:hush@h/m", "no TLS"},
        {"redis+cluster://", "servers are missing"},
        {"redis+cluster://u:hush@h/1", "no databases"},
        {"redis+cluster://h,h2:x", "port must be a number"},
        {"rediss+cluster://h", "no TLS"},
        {"redis-cluster://h", "redis+cluster://host1"},
        {"redis-sentinel://h", "redis+sentinel://host1"},
        {"redis-socket:///run/r", "unix:///run"},
        {"redis+sentinel://", "sentinels are missing"},
        {"redis+sentinel://:hush@/m", "sentinels are missing"},
        {"redis+sentinel://h", "name of the master"},
        {"redis+sentinel://h/", "name of the master"},
        {"redis+sentinel://h//0", "name of the master"},
        {"redis+sentinel://h/a%20b", "name of the master"},
        {"redis+sentinel://h/?sentinelPassword=hush", "name of the master"},
        {"redis+sentinel://h,/m", "host is missing"},
        {"redis+sentinel://h:0,g/m", "port"},
        {"redis+sentinel://h/m/x", "database"},
        {"redis+sentinel://h/m?db=1", "only ?sentinelUser="},
        {"redis+sentinel://h/m?password=hush", "only ?sentinelUser="},
        {"redis+sentinel://h/m?sentinelUser=hush", "sentinelPassword beside"},
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

Test(redis_url_parse, takes_sentinels_apart)
{
    static const struct {
        const char *url, *places, *master, *user, *password, *sentinel_user, *sentinel_password;
        unsigned db;
    } rows[] = {
        {"redis+sentinel://h/mymaster", "h:26379 ", "mymaster", NULL, NULL, NULL, NULL, 0},
        {"redis+sentinel://a:1,b,[::1]:3/m/4", "a:1 b:26379 ::1:3 ", "m", NULL, NULL, NULL, NULL,
         4},
        {"Redis+Sentinel://u:p%2c,@a,b/m.x-y_z/", "a:26379 b:26379 ", "m.x-y_z", "u", "p,,", NULL,
         NULL, 0},
        {"redis+sentinel://:p@a/m?sentinelPassword=q%26+", "a:26379 ", "m", NULL, "p", NULL, "q&+",
         0},
        {"redis+sentinel://a/m/1?sentinelPassword=q&sentinelUser=s", "a:26379 ", "m", NULL, NULL,
         "s", "q", 1},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct redis_url u;
        struct sb places = {0};
        char *why = NULL;

        cr_assert_eq(redis_url_parse(str_z(rows[i].url), &u, &why), OK, "row %zu: %s", i, why);
        for (unsigned k = 0; k < u.sentinels_count; k++)
            sb_printf(&places, "%s:%u ", u.sentinels[k].host, u.sentinels[k].port);
        cr_expect(str_eq(sb_view(&places), str_z(rows[i].places)), "row %zu", i);
        cr_expect(same(u.master, rows[i].master), "row %zu", i);
        cr_expect(same(u.user, rows[i].user), "row %zu", i);
        cr_expect(same(u.password, rows[i].password), "row %zu", i);
        cr_expect(same(u.sentinel_user, rows[i].sentinel_user), "row %zu", i);
        cr_expect(same(u.sentinel_password, rows[i].sentinel_password), "row %zu", i);
        cr_expect_eq(u.db, rows[i].db, "row %zu", i);
        cr_expect_null(u.host);
        sb_fini(&places);
        redis_url_fini(&u);
    }
}
