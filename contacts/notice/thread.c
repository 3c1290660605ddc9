/* Threads of mail. A token in an address is short (80 bits of HMAC-SHA256): who guesses for a year
 * at a thousand mails a second has guessed 2^35 of 2^80. */
#include "contacts/notice/thread.h"

#include "base/hmac.h"
#include "base/forbid.h"

enum { SUM_BYTES = 10, LOCAL_MAX = 64 };

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

static void put_sum(struct str contact, struct str key, struct sb *out)
{
    unsigned char sum[HMAC_SHA256_SIZE];
    struct sb text = {0};

    sb_z(&text, "mail.");
    sb_str(&text, contact);
    hmac_sha256(key, sb_view(&text), sum);
    for (int i = 0; i < SUM_BYTES; i++)
        sb_printf(out, "%02x", sum[i]);
    sb_fini(&text);
}

void notice_thread_address(struct str address, struct str contact, struct str key, struct sb *out)
{
    struct sb id = {0};
    struct str local, host;

    put_id(contact, &id);
    if (!str_cut(address, '@', &local, &host) || !str_eq(sb_view(&id), contact)) goto out;
    if (local.n + 1 + id.n + 1 + 2 * (size_t)SUM_BYTES > LOCAL_MAX) goto out;
    sb_str(out, local);
    sb_char(out, '+');
    sb_str(out, contact);
    sb_char(out, '.');
    put_sum(contact, key, out);
    sb_char(out, '@');
    sb_str(out, host);
out:
    sb_fini(&id);
}

bool notice_thread_contact(struct str address, struct str key, struct str *contact)
{
    struct str local, host, name, token, id, sum;
    struct sb want = {0};
    bool is_good;

    if (!str_cut(address, '@', &local, &host) || !str_cut(local, '+', &name, &token)) return false;
    if (!str_cut(token, '.', &id, &sum) || !id.n || id.n > THREAD_CONTACT_MAX) return false;
    put_sum(id, key, &want);
    is_good = hmac_is_same(sb_view(&want), sum);
    sb_fini(&want);
    if (is_good) *contact = id;
    return is_good;
}
