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
    bool has_tcp;         /* set before the start: also on a port of 127.0.0.1 */
    bool is_cluster;      /* set before the start, with has_tcp: a server of a Redis Cluster */
    const char *password; /* NULL: none; set before the start */
    int port;             /* which one, when it has_tcp */
    int fd;
    struct sb reply;
};

#define REDIS_FIXTURE_BUS 1 /* the cluster's own port is so many above the other */

bool redis_fixture_is_there(void); /* is redis-server installed? */
void redis_fixture_open(struct redis_fixture *f);
void redis_fixture_close(struct redis_fixture *f);
void redis_fixture_start(struct redis_fixture *f); /* again, after a kill */
void redis_fixture_kill(struct redis_fixture *f);  /* SIGKILL, and waits for its end */

/* One command, waits for the reply; its raw bytes, terminated, borrow until the next one. */
const char *redis_fixture_say(struct redis_fixture *f, const struct str *argv, unsigned argc);
/* The same from a text: words between blanks, ~ stands for a blank within one. */
const char *redis_fixture_words(struct redis_fixture *f, const char *words);
/* What comes next, for a subscription; nothing after ten seconds. */
const char *redis_fixture_read(struct redis_fixture *f);
/* All that comes until the text is in it, or nothing more comes. */
const char *redis_fixture_read_until(struct redis_fixture *f, const char *text);
const char *redis_fixture_publish(struct redis_fixture *f, const char *channel, struct str payload);

#endif
