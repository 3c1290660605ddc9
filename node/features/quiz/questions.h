/* The questions of a game with their key: read and checked once, when the host brings them; judged
 * and shown from the same text afterwards. Pure.
 *
 * {type, text, options?, correct?, tolerance?, timeLimitMs?, points?, explanation?, id?}
 *   single       options, correct: index                 answer: index
 *   multiple     options, correct: indexes               answer: indexes; (right − wrong) / all
 * right ones trueFalse    correct: true or false                  answer: true or false number
 * correct: number, tolerance (0)          answer: number text         correct: accepted texts
 * answer: text, without case and outer blanks order        options, correct: all indexes in order
 * answer: the same; the share of right places poll         options answer: index; nothing is right,
 * 0 points */
#ifndef NODE_FEATURES_QUIZ_QUESTIONS_H
#define NODE_FEATURES_QUIZ_QUESTIONS_H

#include <stdbool.h>
#include "base/json.h"
#include "node/features/quiz/score.h"

#define QUESTIONS_MAX SCORE_QUESTIONS_MAX
#define QUESTION_OPTIONS_MAX 20
#define QUESTION_LIMIT_MS 20000 /* when none is given */
#define QUESTION_POINTS 1000

enum question_type {
    QUESTION_SINGLE,
    QUESTION_MULTIPLE,
    QUESTION_TRUE_FALSE,
    QUESTION_NUMBER,
    QUESTION_TEXT,
    QUESTION_ORDER,
    QUESTION_POLL,
    QUESTION_TYPES
};

struct question { /* all borrows from the text of the set */
    enum question_type type;
    struct json object, options, correct;
    unsigned options_count;
    int64_t limit_ms, points;
    double tolerance;
};

struct questions {
    char *text; /* owned */
    unsigned count;
    struct question at[QUESTIONS_MAX];
};

/* array: raw JSON. *out: returns new. Errors: ERR_SCHEMA (why: "questions[3].correct: missing"). */
MUST_USE int questions_read(struct str array, struct questions **out, struct sb *why);
void questions_free(struct questions *q); /* NULL is allowed */

/* Index of the question with this id (raw JSON text or number): its id, else "q<n>" from 1, else
 * the index itself as a number. -1: none. */
int questions_find(const struct questions *q, struct str id);

/* Appends its id as JSON text. */
void question_id(const struct questions *q, unsigned i, struct sb *out);

/* How many things there are to choose from: its options, false and true, or none. */
unsigned question_choices(const struct question *q);

/* What everybody may see: with_key only after the close. Appends an object without its brackets. */
void question_show(const struct questions *q, unsigned i, bool with_key, struct sb *out);

/* share: 0 … SCORE_SHARE. chosen: appends the options chosen, "1,3". Errors: ERR_SCHEMA the answer
 * does not fit the question. */
MUST_USE int question_judge(const struct question *q, struct str answer, int64_t *share,
                            struct sb *chosen);

#endif
