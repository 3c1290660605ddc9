/* Options as text: --help, --print-config, docs/config.md. Never shows a secret. */
#include "base/conf_priv.h"

#include "base/forbid.h"

#define HELP_COLUMN 30

static void put_pad(struct sb *out, size_t from, size_t width)
{
    size_t used = out->n - from;

    do {
        sb_char(out, ' ');
        used++;
    } while (used < width);
}

static void put_range(struct sb *out, const struct conf_row *row)
{
    if (row->type == CONF_TYPE_BOOL) {
        sb_z(out, "on, off");
        return;
    }
    sb_u64(out, row->min);
    sb_z(out, "…");
    sb_u64(out, row->max);
    if (row->type == CONF_TYPE_TEXT) sb_z(out, " bytes");
}

void conf_print_help(struct sb *out, const char *program)
{
    sb_printf(out,
              "Usage: %s [--name=value ...]\n\n"
              "Every option is also an environment variable; the flag wins. An empty variable "
              "counts as not set.\n\n",
              program);
    for (unsigned i = 0; i < CONF_ROWS; i++) {
        const struct conf_row *row = &conf_rows[i];
        size_t from = out->n;

        sb_z(out, "  ");
        conf_put_flag(out, row);
        put_pad(out, from, HELP_COLUMN);
        sb_printf(out, "%s\n", row->doc);
        from = out->n;
        put_pad(out, from, HELP_COLUMN);
        sb_printf(out, "%s, ", row->env);
        put_range(out, row);
        sb_printf(out, ", default %s\n", *conf_preset(i) ? conf_preset(i) : "empty");
    }
    sb_z(out, "\n  --print-config              Show all options as they are in force and end\n"
              "  --version                   Show the version and end\n"
              "  --help                      Show this and end\n");
}

void conf_print(const struct conf *c, struct sb *out)
{
    for (unsigned i = 0; i < CONF_ROWS; i++) {
        const struct conf_row *row = &conf_rows[i];
        const void *field = (const char *)c + row->offset;

        sb_printf(out, "%s=", row->env);
        if (row->type == CONF_TYPE_U64) {
            sb_u64(out, *(const uint64_t *)field);
        } else if (row->type == CONF_TYPE_BOOL) {
            sb_z(out, *(const bool *)field ? "on" : "off");
        } else if (row->is_secret) {
            sb_z(out, **(char *const *)field ? "***" : "");
        } else {
            sb_z(out, *(char *const *)field);
        }
        sb_char(out, '\n');
    }
}

void conf_print_markdown(struct sb *out)
{
    sb_z(out, "| variable | flag | values | default | meaning |\n|---|---|---|---|---|\n");
    for (unsigned i = 0; i < CONF_ROWS; i++) {
        const struct conf_row *row = &conf_rows[i];

        sb_printf(out, "| `%s` | `", row->env);
        conf_put_flag(out, row);
        sb_z(out, "` | ");
        put_range(out, row);
        if (*row->preset) {
            sb_printf(out, " | `%s` | ", row->preset);
        } else {
            sb_z(out, " | empty | ");
        }
        sb_printf(out, "%s%s |\n", row->doc, row->is_secret ? " (secret)" : "");
    }
}
