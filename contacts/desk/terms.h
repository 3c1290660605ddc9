/* Business hours and promises of time: JSON files that are read once at start. */
#ifndef CONTACTS_DESK_TERMS_H
#define CONTACTS_DESK_TERMS_H

#include "contacts/rules/sla.h"

struct conf;

/* HOURS_FILE and SLA_FILE; without them always open, and no promises. *hours: returns new,
 * hours_free; NULL: always open. Errors: ERR_CONFIG, *why (returned new) is one sentence. */
MUST_USE int terms_read(const struct conf *c, struct hours **hours, struct sla_policy *sla,
                        char **why);

#endif
