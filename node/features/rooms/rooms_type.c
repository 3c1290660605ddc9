/* See rooms_type.h. The first row that fits counts; the last one fits all. */
#include "node/features/rooms/rooms_type.h"

#include "base/conf.h"

#define IDLE(option) .idle_ms = offsetof(struct conf, option)

static const struct rooms_type types[] = {
    {.word = "personal",
     .prefix = "user-",
     .access = ROOMS_OWN,
     .is_left_alone = true,
     IDLE(room_idle_chat_ms)},
    {.word = "quiz", IDLE(room_idle_quiz_ms)},
    {.word = "quiz",
     .prefix = "quiz-",
     .access = ROOMS_NAMED,
     .is_left_alone = true,
     IDLE(room_idle_quiz_ms)},
    {.word = "contact",
     .prefix = "contact-",
     .access = ROOMS_NAMED,
     .members_max = 50,
     IDLE(room_idle_contact_ms)},
    {.word = "chat", .has_history = true, IDLE(room_idle_chat_ms)},
    {.word = "", .has_history = true, IDLE(room_idle_chat_ms)}, /* none was given */
    {.word = NULL, IDLE(room_idle_chat_ms)},                    /* a word of the application */
};

enum { TYPES = sizeof types / sizeof types[0] };

static const struct rooms_type *by_name(struct str room)
{
    for (unsigned i = 0; i < TYPES; i++)
        if (types[i].prefix && str_starts(room, str_z(types[i].prefix))) return &types[i];
    return NULL;
}

const struct rooms_type *rooms_type_of(struct str room, struct str word)
{
    const struct rooms_type *t = by_name(room);

    if (t) return t;
    for (unsigned i = 0; i < TYPES - 1; i++)
        if (str_eq(word, str_z(types[i].word))) return &types[i];
    return &types[TYPES - 1];
}

enum rooms_access rooms_type_access(struct str room)
{
    const struct rooms_type *t = by_name(room);

    return t ? t->access : ROOMS_OPEN;
}

uint64_t rooms_type_idle_ms(const struct rooms_type *t, const struct conf *c)
{
    const char *at = (const char *)c + t->idle_ms;
    uint64_t ms;

    memcpy(&ms, at, sizeof ms);
    return t->is_left_alone ? 0 : ms;
}

const char *rooms_type_kept(unsigned i)
{
    unsigned found = 0;

    for (unsigned k = 0; k < TYPES; k++)
        if (types[k].has_history && found++ == i) return types[k].word;
    return NULL;
}
