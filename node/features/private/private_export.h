/* What Redis and the archive have of a user's private messages, as lines of JSON: for an operator's
 * export (tools/export.c). Nothing is changed, nor kept any longer. */
#ifndef NODE_FEATURES_PRIVATE_PRIVATE_EXPORT_H
#define NODE_FEATURES_PRIVATE_PRIVATE_EXPORT_H

#include "adapter/redis/visit.h"
#include "node/archive/archive.h"
#include "node/features/private/private_id.h"

#define PRIVATE_EXPORT_PAGE 100 /* messages read from Redis at one time */

/* Is it a key of a conversation of this user, by which it is known? name borrows from key. */
bool private_export_key(const struct private_id *who, struct str key, struct str *name);
void private_export_pattern(const struct private_id *who, struct sb *out); /* of MATCH, for these */

/* ---- of the user ---- scratch holds what *out borrows; put appends lines, and says how many */
void private_export_blocked(const struct private_id *who, struct redis_visit *out,
                            struct sb *scratch);
unsigned private_export_put_blocked(const struct private_id *who, const struct str *reply,
                                    unsigned count, struct sb *out);
void private_export_unread(const struct private_id *who, struct redis_visit *out,
                           struct sb *scratch);
unsigned private_export_put_unread(const struct private_id *who, const struct str *reply,
                                   unsigned count, struct sb *out);

/* ---- of a conversation: pages from its first seq on ---- */
struct private_export_page { /* zero-initialise; private_export_page_fini */
    struct sb bytes;
    size_t ends[PRIVATE_EXPORT_PAGE]; /* of events in bytes */
    uint64_t seqs[PRIVATE_EXPORT_PAGE];
    bool is_hidden[PRIVATE_EXPORT_PAGE];
    unsigned count, put; /* put: so many are in lines */
    bool has_more;
    int64_t cursors[5]; /* last seq, read by the user, by the other one, delivered to both */
};

/* numbers: emptied, and borrowed by *out, as scratch. */
void private_export_page(const struct private_id *who, struct str conversation, uint64_t low,
                         struct redis_visit *out, struct sb *scratch, struct sb *numbers);
/* Errors: ERR_INTERNAL no such reply. */
MUST_USE int private_export_page_read(struct private_export_page *p, const struct str *reply,
                                      unsigned count);
void private_export_page_fini(struct private_export_page *p);

/* The line of the conversation itself; the page is its first one. */
void private_export_put_conversation(const struct private_id *who, struct str conversation,
                                     const struct private_export_page *p, struct sb *out);

/* Messages in the order of their seq, each once: those of the archive, which has been asked for the
 * range of the page, and those of the page that are not archived. The rest of the page follows
 * behind the last of several (has_more) pages of the archive. Says how many lines. */
unsigned private_export_put_messages(struct private_export_page *p,
                                     const struct archive_page *archived, struct sb *out);

#endif
