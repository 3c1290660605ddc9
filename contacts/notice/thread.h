/* What holds the mails of one contact together: their message ids, and the address that an answer
 * to one of them goes to. Pure. */
#ifndef CONTACTS_NOTICE_THREAD_H
#define CONTACTS_NOTICE_THREAD_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

#define THREAD_CONTACT_MAX 64 /* bytes of a contact's id */

/* Appends the id of the mail about a message of a contact (0: about the form itself), the same each
 * time it is sent: "<contact>.<seq>@<host>". host: of the sender's address. */
void notice_thread_id(struct str contact, uint64_t seq, struct str host, struct sb *out);

/* Appends the address with a token: "support+<contact>.<sum>@host" for "support@host". Nothing is
 * appended where there is no room for it in an address; mail without it is answered by hand. */
void notice_thread_address(struct str address, struct str contact, struct str key, struct sb *out);

/* Which contact an address with a token means. *contact borrows. False: none of ours, or forged. */
bool notice_thread_contact(struct str address, struct str key, struct str *contact);

#endif
