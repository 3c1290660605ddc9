/* Uids that hold the node id. */
#include "adapter/uid.h"

#include <string.h>
#include "base/rand.h"
#include "base/forbid.h"

static const char digits[] = "0123456789abcdef";

void uid_make_short(struct str node, char out[UID_SHORT_SIZE])
{
    memcpy(out, node.p, ADAPTER_NODE_ID_SIZE);
    rand_id(out + ADAPTER_NODE_ID_SIZE, UID_SHORT_SIZE - ADAPTER_NODE_ID_SIZE);
}

void uid_make_hex(struct str node, char out[UID_HEX_SIZE])
{
    unsigned char bytes[UID_HEX_SIZE / 2];

    rand_bytes(bytes, sizeof bytes);
    memcpy(bytes, node.p, ADAPTER_NODE_ID_SIZE);
    for (size_t i = 0; i < sizeof bytes; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
}

static int nibble(char c)
{
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

bool uid_node(struct str uid, char node[ADAPTER_NODE_ID_SIZE])
{
    char out[UID_HEX_SIZE / 2];

    if (uid.n == UID_SHORT_SIZE) {
        memcpy(node, uid.p, ADAPTER_NODE_ID_SIZE);
        return true;
    }
    if (uid.n != UID_HEX_SIZE) return false;
    for (size_t i = 0; i < sizeof out; i++) {
        int high = nibble(uid.p[2 * i]), low = nibble(uid.p[2 * i + 1]);

        if (high < 0 || low < 0) return false;
        out[i] = (char)(high << 4 | low);
    }
    memcpy(node, out, ADAPTER_NODE_ID_SIZE);
    return true;
}
