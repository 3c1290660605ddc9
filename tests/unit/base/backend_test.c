/* Calls to a backend that is slow, hangs, goes and comes back: each is answered once, on the loop,
 * and freed when nobody has it any more. */
#include "tests/unit/support/backend_rig.inc"

TestSuite(backend, .init = setup, .fini = teardown, .timeout = 60);

/* ---- a call ---- */

Test(backend, runs_a_call_in_a_worker_and_answers_it_on_the_loop)
{
    struct seen *s = &seen[0];

    open_it(2, 8, false);
    s->rc = ERR_CONFLICT;
    (void)send_one();
    cr_expect_eq(answers, 0);
    await(&answers, 1);
    cr_expect(s->runs == 1 && !s->was_here);
    cr_expect_eq(s->got, ERR_CONFLICT);
    cr_expect_str_eq(s->why, "as the worker says");
    cr_expect_not(s->is_late);
    cr_expect_eq(s->finis, 1);
    cr_expect_eq(returns, 1);
    cr_expect(backend_is_up(backend) && state.changes == 0);
}

Test(backend, writes_and_probes_have_workers_of_their_own)
{
    open_two(8);
    (void)send_as(true, TIMEOUT_MS);
    (void)send_as(false, TIMEOUT_MS);
    await(&answers, 2);
    cr_expect_str_eq(seen[0].worker, "writers");
    cr_expect_str_eq(seen[1].worker, "readers");
    backend_set_away(backend, "");
    clock_advance(PROBE_MS);
    await(&probes.finis, 1);
    cr_expect_str_eq(probes.worker, "writers");
}

Test(backend, counts_who_waits_at_both)
{
    int opener, gate = gate_new(&opener);

    open_two(8);
    for (int i = 0; i < 5; i++) {
        seen[i].gate = gate;
        (void)send_as(i % 2, TIMEOUT_MS);
    }
    await_entered(2);
    cr_expect_eq(backend_waiting(backend), 3);
    for (int i = 0; i < 5; i++)
        let_through(opener);
    await(&answers, 5);
    cr_expect_eq(backend_waiting(backend), 0);
}

Test(backend, what_nobody_has_to_run_is_answered_at_the_end_of_the_turn)
{
    struct ask *a;

    open_it(1, 8, false);
    a = ask_new();
    a->base.rc = ERR_UTF8;
    a->base.why = "no text";
    is_sending = true;
    backend_refuse(&a->base);
    is_sending = false;
    loop_turn(loop, false);
    cr_expect_eq(seen[0].got, ERR_UTF8);
    cr_expect_str_eq(seen[0].why, "no text");
    cr_expect(seen[0].runs == 0 && seen[0].answers == 1 && seen[0].finis == 1);
    cr_expect_eq(returns, 0, "no worker had it");
}

Test(backend, more_calls_than_may_wait_are_refused)
{
    int opener, gate = gate_new(&opener);

    open_it(1, 2, false);
    seen[0].gate = gate;
    (void)send_one();
    await_entered(1);
    for (int i = 0; i < 4; i++)
        (void)send_one();
    loop_turn(loop, false);
    cr_expect_eq(answers, 2);
    cr_expect(seen[3].got == ERR_UNAVAILABLE && seen[4].got == ERR_UNAVAILABLE);
    cr_expect_str_eq(seen[4].why, "too many calls wait for the store");
    cr_expect(backend_is_up(backend), "busy, not away");
    let_through(opener);
    await(&answers, 5);
    cr_expect(seen[0].got == OK && seen[1].got == OK && seen[2].got == OK);
}

/* ---- deadlines ---- */

Test(backend, a_deadline_answers_without_the_worker_and_the_call_is_freed_when_it_is_back)
{
    int opener, gate = gate_new(&opener);
    struct seen *s = &seen[0];

    open_it(1, 8, false);
    s->gate = gate;
    (void)send_one();
    await_entered(1);
    pass(TIMEOUT_MS - 1);
    cr_expect_eq(s->answers, 0);
    pass(TIMER_TICK_MS);
    cr_expect_eq(s->answers, 1);
    cr_expect_eq(s->got, ERR_TIMEOUT);
    cr_expect_str_eq(s->why, "no answer in time");
    cr_expect(s->is_late && s->finis == 0 && returns == 0, "the worker has it still");
    let_through(opener);
    await(&finis, 1);
    cr_expect_eq(s->answers, 1, "once");
    cr_expect_eq(returns, 1);
    (void)send_one();
    await(&answers, 2);
    cr_expect_eq(seen[1].got, OK, "the worker is free again");
    pass(TIMEOUT_MS * 2);
    cr_expect_eq(answers, 2, "no deadline is left");
}

Test(backend, who_waited_for_a_worker_until_its_time_was_up_is_not_run)
{
    int opener, gate = gate_new(&opener);

    open_it(1, 8, false);
    seen[0].gate = gate;
    (void)send_as(true, TIMEOUT_MS * 2);
    (void)send_as(true, TIMEOUT_MS);
    await_entered(1);
    clock_advance(TIMEOUT_MS); /* no turn: the loop was busy with something else */
    let_through(opener);
    while (pool_running(writers) + pool_waiting(writers) > 0)
        continue;
    await(&answers, 2);
    cr_expect_eq(seen[0].got, OK);
    cr_expect(seen[1].got == ERR_UNAVAILABLE || seen[1].got == ERR_TIMEOUT, "%d", seen[1].got);
    cr_expect_eq(seen[1].runs, 0);
    cr_expect(backend_is_up(backend));
    await(&finis, 2);
}

/* ---- away and back ---- */

Test(backend, away_it_refuses_at_once_but_not_within_the_call)
{
    open_it(1, 8, false);
    backend_set_away(backend, "nobody listens");
    cr_expect_not(backend_is_up(backend));
    cr_expect(state.changes == 1 && !state.up);
    cr_expect_str_eq(state.why, "nobody listens");
    (void)send_one();
    cr_expect_eq(answers, 0);
    loop_turn(loop, false);
    cr_expect_eq(answers, 1);
    cr_expect_eq(seen[0].got, ERR_UNAVAILABLE);
    cr_expect_str_eq(seen[0].why, "the store is away");
    cr_expect_eq(seen[0].runs, 0);
    backend_set_away(backend, "again");
    cr_expect_eq(state.changes, 1, "only changes are told");
}

Test(backend, a_call_that_finds_it_away_says_so_for_all)
{
    open_it(1, 8, false);
    seen[0].rc = seen[1].rc = ERR_UNAVAILABLE;
    seen[1].is_away = true;
    (void)send_one();
    await(&answers, 1);
    cr_expect(backend_is_up(backend), "others may fare better");
    (void)send_one();
    await(&answers, 2);
    cr_expect_not(backend_is_up(backend));
    cr_expect_str_eq(state.why, "as the worker says");
}

Test(backend, a_call_that_is_late_says_so_too)
{
    int opener, gate = gate_new(&opener);

    open_it(1, 8, false);
    seen[0] = (struct seen){.gate = gate, .rc = ERR_UNAVAILABLE, .is_away = true};
    (void)send_one();
    await_entered(1);
    pass(LATE_MS);
    cr_expect(seen[0].is_late && backend_is_up(backend));
    let_through(opener);
    await(&finis, 1);
    cr_expect_not(backend_is_up(backend));
}

Test(backend, one_that_serves_when_away_is_tried_nonetheless)
{
    open_it(1, 8, true);
    backend_set_away(backend, "the disk is full");
    (void)send_one();
    await(&answers, 1);
    cr_expect_eq(seen[0].got, OK);
    cr_expect_not(backend_is_up(backend), "a probe says when it is back");
}

Test(backend, a_probe_each_half_second_brings_it_back)
{
    open_it(1, 8, false);
    probes.rc = ERR_UNAVAILABLE;
    backend_set_away(backend, "");
    pass(PROBE_MS - 2 * TIMER_TICK_MS);
    cr_expect(pool_running(writers) == 0 && pool_waiting(writers) == 0, "not yet");
    for (unsigned i = 1; i <= 3; i++) {
        clock_advance(i == 1 ? 2 * TIMER_TICK_MS : PROBE_MS);
        await(&probes.finis, i);
        cr_expect_not(backend_is_up(backend));
    }
    probes.rc = OK;
    clock_advance(PROBE_MS);
    await(&probes.finis, 4);
    cr_expect(backend_is_up(backend));
    cr_expect(state.changes == 2 && state.up);
    (void)send_one();
    await(&answers, 1);
    cr_expect_eq(seen[0].got, OK);
    pass(PROBE_MS * 4);
    cr_expect_eq(probes.runs, 4, "up, nobody looks");
    cr_expect_eq(returns, 1, "a probe is no call");
}

Test(backend, one_probe_at_a_time)
{
    int opener;

    open_it(4, 8, false);
    probes.gate = gate_new(&opener);
    backend_set_away(backend, "");
    pass(PROBE_MS);
    await_entered(1);
    for (int i = 0; i < 10; i++)
        pass(PROBE_MS);
    cr_expect_eq(pool_running(writers) + pool_waiting(writers), 1);
    let_through(opener);
    await(&probes.finis, 1);
    cr_expect_eq(probes.runs, 1);
    cr_expect(backend_is_up(backend), "however long it took");
}

Test(backend, a_probe_that_finds_no_room_is_made_later)
{
    int opener, gate = gate_new(&opener);

    open_it(1, 1, false);
    seen[0].gate = gate;
    (void)send_one();
    await_entered(1);
    (void)send_one();
    backend_set_away(backend, "");
    pass(PROBE_MS);
    cr_expect_eq(probes.finis, 1, "given up");
    let_through(opener);
    await(&answers, 2);
    clock_advance(PROBE_MS);
    await(&probes.finis, 2);
    cr_expect_eq(probes.runs, 1);
    cr_expect(backend_is_up(backend));
}

/* ---- who calls from within an answer ---- */

static void again(void)
{
    (void)send_one();
}

Test(backend, who_calls_again_from_within_a_refusal_is_answered_in_the_next_turn)
{
    open_it(1, 8, false);
    backend_set_away(backend, "");
    for (int i = 0; i < 100; i++)
        seen[i].on_answer = again;
    (void)send_one();
    for (unsigned turn = 1; turn <= 5; turn++) {
        loop_turn(loop, false);
        cr_expect_eq(answers, turn, "one answer in a turn");
    }
}

/* ---- the end ---- */

static void await_stop(struct pool *p)
{
    struct pool_job none;

    while (pool_put(p, &none) == ERR_LIMIT) /* its queue is full until it stops */
        continue;
}

static void await_readers_stop(void)
{
    await_stop(readers);
}

static void await_writers_stop(void)
{
    await_stop(writers);
}

Test(backend, what_is_open_at_the_end_is_told_so_within_the_call)
{
    int opener, gate = gate_new(&opener);
    struct ask *refused;

    open_two(1);
    for (int i = 0; i < 4; i++) {
        seen[i].gate = i < 2 ? gate : 0;
        seen[i].in_worker = i == 0 ? await_writers_stop : i == 1 ? await_readers_stop : NULL;
        (void)send_as(i % 2 == 0, TIMEOUT_MS);
        if (i == 1) await_entered(2);
    }
    seen[0].rc = ERR_UNAVAILABLE;
    seen[0].is_away = true;
    refused = ask_new();
    refused->base.rc = ERR_UTF8;
    backend_refuse(&refused->base);
    seen[3].on_answer = seen[5].on_answer = again;
    let_through(opener);
    let_through(opener);
    close_it();
    cr_expect_eq(answers, 7);
    cr_expect_eq(finis, 7);
    cr_expect(seen[1].place == 0 && seen[3].place == 1, "the readers first");
    cr_expect(seen[0].place == 2 && seen[2].place == 3);
    cr_expect_eq(seen[1].got, OK, "who runs is waited for");
    cr_expect_eq(seen[0].got, ERR_UNAVAILABLE);
    cr_expect(seen[2].got == ERR_CLOSED && seen[3].got == ERR_CLOSED, "who waits is not");
    cr_expect(seen[2].runs == 0 && seen[3].runs == 0);
    cr_expect_eq(seen[4].got, ERR_UTF8);
    cr_expect(seen[5].got == ERR_CLOSED && seen[6].got == ERR_CLOSED, "made meanwhile");
    cr_expect_eq(state.changes, 0, "what the last ones find is nobody's business");
    loop_turn(loop, false);
    cr_expect_eq(answers, 7);
}

Test(backend, one_that_was_late_is_freed_at_the_end_and_not_told_again)
{
    int opener, gate = gate_new(&opener);

    open_it(1, 1, false);
    seen[0].gate = gate;
    seen[0].in_worker = await_writers_stop;
    (void)send_one();
    await_entered(1);
    (void)send_one(); /* fills the queue, is late too */
    let_through(opener);
    pass(LATE_MS);
    cr_expect_eq(answers, 2);
    close_it();
    cr_expect_eq(answers, 2);
    cr_expect(seen[0].finis == 1 && seen[1].finis == 1);
    cr_expect_eq(returns, 0, "not while it closes");
}

Test(backend, a_probe_under_way_is_freed_at_the_end)
{
    int opener;

    open_it(1, 1, false);
    probes.gate = gate_new(&opener);
    backend_set_away(backend, "");
    pass(PROBE_MS);
    await_entered(1);
    let_through(opener);
    close_it();
    cr_expect_eq(probes.finis, 1);
    cr_expect_eq(state.changes, 1, "nobody is told that it is up");
    pass(PROBE_MS * 2);
    cr_expect_eq(probes.runs, 1);
}

Test(backend, one_that_was_away_at_the_end_is_not_looked_for_any_more)
{
    open_it(1, 1, false);
    backend_set_away(backend, "");
    close_it();
    pass(PROBE_MS);
    cr_expect_eq(probes.runs, 0);
}

/* ---- many ---- */

/* Deadlines and workers meet in every way; of each call there is one answer and one end. Time is
 * the real one. */
Test(backend, many_calls_over_many_workers_are_answered_once_each)
{
    open_at_any_time(8, CALLS_MAX, false);
    for (unsigned i = 0; i < CALLS_MAX; i++)
        (void)send_as(i % 2, 1 + i % 400);
    await(&finis, CALLS_MAX);
    for (unsigned i = 0; i < CALLS_MAX; i++) {
        cr_assert(seen[i].answers == 1 && seen[i].finis == 1, "call %u", i);
        cr_assert(seen[i].got != OK || seen[i].runs == 1, "call %u", i);
    }
    cr_expect_eq(answers, CALLS_MAX);
    cr_expect_eq(returns, CALLS_MAX);
    cr_expect(backend_is_up(backend) && state.changes == 0);
}
