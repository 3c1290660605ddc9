/* A MongoDB-wire server for tests (mongo-java-server, fetched and built by ./ingoma): one for the
 * whole program, a database for each test; or one of a test's own, on a file that outlives its
 * death. */
#ifndef TESTS_UNIT_SUPPORT_MONGO_FIXTURE_H
#define TESTS_UNIT_SUPPORT_MONGO_FIXTURE_H

#include <stdbool.h>
#include <sys/types.h>

/* In the runner, before and after all tests. */
void mongo_fixture_start_for_all(void);
void mongo_fixture_stop_for_all(void);

/* A fresh database of that server; NULL: there is none, and why. */
const char *mongo_fixture_uri(void);
const char *mongo_fixture_why(void);

/* In the database of mongo_fixture_uri, as a newer program would. */
void mongo_fixture_set_schema(int version);

struct mongo_fixture {
    char dir[40], uri[96];
    int port;
    pid_t pid;
};

bool mongo_fixture_open(struct mongo_fixture *m);  /* on a file; false: none to be had */
void mongo_fixture_kill(struct mongo_fixture *m);  /* SIGKILL, and waits for its end */
void mongo_fixture_start(struct mongo_fixture *m); /* again, on the same port and file */
void mongo_fixture_close(struct mongo_fixture *m);

#endif
