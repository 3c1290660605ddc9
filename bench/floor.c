/* bench-floor: the least that a server must do to fan out over WebSocket: one epoll, one prebuilt
 * frame a message, all frames of a turn in one write a connection. No rooms, no JSON, no
 * heartbeats, no checks of what peers send: it is a measure for the bench and nothing that may face
 * a network. It answers just enough for bench-load. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "bench/lib/proc.h"
#include "bench/lib/wire.h"

#define EVENTS 1024
#define READ_BYTES 65536
#define MARK_BYTES                                                                                 \
    12 /* bench/lib/fanout.c: sender and number, the one part of a frame that changes */

struct peer {
    int fd;
    bool upgraded, wants_room;
    uint32_t place; /* in floor.peers */
    uint32_t in_n, in_cap, out_n, out_cap;
    char *in, *out; /* a frame that is not whole yet; what the socket did not take yet */
};

struct floor {
    int epoll, listener;
    struct peer **peers;
    uint32_t count, cap;
    char *frame; /* the prebuilt roomMessage */
    size_t frame_n, mark_at, message_n;
    char *turn; /* all frames of this turn */
    size_t turn_n, turn_cap;
    struct peer **dead;
    uint32_t dead_n, dead_cap;
    char *reply; /* answers to the peer that is being read */
    uint32_t reply_n, reply_cap;
    uint64_t sids;
    char buffer[READ_BYTES];
};

static void append(char **p, uint32_t *n, uint32_t *cap, const void *bytes, size_t more)
{
    if (*n + more > *cap) {
        *cap = (uint32_t)((*n + more) * 2);
        *p = mem_grow(*p, *cap);
    }
    if (more) memcpy(*p + *n, bytes, more);
    *n += (uint32_t)more;
}

static void peer_drop(struct floor *f, struct peer *p) /* freed at the end of the turn */
{
    if (p->fd < 0) return;
    close(p->fd);
    p->fd = -1;
    f->count--;
    f->peers[p->place] = f->peers[f->count];
    f->peers[p->place]->place = p->place;
    if (f->dead_n == f->dead_cap) {
        f->dead_cap = f->dead_cap * 2 + 64;
        f->dead = mem_grow(f->dead, f->dead_cap * sizeof *f->dead);
    }
    f->dead[f->dead_n++] = p;
}

static void want_room(const struct floor *f, struct peer *p, bool on)
{
    struct epoll_event ev = {.events = EPOLLIN | (on ? EPOLLOUT : 0U), .data.ptr = p};

    if (p->wants_room == on) return;
    p->wants_room = on;
    (void)epoll_ctl(f->epoll, EPOLL_CTL_MOD, p->fd, &ev);
}

/* Writes what waits, then bytes; keeps the rest. */
static void peer_write(struct floor *f, struct peer *p, const char *bytes, size_t n)
{
    ssize_t sent;

    if (p->out_n) {
        append(&p->out, &p->out_n, &p->out_cap, bytes, n);
        bytes = p->out;
        n = p->out_n;
    }
    if (n == 0) return;
    sent = send(p->fd, bytes, n, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        peer_drop(f, p);
        return;
    }
    if (sent < 0) sent = 0;
    if (bytes == p->out) {
        p->out_n -= (uint32_t)sent;
        memmove(p->out, p->out + sent, p->out_n);
        if (p->out_n == 0) {
            mem_free(p->out);
            p->out = NULL;
            p->out_cap = 0;
        }
    } else {
        append(&p->out, &p->out_n, &p->out_cap, bytes + sent, n - (size_t)sent);
    }
    want_room(f, p, p->out_n > 0);
}

static void answer(struct floor *f, struct str packet) /* leaves at the end of this peer's read */
{
    char head[WIRE_HEAD_MAX];

    append(&f->reply, &f->reply_n, &f->reply_cap, head, wire_server_head(head, packet.n));
    append(&f->reply, &f->reply_n, &f->reply_cap, packet.p, packet.n);
}

/* The frame has the fields and so the length of the real thing. Built again when messages change
 * their length. */
static void build_frame(struct floor *f, struct str message)
{
    static const char before[] =
        "42[\"roomMessage\",{\"messageId\":\"msg_1700000000000_k3x9a0b1c\",\"message\":\"";
    static const char after[] =
        "\",\"type\":\"text\",\"roomId\":\"bench0\",\"timestamp\":\"2026-01-01T00:00:00.000Z\"}]";
    size_t n = sizeof before - 1 + message.n + sizeof after - 1;
    char *at;

    f->message_n = message.n;
    f->frame = mem_grow(f->frame, WIRE_HEAD_MAX + n);
    at = f->frame + wire_server_head(f->frame, n);
    at = (char *)mempcpy(at, before, sizeof before - 1);
    f->mark_at = (size_t)(at - f->frame);
    at = (char *)mempcpy(at, message.p, message.n);
    at = (char *)mempcpy(at, after, sizeof after - 1);
    f->frame_n = (size_t)(at - f->frame);
}

static void on_message(struct floor *f, struct str packet)
{
    const char *at = memmem(packet.p, packet.n, "\"message\":\"", 11);
    size_t left, length;

    if (!at) return;
    at += 11;
    left = (size_t)(packet.p + packet.n - at);
    length = str_find(str_of(at, left), '"');
    if (length < MARK_BYTES || length == left) return;
    if (length != f->message_n) build_frame(f, str_of(at, length));
    if (f->turn_n + f->frame_n > f->turn_cap) {
        f->turn_cap = (f->turn_n + f->frame_n) * 2;
        f->turn = mem_grow(f->turn, f->turn_cap);
    }
    memcpy(f->turn + f->turn_n, f->frame, f->frame_n);
    memcpy(f->turn + f->turn_n + f->mark_at, at, MARK_BYTES);
    f->turn_n += f->frame_n;
}

static void on_packet(struct floor *f, struct str packet)
{
    char text[64];
    size_t digits = 2;
    int n;

    if (str_eq(packet, STR("40"))) {
        n = snprintf(text, sizeof text, "40{\"sid\":\"floor%015llx\"}",
                     (unsigned long long)f->sids);
        answer(f, str_of(text, (size_t)n));
    } else if (str_starts(packet, STR("42[\"roomMessage\""))) {
        on_message(f, packet);
    } else if (str_starts(packet, STR("42[\"joinRoom\""))) {
        answer(f, STR("42[\"roomJoined\",{\"roomId\":\"bench0\",\"memberCount\":1,\"roomType\":"
                      "\"chat\"}]"));
    } else if (str_starts(packet, STR("42"))) {
        while (digits < packet.n && packet.p[digits] >= '0' && packet.p[digits] <= '9')
            digits++;
        n = snprintf(text, sizeof text, "43%.*s[{\"ok\":true}]", (int)(digits - 2), packet.p + 2);
        if (digits == 2 || n >= (int)sizeof text) return;
        answer(f, STR("42[\"pong\",{\"timestamp\":1700000000000,\"serverTime\":\"2026-01-01T00:00:"
                      "00.000Z\"}]"));
        answer(f, str_of(text, (size_t)n));
    }
}

/* Answers an upgrade; returns the bytes taken, 0 while the head is not there as a whole. */
static size_t on_upgrade(struct floor *f, struct peer *p, struct str bytes)
{
    const char *end = memmem(bytes.p, bytes.n, "\r\n\r\n", 4);
    const char *key = memmem(bytes.p, bytes.n, "Sec-WebSocket-Key: ", 19);
    char accept[WIRE_ACCEPT_SIZE + 1], text[256];
    int n;

    if (!end) return 0;
    if (!key || key + 19 > end) {
        peer_drop(f, p);
        return bytes.n;
    }
    key += 19;
    wire_accept(str_of(key, str_find(str_of(key, (size_t)(end - key)), '\r')), accept);
    n = snprintf(text, sizeof text,
                 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Accept: %s\r\n\r\n",
                 accept);
    append(&f->reply, &f->reply_n, &f->reply_cap, text, (size_t)n);
    n = snprintf(
        text, sizeof text,
        "0{\"sid\":\"floor%015llx\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":60000,"
        "\"maxPayload\":1000000}",
        (unsigned long long)f->sids++);
    answer(f, str_of(text, (size_t)n));
    p->upgraded = true;
    return (size_t)(end - bytes.p) + 4;
}

static size_t on_frame(struct floor *f, struct peer *p, char *bytes, size_t n)
{
    struct wire_head h;

    if (!wire_head(bytes, n, &h) || n < h.bytes + h.length) return 0;
    wire_mask(bytes + h.bytes, (size_t)h.length, h.key, 0);
    if (h.first == WIRE_TEXT) on_packet(f, str_of(bytes + h.bytes, (size_t)h.length));
    if (h.first == WIRE_CLOSE) peer_drop(f, p);
    return h.bytes + (size_t)h.length;
}

static void peer_read(struct floor *f, struct peer *p)
{
    ssize_t got = recv(p->fd, f->buffer, sizeof f->buffer, 0);
    char *at = f->buffer;
    size_t n;

    if (got <= 0) {
        if (got == 0 || errno != EAGAIN) peer_drop(f, p);
        return;
    }
    n = (size_t)got;
    f->reply_n = 0;
    if (p->in_n) {
        append(&p->in, &p->in_n, &p->in_cap, at, n);
        at = p->in;
        n = p->in_n;
    }
    while (n > 0 && p->fd >= 0) {
        size_t used = p->upgraded ? on_frame(f, p, at, n) : on_upgrade(f, p, str_of(at, n));

        if (used == 0) break;
        at += used;
        n -= used;
    }
    if (p->fd < 0) return;
    if (p->in_n) {
        memmove(p->in, at, n);
        p->in_n = (uint32_t)n;
    } else {
        append(&p->in, &p->in_n, &p->in_cap, at, n);
    }
    peer_write(f, p, f->reply, f->reply_n);
}

static void peer_accept(struct floor *f)
{
    int one = 1, fd;

    while ((fd = accept4(f->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct peer *p = MEM_NEW(struct peer);
        struct epoll_event ev = {.events = EPOLLIN, .data.ptr = p};

        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (f->count == f->cap) {
            f->cap = f->cap * 2 + 1024;
            f->peers = mem_grow(f->peers, f->cap * sizeof *f->peers);
        }
        *p = (struct peer){.fd = fd, .place = f->count};
        f->peers[f->count++] = p;
        (void)epoll_ctl(f->epoll, EPOLL_CTL_ADD, fd, &ev);
    }
}

static void floor_turn(struct floor *f)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(f->epoll, events, EVENTS, -1);

    for (int i = 0; i < n; i++) {
        struct peer *p = events[i].data.ptr;

        if (!p)
            peer_accept(f);
        else if (p->fd >= 0 && events[i].events & EPOLLOUT)
            peer_write(f, p, "", 0);
        if (p && p->fd >= 0 && events[i].events & ~(uint32_t)EPOLLOUT) peer_read(f, p);
    }
    for (uint32_t i = f->count;
         f->turn_n && i-- > 0;) /* backwards: a drop moves the last one here */
        peer_write(f, f->peers[i], f->turn, f->turn_n);
    f->turn_n = 0;
    while (f->dead_n) {
        struct peer *p = f->dead[--f->dead_n];

        mem_free(p->in);
        mem_free(p->out);
        mem_free(p);
    }
}

static int floor_listen(struct floor *f, uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
    int one = 1;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    f->epoll = epoll_create1(EPOLL_CLOEXEC);
    f->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (f->epoll < 0 || f->listener < 0) return ERR_IO;
    (void)setsockopt(f->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(f->listener, (const struct sockaddr *)&at, sizeof at) != 0) return ERR_IO;
    if (listen(f->listener, 1024) != 0) return ERR_IO;
    return epoll_ctl(f->epoll, EPOLL_CTL_ADD, f->listener, &ev) == 0 ? OK : ERR_IO;
}

int main(int argc, char **argv)
{
    static struct floor f;
    unsigned long port = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;

    if (port == 0 || port > 65535) {
        (void)fputs("usage: bench-floor PORT (listens on 127.0.0.1)\n", stderr);
        return 2;
    }
    proc_raise_files(20000);
    if (floor_listen(&f, (uint16_t)port) != OK) {
        perror("bench-floor: listen");
        return 1;
    }
    printf("{\"listening\":%lu,\"pid\":%d}\n", port, (int)getpid());
    fflush(stdout);
    for (;;)
        floor_turn(&f);
}
