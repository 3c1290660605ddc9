#include "tests/unit/support/private_rig.inc"

#include "node/features/private/private_priv.h"

static unsigned told;
static int last_rc;

static void on_told(void *ctx, int rc, const struct str *words, unsigned count)
{
    (void)words;
    cr_expect_eq(ctx, &told);
    cr_expect(rc == OK || count == 0);
    last_rc = rc;
    told++;
}

static struct adapter_script script = {.name = "test", .text = "return 1"};

static void call(struct private *p, private_told *fn)
{
    struct private_call c = {0};

    private_call_key(&c, KEY_USER_INBOX, STR("u"));
    private_call_key(&c, KEY_USER_CHATS, STR("u"));
    private_call_arg(&c, STR(""));
    private_call_u64(&c, 12);
    private_call_arg(&c, STR("last"));
    private_call_run(p, &c, &script, fn, &told);
}

TestSuite(private_call, .init = up, .fini = fake_down);

Test(private_call, keeps_keys_and_arguments_apart)
{
    static char adapter;
    struct private p = {.adapter = (struct adapter *)(void *)&adapter};

    call(&p, on_told);
    call(&p, NULL);
    cr_expect_str_eq(asked(), "ingoma:{user:u}:inbox  12 last\ningoma:{user:u}:inbox  12 last\n");
    cr_expect_eq(p.under_way, 2);
    REPLY("1");
    cr_expect_eq(told, 1);
    cr_expect_eq(last_rc, OK);
    REPLY("1");
    cr_expect_eq(p.under_way, 0);
}

Test(private_call, ends_what_is_under_way_after_the_feature_was_closed)
{
    static char adapter;
    struct private *p = MEM_NEW(struct private);

    p->adapter = (struct adapter *)(void *)&adapter;
    call(p, on_told);
    p->is_closed = true;
    private_settle(p);
    REPLY("1"); /* frees p */
    cr_expect_eq(last_rc, ERR_CLOSED);
}
