/* Rows of who is here in Redis, for all nodes: written in batches, read as what changed since the
 * last look. Without Redis (ADAPTER=local) the list is written directly. */
#ifndef NODE_FEATURES_PRESENCE_PRESENCE_STATE_H
#define NODE_FEATURES_PRESENCE_PRESENCE_STATE_H

#include "node/features/presence/presence_list.h"

struct loop;
struct conf;
struct adapter;
struct presence_state;

/* adapter NULL: this node alone. list is borrowed. */
struct presence_state *presence_state_new(struct loop *l, const struct conf *c, struct adapter *a,
                                          struct presence_list *list);
void presence_state_free(struct presence_state *st);

/* Written at the end of the turn, again until Redis has it. at_us 0: at the time of writing; what
 * is older than what is there changes nothing. */
void presence_state_set(struct presence_state *st, struct str id_text, uint64_t at_us,
                        const struct presence_value *v);
void presence_state_ensure(struct presence_state *st, struct str id_text,
                           const struct presence_value *v); /* unless there is a row */
void presence_state_leave(struct presence_state *st, struct str id_text, uint64_t at_us);

/* Brings the list up to date; done is called once, now or later, unless st is freed before. Rows
 * that Redis has lost stay for grace_ms: their nodes write them again. keep: as in
 * presence_list_sweep. */
struct presence_pull {
    uint64_t grace_ms;
    bool (*keep)(void *ctx, struct str id_text);
    void (*done)(void *ctx, int rc);
    void *ctx;
};
void presence_state_pull(struct presence_state *st, const struct presence_pull *p);

/* What is kept of a user beyond the last device: the status invisible, and when he was last shown.
 * done is called exactly once; NULL: nobody waits. */
typedef void presence_user_told(void *ctx, int rc, bool is_invisible, uint64_t seen_ms);
enum presence_user_act {
    PRESENCE_USER_GET,
    PRESENCE_USER_HIDE,
    PRESENCE_USER_SHOW,
    PRESENCE_USER_SEEN
};
void presence_state_user(struct presence_state *st, struct str id_text, enum presence_user_act act,
                         presence_user_told *done, void *ctx);

#endif
