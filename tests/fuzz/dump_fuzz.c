/* Lines of an import: no crash, and an item that is read is written and read again. */
#include <stdlib.h>
#include "contacts/store/dump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct store_item item, again;
    struct arena mem = {0};
    struct sb out = {0}, why = {0};
    enum dump_line type;
    uint64_t items;

    if (dump_line_read(str_of(data, size), &mem, &type, &item, &items, &why) == OK &&
        type == DUMP_ITEM) {
        dump_line_put(&item, &out);
        if (dump_line_read(sb_view(&out), &mem, &type, &again, &items, &why) != OK) abort();
        if (again.messages_count != item.messages_count) abort();
    }
    sb_fini(&out);
    sb_fini(&why);
    arena_fini(&mem);
    return 0;
}
