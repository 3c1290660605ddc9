/* One load: connected clients, what they do, and what was measured. A scenario says how to start,
 * what to do with an event and (open loop) what is due now; measuring is the same for all. */
#ifndef BENCH_LIB_LOAD_H
#define BENCH_LIB_LOAD_H

#include "bench/lib/client.h"
#include "bench/lib/hist.h"
#include "bench/lib/proc.h"

struct load_options {
    const char *url;
    uint32_t connections, rooms, first_room, senders, window, payload_bytes, in_flight;
    uint32_t rate; /* messages a second of all senders; 0: closed loop */
    double seconds, warm_seconds;
    int server_pid; /* 0: its processor time and memory are not known */
    bool control;   /* one measurement per line "go" of standard input */
    const char *quiz_id, *host_key;
};

struct load {
    struct clients cs;
    struct load_options opt;
    const struct load_scenario *scenario;
    void *state;
    bool running; /* senders refill their windows */
    uint64_t messages, overruns;
    struct hist latency_us;         /* to members on the sender's node */
    struct hist cross_us, added_us; /* to those on others; the second less the first, in pairs */
    struct hist open_us, board_us, rank_us; /* quiz: from a button of the host to each player */
};

struct load_scenario {
    const char *name;
    void (*open)(struct load *l);  /* after the ramp */
    void (*start)(struct load *l); /* first windows */
    int (*tick)(struct load *l,
                uint64_t now_us); /* what is due; ms that the loop may sleep. NULL: nothing */
    void (*close)(struct load *l);
};

extern const struct load_scenario load_fanout, load_echo;

struct load_result {
    uint64_t elapsed_us, server_cpu_us, own_cpu_us, messages;
    struct client_counts n;
    uint64_t all_messages, all_deliveries; /* from the start of warming up until all is quiet */
};

struct churn_result {
    bool was_leaving;
    uint32_t rooms, refused;
    uint64_t elapsed_us, server_cpu_us;
};

/* After the ramp; each turn joins all rooms or leaves them all, by turns. Errors: ERR_TIMEOUT no
 * answer for 10 s. */
void churn_open(struct load *l);
MUST_USE int churn_turn(struct load *l, struct churn_result *out);
void churn_close(struct load *l);

struct quiz_result {
    bool was_close; /* else a question was opened and answered */
    uint32_t done, refused;
    uint64_t elapsed_us;
};

/* After the ramp: all join the game. Then each turn opens the next question and answers it, or
 * closes it and waits for everybody's place, by turns. Errors: ERR_TIMEOUT nothing for 10 s. */
MUST_USE int quiz_open(struct load *l);
MUST_USE int quiz_turn(struct load *l, struct quiz_result *out);
void quiz_close(struct load *l);

/* What a packet is to this scenario. */
enum quiz_packet { QUIZ_OTHER, QUIZ_OK, QUIZ_REFUSED, QUIZ_OPENED, QUIZ_BOARD, QUIZ_RANK };
enum quiz_packet quiz_packet_of(struct str packet);
/* When client i of count is to answer, from the start on. */
uint64_t quiz_planned_us(uint32_t i, uint32_t count, uint64_t spread_us);

/* Warms up, measures, and waits until nothing is in flight. */
void load_measure(struct load *l, struct load_result *out);

#endif
