/* What users and conversations are called in keys and on the wire. Users are compared by type and
 * value: 7 is not "7". Pure. */
#ifndef NODE_FEATURES_PRIVATE_PRIVATE_ID_H
#define NODE_FEATURES_PRIVATE_PRIVATE_ID_H

#include "base/str.h"

struct private_id {
    struct sb bytes; /* what the slices point to */
    struct str raw;  /* JSON, as it came */
    struct str text; /* for rooms and keys named user…: 7 and "7" are the same there */
    struct str part; /* [A-Za-z0-9._@%-]+, numbers with # in front: one for each user */
};

/* raw: JSON, a text that is not empty or a number. private_id_fini always. Errors: ERR_SCHEMA. */
MUST_USE int private_id_init(struct private_id *id, struct str raw);
void private_id_fini(struct private_id *id);

/* Appends the name of the conversation of two, the same in either order: their parts and a colon.
 */
void private_conversation(struct str part_a, struct str part_b, struct sb *out);
/* The other one of a conversation; the same in one with oneself. */
struct str private_conversation_other(struct str conversation, struct str part);
bool private_conversation_has(struct str conversation, struct str part);

#endif
