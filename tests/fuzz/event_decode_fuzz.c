/* Every generated decoder over any JSON: the first byte picks the event. What is decoded must lie
 * in the payload or in the scratch builder; a refusal must say why. */
#include <stdint.h>
#include <stdlib.h>
#include "events_in.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sb scratch = {0}, why = {0};
    union event_in in;
    struct json payload;

    if (size < 2 || json_parse(str_of(data + 1, size - 1), &payload) != OK) return 0;
    for (unsigned i = 0; i < EVENT_COUNT; i++) {
        const struct event_schema *schema = &event_schemas[(data[0] + i) % EVENT_COUNT];

        scratch.n = why.n = 0;
        if (!schema->decode) continue;
        if (schema->decode(payload, &scratch, &in, &why) != OK && !why.n) abort();
        /* the room is where every text event keeps its name: read each byte of it */
        if (!why.n && schema->id == EVENT_joinRoom) {
            if (!in.join_room.room_id.n || !str_is_utf8(in.join_room.room_id)) abort();
        } else if (!why.n && schema->id == EVENT_roomMessage) {
            struct json again;

            if (json_parse(in.room_message.message, &again) != OK) abort();
        }
    }
    sb_fini(&scratch);
    sb_fini(&why);
    return 0;
}
