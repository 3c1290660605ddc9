#include "tests/unit/support/fake_eio.inc"

static int failed;

static void on_answer(void *ctx, int rc, struct str array, const struct str *attachments,
                      unsigned n)
{
    (void)array, (void)attachments, (void)n;
    failed = rc;
    sio_socket_emit(ctx, STR("[\"nobody is there any more\"]"), NULL, 0);
}

/* The engine is freed first, without a word: its sessions are no more when the sockets end. */
Test(sio, ends_with_everything_it_holds)
{
    struct eio_session *s, *t;
    struct sio_socket *a, *b;

    rig_up();
    a = connected(&s, "0{\"token\":1}");
    b = connected(&t, "0");
    cr_expect_eq(sio_socket_join(a, STR("r")), OK);
    sio_socket_emit_ack(a, STR("[\"q\"]"), NULL, 0, 1000, on_answer, b);
    say(s, "51-[\"m\",{\"_placeholder\":true,\"num\":0}]"); /* an attachment stays due */
    s->sent.n = t->sent.n = rig.told.n = 0;
    rig_down();
    cr_expect_eq(failed, ERR_CLOSED);
    cr_expect_eq(s->sent.n + t->sent.n, 0);
    cr_expect_eq(metric_get(M_SOCKETS), 0);
    cr_expect_eq(metric_get(M_ROOMS), 0);
    sb_fini(&s->sent);
    sb_fini(&t->sent);
    buf_unref(s->last);
    buf_unref(t->last);
    mem_free(s);
    mem_free(t);
}

Test(sio, labels_why_sockets_went)
{
    struct sb text = {0};

    rig_up();
    metric_add_at(M_SOCKETS_DISCONNECTED, CLOSE_CLIENT_DISCONNECT, 1);
    metric_print(&text);
    sb_char(&text, 0);
    cr_expect_not_null(strstr(text.p, "reason=\"client namespace disconnect\"} 1"));
    sb_fini(&text);
    rig_down();
}
