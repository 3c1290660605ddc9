/* Rows: socket.io-protocol v5; 2 and 2.2 of the wire reference; D1 to D8 of the security list. */
#include <criterion/criterion.h>
#include "node/sio/packet.h"

static int decode(const char *text, struct sio_packet *p)
{
    static struct sb scratch;

    return sio_packet_decode(str_z(text), 10, &scratch, p);
}

#define EXPECT(got, want)                                                                          \
    cr_expect(str_eq(got, str_z(want)), "%s: got " STR_FMT, want, STR_ARG(got))

Test(sio_packet_decode, reads_what_clients_send)
{
    static const struct {
        const char *text;
        enum sio_packet_type type;
        unsigned attachments;
        const char *nsp, *ack, *json, *name, *args;
    } rows[] = {
        {"0", SIO_PACKET_CONNECT, 0, "/", "", "", "", ""},
        {"0{\"token\":\"123\"}", SIO_PACKET_CONNECT, 0, "/", "", "{\"token\":\"123\"}", "", ""},
        {"0/custom", SIO_PACKET_CONNECT, 0, "/custom", "", "", "", ""},
        {"0/custom,", SIO_PACKET_CONNECT, 0, "/custom", "", "", "", ""},
        {"0/a?b=1,{}", SIO_PACKET_CONNECT, 0, "/a?b=1", "", "{}", "", ""},
        {"07{}", SIO_PACKET_CONNECT, 0, "/", "7", "{}", "", ""},
        {"1", SIO_PACKET_DISCONNECT, 0, "/", "", "", "", ""},
        {"1/admin,", SIO_PACKET_DISCONNECT, 0, "/admin", "", "", "", ""},
        {"2[\"hello\",1]", SIO_PACKET_EVENT, 0, "/", "", "[\"hello\",1]", "hello", "1"},
        {"2/admin,13[\"x\"]", SIO_PACKET_EVENT, 0, "/admin", "13", "[\"x\"]", "x", ""},
        {"2[ \"a\" , {\"b\": [1, 2]} , 3 ]", SIO_PACKET_EVENT, 0, "/", "",
         "[ \"a\" , {\"b\": [1, 2]} , 3 ]", "a", "{\"b\": [1, 2]} , 3"},
        {"2[\"\\u006dessage\"]", SIO_PACKET_EVENT, 0, "/", "", "[\"\\u006dessage\"]", "message",
         ""},
        {"2[7,\"x\"]", SIO_PACKET_EVENT, 0, "/", "", "[7,\"x\"]", "7", "\"x\""},
        {"2[\"error\"]", SIO_PACKET_EVENT, 0, "/", "", "[\"error\"]", "error", ""},
        {"2[\"__proto__\"]", SIO_PACKET_EVENT, 0, "/", "", "[\"__proto__\"]", "__proto__", ""},
        {"212345678901234567890[\"a\"]", SIO_PACKET_EVENT, 0, "/", "12345678901234567890",
         "[\"a\"]", "a", ""},
        {"399999999999999999999[]", SIO_PACKET_ACK, 0, "/", "99999999999999999999", "[]", "", ""},
        {"3[]", SIO_PACKET_ACK, 0, "/", "", "[]", "", ""},
        {"51-[\"e\",{\"_placeholder\":true,\"num\":0}]", SIO_PACKET_BINARY_EVENT, 1, "/", "",
         "[\"e\",{\"_placeholder\":true,\"num\":0}]", "e", "{\"_placeholder\":true,\"num\":0}"},
        {"610-/n,7[1]", SIO_PACKET_BINARY_ACK, 10, "/n", "7", "[1]", "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sio_packet p;

        cr_assert_eq(decode(rows[i].text, &p), OK, "%s", rows[i].text);
        cr_expect_eq(p.type, rows[i].type, "%s", rows[i].text);
        cr_expect_eq(p.attachments, rows[i].attachments, "%s", rows[i].text);
        EXPECT(p.nsp, rows[i].nsp);
        EXPECT(p.ack, rows[i].ack);
        EXPECT(p.json, rows[i].json);
        EXPECT(p.name, rows[i].name);
        EXPECT(p.args, rows[i].args);
    }
}

Test(sio_packet_decode, refuses_the_rest)
{
    static const char *const rows[] = {
        "",
        "7",
        "9",
        "999",
        "abc",
        "-1",
        " 2[\"a\"]",
        /* CONNECT */ "0[]",
        "0[1]",
        "0\"text\"",
        "0null",
        "0/admin,\"x\"",
        "0{",
        "0{} {}",
        /* DISCONNECT */ "1{}",
        "1/admin,{}",
        "1[]",
        /* EVENT */ "2",
        "2{}",
        "2[]",
        "2\"message\"",
        "2[null]",
        "2[true]",
        "2[[]]",
        "2[{\"toString\":\"foo\"}]",
        "2[\"message\"",
        "2/admin,\"x",
        "242[\"some\",\"data\"",
        "2abc[\"m\"]",
        "2-1[\"m\"]",
        "2 [\"m\"]",
        "21 2[\"m\"]",
        "2123456789012345678901[\"m\"]",
        "2[\"a\"]x",
        "2[\"a\",]",
        "2[\"a\xC2\"]",
        "2[\"\xC2",
        "2[\"a\",{\"b\":\"\xC2",
        "23x",
        "2\x93\xA1\x61",
        /* reserved */ "2[\"connect\"]",
        "2[\"connect_error\"]",
        "2[\"disconnect\",\"x\"]",
        "2[\"disconnecting\"]",
        "2[\"newListener\"]",
        "2[\"removeListener\"]",
        "2[\"c\\u006fnnect\"]",
        "51-[\"connect\"]",
        /* ACK */ "3",
        "313",
        "3{}",
        "31{}",
        "3x",
        "3123456789012345678901[]",
        /* CONNECT_ERROR */ "4",
        "4{}",
        "4{\"message\":\"x\"}",
        "4\"x\"",
        /* attachments */ "5",
        "51",
        "5-",
        "5-[\"m\"]",
        "5x-[\"m\"]",
        "5a-",
        "51.23-",
        "50-[\"m\"]",
        "51[\"m\"]",
        "511-[\"m\"]",
        "5999999-[\"x\"]",
        "599999999999999999999999-[\"x\"]",
        "5+1-[\"m\"]",
        "61-",
        "61-{}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sio_packet p = {.attachments = 77};

        cr_expect_neq(decode(rows[i], &p), OK, "%s", rows[i]);
        cr_expect_eq(p.attachments, 77, "%s: out was touched", rows[i]);
    }
}

Test(sio_packet_decode, refuses_deep_nesting_and_takes_long_flat_text)
{
    struct sb text = {0};
    struct sio_packet p;

    sb_z(&text, "2[\"a\",");
    for (int i = 0; i < 100000; i++)
        sb_char(&text, '[');
    sb_char(&text, 0);
    cr_expect_eq(decode(text.p, &p), ERR_DEPTH);
    text.n = 0;
    sb_z(&text, "2[\"a\"");
    for (int i = 0; i < 100000; i++)
        sb_z(&text, ",{\"k\":1,\"k\":-0,\"z\":1e999,\"\\u0000\":\"\\u0000\"}");
    sb_z(&text, "]");
    sb_char(&text, 0);
    cr_expect_eq(decode(text.p, &p), OK);
    sb_fini(&text);
}

Test(sio_packet_encode, writes_what_it_reads)
{
    static const char *const rows[] = {
        "0",
        "0{\"sid\":\"x\"}",
        "0/custom,{\"sid\":\"x\"}",
        "1",
        "1/admin,",
        "2[\"hello\",1]",
        "2/admin,13[\"x\"]",
        "313[\"y\"]",
        "51-[\"e\",{}]",
        "62-/n,70[1]",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sb out = {0};
        struct sio_packet p;

        cr_assert_eq(decode(rows[i], &p), OK);
        sio_packet_encode(&out, &p);
        EXPECT(sb_view(&out), rows[i]);
        sb_fini(&out);
    }
}

#define HOLE(n) "{\"_placeholder\":true,\"num\":" #n "}"

Test(sio_packet_place, puts_placeholders_in_order)
{
    static const struct {
        const char *json;
        unsigned count;
        const char *want;
        uint16_t place[3];
    } rows[] = {
        {"[\"a\"," HOLE(0) "]", 1, "[\"a\"," HOLE(0) "]", {0}},
        {"[\"a\",{\"d\":[" HOLE(1) "]}," HOLE(0) "]",
         2,
         "[\"a\",{\"d\":[" HOLE(0) "]}," HOLE(1) "]",
         {1, 0}},
        {"[" HOLE(2) "," HOLE(0) "," HOLE(1) ",5]",
         3,
         "[" HOLE(0) "," HOLE(1) "," HOLE(2) ",5]",
         {1, 2, 0}},
        {"[{\"num\":0.0,\"x\":1,\"_placeholder\":true}]", 1, "[" HOLE(0) "]", {0}},
        {"[{\"_placeholder\":false,\"num\":9}," HOLE(0) "]",
         1,
         "[{\"_placeholder\":false,\"num\":9}," HOLE(0) "]",
         {0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sb out = {0};
        uint16_t place[3];

        cr_assert_eq(sio_packet_place(str_z(rows[i].json), rows[i].count, place, &out), OK,
                     "row %zu", i);
        EXPECT(sb_view(&out), rows[i].want);
        for (unsigned j = 0; j < rows[i].count; j++)
            cr_expect_eq(place[j], rows[i].place[j], "row %zu", i);
        sb_fini(&out);
    }
}

Test(sio_packet_place, refuses_numbers_that_do_not_fit)
{
    static const struct {
        const char *json;
        unsigned count;
    } rows[] = {
        {"[\"x\",{\"_placeholder\":true,\"num\":\"splice\"}]", 1},
        {"[\"x\"," HOLE(-1) "]", 1},
        {"[\"x\"," HOLE(1) "]", 1},
        {"[\"x\"," HOLE(5) "]", 1},
        {"[\"x\"," HOLE(1e9) "]", 1},
        {"[\"x\"," HOLE(0.5) "]", 1},
        {"[\"x\"," HOLE(99999999999999999999) "]", 1},
        {"[\"x\",{\"_placeholder\":true}]", 1},
        {"[\"x\"," HOLE(0) "," HOLE(0) "]", 2}, /* twice */
        {"[\"x\"]", 1},                         /* not used */
        {"[\"x\"," HOLE(0) "]", 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sb out = {0};
        uint16_t place[2];

        cr_expect_eq(sio_packet_place(str_z(rows[i].json), rows[i].count, place, &out), ERR_PROTO,
                     "row %zu", i);
        sb_fini(&out);
    }
}
