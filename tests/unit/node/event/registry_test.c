#include <criterion/criterion.h>
#include "node/event/registry.h"

static int handle(struct event_ctx *c, const union event_in *in)
{
    (void)c, (void)in;
    return OK;
}

static const struct event_row ping_rows[] = {
    {EVENT(ping), .handle = handle}, {EVENT(latencyUpdate), .handle = handle}, {0}};
static const struct feature ping = {.name = "ping", .events = ping_rows};

static int build(const struct feature *const features[], struct registry *r, struct sb *mistakes)
{
    int rc = registry_init(r, STR("/"), features, mistakes);

    sb_char(mistakes, 0);
    return rc;
}

Test(registry, finds_rows_by_name_in_their_namespace)
{
    static const struct feature *const features[] = {&ping, NULL};
    struct registry r;
    struct sb mistakes = {0};
    const struct registry_nsp *nsp;

    cr_assert_eq(build(features, &r, &mistakes), OK, "%s", mistakes.p);
    nsp = registry_nsp(&r, STR("/"));
    cr_assert_not_null(nsp);
    cr_assert_not_null(registry_find(nsp, STR("ping")));
    cr_expect_eq(registry_find(nsp, STR("ping"))->handle, handle);
    cr_expect_null(registry_nsp(&r, STR("/contacts")));
    registry_fini(&r);
    sb_fini(&mistakes);
}

Test(registry, knows_only_what_its_features_answer)
{
    static const struct feature *const features[] = {&ping, NULL};
    static const char *const strangers[] = {"joinRoom", "Ping",      "pin",   "pingg",   "",
                                            "1",        "__proto__", "error", "toString"};
    struct registry r;
    struct sb mistakes = {0};

    cr_assert_eq(build(features, &r, &mistakes), OK);
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++)
        cr_expect_null(registry_find(registry_nsp(&r, STR("/")), str_z(strangers[i])), "%s",
                       strangers[i]);
    cr_expect_null(registry_find(NULL, STR("ping")), "a namespace without events");
    registry_fini(&r);
    sb_fini(&mistakes);
}

Test(registry, swallows_echoes_whatever_the_features)
{
    static const struct feature *const features[] = {NULL};
    static const char *const echoes[] = {"serverStats", "onlineUsers", "userOnline", "userOffline",
                                         "connectionError"};
    struct registry r;
    struct sb mistakes = {0};

    cr_assert_eq(build(features, &r, &mistakes), OK);
    for (size_t i = 0; i < sizeof echoes / sizeof echoes[0]; i++) {
        const struct registry_row *row =
            registry_find(registry_nsp(&r, STR("/")), str_z(echoes[i]));

        cr_assert_not_null(row, "%s", echoes[i]);
        cr_expect_eq(row->schema->rate, EVENT_RATE_ECHO);
        cr_expect_null(row->handle);
    }
    registry_fini(&r);
    sb_fini(&mistakes);
}

static const struct event_row none[] = {{0}};
static const struct event_row twice[] = {{EVENT(ping), .handle = handle},
                                         {EVENT(ping), .handle = handle},
                                         {EVENT(latencyUpdate), .handle = handle},
                                         {0}};
static const struct event_row foreign[] = {{EVENT(ping), .handle = handle},
                                           {EVENT(joinRoom), .handle = handle},
                                           {EVENT(latencyUpdate), .handle = handle},
                                           {0}};
static const struct event_row no_handler[] = {
    {EVENT(ping)}, {EVENT(latencyUpdate), .handle = handle}, {0}};

Test(registry, refuses_gaps_and_doubles)
{
    static const struct {
        const struct event_row *rows;
        const char *want;
    } rows[] = {
        {none, "event latencyUpdate: no row in feature ping\nevent ping: no row in feature ping\n"},
        {twice, "event ping: two rows in feature ping\n"},
        {foreign, "event joinRoom: a row in feature ping, but the schema says rooms\n"},
        {no_handler, "event ping: no handler\nevent ping: no row in feature ping\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct feature f = {.name = "ping", .events = rows[i].rows};
        const struct feature *const features[] = {&f, NULL};
        struct registry r;
        struct sb mistakes = {0};

        cr_expect_eq(build(features, &r, &mistakes), ERR_CONFIG, "row %zu", i);
        cr_expect_str_eq(mistakes.p, rows[i].want, "row %zu", i);
        registry_fini(&r);
        sb_fini(&mistakes);
    }
}

Test(registry, refuses_a_feature_that_is_listed_twice)
{
    static const struct feature *const features[] = {&ping, &ping, NULL};
    struct registry r;
    struct sb mistakes = {0};

    cr_expect_eq(build(features, &r, &mistakes), ERR_CONFIG);
    cr_expect_str_eq(mistakes.p, "feature ping: listed twice\n");
    registry_fini(&r);
    sb_fini(&mistakes);
}

Test(registry, what_every_program_has_is_in_its_main_namespace)
{
    static const struct feature *const features[] = {&ping, NULL};
    struct registry r;
    struct sb mistakes = {0};

    cr_assert_eq(registry_init(&r, STR("/contacts"), features, &mistakes), OK);
    cr_expect_not_null(registry_find(registry_nsp(&r, STR("/contacts")), STR("ping")));
    cr_expect_not_null(registry_find(registry_nsp(&r, STR("/contacts")), STR("serverStats")));
    cr_expect_null(registry_nsp(&r, STR("/")));
    registry_fini(&r);
    sb_fini(&mistakes);
}
