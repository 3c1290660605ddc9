/* TZif: a list of changes, and a rule for what comes after them. Never trusts a count of the file
 * before it has seen that so many bytes are there. Source: RFC 8536 3. */
#include "contacts/rules/zone_priv.h"

#include "base/mem.h"
#include "contacts/rules/civil.h"
#include "base/forbid.h"

enum { HEAD_BYTES = 44, TYPE_BYTES = 6, TIMES_MAX = 4000, OFFSET_MAX_S = 26 * 3600 };

struct zone {
    uint32_t count;
    int64_t *times;   /* when the offset changes, ascending */
    int32_t *offsets; /* from that time on */
    int32_t before_s; /* offset before the first change */
    struct zone_tail tail;
};

struct head { /* counts of one block */
    uint32_t isut, isstd, leap, time, type, chars;
};

static uint32_t be32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;

    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static int64_t be_time(const char *p, size_t width)
{
    if (width == 4) return (int32_t)be32(p);
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

/* Reads the header at the start of s; *bytes: of the block behind it. */
static bool read_head(struct str s, size_t width, struct head *h, size_t *bytes)
{
    const char *p = s.p;

    if (s.n < HEAD_BYTES || memcmp(p, "TZif", 4) != 0) return false;
    *h = (struct head){be32(p + 20), be32(p + 24), be32(p + 28),
                       be32(p + 32), be32(p + 36), be32(p + 40)};
    if (h->time > TIMES_MAX || h->type == 0 || h->type > 256 || h->chars > 4096) return false;
    if (h->isut > 256 || h->isstd > 256 || h->leap > 256) return false;
    *bytes = h->time * (width + 1) + h->type * TYPE_BYTES + h->chars + h->leap * (width + 4) +
             h->isstd + h->isut;
    return s.n - HEAD_BYTES >= *bytes;
}

/* Offset of type i; OFFSET_MAX_S + 1 when there is no such type or it makes no sense. */
static int32_t type_offset(const char *types, const struct head *h, unsigned i)
{
    int32_t v;

    if (i >= h->type) return OFFSET_MAX_S + 1;
    v = (int32_t)be32(types + (size_t)i * TYPE_BYTES);
    return v < -OFFSET_MAX_S || v > OFFSET_MAX_S ? OFFSET_MAX_S + 1 : v;
}

static bool read_block(struct str block, const struct head *h, size_t width, struct zone *z)
{
    const char *index = block.p + h->time * width, *types = index + h->time;

    z->before_s = type_offset(types, h, 0);
    if (z->before_s > OFFSET_MAX_S) return false;
    z->count = h->time;
    if (!h->time) return true;
    z->times = mem_new(h->time, sizeof *z->times);
    z->offsets = mem_new(h->time, sizeof *z->offsets);
    for (uint32_t i = 0; i < h->time; i++) {
        z->times[i] = be_time(block.p + i * width, width);
        z->offsets[i] = type_offset(types, h, (unsigned char)index[i]);
        if (z->offsets[i] > OFFSET_MAX_S) return false;
        if (i > 0 && z->times[i] <= z->times[i - 1]) return false;
    }
    return true;
}

static bool read_footer(struct str rest, struct zone *z)
{
    struct str text, tail;

    if (!rest.n || rest.p[0] != '\n') return false;
    if (!str_cut(str_skip(rest, 1), '\n', &text, &tail)) return false;
    return zone_tail_decode(text, &z->tail) == OK;
}

int zone_decode(struct str bytes, struct zone **out)
{
    struct zone *z = MEM_NEW(struct zone);
    struct head h;
    size_t n, width = 4;
    int rc = ERR_PROTO;

    if (!read_head(bytes, width, &h, &n)) goto out;
    if (bytes.p[4] >= '2') { /* the same again with 64-bit times, and the rule at the end */
        bytes = str_skip(bytes, HEAD_BYTES + n);
        width = 8;
        if (!read_head(bytes, width, &h, &n)) goto out;
    }
    if (h.leap) {
        rc = ERR_CONFIG;
        goto out;
    }
    if (!read_block(str_skip(bytes, HEAD_BYTES), &h, width, z)) goto out;
    if (width == 8 && !read_footer(str_skip(bytes, HEAD_BYTES + n), z)) goto out;
    *out = z;
    return OK;
out:
    zone_free(z);
    return rc;
}

void zone_free(struct zone *z)
{
    if (!z) return;
    mem_free(z->times);
    mem_free(z->offsets);
    mem_free(z);
}

struct zone *zone_fixed(int32_t offset_s)
{
    struct zone *z = MEM_NEW(struct zone);

    z->before_s = offset_s;
    return z;
}

int32_t zone_offset_s(const struct zone *z, int64_t utc_s)
{
    uint32_t lo = 0, hi = z->count; /* changes [0, lo) are not after utc_s */

    if (z->tail.is_set && (!z->count || utc_s >= z->times[z->count - 1]))
        return zone_tail_offset_s(&z->tail, utc_s);
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (z->times[mid] <= utc_s)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo ? z->offsets[lo - 1] : z->before_s;
}

/* The first second with another offset than that of from; there is one at to. */
static int64_t change_between(const struct zone *z, int64_t from, int64_t to)
{
    int32_t before = zone_offset_s(z, from);

    while (to - from > 1) {
        int64_t mid = from + (to - from) / 2;

        if (zone_offset_s(z, mid) == before)
            from = mid;
        else
            to = mid;
    }
    return to;
}

int64_t zone_utc_s(const struct zone *z, int64_t local_s, bool is_later)
{
    /* no place is further than a day from UTC: what is valid before and after any change near */
    int32_t a = zone_offset_s(z, local_s - CIVIL_DAY_S);
    int32_t b = zone_offset_s(z, local_s + CIVIL_DAY_S);
    int64_t with_a = local_s - a, with_b = local_s - b;
    bool is_a = zone_offset_s(z, with_a) == a, is_b = zone_offset_s(z, with_b) == b;

    if (is_a && is_b) return is_later ? with_b : with_a;
    if (is_a) return with_a;
    if (is_b || with_b >= with_a) return with_b;
    return change_between(z, with_b, with_a);
}
