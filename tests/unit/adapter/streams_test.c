/* The streams wire: entries captured from @socket.io/redis-streams-adapter 0.3.1. */
#include <criterion/criterion.h>
#include "adapter/streams.h"
#include "tests/unit/support/hex.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])
#define UID "90ef7bc304ad2191"
#define NO_OPTS "\"opts\":{\"rooms\":[],\"except\":[],\"flags\":{}}"
#define ROOM1 "\"opts\":{\"rooms\":[\"room1\"],\"except\":[],\"flags\":{}}"
#define NSP .nsp = STR("/")
#define IN_ROOM1 .target = {NSP, .rooms = room1, .rooms_count = 1}

static const struct str room1[] = {STR("room1")}, r23[] = {STR("r2"), STR("r3")},
                        bytes[] = {STR("\x01\x02\x03\x04")};

static const struct row {
    struct wire wire;
    const char *type, *data;
} captured[] = {
    {{.type = WIRE_CAST, .cast = {NSP, .array = STR("[\"hello\",1,\"2\",{\"3\":[true]}]")}},
     "3",
     "{\"packet\":{\"type\":2,\"data\":[\"hello\",1,\"2\",{\"3\":[true]}]}," NO_OPTS "}"},
    {{.type = WIRE_CAST,
      .cast = {NSP, .array = STR("[\"bin\",{\"_placeholder\":true,\"num\":0},null]"),
               .rooms = room1, .rooms_count = 1, .attachments = bytes, .attachments_count = 1}},
     "3",
     "gqZwYWNrZXSCpHR5cGUCpGRhdGGTo2JpbsQEAQIDBMCkb3B0c4Olcm9vbXORpXJvb20xpmV4Y2VwdJClZmxhZ3OA"},
    {{.type = WIRE_JOIN, IN_ROOM1, .rooms = r23, .rooms_count = 2},
     "4",
     "{" ROOM1 ",\"rooms\":[\"r2\",\"r3\"]}"},
    {{.type = WIRE_LEAVE, IN_ROOM1, .rooms = r23, .rooms_count = 1},
     "5",
     "{" ROOM1 ",\"rooms\":[\"r2\"]}"},
    {{.type = WIRE_DISCONNECT, IN_ROOM1}, "6", "{" ROOM1 ",\"close\":false}"},
    {{.type = WIRE_DISCONNECT, .target = {NSP}, .close = true},
     "6",
     "{" NO_OPTS ",\"close\":true}"},
};

static struct streams_entry entry_of(const char *type, const char *data)
{
    return (struct streams_entry){STR(UID), STR("/"), str_z(type), str_z(data)};
}

Test(streams_encode, writes_the_captured_entries)
{
    struct sb out = {0};

    for (size_t i = 0; i < ROWS(captured); i++) {
        out.n = 0;
        cr_expect_eq(streams_encode(&captured[i].wire, &out), OK, "row %zu", i);
        cr_expect_str_eq(to_z(&out), captured[i].data, "row %zu", i);
    }
    sb_fini(&out);
}

Test(streams_encode, refuses_what_would_not_be_one_message)
{
    static const struct {
        struct wire wire;
        int want;
    } rows[] = {
        {{.type = WIRE_CAST, .cast = {NSP, .array = STR("[\"x\"]},{\"a\":[1]")}}, ERR_PROTO},
        {{.type = WIRE_CAST,
          .cast = {NSP, .array = STR("[\"x\""), .attachments = bytes, .attachments_count = 1}},
         ERR_PROTO},
        {{.type = WIRE_ROOMS, .request_id = STR("1")}, ERR_NOT_FOUND},
    };
    struct sb out = {0};

    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_eq(streams_encode(&rows[i].wire, &out), rows[i].want, "row %zu", i);
    sb_fini(&out);
}

Test(streams_is_ephemeral, tells_what_is_published)
{
    static const struct {
        struct wire wire;
        bool want;
    } rows[] = {
        {{.type = WIRE_CAST}, false},
        {{.type = WIRE_CAST, .request_id = STR("1")}, true},
        {{.type = WIRE_JOIN}, false},
        {{.type = WIRE_LEAVE}, false},
        {{.type = WIRE_DISCONNECT}, false},
        {{.type = WIRE_FETCH, .request_id = STR("1")}, true},
        {{.type = WIRE_EMIT}, true},
        {{.type = WIRE_FETCH_ANSWER, .request_id = STR("1")}, true},
        {{.type = WIRE_CAST_COUNT, .request_id = STR("1")}, true},
    };

    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_eq(streams_is_ephemeral(&rows[i].wire), rows[i].want, "row %zu", i);
}

static void expect_list(const struct str *got, unsigned got_count, const struct str *want,
                        unsigned want_count, size_t i)
{
    cr_assert_eq(got_count, want_count, "row %zu", i);
    for (unsigned j = 0; j < want_count; j++)
        cr_expect(str_eq(got[j], want[j]), "row %zu", i);
}

Test(streams_decode, reads_the_captured_entries)
{
    static struct streams s;
    const struct wire *got = &s.data.wire;

    for (size_t i = 0; i < ROWS(captured); i++) {
        const struct wire *want = &captured[i].wire;
        struct streams_entry e = entry_of(captured[i].type, captured[i].data);

        cr_assert_eq(streams_decode(&e, &s), OK, "row %zu", i);
        cr_expect_eq(got->type, want->type, "row %zu", i);
        cr_expect(str_eq(got->uid, STR(UID)) && str_eq(got->nsp, STR("/")), "row %zu", i);
        cr_expect_eq(got->close, want->close, "row %zu", i);
        expect_list(got->rooms, got->rooms_count, want->rooms, want->rooms_count, i);
        if (want->type == WIRE_CAST) {
            cr_expect(str_eq(got->cast.array, want->cast.array), "row %zu", i);
            expect_list(got->cast.rooms, got->cast.rooms_count, want->cast.rooms,
                        want->cast.rooms_count, i);
            expect_list(got->cast.attachments, got->cast.attachments_count, want->cast.attachments,
                        want->cast.attachments_count, i);
        } else {
            expect_list(got->target.rooms, got->target.rooms_count, want->target.rooms,
                        want->target.rooms_count, i);
        }
    }
    streams_fini(&s);
}

/* Source: @socket.io/redis-streams-emitter, and streams adapter 0.2 (reference 7 and 6.3). */
Test(streams_decode, reads_what_emitters_and_older_servers_write)
{
    static const struct {
        struct streams_entry entry;
        enum wire_type want;
    } rows[] = {
        {{STR("emitter"), STR("/"), STR("3"),
          STR("{\"packet\":{\"type\":2,\"data\":[\"x\"],\"nsp\":\"/\"},\"opts\":{\"rooms\":[],"
              "\"flags\":{},\"except\":[]}}")},
         WIRE_CAST},
        {{STR("emitter"), STR("/"), STR("9"), STR("{\"packet\":[\"x\",1]}")}, WIRE_EMIT},
        {{STR("893b8a7be6a8eeda"), STR("/"), STR("1"), STR_NONE}, WIRE_BEAT},
        {{STR_NONE, STR("/"), STR("6"), STR("{" NO_OPTS "}")}, WIRE_DISCONNECT},
    };
    static struct streams s;

    for (size_t i = 0; i < ROWS(rows); i++) {
        cr_expect_eq(streams_decode(&rows[i].entry, &s), OK, "row %zu", i);
        cr_expect_eq(s.data.wire.type, rows[i].want, "row %zu", i);
        cr_expect(str_eq(s.data.wire.uid, rows[i].entry.uid), "row %zu", i);
    }
    streams_fini(&s);
}

Test(streams_decode, refuses_garbage)
{
    static const struct {
        const char *type, *data;
        int want;
    } rows[] = {
        {"0", "{}", ERR_NOT_FOUND},
        {"14", "{}", ERR_NOT_FOUND},
        {"3", "{\"packet\":{\"type\":1}}", ERR_NOT_FOUND},
        {"x", "{}", ERR_PROTO},
        {"-3", "{}", ERR_PROTO},
        {"99999999999999999999", "{}", ERR_PROTO},
        {"3", "", ERR_PROTO},
        {"3", "{", ERR_PROTO},
        {"3", "{}", ERR_PROTO},
        {"3", "[]", ERR_PROTO},
        {"3", "not base64", ERR_PROTO},
        {"3", "gqZw", ERR_PROTO}, /* cut off */
        {"3", "gMA=", ERR_PROTO}, /* a map, and more behind it */
        {"3", "wA==", ERR_PROTO}, /* nil */
        {"3", "{\"packet\":{\"type\":2,\"data\":[\"connect\"]}}", ERR_PROTO},
        {"4", "{\"rooms\":[\"a\"]}", ERR_PROTO}, /* it would reach everybody */
    };
    static struct streams s;
    struct streams_entry e = {.uid = STR("u\xff"), .nsp = STR("/"), .type = STR("2")};

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct streams_entry row = entry_of(rows[i].type, rows[i].data);

        cr_expect_eq(streams_decode(&row, &s), rows[i].want, "row %zu", i);
    }
    cr_expect_eq(streams_decode(&e, &s), ERR_UTF8);
    e.uid = STR("0123456789012345678901234567890123456789012345678901234567890123456");
    cr_expect_eq(streams_decode(&e, &s), ERR_LIMIT);
    streams_fini(&s);
}

Test(streams_entry_read, takes_the_fields_in_any_order)
{
    static const struct str fields[] = {STR("type"), STR("3"),   STR("x"), STR("y"),    STR("nsp"),
                                        STR("/"),    STR("uid"), STR("u"), STR("data"), STR("{}")};
    static const struct {
        unsigned from, count;
        int want;
    } rows[] = {
        {0, 10, OK},       {0, 6, OK},        {0, 9, ERR_PROTO},
        {0, 0, ERR_PROTO}, {2, 8, ERR_PROTO}, /* no type */
        {6, 4, ERR_PROTO},                    /* neither */
    };
    struct streams_entry e;

    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_eq(streams_entry_read(fields + rows[i].from, rows[i].count, &e), rows[i].want,
                     "row %zu", i);
    cr_assert_eq(streams_entry_read(fields, 10, &e), OK);
    cr_expect(str_eq(e.uid, STR("u")) && str_eq(e.nsp, STR("/")));
    cr_expect(str_eq(e.type, STR("3")) && str_eq(e.data, STR("{}")));
}

Test(streams_id, is_read_written_and_compared)
{
    static const struct {
        const char *text;
        int want;
    } rows[] = {{"0-0", OK},        {"18446744073709551615-18446744073709551615", OK},
                {"1-", ERR_PROTO},  {"-1", ERR_PROTO},
                {"12", ERR_PROTO},  {"1-2-3", ERR_PROTO},
                {"$", ERR_PROTO},   {"", ERR_PROTO},
                {"a-1", ERR_PROTO}, {"18446744073709551616-0", ERR_PROTO}};
    static const struct streams_id low = {5, 9}, mid = {6, 1}, high = {6, 2};
    struct streams_id id;
    struct sb out = {0};

    for (size_t i = 0; i < ROWS(rows); i++) {
        int rc = streams_id_read(str_z(rows[i].text), &id);

        cr_expect_eq(rc == OK, rows[i].want == OK, "row %zu", i);
        if (rc != OK) continue;
        out.n = 0;
        streams_id_put(id, &out);
        cr_expect_str_eq(to_z(&out), rows[i].text);
    }
    cr_expect_lt(streams_id_compare(low, mid), 0);
    cr_expect_gt(streams_id_compare(high, mid), 0);
    cr_expect_eq(streams_id_compare(mid, mid), 0);
    sb_fini(&out);
}

/* Values of Node.js: hashCode of the package's util.js, the remainder of JavaScript. */
Test(streams_name, is_the_one_that_node_writes_to)
{
    static const struct {
        const char *nsp;
        unsigned count;
        const char *want;
    } rows[] = {
        {"/", 1, "socket.io"},
        {"/notifications", 1, "socket.io"},
        {"/", 4, "socket.io-3"},
        {"/admin", 4, "socket.io-0"},
        {"/chat", 4, "socket.io-3"},
        {"/notifications", 4, "socket.io--3"},
        {"/\xf0\x9f\x98\x80", 7, "socket.io-5"},
        {"/\xc3\xa9\xe2\x82\xac", 7, "socket.io-1"},
    };
    struct sb out = {0};

    for (size_t i = 0; i < ROWS(rows); i++) {
        out.n = 0;
        streams_name(STR("socket.io"), rows[i].count, str_z(rows[i].nsp), &out);
        cr_expect_str_eq(to_z(&out), rows[i].want, "row %zu", i);
    }
    sb_fini(&out);
}

Test(streams_add, is_the_command_of_nodes_adapter)
{
    static const char *const want[STREAMS_ADD_WORDS] = {"XADD", "s",   "MAXLEN", "~",   "10000",
                                                        "*",    "uid", "u",      "nsp", "/",
                                                        "type", "3",   "data",   "{}"};
    const struct streams_add add = {STR("s"), STR("10000"), STR("u"),
                                    STR("/"), STR("3"),     STR("{}")};
    struct str argv[STREAMS_ADD_WORDS];

    streams_add(&add, argv);
    for (int i = 0; i < STREAMS_ADD_WORDS; i++)
        cr_expect(str_eq(argv[i], str_z(want[i])), "word %d", i);
}
