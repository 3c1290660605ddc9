/* What request.c and question.c share. */
#ifndef ADAPTER_REQUEST_PRIV_H
#define ADAPTER_REQUEST_PRIV_H

#include "adapter/request.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/map.h"

struct request_table {
    struct request_conf conf;
    struct list asks;      /* struct ask, of this node; the ended ones too until they are freed */
    struct map asks_by_id; /* those that wait */
    struct list questions; /* struct adapter_question, of others */
    unsigned questions_count;
    bool closed;
    struct loop_task finish; /* of asks that could not be sent */
    struct sb out;           /* an answer being made */
};

#endif
