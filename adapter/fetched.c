/* Old peers ask for ids and rooms alone: both are made of what a fetch gives. */
#include "adapter/fetched.h"

#include "base/json.h"
#include "base/map.h"
#include "base/forbid.h"

static void put(struct sb *out, struct str raw)
{
    if (out->p[out->n - 1] != '[') sb_char(out, ',');
    sb_str(out, raw);
}

void fetched_ids(struct str sockets, struct sb *out)
{
    struct json list, socket, id;
    struct str rest;

    sb_char(out, '[');
    if (json_parse_deep(sockets, JSON_DEPTH_MAX + 3, &list) == OK && list.type == JSON_ARRAY) {
        rest = json_begin(list);
        while (json_next_item(&rest, &socket))
            if (socket.type == JSON_OBJECT && json_member(socket, STR("id"), &id)) put(out, id.raw);
    }
    sb_char(out, ']');
}

static void put_rooms(struct json socket, struct map *seen, struct sb *out)
{
    static char is_seen;
    struct json rooms, room;
    struct str rest;

    if (socket.type != JSON_OBJECT || !json_member(socket, STR("rooms"), &rooms)) return;
    if (rooms.type != JSON_ARRAY) return;
    rest = json_begin(rooms);
    while (json_next_item(&rest, &room))
        if (!map_put(seen, room.raw, &is_seen)) put(out, room.raw);
}

void fetched_rooms(struct str sockets, struct sb *out)
{
    struct json list, socket;
    struct map seen = {0};
    struct str rest;

    sb_char(out, '[');
    if (json_parse_deep(sockets, JSON_DEPTH_MAX + 3, &list) == OK && list.type == JSON_ARRAY) {
        rest = json_begin(list);
        while (json_next_item(&rest, &socket))
            put_rooms(socket, &seen, out);
    }
    map_fini(&seen);
    sb_char(out, ']');
}
