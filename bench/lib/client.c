/* Socket.IO clients on one epoll. See client.h. */
#include "bench/lib/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/mem.h"
#include "bench/lib/wire.h"

#define READ_BYTES (512 * 1024)
#define EVENTS 1024
#define STALL_US 10000000U
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define PACKET_MAX 1024 /* of the handshake */
#define CLASSIFY 5      /* payload bytes that tell `42["r` from the rest */

static int read_address(struct str url, struct sockaddr_in *to)
{
    struct str host, port;
    uint64_t number;
    char text[64];

    if (!str_cut(url, ':', &host, &port)) return ERR_PROTO;
    if (str_u64(port, 65535, &number) != OK || host.n >= sizeof text) return ERR_PROTO;
    if (str_eq(host, STR("localhost"))) host = STR("127.0.0.1");
    memcpy(text, host.p, host.n);
    text[host.n] = 0;
    to->sin_family = AF_INET;
    to->sin_port = htons((uint16_t)number);
    return inet_pton(AF_INET, text, &to->sin_addr) == 1 ? OK : ERR_PROTO;
}

int clients_init(struct clients *cs, const char *url, uint32_t count)
{
    struct str rest = str_z(url), one;

    *cs = (struct clients){.epoll = -1, .watch_fd = -1, .in_flight_max = 64, .count = count};
    while (str_next(&rest, ',', &one)) {
        if (cs->nodes == CLIENT_NODES_MAX || read_address(one, &cs->to[cs->nodes]) != OK)
            return ERR_PROTO;
        if (cs->nodes++ == 0) cs->host = one;
    }
    if (!cs->nodes) return ERR_PROTO;
    cs->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (cs->epoll < 0) return ERR_IO;
    cs->all = mem_new(count, sizeof *cs->all);
    cs->buffer = mem_new(1, CLIENT_CARRY_MAX + READ_BYTES);
    for (uint32_t i = 0; i < count; i++)
        cs->all[i] = (struct client){.fd = -1, .index = i, .whole = true};
    return OK;
}

static void client_drop(struct clients *cs, struct client *c)
{
    if (c->fd < 0) return;
    close(c->fd);
    c->fd = -1;
    if (c->state == CLIENT_READY) cs->ready--;
    c->state = CLIENT_GONE;
    cs->gone++;
    mem_free(c->carry);
    mem_free(c->out);
    c->carry = c->out = NULL;
    c->carry_n = c->carry_cap = c->out_n = c->out_cap = 0;
}

static void client_fail(struct clients *cs, struct client *c)
{
    cs->n.errors++;
    client_drop(cs, c);
}

void clients_leave(struct clients *cs)
{
    for (uint32_t i = 0; i < cs->count; i++)
        client_drop(cs, &cs->all[i]);
}

void clients_fini(struct clients *cs)
{
    if (cs->all) clients_leave(cs);
    if (cs->epoll >= 0) close(cs->epoll);
    mem_free(cs->all);
    mem_free(cs->buffer);
    *cs = (struct clients){.epoll = -1};
}

void clients_watch(struct clients *cs, int fd)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};

    cs->watch_fd = epoll_ctl(cs->epoll, EPOLL_CTL_ADD, fd, &ev) == 0 ? fd : -1;
}

void client_put(struct client *c, const char *bytes, size_t n)
{
    if (c->fd < 0) return;
    if (c->out_n + n > c->out_cap) {
        c->out_cap = (uint32_t)((c->out_n + n) * 2);
        c->out = mem_grow(c->out, c->out_cap);
    }
    memcpy(c->out + c->out_n, bytes, n);
    c->out_n += (uint32_t)n;
}

static void put_text(struct client *c, struct str packet) /* short packets of the handshake */
{
    char frame[WIRE_HEAD_MAX + PACKET_MAX];

    client_put(c, frame, wire_client_frame(frame, str_head(packet, PACKET_MAX)));
}

static void want_room(struct clients *cs, struct client *c, bool on)
{
    struct epoll_event ev = {.events = EPOLLIN | (on ? EPOLLOUT : 0U), .data.ptr = c};

    if (c->wants_room == on) return;
    c->wants_room = on;
    (void)epoll_ctl(cs->epoll, EPOLL_CTL_MOD, c->fd, &ev);
}

void client_flush(struct clients *cs, struct client *c)
{
    ssize_t n;

    if (c->fd < 0 || c->out_n == 0) return;
    n = send(c->fd, c->out, c->out_n, MSG_NOSIGNAL);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            client_fail(cs, c);
            return;
        }
        n = 0;
    }
    c->out_n -= (uint32_t)n;
    if (c->out_n) memmove(c->out, c->out + n, c->out_n);
    want_room(cs, c, c->out_n > 0);
}

static void client_is_ready(struct clients *cs, struct client *c)
{
    c->state = CLIENT_READY;
    cs->ready++;
    if (cs->counts_only) c->whole = false;
}

static void connect_namespace(const struct clients *cs, struct client *c)
{
    char text[PACKET_MAX];
    int n = 0;

    if (cs->tokens)
        n = snprintf(text, sizeof text, "40{\"token\":\"" STR_FMT "\"}",
                     STR_ARG(cs->tokens[c->index]));
    put_text(c, n > 0 && (size_t)n < sizeof text ? str_of(text, (size_t)n) : STR("40"));
    c->state = CLIENT_NAMESPACE;
}

static void join_room(const struct clients *cs, struct client *c)
{
    char text[128];
    int n = snprintf(text, sizeof text,
                     "42[\"joinRoom\",{\"roomId\":\"bench%u\",\"roomType\":\"chat\"}]",
                     client_room(cs, c));

    put_text(c, str_of(text, (size_t)n));
    c->state = CLIENT_JOINING;
}

/* Handshake: each state knows the one packet that moves it on; others are passed over. */
static void on_packet(struct clients *cs, struct client *c, struct str packet)
{
    if (packet.n == 1 && packet.p[0] == '2') {
        put_text(c, STR("3"));
        return;
    }
    switch ((enum client_state)c->state) {
    case CLIENT_OPENING:
        if (!str_starts(packet, STR("0{"))) break;
        connect_namespace(cs, c);
        return;
    case CLIENT_NAMESPACE:
        if (str_starts(packet, STR("44"))) client_fail(cs, c);
        if (!str_starts(packet, STR("40"))) break;
        if (cs->rooms)
            join_room(cs, c);
        else
            client_is_ready(cs, c);
        return;
    case CLIENT_JOINING:
        if (!str_starts(packet, STR("42[\"roomJoined\""))) break;
        c->whole = false;
        client_is_ready(cs, c);
        return;
    case CLIENT_READY:
        if (cs->on_event) cs->on_event(cs, c, packet);
        return;
    case CLIENT_NEW:
    case CLIENT_UPGRADING:
    case CLIENT_GONE:
        break;
    }
}

/* Takes the head of the 101 answer off the front; returns its size, 0 while it is not there as a
 * whole. */
static size_t on_upgrade(struct clients *cs, struct client *c, struct str bytes)
{
    const char *end = memmem(bytes.p, bytes.n, "\r\n\r\n", 4);
    char accept[WIRE_ACCEPT_SIZE + 1];

    if (!end) return 0;
    bytes.n = (size_t)(end - bytes.p) + 4;
    wire_accept(STR(KEY), accept);
    if (!str_starts(bytes, STR("HTTP/1.1 101")) || !str_contains(bytes, str_z(accept))) {
        client_fail(cs, c);
        return bytes.n;
    }
    c->state = CLIENT_OPENING;
    return bytes.n;
}

static void client_carry(struct clients *cs, struct client *c, const char *p, size_t n)
{
    if (n > CLIENT_CARRY_MAX) {
        client_fail(cs, c);
        return;
    }
    if (n > c->carry_cap) {
        c->carry_cap = n < 64 ? 64 : (uint32_t)n;
        c->carry = mem_grow(c->carry, c->carry_cap);
    }
    if (n) memcpy(c->carry, p, n);
    c->carry_n = (uint32_t)n;
}

/* Passes one frame; returns the bytes taken, 0 when more of it is needed first. */
static inline size_t take_frame(struct clients *cs, struct client *c, const char *p, size_t n)
{
    struct wire_head h;
    uint64_t total, need;
    const char *body;

    if (!wire_head(p, n, &h)) return 0;
    total = h.bytes + h.length;
    need = c->whole || h.length < CLASSIFY ? total : h.bytes + (uint64_t)CLASSIFY;
    if (n < need) return 0;
    body = p + h.bytes;
    if (h.first != WIRE_TEXT) {
        client_fail(cs, c);
        return n;
    }
    if (h.length >= CLASSIFY && memcmp(body, "42[\"r", CLASSIFY) == 0)
        cs->n.deliveries++;
    else if (h.length > 1)
        cs->n.others++;
    if (c->whole || h.length == 1) on_packet(cs, c, str_of(body, (size_t)h.length));
    if (total <= n) return (size_t)total;
    c->skip = total - n;
    return n;
}

static void take_bytes(struct clients *cs, struct client *c, const char *p, size_t n)
{
    while (n > 0 && c->fd >= 0) {
        size_t used;

        if (c->skip) {
            used = c->skip < n ? (size_t)c->skip : n;
            c->skip -= used;
        } else if (c->state == CLIENT_UPGRADING) {
            used = on_upgrade(cs, c, str_of(p, n));
        } else {
            used = take_frame(cs, c, p, n);
        }
        if (used == 0) break;
        p += used;
        n -= used;
    }
    if (c->fd >= 0) client_carry(cs, c, p, n);
}

static void client_read(struct clients *cs, struct client *c)
{
    char *at = cs->buffer + CLIENT_CARRY_MAX;
    ssize_t n = recv(c->fd, at, READ_BYTES, 0);

    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) client_fail(cs, c);
        return;
    }
    cs->n.bytes += (uint64_t)n;
    c->bytes += (uint64_t)n;
    cs->now_us = clock_us();
    if (c->carry_n) {
        at -= c->carry_n;
        n += c->carry_n;
        memcpy(at, c->carry, c->carry_n);
        c->carry_n = 0;
    }
    take_bytes(cs, c, at, (size_t)n);
    client_flush(cs, c);
}

void clients_turn(struct clients *cs, int timeout_ms)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(cs->epoll, events, EVENTS, timeout_ms);

    for (int i = 0; i < n; i++) {
        struct client *c = events[i].data.ptr;

        if (!c) {
            cs->watch_hit = true;
            continue;
        }
        if (c->fd < 0) continue; /* closed earlier in this turn */
        if (events[i].events & EPOLLOUT) client_flush(cs, c);
        if (c->fd >= 0 && events[i].events & ~(uint32_t)EPOLLOUT) client_read(cs, c);
    }
}

void clients_until(struct clients *cs, uint64_t due_us)
{
    for (uint64_t now = clock_us(); now < due_us; now = clock_us())
        clients_turn(cs, (int)((due_us - now) / 1000 + 1));
}

void clients_settle(struct clients *cs, unsigned quiet_ms, unsigned max_ms)
{
    uint64_t start = clock_us(), last = start, seen = 0, total;

    for (uint64_t now = start;
         now - last < quiet_ms * UINT64_C(1000) && now - start < max_ms * UINT64_C(1000);
         now = clock_us()) {
        clients_turn(cs, (int)quiet_ms / 4 + 1);
        total = cs->n.deliveries + cs->n.others;
        if (total != seen) last = clock_us();
        seen = total;
    }
}

/* The request is queued before the connection stands; on loopback it does by the time of the first
 * flush, elsewhere the flush finds no room and goes on when there is some. */
static void client_dial(struct clients *cs, struct client *c)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
    char head[512];
    const struct sockaddr_in *to = &cs->to[client_node(cs, c)];
    int one = 1, n;

    cs->started++;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) cs->gone++; /* client_drop has nothing to close */
    if (c->fd < 0 ||
        (connect(c->fd, (const struct sockaddr *)to, sizeof *to) != 0 && errno != EINPROGRESS) ||
        epoll_ctl(cs->epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0) {
        client_fail(cs, c);
        return;
    }
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->state = CLIENT_UPGRADING;
    n = snprintf(head, sizeof head,
                 "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: " STR_FMT "\r\n"
                 "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " KEY "\r\n"
                 "Sec-WebSocket-Version: 13\r\n\r\n",
                 STR_ARG(cs->host));
    client_put(c, head, (size_t)n);
    client_flush(cs, c);
}

static bool may_dial(const struct clients *cs, uint64_t start_us)
{
    double due = cs->per_second * (double)(clock_us() - start_us) / 1e6;

    return cs->started < cs->count && cs->started - cs->ready - cs->gone < cs->in_flight_max &&
           (cs->per_second <= 0 || cs->started < due);
}

int clients_ramp(struct clients *cs)
{
    uint64_t start_us = clock_us(), moved_us = start_us;
    uint32_t done = 0;

    while (cs->ready + cs->gone < cs->count) {
        while (may_dial(cs, start_us))
            client_dial(cs, &cs->all[cs->started]);
        clients_turn(cs, cs->per_second > 0 ? 2 : 100);
        if (cs->ready + cs->gone != done) {
            done = cs->ready + cs->gone;
            moved_us = clock_us();
        }
        if (clock_us() - moved_us > STALL_US) return ERR_TIMEOUT;
        if (cs->gone > 16 && cs->gone > cs->count / 100) return ERR_IO;
    }
    return OK;
}
