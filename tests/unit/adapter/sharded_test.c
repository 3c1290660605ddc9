/* The sharded wire: messages captured from @socket.io/redis-adapter 8.3, createShardedAdapter. */
#include <criterion/criterion.h>
#include "adapter/sharded.h"
#include "tests/unit/support/hex.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])
#define UID "37debc7e2cf1e2a0"
#define NO_OPTS "\"opts\":{\"rooms\":[],\"except\":[],\"flags\":{}}"
#define ROOM1 "\"opts\":{\"rooms\":[\"room1\"],\"except\":[],\"flags\":{}}"
#define END ",\"uid\":\"" UID "\",\"nsp\":\"/\"}"

static const struct str room1[] = {STR("room1")}, r23[] = {STR("r2"), STR("r3")},
                        bytes[] = {STR("\x01\x02\x03\x04")};

#define NSP .nsp = STR("/")
#define IN_ROOM1 .target = {NSP, .rooms = room1, .rooms_count = 1}

static const struct row {
    struct wire wire;
    const char *json;
} captured[] = {
    {{.type = WIRE_CAST, .cast = {NSP, .array = STR("[\"hello\",1,\"2\",{\"3\":[true]}]")}},
     "{\"type\":3,\"data\":{\"packet\":{\"type\":2,\"data\":[\"hello\",1,\"2\",{\"3\":[true]}]}"
     "," NO_OPTS "}" END},
    {{.type = WIRE_CAST, .cast = {NSP, .array = STR("[\"x\"]"), .rooms = room1, .rooms_count = 1}},
     "{\"type\":3,\"data\":{\"packet\":{\"type\":2,\"data\":[\"x\"]}," ROOM1 "}" END},
    {{.type = WIRE_CAST,
      .cast = {NSP, .array = STR("[\"q\",\"arg\"]")},
      .request_id = STR("2dd7ceb56a311c26"),
      .timeout_ms = 500},
     "{\"type\":3,\"data\":{\"packet\":{\"type\":2,\"data\":[\"q\",\"arg\"]},\"requestId\":"
     "\"2dd7ceb56a311c26\",\"opts\":{\"rooms\":[],\"except\":[],\"flags\":{\"timeout\":500}}}" END},
    {{.type = WIRE_CAST_COUNT, .request_id = STR("2dd7ceb56a311c26"), .count = 1},
     "{\"type\":11,\"data\":{\"requestId\":\"2dd7ceb56a311c26\",\"clientCount\":1}" END},
    {{.type = WIRE_CAST_ANSWER, .request_id = STR("2dd7ceb56a311c26"), .json = STR("\"pong\"")},
     "{\"type\":12,\"data\":{\"requestId\":\"2dd7ceb56a311c26\",\"packet\":\"pong\"}" END},
    {{.type = WIRE_FETCH, IN_ROOM1, .request_id = STR("915aee767665ba03")},
     "{\"type\":7,\"data\":{" ROOM1 ",\"requestId\":\"915aee767665ba03\"}" END},
    {{.type = WIRE_JOIN, IN_ROOM1, .rooms = r23, .rooms_count = 2},
     "{\"type\":4,\"data\":{" ROOM1 ",\"rooms\":[\"r2\",\"r3\"]}" END},
    {{.type = WIRE_DISCONNECT, IN_ROOM1}, "{\"type\":6,\"data\":{" ROOM1 ",\"close\":false}" END},
    {{.type = WIRE_EMIT, .request_id = STR("4446964828fcc977"), .json = STR("[\"sse\",\"y\"]")},
     "{\"type\":9,\"data\":{\"requestId\":\"4446964828fcc977\",\"packet\":[\"sse\",\"y\"]}" END},
    /* not captured: the rest of the table */
    {{.type = WIRE_LEAVE, IN_ROOM1, .rooms = r23, .rooms_count = 1},
     "{\"type\":5,\"data\":{" ROOM1 ",\"rooms\":[\"r2\"]}" END},
    {{.type = WIRE_FETCH_ANSWER, .request_id = STR("91"), .json = STR("[{\"id\":\"a\"}]")},
     "{\"type\":8,\"data\":{\"requestId\":\"91\",\"sockets\":[{\"id\":\"a\"}]}" END},
    {{.type = WIRE_EMIT, .json = STR("[\"sse\"]")},
     "{\"type\":9,\"data\":{\"packet\":[\"sse\"]}" END},
    {{.type = WIRE_EMIT_ANSWER, .request_id = STR("44"), .json = STR("null")},
     "{\"type\":10,\"data\":{\"requestId\":\"44\",\"packet\":null}" END},
    {{.type = WIRE_CAST_ANSWER, .request_id = STR("44")}, /* an ack without argument */
     "{\"type\":12,\"data\":{\"requestId\":\"44\"}" END},
    {{.type = WIRE_BEAT, .initial = true}, "{\"type\":1" END},
    {{.type = WIRE_BEAT}, "{\"type\":2" END},
    {{.type = WIRE_CLOSE}, "{\"type\":13" END},
    {{.type = WIRE_CAST,
      .cast = {NSP, .array = STR("[\"x\"]"), .except = r23, .except_count = 2,
               .flags = ADAPTER_VOLATILE | ADAPTER_NO_COMPRESS}},
     "{\"type\":3,\"data\":{\"packet\":{\"type\":2,\"data\":[\"x\"]},\"opts\":{\"rooms\":[],"
     "\"except\":[\"r2\",\"r3\"],\"flags\":{\"volatile\":true,\"compress\":false}}}" END},
};

static const char binary[] =
    "84a474797065 03 a464617461 82 a67061636b6574 82 a474797065 02 a464617461 92 a362696e "
    "c40401020304 a46f707473 83 a5726f6f6d73 91 a5726f6f6d31 a6657863657074 90 a5666c616773 80 "
    "a3756964 b0 33376465626337653263663165326130 a36e7370 a12f";

static const struct wire binary_cast = {
    .type = WIRE_CAST,
    .nsp = STR("/"),
    .uid = STR(UID),
    .cast = {NSP, .array = STR("[\"bin\",{\"_placeholder\":true,\"num\":0}]"), .rooms = room1,
             .rooms_count = 1, .attachments = bytes, .attachments_count = 1},
};

static struct wire as_sent(const struct wire *w)
{
    struct wire sent = *w;

    sent.uid = STR(UID);
    sent.nsp = STR("/");
    return sent;
}

Test(sharded_encode, writes_the_captured_messages)
{
    struct sb out = {0}, want = {0};

    for (size_t i = 0; i < ROWS(captured); i++) {
        struct wire w = as_sent(&captured[i].wire);

        out.n = 0;
        cr_expect_eq(sharded_encode(&w, &out), OK, "row %zu", i);
        cr_expect_str_eq(to_z(&out), captured[i].json, "row %zu", i);
    }
    out.n = 0;
    cr_expect_eq(sharded_encode(&binary_cast, &out), OK);
    cr_expect(str_eq(sb_view(&out), hex(&want, binary)));
    sb_fini(&out);
    sb_fini(&want);
}

Test(sharded_encode, gives_every_ack_a_deadline)
{
    struct wire w = as_sent(&captured[2].wire);
    struct sb out = {0};

    w.timeout_ms = 0; /* Node.js would forget the request after a millisecond */
    cr_expect_eq(sharded_encode(&w, &out), OK);
    cr_expect(str_contains(sb_view(&out), STR("\"flags\":{\"timeout\":5000}")));
    sb_fini(&out);
}

Test(sharded_encode, refuses_what_would_not_be_one_message)
{
    static const struct {
        struct wire wire;
        int want;
    } rows[] = {
        {{.type = WIRE_CAST, .cast = {NSP, .array = STR("[\"x\"]},{\"a\":[1]")}}, ERR_PROTO},
        {{.type = WIRE_CAST, .cast = {NSP, .array = STR("[\"x\"")}}, ERR_PROTO},
        {{.type = WIRE_EMIT_ANSWER, .request_id = STR("1"), .json = STR("1,\"uid\":2")}, ERR_PROTO},
        {{.type = WIRE_ROOMS, .request_id = STR("1")}, ERR_NOT_FOUND},
        {{.type = WIRE_SOCKETS_ANSWER, .request_id = STR("1")}, ERR_NOT_FOUND},
    };
    struct sb out = {0};

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct wire w = as_sent(&rows[i].wire);

        cr_expect_eq(sharded_encode(&w, &out), rows[i].want, "row %zu", i);
        w.attachments = w.cast.attachments = bytes;
        w.attachments_count = w.cast.attachments_count = 1;
        cr_expect_eq(sharded_encode(&w, &out), rows[i].want, "row %zu", i);
    }
    sb_fini(&out);
}

static void expect_list(const struct str *got, unsigned got_count, const struct str *want,
                        unsigned want_count, size_t i)
{
    cr_assert_eq(got_count, want_count, "row %zu", i);
    for (unsigned j = 0; j < want_count; j++)
        cr_expect(str_eq(got[j], want[j]), "row %zu", i);
}

static void expect_wire(const struct wire *got, const struct wire *want, size_t i)
{
    cr_expect_eq(got->type, want->type, "row %zu", i);
    cr_expect(str_eq(got->uid, STR(UID)));
    cr_expect(str_eq(got->nsp, STR("/")));
    cr_expect(str_eq(got->request_id, want->request_id), "row %zu", i);
    cr_expect_eq(got->timeout_ms, want->timeout_ms, "row %zu", i);
    cr_expect_eq(got->initial, want->initial);
    cr_expect_eq(got->close, want->close);
    cr_expect_eq(got->count, want->count);
    cr_expect(str_eq(got->json, want->json), "row %zu", i);
    expect_list(got->rooms, got->rooms_count, want->rooms, want->rooms_count, i);
    if (want->type == WIRE_CAST) {
        cr_expect(str_eq(got->cast.nsp, STR("/")));
        cr_expect(str_eq(got->cast.array, want->cast.array), "row %zu", i);
        cr_expect_eq(got->cast.flags, want->cast.flags, "row %zu", i);
        expect_list(got->cast.rooms, got->cast.rooms_count, want->cast.rooms,
                    want->cast.rooms_count, i);
        expect_list(got->cast.except, got->cast.except_count, want->cast.except,
                    want->cast.except_count, i);
        expect_list(got->cast.attachments, got->cast.attachments_count, want->cast.attachments,
                    want->cast.attachments_count, i);
    } else {
        expect_list(got->target.rooms, got->target.rooms_count, want->target.rooms,
                    want->target.rooms_count, i);
    }
}

Test(sharded_decode, reads_the_captured_messages)
{
    static struct sharded s;
    struct sb b = {0};

    for (size_t i = 0; i < ROWS(captured); i++) {
        cr_assert_eq(sharded_decode(str_z(captured[i].json), STR("own"), STR("/"), &s), OK,
                     "row %zu", i);
        expect_wire(&s.data.wire, &captured[i].wire, i);
        b.n = 0; /* MessagePack without binary is read as well */
        cr_assert_eq(msgpack_from_json(str_z(captured[i].json), NULL, 0, &b), OK);
        cr_assert_eq(sharded_decode(sb_view(&b), STR("own"), STR("/"), &s), OK, "row %zu", i);
        expect_wire(&s.data.wire, &captured[i].wire, i);
    }
    cr_assert_eq(sharded_decode(hex(&b, binary), STR("own"), STR("/"), &s), OK);
    expect_wire(&s.data.wire, &binary_cast, 99);
    sharded_fini(&s);
    sb_fini(&b);
}

Test(sharded_decode, is_lenient_where_the_peers_are)
{
    static const struct {
        const char *json;
        unsigned rooms, except;
    } rows[] = {
        {"{\"type\":3,\"data\":{\"packet\":{\"type\":2,\"data\":[\"x\"]}}" END, 0, 0},
        {"{\"type\":3,\"data\":{\"packet\":{\"type\":2,\"data\":[\"x\"]},\"opts\":{}}" END, 0, 0},
        {"{\"nsp\":\"/\",\"uid\":\"\\u0033"
         "7debc7e2cf1e2a0\",\"extra\":[{}],\"data\":{\"opts\":{"
         "\"rooms\":null,\"except\":[7,\"a\\n\"],\"flags\":null},\"packet\":{\"data\":[7],\"nsp\":"
         "\"/\",\"id\":3,\"type\":5}},\"type\":3}",
         0, 2},
    };
    static struct sharded s;

    for (size_t i = 0; i < ROWS(rows); i++) {
        cr_expect_eq(sharded_decode(str_z(rows[i].json), STR("own"), STR("/"), &s), OK, "row %zu",
                     i);
        cr_expect(str_eq(s.data.wire.uid, STR(UID)), "row %zu", i);
        cr_expect_eq(s.data.wire.cast.rooms_count, rows[i].rooms, "row %zu", i);
        cr_expect_eq(s.data.wire.cast.except_count, rows[i].except, "row %zu", i);
    }
    cr_expect(str_eq(s.data.wire.cast.except[0], STR("7")));
    cr_expect(str_eq(s.data.wire.cast.except[1], STR("a\n")));
    sharded_fini(&s);
}

Test(sharded_decode, an_order_wants_no_answer_whatever_it_says)
{
    static struct sharded s;

    cr_assert_eq(
        sharded_decode(STR("{\"type\":6,\"data\":{" NO_OPTS
                           ",\"requestId\":\"1\",\"clientCount\":7,\"rooms\":[\"a\"]}" END),
                       STR("own"), STR("/"), &s),
        OK);
    cr_expect_eq(s.data.wire.request_id.n + s.data.wire.count + s.data.wire.rooms_count, 0);
    sharded_fini(&s);
}

/* JSON_DEPTH_MAX levels of an event fit, whatever is wrapped around them; one more does not. */
Test(sharded_decode, an_event_may_be_as_deep_as_elsewhere)
{
    static struct sharded s;
    struct sb json = {0}, out = {0};

    for (int depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++)
        for (unsigned count = 0; count <= 1; count++) {
            int want = depth == JSON_DEPTH_MAX ? OK : ERR_DEPTH;
            struct wire w = as_sent(&binary_cast);

            json.n = out.n = 0;
            sb_z(&json, "[\"x\",");
            for (int i = 1; i < depth; i++)
                sb_char(&json, '[');
            for (int i = 1; i < depth; i++)
                sb_char(&json, ']');
            sb_char(&json, ']');
            w.cast.array = sb_view(&json);
            w.cast.attachments_count = count;
            cr_expect_eq(sharded_encode(&w, &out), want, "%d %u", depth, count);
            if (want == OK)
                cr_expect_eq(sharded_decode(sb_view(&out), STR("own"), STR("/"), &s), OK);
        }
    sharded_fini(&s);
    sb_fini(&json);
    sb_fini(&out);
}

Test(sharded_decode, passes_over_what_is_not_for_us)
{
    static const struct {
        const char *json;
        int want;
    } rows[] = {
        {"{\"type\":3,\"uid\":\"own\",\"nsp\":\"/\"}", ERR_CLOSED},
        {"{\"type\":3,\"uid\":\"u\",\"nsp\":\"/admin\"}", ERR_NOT_FOUND},
        {"{\"type\":3,\"uid\":\"u\"}", ERR_NOT_FOUND},
        {"{}", ERR_NOT_FOUND},
        {"{\"type\":0" END, ERR_NOT_FOUND},
        {"{\"type\":14" END, ERR_NOT_FOUND},
        {"{\"type\":-1" END, ERR_NOT_FOUND},
        {"{\"type\":3,\"data\":{\"packet\":{\"type\":1}}" END, ERR_NOT_FOUND},
    };
    static struct sharded s;

    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_eq(sharded_decode(str_z(rows[i].json), STR("own"), STR("/"), &s), rows[i].want,
                     "row %zu", i);
    sharded_fini(&s);
}

Test(sharded_decode, refuses_garbage)
{
    static const struct {
        const char *text;
        int want;
    } rows[] = {
        {"", ERR_PROTO},
        {"null", ERR_PROTO}, /* MessagePack: an integer, and more behind it */
        {"[]", ERR_PROTO},
        {"{", ERR_PROTO},
        {"{\"type\":3" END "x", ERR_PROTO},
        {"\xff", ERR_PROTO},
        {"\x90", ERR_PROTO},
        {"\xc0", ERR_PROTO},
        {"{\"type\":\"3\"" END, ERR_PROTO},
        {"{\"type\":3,\"uid\":5,\"nsp\":\"/\"}", ERR_PROTO},
        {"{\"type\":3" END, ERR_PROTO}, /* makes a Node server deaf */
        {"{\"type\":3,\"data\":[]" END, ERR_PROTO},
        {"{\"type\":3,\"data\":{\"packet\":{\"type\":2}}" END, ERR_PROTO},
        {"{\"type\":3,\"data\":{\"packet\":{\"type\":2,\"data\":[]}}" END, ERR_PROTO},
        {"{\"type\":3,\"data\":{\"packet\":{\"type\":2,\"data\":[\"connect\"]}}" END, ERR_PROTO},
        {"{\"type\":3,\"data\":{\"packet\":{\"type\":2,\"data\":[null]}}" END, ERR_PROTO},
        {"{\"type\":3,\"data\":{\"packet\":{\"type\":2,\"data\":[\"x\"]},\"opts\":[]}" END,
         ERR_PROTO},
        {"{\"type\":3,\"data\":{\"packet\":{\"type\":2,\"data\":[\"x\"]},\"opts\":{\"rooms\":\"a\"}"
         "}" END,
         ERR_PROTO},
        {"{\"type\":4,\"data\":{\"rooms\":[\"a\"]}" END, ERR_PROTO}, /* it would reach everybody */
        {"{\"type\":5,\"data\":{" NO_OPTS "}" END, ERR_PROTO},
        {"{\"type\":6,\"data\":{\"close\":true}" END, ERR_PROTO},
        {"{\"type\":6,\"data\":{" NO_OPTS ",\"close\":1}" END, ERR_PROTO},
        {"{\"type\":7,\"data\":{" NO_OPTS "}" END, ERR_PROTO},
        {"{\"type\":8,\"data\":{\"requestId\":\"1\",\"sockets\":{}}" END, ERR_PROTO},
        {"{\"type\":9,\"data\":{\"packet\":\"x\"}" END, ERR_PROTO},
        {"{\"type\":11,\"data\":{\"requestId\":\"1\",\"clientCount\":-1}" END, ERR_PROTO},
        {"{\"type\":11,\"data\":{\"requestId\":\"1\"}" END, ERR_PROTO},
        {"{\"type\":12,\"data\":{\"requestId\":1}" END, ERR_PROTO},
        {"{\"type\":12,\"data\":{\"requestId\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaa\"}" END,
         ERR_LIMIT},
    };
    static struct sharded s;

    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_eq(sharded_decode(str_z(rows[i].text), STR("own"), STR("/"), &s), rows[i].want,
                     "row %zu", i);
    sharded_fini(&s);
}

Test(sharded_is_private, tells_the_names_of_sockets_as_node_does)
{
    static const struct {
        const char *nsp, *room;
        bool want;
    } rows[] = {
        {"/", "Xk3jH9_aB-cDeFgHiJkL", true},
        {"/", "Xk3jH9_aB-cDeFgHiJk", false},
        {"/", "Xk3jH9_aB-cDeFgHiJkLm", false},
        {"/", "", false},
        {"/", "ééééééééééééééééééé1", true},
        {"/", "ééééééééééé", false},
        {"/", "😀😀😀😀😀😀😀😀😀😀", true},
        {"/admin", "/admin#Xk3jH9_aB-cDeFgHiJkL", true},
        {"/", "/admin#Xk3jH9_aB-cDeFgHiJkL", false},
    };

    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_eq(sharded_is_private(str_z(rows[i].nsp), str_z(rows[i].room)), rows[i].want,
                     "row %zu", i);
}
