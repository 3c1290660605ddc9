/* Reads the two files of settings. */
#include "contacts/desk/terms.h"

#include <stdio.h>
#include "base/conf.h"
#include "base/mem.h"
#include "contacts/rules/zone.h"

enum { FILE_MAX = 262144 };

/* Errors: ERR_CONFIG, *why says what. */
static int read_file(const char *name, struct sb *out, struct sb *why)
{
    FILE *f = fopen(name, "re");
    size_t n;

    if (!f) {
        sb_z(why, "cannot be read");
        return ERR_CONFIG;
    }
    sb_reserve(out, FILE_MAX + 1);
    n = fread(out->p, 1, FILE_MAX + 1, f);
    out->n = n;
    if (ferror(f) || n > FILE_MAX) {
        sb_z(why, n > FILE_MAX ? "is too large" : "cannot be read");
        n = 0;
    }
    (void)fclose(f);
    return n ? OK : ERR_CONFIG;
}

static int read_json(const char *name, struct sb *text, struct json *v, struct sb *why)
{
    int rc = read_file(name, text, why);

    if (rc == OK && json_parse(sb_view(text), v) != OK) {
        sb_z(why, "is no JSON");
        rc = ERR_CONFIG;
    }
    return rc;
}

static int read_hours(const char *name, struct hours **out, struct sb *why)
{
    struct sb text = {0};
    struct json v;
    int rc = read_json(name, &text, &v, why);

    if (rc == OK) rc = hours_decode(v, zone_open, out, why);
    sb_fini(&text);
    return rc;
}

static int read_sla(const char *name, struct sla_policy *out, struct sb *why)
{
    struct sb text = {0};
    struct json v;
    int rc = read_json(name, &text, &v, why);

    if (rc == OK) rc = sla_policy_decode(v, out, why);
    sb_fini(&text);
    return rc;
}

static int fail(const char *option, const char *name, const struct sb *what, char **why)
{
    struct sb sentence = {0};

    sb_printf(&sentence, "%s: %s: " STR_FMT, option, name, STR_ARG(sb_view(what)));
    *why = str_dup(sb_view(&sentence));
    sb_fini(&sentence);
    return ERR_CONFIG;
}

int terms_read(const struct conf *c, struct hours **hours, struct sla_policy *sla, char **why)
{
    struct sb what = {0};
    int rc = OK;

    *hours = NULL;
    sla_policy_init(sla);
    if (c->hours_file[0] && read_hours(c->hours_file, hours, &what) != OK)
        rc = fail("HOURS_FILE", c->hours_file, &what, why);
    if (rc == OK && c->sla_file[0] && read_sla(c->sla_file, sla, &what) != OK) {
        rc = fail("SLA_FILE", c->sla_file, &what, why);
        hours_free(*hours);
        *hours = NULL;
    }
    sb_fini(&what);
    return rc;
}
