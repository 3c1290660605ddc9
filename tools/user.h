/* What the programs about one user have in common (erase, export): who it is, where Redis and the
 * archive are, and how a mistake in that is said. Never prints the URLs: they may hold passwords.
 */
#ifndef TOOLS_USER_H
#define TOOLS_USER_H

#include <stdlib.h>
#include "base/conf.h"
#include "base/json.h"
#include "tools/command.h"

enum { USER_DONE = 0, USER_BAD_USAGE = 2 }; /* statuses that all of them have */
enum { USER_FLAGS_MAX = 5 };

#define USER_HELP                                                                                  \
    "  --number          the id is a number in tokens: 7 is not \"7\"\n"                           \
    "  --redis URL       REDIS_URL when left out\n"                                                \
    "  --mongodb URI     MONGODB_URI of the gateways when left out; empty: there is no archive\n"

struct user_wish {
    const char *command;
    struct str user;
    bool is_number;
    struct sb redis, mongodb; /* flags of conf_read, terminated; empty: not given */
};

static inline int user_complain(const char *command, const char *what, const char *sentence)
{
    fprintf(stderr, "ingoma %s: %s%s\n", command, what, sentence);
    return USER_BAD_USAGE;
}

static inline int user_read(struct user_wish *w, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct str name, value;
        bool has_value = str_cut(str_z(argv[i]), '=', &name, &value);

        if (str_eq(name, STR("--number"))) {
            w->is_number = true;
        } else if (str_eq(name, STR("--redis")) || str_eq(name, STR("--mongodb"))) {
            if (!has_value && i + 1 == argc)
                return user_complain(w->command, argv[i], ": needs a value");
            if (!has_value) value = str_z(argv[++i]);
            if (str_eq(name, STR("--redis")))
                command_flag(&w->redis, "--redis-url=", value);
            else
                command_flag(&w->mongodb, "--mongodb-uri=", value);
        } else if (str_starts(name, STR("--")) || w->user.p) {
            return user_complain(w->command, argv[i], ": no such option; --help lists them");
        } else {
            w->user = str_z(argv[i]);
        }
    }
    return w->user.n ? USER_DONE : user_complain(w->command, "", "give the id of a user");
}

/* The id as it is in tokens: JSON. */
static inline int user_id(const struct user_wish *w, struct sb *out)
{
    struct json v;

    if (!str_is_utf8(w->user)) return ERR_UTF8;
    if (!w->is_number) {
        sb_json(out, w->user);
        return OK;
    }
    sb_str(out, w->user);
    return json_parse(w->user, &v) == OK && v.type == JSON_NUMBER ? OK : ERR_SCHEMA;
}

/* The whole of a main. run: with the options, and the user's id as JSON; its status. */
static inline int user_main(const char *command, const char *help, int argc, char **argv,
                            int (*run)(const struct conf *c, struct str id))
{
    char dev[] = "--dev", name[] = "user"; /* secrets of nodes are no matter here */
    char *flags[USER_FLAGS_MAX] = {name, dev};
    struct user_wish w = {.command = command};
    struct sb why = {0}, id = {0};
    struct conf conf = {0};
    int count = 2, status;

    if (command_begin(command, help, argc, argv)) return USER_DONE;
    status = user_read(&w, argc, argv);
    if (status != USER_DONE) goto out;
    if (w.redis.n) flags[count++] = w.redis.p;
    if (w.mongodb.n) flags[count++] = w.mongodb.p;
    if (conf_read(&conf, count, flags, getenv, &why) != OK) {
        fprintf(stderr, "ingoma %s: " STR_FMT, command, STR_ARG(sb_view(&why)));
        status = USER_BAD_USAGE;
    } else if (user_id(&w, &id) != OK) {
        status = user_complain(command, "", w.is_number ? "that is no number" : "that is no id");
    } else {
        status = run(&conf, sb_view(&id));
    }
out:
    conf_fini(&conf);
    sb_fini(&why);
    sb_fini(&id);
    sb_fini(&w.redis);
    sb_fini(&w.mongodb);
    return status;
}

#endif
