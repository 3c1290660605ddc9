/* See mongo_fixture.h. Blocks: for tests only. */
#include "tests/unit/support/mongo_fixture.h"

#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <mongoc/mongoc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef MONGOWIRE_DIR
#define MONGOWIRE_DIR "build/mongowire"
#endif
#define ENV_URI "INGOMA_TEST_MONGODB" /* from the runner to the tests */
#define START_SECONDS 60

static pid_t for_all;

const char *mongo_fixture_why(void)
{
    return access(MONGOWIRE_DIR "/MongoWire.class", R_OK) == 0
               ? "it did not start"
               : "it is not built (./ingoma test sets it up, with Java and Maven)";
}

static int free_port(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(fd, (const struct sockaddr *)(const void *)&in, sizeof in) != 0) abort();
    if (getsockname(fd, (struct sockaddr *)(void *)&in, &n) != 0) abort();
    close(fd);
    return ntohs(in.sin_port);
}

/* It prints its URI when it listens. */
static pid_t start(int port, const char *file)
{
    char number[12], line[128];
    int out[2];
    ssize_t n;
    pid_t pid;

    (void)snprintf(number, sizeof number, "%d", port);
    if (pipe2(out, O_CLOEXEC) != 0) abort();
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(out[1], STDOUT_FILENO);
        dup2(open("/dev/null", O_RDWR | O_CLOEXEC), STDERR_FILENO);
        (void)close_range(3, ~0U, 0); /* the runner waits for the ends of its own */
        execlp("java", "java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp",
               MONGOWIRE_DIR "/lib/*:" MONGOWIRE_DIR, "MongoWire", "127.0.0.1", number, file,
               (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    n = read(out[0], line, sizeof line - 1);
    close(out[0]);
    if (n > 0) return pid;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return 0;
}

void mongo_fixture_start_for_all(void)
{
    char uri[64];
    int port;

    if (access(MONGOWIRE_DIR "/MongoWire.class", R_OK) != 0) return;
    port = free_port();
    for_all = start(port, "-");
    if (!for_all) return;
    (void)snprintf(uri, sizeof uri, "mongodb://127.0.0.1:%d/", port);
    setenv(ENV_URI, uri, 1);
}

void mongo_fixture_stop_for_all(void)
{
    if (!for_all) return;
    kill(for_all, SIGKILL);
    waitpid(for_all, NULL, 0);
    for_all = 0;
}

const char *mongo_fixture_uri(void)
{
    static char uri[128];
    const char *server = getenv(ENV_URI);

    if (!server) return NULL;
    if (!uri[0]) (void)snprintf(uri, sizeof uri, "%stest_%d", server, (int)getpid());
    return uri;
}

void mongo_fixture_set_schema(int version)
{
    mongoc_client_t *client = mongoc_client_new(mongo_fixture_uri());
    mongoc_collection_t *meta = mongoc_client_get_collection(
        client, strrchr(mongo_fixture_uri(), '/') + 1, "contacts_meta");
    bson_t *query = BCON_NEW("_id", "schema");
    bson_t *update = BCON_NEW("$set", "{", "version", BCON_INT32(version), "}");
    bool is_done = mongoc_collection_update_one(meta, query, update, NULL, NULL, NULL);

    assert(is_done);
    (void)is_done;
    bson_destroy(query);
    bson_destroy(update);
    mongoc_collection_destroy(meta);
    mongoc_client_destroy(client);
}

bool mongo_fixture_open(struct mongo_fixture *m)
{
    if (access(MONGOWIRE_DIR "/MongoWire.class", R_OK) != 0) return false;
    memcpy(m->dir, "/tmp/ingoma-mongo-XXXXXX", 25);
    if (!mkdtemp(m->dir)) abort();
    m->port = free_port();
    (void)snprintf(m->uri, sizeof m->uri, "mongodb://127.0.0.1:%d/contacts", m->port);
    mongo_fixture_start(m);
    return true;
}

void mongo_fixture_start(struct mongo_fixture *m)
{
    char file[64];

    (void)snprintf(file, sizeof file, "%s/db", m->dir);
    m->pid = start(m->port, file);
    assert(m->pid);
}

void mongo_fixture_kill(struct mongo_fixture *m)
{
    kill(m->pid, SIGKILL);
    waitpid(m->pid, NULL, 0);
}

void mongo_fixture_close(struct mongo_fixture *m)
{
    char file[64];

    mongo_fixture_kill(m);
    (void)snprintf(file, sizeof file, "%s/db", m->dir);
    unlink(file);
    rmdir(m->dir);
}
