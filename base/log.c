/* The log: one write(2) of one line of JSON on standard error. A line is bounded; a field that does
 * not fit is left out. Never blocks on purpose and never fails: a line that cannot be written is
 * lost. */
#include "base/log.h"

#include <errno.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/forbid.h"

#define LINE_MAX_BYTES 4096
#define TEXT_MAX_BYTES 512

enum log_level log_level_now = LOG_LEVEL_INFO;

static char node_name[64];
static size_t node_name_n;

void log_open(struct str node, enum log_level level)
{
    node_name_n = node.n < sizeof node_name ? node.n : sizeof node_name;
    if (node_name_n) memcpy(node_name, node.p, node_name_n);
    log_level_now = level;
}

static void put_text(struct sb *line, struct str text)
{
    sb_json(line, str_head(text, TEXT_MAX_BYTES)); /* a cut character becomes U+FFFD */
}

static void put_field(struct sb *line, const struct log_field *f)
{
    sb_char(line, ',');
    sb_json(line, str_z(f->key));
    sb_char(line, ':');
    if (f->text.p) {
        put_text(line, f->text);
    } else {
        sb_i64(line, f->number);
    }
}

static void put_line(struct sb *line, enum log_level level, const char *event)
{
    static const char *const names[] = {[LOG_LEVEL_ERROR] = "error",
                                        [LOG_LEVEL_WARN] = "warn",
                                        [LOG_LEVEL_INFO] = "info",
                                        [LOG_LEVEL_DEBUG] = "debug"};
    char time[CLOCK_ISO_SIZE];

    clock_iso(clock_wall_ms(), time);
    sb_z(line, "{\"time\":\"");
    sb_z(line, time);
    sb_z(line, "\",\"level\":\"");
    sb_z(line, names[level]);
    sb_z(line, "\",\"event\":");
    put_text(line, str_z(event));
    if (!node_name_n) return;
    sb_z(line, ",\"node\":");
    put_text(line, str_of(node_name, node_name_n));
}

void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t count)
{
    static struct sb line; /* kept: a line costs no allocation */
    ssize_t n;

    if (level > log_level_now) return;
    line.n = 0;
    put_line(&line, level, event);
    for (size_t i = 0; i < count; i++) {
        size_t before = line.n;

        put_field(&line, &fields[i]);
        if (line.n > LINE_MAX_BYTES - 2) line.n = before;
    }
    sb_z(&line, "}\n");
    do {
        n = write(STDERR_FILENO, line.p, line.n);
    } while (n < 0 && errno == EINTR);
}
