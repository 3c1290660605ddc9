/* Randomness from getrandom(2), fetched 4 KB at a time. Never falls back to anything weaker:
 * without the system's generator the program ends. */
#include "base/rand.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "base/forbid.h"

static unsigned char store[4096];
static size_t store_left; /* unused bytes at the end of store */
static bool is_seeded;
static uint64_t seed_state;

/* A forked child must not repeat its parent's identifiers. */
static void forget_store(void)
{
    store_left = 0;
}

static void fill_store(void)
{
    static bool is_watched;
    size_t n = 0;

    if (!is_watched && pthread_atfork(NULL, NULL, forget_store) == 0) is_watched = true;
    while (n < sizeof store) {
        ssize_t got = getrandom(store + n, sizeof store - n, 0);

        if (got > 0) {
            n += (size_t)got;
        } else if (errno != EINTR) {
            abort();
        }
    }
    store_left = sizeof store;
}

/* splitmix64: repeatable, for tests only. */
static uint64_t seeded_next(void)
{
    uint64_t z = seed_state += 0x9E3779B97F4A7C15u;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

void rand_bytes(void *out, size_t n)
{
    unsigned char *at = out;

    if (is_seeded) {
        for (size_t i = 0; i < n; i++)
            at[i] = (unsigned char)(seeded_next() >> 56);
        return;
    }
    while (n > 0) {
        size_t take;

        if (store_left == 0) fill_store();
        take = n < store_left ? n : store_left;
        memcpy(at, store + sizeof store - store_left, take);
        explicit_bzero(store + sizeof store - store_left, take);
        store_left -= take;
        at += take;
        n -= take;
    }
}

void rand_id(char *out, size_t n)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    rand_bytes(out, n);
    for (size_t i = 0; i < n; i++)
        out[i] = alphabet[(unsigned char)out[i] & 63];
}

/* Lemire, "Fast Random Integer Generation in an Interval": without bias. */
uint32_t rand_below(uint32_t limit)
{
    uint32_t v, floor;
    uint64_t product;

    if (limit == 0) return 0;
    floor = (0 - limit) % limit;
    do {
        rand_bytes(&v, sizeof v);
        product = (uint64_t)v * limit;
    } while ((uint32_t)product < floor);
    return (uint32_t)(product >> 32);
}

void rand_seed_for_test(uint64_t seed)
{
    is_seeded = true;
    seed_state = seed;
}
