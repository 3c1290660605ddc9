/* ingoma-contacts-dump: everything that the contacts service keeps, out of its store or into it, as
 * JSON lines (contacts/store/dump.h). Which store is said by the options of the service:
 * MONGODB_URI, or CONTACTS_DB. Status: 0 done, 1 it failed, 2 bad usage. Never prints the URI: it
 * may hold a password. */
#include <stdio.h>
#include <stdlib.h>

#include "base/conf.h"
#include "base/mem.h"
#include "contacts/store/dump.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char help[] =
    "ingoma contacts export [option...]     writes all contacts, agents and settings to standard "
    "output\n"
    "ingoma contacts import [option...]     reads them from standard input\n"
    "\n"
    "  --db FILE       the SQLite file; CONTACTS_DB when left out\n"
    "  --mongodb URI   a MongoDB; MONGODB_URI when left out\n"
    "\n"
    "What is there already stays as it is: an import can be run again. From SQLite to MongoDB:\n"
    "  ingoma contacts export --db contacts.db | ingoma contacts import --mongodb "
    "mongodb://host/db\n"
    "Status: 0 done, 1 it failed, 2 bad usage.\n";

static int write_line(void *ctx, struct str line)
{
    (void)ctx;
    return fwrite(line.p, 1, line.n, stdout) == line.n && putchar('\n') != EOF ? OK : ERR_IO;
}

/* The next line, in *ctx. A line that is too long is given cut, and refused. */
static bool read_line(void *ctx, struct str *line)
{
    struct sb *b = ctx;
    int c;

    b->n = 0;
    while (b->n <= DUMP_LINE_MAX && (c = getchar_unlocked()) != EOF && c != '\n')
        sb_char(b, (char)c);
    *line = sb_view(b);
    return b->n > 0;
}

static int say_export(const struct conf *c)
{
    char *why = NULL;
    uint64_t items = 0;
    int rc = dump_export(c, write_line, NULL, &items, &why);

    if (rc == OK && fflush(stdout) != 0) rc = ERR_IO;
    if (rc == OK)
        fprintf(stderr, "%llu exported\n", (unsigned long long)items);
    else
        fprintf(stderr, "ingoma contacts export: %s\n", why ? why : "it cannot be written");
    mem_free(why);
    return rc == OK ? EXIT_DONE : EXIT_FAILED;
}

static int say_import(const struct conf *c)
{
    struct sb line = {0};
    struct store_loaded sum = {0};
    char *why = NULL;
    int rc = dump_import(c, read_line, &line, &sum, &why);

    fprintf(stderr, "%llu imported, %llu were there\n", (unsigned long long)sum.added,
            (unsigned long long)sum.skipped);
    if (rc != OK) fprintf(stderr, "ingoma contacts import: %s\n", why ? why : err_text(rc));
    mem_free(why);
    sb_fini(&line);
    return rc == OK ? EXIT_DONE : EXIT_FAILED;
}

/* --db FILE as the option of the service. NULL: no such option. */
static const char *flag_of(const char *name)
{
    if (strcmp(name, "--db") == 0) return "--contacts-db=";
    return strcmp(name, "--mongodb") == 0 ? "--mongodb-uri=" : NULL;
}

static int read_options(int argc, char **argv, struct conf *c)
{
    struct sb flags[2] = {{0}}, mistakes = {0};
    char *args[4] = {argv[0]};
    int count = 1, rc = EXIT_USAGE;

    for (int i = 2; i + 1 < argc && count < 3; i += 2) {
        struct sb *flag = &flags[count - 1];

        if (!flag_of(argv[i])) break;
        sb_z(flag, flag_of(argv[i]));
        sb_z(flag, argv[i + 1]);
        sb_char(flag, 0);
        args[count++] = flag->p;
    }
    if (argc != 2 * count)
        fprintf(stderr, "ingoma contacts: see ingoma contacts --help\n");
    else if (conf_read(c, count, args, getenv, &mistakes) == OK)
        rc = EXIT_DONE;
    if (mistakes.n) (void)fwrite(mistakes.p, 1, mistakes.n, stderr);
    sb_fini(&mistakes);
    sb_fini(&flags[0]);
    sb_fini(&flags[1]);
    return rc;
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    struct conf c = {0};
    int status;

    if (strcmp(command, "--help") == 0) {
        printf("%s", help);
        return EXIT_DONE;
    }
    if (strcmp(command, "export") != 0 && strcmp(command, "import") != 0) {
        fprintf(stderr, "%s", help);
        return EXIT_USAGE;
    }
    status = read_options(argc, argv, &c);
    /* A file that is named alone wins over a MONGODB_URI of the environment. */
    if (status == EXIT_DONE && argc == 4 && strcmp(argv[2], "--db") == 0) c.mongodb_uri[0] = 0;
    if (status == EXIT_DONE) status = command[0] == 'e' ? say_export(&c) : say_import(&c);
    conf_fini(&c);
    return status;
}
