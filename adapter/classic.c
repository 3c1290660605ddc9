/* Broadcasts on the classic wire. Whatever Redis hands over is untrusted: it ends as a cast or as
 * an error. */
#include "adapter/classic.h"

#include "adapter/msgpack.h"
#include "adapter/wire_data.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/forbid.h"

enum { TYPE_EVENT = 2, TYPE_BINARY_EVENT = 5 };

static void put_list(struct sb *out, const char *key, const struct str *items, unsigned count)
{
    msgpack_put_str(out, str_z(key));
    msgpack_put_array(out, count);
    for (unsigned i = 0; i < count; i++)
        msgpack_put_str(out, items[i]);
}

int classic_encode(struct str uid, const struct adapter_cast *c, struct sb *out)
{
    bool is_volatile = c->flags & ADAPTER_VOLATILE, is_plain = c->flags & ADAPTER_NO_COMPRESS;
    int rc;

    msgpack_put_array(out, 3);
    msgpack_put_str(out, uid);
    msgpack_put_map(out, 3);
    msgpack_put_str(out, STR("type"));
    msgpack_put_int(out, TYPE_EVENT);
    msgpack_put_str(out, STR("data"));
    rc = msgpack_from_json(c->array, c->attachments, c->attachments_count, out);
    if (rc != OK) return rc;
    msgpack_put_str(out, STR("nsp"));
    msgpack_put_str(out, c->nsp);
    msgpack_put_map(out, 3);
    put_list(out, "rooms", c->rooms, c->rooms_count);
    put_list(out, "except", c->except, c->except_count);
    msgpack_put_str(out, STR("flags"));
    msgpack_put_map(out, (size_t)is_volatile + (size_t)is_plain);
    if (is_volatile) {
        msgpack_put_str(out, STR("volatile"));
        msgpack_put_bool(out, true);
    }
    if (is_plain) {
        msgpack_put_str(out, STR("compress"));
        msgpack_put_bool(out, false);
    }
    return OK;
}

static void reserve_list(struct classic *c, int which, unsigned count)
{
    if (c->caps[which] >= count) return;
    c->lists[which] = mem_grow(c->lists[which], count * sizeof(struct str));
    c->caps[which] = count;
}

/* Node's rooms may be numbers too; here they are their text. Its place is known when all are read.
 */
static int read_room(struct str *rest, struct sb *numbers, struct str *room)
{
    struct msgpack v;
    int rc = msgpack_next(rest, &v);

    if (rc != OK) return rc;
    if (v.type == MSGPACK_STR) {
        *room = v.bytes;
        return OK;
    }
    if (v.type != MSGPACK_INT && v.type != MSGPACK_UINT) return ERR_PROTO;
    *room = (struct str){NULL, numbers->n};
    if (v.type == MSGPACK_INT)
        sb_i64(numbers, v.i);
    else
        sb_u64(numbers, v.u);
    sb_char(numbers, 0);
    return OK;
}

/* which: 0 rooms, 1 except */
static int read_list(struct str *rest, struct classic *c, int which, unsigned *count)
{
    struct msgpack head;
    int rc = msgpack_next(rest, &head);

    if (rc != OK) return rc;
    *count = 0;
    if (head.type == MSGPACK_NIL) return OK;
    if (head.type != MSGPACK_ARRAY) return ERR_PROTO; /* read as "all" it would reach too many */
    if (head.count > CLASSIC_ROOMS_MAX) return ERR_LIMIT;
    reserve_list(c, which, head.count);
    for (uint32_t i = 0; i < head.count; i++) {
        rc = read_room(rest, &c->numbers, &c->lists[which][i]);
        if (rc != OK) return rc;
    }
    *count = head.count;
    return OK;
}

static void settle_list(const struct classic *c, int which, unsigned count)
{
    struct str *items = c->lists[which];

    for (unsigned i = 0; i < count; i++)
        if (!items[i].p) items[i] = str_z(c->numbers.p + items[i].n);
}

static int read_flags(struct str *rest, unsigned *flags)
{
    struct msgpack head, key, v;
    struct str at;
    int rc = msgpack_next(rest, &head);

    if (rc != OK || head.type == MSGPACK_NIL) return rc;
    if (head.type != MSGPACK_MAP) return ERR_PROTO;
    for (uint32_t i = 0; i < head.count; i++) {
        rc = msgpack_expect(rest, MSGPACK_STR, &key);
        at = *rest;
        if (rc == OK) rc = msgpack_skip(rest);
        if (rc == OK) rc = msgpack_next(&at, &v);
        if (rc != OK) return rc;
        if (v.type != MSGPACK_BOOL) continue;
        if (v.b && str_eq(key.bytes, STR("volatile"))) *flags |= ADAPTER_VOLATILE;
        if (!v.b && str_eq(key.bytes, STR("compress"))) *flags |= ADAPTER_NO_COMPRESS;
    }
    return OK;
}

static int read_opts(struct str *rest, struct classic *c)
{
    struct msgpack head, key;
    int rc = msgpack_next(rest, &head);

    if (rc != OK || head.type == MSGPACK_NIL) return rc;
    if (head.type != MSGPACK_MAP) return ERR_PROTO;
    for (uint32_t i = 0; i < head.count && rc == OK; i++) {
        rc = msgpack_expect(rest, MSGPACK_STR, &key);
        if (rc != OK) break;
        if (str_eq(key.bytes, STR("rooms")))
            rc = read_list(rest, c, 0, &c->cast.rooms_count);
        else if (str_eq(key.bytes, STR("except")))
            rc = read_list(rest, c, 1, &c->cast.except_count);
        else if (str_eq(key.bytes, STR("flags")))
            rc = read_flags(rest, &c->cast.flags);
        else
            rc = msgpack_skip(rest);
    }
    return rc;
}

/* Where the parts of the packet are; data is turned into JSON only when the cast is for us. */
struct packet {
    struct str data, nsp;
    uint64_t type;
};

static int read_nsp(struct str *rest, struct str *nsp)
{
    struct msgpack v;
    int rc = msgpack_next(rest, &v);

    if (rc != OK || v.type == MSGPACK_NIL) return rc;
    if (v.type != MSGPACK_STR) return ERR_PROTO;
    *nsp = v.bytes;
    return OK;
}

static int read_packet(struct str *rest, struct packet *p)
{
    struct msgpack head, key, v;
    int rc = msgpack_expect(rest, MSGPACK_MAP, &head);

    for (uint32_t i = 0; rc == OK && i < head.count; i++) {
        rc = msgpack_expect(rest, MSGPACK_STR, &key);
        if (rc != OK) break;
        if (str_eq(key.bytes, STR("nsp"))) {
            rc = read_nsp(rest, &p->nsp);
        } else if (str_eq(key.bytes, STR("type"))) {
            rc = msgpack_expect(rest, MSGPACK_UINT, &v);
            if (rc == OK) p->type = v.u;
        } else {
            if (str_eq(key.bytes, STR("data"))) p->data = *rest;
            rc = msgpack_skip(rest);
        }
    }
    return rc;
}

/* socket.io-client closes with "parse error" on an event without a name or with a reserved one, so
 * such a broadcast would throw out everybody who gets it. Source: socket.io-parser 4.2,
 * isDataValid. */
static int check_event(struct str array)
{
    struct msgpack head, name;
    int rc = msgpack_expect(&array, MSGPACK_ARRAY, &head);

    if (rc == OK) rc = head.count ? msgpack_next(&array, &name) : ERR_PROTO;
    if (rc != OK) return rc;
    if (name.type == MSGPACK_UINT) return OK; /* numbers are names as well */
    if (name.type != MSGPACK_STR) return ERR_PROTO;
    return wire_data_is_reserved(name.bytes) ? ERR_PROTO : OK;
}

static int read_data(struct str data, struct classic *c)
{
    int rc = check_event(data);

    if (rc != OK) return rc;
    c->json.n = 0;
    c->attachments.count = 0;
    rc = msgpack_to_json(&data, &c->json, &c->attachments);
    c->cast.array = sb_view(&c->json);
    c->cast.attachments = c->attachments.items;
    c->cast.attachments_count = c->attachments.count;
    return rc;
}

int classic_decode(struct str payload, struct str own_uid, struct str nsp, struct classic *c)
{
    struct packet p = {.nsp = STR("/")};
    struct msgpack head, uid;
    int rc = msgpack_expect(&payload, MSGPACK_ARRAY, &head);

    if (rc != OK) return rc;
    if (head.count < 2 || head.count > 3) return ERR_PROTO;
    rc = msgpack_expect(&payload, MSGPACK_STR, &uid);
    if (rc != OK) return rc;
    if (str_eq(uid.bytes, own_uid)) return ERR_CLOSED; /* the common case ends before the packet */
    c->uid = uid.bytes;
    c->cast = (struct adapter_cast){.nsp = nsp};
    c->numbers.n = 0;
    rc = read_packet(&payload, &p);
    if (rc == OK && head.count == 3) rc = read_opts(&payload, c);
    if (rc == OK && payload.n) rc = ERR_PROTO;
    if (rc != OK) return rc;
    if (!str_eq(p.nsp, nsp)) return ERR_NOT_FOUND;
    if (p.type != TYPE_EVENT && p.type != TYPE_BINARY_EVENT) return ERR_NOT_FOUND;
    settle_list(c, 0, c->cast.rooms_count);
    settle_list(c, 1, c->cast.except_count);
    c->cast.rooms = c->lists[0];
    c->cast.except = c->lists[1];
    return read_data(p.data, c);
}

void classic_fini(struct classic *c)
{
    mem_free(c->lists[0]);
    mem_free(c->lists[1]);
    sb_fini(&c->json);
    sb_fini(&c->numbers);
    *c = (struct classic){0};
}
