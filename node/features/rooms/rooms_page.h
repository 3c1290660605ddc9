/* One page of a room's members: out of the reply of the script in rooms_names.c, or, without Redis,
 * out of the sockets here. */
#ifndef NODE_FEATURES_ROOMS_ROOMS_PAGE_H
#define NODE_FEATURES_ROOMS_ROOMS_PAGE_H

#include <stdbool.h>
#include "base/str.h"

enum { ROOMS_NAMES_MAX = 200 };

struct rooms_page {
    struct rooms_row {
        struct str key, row; /* row: members of userJoinedRoom, without roomId */
    } rows[ROOMS_NAMES_MAX];
    unsigned count;
    bool has_more;
    struct str last; /* cursor */
    struct sb text;  /* what they point to; of rooms_page_here alone */
};

struct identity;
struct rooms_room;

/* reply: 1 when there is more, the cursor, then key and row of each. False: garbage. */
bool rooms_page_read(struct rooms_page *p, const struct str *reply, unsigned count);
void rooms_page_here(struct rooms_page *p, const struct rooms_room *m, struct str after);
/* The row of who is in from now on. */
void rooms_page_put(const struct identity *who, struct sb *out);
void rooms_page_fini(struct rooms_page *p);

#endif
