/* See private.h. */
#include "bench/lib/private.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/mem.h"
#include "bench/lib/wire.h"

#define RING 65536U /* messages under way, power of two */
#define QUIET_US 3000000U

size_t private_packet(char *out, uint32_t recipient, uint32_t k, uint32_t bytes)
{
    static const char tail[] = {'"', '}', ']'};
    int n = snprintf(out, PRIVATE_TEXT_MAX,
                     "42%u[\"privateMessage\",{\"recipientId\":\"b%u\",\"message\":\"#%08x", k,
                     recipient, k);

    memset(out + n, 'x', bytes);
    memcpy(out + n + bytes, tail, sizeof tail);
    return (size_t)n + bytes + sizeof tail;
}

enum private_kind private_read(struct str packet, uint32_t *k)
{
    char number[9] = "";
    const char *at;

    if (str_starts(packet, STR("43"))) {
        *k = (uint32_t)strtoul(packet.p + 2, NULL, 10);
        return str_contains(packet, STR("\"ok\":true")) ? PRIVATE_ACK : PRIVATE_REFUSED;
    }
    if (!str_starts(packet, STR("42[\"privateMessage\","))) return PRIVATE_OTHER;
    at = memmem(packet.p, packet.n, "\"message\":\"#", 12);
    if (!at || packet.n - (size_t)(at - packet.p) < 12 + 8) return PRIVATE_OTHER;
    memcpy(number, at + 12, 8);
    *k = (uint32_t)strtoul(number, NULL, 16);
    return PRIVATE_MESSAGE;
}

static void on_event(struct clients *cs, struct client *c, struct str packet)
{
    struct private_load *p = cs->user;
    uint32_t k;
    enum private_kind kind = private_read(packet, &k);

    (void)c;
    if (kind == PRIVATE_OTHER || p->next - k > RING) return;
    if (kind == PRIVATE_REFUSED) {
        p->refused++;
    } else if (kind == PRIVATE_ACK) {
        p->acked++;
        hist_add(&p->ack_us, cs->now_us - p->sent_us[k & (RING - 1)]);
    } else {
        p->delivered++;
        hist_add(&p->deliver_us, cs->now_us - p->sent_us[k & (RING - 1)]);
    }
}

/* ---- Redis ---- */

static int dial(const char *address)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct str host, port;
    char text[64] = "";
    uint64_t number;
    int fd;

    if (!str_cut(str_z(address), ':', &host, &port) || host.n >= sizeof text ||
        str_u64(port, 65535, &number) != OK)
        return -1;
    memcpy(text, host.p, host.n);
    to.sin_port = htons((uint16_t)number);
    if (inet_pton(AF_INET, text, &to.sin_addr) != 1) return -1;
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) == 0) return fd;
    close(fd);
    return -1;
}

static void ping(struct private_load *p)
{
    if (p->pinged_us || p->redis_fd < 0) return;
    p->pinged_us = clock_us();
    if (send(p->redis_fd, "PING\r\n", 6, MSG_NOSIGNAL) != 6) p->pinged_us = 0;
}

static void take_pong(struct private_load *p)
{
    char answer[64];

    if (!p->cs->watch_hit) return;
    p->cs->watch_hit = false;
    if (recv(p->redis_fd, answer, sizeof answer, MSG_DONTWAIT) <= 0 || !p->pinged_us) return;
    hist_add(&p->redis_us, clock_us() - p->pinged_us);
    p->pinged_us = 0;
}

/* ---- the load ---- */

static void send_one(struct private_load *p, uint64_t planned_us)
{
    uint32_t k = p->next++, pair = k % p->pairs;
    struct client *from = &p->cs->all[(size_t)pair * 2];
    char *text = mem_new(1, PRIVATE_TEXT_MAX + p->payload_bytes);
    char *frame = mem_new(1, WIRE_HEAD_MAX + PRIVATE_TEXT_MAX + p->payload_bytes);
    size_t n = private_packet(text, pair * 2 + 1, k, p->payload_bytes);

    p->sent_us[k & (RING - 1)] = planned_us;
    p->sent++;
    client_put(from, frame, wire_client_frame(frame, str_of(text, n)));
    client_flush(p->cs, from);
    mem_free(text);
    mem_free(frame);
}

static void turn(struct private_load *p, int sleep_ms)
{
    clients_turn(p->cs, sleep_ms);
    take_pong(p);
}

static bool is_quiet(const struct private_load *p)
{
    return p->acked + p->refused >= p->sent && p->delivered + p->refused >= p->sent;
}

void private_run(struct private_load *p, double seconds)
{
    uint64_t start = clock_us(), planned = 0, count = (uint64_t)(seconds * p->rate), end;

    while (planned < count) {
        uint64_t now = clock_us(), due = start + planned * 1000000 / p->rate;

        if (due > now) {
            turn(p, due - now > 1500 ? 1 : 0); /* spins rather than oversleep */
            continue;
        }
        planned++;
        if (p->sent - p->delivered >= RING / 2)
            p->overruns++;
        else
            send_one(p, due);
        ping(p);
    }
    for (end = clock_us() + QUIET_US; !is_quiet(p) && clock_us() < end;)
        turn(p, 10);
}

void private_reset(struct private_load *p)
{
    p->sent = p->delivered = p->acked = p->refused = p->overruns = 0;
    hist_reset(&p->deliver_us);
    hist_reset(&p->ack_us);
    hist_reset(&p->redis_us);
}

int private_open(struct private_load *p, struct clients *cs, const char *redis)
{
    p->cs = cs;
    p->pairs = cs->count / 2;
    p->sent_us = mem_new(RING, sizeof *p->sent_us);
    p->redis_fd = dial(redis);
    cs->user = p;
    cs->on_event = on_event;
    if (p->redis_fd < 0) return ERR_IO;
    clients_watch(cs, p->redis_fd);
    return OK;
}

void private_close(struct private_load *p)
{
    if (p->redis_fd >= 0) close(p->redis_fd);
    mem_free(p->sent_us);
    p->sent_us = NULL;
}
