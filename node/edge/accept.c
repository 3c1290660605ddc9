/* The listener: SO_REUSEPORT, limits before a byte is read, and what to do without descriptors. */
#include "node/edge/edge_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"

#define ACCEPT_SLICE 64
#define ACCEPT_PAUSE_MS 100
#define TRIM_CONNECTIONS 1000 /* closed ones whose memory is worth giving back to the system */

static void refuse(int fd)
{
    static const char text[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n"
                               "Content-Length: 0\r\nConnection: close\r\n\r\n";

    metric_add(M_CONNECTIONS_REFUSED, 1);
    (void)!send(fd, text, sizeof text - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
}

/* No descriptor is left: the spare one lets us refuse instead of spinning on a readable listener.
 */
static void on_exhausted(struct edge *e)
{
    int fd;

    close(e->spare_fd);
    fd = accept4(e->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) refuse(fd);
    e->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    loop_fd_want(e->listen_watch, 0);
    loop_timer(e->loop, &e->accept_pause, ACCEPT_PAUSE_MS);
    LOG_WARN("edge.no_descriptors", LOG_U("connections", e->count));
}

static void on_pause_over(struct timer *t)
{
    struct edge *e = LIST_OWNER(t, struct edge, accept_pause);

    if (e->listen_watch) loop_fd_want(e->listen_watch, LOOP_READ);
}

static void on_accept(void *ctx, int what)
{
    struct edge *e = ctx;

    (void)what;
    for (int i = 0; i < ACCEPT_SLICE; i++) {
        struct sockaddr_storage from = {0};
        socklen_t size = sizeof from;
        int fd =
            accept4(e->listen_fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0 && e->count >= e->conf->max_connections)
            refuse(fd);
        else if (fd >= 0)
            conn_open(e, fd, &from);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            return on_exhausted(e);
        else if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

static int listen_on(const struct addrinfo *ai)
{
    int on = 1, fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 &&
        bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    on = errno;
    close(fd);
    errno = on;
    return -1;
}

static int open_listener(const char *host, unsigned port, char **why)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    char text[256], service[8];
    int fd = -1;

    (void)snprintf(service, sizeof service, "%u", port);
    if (getaddrinfo(host, service, &hints, &list) != 0) {
        (void)snprintf(text, sizeof text, "%s is not an address to listen on", host);
    } else {
        fd = listen_on(list);
        (void)snprintf(text, sizeof text, "cannot listen on %s port %u: %s", host, port,
                       strerror(errno));
        freeaddrinfo(list);
    }
    if (fd < 0) *why = mem_dup(text, strlen(text));
    return fd;
}

int edge_open(struct loop *l, const struct conf *c, const char *host, unsigned port,
              const struct edge_handler *h, void *ctx, struct edge **out, char **why)
{
    struct edge *e;
    struct str bad;
    int fd = open_listener(host, port, why);

    if (fd < 0) return ERR_IO;
    e = MEM_NEW(struct edge);
    e->loop = l;
    e->conf = c;
    e->handler = h;
    if (cidr_parse(str_z(c->trusted_proxies), &e->trusted, &bad) != OK) /* base/conf.c refused it */
        LOG_ERROR("edge.bad_network", LOG_S("network", bad));
    e->ctx = ctx;
    e->listen_fd = fd;
    e->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    e->headers = mem_new((size_t)c->max_headers, sizeof *e->headers);
    e->read_scratch = mem_new(1, READ_BYTES);
    list_init(&e->conns);
    list_init(&e->closing);
    timer_init(&e->accept_pause, on_pause_over);
    trim_init(&e->trim, l, TRIM_CONNECTIONS);
    out_init(e);
    http_metrics_init();
    ws_metrics_init();
    e->listen_watch = loop_fd_new(l, fd, on_accept, e);
    loop_fd_want(e->listen_watch, LOOP_READ);
    *out = e;
    return OK;
}

void edge_stop_accepting(struct edge *e)
{
    if (!e->listen_watch) return;
    loop_timer_stop(e->loop, &e->accept_pause);
    loop_fd_free(e->listen_watch);
    e->listen_watch = NULL;
    close(e->listen_fd);
}

void edge_free(struct edge *e)
{
    edge_stop_accepting(e);
    LIST_EACH_SAFE(node, after, &e->conns)
    {
        conn_cut(LIST_OWNER(node, struct conn, node));
    }
    LIST_EACH_SAFE(node, after, &e->closing) /* no turn follows that would free them */
    {
        struct conn *c = LIST_OWNER(node, struct conn, node);

        loop_task_cancel(&c->end);
        conn_free(&c->end);
    }
    trim_fini(&e->trim);
    out_fini(e);
    close(e->spare_fd);
    cidr_free(e->trusted);
    mem_free(e->headers);
    mem_free(e->read_scratch);
    mem_free(e);
}

unsigned edge_port(const struct edge *e)
{
    struct sockaddr_in6 at;
    socklen_t size = sizeof at;

    if (getsockname(e->listen_fd, (struct sockaddr *)&at, &size) != 0) return 0;
    return ntohs(at.sin6_port); /* the same place in sockaddr_in */
}

size_t edge_connections(const struct edge *e)
{
    return e->count;
}
