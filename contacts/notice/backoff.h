/* How long to wait before something that failed is tried again. Pure. */
#ifndef CONTACTS_NOTICE_BACKOFF_H
#define CONTACTS_NOTICE_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_MS 5000
#define BACKOFF_MAX_MS 3600000

/* 5 s, 10 s, 20 s, … up to an hour, a quarter more or less by chance; tries: how often it failed
 * before. asked_s: what the other side asked for (Retry-After), up to a day; 0: nothing. */
uint64_t notice_backoff_ms(int64_t tries, uint64_t asked_s);

#endif
