#include <criterion/criterion.h>
#include "contacts/notice/sign.h"
#include "tests/unit/support/hex.h"

static struct sb out;

static int sign(const char *secrets, const char *id, uint64_t at, const char *body)
{
    out.n = 0;
    return notice_sign(str_z(secrets), str_z(id), at, str_z(body), &out);
}

Test(notice_sign, agrees_with_the_specification)
{
    /* the example of the Standard Webhooks libraries */
    cr_assert_eq(sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
                      1614265330, "{\"test\": 2432232314}"),
                 OK);
    cr_expect_str_eq(to_z(&out), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    sb_fini(&out);
}

Test(notice_sign, signs_once_for_each_secret)
{
    struct sb one = {0}, two = {0};

    cr_assert_eq(sign("first", "i", 1, "b"), OK);
    sb_str(&one, sb_view(&out));
    cr_assert_eq(sign("whsec_c2Vjb25k", "i", 1, "b"), OK);
    sb_str(&two, sb_view(&out));
    cr_assert_eq(sign("second", "i", 1, "b"), OK);
    cr_expect(str_eq(sb_view(&out), sb_view(&two)), "a text is taken as it is");
    cr_assert_eq(sign(" first  second ", "i", 1, "b"), OK);
    sb_char(&one, ' ');
    sb_str(&one, sb_view(&two));
    cr_expect(str_eq(sb_view(&out), sb_view(&one)));
    sb_fini(&out);
    sb_fini(&one);
    sb_fini(&two);
}

Test(notice_sign, the_id_and_the_time_are_signed_too)
{
    static const struct {
        const char *id;
        uint64_t at;
        const char *body;
    } rows[] = {{"i", 1, "b"}, {"j", 1, "b"}, {"i", 2, "b"}, {"i", 1, "c"}};
    struct sb all[4] = {0};

    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(sign("s", rows[i].id, rows[i].at, rows[i].body), OK);
        sb_str(&all[i], sb_view(&out));
        for (size_t k = 0; k < i; k++)
            cr_expect_not(str_eq(sb_view(&all[i]), sb_view(&all[k])), "%zu and %zu", i, k);
    }
    for (size_t i = 0; i < 4; i++)
        sb_fini(&all[i]);
    sb_fini(&out);
}

Test(notice_sign, says_when_there_is_no_secret)
{
    static const char *const rows[] = {"", " ", "whsec_", "whsec_*", "good whsec_*"};

    sb_z(&out, "kept");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(notice_sign(str_z(rows[i]), STR("i"), 1, STR("b"), &out), ERR_CONFIG,
                     "row %zu", i);
        cr_expect_str_eq(to_z(&out), "kept", "row %zu", i);
    }
    sb_fini(&out);
}
