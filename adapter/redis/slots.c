/* See slots.h. */
#include "adapter/redis/slots.h"

#include <hiredis/hiredis.h>

#include "adapter/key.h"
#include "adapter/redis/push.h"
#include "base/forbid.h"

#define CRC16_POLYNOMIAL 0x1021

static uint16_t crc16(struct str s)
{
    unsigned crc = 0;

    for (size_t i = 0; i < s.n; i++) {
        crc ^= (unsigned)(unsigned char)s.p[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 0x8000 ? crc << 1 ^ CRC16_POLYNOMIAL : crc << 1;
    }
    return (uint16_t)crc;
}

uint16_t redis_slot(struct str key)
{
    return crc16(key_tag(key)) % REDIS_SLOTS;
}

/* "host:port"; an IPv6 address stands there without brackets. */
static bool read_place(struct str s, struct str *host, uint16_t *port)
{
    size_t at = s.n;
    uint64_t n;

    while (at > 0 && s.p[at - 1] != ':')
        at--;
    if (at == 0 || str_u64(str_skip(s, at), UINT16_MAX, &n) != OK || n == 0) return false;
    *host = str_head(s, at - 1);
    *port = (uint16_t)n;
    return true;
}

bool redis_moved_read(struct str error, struct redis_moved *out)
{
    struct str word, slot, place;
    uint64_t n;

    str_cut(error, ' ', &word, &error);
    str_cut(error, ' ', &slot, &place);
    out->is_ask = str_eq(word, STR("ASK"));
    if (!out->is_ask && !str_eq(word, STR("MOVED"))) return false;
    if (str_u64(slot, REDIS_SLOTS - 1, &n) != OK) return false;
    out->slot = (uint16_t)n;
    return read_place(place, &out->host, &out->port);
}

static bool is_slot(const struct redisReply *r)
{
    return r->type == REDIS_REPLY_INTEGER && r->integer >= 0 && r->integer < REDIS_SLOTS;
}

/* [first, last, [host or nil, port, id, …], replicas…]; "?" stands for a name that is not set. */
bool redis_slots_row(const struct redisReply *r, size_t i, struct redis_slot_range *out)
{
    const struct redisReply *row, *master;

    if (r->type != REDIS_REPLY_ARRAY || i >= r->elements) return false;
    row = r->element[i];
    if (row->type != REDIS_REPLY_ARRAY || row->elements < 3) return false;
    master = row->element[2];
    if (!is_slot(row->element[0]) || !is_slot(row->element[1])) return false;
    if (master->type != REDIS_REPLY_ARRAY || master->elements < 2) return false;
    if (master->element[1]->type != REDIS_REPLY_INTEGER || master->element[1]->integer <= 0 ||
        master->element[1]->integer > UINT16_MAX)
        return false;
    out->first = (uint16_t)row->element[0]->integer;
    out->last = (uint16_t)row->element[1]->integer;
    out->host = redis_push_text(master->element[0]);
    if (str_eq(out->host, STR("?"))) out->host = STR_NONE;
    out->port = (uint16_t)master->element[1]->integer;
    return out->first <= out->last;
}
