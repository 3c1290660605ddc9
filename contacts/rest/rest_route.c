/* From a path to its row. Literal pieces stand before {…} in the table (gen.py sorts it), so the
 * first row that fits is the right one. */
#include "contacts/rest/rest_priv.h"

#include "base/forbid.h"

/* Piece by piece; a {…} takes anything that is not empty. */
static bool path_fits(struct str path, struct str pattern, struct str *id)
{
    struct str piece, want;

    *id = STR("");
    for (;;) {
        bool has_want = str_next(&pattern, '/', &want), has_piece = str_next(&path, '/', &piece);

        if (has_want != has_piece) return false;
        if (!has_want) return true;
        if (want.n && want.p[0] == '{') {
            if (!piece.n) return false;
            *id = piece;
        } else if (!str_eq(want, piece)) {
            return false;
        }
    }
}

static void put_method(struct sb *out, const char *method)
{
    if (str_contains(sb_view(out), str_z(method))) return;
    if (out->n) sb_z(out, ", ");
    sb_z(out, method);
    if (str_eq(str_z(method), STR("GET"))) sb_z(out, ", HEAD");
}

const struct rest_route *rest_route_find(struct str path, struct str method, struct str *id,
                                         struct sb *others)
{
    struct str of;

    if (str_eq(method, STR("HEAD"))) method = STR("GET");
    for (unsigned i = 0; i < REST_COUNT; i++) {
        const struct rest_route *r = &rest_routes[i];

        if (!path_fits(path, str_z(r->path), &of)) continue;
        if (str_eq(method, str_z(r->method))) {
            *id = of;
            return r;
        }
        put_method(others, r->method);
    }
    return NULL;
}

static bool is_bare(const char *const *bare, struct str name)
{
    for (; bare && *bare; bare++)
        if (str_eq(str_z(*bare), name)) return true;
    return false;
}

/* Digits with or without a sign, true, false: as they are. Anything else stays a text, which the
 * decoder refuses by name. */
static bool is_json_word(struct str s)
{
    if (str_eq(s, STR("true")) || str_eq(s, STR("false"))) return true;
    if (s.n && s.p[0] == '-') s = str_skip(s, 1);
    if (!s.n || s.n > 16 || (s.n > 1 && s.p[0] == '0')) return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return true;
}

void rest_route_query(struct str query, const char *const *bare, struct sb *out)
{
    struct str rest = query, pair, name, value;
    struct sb key = {0}, text = {0};

    sb_char(out, '{');
    while (rest.n && str_next(&rest, '&', &pair)) {
        (void)str_cut(pair, '=', &name, &value);
        key.n = text.n = 0;
        sb_percent_decode(&key, name);
        sb_percent_decode(&text, value);
        if (!key.n || !text.n) continue; /* "a=&b": as if it were not there */
        if (out->p[out->n - 1] != '{') sb_char(out, ',');
        sb_json(out, sb_view(&key));
        sb_char(out, ':');
        if (is_bare(bare, sb_view(&key)) && is_json_word(sb_view(&text)))
            sb_str(out, sb_view(&text));
        else
            sb_json(out, sb_view(&text));
    }
    sb_char(out, '}');
    sb_fini(&key);
    sb_fini(&text);
}
