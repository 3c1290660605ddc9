#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/conf.h"
#include "base/metric.h"
#include "node/auth/keys.h"
#include "tests/unit/support/key_pair.h"

static char folder[64], pem_path[96], set_path[96];
static struct conf conf;
static unsigned tick;

/* Each time with another time stamp: the clock of a file system may be coarse. */
static void put_file(const char *path, const char *text)
{
    struct timespec times[2] = {{.tv_sec = 1000 + tick}, {.tv_sec = 1000 + tick}};
    FILE *f = fopen(path, "w");

    tick++;
    cr_assert_not_null(f);
    fputs(text, f);
    fclose(f);
    cr_assert_eq(utimensat(0, path, times, 0), 0);
}

static void put_set(const char *kid_a, const char *a, const char *kid_b, const char *b)
{
    struct sb text = {0};

    sb_printf(&text, "{\"keys\":[{\"kid\":\"%s\",%s,{\"kty\":\"oct\",\"k\":\"AAAA\"}", kid_a,
              a + 1);
    if (kid_b) sb_printf(&text, ",{\"kid\":\"%s\",%s", kid_b, b + 1);
    sb_z(&text, "]}");
    sb_char(&text, 0);
    put_file(set_path, text.p);
    sb_fini(&text);
}

static unsigned count(struct auth_keys *k, enum jwk_alg alg, const char *kid)
{
    struct auth_key key;
    unsigned i = 0, n = 0;

    while (auth_keys_next(k, alg, str_z(kid), &i, &key)) {
        cr_expect_eq(key.alg, alg);
        cr_expect_eq(strlen(key.text), (size_t)key.n);
        n++;
    }
    return n;
}

static void up(void)
{
    snprintf(folder, sizeof folder, "/tmp/keys-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(pem_path, sizeof pem_path, "%s/key.pem", folder);
    snprintf(set_path, sizeof set_path, "%s/jwks.json", folder);
    conf = (struct conf){0};
    metric_reset_for_test();
}

static void down(void)
{
    unlink(pem_path);
    unlink(set_path);
    rmdir(folder);
}

TestSuite(auth_keys, .init = up, .fini = down);

Test(auth_keys, has_one_algorithm_a_key)
{
    static char one[] = "one", two[] = "two";
    struct key_pair rsa = key_pair_new(true, 2048);
    struct auth_keys *k;
    struct auth_key key;
    unsigned i = 0;

    put_file(pem_path, rsa.public_pem);
    conf.jwt_secret = one;
    conf.jwt_secret_previous = two;
    conf.jwt_public_key_file = pem_path;
    k = auth_keys_new(&conf);
    cr_expect(auth_keys_any(k));
    cr_expect_eq(count(k, JWK_HS256, NULL), 2);
    cr_expect_eq(count(k, JWK_HS256, "any"), 2, "an option's key takes tokens with a kid");
    cr_expect_eq(count(k, JWK_RS256, NULL), 1);
    cr_expect_eq(count(k, JWK_ES256, NULL), 0);
    cr_assert(auth_keys_next(k, JWK_HS256, STR_NONE, &i, &key));
    cr_expect_str_eq(key.text, "one", "the present one first");
    auth_keys_free(k);
    key_pair_free(&rsa);
}

Test(auth_keys, chooses_by_kid)
{
    struct key_pair rsa = key_pair_new(true, 2048), ec = key_pair_new(false, 0);
    struct auth_keys *k;

    put_set("a", rsa.jwk, "b", ec.jwk);
    conf.jwks_file = set_path;
    k = auth_keys_new(&conf);
    cr_expect_eq(count(k, JWK_RS256, "a"), 1);
    cr_expect_eq(count(k, JWK_RS256, "b"), 0);
    cr_expect_eq(count(k, JWK_RS256, NULL), 0, "a token without kid");
    cr_expect_eq(count(k, JWK_ES256, "b"), 1);
    cr_expect_eq(count(k, JWK_HS256, "a"), 0, "a symmetric key of a set is no key");
    auth_keys_free(k);
    key_pair_free(&rsa);
    key_pair_free(&ec);
}

Test(auth_keys, reads_a_file_again_when_it_changed)
{
    struct key_pair one = key_pair_new(false, 0), two = key_pair_new(false, 0);
    struct auth_keys *k;

    conf.jwks_file = set_path;
    k = auth_keys_new(&conf);
    cr_expect(auth_keys_any(k), "the file may still come");
    cr_expect_eq(count(k, JWK_ES256, "a"), 0);
    put_set("a", one.jwk, NULL, NULL);
    auth_keys_refresh(k, 5000);
    cr_expect_eq(count(k, JWK_ES256, "a"), 1);
    put_set("b", two.jwk, NULL, NULL);
    auth_keys_refresh(k, 5999);
    cr_expect_eq(count(k, JWK_ES256, "a"), 1, "one look a second");
    auth_keys_refresh(k, 6000);
    cr_expect_eq(count(k, JWK_ES256, "a"), 0);
    cr_expect_eq(count(k, JWK_ES256, "b"), 1);
    cr_expect_eq(metric_get_at(M_KEY_READS, 0), 2);
    auth_keys_refresh(k, 7000);
    cr_expect_eq(metric_get_at(M_KEY_READS, 0), 2, "unchanged: not read");
    auth_keys_free(k);
    key_pair_free(&one);
    key_pair_free(&two);
}

Test(auth_keys, keeps_what_it_has_when_the_file_is_broken_or_gone)
{
    static const char *const bad[] = {
        "", "{", "[]", "{\"keys\":[]}", "{\"keys\":{}}", "{\"keys\":[1,null,{}]}"};
    struct key_pair one = key_pair_new(false, 0);
    struct auth_keys *k;
    uint64_t now = 10000;

    put_set("a", one.jwk, NULL, NULL);
    conf.jwks_file = set_path;
    k = auth_keys_new(&conf);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        put_file(set_path, bad[i]);
        auth_keys_refresh(k, now += 1000);
        cr_expect_eq(count(k, JWK_ES256, "a"), 1, "row %zu", i);
        cr_expect_eq(metric_get_at(M_KEY_READS, 1), (int64_t)i + 1);
    }
    unlink(set_path);
    auth_keys_refresh(k, now += 1000);
    cr_expect_eq(count(k, JWK_ES256, "a"), 1, "gone");
    put_set("c", one.jwk, NULL, NULL);
    auth_keys_refresh(k, now += 1000);
    cr_expect_eq(count(k, JWK_ES256, "c"), 1, "back");
    auth_keys_free(k);
    key_pair_free(&one);
}

Test(auth_keys, refuses_a_weak_or_private_key_file)
{
    struct key_pair weak = key_pair_new(true, 1024), good = key_pair_new(true, 2048);
    const char *const rows[] = {weak.public_pem, good.private_pem, "nothing"};

    conf.jwt_public_key_file = pem_path;
    for (size_t i = 0; i < 3; i++) {
        struct auth_keys *k;

        put_file(pem_path, rows[i]);
        k = auth_keys_new(&conf);
        cr_expect_eq(count(k, JWK_RS256, NULL), 0, "row %zu", i);
        auth_keys_free(k);
    }
    key_pair_free(&weak);
    key_pair_free(&good);
}

Test(auth_keys, has_none_without_options)
{
    struct auth_keys *k = auth_keys_new(&conf);

    cr_expect_not(auth_keys_any(k));
    auth_keys_free(k);
}
