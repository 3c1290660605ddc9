/* Private messages beyond what Redis keeps: appended to and read from MongoDB by worker threads.
 * On where MONGODB_URI is set. A message is there once, however often it is appended. It knows
 * conversations and users by the names that they have in keys, and an event as the text it is. */
#ifndef NODE_ARCHIVE_ARCHIVE_H
#define NODE_ARCHIVE_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

#define ARCHIVE_BATCH_MAX 200 /* messages of one append */
#define ARCHIVE_PAGE_MAX 200  /* messages of one page */
#define ARCHIVE_ERASE_MAX 1000
#define ARCHIVE_NAMES_MAX 200

struct archive;
struct conf;
struct loop;

/* How long the archive keeps messages (ARCHIVE_DAYS) is the nodes' business: a program that runs an
 * errand of the operator's leaves it as it is. */
enum archive_of { ARCHIVE_OF_NODE, ARCHIVE_OF_OPERATOR };

/* Waits for the server for two fifths of STORE_TIMEOUT_MS at the most; one that is away will be
 * looked for. Without MONGODB_URI *out is an archive that is off. *out: archive_close. Errors:
 * ERR_CONFIG a malformed URI, access refused; *why says it in one sentence (returned new). */
MUST_USE int archive_open(struct loop *l, const struct conf *c, enum archive_of who,
                          struct archive **out, char **why);
/* Calls that are open are answered with ERR_CLOSED, within the call. */
void archive_close(struct archive *a);

bool archive_is_on(const struct archive *a); /* NULL: off */
bool archive_is_up(const struct archive *a); /* it answered the last time; an archive that is on */

struct archive_message { /* borrows */
    uint64_t seq;        /* ascends within the conversation */
    uint64_t at_ms;      /* since 1970 */
    struct str from;     /* the sender */
    struct str id;       /* messageId */
    struct str event;    /* a JSON object */
    bool is_hidden;      /* from all but the sender; of a page: from the viewer */
};

/* All calls: done is called exactly once, never within the call, at the latest after
 * STORE_TIMEOUT_MS. What is passed is copied.
 * rc: OK; ERR_UNAVAILABLE it is away or busy; ERR_TIMEOUT no answer in time, a write may have
 * arrived; ERR_TOO_BIG, ERR_INTERNAL; ERR_CLOSED. */

struct archive_batch {
    struct str conversation;
    struct str users[2]; /* of the conversation */
    const struct archive_message *messages;
    unsigned count; /* 1 … ARCHIVE_BATCH_MAX */
};

typedef void archive_done_fn(void *ctx, int rc);

/* OK: a majority of the servers has all of them in its journal. */
void archive_append(struct archive *a, const struct archive_batch *b, archive_done_fn *done,
                    void *ctx);

struct archive_query {
    struct str conversation;
    struct str viewer;  /* a hidden message is shown to its sender alone */
    bool with_hidden;   /* to an operator: hidden ones, too */
    uint64_t low, high; /* seq from low to high, both included */
    bool is_forth;      /* from the lowest on; else from the highest down */
    unsigned most;      /* 1 … ARCHIVE_PAGE_MAX */
    size_t most_bytes;  /* of the events; one is given in any case */
};

struct archive_page {                       /* borrows until done returns */
    const struct archive_message *messages; /* in ascending order; seq, event, is_hidden alone */
    unsigned count;
    bool has_more;    /* in the direction that was asked for */
    struct str names; /* of archive_names alone */
};

typedef void archive_read_fn(void *ctx, int rc, const struct archive_page *page);

/* Documents that are no messages are passed over. */
void archive_read(struct archive *a, const struct archive_query *q, archive_read_fn *done,
                  void *ctx);

/* Names of a user's conversations behind one of them (empty: all), in the order of their bytes:
 * up to ARCHIVE_NAMES_MAX, each with a line end behind it. None: there are no more. For operators:
 * it looks at all messages of the user. */
void archive_names(struct archive *a, struct str user, struct str after, archive_read_fn *done,
                   void *ctx);

typedef void archive_erased_fn(void *ctx, int rc, unsigned count);

/* Erases up to ARCHIVE_ERASE_MAX messages of all conversations of a user; count: how many. Call it
 * again until that is 0. */
void archive_erase(struct archive *a, struct str user, archive_erased_fn *done, void *ctx);

#endif
