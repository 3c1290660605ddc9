/* Between archive_mongo.c, which has the calls, and archive_mongo_schema.c, which has what the
 * collection is like before the first one. Included only in node/archive and by its tests. */
#ifndef NODE_ARCHIVE_ARCHIVE_MONGO_PRIV_H
#define NODE_ARCHIVE_ARCHIVE_MONGO_PRIV_H

#include "base/mongodb.h"

#define ARCHIVE_COLLECTION "private_messages"
#define ARCHIVE_DAYS_INDEX "ingoma_archive_days" /* ours; others may have their own on `at` */

/* Both are done once however often, and by however many nodes at once. False: *e. They block. */
bool archive_mongo_make_indexes(mongoc_client_t *client, const char *database, bson_error_t *e);

/* Documents go so many days after their `at`; 0: never by us. What another index makes of `at` is
 * its maker's. */
bool archive_mongo_set_days(mongoc_client_t *client, const char *database, uint64_t days,
                            bson_error_t *e);

#endif
