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

/* Later ones count for more: one that is due takes the place of what was due before. */
enum presence_write {
    PRESENCE_WRITE_NOTHING,
    PRESENCE_WRITE_UNLESS_THERE,
    PRESENCE_WRITE_FIRST,  /* unless what is there is of a later device */
    PRESENCE_WRITE_STATUS, /* the last one that was chosen */
};

/* Written at the end of the turn, again until Redis has it. at_us: when the device was counted that
 * this is of, or the last one was no more. What is of a device that was there before the last leave
 * changes nothing, nor does a leave after which a device was counted. */
void presence_state_set(struct presence_state *st, enum presence_write how, struct str id_text,
                        uint64_t at_us, const struct presence_value *v);
void presence_state_leave(struct presence_state *st, struct str id_text, uint64_t at_us);

/* Called with how many leaves Redis has now, in their order. */
void presence_state_on_left(struct presence_state *st, void (*left)(void *ctx, unsigned leaves),
                            void *ctx);

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
