/* A cast with ack of this node: acks of its own clients and of the others' in one result. */
#include "tests/unit/support/fake_eio.inc"

static void up(void)
{
    rig_up();
    sio_attach_adapter(rig.sio, (struct adapter *)&rig);
}

TestSuite(sio_gather, .init = up, .fini = rig_down);

static struct sb told;

static void on_each(void *ctx, struct str json, const struct str *attachments, unsigned n)
{
    (void)ctx, (void)attachments;
    sb_printf(&told, STR_FMT " +%u\n", STR_ARG(json), n);
}

static void on_count(void *ctx, unsigned clients)
{
    (void)ctx;
    sb_printf(&told, "count %u\n", clients);
}

static void on_done(void *ctx, const struct adapter_result *r)
{
    (void)ctx;
    sb_printf(&told, "done %d %u/%u", r->rc, r->answered, r->asked);
    for (unsigned i = 0; i < r->missing_count; i++)
        sb_printf(&told, " " STR_FMT, STR_ARG(r->missing[i]));
    sb_char(&told, '\n');
}

static const struct adapter_ask ask = {
    .timeout_ms = 700, .each = on_each, .on_count = on_count, .done = on_done};

static void emit(unsigned flags)
{
    struct sio_cast c = sio_cast_all(rig.main);

    c.flags = flags;
    rig.cluster.n = 0;
    sio_cast_emit_ack(&c, STR("[\"q\"]"), NULL, 0, &ask);
}

static void others_done(int rc, const struct str *missing, unsigned n)
{
    rig_ask.done(
        rig_ask.ctx,
        &(struct adapter_result){
            .rc = rc, .asked = 1, .answered = 1 - n, .missing = missing, .missing_count = n});
}

Test(sio_gather, waits_for_this_nodes_clients_and_for_the_others)
{
    struct eio_session *s;

    connected(&s, "0");
    emit(0);
    cr_expect_str_eq(take(&rig.cluster), "ack publish / to but flags 0 [\"q\"] +0\n");
    cr_expect_str_eq(take(&s->sent), "420[\"q\"]\n");
    rig_ask.on_count(rig_ask.ctx, 4);
    rig_ask.each(rig_ask.ctx, STR("\"there\""), NULL, 0);
    others_done(OK, NULL, 0);
    cr_expect_str_eq(take(&told), "count 1\ncount 4\n\"there\" +0\n");
    say(s, "30[\"here\",2]");
    cr_expect_str_eq(take(&told), "\"here\" +0\ndone 0 1/1\n");
    emit(0);
    say(s, "31[]");
    cr_expect_str_eq(take(&told), "count 1\nnull +0\n");
    others_done(OK, NULL, 0);
    cr_expect_str_eq(take(&told), "done 0 1/1\n");
    free_session(s);
    sb_fini(&told);
}

Test(sio_gather, keeps_the_names_of_the_missing_until_the_end)
{
    struct eio_session *s;
    char name[] = "n001";
    struct str missing = str_of(name, 4);

    connected(&s, "0");
    emit(0);
    others_done(ERR_TIMEOUT, &missing, 1);
    memset(name, 'x', 4); /* it was borrowed */
    rig_wait(800);
    cr_expect_str_eq(take(&told), "count 1\ndone -12 0/1 n001\n");
    free_session(s);
    sb_fini(&told);
}

Test(sio_gather, alone_nobody_is_called_back_from_within_his_call)
{
    emit(SIO_LOCAL);
    cr_expect_str_eq(take(&told), "count 0\n");
    cr_expect_str_eq(take(&rig.cluster), "");
    loop_turn(rig.loop, false);
    cr_expect_str_eq(take(&told), "done 0 0/0\n");
    sb_fini(&told);
}

Test(sio_gather, a_client_that_goes_away_leaves_a_partial_result)
{
    struct eio_session *s;

    connected(&s, "0");
    emit(SIO_LOCAL);
    free_session(s);
    cr_expect_str_eq(take(&told), "count 1\ndone -12 0/0\n");
    sb_fini(&told);
}

Test(sio_gather, what_waits_for_the_end_of_the_turn_is_answered_when_all_ends)
{
    emit(SIO_LOCAL);
    sio_free(rig.sio);
    cr_expect_str_eq(take(&told), "count 0\ndone 0 0/0\n");
    rig.sio = NULL;
    loop_free(rig.loop);
    rig_up();
    sb_fini(&told);
}
