#include <criterion/criterion.h>
#include <stdio.h>
#include "node/features/presence/presence_watch.h"

static struct presence_watch watch;
static struct sb told;
static char sockets[2];

static struct sio_socket *socket_of(int i)
{
    return (struct sio_socket *)(void *)&sockets[i];
}

static int add(int i, const char *id)
{
    return presence_watch_add(&watch, socket_of(i), i ? STR("s1") : STR("s0"), str_z(id));
}

static void on_diff(void *ctx, const struct presence_diff *d)
{
    sb_printf(&told, "%d:" STR_FMT STR_FMT "#%llu ", d->socket == socket_of(1), STR_ARG(d->joins),
              STR_ARG(d->leaves), (unsigned long long)d->seq);
    if (ctx) presence_watch_forget(&watch, STR("s0"));
}

static void up(void)
{
    presence_watch_init(&watch);
}

static void down(void)
{
    presence_watch_fini(&watch);
    sb_fini(&told);
}

static const char *flush(void *ctx)
{
    static char out[200];

    told.n = 0;
    presence_watch_flush(&watch, on_diff, ctx);
    snprintf(out, sizeof out, STR_FMT, STR_ARG(sb_view(&told)));
    return out;
}

TestSuite(presence_watch, .init = up, .fini = down);

Test(presence_watch, tells_those_who_chose_a_user)
{
    cr_expect_eq(add(0, "a"), OK);
    cr_expect_eq(add(0, "a"), OK);
    cr_expect_eq(add(0, "b"), OK);
    cr_expect_eq(add(1, "b"), OK);
    presence_watch_note(&watch, STR("a"), true, STR("{}"));
    presence_watch_note(&watch, STR("b"), true, STR("1"));
    presence_watch_note(&watch, STR("b"), false, STR("2"));
    presence_watch_note(&watch, STR("c"), false, STR("3"));
    cr_expect_str_eq(flush(NULL), "0:[{},1][2]#1 1:[1][2]#1 ");
    cr_expect_str_eq(flush(NULL), "");
    presence_watch_note(&watch, STR("a"), false, STR("4"));
    cr_expect_str_eq(flush(NULL), "0:[][4]#2 ");
    cr_expect_eq(presence_watch_seq(&watch, STR("s0")), 2);
}

Test(presence_watch, forgets_users_and_sockets)
{
    cr_expect_eq(add(0, "a"), OK);
    cr_expect_eq(add(1, "a"), OK);
    presence_watch_remove(&watch, STR("s0"), STR("a"));
    presence_watch_remove(&watch, STR("s0"), STR("a"));
    cr_expect(presence_watch_has(&watch, STR("a")));
    presence_watch_note(&watch, STR("a"), true, STR("1"));
    presence_watch_forget(&watch, STR("s1"));
    cr_expect(!presence_watch_has(&watch, STR("a")));
    cr_expect_str_eq(flush(NULL), "");
}

Test(presence_watch, survives_a_socket_that_goes_while_it_is_told)
{
    cr_expect_eq(add(0, "a"), OK);
    cr_expect_eq(add(1, "a"), OK);
    presence_watch_note(&watch, STR("a"), true, STR("1"));
    cr_expect_str_eq(flush(&watch), "0:[1][]#1 1:[1][]#1 ");
}

Test(presence_watch, has_a_limit)
{
    char id[16];

    for (int i = 0; i < PRESENCE_WATCHED_MAX; i++) {
        snprintf(id, sizeof id, "u%d", i);
        cr_assert_eq(add(0, id), OK);
    }
    cr_expect_eq(add(0, "one more"), ERR_LIMIT);
    cr_expect_eq(add(0, "u0"), OK, "he is there already");
}
