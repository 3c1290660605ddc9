/* Decoder of emit orders, strict: what is unknown, given twice or of another type is refused, since
 * a slip such as "room" for "rooms" would reach everybody. Must never allocate by a number that the
 * peer wrote. */
#include "node/ops/emit_order.h"

#include "base/json.h"

struct reader {
    struct ops_emit_order *out;
    struct sb *scratch, *why;
    struct json event, data;
    bool is_list; /* data is an array of arguments */
    struct str user;
};

static int refuse(struct sb *why, const char *sentence)
{
    sb_z(why, sentence);
    return ERR_SCHEMA;
}

/* min 0 would let the empty room through, which Node.js never makes */
static bool read_name(struct reader *r, struct json v, size_t max, struct str *out)
{
    return json_text(v, r->scratch, out) == OK && out->n >= 1 && out->n <= max;
}

/* ---- members ---- */

/* socket.io-client closes the connection on these: everybody reached would be thrown out.
 * Source: socket.io-parser 4.2, isDataValid. */
static bool is_reserved(struct str name)
{
    static const struct str names[] = {STR("connect"),     STR("connect_error"),
                                       STR("disconnect"),  STR("disconnecting"),
                                       STR("newListener"), STR("removeListener")};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq(name, names[i])) return true;
    return false;
}

static int read_event(struct reader *r, struct json v)
{
    struct str name;

    if (!read_name(r, v, OPS_EMIT_NAME_MAX, &name))
        return refuse(r->why, "event: must be a text of 1 to 256 bytes");
    if (is_reserved(name)) {
        sb_z(r->why, "event: ");
        sb_json(r->why, name);
        return refuse(r->why, " is reserved by Socket.IO");
    }
    r->event = v;
    return OK;
}

static int take_data(struct reader *r, struct json v, bool is_list)
{
    if (r->data.raw.n) return refuse(r->why, "data and args: give one of them");
    r->data = v;
    r->is_list = is_list;
    return OK;
}

static int read_data(struct reader *r, struct json v)
{
    return take_data(r, v, false);
}

static int read_args(struct reader *r, struct json v)
{
    if (v.type != JSON_ARRAY) return refuse(r->why, "args: must be an array");
    return take_data(r, v, true);
}

static bool read_list(struct reader *r, struct json v, struct str *items, unsigned *count)
{
    struct str rest;
    struct json item;

    if (v.type != JSON_ARRAY) return false;
    rest = json_begin(v);
    while (json_next_item(&rest, &item)) {
        if (*count == SIO_CAST_ROOMS || !read_name(r, item, OPS_EMIT_NAME_MAX, &items[*count]))
            return false;
        ++*count;
    }
    return true;
}

static int read_rooms(struct reader *r, struct json v)
{
    if (!read_list(r, v, r->out->rooms, &r->out->rooms_count))
        return refuse(r->why, "rooms: must be an array of 1 to 8 texts of 1 to 256 bytes");
    /* A list that a program computed may be empty by accident. */
    if (!r->out->rooms_count)
        return refuse(r->why, "rooms: is empty; leave it out to reach the whole namespace");
    return OK;
}

static int read_except(struct reader *r, struct json v)
{
    if (read_list(r, v, r->out->except, &r->out->except_count)) return OK;
    return refuse(r->why, "except: must be an array of 0 to 8 texts of 1 to 256 bytes");
}

static int read_user(struct reader *r, struct json v)
{
    if (read_name(r, v, OPS_EMIT_NAME_MAX - 5, &r->user)) return OK;
    return refuse(r->why, "user: must be a text of 1 to 251 bytes");
}

static int read_namespace(struct reader *r, struct json v)
{
    if (read_name(r, v, OPS_EMIT_NAME_MAX, &r->out->nsp) && r->out->nsp.p[0] == '/') return OK;
    return refuse(r->why, "namespace: must be a text of 1 to 256 bytes that begins with a slash");
}

static int read_volatile(struct reader *r, struct json v)
{
    if (json_bool(v, &r->out->is_volatile)) return OK;
    return refuse(r->why, "volatile: must be true or false");
}

static const struct member {
    struct str name;
    int (*read)(struct reader *r, struct json v);
} members[] = {
    {STR("event"), read_event},         {STR("data"), read_data},
    {STR("args"), read_args},           {STR("rooms"), read_rooms},
    {STR("user"), read_user},           {STR("except"), read_except},
    {STR("namespace"), read_namespace}, {STR("volatile"), read_volatile},
};
#define MEMBERS (sizeof members / sizeof members[0])

static int refuse_unknown(struct reader *r, struct str key)
{
    struct str name = STR_NONE;

    if (json_text((struct json){JSON_STRING, key}, r->scratch, &name) != OK) name = key;
    sb_json(r->why, str_head(name, 64));
    sb_z(r->why, ": is not known; known are");
    for (size_t i = 0; i < MEMBERS; i++) {
        sb_z(r->why, i ? ", " : " ");
        sb_str(r->why, members[i].name);
    }
    return ERR_SCHEMA;
}

static int read_member(struct reader *r, struct str key, struct json v, unsigned *seen)
{
    for (unsigned i = 0; i < MEMBERS; i++) {
        if (!json_key_is(key, members[i].name)) continue;
        if (*seen & 1U << i) {
            sb_str(r->why, members[i].name);
            return refuse(r->why, ": is given twice");
        }
        *seen |= 1U << i;
        return members[i].read(r, v);
    }
    return refuse_unknown(r, key);
}

/* ---- the whole ---- */

static int add_user(struct reader *r)
{
    size_t start = r->scratch->n;

    if (!r->user.n) return OK;
    if (r->out->rooms_count == SIO_CAST_ROOMS)
        return refuse(r->why, "rooms: 7 at most beside user, who is a room as well");
    sb_z(r->scratch, "user-");
    sb_str(r->scratch, r->user);
    r->out->rooms[r->out->rooms_count++] = str_skip(sb_view(r->scratch), start);
    return OK;
}

static void put_array(struct reader *r)
{
    struct str data = r->data.raw;
    size_t start = r->scratch->n;

    if (r->is_list) data = str_trim(str_of(data.p + 1, data.n - 2)); /* without its brackets */
    sb_char(r->scratch, '[');
    sb_str(r->scratch, r->event.raw);
    if (r->is_list ? json_count(r->data) != 0 : data.n != 0) {
        sb_char(r->scratch, ',');
        sb_str(r->scratch, data);
    }
    sb_char(r->scratch, ']');
    r->out->array = str_skip(sb_view(r->scratch), start);
}

static int parse(struct str body, struct json *v, struct sb *why)
{
    int rc = body.n ? json_parse(body, v) : ERR_PROTO;

    if (!body.n) {
        sb_z(why, "the body is empty");
    } else if (rc != OK) {
        sb_z(why, "the body is not JSON: ");
        sb_z(why, err_text(rc));
    } else if (v->type != JSON_OBJECT) {
        rc = refuse(why, "the body must be a JSON object");
    }
    return rc;
}

int ops_emit_order_decode(struct str body, struct sb *scratch, struct ops_emit_order *out,
                          struct sb *why)
{
    struct ops_emit_order order = {.nsp = STR("/")};
    struct reader r = {.out = &order, .scratch = scratch, .why = why};
    struct json v, value;
    struct str rest, key;
    unsigned seen = 0;
    int rc = parse(body, &v, why);

    if (rc != OK) return rc;
    scratch->n = 0;
    sb_reserve(scratch, 3 * body.n + 32); /* names, the user's room, the array: it never moves */
    rest = json_begin(v);
    while (rc == OK && json_next_member(&rest, &key, &value))
        rc = read_member(&r, key, value, &seen);
    if (rc == OK && !r.event.raw.n) rc = refuse(why, "event: is missing");
    if (rc == OK) rc = add_user(&r);
    if (rc != OK) return rc;
    put_array(&r);
    *out = order;
    return OK;
}
