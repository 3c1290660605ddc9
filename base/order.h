/* A request from outside, as a layer that has its bytes (node/ops) hands it to one that knows what
 * it means (a feature): neither knows the other. */
#ifndef BASE_ORDER_H
#define BASE_ORDER_H

#include <stdbool.h>
#include "base/str.h"

struct order_reply { /* borrows */
    int status;      /* of HTTP */
    struct str type; /* content type */
    struct str body;
    struct str headers; /* further lines, each with CR LF */
};

/* Where an answer goes: due exactly once, within the request or later, also when nobody waits any
 * more. */
struct order_ticket {
    void (*answer)(void *to, const struct order_reply *r);
    void *to;
};

struct order {        /* borrows */
    bool is_post;     /* else it only reads */
    struct str path;  /* "/quiz/math-7/results.csv" */
    struct str query; /* behind "?" */
    struct str body;
    struct order_ticket ticket;
};

#endif
