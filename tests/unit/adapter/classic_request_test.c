/* Reading requests and responses: captured from @socket.io/redis-adapter 8, old forms, garbage. */
#include <criterion/criterion.h>
#include "adapter/classic_request.h"
#include "tests/unit/support/hex.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

static struct classic_request r;
static struct sb text;

static void put_names(const char *key, const struct str *items, unsigned count)
{
    sb_printf(&text, " %s=", key);
    for (unsigned i = 0; i < count; i++)
        sb_printf(&text, "%s" STR_FMT, i ? "," : "", STR_ARG(items[i]));
}

/* One line of what was understood. */
static const char *shown(const struct wire *w)
{
    text.n = 0;
    sb_printf(&text, "%d uid=" STR_FMT " id=" STR_FMT, w->type, STR_ARG(w->uid),
              STR_ARG(w->request_id));
    if (w->target.nsp.n) {
        put_names("rooms", w->target.rooms, w->target.rooms_count);
        put_names("except", w->target.except, w->target.except_count);
    }
    if (w->rooms_count) put_names("more", w->rooms, w->rooms_count);
    if (w->close) sb_z(&text, " close");
    if (w->timeout_ms) sb_printf(&text, " timeout=%u", (unsigned)w->timeout_ms);
    if (w->type == WIRE_CAST)
        sb_printf(&text, " " STR_FMT " flags=%u +%u", STR_ARG(w->cast.array), w->cast.flags,
                  w->cast.attachments_count);
    if (w->type == WIRE_CAST_COUNT) sb_printf(&text, " count=%u", w->count);
    if (w->json.n) sb_printf(&text, " " STR_FMT, STR_ARG(w->json));
    return to_z(&text);
}

static void fini(void)
{
    classic_request_fini(&r);
    sb_fini(&text);
}

TestSuite(classic_request_decode, .fini = fini);
TestSuite(classic_response_decode, .fini = fini);

#define OPTS "\"opts\":{\"rooms\":[\"room1\"],\"except\":[]}"

Test(classic_request_decode, reads_what_peers_write)
{
    static const struct {
        const char *bytes, *want;
    } rows[] = {
        {"{\"uid\":\"JQvYcB\",\"type\":2," OPTS ",\"rooms\":[\"r2\",\"r\\\"3\"]}",
         "1 uid=JQvYcB id= rooms=room1 except= more=r2,r\"3"},
        {"{\"uid\":\"JQvYcB\",\"type\":3," OPTS ",\"rooms\":[5]}",
         "2 uid=JQvYcB id= rooms=room1 except= more=5"},
        {"{\"uid\":\"u\",\"type\":4,\"opts\":{\"except\":[\"x\"]},\"close\":true}",
         "3 uid=u id= rooms= except=x close"},
        {"{\"uid\":\"JQvYcB\",\"requestId\":\"DNm71z\",\"type\":5," OPTS "}",
         "4 uid=JQvYcB id=DNm71z rooms=room1 except="},
        {"{\"uid\":\"emitter\",\"type\":6,\"data\":[\"sse\",1]}", "6 uid=emitter id= [\"sse\",1]"},
        {"{\"uid\":\"u\",\"requestId\":\"r\",\"type\":6,\"data\":[\"sse\",{\"a\":null}]}",
         "6 uid=u id=r [\"sse\",{\"a\":null}]"},
        {"{\"uid\":\"u\",\"requestId\":\"r\",\"type\":1}", "10 uid=u id=r"},
        {"{\"uid\":\"u\",\"requestId\":\"r\",\"type\":0,\"rooms\":[\"a\"]}",
         "12 uid=u id=r rooms=a except="},
        /* the emitter: no uid */
        {"{\"type\":2,\"opts\":{\"rooms\":[\"room1\"],\"except\":[]},\"rooms\":[\"r9\"]}",
         "1 uid= id= rooms=room1 except= more=r9"},
        /* old forms */
        {"{\"requestId\":\"r\",\"type\":2,\"sid\":\"s\",\"room\":\"x\"}",
         "1 uid= id=r rooms=s except= more=x"},
        {"{\"requestId\":\"r\",\"type\":3,\"sid\":\"s\",\"room\":\"x\"}",
         "2 uid= id=r rooms=s except= more=x"},
        {"{\"requestId\":\"r\",\"type\":4,\"sid\":\"s\",\"close\":false}",
         "3 uid= id=r rooms=s except="},
        /* a broadcast with ack as JSON is taken by Node.js as well */
        {"{\"uid\":\"u\",\"requestId\":\"r\",\"type\":7,\"packet\":{\"type\":2,\"data\":[\"q\"],"
         "\"nsp\":\"/\"},\"opts\":{\"rooms\":[],\"except\":[\"a\"],\"flags\":{\"timeout\":500,"
         "\"volatile\":true,\"compress\":false}}}",
         "0 uid=u id=r rooms= except=a timeout=500 [\"q\"] flags=3 +0"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        cr_expect_eq(classic_request_decode(str_z(rows[i].bytes), STR("/"), &r), OK, "row %zu", i);
        cr_expect_str_eq(shown(&r.wire), rows[i].want, "row %zu", i);
    }
}

Test(classic_request_decode, reads_a_captured_broadcast_with_ack)
{
    struct sb b = {0};

    cr_expect_eq(
        classic_request_decode(
            hex(&b, "85a3756964a64a5176596342a9726571756573744964a65a3975367755a4747970650"
                    "7a67061636b657483a47479706502a46461746192a171a3617267a36e7370a12fa46f7"
                    "0747383a5726f6f6d7390a665786365707490a5666c61677381a774696d656f7574cd0"
                    "1f4"),
            STR("/"), &r),
        OK);
    cr_expect_str_eq(
        shown(&r.wire),
        "0 uid=JQvYcB id=Z9u6wU rooms= except= timeout=500 [\"q\",\"arg\"] flags=0 +0");
    sb_fini(&b);
}

Test(classic_request_decode, refuses_garbage_and_passes_over_what_is_not_for_it)
{
    static const struct {
        const char *bytes;
        int want;
    } rows[] = {
        {"", ERR_PROTO},
        {"{", ERR_PROTO},
        {"[]", ERR_PROTO},
        {"\x90", ERR_PROTO}, /* an array */
        {"\xc1", ERR_PROTO},
        {"{\"type\":\"2\"}", ERR_PROTO},
        {"{\"type\":1.5}", ERR_PROTO},
        {"{}", ERR_NOT_FOUND},
        {"{\"type\":8}", ERR_NOT_FOUND},
        {"{\"type\":99}", ERR_NOT_FOUND},
        {"{\"type\":5," OPTS "}", ERR_PROTO}, /* nobody to answer */
        {"{\"type\":1}", ERR_PROTO},
        {"{\"type\":5,\"requestId\":5," OPTS "}", ERR_PROTO},
        {"{\"type\":5,\"requestId\":\"r\"}", ERR_PROTO},
        {"{\"type\":5,\"requestId\":\"r\",\"opts\":{\"rooms\":\"a\"}}", ERR_PROTO}, /* not "all" */
        {"{\"type\":5,\"requestId\":\"r\",\"opts\":{\"rooms\":[{}]}}", ERR_PROTO},
        {"{\"type\":5,\"requestId\":\"r\",\"opts\":[]}", ERR_PROTO},
        {"{\"type\":5,\"uid\":\"0123456789012345678901234567890123456789012345678901234567890123456"
         "789\",\"requestId\":\"r\"," OPTS "}",
         ERR_LIMIT},
        {"{\"type\":2,\"sid\":\"s\",\"room\":\"x\"}", ERR_PROTO}, /* the old form, and no id */
        {"{\"type\":2,\"requestId\":\"r\",\"sid\":\"s\"}", ERR_PROTO},
        {"{\"type\":2,\"requestId\":\"r\",\"room\":\"s\"}", ERR_PROTO},
        {"{\"type\":4,\"requestId\":\"r\",\"sid\":5}", ERR_PROTO},
        {"{\"type\":6,\"data\":[]}", ERR_PROTO},
        {"{\"type\":6,\"data\":{}}", ERR_PROTO},
        {"{\"type\":6}", ERR_PROTO},
        {"{\"type\":7,\"requestId\":\"r\"," OPTS "}", ERR_PROTO},
        {"{\"type\":7,\"requestId\":\"r\",\"packet\":{}," OPTS "}", ERR_PROTO},
        {"{\"type\":7,\"requestId\":\"r\",\"packet\":{\"data\":[\"x\"]}}", ERR_PROTO},
        {"{\"type\":7,\"packet\":{\"data\":[\"x\"]}," OPTS "}", ERR_PROTO},
        /* clients hang up on these */
        {"{\"type\":7,\"requestId\":\"r\",\"packet\":{\"data\":[]}," OPTS "}", ERR_PROTO},
        {"{\"type\":7,\"requestId\":\"r\",\"packet\":{\"data\":[\"connect\"]}," OPTS "}",
         ERR_PROTO},
        {"{\"type\":7,\"requestId\":\"r\",\"packet\":{\"data\":[\"x\"],\"nsp\":\"/b\"}," OPTS "}",
         ERR_NOT_FOUND},
        {"{\"type\":5,\"requestId\":\"\xff\"," OPTS "}", ERR_UTF8},
    };

    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_eq(classic_request_decode(str_z(rows[i].bytes), STR("/"), &r), rows[i].want,
                     "row %zu: %d", i, classic_request_decode(str_z(rows[i].bytes), STR("/"), &r));
}

Test(classic_response_decode, reads_what_peers_write)
{
    static const struct {
        const char *bytes, *want;
    } rows[] = {
        {"{\"requestId\":\"DNm71z\",\"sockets\":[{\"id\":\"s\",\"rooms\":[]}]}",
         "5 uid= id=DNm71z [{\"id\":\"s\",\"rooms\":[]}]"},
        {"{\"requestId\":\"r\",\"sockets\":[]}", "5 uid= id=r []"},
        {"{\"requestId\":\"r\",\"sockets\":[\"sid\"]}", "13 uid= id=r [\"sid\"]"},
        {"{\"requestId\":\"r\",\"rooms\":[\"a\"]}", "11 uid= id=r [\"a\"]"},
        {"{\"type\":6,\"requestId\":\"r\",\"data\":{\"a\":1}}", "7 uid= id=r {\"a\":1}"},
        {"{\"type\":6,\"requestId\":\"r\"}", "7 uid= id=r"},
        {"{\"type\":8,\"requestId\":\"Z9u6wU\",\"clientCount\":1}", "8 uid= id=Z9u6wU count=1"},
        {"\x83\xa4type\x09\xa9requestId\xa6Z9u6wU\xa6packet\xa4pong", "9 uid= id=Z9u6wU \"pong\""},
        {"\x82\xa4type\x09\xa9requestId\xa6Z9u6wU", "9 uid= id=Z9u6wU"},
        {"{\"uid\":\"n00101\",\"type\":8,\"requestId\":\"r\",\"clientCount\":0}",
         "8 uid=n00101 id=r count=0"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        cr_expect_eq(classic_response_decode(str_z(rows[i].bytes), STR("/"), &r), OK, "row %zu", i);
        cr_expect_str_eq(shown(&r.wire), rows[i].want, "row %zu", i);
    }
}

Test(classic_response_decode, refuses_garbage_and_passes_over_what_says_nothing)
{
    static const struct {
        const char *bytes;
        int want;
    } rows[] = {
        {"", ERR_PROTO},
        {"{\"requestId\":\"r\"}", ERR_NOT_FOUND}, /* the "done" of an old form */
        {"{\"sockets\":[]}", ERR_NOT_FOUND},      /* for nobody */
        {"{\"requestId\":\"r\",\"sockets\":{}}", ERR_PROTO},
        {"{\"requestId\":\"r\",\"sockets\":[1]}", ERR_PROTO},
        {"{\"requestId\":\"r\",\"rooms\":1}", ERR_PROTO},
        {"{\"type\":8,\"requestId\":\"r\"}", ERR_PROTO},
        {"{\"type\":8,\"requestId\":\"r\",\"clientCount\":-1}", ERR_PROTO},
        {"{\"type\":8,\"requestId\":\"r\",\"clientCount\":9999999999}", ERR_PROTO},
        {"{\"type\":8,\"requestId\":\"r\",\"clientCount\":\"1\"}", ERR_PROTO},
    };

    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_eq(classic_response_decode(str_z(rows[i].bytes), STR("/"), &r), rows[i].want,
                     "row %zu", i);
}
