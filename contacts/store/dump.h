/* Export and import: everything that is kept as JSON lines, the same from MongoDB and SQLite.
 * Blocks: for programs of their own (ingoma contacts export|import), never in a node.
 *
 *   {"type":"ingoma-contacts","schema":1}
 *   {"type":"contact","contact":{…},"messages":[…],"outbox":[…]}      in the order of their ids
 *   {"type":"agent","agent":{…}}
 *   {"type":"doc","doc":{…}}
 *   {"type":"end","contacts":2,"agents":1,"docs":0}                   a file without it is cut off
 *
 * Members are named as in the tables of contacts/record, dates are milliseconds since 1970. */
#ifndef CONTACTS_STORE_DUMP_H
#define CONTACTS_STORE_DUMP_H

#include "contacts/record/record.h"

struct conf;

enum store_item_type { STORE_ITEM_CONTACT, STORE_ITEM_AGENT, STORE_ITEM_DOC };

struct store_item {
    enum store_item_type type;
    struct contact contact;
    struct message *messages; /* by their numbers */
    struct outbox *outbox;
    unsigned messages_count, outbox_count;
    struct agent agent;
    struct doc doc;
};

struct store_sink { /* borrows what it is given */
    int (*put)(void *ctx, const struct store_item *item);
    void *ctx;
};

struct store_loaded {
    uint64_t added, skipped; /* skipped: something of this id was there, it stays as it is */
};

/* Lines of at most this many bytes are read: a contact with all its messages. */
#define DUMP_LINE_MAX (64 * 1024 * 1024)

/* One line of an export, without its end. Errors: ERR_PROTO no JSON, ERR_SCHEMA, ERR_TOO_BIG,
 * ERR_UTF8; *why (appended to, unless NULL) says what. is_end and is_head lines give no item. */
enum dump_line { DUMP_HEAD, DUMP_ITEM, DUMP_END };
MUST_USE int dump_line_read(struct str line, struct arena *a, enum dump_line *type,
                            struct store_item *out, uint64_t *items, struct sb *why);
void dump_line_put(const struct store_item *item, struct sb *out);

/* Errors: those of store_open and of the store; *why returns new. */
MUST_USE int dump_export(const struct conf *c, int (*write)(void *ctx, struct str line), void *ctx,
                         uint64_t *items, char **why);

/* read: the next line, without its end; false: there is none. What a failed import has added
 * stays: it can be run again. */
MUST_USE int dump_import(const struct conf *c, bool (*read)(void *ctx, struct str *line), void *ctx,
                         struct store_loaded *sum, char **why);

#endif
