/* Many Socket.IO clients over WebSocket in one thread on one epoll: ramp, handshake, CONNECT,
 * joinRoom, heartbeats. The receive path of a client that is only counted looks at frame headers
 * and the first five bytes of a payload, nothing else: on one core the generator must never be the
 * bottleneck. */
#ifndef BENCH_LIB_CLIENT_H
#define BENCH_LIB_CLIENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

enum client_state {
    CLIENT_NEW,
    CLIENT_UPGRADING, /* waits for 101 */
    CLIENT_OPENING,   /* waits for the Engine.IO open packet */
    CLIENT_NAMESPACE, /* waits for 40{…} */
    CLIENT_JOINING,   /* waits for roomJoined */
    CLIENT_READY,
    CLIENT_GONE,
};

#define CLIENT_CARRY_MAX 65536 /* largest frame that is read whole */
#define CLIENT_NODES_MAX 8     /* addresses that the clients are dealt out to */

struct client {
    int fd;
    uint8_t state;
    bool whole;      /* hand every frame to on_event; otherwise only count */
    bool wants_room; /* EPOLLOUT is set */
    uint32_t index;
    uint64_t skip;  /* bytes of the present frame still to be passed over */
    uint64_t bytes; /* read */
    char *carry;    /* start of a frame that did not arrive whole */
    uint32_t carry_n, carry_cap;
    uint32_t out_n, out_cap;
    char *out; /* not written yet */
    void *user;
};

struct client_counts {
    uint64_t deliveries; /* roomMessage frames */
    uint64_t others;     /* any other packet but heartbeats */
    uint64_t bytes;      /* read */
    uint64_t errors;     /* connections lost, refused or malformed */
};

struct clients {
    struct client *all;
    uint32_t count, started, ready, gone;
    uint32_t in_flight_max; /* connections between dial and ready */
    uint32_t rooms;         /* joinRoom bench0 … bench<rooms-1>, each on all nodes; 0: none */
    int epoll;
    int watch_fd; /* reported by clients_turn when readable; -1: none */
    bool watch_hit;
    uint32_t first_room;      /* instead of bench0 */
    uint32_t nodes;           /* client i is connected to number i % nodes */
    const struct str *tokens; /* of the clients, for CONNECT; NULL: guests */
    double per_second;        /* that dial; 0: as fast as it goes */
    bool counts_only;         /* a client that is ready hands no frame on */
    struct sockaddr_in to[CLIENT_NODES_MAX];
    struct str host; /* for the request head; the first one's */
    struct client_counts n;
    uint64_t now_us; /* time of the last read: one clock call serves all frames of a read */
    void (*on_event)(struct clients *cs, struct client *c, struct str packet);
    void *user;
    char *buffer;
};

/* host:port, numeric IPv4 or "localhost"; several with commas between them. Errors: ERR_PROTO. The
 * text must outlive cs. */
MUST_USE int clients_init(struct clients *cs, const char *url, uint32_t count);
void clients_fini(struct clients *cs);

static inline uint32_t client_node(const struct clients *cs, const struct client *c)
{
    return c->index % cs->nodes;
}

static inline uint32_t client_room(const struct clients *cs, const struct client *c)
{
    return cs->first_room + c->index / cs->nodes % cs->rooms;
}

/* Dials all, a bounded number at a time, until every one is ready. Errors: ERR_TIMEOUT no progress
 * for 10 s, ERR_IO the server refused too many. */
MUST_USE int clients_ramp(struct clients *cs);

void clients_turn(struct clients *cs, int timeout_ms);   /* one epoll_wait and its reads */
void clients_until(struct clients *cs, uint64_t due_us); /* turns until that time of clock_us */
void clients_settle(struct clients *cs, unsigned quiet_ms,
                    unsigned max_ms);           /* until nothing but heartbeats arrives */
void clients_watch(struct clients *cs, int fd); /* sets watch_fd */
void clients_leave(struct clients *cs);         /* closes all */

void client_put(struct client *c, const char *bytes,
                size_t n); /* a finished frame; leaves at the flush */
void client_flush(struct clients *cs, struct client *c);

#endif
