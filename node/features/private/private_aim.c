/* Whom a cast reaches. The room user-7 is that of the users 7 and "7"; those whose id is the number
 * are in an inner room as well, by which the one or the other is left out. */
#include "node/features/private/private_priv.h"
#include "node/people/people.h"

enum {
    ID_MAX = 512,
    ROOMS_MAX = 4,
    NAMES_MAX = ROOMS_MAX * (ID_MAX + 16)
}; /* otherId: 128 characters */

static struct str name_of(void (*put)(struct str id_text, struct sb *out), struct str text,
                          struct sb *names)
{
    size_t from = names->n;

    put(text, names);
    return str_skip(sb_view(names), from);
}

/* A text that no number looks like has the room for itself. */
static bool may_be_a_number(struct str text)
{
    return text.n && (text.p[0] == '-' || (text.p[0] >= '0' && text.p[0] <= '9'));
}

void private_aim(struct sio_cast *to, struct str text, struct str part, struct sb *names)
{
    bool is_number = part.n && part.p[0] == '#';

    if (!names->n) sb_reserve(names, NAMES_MAX); /* the cast points into it: it must not move */
    if (is_number) {
        to->rooms[to->rooms_count++] = name_of(people_number_room, text, names);
        return;
    }
    to->rooms[to->rooms_count++] = name_of(people_room, text, names);
    if (may_be_a_number(text))
        to->except[to->except_count++] = name_of(people_number_room, text, names);
}
