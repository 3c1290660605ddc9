/* A private redis-server on a unix socket in a folder of its own, and a plain connection to it.
 * It dies with the test. */
#ifndef TESTS_UNIT_SUPPORT_REDIS_FIXTURE_H
#define TESTS_UNIT_SUPPORT_REDIS_FIXTURE_H

#include <stdbool.h>
#include <sys/types.h>
#include "base/str.h"

struct redis_fixture {
    char dir[32], url[64], socket[48];
    pid_t pid;
    const char *port, *password; /* NULL: no TCP, no password; set before the start */
    int fd;
    struct sb reply;
};

bool redis_fixture_is_there(void); /* is redis-server installed? */
void redis_fixture_open(struct redis_fixture *f);
void redis_fixture_close(struct redis_fixture *f);
void redis_fixture_start(struct redis_fixture *f); /* again, after a kill */
void redis_fixture_kill(struct redis_fixture *f);  /* SIGKILL, and waits for its end */

/* One command, waits for the reply; its raw bytes, terminated, borrow until the next one. */
const char *redis_fixture_say(struct redis_fixture *f, const struct str *argv, unsigned argc);
const char *redis_fixture_read(struct redis_fixture *f); /* what comes next: for a subscription */
const char *redis_fixture_publish(struct redis_fixture *f, const char *channel, struct str payload);

#endif
