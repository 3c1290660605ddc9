/* Reading the text of a room's rules; the script that writes it is in rooms_rule.c. */
#include "node/features/rooms/rooms_rules.h"

#include "base/clock.h"
#include "base/mem.h"

void rooms_rules_fini(struct rooms_rules *r)
{
    mem_free(r->bars);
    sb_fini(&r->text);
    *r = (struct rooms_rules){0};
}

static bool read_head(struct str line, struct rooms_rules *r)
{
    struct str as_of, rest, locked, slow;

    if (!str_cut(line, ' ', &as_of, &rest) || !str_cut(rest, ' ', &locked, &slow)) return false;
    r->is_locked = str_eq(locked, STR("1"));
    return str_u64(as_of, UINT64_MAX, &r->as_of_us) == OK &&
           str_u64(slow, UINT32_MAX, &r->slow_ms) == OK;
}

static bool read_bar(struct str line, struct rooms_rules *r)
{
    struct rooms_bar bar;
    struct str kind, rest, left;
    uint64_t ms;

    if (!str_cut(line, ' ', &kind, &rest) || kind.n != 1 || !str_cut(rest, ' ', &left, &bar.key))
        return false;
    if (str_u64(left, UINT64_MAX / 2, &ms) != OK || r->bars_count == ROOMS_BARS_MAX) return false;
    bar.kind = kind.p[0];
    bar.until_ms = clock_ms() + ms;
    r->bars = mem_grow(r->bars, (r->bars_count + 1) * sizeof *r->bars);
    r->bars[r->bars_count++] = bar;
    return true;
}

bool rooms_rules_take(struct rooms_rules *r, struct str text)
{
    struct rooms_rules fresh = {0};
    struct str rest, line;
    bool good;

    sb_str(&fresh.text, text);
    rest = sb_view(&fresh.text);
    good = str_next(&rest, '\n', &line) && read_head(line, &fresh);
    while (good && str_next(&rest, '\n', &line))
        if (line.n) good = read_bar(line, &fresh);
    if (!good || fresh.as_of_us < r->as_of_us) {
        rooms_rules_fini(&fresh);
        return false;
    }
    rooms_rules_fini(r);
    *r = fresh;
    return true;
}

uint64_t rooms_rules_left_ms(const struct rooms_rules *r, char kind, struct str key)
{
    uint64_t now = clock_ms();

    for (unsigned i = 0; i < r->bars_count; i++)
        if (r->bars[i].kind == kind && r->bars[i].until_ms > now && str_eq(r->bars[i].key, key))
            return r->bars[i].until_ms - now;
    return 0;
}
