/* See redis_fixture.h. Blocks: for tests only. */
#include "tests/unit/support/redis_fixture.h"

#include <assert.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_TRIES 4000 /* of 5 ms */
#define PORT_TRIES 50
#define PATIENCE_S 10

bool redis_fixture_is_there(void)
{
    return access("/usr/bin/redis-server", X_OK) == 0 ||
           access("/usr/local/bin/redis-server", X_OK) == 0;
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

static int dial(const struct redis_fixture *f)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = PATIENCE_S},
                     sizeof(struct timeval));
    memcpy(un.sun_path, f->socket, strlen(f->socket) + 1);
    if (connect(fd, (const struct sockaddr *)(const void *)&un, sizeof un) == 0) return fd;
    close(fd);
    return -1;
}

static void write_conf(const struct redis_fixture *f, const char *path)
{
    FILE *out = fopen(path, "we");

    assert(out);
    (void)fprintf(out, "port %d\nbind 127.0.0.1\nunixsocket %s\nsave \"\"\nappendonly no\ndir %s\n",
                  f->port, f->socket, f->dir);
    if (f->password) (void)fprintf(out, "requirepass %s\n", f->password);
    if (f->is_cluster)
        (void)fprintf(out, "cluster-enabled yes\ncluster-port %d\ncluster-node-timeout 1000\n",
                      f->port + REDIS_FIXTURE_BUS);
    (void)fclose(out);
}

static void run_server(const char *conf)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    execlp("redis-server", "redis-server", conf, (char *)NULL);
    _exit(127);
}

static bool start(struct redis_fixture *f)
{
    char conf[64];

    (void)snprintf(conf, sizeof conf, "%s/redis.conf", f->dir);
    write_conf(f, conf);
    f->pid = fork();
    if (f->pid == 0) run_server(conf);
    f->fd = -1;
    for (int i = 0; i < START_TRIES && f->fd < 0; i++) {
        if (waitpid(f->pid, NULL, WNOHANG) == f->pid) return false;
        nap();
        f->fd = dial(f);
    }
    assert(f->fd >= 0);
    return true;
}

void redis_fixture_start(struct redis_fixture *f)
{
    bool ok = start(f);

    assert(ok);
}

/* Below the range of outgoing connections. Another program may still take it before Redis does. */
static int free_port(int attempt)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    for (int i = 0;; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int port = 10000 + (getpid() * 37 + attempt * 7919 + i * 101) % 20000, rc;

        in.sin_port = htons((uint16_t)port);
        rc = bind(fd, (const struct sockaddr *)(const void *)&in, sizeof in);
        close(fd);
        if (rc == 0) return port;
        assert(i < 1000);
    }
}

void redis_fixture_open(struct redis_fixture *f)
{
    memcpy(f->dir, "/tmp/ingoma-redis-XXXXXX", 25);
    assert(mkdtemp(f->dir));
    snprintf(f->socket, sizeof f->socket, "%s/s", f->dir);
    snprintf(f->url, sizeof f->url, "unix://%s", f->socket);
    for (int i = 0; f->has_tcp && i < PORT_TRIES; i++) {
        f->port = free_port(i);
        if (start(f)) return;
    }
    redis_fixture_start(f);
}

void redis_fixture_kill(struct redis_fixture *f)
{
    close(f->fd);
    f->fd = -1;
    kill(f->pid, SIGKILL);
    waitpid(f->pid, NULL, 0);
    unlink(f->socket);
}

void redis_fixture_close(struct redis_fixture *f)
{
    static const char *const files[] = {"redis.conf", "nodes.conf"};
    char path[64];

    redis_fixture_kill(f);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", f->dir, files[i]);
        unlink(path);
    }
    rmdir(f->dir);
    sb_fini(&f->reply);
}

static bool read_more(struct redis_fixture *f)
{
    char bytes[4096];
    ssize_t n = read(f->fd, bytes, sizeof bytes);

    sb_put(&f->reply, bytes, n > 0 ? (size_t)n : 0);
    sb_char(&f->reply, 0);
    f->reply.n--;
    return n > 0;
}

const char *redis_fixture_read(struct redis_fixture *f)
{
    f->reply.n = 0;
    (void)read_more(f);
    return f->reply.p;
}

const char *redis_fixture_read_until(struct redis_fixture *f, const char *text)
{
    f->reply.n = 0;
    while (read_more(f) && !str_contains(sb_view(&f->reply), str_z(text)))
        continue;
    return f->reply.p;
}

const char *redis_fixture_say(struct redis_fixture *f, const struct str *argv, unsigned argc)
{
    struct sb out = {0};
    ssize_t n;

    sb_printf(&out, "*%u\r\n", argc);
    for (unsigned i = 0; i < argc; i++) {
        sb_printf(&out, "$%zu\r\n", argv[i].n);
        sb_put(&out, argv[i].p, argv[i].n);
        sb_z(&out, "\r\n");
    }
    for (size_t at = 0; at < out.n; at += (size_t)n) {
        n = write(f->fd, out.p + at, out.n - at);
        assert(n > 0);
    }
    sb_fini(&out);
    return redis_fixture_read(f);
}

const char *redis_fixture_words(struct redis_fixture *f, const char *words)
{
    char text[1024];
    struct str argv[20], rest = str_of(text, strlen(words));
    unsigned argc = 0;

    assert(rest.n < sizeof text);
    memcpy(text, words, rest.n);
    while (argc < 20 && str_next(&rest, ' ', &argv[argc]))
        argc++;
    for (size_t i = 0; words[i]; i++)
        if (text[i] == '~') text[i] = ' ';
    return redis_fixture_say(f, argv, argc);
}

const char *redis_fixture_publish(struct redis_fixture *f, const char *channel, struct str payload)
{
    struct str argv[3] = {STR("PUBLISH"), str_z(channel), payload};

    return redis_fixture_say(f, argv, 3);
}
