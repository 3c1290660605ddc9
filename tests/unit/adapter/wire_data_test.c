/* What the sharded and the streams wire share; the messages as such are in sharded_test.c. */
#include <criterion/criterion.h>
#include "adapter/wire_data.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

Test(wire_data_number, is_that_of_the_cluster_adapter)
{
    static const unsigned want[] = {
        [WIRE_CAST] = 3,         [WIRE_JOIN] = 4,           [WIRE_LEAVE] = 5,
        [WIRE_DISCONNECT] = 6,   [WIRE_FETCH] = 7,          [WIRE_FETCH_ANSWER] = 8,
        [WIRE_EMIT] = 9,         [WIRE_EMIT_ANSWER] = 10,   [WIRE_CAST_COUNT] = 11,
        [WIRE_CAST_ANSWER] = 12, [WIRE_ROOMS] = 0,          [WIRE_ROOMS_ANSWER] = 0,
        [WIRE_SOCKETS] = 0,      [WIRE_SOCKETS_ANSWER] = 0, [WIRE_BEAT] = 2,
        [WIRE_CLOSE] = 13,
    };

    for (size_t i = 0; i < ROWS(want); i++)
        cr_expect_eq(wire_data_number(&(struct wire){.type = (enum wire_type)i}), want[i], "%zu",
                     i);
    cr_expect_eq(wire_data_number(&(struct wire){.type = WIRE_BEAT, .initial = true}), 1);
}

Test(wire_data_put, appends_nothing_where_there_is_no_data)
{
    struct sb out = {0};

    cr_expect_eq(wire_data_put(&(struct wire){.type = WIRE_BEAT}, &out), OK);
    cr_expect_eq(wire_data_put(&(struct wire){.type = WIRE_CLOSE}, &out), OK);
    cr_expect_eq(out.n, 0);
    cr_expect_eq(wire_data_put(&(struct wire){.type = WIRE_ROOMS}, &out), ERR_NOT_FOUND);
    sb_fini(&out);
}

Test(wire_data_get, texts_stay_where_they_are_while_more_are_read)
{
    static struct wire_data d;
    struct sb text = {0};
    struct json v;

    sb_z(&text, "{\"requestId\":\"\\u0061\",\"opts\":{\"rooms\":[\"");
    for (int i = 0; i < 5000; i++)
        sb_z(&text, "\\u0062");
    sb_z(&text, "\"],\"except\":[\"\\u0063\"]}}");
    cr_assert_eq(json_parse(sb_view(&text), &v), OK);
    wire_data_begin(&d, text.n);
    cr_assert_eq(wire_data_get(&d, 7, &v, STR("/")), OK);
    cr_expect(str_eq(d.wire.request_id, STR("a")));
    cr_expect_eq(d.wire.target.rooms[0].n, 5000);
    cr_expect(str_eq(d.wire.target.except[0], STR("c")));
    wire_data_fini(&d);
    sb_fini(&text);
}

Test(wire_data_get, refuses_more_rooms_than_anybody_has)
{
    static struct wire_data d;
    struct sb text = {0};
    struct json v;

    sb_z(&text, "{\"requestId\":\"a\",\"opts\":{\"rooms\":[0");
    for (int i = 0; i < WIRE_DATA_ROOMS_MAX; i++)
        sb_z(&text, ",0");
    sb_z(&text, "]}}");
    cr_assert_eq(json_parse(sb_view(&text), &v), OK);
    wire_data_begin(&d, text.n);
    cr_expect_eq(wire_data_get(&d, 7, &v, STR("/")), ERR_LIMIT);
    wire_data_fini(&d);
    sb_fini(&text);
}

Test(wire_data_is_reserved, names_those_that_make_clients_hang_up)
{
    cr_expect(wire_data_is_reserved(STR("connect_error")));
    cr_expect_not(wire_data_is_reserved(STR("connected")));
}
