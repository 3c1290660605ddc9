/* Writing sessions: see session.h. A session is written by the server that has the socket, and by
 * no other: each write names what it replaces. */
#include "adapter/session.h"

#include "adapter/session_wire.h"
#include "base/forbid.h"

/* KEYS: the session. ARGV: sum of what has to be there (empty: anything), whether nothing will do
 * as well, the value, milliseconds to live (0: it goes). */
static struct adapter_script put_script = {
    .name = "session_put",
    .keys = {KEY_SESSION},
    .keys_count = 1,
    .text = "local is, want = redis.call('GET', KEYS[1]), ARGV[1]\n"
            "if want ~= '' then\n"
            "  if not is and ARGV[2] ~= '1' then return 0 end\n"
            "  if is and redis.sha1hex(is) ~= want then return 0 end\n"
            "end\n"
            "if ARGV[4] == '0' then redis.call('DEL', KEYS[1])\n"
            "else redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4]) end\n"
            "return 1\n",
};

static void on_put(void *ctx, int rc, const struct str *reply, unsigned count)
{
    (void)ctx, (void)rc, (void)reply, (void)count; /* what is lost is written again in time */
}

static void put_hex(const unsigned char *sum, struct sb *out)
{
    for (int i = 0; i < SHA1_SIZE; i++)
        sb_printf(out, "%02x", sum[i]);
}

static void store(struct adapter *a, struct str pid, const struct session_mark *mark,
                  struct str value, uint64_t ttl_ms)
{
    bool may_be_gone = mark->connects != adapter_connects(a);
    struct sb key = {0}, want = {0}, ttl = {0};
    struct str name, args[4];

    key_name(KEY_SESSION, pid, &key);
    if (mark->is_set) put_hex(mark->sum, &want);
    sb_u64(&ttl, ttl_ms);
    name = sb_view(&key);
    args[0] = sb_view(&want);
    args[1] = may_be_gone ? STR("1") : STR("0");
    args[2] = value;
    args[3] = sb_view(&ttl);
    adapter_eval(a, &put_script, &name, 1, args, 4, on_put, NULL);
    sb_fini(&key);
    sb_fini(&want);
    sb_fini(&ttl);
}

void session_put(struct adapter *a, const struct session *s, uint64_t ttl_ms,
                 struct session_mark *mark)
{
    struct sb value = {0};

    session_wire_encode(s, &value);
    store(a, s->pid, mark, sb_view(&value), ttl_ms);
    sha1(sb_view(&value), mark->sum);
    mark->connects = adapter_connects(a);
    mark->is_set = true;
    sb_fini(&value);
}

void session_drop(struct adapter *a, struct str pid, const struct session_mark *mark)
{
    if (mark->is_set) store(a, pid, mark, STR_NONE, 0);
}

bool session_is_pid(struct str pid)
{
    if (pid.n != SESSION_PID_SIZE) return false;
    for (size_t i = 0; i < pid.n; i++) {
        char c = pid.p[i];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

        if (!is_letter && !(c >= '0' && c <= '9') && c != '-' && c != '_') return false;
    }
    return true;
}
