#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <criterion/criterion.h>
#include "base/conf.h"
#include "base/mem.h"
#include "contacts/desk/terms.h"

static char hours_file[] = "/tmp/ingoma-hours-XXXXXX", sla_file[] = "/tmp/ingoma-sla-XXXXXX",
            none[] = "";
static struct conf conf;
static struct hours *hours;
static struct sla_policy sla;
static char *why;

static void put(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");

    cr_assert(f);
    fputs(text, f);
    fclose(f);
}

static void up(void)
{
    cr_assert_geq(mkstemp(hours_file), 0);
    cr_assert_geq(mkstemp(sla_file), 0);
    conf = (struct conf){.hours_file = hours_file, .sla_file = sla_file};
}

static void down(void)
{
    hours_free(hours);
    mem_free(why);
    unlink(hours_file);
    unlink(sla_file);
}

TestSuite(terms, .init = up, .fini = down);

Test(terms, are_read_from_two_files)
{
    put(hours_file, "{\"zone\":\"UTC\",\"week\":{\"mon\":[\"08:00-12:00\"]}}");
    put(sla_file, "{\"priorities\":{\"normal\":{\"firstMinutes\":60}},\"warnPercent\":70}");
    cr_assert_eq(terms_read(&conf, &hours, &sla, &why), OK, "%s", why);
    cr_expect_not(hours_is_open(hours, 0), "a Thursday");
    cr_expect_eq(sla.target_ms[SLA_NORMAL][SLA_FIRST], 3600000);
    cr_expect_eq(sla.warn_percent, 70);
}

Test(terms, without_files_always_open_and_nothing_promised)
{
    conf = (struct conf){.hours_file = none, .sla_file = none};
    cr_assert_eq(terms_read(&conf, &hours, &sla, &why), OK);
    cr_expect_null(hours);
    cr_expect_eq(sla.target_ms[SLA_NORMAL][SLA_FIRST], 0);
}

Test(terms, a_mistake_is_said_with_the_file)
{
    static const char *const bad[] = {"", "{", "{\"week\":{\"mon\":[\"8-12\"]}}", "[]"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        put(hours_file, bad[i]);
        cr_expect_eq(terms_read(&conf, &hours, &sla, &why), ERR_CONFIG, "row %zu", i);
        cr_expect(why && strstr(why, "HOURS_FILE: /tmp/ingoma-hours-"), "row %zu: %s", i, why);
        mem_free(why);
        why = NULL;
    }
    put(hours_file, "{\"zone\":\"UTC\",\"week\":{}}");
    put(sla_file, "{\"warnPercent\":170}");
    cr_expect_eq(terms_read(&conf, &hours, &sla, &why), ERR_CONFIG);
    cr_expect(strstr(why, "SLA_FILE"), "%s", why);
    mem_free(why);
    why = NULL;
    unlink(sla_file);
    cr_expect_eq(terms_read(&conf, &hours, &sla, &why), ERR_CONFIG);
    cr_expect(strstr(why, "cannot be read"), "%s", why);
}
