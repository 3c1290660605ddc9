/* The MongoDB driver is still to come: MONGODB_URI is refused. */
#include "contacts/store/store_priv.h"

#include "base/forbid.h"

static int open_uri(const struct conf *c, void **out, char **why)
{
    (void)c, (void)out;
    *why = str_dup(STR("MONGODB_URI: this build keeps contacts in SQLite only"));
    return ERR_CONFIG;
}

const struct store_driver store_mongo = {.kind = "mongodb", .open = open_uri};
