/* Messages of a chat, notes, and lines about what happened (struct message of record.h). */
#ifndef CONTACTS_RECORD_MESSAGE_H
#define CONTACTS_RECORD_MESSAGE_H

#include "contacts/record/record.h"

#define MESSAGE_VISITOR STR("visitor")
#define MESSAGE_AGENT STR("agent")
#define MESSAGE_SYSTEM STR("system") /* a line about what happened, for both sides */
#define MESSAGE_NOTE STR("note")     /* never for a visitor */

bool message_is_note(const struct message *m);

/* {id, contactId, senderId, …, seq}; a note has note true. */
void message_put(const struct message *m, struct str contact_id, struct sb *out);

/* What it adds to the contact's bytes. */
int64_t message_bytes(const struct message *m);

#endif
