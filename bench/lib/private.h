/* Private messages over nodes, by the clock: client 2i, on the first node, writes to client 2i + 1,
 * on the second. Latency counts from the planned time. Beside each message one PING goes to Redis,
 * when the last one is back: what a bare round trip takes at the same time, on the same cores. */
#ifndef BENCH_LIB_PRIVATE_H
#define BENCH_LIB_PRIVATE_H

#include "bench/lib/client.h"
#include "bench/lib/hist.h"

#define PRIVATE_TEXT_MAX 1024

struct private_load {
    struct clients *cs;
    uint32_t rate, pairs, payload_bytes;
    uint32_t next; /* number of the next message */
    uint64_t *sent_us;
    int redis_fd; /* -1: none */
    uint64_t pinged_us;
    uint64_t sent, delivered, acked, refused, overruns; /* in the measurement; overruns: not sent */
    struct hist deliver_us, ack_us, redis_us;
};

/* redis: host:port. Errors: ERR_IO. private_close always. */
MUST_USE int private_open(struct private_load *p, struct clients *cs, const char *redis);
void private_close(struct private_load *p);
void private_run(struct private_load *p, double seconds); /* and waits for what is under way */
void private_reset(struct private_load *p);

/* ---- what is on the wire ---- */

/* The packet of message number k: a mark and a filler of so many bytes. out has room for
 * PRIVATE_TEXT_MAX + bytes. Returns its size. */
size_t private_packet(char *out, uint32_t recipient, uint32_t k, uint32_t bytes);
enum private_kind { PRIVATE_OTHER, PRIVATE_ACK, PRIVATE_REFUSED, PRIVATE_MESSAGE };
enum private_kind private_read(struct str packet, uint32_t *k);

#endif
