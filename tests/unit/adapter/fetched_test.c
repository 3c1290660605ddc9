/* What old peers get of a fetch. */
#include <criterion/criterion.h>
#include "adapter/fetched.h"
#include "tests/unit/support/hex.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

static const struct {
    const char *sockets, *ids, *rooms;
} rows[] = {
    {"[]", "[]", "[]"},
    {"[{\"id\":\"s1\",\"rooms\":[\"s1\",\"a\"]},{\"id\":\"s2\",\"rooms\":[\"a\",\"s2\",\"\\u00e9\"]"
     "}]",
     "[\"s1\",\"s2\"]", "[\"s1\",\"a\",\"s2\",\"\\u00e9\"]"},
    {"[7,{\"id\":\"s1\"},{\"rooms\":\"x\"},null]", "[\"s1\"]", "[]"},
    {"{}", "[]", "[]"},
    {"[", "[]", "[]"},
};

Test(fetched, ids_and_rooms_are_taken_out)
{
    struct sb out = {0};

    for (size_t i = 0; i < ROWS(rows); i++) {
        out.n = 0;
        fetched_ids(str_z(rows[i].sockets), &out);
        cr_expect(str_eq(sb_view(&out), str_z(rows[i].ids)), "row %zu", i);
        out.n = 0;
        fetched_rooms(str_z(rows[i].sockets), &out);
        cr_expect(str_eq(sb_view(&out), str_z(rows[i].rooms)), "row %zu", i);
    }
    sb_fini(&out);
}
