/* What the programs of the command line have in common. */
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

/* True: help was asked for and printed, there is nothing else to do. */
static inline bool command_begin(const char *name, const char *help, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") != 0) continue;
        fputs(help, stdout);
        return true;
    }
    log_open(str_z(name), LOG_LEVEL_ERROR);
    clock_refresh();
    return false;
}

/* An option of this program as one of conf_read. name with its "=". */
static inline void command_flag(struct sb *flag, const char *name, struct str value)
{
    flag->n = 0;
    sb_z(flag, name);
    sb_str(flag, value);
    sb_char(flag, 0);
}

#endif
