/* Keys of tokens. A file is looked at when a token comes, never by a timer: a node without clients
 * has nothing to do. Must never log a key. */
#include "node/auth/keys.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"

enum { KEYS_MAX = 40, FILE_MAX = 65536, KID_MAX = 256, LOOK_MS = 1000 };
enum source { SOURCE_OPTION, SOURCE_PEM, SOURCE_SET, SOURCE_URL, SOURCE_COUNT };

struct key {
    enum source source;
    enum jwk_alg alg;
    struct sb kid;  /* empty: any */
    struct sb text; /* with a NUL */
};

struct file { /* as it was when it was read last */
    const char *path;
    struct timespec changed;
    off_t size;
    ino_t inode;
    bool is_missing; /* told already */
};

struct auth_keys {
    struct key list[KEYS_MAX];
    unsigned count;
    struct file files[SOURCE_COUNT];
    uint64_t looked_ms;
    bool has_looked;
    bool has_url; /* JWKS_URL can bring keys */
};

static void key_fini(struct key *key)
{
    if (key->text.p) explicit_bzero(key->text.p, key->text.cap);
    sb_fini(&key->text);
    sb_fini(&key->kid);
}

static void drop(struct auth_keys *k, enum source source)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < k->count; i++) {
        if (k->list[i].source == source)
            key_fini(&k->list[i]);
        else
            k->list[kept++] = k->list[i];
    }
    k->count = kept;
}

/* Takes the key. */
static void add(struct auth_keys *k, const struct key *key)
{
    if (k->count == KEYS_MAX) {
        struct key surplus = *key;

        LOG_WARN("auth.too_many_keys", LOG_U("max", KEYS_MAX));
        key_fini(&surplus);
        return;
    }
    k->list[k->count++] = *key;
}

static void add_secret(struct auth_keys *k, const char *secret)
{
    struct key key = {.source = SOURCE_OPTION, .alg = JWK_HS256};

    if (!secret || !secret[0]) return;
    sb_put(&key.text, secret, strlen(secret) + 1);
    add(k, &key);
}

/* ---- files ---- */

static int read_file(const char *path, struct sb *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold the loop */
    ssize_t n = -1;

    if (fd < 0) return ERR_IO;
    sb_reserve(out, FILE_MAX + 1);
    do {
        n = read(fd, out->p + out->n, FILE_MAX + 1 - out->n);
        if (n > 0) out->n += (size_t)n;
    } while (n > 0 && out->n <= FILE_MAX);
    close(fd);
    if (n < 0) return ERR_IO;
    return out->n > FILE_MAX ? ERR_TOO_BIG : OK;
}

static int read_pem(struct auth_keys *k, struct str text)
{
    struct key key = {.source = SOURCE_PEM};
    int rc = jwk_pem_alg(text, &key.alg);

    if (rc != OK) return rc;
    sb_str(&key.text, text);
    sb_char(&key.text, 0);
    drop(k, SOURCE_PEM);
    add(k, &key);
    return OK;
}

/* One key of the set, or nothing: keys for other purposes may stand in it. */
static void read_set_key(struct json jwk, enum source source, struct auth_keys *into)
{
    struct key key = {.source = source};
    struct sb scratch = {0};
    struct json v;
    struct str kid = STR("");
    int rc = jwk_to_pem(jwk, &key.alg, &key.text);

    if (rc == OK && json_member(jwk, STR("kid"), &v) && json_text(v, &scratch, &kid) != OK)
        rc = ERR_AUTH;
    if (rc == OK && kid.n > KID_MAX) rc = ERR_AUTH;
    if (rc == OK) {
        sb_str(&key.kid, kid);
        add(into, &key);
    } else {
        if (rc != ERR_NOT_FOUND)
            LOG_WARN("auth.bad_key", LOG_S("kid", str_head(kid, 80)), LOG_Z("why", err_wire(rc)));
        key_fini(&key);
    }
    sb_fini(&scratch);
}

static int read_set(struct auth_keys *k, enum source source, struct str text)
{
    struct auth_keys found = {0};
    struct json set, keys, item;
    struct str rest;
    int rc = json_parse(text, &set);

    if (rc != OK) return rc;
    if (set.type != JSON_OBJECT || !json_member(set, STR("keys"), &keys) || keys.type != JSON_ARRAY)
        return ERR_SCHEMA;
    rest = json_begin(keys);
    while (json_next_item(&rest, &item))
        read_set_key(item, source, &found);
    if (!found.count) return ERR_NOT_FOUND;
    drop(k, source);
    for (unsigned i = 0; i < found.count; i++)
        add(k, &found.list[i]);
    return OK;
}

static void reread(struct auth_keys *k, enum source source)
{
    struct sb text = {0};
    int rc = read_file(k->files[source].path, &text);

    if (rc == OK)
        rc = source == SOURCE_PEM ? read_pem(k, sb_view(&text))
                                  : read_set(k, source, sb_view(&text));
    metric_add_at(M_KEY_READS, rc != OK, 1);
    if (rc == OK)
        LOG_INFO("auth.keys_read", LOG_Z("file", k->files[source].path), LOG_U("keys", k->count));
    else /* what it gave before stays: half a file must not lock everybody out */
        LOG_WARN("auth.keys_unreadable", LOG_Z("file", k->files[source].path),
                 LOG_Z("why", err_wire(rc)));
    sb_fini(&text);
}

static void look(struct auth_keys *k, enum source source)
{
    struct file *f = &k->files[source];
    struct stat now;

    if (!f->path || !f->path[0]) return;
    if (stat(f->path, &now) != 0) {
        if (!f->is_missing) LOG_WARN("auth.keys_missing", LOG_Z("file", f->path));
        f->is_missing = true;
        return;
    }
    if (!f->is_missing && now.st_mtim.tv_sec == f->changed.tv_sec &&
        now.st_mtim.tv_nsec == f->changed.tv_nsec && now.st_size == f->size &&
        now.st_ino == f->inode)
        return;
    f->is_missing = false;
    f->changed = now.st_mtim;
    f->size = now.st_size;
    f->inode = now.st_ino;
    reread(k, source);
}

void auth_keys_refresh(struct auth_keys *k, uint64_t now_ms)
{
    if (k->has_looked && now_ms - k->looked_ms < LOOK_MS) return;
    k->has_looked = true;
    k->looked_ms = now_ms;
    look(k, SOURCE_PEM);
    look(k, SOURCE_SET);
}

int auth_keys_take_set(struct auth_keys *k, struct str text)
{
    return read_set(k, SOURCE_URL, text);
}

/* ---- the rest ---- */

struct auth_keys *auth_keys_new(const struct conf *c)
{
    static const char *const results[] = {"ok", "failed"};
    struct auth_keys *k = MEM_NEW(struct auth_keys);

    metric_labels(M_KEY_READS, results, 2);
    add_secret(k, c->jwt_secret);
    add_secret(k, c->jwt_secret_previous);
    k->files[SOURCE_PEM].path = c->jwt_public_key_file;
    k->files[SOURCE_SET].path = c->jwks_file;
    k->has_url = c->jwks_url && c->jwks_url[0];
    look(k, SOURCE_PEM);
    look(k, SOURCE_SET);
    return k;
}

void auth_keys_free(struct auth_keys *k)
{
    if (!k) return;
    for (unsigned i = 0; i < k->count; i++)
        key_fini(&k->list[i]);
    mem_free(k);
}

bool auth_keys_any(const struct auth_keys *k)
{
    for (int i = 0; i < SOURCE_COUNT; i++)
        if (k->files[i].path && k->files[i].path[0]) return true;
    return k->has_url || k->count > 0;
}

bool auth_keys_next(const struct auth_keys *k, enum jwk_alg alg, struct str kid, unsigned *i,
                    struct auth_key *out)
{
    for (; *i < k->count; (*i)++) {
        const struct key *key = &k->list[*i];

        if (key->alg != alg || (key->kid.n && !str_eq(sb_view(&key->kid), kid))) continue;
        *out = (struct auth_key){key->alg, key->kid.n ? sb_view(&key->kid) : STR_NONE, key->text.p,
                                 (int)key->text.n - 1};
        (*i)++;
        return true;
    }
    return false;
}
