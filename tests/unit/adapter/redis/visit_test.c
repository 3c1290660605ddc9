#include "adapter/redis/visit.h"

#include <criterion/criterion.h>

Test(redis_visit, has_its_keys_from_the_table_and_arguments_behind_them)
{
    static struct adapter_script s = {.keys = {KEY_CONV_LOG, KEY_CONV_STATE}, .keys_count = 2};
    struct sb scratch = {0};
    struct redis_visit v;

    sb_z(&scratch, "what was there");
    redis_visit_fill(&v, &s, STR("a:b"), STR("first"), &scratch);
    redis_visit_add(&v, STR("second"));
    cr_assert_eq(v.words_count, 4);
    cr_expect_eq(v.keys_count, 2);
    cr_expect(str_eq(v.words[0], STR("ingoma:{conv:a:b}:log")));
    cr_expect(str_eq(v.words[1], STR("ingoma:{conv:a:b}:state")));
    cr_expect(str_eq(v.words[2], STR("first")));
    cr_expect(str_eq(v.words[3], STR("second")));
    cr_expect(key_fit(s.keys, s.keys_count, v.words, v.keys_count));
    sb_fini(&scratch);
}
