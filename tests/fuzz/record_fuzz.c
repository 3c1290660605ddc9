/* Records out of JSON: no crash, and what is read is written and read again the same. */
#include <stdlib.h>
#include "contacts/record/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct record_kind *k, struct json v)
{
    static union {
        struct contact contact;
        struct message message;
        struct agent agent;
        struct outbox outbox;
        struct doc doc;
    } one, two;
    struct arena mem = {0};
    struct sb out = {0}, wire = {0};
    const char *field;

    if (record_read(k, v, &mem, &one, &field) == OK) {
        sb_char(&out, '{');
        (void)record_dump(k, &one, &out);
        sb_char(&out, '}');
        if (json_parse_deep(sb_view(&out), 64, &v) != OK) abort();
        if (record_read(k, v, &mem, &two, &field) != OK) abort();
        sb_char(&wire, '{');
        (void)record_put(k, &one, RECORD_AGENT, &wire);
        sb_char(&wire, '}');
        if (json_parse_deep(sb_view(&wire), 64, &v) != OK) abort();
    }
    sb_fini(&out);
    sb_fini(&wire);
    arena_fini(&mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json v;

    if (json_parse(str_of(data, size), &v) != OK) return 0;
    check(&record_contact, v);
    check(&record_message, v);
    check(&record_agent, v);
    check(&record_outbox, v);
    check(&record_doc, v);
    return 0;
}
