/* Threads of mail: an id says which message of which contact it is about. */
#include "contacts/notice/thread.h"

#include "base/forbid.h"

/* Ids of ours are atoms; anything else an old store may hold is written with dashes. */
static void put_id(struct str contact, struct sb *out)
{
    for (size_t i = 0; i < contact.n && i < THREAD_CONTACT_MAX; i++) {
        char c = contact.p[i];
        bool is_atom = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-';

        sb_char(out, is_atom ? c : '-');
    }
}

void notice_thread_id(struct str contact, uint64_t seq, struct str host, struct sb *out)
{
    put_id(contact, out);
    sb_char(out, '.');
    sb_u64(out, seq);
    sb_char(out, '@');
    sb_str(out, host);
}
