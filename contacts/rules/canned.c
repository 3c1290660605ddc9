/* See canned.h. One reading of the text serves both: checking and filling. */
#include "contacts/rules/canned.h"
#include "base/forbid.h"

enum value { NAME, AGENT, CONTACT_ID, VALUES };

static const char *const names[VALUES] = {
    [NAME] = "name", [AGENT] = "agent", [CONTACT_ID] = "contactId"};

struct piece {
    struct str plain; /* text before the placeholder */
    struct str whole; /* {{…}}; empty at the end of the text */
    struct str name, preset;
    bool is_open; /* {{ without }} */
};

/* Index of two equal characters in a row, or s.n. */
static size_t find_two(struct str s, char c)
{
    for (size_t i = 0; i + 1 < s.n; i++)
        if (s.p[i] == c && s.p[i + 1] == c) return i;
    return s.n;
}

static bool next_piece(struct str *rest, struct piece *out)
{
    size_t at, end;

    if (!rest->n) return false;
    at = find_two(*rest, '{');
    *out = (struct piece){.plain = str_head(*rest, at)};
    *rest = str_skip(*rest, at);
    if (!rest->n) return true;
    end = find_two(*rest, '}');
    if (end == rest->n) {
        out->is_open = true;
        out->whole = *rest;
        *rest = STR_NONE;
        return true;
    }
    out->whole = str_head(*rest, end + 2);
    (void)str_cut(str_of(rest->p + 2, end - 2), '|', &out->name, &out->preset);
    out->name = str_trim(out->name);
    *rest = str_skip(*rest, end + 2);
    return true;
}

static enum value value_of(struct str name)
{
    unsigned i = 0;

    while (i < VALUES && !str_eq(name, str_z(names[i])))
        i++;
    return (enum value)i;
}

static bool is_code(struct str code)
{
    if (!code.n || code.n > CANNED_CODE_MAX) return false;
    for (size_t i = 0; i < code.n; i++) {
        char c = code.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return true;
}

#define REFUSE(why, ...) ((why) ? sb_printf((why), __VA_ARGS__) : (void)0, ERR_SCHEMA)

int canned_check(struct str code, struct str text, struct sb *why)
{
    struct piece p;

    if (!is_code(code))
        return REFUSE(why, "code: 1 to %d of a-z, 0-9, _ and - are wanted", CANNED_CODE_MAX);
    if (!str_trim(text).n || text.n > CANNED_TEXT_MAX || !str_is_utf8(text))
        return REFUSE(why, "text: 1 to %d bytes of UTF-8 are wanted", CANNED_TEXT_MAX);
    while (next_piece(&text, &p)) {
        if (p.is_open) return REFUSE(why, "text: a {{ without }}");
        if (p.whole.n && value_of(p.name) == VALUES)
            return REFUSE(why,
                          "text: " STR_FMT " is unknown; {{name}}, {{agent}} and {{contactId}} "
                          "are not",
                          STR_ARG(str_head(p.whole, 60)));
    }
    return OK;
}

int canned_fill(struct str text, const struct canned_values *v, struct sb *out)
{
    const struct str values[VALUES] = {
        [NAME] = v->name, [AGENT] = v->agent, [CONTACT_ID] = v->contact_id};
    size_t start = out->n;
    struct piece p;

    if (text.n > CANNED_TEXT_MAX) return ERR_TOO_BIG;
    while (next_piece(&text, &p)) {
        enum value i = p.is_open ? VALUES : value_of(p.name);
        struct str put = i == VALUES ? p.whole : values[i].n ? values[i] : p.preset;

        if (out->n - start + p.plain.n + put.n > CANNED_TEXT_MAX) {
            out->n = start;
            return ERR_TOO_BIG;
        }
        sb_str(out, p.plain);
        sb_str(out, put);
    }
    return OK;
}
