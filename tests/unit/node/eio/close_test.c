#include <criterion/criterion.h>
#include <string.h>
#include "node/eio/eio.h"

Test(close_text, names_every_reason_as_the_documentation_does)
{
    cr_expect_str_eq(close_text(CLOSE_TRANSPORT_CLOSE), "transport close");
    cr_expect_str_eq(close_text(CLOSE_PING_TIMEOUT), "ping timeout");
    cr_expect_str_eq(close_text(CLOSE_SERVER_SHUTDOWN), "server shutting down");
    for (int i = 0; i < CLOSE_COUNT; i++) {
        cr_expect(strlen(close_text((enum close_reason)i)) > 3, "reason %d", i);
    }
}

Test(close_text, answers_for_a_reason_that_does_not_exist)
{
    cr_expect_str_eq(close_text(CLOSE_COUNT), "unknown");
    cr_expect_str_eq(close_text((enum close_reason) - 1), "unknown");
}

Test(close_may_recover, is_for_connections_that_were_lost)
{
    cr_expect(close_may_recover(CLOSE_TRANSPORT_CLOSE));
    cr_expect(close_may_recover(CLOSE_SERVER_SHUTDOWN));
    cr_expect_not(close_may_recover(CLOSE_CLIENT_DISCONNECT));
    cr_expect_not(close_may_recover(CLOSE_SERVER_DISCONNECT));
    cr_expect_not(close_may_recover(CLOSE_COUNT));
}
