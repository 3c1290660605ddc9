/* ingoma-gateway: rooms and chat for the site's pages. Start reading here: a program is a list of
 * features. */
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
    static const struct feature *const features[] = {
        &feature_auth, &feature_rooms, &feature_presence, &feature_private,
        &feature_quiz, &feature_stats, &feature_ping,     NULL};
    static const struct node_app app = {
        .name = "gateway",
        .port = "3001",
        .ops_port = "3101",
        .namespaces = namespaces,
        .features = features,
    };

    return node_run(&app, argc, argv);
}
