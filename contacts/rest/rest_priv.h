/* Inside contacts/rest only. */
#ifndef CONTACTS_REST_REST_PRIV_H
#define CONTACTS_REST_REST_PRIV_H

#include "base/conf.h"
#include "base/list.h"
#include "contacts/record/record.h"
#include "contacts/rest/rest.h"
#include "contacts/rules/token.h"
#include "contacts/store/store.h"
#include "rest_routes.h"

enum { REST_CALLS_MAX = 1000, REST_BODY_MAX = 65536 };

struct event_answer;

struct rest {
    struct rest_seams s;
    struct auth_origins *origins;
    struct token_keys keys;
    struct list calls;
    unsigned calls_count;
};

/* One request that is not answered yet. Every handler ends in one of rest_json, rest_text,
 * rest_refuse; the call is gone then. */
struct rest_call {
    struct list node;
    struct rest *rest; /* NULL: rest_free, and the store still answers */
    struct pipe *pipe; /* NULL: nobody waits any more */
    const struct rest_route *route;
    const struct identity *who;
    struct str id;      /* {id} of the path, in mem, as the next one */
    struct str address; /* of who asks */
    union rest_in in;
    struct sb cors;  /* lines of the answer */
    struct sb input; /* what in borrows from, with scratch */
    struct sb scratch;
    struct arena mem;
    bool is_running; /* its handler was called; else it waits for its body */
    void *op;        /* of the handler; freed by drop */
    void (*drop)(void *op);
};

typedef void rest_handle(struct rest_call *call);

/* ---- rest_route.c ---- */

/* The route of a path and a method; NULL: none, and *others then has the methods that the path has,
 * as Allow wants them (empty: it is no path of ours). *id borrows from the path. */
const struct rest_route *rest_route_find(struct str path, struct str method, struct str *id,
                                         struct sb *others);

/* A query as a JSON object, for the decoder of its route: texts, and bare numbers and booleans
 * where the route has such. */
void rest_route_query(struct str query, const char *const *bare, struct sb *out);

/* ---- rest_answer.c ---- */

void rest_json(struct rest_call *call, int status, struct str body);
/* The end of a list: body, an object that is still open, gets the cursor of the next page and is
 * answered with 200. Takes what is in it. */
void rest_page(struct rest_call *call, const struct store_result *r, struct sb *body);
void rest_text(struct rest_call *call, struct str type, struct str headers, struct str body);
/* why empty: the sentence of the code. wait_ms 0: none. */
void rest_refuse(struct rest_call *call, int rc, struct str why, uint64_t wait_ms);
/* The same with a status of its own. */
void rest_refuse_as(struct rest_call *call, int status, int rc, struct str why, uint64_t wait_ms);
/* As an event was refused, with what else is said of it. */
void rest_refuse_answer(struct rest_call *call, const struct event_answer *a);
void rest_call_free(struct rest_call *call); /* without a word */
/* As rest_refuse, for a request that never became a call. headers: further complete lines. */
void rest_turn_away(struct pipe *p, int status, int rc, struct str why, struct str headers);

/* What the store says, to the call. True: it was no OK, the call is gone. First line of callbacks
 * of the store. */
bool rest_is_over(struct rest_call *call, const struct store_result *r);

/* ---- handlers ---- */

rest_handle rest_list_contacts, rest_get_contact, rest_delete_contact; /* rest_contacts.c */
rest_handle rest_get_transcript;                                       /* rest_transcript.c */
rest_handle rest_list_notices, rest_retry_notice;                      /* rest_notices.c */
rest_handle rest_create_contact, rest_create_reply, rest_claim_contact, rest_resolve_contact,
    rest_reopen_contact, rest_rate_contact, rest_get_stats; /* rest_desk.c */

/* May this caller see the contact as its visitor (a chatToken), or as an agent? Else the call is
 * refused: false. */
bool rest_may_see(struct rest_call *call, struct str chat_token);
/* A token for this, of the contact of the path? Else the call is refused: false. */
bool rest_has_token(struct rest_call *call, enum token_purpose purpose, struct str token);
bool rest_is_agent(const struct rest_call *call);

#endif
