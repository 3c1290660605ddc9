/* Log: JSON lines on standard error, typed fields only; tokens and message texts have no way in.
 *   LOG_INFO("room.joined", LOG_S("room", id), LOG_U("members", n)) */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/str.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log_field {
    const char *key;
    struct str text; /* text.p NULL: a number */
    int64_t number;
};

#define LOG_S(key, s) ((struct log_field){(key), (s), 0})
#define LOG_Z(key, z) ((struct log_field){(key), str_z(z), 0})
#define LOG_U(key, v) ((struct log_field){(key), STR_NONE, (int64_t)(v)})

extern enum log_level log_level_now; /* the one mutable global: read on hot paths, set at start */

void log_open(struct str node, enum log_level level); /* node is put on every line; copied */
void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t count);

#define LOG_AT(level, event, ...)                                                                  \
    do {                                                                                           \
        if ((level) <= log_level_now) {                                                            \
            const struct log_field log_fields_[] = {LOG_U("_", 0), ##__VA_ARGS__};                 \
            log_write((level), (event), log_fields_ + 1,                                           \
                      sizeof log_fields_ / sizeof log_fields_[0] - 1);                             \
        }                                                                                          \
    } while (0)
#define LOG_ERROR(event, ...) LOG_AT(LOG_LEVEL_ERROR, event, ##__VA_ARGS__)
#define LOG_WARN(event, ...) LOG_AT(LOG_LEVEL_WARN, event, ##__VA_ARGS__)
#define LOG_INFO(event, ...) LOG_AT(LOG_LEVEL_INFO, event, ##__VA_ARGS__)
#define LOG_DEBUG(event, ...) LOG_AT(LOG_LEVEL_DEBUG, event, ##__VA_ARGS__)

#endif
