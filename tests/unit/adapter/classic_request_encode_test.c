/* Writing requests and responses: the captured bytes, and that each can be read again. */
#include <criterion/criterion.h>
#include "adapter/classic_request.h"
#include "tests/unit/support/hex.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])
#define TO_ROOM1                                                                                   \
    {                                                                                              \
        .nsp = STR("/"), .rooms = room1, .rooms_count = 1                                          \
    }
#define FROM .uid = STR("JQvYcB"), .nsp = STR("/")

static const struct str room1[] = {STR("room1")}, more[] = {STR("r2"), STR("r3")},
                        bytes[] = {STR("\x01\x02")};

static const struct {
    struct wire wire;
    const char *want;
} json[] = {
    {{.type = WIRE_JOIN, FROM, .target = TO_ROOM1, .rooms = more, .rooms_count = 2},
     "{\"uid\":\"JQvYcB\",\"type\":2,\"opts\":{\"rooms\":[\"room1\"],\"except\":[]},"
     "\"rooms\":[\"r2\",\"r3\"]}"},
    {{.type = WIRE_LEAVE, FROM, .target = {.nsp = STR("/")}, .rooms = more, .rooms_count = 1},
     "{\"uid\":\"JQvYcB\",\"type\":3,\"opts\":{\"rooms\":[],\"except\":[]},\"rooms\":[\"r2\"]}"},
    {{.type = WIRE_DISCONNECT, FROM, .target = TO_ROOM1},
     "{\"uid\":\"JQvYcB\",\"type\":4,\"opts\":{\"rooms\":[\"room1\"],\"except\":[]},"
     "\"close\":false}"},
    {{.type = WIRE_FETCH, FROM, .request_id = STR("DNm71z"), .target = TO_ROOM1},
     "{\"uid\":\"JQvYcB\",\"requestId\":\"DNm71z\",\"type\":5,"
     "\"opts\":{\"rooms\":[\"room1\"],\"except\":[]}}"},
    {{.type = WIRE_EMIT, FROM, .json = STR("[\"sse\",\"x\",1]")},
     "{\"uid\":\"JQvYcB\",\"type\":6,\"data\":[\"sse\",\"x\",1]}"},
    {{.type = WIRE_ROOMS, FROM, .request_id = STR("r")},
     "{\"uid\":\"JQvYcB\",\"requestId\":\"r\",\"type\":1}"},
    {{.type = WIRE_SOCKETS, FROM, .request_id = STR("r"), .target = TO_ROOM1},
     "{\"uid\":\"JQvYcB\",\"requestId\":\"r\",\"type\":0,\"rooms\":[\"room1\"]}"},
    {{.type = WIRE_FETCH_ANSWER, .request_id = STR("r"), .json = STR("[{}]")},
     "{\"requestId\":\"r\",\"sockets\":[{}]}"},
    {{.type = WIRE_ROOMS_ANSWER, .request_id = STR("r"), .json = STR("[\"a\"]")},
     "{\"requestId\":\"r\",\"rooms\":[\"a\"]}"},
    {{.type = WIRE_SOCKETS_ANSWER, .request_id = STR("r")}, "{\"requestId\":\"r\"}"},
    {{.type = WIRE_EMIT_ANSWER, FROM, .request_id = STR("r"), .json = STR("{\"a\":1}")},
     "{\"uid\":\"JQvYcB\",\"requestId\":\"r\",\"type\":6,\"data\":{\"a\":1}}"},
    {{.type = WIRE_EMIT_ANSWER, .request_id = STR("r")}, "{\"requestId\":\"r\",\"type\":6}"},
    {{.type = WIRE_CAST_COUNT, .request_id = STR("Z9u6wU"), .count = 1},
     "{\"requestId\":\"Z9u6wU\",\"type\":8,\"clientCount\":1}"},
};

Test(classic_request_encode, writes_json_as_node_js_does)
{
    struct sb out = {0};

    for (size_t i = 0; i < ROWS(json); i++) {
        out.n = 0;
        cr_expect_eq(classic_request_encode(&json[i].wire, &out), OK, "row %zu", i);
        cr_expect_str_eq(to_z(&out), json[i].want, "row %zu", i);
    }
    sb_fini(&out);
}

Test(classic_request_encode, writes_the_captured_messagepack)
{
    static const struct {
        struct wire wire;
        const char *hex;
    } rows[] = {
        {{.type = WIRE_CAST,
          FROM,
          .request_id = STR("Z9u6wU"),
          .timeout_ms = 500,
          .cast = {.nsp = STR("/"), .array = STR("[\"q\",\"arg\"]")}},
         "85a3756964a64a5176596342a9726571756573744964a65a3975367755a47479706507a67061636b657483a47"
         "4"
         "79706502a46461746192a171a3617267a36e7370a12fa46f70747383a5726f6f6d7390a665786365707490a56"
         "6"
         "6c61677381a774696d656f7574cd01f4"},
        {{.type = WIRE_CAST_ANSWER, .request_id = STR("Z9u6wU"), .json = STR("\"pong\"")},
         "83a47479706509a9726571756573744964a65a3975367755a67061636b6574a4706f6e67"},
        {{.type = WIRE_CAST_ANSWER, .request_id = STR("Z9u6wU")},
         "82a47479706509a9726571756573744964a65a3975367755"},
        {{.type = WIRE_EMIT_ANSWER,
          .request_id = STR("r"),
          .json = STR("{\"_placeholder\":true,\"num\":0}"),
          .attachments = bytes,
          .attachments_count = 1},
         "83a47479706506a9726571756573744964a172a464617461c4020102"},
    };
    struct sb out = {0}, text = {0};

    for (size_t i = 0; i < ROWS(rows); i++) {
        out.n = 0;
        cr_expect_eq(classic_request_encode(&rows[i].wire, &out), OK, "row %zu", i);
        cr_expect_str_eq(to_hex(&text, sb_view(&out)), rows[i].hex, "row %zu", i);
    }
    sb_fini(&out);
    sb_fini(&text);
}

Test(classic_request_encode, can_be_read_again)
{
    struct classic_request r = {0};
    struct sb out = {0};

    for (size_t i = 0; i < ROWS(json); i++) {
        const struct wire *w = &json[i].wire;
        int rc;

        out.n = 0;
        cr_assert_eq(classic_request_encode(w, &out), OK);
        rc = classic_request_is_answer(w->type)
                 ? classic_response_decode(sb_view(&out), STR("/"), &r)
                 : classic_request_decode(sb_view(&out), STR("/"), &r);
        if (w->type == WIRE_SOCKETS_ANSWER) continue; /* an old form's "done" says nothing */
        cr_expect_eq(rc, OK, "row %zu", i);
        cr_expect_eq(r.wire.type, w->type, "row %zu", i);
        cr_expect(str_eq(r.wire.request_id, w->request_id), "row %zu", i);
        cr_expect(str_eq(r.wire.json, w->json), "row %zu", i);
    }
    classic_request_fini(&r);
    sb_fini(&out);
}

Test(classic_request_encode, refuses_what_is_no_json_and_what_this_wire_has_not)
{
    static const struct {
        struct wire wire;
        int want;
    } rows[] = {
        {{.type = WIRE_EMIT, .json = STR("[")}, ERR_PROTO},
        {{.type = WIRE_EMIT, .json = STR("")}, ERR_PROTO},
        {{.type = WIRE_FETCH_ANSWER, .json = STR("[\"\xff\"]")}, ERR_UTF8},
        {{.type = WIRE_CAST, .cast = {.array = STR("[1")}}, ERR_PROTO},
        {{.type = WIRE_CAST_ANSWER, .json = STR("x")}, ERR_PROTO},
        {{.type = WIRE_BEAT}, ERR_NOT_FOUND},
        {{.type = WIRE_CLOSE}, ERR_NOT_FOUND},
    };
    struct sb out = {0};

    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_eq(classic_request_encode(&rows[i].wire, &out), rows[i].want, "row %zu", i);
    sb_fini(&out);
}
