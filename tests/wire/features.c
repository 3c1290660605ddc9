/* The gateway without one of its features, for tests/system/features.test.mjs: wire-features NAME
 * [--option value]... */
#include <stdio.h>
#include <string.h>

#include "node/event/event.h"
#include "node/features/ping/ping.h"
#include "node/features/presence/presence.h"
#include "node/features/private/private.h"
#include "node/features/quiz/quiz.h"
#include "node/features/rooms/rooms.h"
#include "node/features/stats/stats.h"
#include "node/run.h"

int main(int argc, char **argv)
{
    static const char *const namespaces[] = {"/", NULL};
    static const struct feature *const all[] = {&feature_rooms, &feature_presence, &feature_private,
                                                &feature_quiz,  &feature_stats,    &feature_ping};
    const struct feature *features[sizeof all / sizeof all[0] + 2] = {&feature_auth};
    struct node_app app = {.name = "features", .namespaces = namespaces, .features = features};
    unsigned count = 1;

    for (size_t i = 0; argc > 1 && i < sizeof all / sizeof all[0]; i++)
        if (strcmp(all[i]->name, argv[1]) != 0) features[count++] = all[i];
    if (count != sizeof all / sizeof all[0]) {
        fprintf(stderr, "usage: wire-features FEATURE [--option value]...\n");
        return 2;
    }
    argv[1] = argv[0];
    return node_run(&app, argc - 1, argv + 1);
}
