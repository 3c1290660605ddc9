#include <criterion/criterion.h>
#include "node/eio/eio.h"
#include "node/eio/payload.h"

/* "type:data " for each packet, "#" before bytes; then the code that ended it. */
static int read_all(enum eio_payload_form form, struct str body, uint64_t max, struct sb *out)
{
    struct eio_payload p;
    struct eio_packet packet;
    struct sb scratch = {0};
    int rc = eio_payload_start(&p, form, body, max);

    out->n = 0;
    while (rc == OK && (rc = eio_payload_next(&p, &scratch, &packet)) == OK) {
        sb_printf(out, "%d%s%.*s ", packet.type, packet.binary ? "#" : ":", STR_ARG(packet.data));
    }
    sb_fini(&scratch);
    sb_char(out, 0);
    return rc;
}

#define V4 EIO_PAYLOAD_V4
#define TEXT EIO_PAYLOAD_V3_TEXT
#define BIN EIO_PAYLOAD_V3_BINARY
#define BODY(s)                                                                                    \
    {                                                                                              \
        "" s, sizeof(s) - 1                                                                        \
    }

Test(eio_payload_next, reads_bodies_of_every_form)
{
    static const struct {
        enum eio_payload_form form;
        struct str body;
        const char *want;
    } rows[] = {
        {V4, BODY("4a"), "4:a "},
        {V4,
         BODY("4a\x1e"
              "4b\x1e"
              "3"),
         "4:a 4:b 3: "},
        {V4,
         BODY("4a\x1e"
              "bQUI="),
         "4:a 4#AB "},
        {TEXT, BODY("6:4hello"), "4:hello "},
        {TEXT, BODY("2:4a1:2"), "4:a 2: "},
        {TEXT,
         BODY("2:4\xe2\x82\xac"
              "3:4\xf0\x9f\x98\x80"),
         "4:\xe2\x82\xac 4:\xf0\x9f\x98\x80 "},
        {TEXT, BODY("6:b4QUI="), "4#AB "},
        {BIN,
         BODY("\0\6\xff"
              "4hello\1\3\xff\4AB"),
         "4:hello 4#AB "},
        {BIN,
         BODY("\0\1\1\xff"
              "4helloworld"),
         "4:helloworld "},
    };
    struct sb out = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(read_all(rows[i].form, rows[i].body, 100, &out), ERR_AGAIN, "row %zu", i);
        cr_expect_str_eq(out.p, rows[i].want, "row %zu", i);
    }
    sb_fini(&out);
}

Test(eio_payload_next, stops_at_the_limit_of_packets)
{
    struct sb out = {0};

    cr_expect_eq(read_all(V4,
                          STR("4a\x1e"
                              "4b"),
                          2, &out),
                 ERR_AGAIN);
    cr_expect_eq(read_all(V4,
                          STR("4a\x1e"
                              "4b\x1e"
                              "4c"),
                          2, &out),
                 ERR_LIMIT);
    cr_expect_str_eq(out.p, "4:a 4:b ");
    cr_expect_eq(read_all(TEXT, STR("1:41:4"), 1, &out), ERR_LIMIT);
    sb_fini(&out);
}

Test(eio_payload_next, refuses_what_it_cannot_read)
{
    static const struct {
        enum eio_payload_form form;
        struct str body;
        int want;
    } rows[] = {
        {V4, BODY(""), ERR_PROTO},
        {V4, BODY("abc"), ERR_PROTO},
        {V4, BODY("4a\x1e"), ERR_PROTO},
        {V4,
         BODY("\x1e"
              "4a"),
         ERR_PROTO},
        {V4, BODY("4\xff"), ERR_UTF8},
        {V4, BODY("4\xed\xa0\x80"), ERR_UTF8}, /* a lone surrogate */
        {TEXT, BODY(""), ERR_PROTO},
        {TEXT, BODY("abc"), ERR_PROTO},
        {TEXT, BODY("0:"), ERR_PROTO},
        {TEXT, BODY(":4a"), ERR_PROTO},
        {TEXT, BODY("3:4a"), ERR_PROTO},
        {TEXT, BODY("-1:4"), ERR_PROTO},
        {TEXT, BODY("99999999999999999999:4"), ERR_PROTO},
        {TEXT, BODY("2:4\xf0\x9f\x98\x80"), ERR_PROTO}, /* would cut a surrogate pair */
        {TEXT, BODY("2:4a1"), ERR_PROTO},
        {BIN, BODY(""), ERR_PROTO},
        {BIN, BODY("\0\1"), ERR_PROTO},
        {BIN,
         BODY("\0\xff"
              "4"),
         ERR_PROTO},
        {BIN,
         BODY("\2\1\xff"
              "4"),
         ERR_PROTO},
        {BIN,
         BODY("\0\2\xff"
              "4"),
         ERR_PROTO},
        {BIN,
         BODY("\0\x0b\xff"
              "4"),
         ERR_PROTO},
        {BIN,
         BODY("\0\0\xff"
              "4"),
         ERR_PROTO},
        {BIN,
         BODY("\0\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\xff"
              "4"),
         ERR_PROTO},
        {BIN,
         BODY("\0\2\xff"
              "4\xff"),
         ERR_PROTO}, /* text that is not UTF-8 */
        {BIN, BODY("\1\2\xff\2x"), ERR_PROTO},
    };
    struct sb out = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(read_all(rows[i].form, rows[i].body, 100, &out), rows[i].want, "row %zu", i);
    }
    sb_fini(&out);
}

static void fill(struct buf_queue *q, int protocol)
{
    buf_queue_push(q, eio_text_message(STR("\xf0\x9f\x98\x80")));
    buf_queue_push(q, eio_binary_message(protocol, STR("\1\2\3\4")));
}

Test(eio_payload_take, writes_the_form_of_the_revision)
{
    static const struct {
        int protocol;
        bool b64, is_octets;
        struct str want;
    } rows[] = {
        {4, false, false,
         BODY("4\xf0\x9f\x98\x80\x1e"
              "bAQIDBA==")},
        {3, true, false,
         BODY("3:4\xf0\x9f\x98\x80"
              "10:b4AQIDBA==")},
        {3, false, true,
         BODY("\0\5\xff"
              "4\xf0\x9f\x98\x80\1\5\xff\4\1\2\3\4")},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf_queue q = {0};
        struct eio_batch batch;

        fill(&q, rows[i].protocol);
        eio_payload_take(&q, rows[i].protocol, rows[i].b64, 1000, &batch);
        cr_expect(str_eq(sb_view(&batch.body), rows[i].want), "row %zu: %.*s", i,
                  STR_ARG(sb_view(&batch.body)));
        cr_expect_eq(batch.is_octets, rows[i].is_octets, "row %zu", i);
        cr_expect(batch.may_compress);
        cr_expect_eq(q.count, 0);
        sb_fini(&batch.body);
    }
}

Test(eio_payload_take, keeps_the_rest_for_the_next_poll)
{
    struct buf_queue q = {0};
    struct eio_batch batch;

    for (int i = 0; i < 3; i++) {
        buf_queue_push(&q, eio_text_message(STR("0123456789")));
    }
    eio_payload_take(&q, 4, false, 12, &batch);
    cr_expect_eq(q.count, 1);
    cr_expect_eq(batch.body.n, 23);
    sb_fini(&batch.body);
    buf_queue_clear(&q);
}

Test(eio_payload_take, writes_lengths_of_several_digits)
{
    struct buf_queue q = {0};
    struct eio_batch batch;
    static char zeros[300];

    buf_queue_push(&q, eio_binary_message(3, str_of(zeros, sizeof zeros)));
    eio_payload_take(&q, 3, false, 1000, &batch);
    cr_expect_eq(memcmp(batch.body.p, "\1\3\0\1\xff\4", 6), 0);
    cr_expect_eq(batch.body.n, 306);
    sb_fini(&batch.body);
}
