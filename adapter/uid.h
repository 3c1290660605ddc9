/* Names of this server on the Socket.IO wires, one per namespace. They hold the node id, so that
 * who did not answer can be named to people, and no table of names has to travel. To a peer they
 * are as random as its own. */
#ifndef ADAPTER_UID_H
#define ADAPTER_UID_H

#include <stdbool.h>
#include "adapter/adapter.h"

#define UID_SHORT_SIZE 6 /* classic: A-Z a-z 0-9 - _ (reference 4.1) */
#define UID_HEX_SIZE 16  /* sharded and streams (reference 5.1) */

/* node: ADAPTER_NODE_ID_SIZE characters. */
void uid_make_short(struct str node, char out[UID_SHORT_SIZE]); /* the id and two random ones */
void uid_make_hex(struct str node, char out[UID_HEX_SIZE]);     /* its bytes and four random ones */

/* Node id that a uid would hold if it is one of ours. False: not of a shape of ours. A peer's uid
 * may look like one: only ids of nodes that are alive mean anything. */
bool uid_node(struct str uid, char node[ADAPTER_NODE_ID_SIZE]);

#endif
