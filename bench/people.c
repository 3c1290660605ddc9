/* bench-people: users with tokens. Presence: they arrive evenly, and what each is sent meanwhile is
 * counted. Private: pairs write to each other over two nodes. One JSON line a measurement; it
 * measures and decides nothing: bench/people.py does. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/mem.h"
#include "bench/lib/people.h"
#include "bench/lib/private.h"
#include "bench/lib/proc.h"

#define SETTLE_S 6 /* lists of more than a page come every 5 intervals */

static const char usage[] =
    "usage: bench-people presence|private --url HOST:PORT[,HOST:PORT] --tokens FILE [options]\n"
    "  --connections N  users (1000)\n"
    "  --seconds S      over which they arrive, or length of a measurement (10)\n"
    "  --first N        presence: the first of them, whose bytes are told apart (10)\n"
    "  --rate N         private: messages a second (200)\n"
    "  --payload BYTES  private: filler of a message (150)\n"
    "  --redis H:P      private: where PING goes\n"
    "private waits for a line \"go\" on standard input before each measurement\n";

struct options {
    const char *url, *tokens, *redis;
    uint32_t connections, first, rate, payload;
    double seconds;
};

static bool read_options(struct options *o, int argc, char **argv)
{
    *o = (struct options){
        .connections = 1000, .first = 10, .rate = 200, .payload = 150, .seconds = 10};
    for (int i = 2; i + 1 < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];

        if (strcmp(name, "--url") == 0)
            o->url = value;
        else if (strcmp(name, "--tokens") == 0)
            o->tokens = value;
        else if (strcmp(name, "--redis") == 0)
            o->redis = value;
        else if (strcmp(name, "--connections") == 0)
            o->connections = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(name, "--first") == 0)
            o->first = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(name, "--rate") == 0)
            o->rate = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(name, "--payload") == 0)
            o->payload = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(name, "--seconds") == 0)
            o->seconds = strtod(value, NULL);
        else
            return false;
    }
    return argc >= 4 && argc % 2 == 0 && o->url && o->tokens && o->connections && o->first &&
           o->rate && o->seconds > 0;
}

/* ---- presence ---- */

static void print_bytes(const char *name, const struct clients *cs, uint32_t count)
{
    uint64_t sum = 0, most = 0;

    for (uint32_t i = 0; i < count; i++) {
        sum += cs->all[i].bytes;
        if (cs->all[i].bytes > most) most = cs->all[i].bytes;
    }
    printf("\"%s\":{\"clients\":%u,\"bytes\":%.0f,\"most\":%" PRIu64 "},", name, count,
           count ? (double)sum / count : 0, most);
}

static int run_presence(struct clients *cs, const struct options *o)
{
    uint64_t start = clock_us(), own = proc_cpu_us(0), arrived;
    int rc;

    cs->per_second = o->connections / o->seconds;
    cs->counts_only = true;
    cs->in_flight_max = o->connections;
    rc = clients_ramp(cs);
    if (rc != OK) return rc;
    arrived = clock_us();
    clients_until(cs, arrived + SETTLE_S * 1000000);
    printf("{\"scenario\":\"presence\",\"connections\":%u,\"errors\":%" PRIu64
           ",\"arrived_s\":%.2f,\"seconds\":%.2f,",
           cs->ready, cs->n.errors, (double)(arrived - start) / 1e6,
           (double)(clock_us() - start) / 1e6);
    print_bytes("first", cs, o->first < cs->count ? o->first : cs->count);
    print_bytes("all", cs, cs->count);
    printf("\"frames\":%" PRIu64 ",\"own_cpu\":%.3f}\n", cs->n.others,
           (double)(proc_cpu_us(0) - own) / (double)(clock_us() - start));
    (void)fflush(stdout);
    return OK;
}

/* ---- private ---- */

static void print_hist(const char *name, const struct hist *h)
{
    printf("\"%s\":{\"samples\":%" PRIu64 ",\"p50\":%" PRIu64 ",\"p99\":%" PRIu64
           ",\"max\":%" PRIu64 "},",
           name, h->count, hist_at(h, 500), hist_at(h, 990), h->max);
}

static bool wait_go(struct clients *cs)
{
    char line[64] = "";

    clients_turn(cs, 0); /* what came meanwhile */
    return read(STDIN_FILENO, line, sizeof line - 1) >= 2 && memcmp(line, "go", 2) == 0;
}

static void measure(struct private_load *p, double seconds)
{
    uint64_t own, start;

    private_run(p, 1);
    private_reset(p);
    own = proc_cpu_us(0);
    start = clock_us();
    private_run(p, seconds);
    printf("{\"scenario\":\"private\",\"sent\":%" PRIu64 ",\"acked\":%" PRIu64
           ",\"delivered\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"overruns\":%" PRIu64
           ",\"errors\":%" PRIu64 ",",
           p->sent, p->acked, p->delivered, p->refused, p->overruns, p->cs->n.errors);
    print_hist("deliver_us", &p->deliver_us);
    print_hist("ack_us", &p->ack_us);
    print_hist("redis_us", &p->redis_us);
    printf("\"own_cpu\":%.3f}\n", (double)(proc_cpu_us(0) - own) / (double)(clock_us() - start));
    (void)fflush(stdout);
}

static int run_private(struct clients *cs, const struct options *o)
{
    static struct private_load p; /* the histograms are large */
    int rc = clients_ramp(cs);

    p.rate = o->rate;
    p.payload_bytes = o->payload;
    if (rc == OK) rc = private_open(&p, cs, o->redis ? o->redis : "");
    if (rc == OK) {
        clients_settle(cs, 300, 10000);
        printf("{\"ready\":%u}\n", cs->ready);
        (void)fflush(stdout);
        while (wait_go(cs))
            measure(&p, o->seconds);
    }
    private_close(&p);
    return rc;
}

int main(int argc, char **argv)
{
    struct options o;
    struct people people = {0};
    struct clients cs = {.epoll = -1};
    int rc;

    if (argc < 2 || !read_options(&o, argc, argv) ||
        (strcmp(argv[1], "presence") != 0 && strcmp(argv[1], "private") != 0)) {
        (void)fputs(usage, stderr);
        return 2;
    }
    if (proc_raise_files(o.connections + 64) < o.connections + 64) {
        (void)fputs("bench-people: the limit of open files is too low (ulimit -n)\n", stderr);
        return 2;
    }
    rc = people_read(&people, o.tokens, o.connections);
    if (rc == OK) rc = clients_init(&cs, o.url, o.connections);
    cs.tokens = people.tokens;
    if (rc == OK)
        rc = strcmp(argv[1], "presence") == 0 ? run_presence(&cs, &o) : run_private(&cs, &o);
    if (rc != OK)
        (void)fprintf(stderr, "bench-people: stopped with %u of %u ready, %u gone: %s\n", cs.ready,
                      cs.count, cs.gone, err_text(rc));
    clients_fini(&cs);
    people_fini(&people);
    return rc == OK ? 0 : 1;
}
