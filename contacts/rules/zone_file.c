/* Zones by their name. The name comes from settings: it may not lead out of the database. */
#include "contacts/rules/zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "base/forbid.h"

#define FOLDER "/usr/share/zoneinfo"

/* Letters, digits, _ + - and single slashes between them: no dot, no way out of the folder. */
static bool is_name(struct str name)
{
    if (!name.n || name.n > ZONE_NAME_MAX || name.p[0] == '/' || name.p[name.n - 1] == '/')
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool is_word = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '+' || c == '-';

        if (!is_word && (c != '/' || name.p[i + 1] == '/')) return false;
    }
    return true;
}

static int read_file(const char *path, struct sb *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n;

    if (fd < 0) return ERR_NOT_FOUND;
    sb_reserve(out, ZONE_FILE_MAX + 1);
    do {
        n = read(fd, out->p + out->n, ZONE_FILE_MAX + 1 - out->n);
        if (n > 0) out->n += (size_t)n;
    } while (n > 0 && out->n <= ZONE_FILE_MAX);
    close(fd);
    if (n < 0) return ERR_NOT_FOUND; /* a folder, for one: "Europe" is no zone */
    return out->n > ZONE_FILE_MAX ? ERR_CONFIG : OK;
}

int zone_open_in(const char *folder, struct str name, struct zone **out, struct sb *why)
{
    char path[512];
    struct sb bytes = {0};
    int rc = ERR_NOT_FOUND;

    if (str_eq(name, STR("UTC"))) {
        *out = zone_fixed(0);
        return OK;
    }
    if (is_name(name) &&
        snprintf(path, sizeof path, "%s/" STR_FMT, folder, STR_ARG(name)) < (int)sizeof path)
        rc = read_file(path, &bytes);
    if (rc == OK && zone_decode(sb_view(&bytes), out) != OK) rc = ERR_CONFIG;
    if (rc != OK && why) {
        sb_printf(why, "\"" STR_FMT "\" ", STR_ARG(str_head(name, ZONE_NAME_MAX)));
        if (rc == ERR_CONFIG)
            sb_printf(why, "is not a time zone (%s cannot be read as one)", path);
        else if (access(folder, R_OK) != 0)
            sb_printf(why, "cannot be looked up: there is no %s (package tzdata)", folder);
        else
            sb_printf(why, "is not a time zone of %s (as in \"Africa/Kigali\")", folder);
    }
    sb_fini(&bytes);
    return rc;
}

int zone_open(struct str name, struct zone **out, struct sb *why)
{
    return zone_open_in(FOLDER, name, out, why);
}
