/* Telling others what has happened, until they know: entries of the outbox (store.h), which are
 * written together with what they tell. A node takes one that is due, tells it, and strikes it out;
 * what fails comes again later and later, and in the end stays in the list of the dead. An entry
 * may be told twice (a node died in between): its id says that it is the same.
 *
 * Whom: the agents' sockets (kind "socket"; the desk does it), WEBHOOK_URLS (kind "webhook"), and
 * by SMTP_URL the team and visitors who are away (kind "mail"). */
#ifndef CONTACTS_NOTICE_NOTICE_H
#define CONTACTS_NOTICE_NOTICE_H

#include "contacts/store/store.h"

struct notice;

enum notice_what {
    NOTICE_CREATED, /* a form has come */
    NOTICE_CLAIMED, /* somebody has it now */
    NOTICE_VISITOR, /* a message of the visitor */
    NOTICE_AGENT,   /* a message of an agent: mail, if the visitor is away */
    NOTICE_RESOLVED,
    NOTICE_RATED,
    NOTICE_WHAT_COUNT,
};

struct notice_hooks {
    /* Kind "socket". told is called later, OK: whatever becomes of this node, they hear of it.
     * False: it is not, and nobody was told. What is not told is tried again in a moment. */
    bool (*tell_agents)(void *ctx, const struct outbox *o, void (*told)(void *letter, int rc),
                        void *letter);
    void *ctx;
};

/* store, c and what hooks point to live longer. Returns new; NULL and one sentence (*why, returned
 * new) when an option cannot be used. */
struct notice *notice_new(struct loop *l, const struct conf *c, struct store *s,
                          const struct notice_hooks *hooks, char **why);
void notice_free(struct notice *n); /* what is under way is told again by another node */

/* Appends to *more what webhooks and mailboxes are to be told of this. m: the message, or NULL. n
 * NULL: nothing. The contact is as it will be written. */
void notice_add(const struct notice *n, enum notice_what what, const struct contact *c,
                const struct message *m, struct arena *mem, struct store_more *more);

/* There may be something to tell: a node was lost, the store or Redis is back, an entry was woken.
 * n NULL: nothing happens. */
void notice_ask(struct notice *n);

/* Entries were written here, the first of them is due at `at`; 0: none were. Until then the store
 * is not asked. n NULL: nothing happens. */
void notice_due_at(struct notice *n, int64_t at);

#endif
