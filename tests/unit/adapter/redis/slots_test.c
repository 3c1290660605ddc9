/* Slots and the words of Redis Cluster. Values are those of CLUSTER KEYSLOT of Redis 7.0. */
#include <criterion/criterion.h>
#include <hiredis/hiredis.h>
#include "adapter/redis/slots.h"

Test(redis_slot, is_the_one_that_redis_computes)
{
    static const struct {
        struct str key;
        uint16_t slot;
    } rows[] = {
        {STR(""), 0},
        {STR("123456789"), 12739},
        {STR("socket.io#/#"), 13868},
        {STR("socket.io#/#room1#"), 9640},
        {STR("r"), 7893},
        {STR("{r}:members"), 7893},
        {STR("x{r}y{z}"), 7893},
        {STR("foo{}{bar}"), 8363},
        {STR("{open"), 7674},
        {STR("}r{"), 15262},
        {STR("{{r}}"), 2678},
        {STR("\0\xff"), 7920},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(redis_slot(rows[i].key), rows[i].slot, "row %zu: %u", i,
                     redis_slot(rows[i].key));
}

Test(redis_moved_read, says_where_to_go)
{
    static const struct {
        const char *error;
        bool is_good, is_ask;
        uint16_t slot, port;
        const char *host;
    } rows[] = {
        {"MOVED 3999 127.0.0.1:6381", true, false, 3999, 6381, "127.0.0.1"},
        {"ASK 16383 redis-1.example:7000", true, true, 16383, 7000, "redis-1.example"},
        {"MOVED 1 ::1:6379", true, false, 1, 6379, "::1"},
        {"MOVED 1 :6379", true, false, 1, 6379, ""},
        {"MOVED 16384 h:1", false, false, 0, 0, ""},
        {"MOVED -1 h:1", false, false, 0, 0, ""},
        {"MOVED 1 h:0", false, false, 0, 0, ""},
        {"MOVED 1 h:65536", false, false, 0, 0, ""},
        {"MOVED 1 h", false, false, 0, 0, ""},
        {"MOVED 1", false, false, 0, 0, ""},
        {"MOVED", false, false, 0, 0, ""},
        {"MOVEDX 1 h:1", false, false, 0, 0, ""},
        {"ERR MOVED 1 h:1", false, false, 0, 0, ""},
        {"", false, false, 0, 0, ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct redis_moved m = {0};

        cr_expect_eq(redis_moved_read(str_z(rows[i].error), &m), rows[i].is_good, "%s",
                     rows[i].error);
        if (!rows[i].is_good) continue;
        cr_expect_eq(m.is_ask, rows[i].is_ask);
        cr_expect_eq(m.slot, rows[i].slot);
        cr_expect_eq(m.port, rows[i].port);
        cr_expect(str_eq(m.host, str_z(rows[i].host)), "%s", rows[i].error);
    }
}

static bool read_row(const char *reply, struct redis_slot_range *out)
{
    static char host[64];
    redisReader *reader = redisReaderCreate();
    void *r = NULL;
    bool ok;

    redisReaderFeed(reader, reply, strlen(reply));
    cr_assert_eq(redisReaderGetReply(reader, &r), REDIS_OK);
    cr_assert(r, "%s", reply);
    ok = redis_slots_row(r, 0, out);
    if (ok) {
        if (out->host.n) memcpy(host, out->host.p, out->host.n);
        out->host.p = host;
    }
    freeReplyObject(r);
    redisReaderFree(reader);
    return ok;
}

Test(redis_slots_row, reads_what_makes_sense_and_nothing_else)
{
    static const struct {
        const char *reply;
        bool is_good;
        uint16_t first, last, port;
        const char *host;
    } rows[] = {
        {"*1\r\n*3\r\n:0\r\n:5460\r\n*2\r\n$1\r\nh\r\n:7001\r\n", true, 0, 5460, 7001, "h"},
        {"*1\r\n*4\r\n:5\r\n:5\r\n*4\r\n$-1\r\n:7001\r\n$1\r\ni\r\n*0\r\n*1\r\n:1\r\n", true, 5, 5,
         7001, ""},
        {"*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$1\r\n?\r\n:1\r\n", true, 0, 16383, 1, ""},
        {"*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\nh\r\n:1\r\n", false, 0, 0, 0, ""},
        {"*1\r\n*3\r\n:-1\r\n:1\r\n*2\r\n$1\r\nh\r\n:1\r\n", false, 0, 0, 0, ""},
        {"*1\r\n*3\r\n:2\r\n:1\r\n*2\r\n$1\r\nh\r\n:1\r\n", false, 0, 0, 0, ""},
        {"*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\nh\r\n:0\r\n", false, 0, 0, 0, ""},
        {"*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\nh\r\n$1\r\n1\r\n", false, 0, 0, 0, ""},
        {"*1\r\n*3\r\n:0\r\n:1\r\n*1\r\n$1\r\nh\r\n", false, 0, 0, 0, ""},
        {"*1\r\n*2\r\n:0\r\n:1\r\n", false, 0, 0, 0, ""},
        {"*1\r\n:0\r\n", false, 0, 0, 0, ""},
        {"*0\r\n", false, 0, 0, 0, ""},
        {"-ERR This instance has cluster support disabled\r\n", false, 0, 0, 0, ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct redis_slot_range range = {0};

        cr_expect_eq(read_row(rows[i].reply, &range), rows[i].is_good, "row %zu", i);
        if (!rows[i].is_good) continue;
        cr_expect_eq(range.first, rows[i].first);
        cr_expect_eq(range.last, rows[i].last);
        cr_expect_eq(range.port, rows[i].port);
        cr_expect(str_eq(range.host, str_z(rows[i].host)), "row %zu", i);
    }
}
