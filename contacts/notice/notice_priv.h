/* Inside contacts/notice only. */
#ifndef CONTACTS_NOTICE_NOTICE_PRIV_H
#define CONTACTS_NOTICE_NOTICE_PRIV_H

#include "base/conf.h"
#include "base/loop.h"
#include "base/mailer.h"
#include "base/outbound.h"
#include "contacts/notice/notice.h"
#include "contacts/rules/token.h"

enum { NOTICE_HOOKS_MAX = 16, NOTICE_HOOK_ID = 16, NOTICE_TEAM_MAX = 16 };

struct notice_hook {             /* one of WEBHOOK_URLS */
    char id[NOTICE_HOOK_ID + 1]; /* of the URL, the same on every node and after every start */
    char *url;
};

struct notice {
    struct loop *loop;
    const struct conf *conf;
    struct store *store;
    struct notice_hooks hooks;
    struct notice_hook webhooks[NOTICE_HOOKS_MAX];
    unsigned webhooks_count;
    struct outbound *out;
    struct notice_mailbox {
        struct mailer *mailer;            /* NULL: no SMTP_URL */
        struct str from_name, from, host; /* of SMTP_FROM */
        struct str team[NOTICE_TEAM_MAX]; /* NOTICE_MAIL_TO */
        unsigned team_count;
        struct token_keys keys;
    } mail;
    struct timer timer; /* the next entry that is due, or the next look */
    int64_t timer_at;   /* of it */
    struct list letters;
    unsigned running;
    bool is_looking, is_wanted; /* asked while it looks */
};

/* One entry on its way. The store answers after notice_free, too: then notice is NULL. */
struct notice_letter {
    struct list node;
    struct notice *notice;
    struct arena mem;
    struct outbox entry;
    struct contact contact; /* as it was when the entry was taken */
    int64_t again_at;       /* it was put off until then; 0: it was not */
    struct outbound_call *call;
    int64_t mailed_seq;                    /* of the newest message in the mail; 0: the form */
    void (*then)(struct notice_letter *l); /* after notice_keep */
};

/* The end of a delivery; the letter is gone. */
void notice_told(struct notice_letter *l);
void notice_failed(struct notice_letter *l, struct str why, uint64_t retry_after_s);
void notice_give_up(struct notice_letter *l, struct str why);

/* The lease of the entry is as long as this delivery may take; then go on. */
void notice_keep(struct notice_letter *l, uint64_t ms, void (*then)(struct notice_letter *l));

/* True: notice_free has come, and the letter is gone. First line of every callback of the store. */
bool notice_is_over(struct notice_letter *l);

/* notice_webhook.c */
MUST_USE int notice_webhooks_open(struct notice *n, struct sb *why);
void notice_webhooks_close(struct notice *n);
void notice_webhook_send(struct notice_letter *l);

/* notice_mail.c */
MUST_USE int notice_mail_open(struct notice *n, struct sb *why);
void notice_mail_send(struct notice_letter *l);

/* notice_add.c */
const char *notice_event(enum notice_what what);

#endif
