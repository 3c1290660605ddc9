/* Names of the Redis channels, from one table (channel.def). Pure. */
#ifndef ADAPTER_CHANNEL_H
#define ADAPTER_CHANNEL_H

#include "base/str.h"

enum channel {
#define CHANNEL(id, sort, name, doc) CHANNEL_##id,
#include "adapter/channel.def"
#undef CHANNEL
    CHANNEL_COUNT
};

struct channel_parts { /* what the name asks for; borrows */
    struct str prefix, nsp, room, uid, node;
};

void channel_name(enum channel c, const struct channel_parts *parts, struct sb *out); /* appends */

/* Room of a channel that a broadcast came on: what is between "{prefix}#{nsp}#" and the last
 * character. False: the channel is not of this namespace. All rooms: empty. */
bool channel_room(struct str channel, struct str prefix, struct str nsp, struct str *room);

void channel_print_markdown(struct sb *out); /* docs/keys.md */

#endif
