/* A contact: the form of a visitor and what has become of it. Its head is struct contact
 * (record.h); messages are records of their own. Domain logic changes the head in memory and hands
 * it to store_contact_update. */
#ifndef CONTACTS_RECORD_CONTACT_H
#define CONTACTS_RECORD_CONTACT_H

#include "contacts/record/record.h"

#define CONTACT_PENDING STR("pending") /* waits for an agent */
#define CONTACT_IN_PROGRESS STR("in_progress")
#define CONTACT_RESOLVED STR("resolved")

#define CONTACT_BYTES_MAX 8388608 /* messages and notes: a document of MongoDB ends at 16 MB */
#define CONTACT_MESSAGES_MAX 20000

bool contact_is_pending(const struct contact *c);
bool contact_is_in_progress(const struct contact *c);
bool contact_is_resolved(const struct contact *c);

/* The object that pages know: the fields that this reader may see under their wire names, and
 * assignedAdmin {id, name, email, claimedAt} when somebody has or had it (a visitor sees id and
 * name). */
void contact_put(const struct contact *c, enum record_sees who, struct sb *out);

#endif
