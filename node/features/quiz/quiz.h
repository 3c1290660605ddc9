/* Feature: quizzes. Old clients' sessions, where answers are only counted, and real games. */
#ifndef NODE_FEATURES_QUIZ_QUIZ_H
#define NODE_FEATURES_QUIZ_QUIZ_H

#include "node/event/event.h"

extern const struct feature feature_quiz;

#endif
