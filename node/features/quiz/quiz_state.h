/* Games in Redis: every step is one script (quiz_lua.h). Nothing is remembered here. */
#ifndef NODE_FEATURES_QUIZ_QUIZ_STATE_H
#define NODE_FEATURES_QUIZ_QUIZ_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

struct adapter;

#define QUIZ_KEY_SIZE 22 /* characters of a secret: 132 bits */
#define QUIZ_PIN_SIZE 10

/* How a game stands. All borrows. phase empty: old clients only. */
struct quiz_view {
    struct str phase, picks; /* picks: of the 20 options, with commas */
    int64_t seq, question, count, starts_ms, ends_ms, left_ms, seats, next_ms, now_ms;
    int64_t answered, right, elapsed_ms; /* of the question */
    bool is_locked;
    struct str pin;
};

/* What a script said. rc: of the call, or what the script refused with; why: its sentence. words:
 * the rest of the reply; all borrows. */
struct quiz_reply {
    int rc;
    struct str why;
    const struct str *words;
    unsigned count;
};
typedef void quiz_told(void *ctx, const struct quiz_reply *r);

enum quiz_step {
    QUIZ_CREATE,
    QUIZ_LOAD,
    QUIZ_JOIN,
    QUIZ_LEAVE,
    QUIZ_ANSWER,
    QUIZ_CONTROL,
    QUIZ_BOARD,
    QUIZ_TELL,
    QUIZ_AROUND,
    QUIZ_STEPS
};

struct quiz_ask {
    quiz_told *told;
    void *ctx;
};

/* told is called exactly once, perhaps within the call: ERR_UNAVAILABLE without an adapter. */
void quiz_state_run(struct adapter *a, enum quiz_step step, struct str quiz, const struct str *args,
                    unsigned count, struct quiz_ask ask);

/* quiz STR_NONE: asks whose PIN it is; else takes the PIN for it. */
void quiz_state_pin(struct adapter *a, struct str pin, struct str quiz, struct quiz_ask ask);

/* The view is the last QUIZ_VIEW_WORDS words of a reply. */
#define QUIZ_VIEW_WORDS 16
bool quiz_state_view(const struct str *words, unsigned count, struct quiz_view *out);

int64_t quiz_state_i64(struct str s); /* of our own numbers; 0 for anything else */

#endif
