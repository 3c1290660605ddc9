/* Fuzzing of base/json: what the scanner passes, the walk must read without a surprise. Only
 * checks; prints nothing. */
#include <stdint.h>
#include <stdlib.h>
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_so)
{
    if (!is_so) abort();
}

static void check_string(struct json v)
{
    struct sb scratch = {0}, scratch_back = {0}, again = {0};
    struct json back;
    struct str text, text_back;

    expect(json_text(v, &scratch, &text) == OK);
    expect(str_is_utf8(text) && text.n <= v.raw.n && json_length(text) <= text.n);
    expect(json_key_is(v.raw, text));
    sb_json(&again, text);
    expect(json_parse(sb_view(&again), &back) == OK);
    expect(json_text(back, &scratch_back, &text_back) == OK);
    expect(str_eq(text, text_back));
    sb_fini(&scratch);
    sb_fini(&scratch_back);
    sb_fini(&again);
}

static void check_number(struct json v)
{
    int64_t i = 0;
    double d = 0;

    if (!json_i64(v, &i)) return;
    expect(json_f64(v, &d));
    expect(d == (double)i);
}

static void check(struct json v)
{
    struct str rest = json_begin(v), key;
    struct json item, found, self;
    size_t n = 0;

    expect(json_parse(v.raw, &self) == OK && self.type == v.type && str_eq(self.raw, v.raw));
    if (v.type == JSON_STRING) check_string(v);
    if (v.type == JSON_NUMBER) check_number(v);
    if (v.type == JSON_ARRAY) {
        for (; json_next_item(&rest, &item); n++)
            check(item);
        expect(n == json_count(v));
    }
    if (v.type == JSON_OBJECT) {
        for (; json_next_member(&rest, &key, &item); n++) {
            struct sb scratch = {0};
            struct json quoted = {JSON_STRING, key};
            struct str name;

            check(quoted);
            check(item);
            expect(json_text(quoted, &scratch, &name) == OK);
            expect(json_member(v, name, &found));
            sb_fini(&scratch);
        }
        expect(n == json_count(v));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json v;

    if (size < 5000 && json_parse(str_of(data, size), &v) == OK) check(v);
    return 0;
}
