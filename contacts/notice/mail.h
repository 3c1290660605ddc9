/* One message of mail as bytes (RFC 5322, MIME): whatever is in a name or a text, it stays where it
 * was put. Pure. */
#ifndef CONTACTS_NOTICE_MAIL_H
#define CONTACTS_NOTICE_MAIL_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

struct mail {                   /* borrows */
    struct str from_name, from; /* name: any UTF-8, or empty */
    struct str to_name, to;
    struct str reply_to;    /* an address; empty: none */
    struct str subject;     /* any UTF-8; its line ends become blanks */
    struct str message_id;  /* without brackets */
    struct str in_reply_to; /* empty: it begins a conversation */
    struct str references;  /* message ids without brackets, between blanks; empty: none */
    uint64_t wall_ms;
    struct str text; /* UTF-8; \n, \r\n or \r end its lines */
};

#define MAIL_LINE_MAX 78 /* bytes of a line of ours, RFC 5322 2.1.1 */
#define MAIL_ADDRESS_MAX 254
#define MAIL_ID_MAX 200

/* An address that mail can be sent to without quoting: dot-atom@host.name, ASCII. */
bool mail_is_address(struct str address);

/* "name <address>", "<address>" or "address". False: no address in it. *name may be empty. */
bool mail_parse_mailbox(struct str text, struct str *name, struct str *address);

/* Appends the message, its lines ended by CRLF. Errors: ERR_SCHEMA: an address or a message id that
 * is none, text that is not UTF-8; nothing is appended then. */
MUST_USE int mail_encode(const struct mail *m, struct sb *out);

#endif
