/* What clients are told about a game, as JSON and CSV text. Pure. */
#ifndef NODE_FEATURES_QUIZ_QUIZ_SAY_H
#define NODE_FEATURES_QUIZ_QUIZ_SAY_H

#include "node/features/quiz/questions.h"
#include "node/features/quiz/quiz_state.h"

/* Members, without brackets. questions NULL: not known here, the question is left out. The key is
 * in it only when the question is closed. */
void quiz_say_view(const struct quiz_view *v, const struct questions *questions, struct sb *out);

/* waiting, active, completed: what old clients know. */
const char *quiz_say_status(const struct quiz_view *v);

/* Words of a board's reply behind "ok": seven, then rows of five. */
#define QUIZ_BOARD_WORDS 7
#define QUIZ_ROW_WORDS 5
struct quiz_board {
    int64_t total, seq, question, here, board_seq; /* here: rows that were asked for */
    bool is_scored, is_over;
    const struct str *rows;
    unsigned rows_count; /* here, and those around the asker */
};
bool quiz_say_read_board(const struct str *words, unsigned count, struct quiz_board *out);

/* {"rank":…,"userId":…,"userName":…,"seatNumber":…,"score":…,…} */
void quiz_say_row(const struct quiz_board *b, unsigned i, struct sb *out);
void quiz_say_rows(const struct quiz_board *b, unsigned from, unsigned to, struct sb *out);

/* ,"around":[…],"me":{…}: rows from here on, and of them that of a seat. */
void quiz_say_around(const struct quiz_board *b, unsigned from, int64_t seat, struct sb *out);

/* What has changed of the first rows: flags a 1 for each that has, gone: seats with commas. */
void quiz_say_changes(const struct quiz_board *b, struct str flags, struct str gone,
                      struct sb *out);

/* "stats":{…}: n answers, right ones, ms; picks: how often each option was chosen, with commas. */
void quiz_say_figures(const struct question *q, const int64_t n[3], struct str picks,
                      struct sb *out);

#endif
