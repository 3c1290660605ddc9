/* Reading the JSON array of socket objects that a fetch gives. Pure. */
#ifndef ADAPTER_FETCHED_H
#define ADAPTER_FETCHED_H

#include "base/str.h"

/* Appends a JSON array of the ids, or of all rooms, each once. What is no such object is passed
 * over. */
void fetched_ids(struct str sockets, struct sb *out);
void fetched_rooms(struct str sockets, struct sb *out);

#endif
