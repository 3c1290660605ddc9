#include "contacts/rules/zone.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

Test(zone_file, opens_a_zone_by_its_name)
{
    struct zone *z = NULL;

    cr_assert_eq(zone_open(STR("Africa/Kigali"), &z, NULL), OK);
    cr_expect_eq(zone_offset_s(z, 1795892083), 7200);
    zone_free(z);
    cr_assert_eq(zone_open(STR("Etc/GMT+5"), &z, NULL), OK);
    cr_expect_eq(zone_offset_s(z, 0), -18000);
    zone_free(z);
}

Test(zone_file, refuses_names_that_are_none)
{
    static const char *const names[] = {
        "",        "Africa/Kigal",   "Europe",   "../../../etc/passwd", "/etc/localtime",
        "Europe/", "Europe//Berlin", "zone.tab", "Europe/Ber lin",      "africa/kigali\n",
        ".",
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct zone *z = NULL;
        struct sb why = {0};

        cr_expect_eq(zone_open(str_z(names[i]), &z, &why), ERR_NOT_FOUND, "%s", names[i]);
        cr_expect(str_contains(sb_view(&why), STR("is not a time zone")), STR_FMT, STR_ARG(why));
        cr_expect_null(z);
        sb_fini(&why);
    }
}

Test(zone_file, says_when_there_is_no_database)
{
    struct zone *z = NULL;
    struct sb why = {0};

    cr_expect_eq(zone_open_in("/nowhere", STR("Africa/Kigali"), &z, &why), ERR_NOT_FOUND);
    cr_expect(str_contains(sb_view(&why), STR("package tzdata")), STR_FMT, STR_ARG(why));
    sb_fini(&why);
    cr_assert_eq(zone_open_in("/nowhere", STR("UTC"), &z, NULL), OK, "needs none");
    zone_free(z);
}

Test(zone_file, refuses_a_file_that_is_no_zone)
{
    char folder[] = "/tmp/ingoma-zone-XXXXXX", path[64];
    struct zone *z = NULL;
    struct sb why = {0};
    FILE *f;

    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/Bad", folder);
    f = fopen(path, "w");
    cr_assert(f && fputs("TZif2, or so", f) >= 0 && fclose(f) == 0);
    cr_expect_eq(zone_open_in(folder, STR("Bad"), &z, &why), ERR_CONFIG);
    cr_expect(str_contains(sb_view(&why), STR("cannot be read as one")), STR_FMT, STR_ARG(why));
    sb_fini(&why);
    cr_expect_eq(truncate(path, ZONE_FILE_MAX + 10), 0);
    cr_expect_eq(zone_open_in(folder, STR("Bad"), &z, NULL), ERR_CONFIG);
    unlink(path);
    rmdir(folder);
}
