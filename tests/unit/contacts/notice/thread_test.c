#include <criterion/criterion.h>
#include "contacts/notice/thread.h"
#include "tests/unit/support/hex.h"

static struct sb out;

Test(notice_thread, a_mail_has_the_same_id_each_time)
{
    notice_thread_id(STR("contact_1_a"), 7, STR("quizblog.rw"), &out);
    cr_expect_str_eq(to_z(&out), "contact_1_a.7@quizblog.rw");
    out.n = 0;
    notice_thread_id(STR("a b>\r\n"), 0, STR("h"), &out);
    cr_expect_str_eq(to_z(&out), "a-b---.0@h");
    sb_fini(&out);
}
