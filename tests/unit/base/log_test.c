/* The log: every line is one object of JSON, bounded, without what it was not given. */
#include <criterion/criterion.h>
#include <json-c/json.h>
#include <fcntl.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"

static int fds[2], saved;

static void setup(void)
{
    clock_freeze(1, 1795453315123);
    log_open(STR("node-a"), LOG_LEVEL_INFO);
    cr_assert_eq(pipe(fds), 0);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    saved = dup(2);
    dup2(fds[1], 2);
}

static char *lines(void)
{
    static char text[20000];
    ssize_t n = read(fds[0], text, sizeof text - 1);

    dup2(saved, 2);
    text[n > 0 ? n : 0] = 0;
    return text;
}

TestSuite(log, .init = setup);

Test(log, writes_a_line_of_json)
{
    LOG_INFO("room.joined", LOG_Z("room", "general"), LOG_U("members", 3),
             LOG_S("who", STR("a\"b")));
    cr_expect_str_eq(lines(), "{\"time\":\"2026-11-23T17:01:55.123Z\",\"level\":\"info\","
                              "\"event\":\"room.joined\",\"node\":\"node-a\",\"room\":\"general\","
                              "\"members\":3,\"who\":\"a\\\"b\"}\n");
}

Test(log, needs_no_fields_and_no_node)
{
    log_open(STR_NONE, LOG_LEVEL_DEBUG);
    LOG_ERROR("a");
    LOG_DEBUG("b");
    cr_expect_str_eq(
        lines(), "{\"time\":\"2026-11-23T17:01:55.123Z\",\"level\":\"error\",\"event\":\"a\"}\n"
                 "{\"time\":\"2026-11-23T17:01:55.123Z\",\"level\":\"debug\",\"event\":\"b\"}\n");
}

static int evaluations;

static int count_evaluation(void)
{
    return ++evaluations;
}

Test(log, below_its_level_costs_nothing)
{
    LOG_DEBUG("quiet", LOG_U("n", count_evaluation()));
    LOG_WARN("loud", LOG_U("n", count_evaluation()));
    cr_expect_not_null(strstr(lines(), "\"level\":\"warn\""));
    cr_expect_eq(evaluations, 1);
}

Test(log, a_line_is_bounded_and_stays_json)
{
    static char big[9000];
    struct json_object *parsed;
    char *text;

    memset(big, '\x01', sizeof big);
    LOG_INFO("big", LOG_S("a", str_of(big, sizeof big)), LOG_S("b", str_of(big, sizeof big)),
             LOG_U("c", -5));
    text = lines();
    cr_expect_leq(strlen(text), 4096);
    cr_expect_eq(strchr(text, '\n'), text + strlen(text) - 1);
    parsed = json_tokener_parse(text);
    cr_assert_not_null(parsed);
    cr_expect(json_object_object_get_ex(parsed, "a", NULL));
    cr_expect_not(json_object_object_get_ex(parsed, "b", NULL), "what does not fit is left out");
    cr_expect_eq(json_object_get_int(json_object_object_get(parsed, "c")), -5);
    json_object_put(parsed);
}

Test(log, a_line_that_cannot_be_written_is_lost)
{
    close(2);
    LOG_ERROR("nobody.listens");
    cr_expect_str_empty(lines());
}
