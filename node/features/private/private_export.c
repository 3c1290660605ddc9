/* See private_export.h. 7 and "7" share the keys of a user, so rows are looked at by their part.
 * Neither Redis nor the archive has all: the log is cut behind what is archived, the archive lets
 * go by ARCHIVE_DAYS, and a Redis that lost its last second gives numbers twice. */
#include "node/features/private/private_export.h"

#include "adapter/key.h"
#include "base/forbid.h"

#define PAGE_BYTES "262144"

enum { HEAD_WORDS = 6, ENTRY_WORDS = 3, CHAT_NUMBERS = 4 };

/* HGETALL is bounded: 1,000 of each. */
#define LUA_ALL "return redis.call('HGETALL', KEYS[1])\n"

static struct adapter_script blocked_script = {
    .name = "private_export_blocked",
    .keys = {KEY_USER_BLOCKED},
    .keys_count = 1,
    .text = LUA_ALL,
};

static struct adapter_script unread_script = {
    .name = "private_export_unread",
    .keys = {KEY_USER_CHATS},
    .keys_count = 1,
    .text = LUA_ALL,
};

/* ARGV: the user, the other one, seq from which on, most, most bytes. Returns 1: there is more,
 * last seq, read cursors, delivered cursors, then seq, 1: hidden from the user, event of each. */
static struct adapter_script page_script = {
    .name = "private_export_page",
    .keys = {KEY_CONV_LOG, KEY_CONV_STATE},
    .keys_count = 2,
    .text = "local log, state, own, other = KEYS[1], KEYS[2], ARGV[1], ARGV[2]\n"
            "local most, bytes = tonumber(ARGV[4]), 0\n"
            "local function get(field) return redis.call('HGET', state, field) or '0' end\n"
            "local out = {0, get('seq'), get('r ' .. own), get('r ' .. other), get('d ' .. own),\n"
            "  get('d ' .. other)}\n"
            "local found = redis.call('XRANGE', log, ARGV[3] .. '-0', '+', 'COUNT', most + 1)\n"
            "for i, e in ipairs(found) do\n"
            "  local v = e[2]\n"
            "  bytes = bytes + #v[12]\n"
            "  if i > most or (i > 1 and bytes > tonumber(ARGV[5])) then out[1] = 1 break end\n"
            "  out[#out + 1] = string.match(e[1], '^%d+')\n"
            "  out[#out + 1] = (v[8] == '1' and v[4] ~= own) and 1 or 0\n"
            "  out[#out + 1] = v[12]\n"
            "end\n"
            "return out\n",
};

bool private_export_key(const struct private_id *who, struct str key, struct str *name)
{
    return key_is(KEY_CONV_STATE, key, name) && private_conversation_has(*name, who->part);
}

void private_export_pattern(const struct private_id *who, struct sb *out)
{
    struct sb part = {0};

    /* a part has no character that means something to MATCH */
    sb_char(&part, '*');
    sb_str(&part, who->part);
    sb_char(&part, '*');
    key_name(KEY_CONV_STATE, sb_view(&part), out);
    sb_fini(&part);
}

/* ---- of the user ---- */

static void put_name(const char *type, struct str conversation, struct sb *out)
{
    sb_printf(out, "{\"type\":\"%s\",\"conversation\":", type);
    sb_json(out, conversation);
}

void private_export_blocked(const struct private_id *who, struct redis_visit *out,
                            struct sb *scratch)
{
    redis_visit_fill(out, &blocked_script, who->text, who->part, scratch);
}

unsigned private_export_put_blocked(const struct private_id *who, const struct str *reply,
                                    unsigned count, struct sb *out)
{
    unsigned lines = 0;

    for (unsigned i = 0; i + 2 <= count; i += 2) {
        struct str owner, other;

        if (!str_cut(reply[i], ' ', &owner, &other) || !str_eq(owner, who->part)) continue;
        sb_z(out, "{\"type\":\"blocked\",\"userId\":");
        sb_str(out, reply[i + 1]);
        sb_z(out, "}\n");
        lines++;
    }
    return lines;
}

void private_export_unread(const struct private_id *who, struct redis_visit *out,
                           struct sb *scratch)
{
    redis_visit_fill(out, &unread_script, who->text, who->part, scratch);
}

/* Of keys.def: seq of the last message, their number, number of those read, time, the other's id.
 */
static bool put_chat(struct str conversation, struct str chat, struct sb *out)
{
    uint64_t numbers[CHAT_NUMBERS];
    struct str word;

    for (int i = 0; i < CHAT_NUMBERS; i++)
        if (!str_cut(chat, ' ', &word, &chat) || str_u64(word, INT64_MAX, &numbers[i]) != OK)
            return false;
    if (!chat.n) return false;
    put_name("unread", conversation, out);
    sb_printf(out, ",\"unread\":%llu,\"lastSeq\":%llu,\"userId\":",
              (unsigned long long)(numbers[1] > numbers[2] ? numbers[1] - numbers[2] : 0),
              (unsigned long long)numbers[0]);
    sb_str(out, chat);
    sb_z(out, "}\n");
    return true;
}

unsigned private_export_put_unread(const struct private_id *who, const struct str *reply,
                                   unsigned count, struct sb *out)
{
    unsigned lines = 0;

    for (unsigned i = 0; i + 2 <= count; i += 2)
        if (private_conversation_has(reply[i], who->part))
            lines += put_chat(reply[i], reply[i + 1], out);
    return lines;
}

/* ---- of a conversation ---- */

void private_export_page(const struct private_id *who, struct str conversation, uint64_t low,
                         struct redis_visit *out, struct sb *scratch, struct sb *numbers)
{
    size_t low_n;

    numbers->n = 0;
    sb_u64(numbers, low);
    low_n = numbers->n;
    sb_u64(numbers, PRIVATE_EXPORT_PAGE);
    redis_visit_fill(out, &page_script, conversation, who->part, scratch);
    redis_visit_add(out, private_conversation_other(conversation, who->part));
    redis_visit_add(out, str_head(sb_view(numbers), low_n));
    redis_visit_add(out, str_skip(sb_view(numbers), low_n));
    redis_visit_add(out, STR(PAGE_BYTES));
}

int private_export_page_read(struct private_export_page *p, const struct str *reply, unsigned count)
{
    unsigned entries = count < HEAD_WORDS ? 0 : (count - HEAD_WORDS) / ENTRY_WORDS;
    uint64_t n;

    p->bytes.n = 0;
    p->count = p->put = 0;
    if (count < HEAD_WORDS || (count - HEAD_WORDS) % ENTRY_WORDS || entries > PRIVATE_EXPORT_PAGE)
        return ERR_INTERNAL;
    p->has_more = str_eq(reply[0], STR("1"));
    for (unsigned i = 0; i < HEAD_WORDS - 1; i++) {
        if (str_u64(reply[i + 1], INT64_MAX, &n) != OK) return ERR_INTERNAL;
        p->cursors[i] = (int64_t)n;
    }
    for (reply += HEAD_WORDS; p->count < entries; p->count++, reply += ENTRY_WORDS) {
        if (str_u64(reply[0], INT64_MAX, &p->seqs[p->count]) != OK) return ERR_INTERNAL;
        p->is_hidden[p->count] = str_eq(reply[1], STR("1"));
        sb_str(&p->bytes, reply[2]);
        p->ends[p->count] = p->bytes.n;
    }
    return OK;
}

void private_export_page_fini(struct private_export_page *p)
{
    sb_fini(&p->bytes);
}

/* A part as the id that it was made of. */
static void put_id(struct str part, struct sb *out)
{
    struct sb text = {0};

    if (part.n && part.p[0] == '#') {
        sb_str(out, str_skip(part, 1));
        return;
    }
    sb_percent_decode(&text, part);
    sb_json(out, sb_view(&text));
    sb_fini(&text);
}

void private_export_put_conversation(const struct private_id *who, struct str conversation,
                                     const struct private_export_page *p, struct sb *out)
{
    static const char *const names[] = {"lastSeq", "readSeq", "otherReadSeq", "deliveredSeq",
                                        "otherDeliveredSeq"};

    put_name("conversation", conversation, out);
    sb_z(out, ",\"userId\":");
    put_id(private_conversation_other(conversation, who->part), out);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        sb_printf(out, ",\"%s\":%lld", names[i], (long long)p->cursors[i]);
    sb_z(out, "}\n");
}

static void put_message(struct str event, bool is_hidden, struct sb *out)
{
    sb_z(out, "{\"type\":\"message\",");
    if (is_hidden) sb_z(out, "\"hidden\":true,");
    sb_z(out, "\"message\":");
    for (size_t i = 0; i < event.n; i++) /* a line end in JSON is a blank */
        sb_char(out, event.p[i] == '\n' || event.p[i] == '\r' ? ' ' : event.p[i]);
    sb_z(out, "}\n");
}

static struct str event_at(const struct private_export_page *p, unsigned i)
{
    size_t start = i ? p->ends[i - 1] : 0;

    return str_of(p->bytes.p + start, p->ends[i] - start);
}

/* Those of the page up to a seq, which is left out. */
static unsigned put_below(struct private_export_page *p, uint64_t seq, struct sb *out)
{
    unsigned lines = 0;

    for (; p->put < p->count && p->seqs[p->put] < seq; p->put++, lines++)
        put_message(event_at(p, p->put), p->is_hidden[p->put], out);
    return lines;
}

unsigned private_export_put_messages(struct private_export_page *p,
                                     const struct archive_page *archived, struct sb *out)
{
    unsigned lines = 0;

    for (unsigned i = 0; i < archived->count; i++) {
        const struct archive_message *m = &archived->messages[i];

        lines += put_below(p, m->seq, out);
        if (p->put < p->count && p->seqs[p->put] == m->seq && str_eq(event_at(p, p->put), m->event))
            p->put++;
        put_message(m->event, m->is_hidden, out);
        lines++;
    }
    return archived->has_more ? lines : lines + put_below(p, UINT64_MAX, out);
}
