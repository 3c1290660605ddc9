/* Between the files of the MongoDB driver. Included only in contacts/store/mongo*.c.
 * What is asked of the server: find, insert, update, delete, findAndModify, aggregate; no
 * transactions, no updates by pipeline, so that a server that stands alone will do. */
#ifndef CONTACTS_STORE_MONGO_PRIV_H
#define CONTACTS_STORE_MONGO_PRIV_H

#include "base/mongodb.h"
#include "contacts/store/store_priv.h"

#define MONGO_DATABASE "quizblog_contacts" /* when the URI names none */

struct mongo { /* the driver's state */
    struct mongodb db;
    bool is_ready; /* schema and indexes were seen to; atomic */
};

struct mongo_worker { /* a client; of one thread */
    struct mongo *mongo;
    mongoc_client_t *client;
    mongoc_collection_t *contacts, *agents, *docs;
    bson_error_t error;
    char why[256];
};

/* ---- mongo_bson.c ---- */

#define MONGO_KEY_SIZE 12
const char *mongo_key(unsigned i, char room[MONGO_KEY_SIZE]); /* of an array: "0", "1", … */

/* An id as it is kept: 24 hexadecimal digits are an ObjectId, as the old service makes them. */
void mongo_put_id(bson_t *doc, const char *key, struct str id);
/* One member; an empty one too. */
void mongo_put_field(bson_t *doc, const struct record_field *f, const void *record);
/* All members that are not empty. */
void mongo_put_record(bson_t *doc, const struct record_kind *k, const void *record);
/* {$set: what is not empty, $unset: what is}, without the id. */
void mongo_put_changes(bson_t *update, const struct record_kind *k, const void *record);
/* Tolerant: a member of another type is read as well as can be, or stays empty. */
void mongo_read_record(const bson_t *doc, const struct record_kind *k, struct arena *a, void *out);

/* Messages of a document: replies and notes in the order of their numbers. Those that the old
 * service wrote get numbers behind the others. *unnumbered: how many. */
struct message *mongo_read_messages(const bson_t *doc, const struct contact *c, struct arena *a,
                                    unsigned *count, unsigned *unnumbered);
/* An array of the document as records. */
void *mongo_read_list(const bson_t *doc, const char *name, const struct record_kind *k,
                      struct arena *a, unsigned *count);
/* The members of a list as an array under a name: messages that are notes, or are not. */
void mongo_put_messages(bson_t *doc, const char *name, const struct message *m, unsigned count,
                        bool notes);
void mongo_put_entries(bson_t *doc, const char *name, const struct outbox *o, unsigned count);

/* ---- mongo.c ---- */

/* w->error as a failure of the call. was_sent: a broken connection leaves a write in doubt. */
int mongo_fail(struct mongo_worker *w, struct store_call *call);
int mongo_code(struct mongo_worker *w, bool was_sent, bool *is_away);
/* Options of a find: {maxTimeMS}; to be destroyed. */
bson_t *mongo_options(const struct store_call *call);

/* ---- mongo_schema.c ---- */

/* Errors: ERR_CONFIG a newer schema; as mongo_code. w->why says it. */
MUST_USE int mongo_prepare(struct mongo_worker *w);

/* ---- calls: they return call->base.rc ---- */

typedef int mongo_run_fn(struct mongo_worker *w, struct store_call *call);
#define OP(id, name, is_write) mongo_run_fn mongo_##name;
#include "contacts/store/op.def"
#undef OP

/* {projection: {replies: 0, notes: 0, outbox: 0}} into options of a find. */
void mongo_heads_only(bson_t *options);
/* Heads as they are meant: a contact of the old service has no status, it has replies or none. */
MUST_USE int mongo_settle(struct mongo_worker *w, struct store_call *call, struct contact *c,
                          unsigned count);
/* The head of a contact, as call->result.contact. Errors: ERR_NOT_FOUND. */
MUST_USE int mongo_contact_head(struct mongo_worker *w, struct store_call *call, struct str id);
struct mongo_modify {
    const bson_t *query, *update, *sort; /* sort may be NULL */
    bool is_new;                         /* the document as it is afterwards is wanted */
};
/* findAndModify. *doc: to be destroyed in any case. Errors: ERR_NOT_FOUND none matches. */
MUST_USE int mongo_find_and_modify(struct mongo_worker *w, struct store_call *call,
                                   mongoc_collection_t *in, const struct mongo_modify *m,
                                   bson_t *doc);
/* The first document of a find, at most. Errors: ERR_NOT_FOUND. */
MUST_USE int mongo_find_one(struct mongo_worker *w, struct store_call *call,
                            mongoc_collection_t *in, const bson_t *query, const bson_t *options,
                            bson_t *doc);
/* Matched one? entry_id: of the element that $[e] stands for; STR_NONE: there is none in it.
 * Errors: ERR_NOT_FOUND. */
MUST_USE int mongo_update_one(struct mongo_worker *w, struct store_call *call,
                              mongoc_collection_t *in, const bson_t *query, const bson_t *update,
                              struct str entry_id);

int mongo_dump(void *worker, const struct store_sink *sink);
int mongo_load(void *worker, const struct store_item *items, unsigned count,
               struct store_loaded *sum);

#endif
