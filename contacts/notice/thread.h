/* What holds the mails of one contact together: their message ids. Pure. */
#ifndef CONTACTS_NOTICE_THREAD_H
#define CONTACTS_NOTICE_THREAD_H

#include <stdint.h>
#include "base/str.h"

#define THREAD_CONTACT_MAX 64 /* bytes of a contact's id */

/* Appends the id of the mail about a message of a contact (0: about the form itself), the same each
 * time it is sent: "<contact>.<seq>@<host>". host: of the sender's address. */
void notice_thread_id(struct str contact, uint64_t seq, struct str host, struct sb *out);

#endif
