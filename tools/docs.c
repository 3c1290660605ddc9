/* ingoma-docs: prints a page of docs/ out of the table that it documents, so that no page can lie.
 * tools/docs.py writes the pages; `./ingoma lint generated` compares them. Never reads or writes a
 * file. */
#include "adapter/channel.h"
#include "adapter/key.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/str.h"

#include <stdio.h>

static void print_errors(struct sb *out)
{
    static const char *const levels[] = {
        [LOG_LEVEL_ERROR] = "error",
        [LOG_LEVEL_WARN] = "warn",
        [LOG_LEVEL_INFO] = "info",
        [LOG_LEVEL_DEBUG] = "debug",
    };
    int code = OK;

    sb_z(out, "| code | name on the wire | logged as | meaning |\n| ---: | --- | --- | --- |\n");
    for (unsigned i = 0; err_row(i, &code); i++)
        sb_printf(out, "| %d | `%s` | %s | %s |\n", code, err_wire(code), levels[err_level(code)],
                  err_text(code));
}

static void print_close(struct sb *out)
{
    static const struct {
        const char *text;
        int may_recover;
    } rows[] = {
#define CLOSE(id, reason, recover) {reason, recover},
#include "node/eio/close.def"
#undef CLOSE
    };

    sb_z(out, "| reason | may recover |\n| --- | --- |\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        sb_printf(out, "| `%s` | %s |\n", rows[i].text, rows[i].may_recover ? "yes" : "no");
}

static void print_handshake_errors(struct sb *out)
{
    static const struct {
        int code, status;
        const char *text;
    } rows[] = {
#define EIO_ERROR(id, number, http, message) {number, http, message},
#include "node/eio/eio_error.def"
#undef EIO_ERROR
    };

    sb_z(out, "\n## Refused requests of Engine.IO\n\nMade from `node/eio/eio_error.def`: the "
              "answer is `{\"code\":…,"
              "\"message\":…}`.\n\n| code | HTTP status | message |\n| ---: | ---: | --- |\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        sb_printf(out, "| %d | %d | %s |\n", rows[i].code, rows[i].status, rows[i].text);
}

static void print_all_errors(struct sb *out)
{
    print_errors(out);
    print_handshake_errors(out);
}

static void print_redis(struct sb *out)
{
    sb_z(out, "## Channels\n\nMade from `adapter/channel.def`.\n\n");
    channel_print_markdown(out);
    sb_z(out, "\n## Keys\n\nMade from `adapter/keys.def`. What is between `{` and `}` decides the "
              "slot in a Redis Cluster.\n\n");
    key_print_markdown(out);
}

static const struct page {
    const char *name;
    const char *head;
    void (*print)(struct sb *out);
} pages[] = {
    {"config",
     "# Options\n\nMade from `base/conf.def` by `./ingoma docs`: change the table, not this page. "
     "Every option is an\n"
     "environment variable and a flag (`PING_INTERVAL_MS=5000` or `--ping-interval-ms=5000`); the "
     "flag wins.\n\n",
     conf_print_markdown},
    {"metrics",
     "# Metrics\n\nMade from `base/metric.def` by `./ingoma docs`: change the table, not this "
     "page. They are served as\n"
     "Prometheus text on the ops port, `GET /metrics`.\n\n",
     metric_print_markdown},
    {"errors",
     "# Errors\n\nMade from `base/err.def` by `./ingoma docs`: change the table, not this page. "
     "The name is what a client\n"
     "finds in `code`, and the label of the metrics; names and codes never change their "
     "meaning.\n\n",
     print_all_errors},
    {"close",
     "# Reasons of a disconnect\n\nMade from `node/eio/close.def` by `./ingoma docs`: change the "
     "table, not this page.\n\n",
     print_close},
    {"redis",
     "# What is in Redis\n\nMade from the tables by `./ingoma docs`: change the tables, not this "
     "page.\n\n",
     print_redis},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        struct sb out = {0};
        size_t written;

        if (argc != 2 || !str_eq(str_z(argv[1]), str_z(pages[i].name))) continue;
        sb_z(&out, pages[i].head);
        pages[i].print(&out);
        written = fwrite(out.p, 1, out.n, stdout);
        sb_fini(&out);
        return written && fflush(stdout) == 0 ? 0 : 1;
    }
    fputs("usage: ingoma-docs config|metrics|errors|close|redis\n", stderr);
    return 2;
}
