/* ingoma-contacts-store: what the contacts service keeps, from a command line: all of it out of its
 * store or into it as JSON lines (contacts/store/dump.h), and the notices that were given up
 * (contacts/store/dead.h). Which store is said by the options of the service: MONGODB_URI, or
 * CONTACTS_DB. Status: 0 done, 1 it failed, 2 bad usage. Never prints the URI: it may hold a
 * password. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/mem.h"
#include "contacts/record/outbox.h"
#include "contacts/store/dead.h"
#include "contacts/store/dump.h"
#include "tools/command.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char help[] =
    "ingoma contacts export [option...]      writes all contacts, agents and settings to standard "
    "output\n"
    "ingoma contacts import [option...]      reads them from standard input\n"
    "ingoma contacts notices [option...]     lists the webhooks and mails that were given up, a "
    "line "
    "of\n"
    "                                        JSON each, the oldest first\n"
    "ingoma contacts retry CONTACT ID [option...]\n"
    "                                        tries one of them again: its contactId and its id\n"
    "ingoma contacts retry --all [option...] tries all of them again\n"
    "\n"
    "  --db FILE       the SQLite file; CONTACTS_DB when left out\n"
    "  --mongodb URI   a MongoDB; MONGODB_URI when left out\n"
    "\n"
    "What is there already stays as it is: an import can be run again. From SQLite to MongoDB:\n"
    "  ingoma contacts export --db contacts.db | ingoma contacts import --mongodb "
    "mongodb://host/db\n"
    "A service that runs sends what is tried again within five seconds, others when they are "
    "started.\n"
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

static int say_export(const struct conf *c, char *const *words)
{
    char *why = NULL;
    uint64_t items = 0;
    int rc = dump_export(c, write_line, NULL, &items, &why);

    (void)words;
    if (rc == OK && fflush(stdout) != 0) rc = ERR_IO;
    if (rc == OK)
        fprintf(stderr, "%llu exported\n", (unsigned long long)items);
    else
        fprintf(stderr, "ingoma contacts export: %s\n", why ? why : "it cannot be written");
    mem_free(why);
    return rc == OK ? EXIT_DONE : EXIT_FAILED;
}

static int say_import(const struct conf *c, char *const *words)
{
    struct sb line = {0};
    struct store_loaded sum = {0};
    char *why = NULL;
    int rc = dump_import(c, read_line, &line, &sum, &why);

    (void)words;
    fprintf(stderr, "%llu imported, %llu were there\n", (unsigned long long)sum.added,
            (unsigned long long)sum.skipped);
    if (rc != OK) fprintf(stderr, "ingoma contacts import: %s\n", why ? why : err_text(rc));
    mem_free(why);
    sb_fini(&line);
    return rc == OK ? EXIT_DONE : EXIT_FAILED;
}

static int write_letter(void *ctx, const struct store_letter *letter)
{
    struct sb line = {0};
    int rc;

    (void)ctx;
    outbox_put(letter->contact_id, &letter->entry, &line);
    rc = write_line(NULL, sb_view(&line));
    sb_fini(&line);
    return rc;
}

static int say_notices(const struct conf *c, char *const *words)
{
    char *why = NULL;
    int rc = dead_list(c, write_letter, NULL, &why);

    (void)words;
    if (rc == OK && fflush(stdout) != 0) rc = ERR_IO;
    if (rc != OK) fprintf(stderr, "ingoma contacts notices: %s\n", why ? why : err_text(rc));
    mem_free(why);
    return rc == OK ? EXIT_DONE : EXIT_FAILED;
}

static int say_retry(const struct conf *c, char *const *words)
{
    char *why = NULL;
    uint64_t count = 0;
    int rc;

    if (words[1]) {
        rc = dead_retry(c, str_z(words[0]), str_z(words[1]), &why);
        count = rc == OK;
    } else {
        rc = dead_retry_all(c, &count, &why);
    }
    if (rc == OK || count) fprintf(stderr, "%llu tried again\n", (unsigned long long)count);
    if (rc == ERR_NOT_FOUND)
        fprintf(stderr, "ingoma contacts retry: no such notice was given up\n");
    else if (rc != OK)
        fprintf(stderr, "ingoma contacts retry: %s\n", why ? why : err_text(rc));
    mem_free(why);
    return rc == OK ? EXIT_DONE : EXIT_FAILED;
}

/* ---- what was asked for ---- */

enum { WORDS_MAX = 2 };

static const struct command {
    const char *name, *flag; /* flag: the word that stands for all words, or NULL */
    int words;
    bool makes_file; /* an SQLite file that is not there yet; others would make an empty one */
    int (*run)(const struct conf *c, char *const *words); /* words not given are NULL */
} commands[] = {
    {"export", NULL, 0, false, say_export},
    {"import", NULL, 0, true, say_import},
    {"notices", NULL, 0, false, say_notices},
    {"retry", "--all", WORDS_MAX, false, say_retry},
};

static const struct command *command_of(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(name, commands[i].name) == 0) return &commands[i];
    return NULL;
}

/* The words behind the command, in words. How many there are; -1: too few. */
static int read_words(const struct command *k, int argc, char **argv, char **words)
{
    if (k->flag && argc > 2 && strcmp(argv[2], k->flag) == 0) return 1;
    for (int i = 0; i < k->words; i++) {
        if (i + 2 >= argc || strncmp(argv[i + 2], "--", 2) == 0) return -1;
        words[i] = argv[i + 2];
    }
    return k->words;
}

/* --db FILE as the option of the service. NULL: no such option. */
static const char *flag_of(const char *name)
{
    if (strcmp(name, "--db") == 0) return "--contacts-db=";
    return strcmp(name, "--mongodb") == 0 ? "--mongodb-uri=" : NULL;
}

/* From argv[from] on, in pairs. A file that is named wins over a MONGODB_URI of the environment. */
static int read_options(int argc, char **argv, int from, struct conf *c)
{
    struct sb flags[2] = {{0}}, mistakes = {0};
    char *args[4] = {argv[0]};
    int count = 1, rc = EXIT_USAGE;

    for (int i = from; i + 1 < argc && count < 3; i += 2) {
        struct sb *flag = &flags[count - 1];

        if (!flag_of(argv[i])) break;
        command_flag(flag, flag_of(argv[i]), str_z(argv[i + 1]));
        args[count++] = flag->p;
    }
    if (argc - from != 2 * (count - 1))
        fprintf(stderr, "ingoma contacts: see ingoma contacts --help\n");
    else if (conf_read(c, count, args, getenv, &mistakes) == OK)
        rc = EXIT_DONE;
    if (rc == EXIT_DONE && count == 2 && strcmp(argv[from], "--db") == 0) c->mongodb_uri[0] = 0;
    if (mistakes.n) (void)fwrite(mistakes.p, 1, mistakes.n, stderr);
    sb_fini(&mistakes);
    sb_fini(&flags[0]);
    sb_fini(&flags[1]);
    return rc;
}

static int run(const struct command *k, const struct conf *c, char *const *words)
{
    if (!k->makes_file && !c->mongodb_uri[0] && access(c->contacts_db, F_OK) != 0) {
        fprintf(stderr, "ingoma contacts %s: there is no file %s\n", k->name, c->contacts_db);
        return EXIT_FAILED;
    }
    return k->run(c, words);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    const struct command *k = command_of(name);
    char *words[WORDS_MAX] = {NULL};
    struct conf c = {0};
    int count, status = EXIT_USAGE;

    log_open(STR("contacts"), LOG_LEVEL_ERROR);
    if (strcmp(name, "--help") == 0) {
        printf("%s", help);
        return EXIT_DONE;
    }
    if (!k) {
        fprintf(stderr, "%s", help);
        return EXIT_USAGE;
    }
    count = read_words(k, argc, argv, words);
    if (count < 0)
        fprintf(stderr, "ingoma contacts: see ingoma contacts --help\n");
    else
        status = read_options(argc, argv, 2 + count, &c);
    if (status == EXIT_DONE) status = run(k, &c, words);
    conf_fini(&c);
    return status;
}
