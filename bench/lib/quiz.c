/* Quiz: everybody is in one game, answers each question once within the given time and is told the
 * board and the own place when it closes. The buttons of the host are pressed by the first client,
 * so that all times are of one clock. Answers leave by the clock and their latency counts from the
 * time that was planned (coordinated omission). */
#include <stdio.h>
#include "base/clock.h"
#include "base/mem.h"
#include "bench/lib/load.h"
#include "bench/lib/wire.h"

#define STALL_US 10000000U

enum waits_for { JOINS, OPENINGS, ACKS, PLACES };

struct quiz {
    enum waits_for waits_for;
    uint32_t done, refused, sent;
    uint32_t question; /* from 1; 0: not begun */
    bool is_open;
    uint64_t start_us; /* of what is waited for */
};

enum quiz_packet quiz_packet_of(struct str packet)
{
    static const struct {
        struct str start;
        enum quiz_packet what;
    } rows[] = {{STR("42[\"quiz:board\""), QUIZ_BOARD}, {STR("42[\"quiz:rank\""), QUIZ_RANK}};

    if (str_starts(packet, STR("431[")))
        return str_contains(packet, STR("\"ok\":true")) ? QUIZ_OK : QUIZ_REFUSED;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (str_starts(packet, rows[i].start)) return rows[i].what;
    if (str_starts(packet, STR("42[\"quiz:state\"")) &&
        str_contains(packet, STR("\"phase\":\"open\"")))
        return QUIZ_OPENED;
    return QUIZ_OTHER;
}

uint64_t quiz_planned_us(uint32_t i, uint32_t count, uint64_t spread_us)
{
    return spread_us * i / count;
}

static void say(struct client *c, const char *event, const char *members)
{
    char text[512], frame[WIRE_HEAD_MAX + sizeof text];
    int n =
        snprintf(text, sizeof text, "42%s[\"%s\",{%s}]", *event == 'q' ? "" : "1", event, members);

    if (n > 0 && (size_t)n < sizeof text)
        client_put(c, frame, wire_client_frame(frame, str_of(text, (size_t)n)));
}

static void press(struct load *l, const char *action)
{
    char members[256];

    snprintf(members, sizeof members, "\"quizId\":\"%s\",\"hostKey\":\"%s\",\"action\":\"%s\"",
             l->opt.quiz_id, l->opt.host_key, action);
    say(&l->cs.all[0], "quiz:control", members);
    client_flush(&l->cs, &l->cs.all[0]);
}

static void join_next(struct load *l)
{
    struct quiz *q = l->state;
    struct client *c = &l->cs.all[q->sent];
    char members[128];

    if (q->sent == l->cs.count) return;
    q->sent++;
    snprintf(members, sizeof members, "\"quizId\":\"%s\",\"name\":\"P%u\"", l->opt.quiz_id,
             c->index);
    say(c, "joinQuiz", members);
    client_flush(&l->cs, c);
}

static void on_ack(struct load *l, const struct client *c, bool is_ok)
{
    struct quiz *q = l->state;

    if (q->waits_for != JOINS && q->waits_for != ACKS) return;
    q->done++;
    if (!is_ok) q->refused++;
    if (q->waits_for == JOINS)
        join_next(l);
    else
        hist_add(&l->latency_us,
                 l->cs.now_us - q->start_us -
                     quiz_planned_us(c->index, l->cs.count, (uint64_t)(l->opt.seconds * 1e6)));
}

static void on_event(struct clients *cs, struct client *c, struct str packet)
{
    struct load *l = cs->user;
    struct quiz *q = l->state;

    switch (quiz_packet_of(packet)) {
    case QUIZ_OK:
    case QUIZ_REFUSED:
        on_ack(l, c, quiz_packet_of(packet) == QUIZ_OK);
        break;
    case QUIZ_OPENED:
        if (q->waits_for != OPENINGS) break;
        hist_add(&l->open_us, cs->now_us - q->start_us);
        q->done++;
        break;
    case QUIZ_BOARD:
        if (q->waits_for == PLACES) hist_add(&l->board_us, cs->now_us - q->start_us);
        break;
    case QUIZ_RANK:
        if (q->waits_for != PLACES) break;
        hist_add(&l->rank_us, cs->now_us - q->start_us);
        q->done++;
        break;
    case QUIZ_OTHER:
        break;
    }
}

static void begin(struct load *l, enum waits_for what)
{
    struct quiz *q = l->state;

    q->waits_for = what;
    q->done = q->refused = q->sent = 0;
    q->start_us = clock_us();
}

/* Answers that are due; ms that may be slept. */
static int answer_due(struct load *l)
{
    struct quiz *q = l->state;
    uint64_t spread = (uint64_t)(l->opt.seconds * 1e6), now = clock_us();

    while (q->sent < l->cs.count) {
        struct client *c = &l->cs.all[q->sent];
        uint64_t due = q->start_us + quiz_planned_us(c->index, l->cs.count, spread);
        char members[160];

        if (due > now) return 0;
        q->sent++;
        snprintf(members, sizeof members, "\"quizId\":\"%s\",\"questionId\":%u,\"answer\":%u",
                 l->opt.quiz_id, q->question - 1, (c->index + q->question) % 3);
        say(c, "submitAnswer", members);
        client_flush(&l->cs, c);
    }
    return 100;
}

static int await_all(struct load *l)
{
    struct quiz *q = l->state;
    uint64_t moved_us = clock_us();
    uint32_t seen = 0;

    while (q->done < l->cs.count) {
        clients_turn(&l->cs, q->waits_for == ACKS ? answer_due(l) : 100);
        if (q->done != seen) moved_us = clock_us();
        seen = q->done;
        if (clock_us() - moved_us > STALL_US) return ERR_TIMEOUT;
    }
    return OK;
}

int quiz_open(struct load *l)
{
    l->state = MEM_NEW(struct quiz);
    l->cs.on_event = on_event;
    for (uint32_t i = 0; i < l->cs.count; i++)
        l->cs.all[i].whole = true;
    begin(l, JOINS);
    for (uint32_t i = 0; i < l->opt.in_flight; i++)
        join_next(l);
    return await_all(l);
}

void quiz_close(struct load *l)
{
    mem_free(l->state);
    l->state = NULL;
    l->cs.on_event = NULL;
}

static int answer_question(struct load *l)
{
    struct quiz *q = l->state;
    int rc;

    hist_reset(&l->open_us);
    hist_reset(&l->latency_us);
    begin(l, OPENINGS);
    press(l, q->question++ ? "next" : "start");
    rc = await_all(l);
    if (rc != OK) return rc;
    begin(l, ACKS);
    return await_all(l);
}

static int close_question(struct load *l)
{
    hist_reset(&l->board_us);
    hist_reset(&l->rank_us);
    begin(l, PLACES);
    press(l, "close");
    return await_all(l);
}

int quiz_turn(struct load *l, struct quiz_result *out)
{
    struct quiz *q = l->state;
    uint64_t start = clock_us();
    int rc = q->is_open ? close_question(l) : answer_question(l);

    if (rc != OK) return rc;
    *out = (struct quiz_result){.was_close = q->is_open,
                                .done = q->done,
                                .refused = q->refused,
                                .elapsed_us = clock_us() - start};
    q->is_open = !q->is_open;
    return OK;
}
