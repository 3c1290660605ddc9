/* Claims of a verified token become an identity in one block of memory. Never decides about rights.
 */
#include "node/auth/identity.h"

#include "base/mem.h"

enum {
    ID_MAX = 128,   /* bytes, unescaped */
    RAW_MAX = 800,  /* the same as JSON: every character may be an escape */
    TEXT_MAX = 200, /* name and e-mail */
    ROOMS_MAX = 8192,
};

static const struct identity guest = {.role = ROLE_GUEST};

const struct identity *identity_guest(void)
{
    return &guest;
}

static const char *const role_names[] = {
    [ROLE_GUEST] = "guest",
    [ROLE_USER] = "user",
    [ROLE_ADMIN] = "admin",
    [ROLE_SUPERADMIN] = "superadmin",
};

enum role identity_role(struct str text)
{
    if (str_eq_nocase(text, STR("admin"))) return ROLE_ADMIN;
    if (str_eq_nocase(text, STR("superadmin"))) return ROLE_SUPERADMIN;
    return ROLE_USER;
}

const char *identity_role_name(enum role role)
{
    return role_names[role];
}

/* First usable one of id, _id, sub: the platform's own tokens say _id, others id, the standard says
 * sub. */
static bool find_id(struct json claims, struct sb *scratch, struct str *raw, struct str *text)
{
    static const struct str names[] = {{"id", 2}, {"_id", 3}, {"sub", 3}};
    struct json v;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!json_member(claims, names[i], &v) || v.raw.n > RAW_MAX) continue;
        if (v.type == JSON_NUMBER && v.raw.n <= ID_MAX) {
            *raw = *text = v.raw;
            return true;
        }
        if (v.type != JSON_STRING || json_text(v, scratch, text) != OK) continue;
        if (text->n < 1 || text->n > ID_MAX) continue;
        *raw = v.raw;
        return true;
    }
    return false;
}

/* A text claim, cut to TEXT_MAX bytes between two characters; STR_NONE when it is no text or empty.
 */
static struct str find_text(struct json claims, struct str name, struct sb *scratch)
{
    struct json v;
    struct str text;

    if (!json_member(claims, name, &v) || v.type != JSON_STRING) return STR_NONE;
    if (json_text(v, scratch, &text) != OK || text.n == 0) return STR_NONE;
    if (text.n > TEXT_MAX) {
        text.n = TEXT_MAX;
        while (text.n && ((unsigned char)text.p[text.n] & 0xC0) == 0x80)
            text.n--;
    }
    return text;
}

/* Whole or not at all: a part of a jti would be another one. */
static struct str find_jti(struct json claims, struct sb *scratch)
{
    struct json v;
    struct str text;

    if (!json_member(claims, STR("jti"), &v) || v.type != JSON_STRING) return STR_NONE;
    if (json_text(v, scratch, &text) != OK || text.n == 0 || text.n > ID_MAX) return STR_NONE;
    return text;
}

static uint64_t find_issued(struct json claims)
{
    struct json v;
    double seconds;

    if (!json_member(claims, STR("iat"), &v) || v.type != JSON_NUMBER) return 0;
    return json_f64(v, &seconds) && seconds > 0 && seconds < 9e15 ? (uint64_t)seconds : 0;
}

/* Whole or not at all, too. */
static struct str find_rooms(struct json claims)
{
    struct json v;

    if (!json_member(claims, STR("rooms"), &v) || v.type != JSON_ARRAY) return STR_NONE;
    return v.raw.n > ROOMS_MAX ? STR_NONE : v.raw;
}

bool identity_opens(const struct identity *who, struct str room)
{
    struct json array = {JSON_ARRAY, who->rooms}, item;
    struct sb scratch = {0};
    struct str rest, text;
    bool found = false;

    if (!who->rooms.n) return false;
    rest = json_begin(array);
    while (!found && json_next_item(&rest, &item)) {
        scratch.n = 0;
        found = item.type == JSON_STRING && json_text(item, &scratch, &text) == OK &&
                str_eq(text, room);
    }
    sb_fini(&scratch);
    return found;
}

static struct str keep(char **at, struct str s)
{
    struct str kept = {*at, s.n};

    if (!s.p) return STR_NONE;
    memcpy(*at, s.p, s.n);
    *at += s.n;
    return kept;
}

int identity_from_claims(struct json claims, struct identity **out)
{
    struct sb scratch = {0};
    struct str raw, text, name, email, role, jti, rooms;
    struct identity *who;
    char *at;
    int rc = ERR_AUTH;

    if (claims.type != JSON_OBJECT) return ERR_AUTH;
    sb_reserve(&scratch, 2 * claims.raw.n + 16); /* slices point into it: it must not move */
    if (!find_id(claims, &scratch, &raw, &text)) goto out;
    name = find_text(claims, STR("name"), &scratch);
    email = find_text(claims, STR("email"), &scratch);
    role = find_text(claims, STR("role"), &scratch);
    jti = find_jti(claims, &scratch);
    rooms = find_rooms(claims);
    who = mem_new(1, sizeof *who + raw.n + text.n + name.n + email.n + jti.n + rooms.n);
    at = who->bytes;
    who->id = keep(&at, raw);
    who->id_text = keep(&at, text);
    who->name = keep(&at, name);
    who->email = keep(&at, email);
    who->jti = keep(&at, jti);
    who->rooms = keep(&at, rooms);
    who->issued_s = find_issued(claims);
    who->role = identity_role(role);
    *out = who;
    rc = OK;
out:
    sb_fini(&scratch);
    return rc;
}

void identity_free(const struct identity *who)
{
    union {
        const struct identity *c;
        void *p;
    } it = {who};

    if (who != &guest) mem_free(it.p);
}
