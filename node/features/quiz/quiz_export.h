/* Results of a game as JSON and CSV, page by page. Pure. */
#ifndef NODE_FEATURES_QUIZ_QUIZ_EXPORT_H
#define NODE_FEATURES_QUIZ_QUIZ_EXPORT_H

#include "node/features/quiz/quiz_say.h"

/* A board's reply that has the answers (QUIZ_LUA_BOARD). Borrows. */
struct quiz_page {
    struct quiz_board board;   /* question: of the last one that is closed */
    const struct str *figures; /* of each closed question: four, then the answers of the rows */
};
bool quiz_export_read(const struct str *words, unsigned count, struct quiz_page *out);

/* Members of an ack: total, from, next, and rows and questions with their answers, or csv. Nothing
 * when the reply makes no sense. */
void quiz_export_ack(const struct str *words, unsigned count, const struct questions *all,
                     bool is_csv, int64_t from, struct sb *out);

/* Items of an array: each closed question with its key and figures. */
void quiz_export_questions(const struct quiz_page *p, const struct questions *all, struct sb *out);

/* Items of an array: each player with "answers", one a closed question, null where there is none.
 */
void quiz_export_rows(const struct quiz_page *p, bool is_first, struct sb *out);

/* CSV (RFC 4180) that no spreadsheet takes for formulas: players, with a head line from 0 on; and
 * questions with their figures. */
void quiz_export_players_csv(const struct quiz_page *p, int64_t from, struct sb *csv);
void quiz_export_questions_csv(const struct quiz_page *p, const struct questions *all,
                               struct sb *csv);

#endif
