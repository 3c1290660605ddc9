/* Inside node/features/quiz only.
 *
 * What a node remembers: of its own sockets, in which quizzes they sit; of a quiz, while anybody
 * here is in it or a step is under way, its questions. All else is in Redis. */
#ifndef NODE_FEATURES_QUIZ_QUIZ_PRIV_H
#define NODE_FEATURES_QUIZ_QUIZ_PRIV_H

#include "adapter/adapter.h"
#include "adapter/due.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/order.h"
#include "node/event/event.h"
#include "node/features/quiz/questions.h"
#include "node/features/quiz/quiz_say.h"
#include "node/features/quiz/quiz_state.h"

struct quiz {
    struct events *events;
    struct adapter *adapter; /* NULL: none */
    struct due *due;         /* the clock of games. NULL without an adapter */
    struct due *boards;      /* those that are to be told when 250 ms are over */
    struct map games;        /* quizId → struct quiz_game */
    struct map players;      /* socket id → struct quiz_player */
    char node[ADAPTER_NODE_ID_SIZE];
    uint64_t counted_us; /* of the number of quizzes that we know: a time of Redis */
    unsigned steps;      /* under way */
    bool is_closed;      /* freed when none is */
};

struct quiz_game {
    struct quiz *quiz;
    struct questions *questions; /* NULL: not loaded, or there is no game */
    struct list members;
    unsigned members_count, steps;
    unsigned walk;    /* of the newest round through the ranks of those here: older ones stop */
    bool is_stale;    /* the questions may be those of a game that is over: loaded again */
    uint64_t told_ms; /* when the others were last told of somebody, in a big game */
    struct str id;
    char bytes[];
};

struct quiz_player { /* a socket that is in quizzes */
    struct list members;
    struct str id;
    char bytes[];
};

struct quiz_member {
    struct list of_game, of_player;
    struct quiz_game *game;
    const struct quiz_player *player;
    int64_t seat;            /* 0: looks on */
    char key[QUIZ_KEY_SIZE]; /* of the seat */
};

/* One step under way on behalf of a socket, a back end, or the clock. */
struct quiz_op {
    struct quiz *quiz;
    struct quiz_game *game;
    struct event_later *later;  /* NULL: nobody waits */
    struct due_job *job;        /* NULL: not the clock's */
    struct order_ticket ticket; /* answer NULL: no back end waits */
    struct sb a, b, c;          /* texts of the step */
    int64_t n[3];
    bool flag;
    void (*loaded)(struct quiz_op *op, int rc);
};

/* ---- quiz.c ---- */
struct quiz_op *quiz_op_new(struct quiz *q, struct str quiz_id, struct event_ctx *c); /* c NULL */
void quiz_op_end(struct quiz_op *op, struct str reply);
void quiz_op_refuse(struct quiz_op *op, int rc, struct str why);
void quiz_op_free(struct quiz_op *op);
/* True: the reply is a refusal, or the feature is closed; the op was ended. */
bool quiz_op_failed(struct quiz_op *op, const struct quiz_reply *r);
void quiz_run(struct quiz_op *op, enum quiz_step step, const struct str *args, unsigned count,
              quiz_told *told);
/* op->loaded is called with OK and the questions, or NULL when there is no game. */
void quiz_load(struct quiz_op *op, void (*loaded)(struct quiz_op *op, int rc));
struct quiz_member *quiz_member_find(struct quiz *q, struct str socket, struct str quiz_id);
void quiz_member_add(struct quiz_game *g, struct str socket, struct str key, int64_t seat);
/* Arguments of present() in quiz_lua.h, from args[count] on; returns the new count. */
#define QUIZ_NODES_MAX 64
#define QUIZ_PRESENT_ARGS (3 + QUIZ_NODES_MAX)
unsigned quiz_present_args(struct quiz_game *g, unsigned more, struct sb *text, struct str *args,
                           unsigned count);
void quiz_room(struct str quiz_id, struct sb *out);
struct sio_nsp *quiz_nsp(const struct quiz *q);
bool quiz_may_tell(struct quiz_game *g, int64_t others);
void quiz_emit(const struct sio_cast *to, const char *event, struct str members);
void quiz_tell_nodes(struct quiz *q, struct str payload); /* the same feature of the other nodes */

void quiz_step_done(struct quiz *q); /* one less is under way */

/* ---- quiz_count.c ---- */
void quiz_count(struct quiz_game *g); /* its first one here has come, or its last one has gone */
void quiz_count_over(struct quiz_game *g);
void quiz_count_lost(struct quiz *q, struct str node);
void quiz_count_ask(struct quiz *q);
void quiz_count_on_message(struct quiz *q, struct str payload);

/* ---- quiz_play.c ---- */
int quiz_on_join(struct event_ctx *c, const union event_in *in);
int quiz_on_answer(struct event_ctx *c, const union event_in *in);

/* ---- quiz_board.c ---- */
enum { QUIZ_TOLD_ROWS = 20 }; /* of a board, to all, as they change */
int quiz_on_board(struct event_ctx *c, const union event_in *in);
/* Tells all what has changed, at once or as soon as four a second allow it. is_closed: as after the
 * close of a question, whether anybody has told that already or not. */
void quiz_board_changed(struct quiz *q, struct str quiz_id, bool is_closed);
void quiz_board_ranks(struct quiz_game *g); /* to each player here: the own place, two around it */
void quiz_board_on_due(void *ctx, struct str id, struct str payload, struct due_job *job);

/* ---- quiz_host.c ---- */
int quiz_on_create(struct event_ctx *c, const union event_in *in);
int quiz_on_control(struct event_ctx *c, const union event_in *in);
int quiz_on_results(struct event_ctx *c, const union event_in *in);
/* c or ticket: who waits. Errors: ERR_SCHEMA, ERR_TOO_BIG (why: a sentence); nobody is told then.
 */
int quiz_create(struct quiz *quiz, const struct in_quiz_create *create, struct event_ctx *c,
                const struct order_ticket *ticket, struct sb *why);
void quiz_control(struct quiz_op *op); /* quiz_host.c says what is in it */
void quiz_on_due(void *ctx, struct str id, struct str payload, struct due_job *job);

/* ---- quiz_order.c ---- */
void quiz_on_order(void *state, const struct order *o);
/* Answers a back end if one waits: rc OK with members, else with a sentence (may be empty). */
void quiz_order_end(struct order_ticket *t, int rc, struct str text);

#endif
