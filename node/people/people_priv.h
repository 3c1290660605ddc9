/* Inside node/people only. */
#ifndef NODE_PEOPLE_PEOPLE_PRIV_H
#define NODE_PEOPLE_PEOPLE_PRIV_H

#include "base/list.h"
#include "base/loop.h"
#include "base/map.h"
#include "node/people/people.h"

struct people {
    struct people_conf conf;
    struct adapter *adapter; /* NULL: this node alone */
    struct tally *tally;
    struct sb scope;    /* in front of users' names in Redis; empty for the gateway */
    struct map persons; /* id_text → struct person */
    struct list unlisted;
    struct loop_task list_task;
    struct list reapings;
    struct timer check;
    unsigned under_way;  /* scripts of reap.c and nodes.c */
    uint64_t owed, paid; /* debts, ever */
    bool is_closed;      /* freed when nothing is under way any more */
};

struct person {
    struct people *people;
    struct list unlisted; /* linked: the list of this node's users is to be changed */
    uint32_t devices;
    uint64_t counted_us; /* 0: not counted here */
    uint64_t debt;       /* the last one that was made when his count was written */
    bool is_up;          /* the cluster knows of a device here */
    bool is_hidden;
    struct str id_text;
    char bytes[];
};

void people_forget(struct person *who);
void people_all_again(struct people *p, bool was_dead); /* writes everything; dead: all are new */

/* ---- reap.c: users of dead nodes ---- */

void people_reap_init(struct people *p);
void people_reap_fini(struct people *p);
void people_reap(struct people *p, struct str node);
bool people_is_reaped(const struct people *p, struct str id_text); /* of a dead node, just now */
void people_reap_pardon(struct people *p);                         /* before it has begun */
void people_reap_paid(struct people *p);                           /* something: perhaps enough */
void people_list_later(struct person *who); /* in this node's list of users, or out of it */
void people_free_if_done(struct people *p);
bool people_came_back(struct people *p); /* first in an answer; false: p is closed, perhaps gone */

/* ---- nodes.c: the table of nodes ---- */

void people_nodes_init(struct people *p);
void people_nodes_fini(struct people *p);
void people_nodes_check(struct people *p); /* soon, and again later: who died unseen */
void people_nodes_reaped(struct people *p, struct str node);

#endif
