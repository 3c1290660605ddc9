/* ingoma-gateway: rooms and chat for the site's pages. Start reading here: a program is a list of
 * features, and what they stand on: here the archive of private messages. */
#include "node/archive/archive.h"
#include "node/event/event.h"
#include "node/features/ping/ping.h"
#include "node/features/presence/presence.h"
#include "node/features/private/private.h"
#include "node/features/quiz/quiz.h"
#include "node/features/rooms/rooms.h"
#include "node/features/stats/stats.h"
#include "node/run.h"

/* What events_app gives: a struct archive. */
static void *start(struct loop *l, const struct conf *c, char **why)
{
    struct archive *a = NULL;

    return archive_open(l, c, ARCHIVE_OF_NODE, &a, why) == OK ? a : NULL;
}

static void stop(void *archive)
{
    archive_close(archive);
}

static const char *state(void *archive)
{
    if (!archive_is_on(archive)) return NULL;
    return archive_is_up(archive) ? "up" : "away";
}

int main(int argc, char **argv)
{
    static const char *const namespaces[] = {"/", NULL};
    static const struct feature *const features[] = {
        &feature_auth, &feature_rooms, &feature_presence, &feature_private,
        &feature_quiz, &feature_stats, &feature_ping,     NULL};
    static const struct node_part archive = {.name = "archive", .state = state};
    static const struct node_app app = {
        .name = "gateway",
        .port = "3001",
        .ops_port = "3101",
        .namespaces = namespaces,
        .features = features,
        .start = start,
        .stop = stop,
        .part = &archive,
    };

    return node_run(&app, argc, argv);
}
