/* Private messages of the bench: what is written is recognised when it comes back. */
#include "bench/lib/private.h"

#include <stdio.h>
#include <criterion/criterion.h>

Test(private, writes_a_message_with_its_number)
{
    char text[PRIVATE_TEXT_MAX + 4];
    size_t n = private_packet(text, 7, 255, 4);

    cr_expect(str_eq(str_of(text, n), STR("42255[\"privateMessage\",{\"recipientId\":\"b7\","
                                          "\"message\":\"#000000ffxxxx\"}]")),
              "%.*s", (int)n, text);
}

Test(private, knows_acks_and_messages_by_their_number)
{
    static const struct {
        const char *packet;
        enum private_kind kind;
        uint32_t k;
    } rows[] = {
        {"43255[{\"ok\":true,\"messageId\":\"m\"}]", PRIVATE_ACK, 255},
        {"4312[{\"ok\":false,\"code\":\"rate_limited\"}]", PRIVATE_REFUSED, 12},
        {"42[\"privateMessage\",{\"senderId\":\"b6\",\"message\":\"#000000ffxx\"}]",
         PRIVATE_MESSAGE, 255},
        {"42[\"privateMessage\",{\"message\":\"#0000", PRIVATE_OTHER, 0},
        {"42[\"privateMessage\",{\"message\":\"hello\"}]", PRIVATE_OTHER, 0},
        {"42[\"messageDelivered\",{}]", PRIVATE_OTHER, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t k = 0;

        cr_expect_eq(private_read(str_z(rows[i].packet), &k), rows[i].kind, "row %zu", i);
        cr_expect_eq(k, rows[i].k, "row %zu", i);
    }
}
