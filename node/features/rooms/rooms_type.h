/* The types of rooms, and what each decides: who may come in, whether what is said is kept, how
 * many fit in, when an idle room ends. One table; pure. */
#ifndef NODE_FEATURES_ROOMS_ROOMS_TYPE_H
#define NODE_FEATURES_ROOMS_ROOMS_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/str.h"

struct conf;

enum rooms_access {
    ROOMS_OPEN,  /* to everybody */
    ROOMS_OWN,   /* to the user of that name */
    ROOMS_NAMED, /* to admins, and to whom the token names it */
};

struct rooms_type {
    const char *word; /* roomType; "": any other word, or none */
    const char
        *prefix; /* a room of this name is of this type, whatever a joiner says; NULL: none */
    enum rooms_access access; /* of the rooms with the prefix */
    bool has_history;
    bool is_left_alone;   /* no names, no idle end: of somebody else in this house */
    unsigned members_max; /* sockets over all nodes; 0: no limit */
    size_t idle_ms;       /* place in struct conf */
};

/* What its name says, else the word of the first joiner (STR_NONE: none). */
const struct rooms_type *rooms_type_of(struct str room, struct str word);
/* Of a word alone, ROOMS_OPEN always: the word of a stranger opens and closes nothing. */
enum rooms_access rooms_type_access(struct str room);
uint64_t rooms_type_idle_ms(const struct rooms_type *t, const struct conf *c); /* 0: never */
/* The words whose rooms keep what is said, and "" when those without a word do. i from 0; NULL
 * behind the last one. */
const char *rooms_type_kept(unsigned i);

#endif
