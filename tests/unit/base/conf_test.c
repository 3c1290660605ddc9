/* Options: where a value comes from, and every mistake at once. */
#include <criterion/criterion.h>
#include <string.h>
#include "base/conf.h"

static const char *environment[16]; /* NAME, value, NAME, value, ..., NULL */

static char *fake_getenv(const char *name)
{
    static char value[600];

    for (size_t i = 0; environment[i]; i += 2) {
        struct sb text = {.p = value, .cap = sizeof value};

        if (strcmp(environment[i], name) != 0) continue;
        sb_put(&text, environment[i + 1], strlen(environment[i + 1]) + 1);
        return value;
    }
    return NULL;
}

static struct conf conf;
static struct sb mistakes;

/* flags: separated by blanks */
static int read_with(const char *flags)
{
    static char text[4000];
    char *argv[20] = {text};
    struct sb all = {.p = text, .cap = sizeof text};
    int argc = 1;

    conf_fini(&conf);
    mistakes.n = 0;
    sb_put(&all, "p ", 2);
    sb_z(&all, flags);
    sb_char(&all, 0);
    for (char *c = text; *c; c++) {
        if (*c != ' ') continue;
        *c = 0;
        if (c[1]) argv[argc++] = c + 1;
    }
    return conf_read(&conf, argc, argv, fake_getenv, &mistakes);
}

static bool says(const char *part)
{
    return str_contains(sb_view(&mistakes), str_z(part));
}

Test(conf, has_defaults)
{
    cr_expect_eq(read_with(""), OK, STR_FMT, STR_ARG(sb_view(&mistakes)));
    cr_expect_eq(conf.port, 3001);
    cr_expect_eq(conf.ping_interval_ms, 25000);
    cr_expect_str_eq(conf.adapter, "redis-sharded");
    cr_expect_str_eq(conf.jwt_secret, "");
    cr_expect(conf.eio3);
    cr_expect_not(conf.dev);
    conf_fini(&conf);
    cr_expect_null(conf.adapter);
}

Test(conf, the_environment_rules_over_defaults_and_flags_over_both)
{
    environment[0] = "PORT";
    environment[1] = " 4000 ";
    environment[2] = "EIO3";
    environment[3] = "OFF";
    environment[4] = "ADAPTER";
    environment[5] = "local";
    cr_expect_eq(read_with(""), OK);
    cr_expect_eq(conf.port, 4000);
    cr_expect_not(conf.eio3);
    cr_expect_str_eq(conf.adapter, "local");
    cr_expect_eq(read_with("--port=5000 --eio3 --adapter=redis"), OK);
    cr_expect_eq(conf.port, 5000);
    cr_expect(conf.eio3);
    cr_expect_str_eq(conf.adapter, "redis");
    conf_fini(&conf);
}

Test(conf, an_empty_variable_is_not_set_an_empty_flag_is_empty)
{
    environment[0] = "PORT";
    environment[1] = "";
    cr_expect_eq(read_with("--cors-origins="), OK);
    cr_expect_eq(conf.port, 3001);
    cr_expect_str_eq(conf.cors_origins, "");
    conf_fini(&conf);
}

Test(conf, networks_are_checked)
{
    cr_expect_eq(read_with("--trusted-proxies=10.0.0.0/33 --limits-exempt=localhost"), ERR_CONFIG);
    cr_expect(says("TRUSTED_PROXIES: \"10.0.0.0/33\" is no network"));
    cr_expect(says("LIMITS_EXEMPT: \"localhost\" is no network"));
    cr_expect_eq(read_with("--trusted-proxies=10.0.0.0/8,::1 --limits-exempt="), OK);
    conf_fini(&conf);
}

Test(conf, a_program_has_its_own_defaults)
{
    conf_default("PORT", "5008");
    cr_expect_eq(read_with(""), OK);
    cr_expect_eq(conf.port, 5008);
    cr_expect_eq(read_with("--port=1"), OK);
    cr_expect_eq(conf.port, 1);
    conf_fini(&conf);
}

Test(conf, reports_all_mistakes_at_once)
{
    environment[0] = "PORT";
    environment[1] = "70000";
    environment[2] = "DEV";
    environment[3] = "maybe";
    cr_expect_eq(read_with("--nonsense --ping-interval-ms=-1 --host= stray"), ERR_CONFIG);
    cr_expect(says("PORT=\"70000\": must be a whole number from 1 to 65535\n"));
    cr_expect(says("DEV=\"maybe\": must be on or off"));
    cr_expect(says("--nonsense: no such option\n"));
    cr_expect(says("--ping-interval-ms=\"-1\": must be a whole number from 50 to 3600000\n"));
    cr_expect(says("--host=\"\": must have 1 to 64 bytes\n"));
    cr_expect(says("\"stray\": not understood; options look like --name=value\n"));
    cr_expect_eq(conf.port, 3001, "what is wrong changes nothing");
    conf_fini(&conf);
}

Test(conf, refuses_bad_values)
{
    static const struct {
        const char *flag, *why;
    } rows[] = {
        {"--port", "--port: needs a value, as in --port=3001\n"},
        {"--port=", "must be a whole number"},
        {"--port=0", "must be a whole number"},
        {"--port=1e3", "must be a whole number"},
        {"--port=99999999999999999999999", "must be a whole number"},
        {"--dev=2", "must be on or off"},
        {"--log-level=x", "must have 4 to 5 bytes\n"},
        {"--log-level=warm", "LOG_LEVEL: must be error, warn, info or debug\n"},
        {"--log-level=loud", "LOG_LEVEL: must be error, warn, info or debug\n"},
        {"--adapter=mongo", "ADAPTER: must be redis, redis-sharded, redis-streams or local\n"},
        {"--adapter-subscription-mode=always",
         "ADAPTER_SUBSCRIPTION_MODE: must be static, dynamic or dynamic-private\n"},
        {"--socket-path=socket.io/", "SOCKET_PATH: must begin and end with a slash"},
        {"--dead-ms=5000", "DEAD_MS: must be more than BEAT_MS\n"},
        {"--out-soft-bytes=16777216", "OUT_HARD_BYTES: must be more than OUT_SOFT_BYTES\n"},
        {"--ops-port=3001", "OPS_PORT: must differ from PORT\n"},
        {"--prot=1", "--prot: no such option; did you mean --port?\n"},
        {"--ping-intervall=1", "did you mean --ping-interval-ms?\n"},
        {"--ping_timeout_ms=5", "did you mean --ping-timeout-ms?\n"},
        {"--", "no such option\n"},
        {"-x", "not understood"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(read_with(rows[i].flag), ERR_CONFIG, "row %zu", i);
        cr_expect(says(rows[i].why), "row %zu: " STR_FMT, i, STR_ARG(sb_view(&mistakes)));
    }
    conf_fini(&conf);
}

Test(conf, a_short_secret_is_for_development_only)
{
    cr_expect_eq(read_with("--jwt-secret=0123456789012345678901234567890"), ERR_CONFIG);
    cr_expect(says("JWT_SECRET: has 31 bytes"));
    cr_expect(says("openssl rand"));
    cr_expect_not(says("0123456789"), "the secret is not repeated");
    cr_expect_eq(read_with("--jwt-secret=short --dev"), OK);
    cr_expect_eq(read_with("--emit-token=0123456789012345678901234567890"), ERR_CONFIG);
    cr_expect(says("EMIT_TOKEN: has 31 bytes"));
    cr_expect_eq(read_with("--emit-token=short --dev"), OK);
    cr_expect_eq(read_with("--quiz-token=0123456789012345678901234567890"), ERR_CONFIG);
    cr_expect(says("QUIZ_TOKEN: has 31 bytes"));
    cr_expect_eq(read_with("--emit-token=01234567890123456789012345678901"), OK);
    cr_expect_eq(read_with("--jwt-secret=01234567890123456789012345678901"), OK);
    conf_fini(&conf);
}

Test(conf, keys_come_over_tls_or_from_this_machine)
{
    static const struct {
        const char *flag;
        int want;
    } rows[] = {
        {"--jwks-url=https://id.example/keys", OK},
        {"--jwks-url=http://127.0.0.1:8080/keys", OK},
        {"--jwks-url=http://localhost/keys", OK},
        {"--jwks-url=http://[::1]", OK},
        {"--jwks-url=http://id.example/keys --dev", OK},
        {"--jwks-url=http://id.example/keys", ERR_CONFIG},
        {"--jwks-url=http://127.0.0.1.example/keys", ERR_CONFIG},
        {"--jwks-url=http://127.0.0.1:80@example/keys", ERR_CONFIG},
        {"--jwks-url=file:///keys --dev", ERR_CONFIG},
        {"--jwks-url=https://", ERR_CONFIG},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(read_with(rows[i].flag), rows[i].want, "row %zu", i);
        cr_expect(rows[i].want == OK || says("JWKS_URL: must be https"), "row %zu", i);
    }
    conf_fini(&conf);
}

Test(conf, clients_come_back_over_streams_only)
{
    cr_expect_eq(read_with("--recovery-ms=120000"), ERR_CONFIG);
    cr_expect(says("RECOVERY_MS: only ADAPTER=redis-streams keeps what clients miss"));
    cr_expect_eq(read_with("--recovery-ms=999 --adapter=redis-streams"), ERR_CONFIG);
    cr_expect(says("RECOVERY_MS: must be 0 or at least 1000"));
    cr_expect_eq(read_with("--recovery-ms=120000 --adapter=redis-streams"), OK);
    conf_fini(&conf);
}

Test(conf, orders_to_the_program_are_no_options)
{
    cr_expect_eq(read_with("--help --version --print-config"), OK);
    conf_fini(&conf);
}
