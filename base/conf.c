/* Options: reading defaults, environment and flags by the table conf.def, and the rules between
 * them. Never stops at the first mistake, never prints. */
#include "base/conf_priv.h"

#include <assert.h>
#include "base/cidr.h"
#include "base/mem.h"
#include "base/forbid.h"

#define RECOVERY_MIN_MS 1000
#define SECRET_MIN_BYTES 32 /* RFC 7518 3.2: a key of HS256 is as long as its hash */

#define OPT(name, env, type, def, min, max, secret, doc)                                           \
    [CONF_ROW_##name] = {#name,         env, CONF_TYPE_##type,           def, (min), (max),        \
                         (secret) != 0, doc, offsetof(struct conf, name)},
const struct conf_row conf_rows[CONF_ROWS] = {
#include "base/conf.def"
};
#undef OPT

static const char *presets[CONF_ROWS]; /* conf_default; NULL: the table's own */

const char *conf_preset(unsigned row)
{
    return presets[row] ? presets[row] : conf_rows[row].preset;
}

void conf_default(const char *env, const char *value)
{
    for (unsigned i = 0; i < CONF_ROWS; i++) {
        if (!str_eq(str_z(conf_rows[i].env), str_z(env))) continue;
        presets[i] = value;
        return;
    }
    assert(0); /* no such option */
}

void conf_put_flag(struct sb *out, const struct conf_row *row)
{
    sb_z(out, "--");
    for (const char *c = row->field; *c; c++)
        sb_char(out, *c == '_' ? '-' : *c);
}

/* ---- one value ---- */

static void *field_of(struct conf *c, const struct conf_row *row)
{
    return (char *)c + row->offset;
}

static bool read_bool(struct str text, bool *out)
{
    static const struct {
        struct str text;
        bool value;
    } words[] = {{STR("on"), true}, {STR("off"), false}, {STR("1"), true},
                 {STR("0"), false}, {STR("true"), true}, {STR("false"), false}};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!str_eq_nocase(text, words[i].text)) continue;
        *out = words[i].value;
        return true;
    }
    return false;
}

/* One line for people; source is how the option was spelt ("PORT" or "--port"). A secret is never
 * repeated. */
static void say_wrong(struct sb *mistakes, const struct conf_row *row, struct str source,
                      struct str text)
{
    sb_str(mistakes, source);
    if (!row->is_secret) {
        sb_z(mistakes, "=");
        sb_json(mistakes, str_head(text, 80));
    }
    if (row->type == CONF_TYPE_U64) {
        sb_printf(mistakes, ": must be a whole number from %llu to %llu\n",
                  (unsigned long long)row->min, (unsigned long long)row->max);
    } else if (row->type == CONF_TYPE_BOOL) {
        sb_z(mistakes, ": must be on or off (1, 0, true and false are understood too)\n");
    } else {
        sb_printf(mistakes, ": must have %llu to %llu bytes\n", (unsigned long long)row->min,
                  (unsigned long long)row->max);
    }
}

static void set_value(struct conf *c, unsigned row_i, struct str source, struct str text,
                      struct sb *mistakes)
{
    const struct conf_row *row = &conf_rows[row_i];
    void *field = field_of(c, row);
    bool is_good = false;

    if (row->type == CONF_TYPE_U64) {
        uint64_t v = 0;

        is_good = str_u64(str_trim(text), row->max, &v) == OK && v >= row->min;
        if (is_good) *(uint64_t *)field = v;
    } else if (row->type == CONF_TYPE_BOOL) {
        is_good = read_bool(str_trim(text), field);
    } else {
        is_good = text.n >= row->min && text.n <= row->max;
        if (is_good) {
            mem_free(*(char **)field);
            *(char **)field = str_dup(text);
        }
    }
    if (!is_good) say_wrong(mistakes, row, source, text);
}

/* ---- flags ---- */

static bool flag_is(const struct conf_row *row, struct str flag)
{
    size_t n = strlen(row->field);

    if (flag.n != n) return false;
    for (size_t i = 0; i < n; i++) {
        if (flag.p[i] != (row->field[i] == '_' ? '-' : row->field[i])) return false;
    }
    return true;
}

#define FLAG_MAX 40 /* longer words are not compared */

/* Levenshtein distance between a flag without its dashes and a field. */
static unsigned distance(struct str flag, const char *field)
{
    unsigned row[FLAG_MAX + 1];
    size_t n = strlen(field);

    if (flag.n > FLAG_MAX || n > FLAG_MAX) return FLAG_MAX;
    for (unsigned k = 0; k <= n; k++)
        row[k] = k;
    for (size_t i = 0; i < flag.n; i++) {
        char a = flag.p[i] == '-' ? '_' : flag.p[i];
        unsigned corner = row[0];

        row[0]++;
        for (size_t k = 0; k < n; k++) {
            unsigned best = corner + (a != field[k]);

            if (row[k] + 1 < best) best = row[k] + 1;
            if (row[k + 1] + 1 < best) best = row[k + 1] + 1;
            corner = row[k + 1];
            row[k + 1] = best;
        }
    }
    return row[n];
}

static void say_unknown(struct sb *mistakes, struct str arg, struct str flag)
{
    unsigned best = 4; /* further away it is no slip of the fingers */
    const struct conf_row *near = NULL;

    for (unsigned i = 0; flag.n > 1 && i < CONF_ROWS; i++) {
        unsigned d = distance(flag, conf_rows[i].field);

        if (d >= best) continue;
        best = d;
        near = &conf_rows[i];
    }
    sb_str(mistakes, str_head(arg, 80));
    sb_z(mistakes, ": no such option");
    if (near) {
        sb_z(mistakes, "; did you mean ");
        conf_put_flag(mistakes, near);
        sb_z(mistakes, "?");
    }
    sb_z(mistakes, "\n");
}

static void read_flag(struct conf *c, struct str arg, struct sb *mistakes)
{
    struct str source, text;
    bool has_value = str_cut(arg, '=', &source, &text);
    struct str flag = str_skip(source, 2);

    if (!str_starts(arg, STR("--"))) {
        sb_json(mistakes, str_head(arg, 80));
        sb_z(mistakes, ": not understood; options look like --name=value\n");
        return;
    }
    for (unsigned i = 0; i < CONF_ROWS; i++) {
        if (!flag_is(&conf_rows[i], flag)) continue;
        if (!has_value && conf_rows[i].type != CONF_TYPE_BOOL) {
            sb_str(mistakes, source);
            sb_z(mistakes, ": needs a value, as in ");
            sb_str(mistakes, source);
            sb_printf(mistakes, "=%s\n", conf_rows[i].is_secret ? "..." : conf_preset(i));
            return;
        }
        set_value(c, i, source, has_value ? text : STR("on"), mistakes);
        return;
    }
    say_unknown(mistakes, source, flag);
}

/* Of main, not options: --help, --version and --print-config may stand beside them. */
static bool is_order(struct str arg)
{
    return str_eq(arg, STR("--help")) || str_eq(arg, STR("--version")) ||
           str_eq(arg, STR("--print-config"));
}

/* ---- rules between options ---- */

/* Texts that must be one word of a list: "a, b or c". */
static void check_choice(const char *env, const char *value, const char *words, struct sb *mistakes)
{
    struct str rest = str_z(words), word;

    while (str_next(&rest, ' ', &word)) {
        if (word.n && word.p[word.n - 1] == ',') word.n--;
        if (!str_eq(word, STR("or")) && str_eq(word, str_z(value))) return;
    }
    sb_printf(mistakes, "%s: must be %s\n", env, words);
}

static void check_words(const struct conf *c, struct sb *mistakes)
{
    struct str path = str_z(c->socket_path);

    check_choice("LOG_LEVEL", c->log_level, "error, warn, info or debug", mistakes);
    check_choice("ADAPTER", c->adapter, "redis, redis-sharded, redis-streams or local", mistakes);
    check_choice("ADAPTER_SUBSCRIPTION_MODE", c->adapter_subscription_mode,
                 "static, dynamic or dynamic-private", mistakes);
    if (path.n < 2 || path.p[0] != '/' || path.p[path.n - 1] != '/') {
        sb_z(mistakes, "SOCKET_PATH: must begin and end with a slash, as in /socket.io/\n");
    }
}

static void check_secret(const struct conf *c, const char *env, const char *secret,
                         struct sb *mistakes)
{
    size_t n = strlen(secret);

    if (n == 0 || n >= SECRET_MIN_BYTES || c->dev) return;
    sb_printf(mistakes,
              "%s: has %zu bytes, fewer than %d can be guessed; make one with "
              "`openssl rand -base64 48` (--dev allows short ones)\n",
              env, n, SECRET_MIN_BYTES);
}

/* Whoever can change an answer on its way can sign tokens: only this machine is asked without TLS.
 */
static void check_jwks_url(const struct conf *c, struct sb *mistakes)
{
    static const struct str good[] = {STR("https://"), STR("http://127.0.0.1"),
                                      STR("http://localhost"), STR("http://[::1]")};
    struct str url = str_z(c->jwks_url), rest;

    if (!url.n || (c->dev && str_starts_nocase(url, STR("http://")))) return;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!str_starts_nocase(url, good[i])) continue;
        rest = str_skip(url, good[i].n);
        if (i == 0 && rest.n) return;
        /* "http://localhost:x@elsewhere" is not this machine */
        if (i > 0 && str_find(rest, '@') == rest.n && (!rest.n || strchr(":/", rest.p[0]))) return;
    }
    sb_z(mistakes, "JWKS_URL: must be https, or http to this machine\n");
}

static void check_networks(const char *env, const char *text, struct sb *mistakes)
{
    struct cidr_list *list = NULL;
    struct str bad;

    if (cidr_parse(str_z(text), &list, &bad) != OK) {
        sb_printf(mistakes, "%s: ", env);
        sb_json(mistakes, str_head(bad, 80));
        sb_z(mistakes, " is no network; they look like 10.0.0.0/8 or 2001:db8::/32\n");
    }
    cidr_free(list);
}

static void check_numbers(const struct conf *c, struct sb *mistakes)
{
    if (c->dead_ms <= c->beat_ms) {
        sb_z(mistakes, "DEAD_MS: must be more than BEAT_MS\n");
    }
    if (c->out_hard_bytes <= c->out_soft_bytes) {
        sb_z(mistakes, "OUT_HARD_BYTES: must be more than OUT_SOFT_BYTES\n");
    }
    if (c->out_hard_bytes <= c->max_payload_bytes) {
        sb_z(mistakes, "OUT_HARD_BYTES: must be more than MAX_PAYLOAD_BYTES\n");
    }
    if (c->recovery_ms && !str_eq(str_z(c->adapter), STR("redis-streams"))) {
        sb_z(mistakes, "RECOVERY_MS: only ADAPTER=redis-streams keeps what clients miss\n");
    }
    if (c->recovery_ms && c->recovery_ms < RECOVERY_MIN_MS) {
        sb_printf(mistakes, "RECOVERY_MS: must be 0 or at least %d\n", RECOVERY_MIN_MS);
    }
    if (c->ops_port == c->port) {
        sb_z(mistakes, "OPS_PORT: must differ from PORT\n");
    }
}

/* ---- the whole ---- */

int conf_read(struct conf *c, int argc, char *const *argv, char *(*getenv_fn)(const char *),
              struct sb *mistakes)
{
    size_t before = mistakes->n;

    *c = (struct conf){0};
    for (unsigned i = 0; i < CONF_ROWS; i++) {
        set_value(c, i, str_z(conf_rows[i].env), str_z(conf_preset(i)), mistakes);
    }
    for (unsigned i = 0; i < CONF_ROWS; i++) {
        struct str text = str_z(getenv_fn(conf_rows[i].env));

        if (text.n == 0) continue; /* container tools set what they do not know to nothing */
        set_value(c, i, str_z(conf_rows[i].env), text, mistakes);
    }
    for (int i = 1; i < argc; i++) {
        if (!is_order(str_z(argv[i]))) read_flag(c, str_z(argv[i]), mistakes);
    }
    check_words(c, mistakes);
    check_secret(c, "JWT_SECRET", c->jwt_secret, mistakes);
    check_secret(c, "JWT_SECRET_PREVIOUS", c->jwt_secret_previous, mistakes);
    check_jwks_url(c, mistakes);
    check_secret(c, "REVOKE_TOKEN", c->revoke_token, mistakes);
    check_networks("LIMITS_EXEMPT", c->limits_exempt, mistakes);
    check_networks("TRUSTED_PROXIES", c->trusted_proxies, mistakes);
    check_secret(c, "EMIT_TOKEN", c->emit_token, mistakes);
    check_secret(c, "QUIZ_TOKEN", c->quiz_token, mistakes);
    check_numbers(c, mistakes);
    return mistakes->n == before && mistakes->n == 0 ? OK : ERR_CONFIG;
}

void conf_fini(struct conf *c)
{
    for (unsigned i = 0; i < CONF_ROWS; i++) {
        char **field = field_of(c, &conf_rows[i]);

        if (conf_rows[i].type != CONF_TYPE_TEXT) continue;
        mem_free(*field);
        *field = NULL;
    }
}
