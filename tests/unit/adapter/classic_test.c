/* The classic wire: bytes captured from @socket.io/redis-adapter 8 and @socket.io/redis-emitter. */
#include <criterion/criterion.h>
#include "adapter/classic.h"
#include "tests/unit/support/hex.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

#define PACKET "83a47479706502a464617461"
#define OPTS "83a5726f6f6d7390a665786365707490a5666c61677380"

static const struct str room1[] = {STR("room1")}, two[] = {STR("room1"), STR("room2")},
                        three[] = {STR("room3")}, bytes[] = {STR("\x01\x02\x03\x04")};

static const struct row {
    struct adapter_cast cast;
    const char *hex;
} captured[] = {
    {{.nsp = STR("/"), .array = STR("[\"hello\",1,\"2\",{\"3\":[true]}]")},
     "93a64a5176596342" PACKET "94a568656c6c6f01a13281a13391c3a36e7370a12f" OPTS},
    {{.nsp = STR("/"), .array = STR("[\"x\"]"), .rooms = room1, .rooms_count = 1},
     "93a64a517659634283a47479706502a46461746191a178a36e7370a12f83a5726f6f6d7391a5726f6f6d31a665786"
     "365707490a5666c61677380"},
    {{.nsp = STR("/"),
      .array = STR("[\"bin\",{\"_placeholder\":true,\"num\":0}]"),
      .attachments = bytes,
      .attachments_count = 1},
     "93a64a5176596342" PACKET "92a362696ec40401020304a36e7370a12f" OPTS},
    {{.nsp = STR("/admin"),
      .array = STR("[\"x\"]"),
      .rooms = two,
      .rooms_count = 2,
      .except = three,
      .except_count = 1},
     "93a64a5176596342" PACKET "91a178a36e7370a62f61646d696e"
     "83a5726f6f6d7392a5726f6f6d31a5726f6f6d32a665786365707491a5726f6f6d33a5666c61677380"},
    {{.nsp = STR("/"), .array = STR("[\"x\"]"), .flags = ADAPTER_VOLATILE | ADAPTER_NO_COMPRESS},
     "93a64a5176596342" PACKET "91a178a36e7370a12f"
     "83a5726f6f6d7390a665786365707490a5666c61677382a8766f6c6174696c65c3a8636f6d7072657373c2"},
};

Test(classic_encode, writes_the_captured_bytes)
{
    struct sb out = {0}, text = {0};

    for (size_t i = 0; i < ROWS(captured); i++) {
        out.n = 0;
        cr_expect_eq(classic_encode(STR("JQvYcB"), &captured[i].cast, &out), OK, "row %zu", i);
        cr_expect_str_eq(to_hex(&text, sb_view(&out)), captured[i].hex, "row %zu", i);
    }
    sb_fini(&out);
    sb_fini(&text);
}

static void expect_list(const struct str *got, unsigned got_count, const struct str *want,
                        unsigned want_count, size_t i)
{
    cr_assert_eq(got_count, want_count, "row %zu", i);
    for (unsigned j = 0; j < want_count; j++)
        cr_expect(str_eq(got[j], want[j]), "row %zu", i);
}

Test(classic_decode, reads_the_captured_bytes)
{
    static struct classic c;
    struct sb b = {0};

    for (size_t i = 0; i < ROWS(captured); i++) {
        const struct adapter_cast *want = &captured[i].cast;

        cr_assert_eq(classic_decode(hex(&b, captured[i].hex), STR("abcdef"), want->nsp, &c), OK,
                     "row %zu", i);
        cr_expect(str_eq(c.uid, STR("JQvYcB")));
        cr_expect(str_eq(c.cast.nsp, want->nsp));
        cr_expect(str_eq(c.cast.array, want->array), "row %zu: " STR_FMT, i, STR_ARG(c.cast.array));
        expect_list(c.cast.rooms, c.cast.rooms_count, want->rooms, want->rooms_count, i);
        expect_list(c.cast.except, c.cast.except_count, want->except, want->except_count, i);
        expect_list(c.cast.attachments, c.cast.attachments_count, want->attachments,
                    want->attachments_count, i);
        cr_expect_eq(c.cast.flags, want->flags, "row %zu", i);
    }
    classic_fini(&c);
    sb_fini(&b);
}

Test(classic_decode, is_lenient_where_the_peers_are)
{
    static const struct {
        const char *bytes;
        unsigned rooms;
    } rows[] = {
        {"92a17582a47479706502a46461746191a178", 0},   /* neither nsp nor opts */
        {"93a17582a47479706502a46461746191a17880", 0}, /* empty opts */
        {"93a17582a47479706502a46461746191a178c0", 0},
        {"93a17582a47479706502a46461746191a17883a5726f6f6d73c0a6657863657074c0a5666c616773c0", 0},
        /* @socket.io/redis-emitter: flags before except */
        {"93a7656d697474657283a47479706502a46461746191a178a36e7370a12f83a5726f6f6d7391a172a5666c616"
         "77380a665786365707490",
         1},
        /* data first, further keys in all places, wide forms of other languages */
        {"dc0003d90175df00000004a46461746191a178a3666f6f9201c0a36e7370da00012fa474797065cd0002"
         "82a3626172c0a5726f6f6d73dc0001db0000000172",
         1},
        {"93a17582a47479706505a46461746191a178c0", 0}, /* BINARY_EVENT */
        {"93a17582a47479706502a4646174619107c0", 0},   /* an event may have a number as its name */
    };
    static struct classic c;
    struct sb b = {0};

    for (size_t i = 0; i < ROWS(rows); i++) {
        cr_expect_eq(classic_decode(hex(&b, rows[i].bytes), STR("abcdef"), STR("/"), &c), OK,
                     "row %zu", i);
        cr_expect_eq(c.cast.rooms_count, rows[i].rooms, "row %zu", i);
        cr_expect_eq(c.cast.except_count, 0, "row %zu", i);
    }
    classic_fini(&c);
    sb_fini(&b);
}

Test(classic_decode, takes_numbers_as_rooms)
{
    static struct classic c;
    struct sb b = {0};

    cr_assert_eq(classic_decode(hex(&b, "93a17582a47479706502a46461746191a17882a5726f6f6d739305a172"
                                        "ffa665786365707491cd1000"),
                                STR("x"), STR("/"), &c),
                 OK);
    cr_assert_eq(c.cast.rooms_count, 3);
    cr_expect(str_eq(c.cast.rooms[0], STR("5")));
    cr_expect(str_eq(c.cast.rooms[1], STR("r")));
    cr_expect(str_eq(c.cast.rooms[2], STR("-1")));
    cr_expect(str_eq(c.cast.except[0], STR("4096")));
    classic_fini(&c);
    sb_fini(&b);
}

Test(classic_decode, refuses_garbage_and_passes_over_what_is_not_for_us)
{
    static const struct {
        const char *bytes;
        int want;
    } rows[] = {
        {"93a6616263646566c0c0", ERR_CLOSED}, /* own uid: the rest is not even read */
        {"93a17583a47479706502a46461746191a178a36e7370a22f78c0", ERR_NOT_FOUND}, /* another nsp */
        {"93a17582a47479706501a46461746190c0", ERR_NOT_FOUND},                   /* DISCONNECT */
        {"93a17581a46461746191a178c0", ERR_NOT_FOUND},                           /* no type */
        {"", ERR_PROTO},
        {"00", ERR_PROTO},
        {"90", ERR_PROTO},
        {"91a175", ERR_PROTO},
        {"92a17500", ERR_PROTO},
        {"7b7d", ERR_PROTO},
        {"9405a1", ERR_PROTO},
        {"93c0c0c0", ERR_PROTO},
        {"93a17582a47479706502a46461746190c0", ERR_PROTO}, /* no event */
        {"93a17581a47479706502c0", ERR_PROTO},             /* no data */
        {"93a17582a47479706502a464617461c0c0", ERR_PROTO},
        {"93a17582a47479706502a46461746191c3c0", ERR_PROTO},
        {"93a17582a47479706502a46461746191aa646973636f6e6e656374c0", ERR_PROTO}, /* "disconnect" */
        {"93a17582a47479706502a46461746191a178c000", ERR_PROTO}, /* bytes after the end */
        {"93a17582a47479706502a46461746191a178"
         "81a5726f6f6d73a172",
         ERR_PROTO}, /* rooms is no list: not "all" */
        {"93a17582a47479706502a46461746191a178"
         "81a5726f6f6d7391c0",
         ERR_PROTO},
        {"93a17582a47479706502a46461746191a178"
         "81a5666c61677301",
         ERR_PROTO},
        {"93a17582a47479706502a46461746191a178"
         "8101c0",
         ERR_PROTO},
        {"93a17582a474797065a132a46461746191a178c0", ERR_PROTO},
        {"93a17582a47479706502a46461746191a2c328c0", ERR_UTF8},
    };
    static struct classic c;
    struct sb b = {0};

    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_eq(classic_decode(hex(&b, rows[i].bytes), STR("abcdef"), STR("/"), &c),
                     rows[i].want, "row %zu", i);
    classic_fini(&c);
    sb_fini(&b);
}

Test(classic_decode, survives_every_cut)
{
    static struct classic c;
    struct sb b = {0};
    struct str whole = hex(&b, captured[3].hex);

    for (size_t n = 0; n < whole.n; n++) {
        char *copy = malloc(n ? n : 1); /* its end is guarded */

        memcpy(copy, whole.p, n);
        cr_expect_neq(classic_decode(str_of(copy, n), STR("x"), STR("/admin"), &c), OK, "%zu bytes",
                      n);
        free(copy);
    }
    classic_fini(&c);
    sb_fini(&b);
}
