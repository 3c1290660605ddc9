/* Emit orders: what is read out of them, and every refusal with its sentence. */
#include <criterion/criterion.h>
#include <stdio.h>
#include "base/json.h"
#include "node/ops/emit_order.h"

static struct sb scratch, why;
static struct ops_emit_order order;

static int decode(struct str body)
{
    why.n = 0;
    return ops_emit_order_decode(body, &scratch, &order, &why);
}

static void tear_down(void)
{
    sb_fini(&scratch);
    sb_fini(&why);
}

TestSuite(ops_emit_order, .fini = tear_down);

/* "/ a,b !c volatile [\"x\"]" */
static const char *order_z(void)
{
    static struct sb text;

    text.n = 0;
    sb_str(&text, order.nsp);
    for (unsigned i = 0; i < order.rooms_count; i++) {
        sb_char(&text, i ? ',' : ' ');
        sb_str(&text, order.rooms[i]);
    }
    for (unsigned i = 0; i < order.except_count; i++) {
        sb_z(&text, i ? "," : " !");
        sb_str(&text, order.except[i]);
    }
    if (order.is_volatile) sb_z(&text, " volatile");
    sb_char(&text, ' ');
    sb_str(&text, order.array);
    sb_char(&text, 0);
    return text.p;
}

Test(ops_emit_order, reads_what_was_ordered)
{
    static const struct {
        const char *body, *want;
    } rows[] = {
        {"{\"event\":\"x\"}", "/ [\"x\"]"},
        {" { \"event\" : \"x\" , \"data\" : { \"a\" : [ 1 ] } } ", "/ [\"x\",{ \"a\" : [ 1 ] }]"},
        {"{\"data\":null,\"event\":\"x\"}", "/ [\"x\",null]"},
        {"{\"event\":\"x\",\"data\":[]}", "/ [\"x\",[]]"},
        {"{\"event\":\"x\",\"args\":[]}", "/ [\"x\"]"},
        {"{\"event\":\"x\",\"args\":[ ]}", "/ [\"x\"]"},
        {"{\"event\":\"x\",\"args\":[1, \"two\" ,[3]]}", "/ [\"x\",1, \"two\" ,[3]]"},
        {"{\"event\":\"x\",\"rooms\":[\"a\",\"b\"]}", "/ a,b [\"x\"]"},
        {"{\"event\":\"x\",\"user\":\"u7\"}", "/ user-u7 [\"x\"]"},
        {"{\"event\":\"x\",\"user\":\"\\u00e9\",\"rooms\":[\"\\u0061\"]}", "/ a,user-é [\"x\"]"},
        {"{\"event\":\"x\",\"except\":[]}", "/ [\"x\"]"},
        {"{\"event\":\"x\",\"except\":[\"c\",\"d\"],\"volatile\":true}", "/ !c,d volatile [\"x\"]"},
        {"{\"event\":\"x\",\"volatile\":false,\"namespace\":\"/desk\"}", "/desk [\"x\"]"},
        {"{\"event\":\"a \\\"b\\\"\",\"data\":1.5e3}", "/ [\"a \\\"b\\\"\",1.5e3]"},
        {"{\"event\":\"x\",\"rooms\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\"],\"user\":\"8\"}",
         "/ 1,2,3,4,5,6,7,user-8 [\"x\"]"},
        {"{\"event\":\"connection\"}", "/ [\"connection\"]"}, /* a server's name, no client's */
        {"{\"event\":\"x\",\"data\":{\"_placeholder\":true,\"num\":0}}",
         "/ [\"x\",{\"_placeholder\":true,\"num\":0}]"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct json v;

        cr_assert_eq(decode(str_z(rows[i].body)), OK, "row %zu: " STR_FMT, i,
                     STR_ARG(sb_view(&why)));
        cr_expect_str_eq(order_z(), rows[i].want, "row %zu", i);
        cr_expect_eq(json_parse(order.array, &v), OK, "row %zu", i);
        cr_expect_eq(why.n, 0);
    }
}

Test(ops_emit_order, refuses_what_it_does_not_know_and_says_why)
{
    static const struct {
        const char *body;
        int rc;
        const char *why;
    } rows[] = {
        {"", ERR_PROTO, "the body is empty"},
        {" ", ERR_PROTO, "the body is not JSON: malformed data for this protocol"},
        {"{\"event\":\"x\"", ERR_PROTO, "the body is not JSON: malformed data for this protocol"},
        {"{\"event\":\"\xff\"}", ERR_UTF8, "the body is not JSON: text that is not UTF-8"},
        {"[]", ERR_SCHEMA, "the body must be a JSON object"},
        {"\"event\"", ERR_SCHEMA, "the body must be a JSON object"},
        {"{}", ERR_SCHEMA, "event: is missing"},
        {"{\"data\":1}", ERR_SCHEMA, "event: is missing"},
        {"{\"event\":\"\"}", ERR_SCHEMA, "event: must be a text of 1 to 256 bytes"},
        {"{\"event\":5}", ERR_SCHEMA, "event: must be a text of 1 to 256 bytes"},
        {"{\"event\":null}", ERR_SCHEMA, "event: must be a text of 1 to 256 bytes"},
        {"{\"event\":\"disconnect\"}", ERR_SCHEMA,
         "event: \"disconnect\" is reserved by Socket.IO"},
        {"{\"event\":\"con\\u006eect\"}", ERR_SCHEMA,
         "event: \"connect\" is reserved by Socket.IO"},
        {"{\"event\":\"connect_error\"}", ERR_SCHEMA,
         "event: \"connect_error\" is reserved by Socket.IO"},
        {"{\"event\":\"disconnecting\"}", ERR_SCHEMA,
         "event: \"disconnecting\" is reserved by Socket.IO"},
        {"{\"event\":\"newListener\"}", ERR_SCHEMA,
         "event: \"newListener\" is reserved by Socket.IO"},
        {"{\"event\":\"removeListener\"}", ERR_SCHEMA,
         "event: \"removeListener\" is reserved by Socket.IO"},
        {"{\"event\":\"x\",\"data\":1,\"args\":[]}", ERR_SCHEMA, "data and args: give one of them"},
        {"{\"args\":[],\"data\":1,\"event\":\"x\"}", ERR_SCHEMA, "data and args: give one of them"},
        {"{\"event\":\"x\",\"args\":{}}", ERR_SCHEMA, "args: must be an array"},
        {"{\"event\":\"x\",\"rooms\":[]}", ERR_SCHEMA,
         "rooms: is empty; leave it out to reach the whole namespace"},
        {"{\"event\":\"x\",\"rooms\":\"a\"}", ERR_SCHEMA,
         "rooms: must be an array of 1 to 8 texts of 1 to 256 bytes"},
        {"{\"event\":\"x\",\"rooms\":null}", ERR_SCHEMA,
         "rooms: must be an array of 1 to 8 texts of 1 to 256 bytes"},
        {"{\"event\":\"x\",\"rooms\":[\"\"]}", ERR_SCHEMA,
         "rooms: must be an array of 1 to 8 texts of 1 to 256 bytes"},
        {"{\"event\":\"x\",\"rooms\":[\"a\",1]}", ERR_SCHEMA,
         "rooms: must be an array of 1 to 8 texts of 1 to 256 bytes"},
        {"{\"event\":\"x\",\"rooms\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]}",
         ERR_SCHEMA, "rooms: must be an array of 1 to 8 texts of 1 to 256 bytes"},
        {"{\"event\":\"x\",\"rooms\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\"],"
         "\"user\":\"u\"}",
         ERR_SCHEMA, "rooms: 7 at most beside user, who is a room as well"},
        {"{\"event\":\"x\",\"user\":\"\"}", ERR_SCHEMA, "user: must be a text of 1 to 251 bytes"},
        {"{\"event\":\"x\",\"user\":7}", ERR_SCHEMA, "user: must be a text of 1 to 251 bytes"},
        {"{\"event\":\"x\",\"except\":\"a\"}", ERR_SCHEMA,
         "except: must be an array of 0 to 8 texts of 1 to 256 bytes"},
        {"{\"event\":\"x\",\"except\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]}",
         ERR_SCHEMA, "except: must be an array of 0 to 8 texts of 1 to 256 bytes"},
        {"{\"event\":\"x\",\"namespace\":\"desk\"}", ERR_SCHEMA,
         "namespace: must be a text of 1 to 256 bytes that begins with a slash"},
        {"{\"event\":\"x\",\"namespace\":\"\"}", ERR_SCHEMA,
         "namespace: must be a text of 1 to 256 bytes that begins with a slash"},
        {"{\"event\":\"x\",\"volatile\":1}", ERR_SCHEMA, "volatile: must be true or false"},
        {"{\"event\":\"x\",\"event\":\"y\"}", ERR_SCHEMA, "event: is given twice"},
        {"{\"event\":\"x\",\"r\\u006foms\":[\"a\"],\"rooms\":[\"b\"]}", ERR_SCHEMA,
         "rooms: is given twice"},
        {"{\"event\":\"x\",\"room\":\"a\"}", ERR_SCHEMA,
         "\"room\": is not known; known are event, data, args, rooms, user, except, namespace, "
         "volatile"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(decode(str_z(rows[i].body)), rows[i].rc, "row %zu", i);
        cr_expect(str_eq(sb_view(&why), str_z(rows[i].why)), "row %zu: " STR_FMT, i,
                  STR_ARG(sb_view(&why)));
    }
}

/* body with n letters in the place of %s */
static int decode_long(const char *head, size_t n, const char *tail)
{
    struct sb body = {0};
    int rc;

    sb_z(&body, head);
    for (size_t i = 0; i < n; i++)
        sb_char(&body, 'x');
    sb_z(&body, tail);
    rc = decode(sb_view(&body));
    sb_fini(&body);
    return rc;
}

Test(ops_emit_order, names_have_their_length)
{
    static const struct {
        const char *head, *tail;
        size_t max;
    } rows[] = {
        {"{\"event\":\"", "\"}", 256},
        {"{\"event\":\"e\",\"rooms\":[\"a\",\"", "\"]}", 256},
        {"{\"event\":\"e\",\"except\":[\"", "\"]}", 256},
        {"{\"event\":\"e\",\"user\":\"", "\"}", 251},
        {"{\"event\":\"e\",\"namespace\":\"/", "\"}", 255},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(decode_long(rows[i].head, rows[i].max, rows[i].tail), OK, "row %zu", i);
        cr_expect_eq(decode_long(rows[i].head, rows[i].max + 1, rows[i].tail), ERR_SCHEMA,
                     "row %zu", i);
    }
    cr_expect_eq(decode_long("{\"event\":\"e\",\"", 5000, "\":1}"), ERR_SCHEMA);
    cr_expect_lt(why.n, 200, "an unknown name is not repeated as a whole");
}

Test(ops_emit_order, nesting_is_bounded_before_it_reaches_a_client)
{
    struct sb body = {0};
    struct json v;

    sb_z(&body, "{\"event\":\"e\",\"data\":");
    for (int i = 0; i < JSON_DEPTH_MAX - 1; i++)
        sb_char(&body, '[');
    for (int i = 0; i < JSON_DEPTH_MAX - 1; i++)
        sb_char(&body, ']');
    sb_char(&body, '}');
    cr_expect_eq(decode(sb_view(&body)), OK);
    cr_expect_eq(json_parse(order.array, &v), OK, "the other nodes take it as well");
    sb_fini(&body);
    cr_expect_eq(decode_long("{\"event\":\"e\",\"data\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 0,
                             "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}"),
                 ERR_DEPTH);
}
