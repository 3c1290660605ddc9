/* What is kept of contacts, in MongoDB (MONGODB_URI) or in one SQLite file (CONTACTS_DB). Public
 * face of contacts/store.
 *
 * Everything is asynchronous: a call copies what it is given, blocking work is done by workers
 * (base/pool.h), and done is called exactly once, on the loop, never within the call. Each call has
 * a deadline (STORE_TIMEOUT_MS). A write that was answered with OK is on the disk, in MongoDB of a
 * majority. One decision is one compare-and-swap: domain logic works on a record in memory, the
 * store carries it out if the version is still the one that was read.
 *
 * Errors of all calls:
 *   ERR_UNAVAILABLE  the store is away, full or its queue is; nothing was written, unless it says
 * so ERR_TIMEOUT      no answer in time: perhaps it is written, perhaps not; reading again tells
 *   ERR_CLOSED       store_close
 *   ERR_TOO_BIG, ERR_UTF8, ERR_SCHEMA   the record is not one (record_check)
 *   ERR_INTERNAL     a mistake of ours; logged
 * Times are milliseconds since 1970 UTC. Ids and keys are typed text: no operator of a database can
 * be smuggled in. */
#ifndef CONTACTS_STORE_STORE_H
#define CONTACTS_STORE_STORE_H

#include "contacts/record/record.h"

struct conf;
struct loop;
struct store;

/* Filled as the call says; everything else is zero. Lives until done returns; what is needed longer
 * is copied (record_copy). The records may be changed in place, as long as they live. */
struct store_result {
    int rc;
    const char *why; /* of a failure, a sentence for the log; may be NULL */
    struct contact *contact;
    struct contact *contacts; /* contacts_count */
    struct message *messages; /* messages_count */
    struct agent *agent;
    struct agent *agents; /* agents_count */
    struct outbox *outbox;
    struct store_letter *letters; /* letters_count */
    struct doc *doc;
    struct doc *docs; /* docs_count */
    unsigned contacts_count, messages_count, agents_count, letters_count, docs_count;
    bool has_more;     /* there are more messages, or a further page */
    struct str cursor; /* of the next page */
    uint64_t total;    /* of all pages */
    int64_t at;        /* store_due_next, store_outbox_next, store_due_take */
    struct store_counts {
        uint64_t pending, in_progress, resolved;
        uint64_t place; /* store_queue_place: 1 goes next; 0: does not wait */
    } counts;
    void *fold;          /* store_contact_scan */
    struct arena *arena; /* of all of it; what is put into it lives as long */
};

typedef void store_done_fn(void *ctx, const struct store_result *r);

/* Opens, migrates, makes indexes. May take as long as STORE_TIMEOUT_MS: before the loop runs. A
 * MongoDB that cannot be reached is no error: calls answer ERR_UNAVAILABLE until it can.
 * *out: returns new. Errors: ERR_CONFIG, *why (returned new) is the sentence: the file is corrupt,
 * read-only or no database, the schema is of a newer program, the URI is malformed, access was
 * refused. */
MUST_USE int store_open(struct loop *l, const struct conf *c, struct store **out, char **why);

/* Waits for what is being written at this moment; all open calls are told ERR_CLOSED, within the
 * call. */
void store_close(struct store *s);

/* up false: calls are being refused, or writes fail (the disk is full). up true: it works again,
 * ask for what is due. One listener; called on the loop, only at changes. */
void store_watch(struct store *s, void (*on_state)(void *ctx, bool up), void *ctx);
bool store_is_up(const struct store *s);
const char *store_kind(const struct store *s); /* "mongodb" or "sqlite" */

/* ---- contacts ---- */

/* What is written together with a contact, in the same write. The store numbers the messages from
 * contact.seq + 1, in their order. */
struct store_more { /* borrows; zeroed: nothing */
    const struct message *messages;
    unsigned messages_count;
    const struct outbox *outbox;
    unsigned outbox_count;
};

/* Result: contact. Members of the store's own (version, seq, bytes, updated_at) are set by it.
 * Safe to repeat: the same id with the same created_at and message is OK again, nothing is written
 * twice. Errors: ERR_EXISTS another contact has this id or this form_key: contact is that one. */
void store_contact_insert(struct store *s, const struct contact *c, const struct store_more *more,
                          store_done_fn *done, void *ctx);

/* Which messages come with a contact. after: the first ones behind that number; before: the last
 * ones in front of it; neither: the last ones. Always in their order. */
struct store_window {
    int64_t after, before; /* 0: not asked for */
    unsigned limit;        /* 0: no messages at all */
    bool with_notes;
};

/* Result: contact, messages, has_more (in the direction of the window). w NULL: the head alone.
 * Errors: ERR_NOT_FOUND. */
void store_contact_get(struct store *s, struct str id, const struct store_window *w,
                       store_done_fn *done, void *ctx);

/* Result: contact, the head of the one whose form has this key. Errors: ERR_NOT_FOUND. */
void store_contact_by_form(struct store *s, struct str form_key, store_done_fn *done, void *ctx);

/* Writes the head, if its version is still c->version, and appends. Result: contact as it is now,
 * messages: those appended, with their numbers. Errors: ERR_CONFLICT somebody was faster (load
 * again, decide again); ERR_NOT_FOUND; ERR_EXISTS a message with this client_id is there: messages
 * is that one, contact the head, nothing was written; ERR_LIMIT CONTACT_BYTES_MAX or
 * CONTACT_MESSAGES_MAX. */
void store_contact_update(struct store *s, const struct contact *c, const struct store_more *more,
                          store_done_fn *done, void *ctx);

/* Load, decide, write, and again when somebody was faster, until the deadline of the call. decide
 * runs on the loop: it changes *c, puts into *more what goes with it (memory: the arena), and
 * returns OK to write, STORE_KEEP to end with OK and what was read, or an error to end with that.
 * May be called several times; decides anew from *c each time. Result: as store_contact_update, or
 * contact (and messages of the window) as read when nothing was written. An error with a message in
 * *more whose client_id is there is ERR_EXISTS, too: what was written once is not refused later. */
#define STORE_KEEP 1
typedef int store_decide_fn(void *ctx, struct contact *c, const struct store_result *read,
                            struct store_more *more);
void store_contact_change(struct store *s, struct str id, const struct store_window *w,
                          store_decide_fn *decide, store_done_fn *done, void *ctx);

/* With its messages and letters. Errors: ERR_NOT_FOUND. */
void store_contact_delete(struct store *s, struct str id, store_done_fn *done, void *ctx);

enum store_sort {
    STORE_NEWEST, /* created_at */
    STORE_OLDEST,
    STORE_QUEUE, /* queue_rank, queue_since, id; without those that only the old service wrote */
};

struct store_filter {  /* borrows; empty members do not filter */
    struct str status; /* a contact of the old service is resolved when it has a reply, else
                          pending */
    struct str owner_id, user_id, tag, priority;
    struct str email; /* without regard to the case of a-z, as the next one */
    struct str text;  /* is part of name, e-mail, subject or message */
    int64_t from, to; /* created_at: from ≤ it < to */
    enum store_sort sort;
    struct str cursor; /* of the page before; with the same filter */
    unsigned limit;    /* 1 … STORE_LIST_MAX */
    bool with_total;
};
#define STORE_LIST_MAX 1000

/* Result: contacts (heads), cursor and has_more, total if asked for. Errors: ERR_SCHEMA the cursor
 * is none. */
void store_contact_list(struct store *s, const struct store_filter *f, store_done_fn *done,
                        void *ctx);

/* Result: counts of all contacts by status. */
void store_contact_counts(struct store *s, store_done_fn *done, void *ctx);

/* Result: counts.place of a contact that waits, counts.pending. Errors: ERR_NOT_FOUND. */
void store_queue_place(struct store *s, struct str id, store_done_fn *done, void *ctx);

/* Heads of a time range (created_at: from ≤ it < to; 0: open), in no order, given one after the
 * other to a fold that runs in a worker: it touches nothing but its own sum. */
struct store_scan {
    int64_t from, to;
    uint64_t timeout_ms; /* 0: STORE_TIMEOUT_MS */
    void (*step)(void *fold, const struct contact *c);
    void (*free)(void *fold);
    void *fold; /* the call takes it; NULL is not allowed */
};

/* Result: fold, which is freed when done returns. It is freed also when the call fails. */
void store_contact_scan(struct store *s, const struct store_scan *scan, store_done_fn *done,
                        void *ctx);

/* ---- agents ---- */

void store_agent_get(struct store *s, struct str id, store_done_fn *done, void *ctx);
void store_agent_list(struct store *s, store_done_fn *done, void *ctx); /* all; agents */

/* Version 0 makes a new one. Result: agent as it is now. Errors: ERR_CONFLICT another version is
 * there, or one at all, or none any more. */
void store_agent_update(struct store *s, const struct agent *a, store_done_fn *done, void *ctx);

/* As store_contact_change. Whom nobody has written yet comes as zeroed but for the id. */
typedef int store_agent_decide_fn(void *ctx, struct agent *a, struct arena *mem);
void store_agent_change(struct store *s, struct str id, store_agent_decide_fn *decide,
                        store_done_fn *done, void *ctx);

/* ---- what has to be done later: next_at of contacts and agents ---- */

/* Result: at, the earliest one; 0: nothing is due ever. */
void store_due_next(struct store *s, store_done_fn *done, void *ctx);

/* Takes the earliest record that is due, for so long: its next_at is moved to now + lease in the
 * same step, and nobody else gets it until then. Whoever gets it writes the next deadline, or 0,
 * with an update. The version does not change. Result: contact or agent (its next_at is the end of
 * the lease), at: when it was due. Errors: ERR_NOT_FOUND nothing is due. */
void store_due_take(struct store *s, int64_t now, int64_t lease_ms, store_done_fn *done, void *ctx);

/* ---- the outbox ---- */

struct store_letter {
    struct outbox entry;
    struct str contact_id;
};

/* Result: at, the earliest one that is due; 0: none is. */
void store_outbox_next(struct store *s, store_done_fn *done, void *ctx);

/* Takes the earliest entry that is due: `at` is moved to now + lease. Result: outbox (with its
 * lease) and the head of its contact. Errors: ERR_NOT_FOUND nothing is due. */
void store_outbox_take(struct store *s, int64_t now, int64_t lease_ms, store_done_fn *done,
                       void *ctx);

/* Its lease is to last until `at`: what is done takes longer. Errors: ERR_NOT_FOUND as below. */
void store_outbox_keep(struct store *s, struct str contact_id, const struct outbox *o, int64_t at,
                       store_done_fn *done, void *ctx);

/* It was told, and is gone. Errors: ERR_NOT_FOUND the entry is gone, or the lease went to somebody
 * else; as for the next two. */
void store_outbox_done(struct store *s, struct str contact_id, const struct outbox *o,
                       store_done_fn *done, void *ctx);

/* It failed: again at `at`, tries is one more. why: borrows, for people. */
void store_outbox_fail(struct store *s, struct str contact_id, const struct outbox *o, int64_t at,
                       struct str why, store_done_fn *done, void *ctx);

/* It is given up: it stays in the list of the dead. */
void store_outbox_dead(struct store *s, struct str contact_id, const struct outbox *o,
                       struct str why, store_done_fn *done, void *ctx);

/* Result: letters that are dead, the oldest first, cursor, has_more. */
void store_outbox_list(struct store *s, struct str cursor, unsigned limit, store_done_fn *done,
                       void *ctx);

/* A dead one is tried again, at `at`; its tries count from 0. Errors: ERR_NOT_FOUND. */
void store_outbox_retry(struct store *s, struct str contact_id, struct str entry_id, int64_t at,
                        store_done_fn *done, void *ctx);

/* ---- documents of the settings ---- */

/* Version 0 makes a new one. Result: doc. Errors: ERR_EXISTS there is one already (doc is it),
 * ERR_CONFLICT it is of another version, ERR_NOT_FOUND there is none any more. */
void store_doc_put(struct store *s, const struct doc *d, store_done_fn *done, void *ctx);
void store_doc_get(struct store *s, struct str kind, struct str id, store_done_fn *done, void *ctx);
void store_doc_list(struct store *s, struct str kind, store_done_fn *done,
                    void *ctx); /* docs by id, at most STORE_LIST_MAX */
void store_doc_delete(struct store *s, struct str kind, struct str id, store_done_fn *done,
                      void *ctx);

#endif
