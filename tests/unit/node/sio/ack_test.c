#include "tests/unit/support/fake_eio.inc"

TestSuite(sio_ack, .init = rig_up, .fini = rig_down);

static struct sb answers;

static void on_answer(void *ctx, int rc, struct str array, const struct str *attachments,
                      unsigned n)
{
    sb_printf(&answers, "%s %d " STR_FMT, (const char *)ctx, rc, STR_ARG(array));
    for (unsigned i = 0; i < n; i++)
        sb_printf(&answers, " +" STR_FMT, STR_ARG(attachments[i]));
    sb_char(&answers, '\n');
}

static char first[] = "first", second[] = "second";

Test(sio_ack, brings_the_answer_once)
{
    struct eio_session *s;
    struct sio_socket *a = connected(&s, "0");

    sio_socket_emit_ack(a, STR("[\"q\"]"), NULL, 0, 1000, on_answer, first);
    sio_socket_emit_ack(a, STR("[\"q\"]"), &STR("bin"), 1, 1000, on_answer, second);
    cr_expect_str_eq(take(&s->sent), "420[\"q\"]\n451-1[\"q\"]\n#4:bin\n");
    say(s, "31[\"yes\",2]");
    say(s, "31[\"again\"]");
    say(s, "61-0[{\"_placeholder\":true,\"num\":0}]");
    say_binary(s, "b");
    cr_expect_str_eq(take(&answers),
                     "second 0 [\"yes\",2]\nfirst 0 [{\"_placeholder\":true,\"num\":0}] +b\n");
    rig_wait(2000);
    cr_expect_str_eq(take(&answers), "");
    cr_expect_eq(metric_get(M_ACKS_TIMED_OUT), 0);
    free_session(s);
    sb_fini(&answers);
}

Test(sio_ack, times_out)
{
    struct eio_session *s;
    struct sio_socket *a = connected(&s, "0");

    sio_socket_emit_ack(a, STR("[\"q\"]"), NULL, 0, 1000, on_answer, first);
    rig_wait(990);
    cr_expect_str_eq(take(&answers), "");
    rig_wait(20);
    cr_expect_str_eq(take(&answers), "first -12 \n");
    cr_expect_eq(metric_get(M_ACKS_TIMED_OUT), 1);
    say(s, "30[\"late\"]");
    cr_expect_str_eq(take(&answers), "");
    cr_expect(!s->is_closed);
    free_session(s);
    sb_fini(&answers);
}

Test(sio_ack, fails_when_the_socket_goes)
{
    struct eio_session *s;
    struct sio_socket *a = connected(&s, "0");

    sio_socket_emit_ack(a, STR("[\"q\"]"), NULL, 0, 1000, on_answer, first);
    say(s, "1");
    cr_expect_str_eq(take(&answers), "first -13 \n");
    sio_socket_emit_ack(a, STR("[\"q\"]"), NULL, 0, 1000, on_answer, second);
    cr_expect_str_eq(take(&answers), "second -13 \n");
    free_session(s);
    sb_fini(&answers);
}

Test(sio_ack, counts_per_namespace_and_hears_only_who_was_asked)
{
    struct eio_session *s, *t;
    struct sio_socket *a = connected(&s, "0"), *b = connected(&t, "0");

    sio_socket_emit_ack(a, STR("[\"q\"]"), NULL, 0, 1000, on_answer, first);
    sio_socket_emit_ack(b, STR("[\"q\"]"), NULL, 0, 1000, on_answer, second);
    say(t, "0/custom");
    sio_socket_emit_ack(rig.last, STR("[\"q\"]"), NULL, 0, 1000, on_answer, second);
    cr_expect_not_null(strstr(take(&t->sent), "42/custom,0[\"q\"]"));
    say(t, "30[\"not mine\"]");
    cr_expect_str_eq(take(&answers), "");
    say(s, "30[\"mine\"]");
    cr_expect_str_eq(take(&answers), "first 0 [\"mine\"]\n");
    free_session(s);
    free_session(t);
    sb_fini(&answers);
}
