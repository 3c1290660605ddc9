/* bench-load: the load generator. One thread, Socket.IO over WebSocket, one JSON line a measurement
 * on standard output. It measures; it decides nothing: bench/run.py starts servers, alternates
 * rounds and compares. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/mem.h"
#include "bench/lib/load.h"

#define WARM_CONNECTIONS 100

enum scenario { FANOUT, ECHO_ACKED, IDLE, CONNECT, CHURN, QUIZ };

static const char usage[] =
    "usage: bench-load --scenario fanout|echo|idle|connect|churn|quiz --url HOST:PORT[,…] "
    "[options]\n"
    "  several addresses  the clients are dealt out to them; those who talk are all at the first\n"
    "  --connections N    clients (1000)\n"
    "  --rooms N          rooms they are spread over (fanout 1, idle connections/100), or joined "
    "and left (churn 100000)\n"
    "  --first-room N     number of the first of them (0)\n"
    "  --senders N        members that talk, fanout (16)\n"
    "  --window N         messages in flight a sender, or pings in flight a connection (1)\n"
    "  --rate N           open loop: messages a second of all senders together\n"
    "  --payload BYTES    text of a message (150), filler of a ping (0)\n"
    "  --seconds S        length of a measurement (5), --warm S before it (1)\n"
    "  --in-flight N      connections between dial and ready (64)\n"
    "  --server-pid PID   report its processor time and memory\n"
    "  --quiz-id ID, --host-key KEY  game of quiz; all answer within --seconds\n"
    "  --control          wait for a line \"go\" on standard input before each measurement, or "
    "\"go N\" for another rate; end of file ends\n";

static bool number(const char *text, double *out)
{
    char *end;

    errno = 0;
    *out = strtod(text, &end);
    return errno == 0 && end != text && *end == 0 && *out >= 0 && *out <= 1e9;
}

static bool set_option(struct load_options *o, const char *name, double v)
{
    const struct {
        const char *name;
        uint32_t *to;
    } rows[] = {
        {"--connections", &o->connections},
        {"--rooms", &o->rooms},
        {"--senders", &o->senders},
        {"--window", &o->window},
        {"--rate", &o->rate},
        {"--in-flight", &o->in_flight},
        {"--payload", &o->payload_bytes},
        {"--first-room", &o->first_room},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(name, rows[i].name) != 0) continue;
        *rows[i].to = (uint32_t)v;
        return true;
    }
    if (strcmp(name, "--seconds") == 0)
        o->seconds = v;
    else if (strcmp(name, "--warm") == 0)
        o->warm_seconds = v;
    else if (strcmp(name, "--server-pid") == 0)
        o->server_pid = (int)v;
    else
        return false;
    return true;
}

static int scenario_of(const char *text)
{
    static const char *const names[] = {"fanout", "echo", "idle", "connect", "churn", "quiz"};

    for (int i = 0; i <= QUIZ; i++)
        if (strcmp(text, names[i]) == 0) return i;
    return -1;
}

static bool read_arguments(struct load_options *o, int *scenario, int argc, char **argv)
{
    bool payload = false;

    *o = (struct load_options){.connections = 1000,
                               .senders = 16,
                               .window = 1,
                               .in_flight = 64,
                               .payload_bytes = 150,
                               .seconds = 5,
                               .warm_seconds = 1};
    *scenario = -1;
    for (int i = 1; i < argc; i++) {
        double v;

        if (strcmp(argv[i], "--control") == 0) {
            o->control = true;
            continue;
        }
        if (i + 1 == argc) return false;
        payload = payload || strcmp(argv[i], "--payload") == 0;
        if (strcmp(argv[i], "--scenario") == 0)
            *scenario = scenario_of(argv[i + 1]);
        else if (strcmp(argv[i], "--url") == 0)
            o->url = argv[i + 1];
        else if (strcmp(argv[i], "--quiz-id") == 0)
            o->quiz_id = argv[i + 1];
        else if (strcmp(argv[i], "--host-key") == 0)
            o->host_key = argv[i + 1];
        else if (!number(argv[i + 1], &v) || !set_option(o, argv[i], v))
            return false;
        i++;
    }
    if (*scenario == ECHO_ACKED && !payload) o->payload_bytes = 0;
    if (*scenario == FANOUT && o->rooms == 0) o->rooms = 1;
    if (*scenario == IDLE && o->rooms == 0) o->rooms = o->connections / 100 + 1;
    if (*scenario == CHURN && o->rooms == 0) o->rooms = 100000;
    if (*scenario == ECHO_ACKED || *scenario == CONNECT || *scenario == QUIZ) o->rooms = 0;
    if (*scenario == QUIZ && (!o->quiz_id || !o->host_key)) return false;
    return *scenario >= 0 && o->url && o->connections && o->senders && o->window && o->in_flight;
}

static double per_second(uint64_t n, uint64_t us)
{
    return us ? (double)n * 1e6 / (double)us : 0;
}

static void print_hist(const char *name, const struct hist *h)
{
    printf("\"%s\":{\"samples\":%" PRIu64 ",\"p50\":%" PRIu64 ",\"p95\":%" PRIu64
           ",\"p99\":%" PRIu64 ",\"max\":%" PRIu64 "},",
           name, h->count, hist_at(h, 500), hist_at(h, 950), hist_at(h, 990), h->max);
}

static void print_result(const struct load *l, const struct load_result *r)
{
    uint64_t work = r->n.deliveries ? r->n.deliveries : r->messages;

    printf("{\"scenario\":\"%s\",\"connections\":%u,\"senders\":%u,\"window\":%u,\"rate\":%u,"
           "\"payload\":%u,"
           "\"seconds\":%.3f,",
           l->scenario->name, l->cs.ready, l->opt.senders, l->opt.window, l->opt.rate,
           l->opt.payload_bytes, (double)r->elapsed_us / 1e6);
    printf("\"deliveries\":%" PRIu64 ",\"deliveries_per_s\":%.0f,\"messages\":%" PRIu64
           ",\"messages_per_s\":%.0f,\"others\":%" PRIu64 ",\"bytes\":%" PRIu64 ",",
           r->n.deliveries, per_second(r->n.deliveries, r->elapsed_us), r->messages,
           per_second(r->messages, r->elapsed_us), r->n.others, r->n.bytes);
    print_hist("latency_us", &l->latency_us);
    if (l->cs.nodes > 1) {
        print_hist("cross_us", &l->cross_us);
        print_hist("added_us", &l->added_us);
    }
    printf("\"all_messages\":%" PRIu64 ",\"all_deliveries\":%" PRIu64 ",", r->all_messages,
           r->all_deliveries);
    printf("\"errors\":%" PRIu64 ",\"overruns\":%" PRIu64 ",\"server_cpu\":%.3f,\"own_cpu\":%.3f,"
           "\"server_us_per_item\":%.3f}\n",
           r->n.errors, l->overruns, (double)r->server_cpu_us / (double)r->elapsed_us,
           (double)r->own_cpu_us / (double)r->elapsed_us,
           work ? (double)r->server_cpu_us / (double)work : 0);
    fflush(stdout);
}

/* Waits for a line of standard input while heartbeats are answered. False: end of file. */
static bool wait_go(struct load *l)
{
    char line[64] = "";
    ssize_t n;

    l->cs.watch_hit = false;
    while (!l->cs.watch_hit)
        clients_turn(&l->cs, 1000);
    n = read(STDIN_FILENO, line, sizeof line - 1);
    if (n > 3) l->opt.rate = (uint32_t)strtoul(line + 3, NULL, 10);
    return n >= 2 && memcmp(line, "go", 2) == 0;
}

static int run_talk(struct load *l)
{
    struct load_result r;
    uint64_t start = clock_us();
    int rc = clients_ramp(&l->cs);

    if (rc != OK) return rc;
    clients_settle(&l->cs, 200, 30000); /* the last userJoinedRoom */
    l->scenario->open(l);
    printf("{\"ready\":%u,\"ramp_s\":%.2f,\"errors\":%" PRIu64 "}\n", l->cs.ready,
           (double)(clock_us() - start) / 1e6, l->cs.n.errors);
    fflush(stdout);
    if (l->opt.control) clients_watch(&l->cs, STDIN_FILENO);
    while (!l->opt.control || wait_go(l)) {
        load_measure(l, &r);
        print_result(l, &r);
        if (!l->opt.control) break;
    }
    l->scenario->close(l);
    return OK;
}

static int run_churn(struct load *l)
{
    struct churn_result r;
    int rc = clients_ramp(&l->cs);

    if (rc != OK) return rc;
    churn_open(l);
    printf("{\"ready\":%u,\"errors\":%" PRIu64 "}\n", l->cs.ready, l->cs.n.errors);
    fflush(stdout);
    clients_watch(&l->cs, STDIN_FILENO);
    while (rc == OK && wait_go(l)) {
        rc = churn_turn(l, &r);
        if (rc != OK) break;
        printf(
            "{\"scenario\":\"churn\",\"what\":\"%s\",\"rooms\":%u,\"refused\":%u,\"seconds\":%.3f,"
            "\"server_cpu_us\":%" PRIu64 "}\n",
            r.was_leaving ? "leave" : "join", r.rooms, r.refused, (double)r.elapsed_us / 1e6,
            r.server_cpu_us);
        fflush(stdout);
    }
    churn_close(l);
    return rc;
}

static int run_quiz(struct load *l)
{
    uint64_t start = clock_us(), own;
    struct quiz_result r;
    int rc = clients_ramp(&l->cs);

    if (rc == OK) rc = quiz_open(l);
    if (rc != OK) return rc;
    clients_settle(&l->cs, 500, 30000);
    printf("{\"ready\":%u,\"ramp_s\":%.2f,\"errors\":%" PRIu64 "}\n", l->cs.ready,
           (double)(clock_us() - start) / 1e6, l->cs.n.errors);
    fflush(stdout);
    clients_watch(&l->cs, STDIN_FILENO);
    while (wait_go(l)) {
        own = proc_cpu_us(0);
        rc = quiz_turn(l, &r);
        if (rc != OK) break;
        printf("{\"scenario\":\"quiz\",\"what\":\"%s\",\"done\":%u,\"refused\":%u,",
               r.was_close ? "close" : "answers", r.done, r.refused);
        print_hist(r.was_close ? "board_us" : "open_us", r.was_close ? &l->board_us : &l->open_us);
        print_hist(r.was_close ? "rank_us" : "latency_us",
                   r.was_close ? &l->rank_us : &l->latency_us);
        printf("\"errors\":%" PRIu64 ",\"seconds\":%.3f,\"own_cpu\":%.3f}\n", l->cs.n.errors,
               (double)r.elapsed_us / 1e6,
               (double)(proc_cpu_us(0) - own) / (double)(r.elapsed_us ? r.elapsed_us : 1));
        fflush(stdout);
    }
    quiz_close(l);
    return rc;
}

static int run_connect(struct load *l)
{
    uint64_t cpu = proc_cpu_us(l->opt.server_pid), own = proc_cpu_us(0), start = clock_us(), took;
    int rc = clients_ramp(&l->cs);

    took = clock_us() - start;
    if (rc != OK) return rc;
    printf("{\"scenario\":\"connect\",\"connections\":%u,\"seconds\":%.3f,\"connects_per_s\":%.0f,"
           "\"errors\":%" PRIu64
           ",\"server_cpu\":%.3f,\"own_cpu\":%.3f,\"server_us_per_item\":%.1f}\n",
           l->cs.ready, (double)took / 1e6, per_second(l->cs.ready, took), l->cs.n.errors,
           l->opt.server_pid ? (double)(proc_cpu_us(l->opt.server_pid) - cpu) / (double)took : 0,
           (double)(proc_cpu_us(0) - own) / (double)took,
           l->opt.server_pid ? (double)(proc_cpu_us(l->opt.server_pid) - cpu) / l->cs.count : 0);
    return OK;
}

/* After everybody left: until memory is within 5 % of the start, at most max_s. */
static double wait_return(int pid, uint64_t start_bytes, double max_s, struct proc_memory *m)
{
    uint64_t begin = clock_us();
    double took;

    do {
        usleep(100000);
        proc_memory(pid, m);
        took = (double)(clock_us() - begin) / 1e6;
    } while (took < max_s && m->rss_bytes > start_bytes + start_bytes / 20);
    return took;
}

/* A few clients come and go first: code and tables that are touched once belong to the start, not
 * to the load. */
static int warm_up(const struct load *l)
{
    struct clients few;
    int rc = clients_init(&few, l->opt.url, WARM_CONNECTIONS);

    if (rc != OK) return rc;
    few.rooms = 1;
    rc = clients_ramp(&few);
    if (rc == OK) clients_settle(&few, 200, 2000);
    clients_fini(&few);
    return rc;
}

struct idle {
    struct proc_memory cold, before, held, after;
    double ramp_s, back_s;
    uint32_t ready;
};

static void print_idle(const struct load *l, const struct idle *r)
{
    const struct proc_memory *before = &r->before, *held = &r->held, *after = &r->after;
    double n = r->ready;

    printf("{\"scenario\":\"idle\",\"connections\":%u,\"rooms\":%u,\"errors\":%" PRIu64
           ",\"ramp_s\":%.2f,\"return_s\":%.1f,",
           r->ready, l->opt.rooms, l->cs.n.errors, r->ramp_s, r->back_s);
    printf("\"rss_cold\":%" PRIu64 ",\"rss_before\":%" PRIu64 ",\"rss_held\":%" PRIu64
           ",\"rss_after\":%" PRIu64 ",\"rss_per_connection\":%.0f,\"after_to_before\":%.3f,",
           r->cold.rss_bytes, before->rss_bytes, held->rss_bytes, after->rss_bytes,
           ((double)held->rss_bytes - (double)before->rss_bytes) / n,
           before->rss_bytes ? (double)after->rss_bytes / (double)before->rss_bytes : 0);
    printf("\"private_before\":%" PRIu64 ",\"private_held\":%" PRIu64 ",\"private_after\":%" PRIu64
           ",\"private_per_connection\":%.0f}\n",
           before->private_bytes, held->private_bytes, after->private_bytes,
           ((double)held->private_bytes - (double)before->private_bytes) / n);
}

static int run_idle(struct load *l)
{
    struct idle r;
    uint64_t start;
    int rc;

    proc_memory(l->opt.server_pid, &r.cold);
    rc = warm_up(l);
    if (rc != OK) return rc;
    proc_memory(l->opt.server_pid, &r.before);
    start = clock_us();
    rc = clients_ramp(&l->cs);
    if (rc != OK) return rc;
    r.ramp_s = (double)(clock_us() - start) / 1e6;
    clients_settle(&l->cs, 1000, 30000);
    proc_memory(l->opt.server_pid, &r.held);
    r.ready = l->cs.ready;
    clients_leave(&l->cs);
    r.back_s = wait_return(l->opt.server_pid, r.before.rss_bytes, l->opt.seconds, &r.after);
    print_idle(l, &r);
    return OK;
}

int main(int argc, char **argv)
{
    static struct load l; /* the histogram is large */
    int scenario, rc;

    if (!read_arguments(&l.opt, &scenario, argc, argv)) {
        (void)fputs(usage, stderr);
        return 2;
    }
    if (proc_raise_files(l.opt.connections + 64) < l.opt.connections + 64) {
        (void)fprintf(stderr, "bench-load: the limit of open files is below %u (ulimit -n)\n",
                      l.opt.connections + 64);
        return 2;
    }
    rc = clients_init(&l.cs, l.opt.url, l.opt.connections);
    if (rc != OK) {
        (void)fprintf(stderr,
                      "bench-load: --url wants HOST:PORT with a numeric address, or up to %d with "
                      "commas between them\n",
                      CLIENT_NODES_MAX);
        return 2;
    }
    l.cs.rooms = scenario == CHURN || scenario == QUIZ ? 0 : l.opt.rooms;
    l.cs.first_room = l.opt.first_room;
    l.cs.in_flight_max = l.opt.in_flight;
    l.cs.user = &l;
    l.scenario = scenario == ECHO_ACKED ? &load_echo : &load_fanout;
    rc = scenario == CHURN     ? run_churn(&l)
         : scenario == QUIZ    ? run_quiz(&l)
         : scenario == IDLE    ? run_idle(&l)
         : scenario == CONNECT ? run_connect(&l)
                               : run_talk(&l);
    if (rc != OK)
        (void)fprintf(stderr, "bench-load: stopped with %u of %u ready, %u gone: %s\n", l.cs.ready,
                      l.cs.count, l.cs.gone,
                      rc == ERR_TIMEOUT ? "no progress for 10 s" : "too many refused");
    clients_fini(&l.cs);
    return rc == OK ? 0 : 1;
}
