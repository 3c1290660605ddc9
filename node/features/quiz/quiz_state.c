/* See quiz_state.h. */
#include "node/features/quiz/quiz_state.h"

#include "adapter/adapter.h"
#include "base/json.h"
#include "base/mem.h"
#include "node/features/quiz/quiz_lua.h"
#include "node/features/quiz/quiz_lua_board.h"
#include "base/forbid.h"

#define GAME_SCRIPT(script, lua)                                                                   \
    {                                                                                              \
        .name = (script),                                                                          \
        .keys = {KEY_QUIZ_GAME, KEY_QUIZ_SEATS, KEY_QUIZ_ANSWERS, KEY_QUIZ_LIVE, KEY_QUIZ_BOARD},  \
        .keys_count = 5, .text = QUIZ_LUA_HEAD lua                                                 \
    }

static struct adapter_script scripts[QUIZ_STEPS] = {
    [QUIZ_CREATE] = GAME_SCRIPT("quiz_create", QUIZ_LUA_CREATE),
    [QUIZ_LOAD] = GAME_SCRIPT("quiz_load", QUIZ_LUA_LOAD),
    [QUIZ_JOIN] = GAME_SCRIPT("quiz_join", QUIZ_LUA_JOIN),
    [QUIZ_LEAVE] = GAME_SCRIPT("quiz_leave", QUIZ_LUA_LEAVE),
    [QUIZ_ANSWER] = GAME_SCRIPT("quiz_answer", QUIZ_LUA_ANSWER),
    [QUIZ_CONTROL] = GAME_SCRIPT("quiz_control", QUIZ_LUA_CONTROL),
    [QUIZ_BOARD] = GAME_SCRIPT("quiz_board", QUIZ_LUA_BOARD),
    [QUIZ_TELL] = GAME_SCRIPT("quiz_tell", QUIZ_LUA_TELL),
    [QUIZ_AROUND] = GAME_SCRIPT("quiz_around", QUIZ_LUA_AROUND),
};

static struct adapter_script pin_script = {
    .name = "quiz_pin", .keys = {KEY_QUIZ_PIN}, .keys_count = 1, .text = QUIZ_LUA_PIN};

/* Codes that scripts refuse with, by their names on the wire. */
static int code_of(struct str wire)
{
    int code;

    for (unsigned i = 0; err_row(i, &code); i++)
        if (str_eq(wire, str_z(err_wire(code)))) return code;
    return ERR_INTERNAL;
}

static void on_reply(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct quiz_ask *c = ctx;
    struct quiz_reply r = {.rc = rc};

    if (rc == OK && (count < 2 || (str_eq(reply[0], STR("no")) && count != 3))) {
        r.rc = ERR_INTERNAL;
    } else if (rc == OK && str_eq(reply[0], STR("no"))) {
        r.rc = code_of(reply[1]);
        r.why = reply[2];
    } else if (rc == OK) {
        r.words = reply + 1;
        r.count = count - 1;
    }
    c->told(c->ctx, &r);
    mem_free(c);
}

static void run(struct adapter *a, struct adapter_script *s, struct str name,
                const struct str *args, unsigned count, struct quiz_ask ask)
{
    struct sb text[ADAPTER_SCRIPT_KEYS] = {0};
    struct str keys[ADAPTER_SCRIPT_KEYS];
    struct quiz_ask *c;

    if (!a || !adapter_is_connected(a)) {
        ask.told(ask.ctx, &(struct quiz_reply){.rc = ERR_UNAVAILABLE});
        return;
    }
    c = MEM_NEW(struct quiz_ask);
    *c = ask;
    for (unsigned i = 0; i < s->keys_count; i++) {
        key_name(s->keys[i], name, &text[i]);
        keys[i] = sb_view(&text[i]);
    }
    adapter_eval(a, s, keys, s->keys_count, args, count, on_reply, c);
    for (unsigned i = 0; i < s->keys_count; i++)
        sb_fini(&text[i]);
}

void quiz_state_run(struct adapter *a, enum quiz_step step, struct str quiz, const struct str *args,
                    unsigned count, struct quiz_ask ask)
{
    run(a, &scripts[step], quiz, args, count, ask);
}

void quiz_state_pin(struct adapter *a, struct str pin, struct str quiz, struct quiz_ask ask)
{
    run(a, &pin_script, pin, &quiz, 1, ask);
}

int64_t quiz_state_i64(struct str s)
{
    struct json v = {JSON_NUMBER, s};
    int64_t n = 0;

    if (!s.n || !(s.p[0] == '-' || (s.p[0] >= '0' && s.p[0] <= '9'))) return 0;
    return json_i64(v, &n) ? n : 0;
}

bool quiz_state_view(const struct str *words, unsigned count, struct quiz_view *out)
{
    const struct str *w;

    if (count < QUIZ_VIEW_WORDS) return false;
    w = words + count - QUIZ_VIEW_WORDS;
    *out = (struct quiz_view){
        .phase = w[0],
        .seq = quiz_state_i64(w[1]),
        .question = w[2].n ? quiz_state_i64(w[2]) : -1,
        .count = quiz_state_i64(w[3]),
        .starts_ms = quiz_state_i64(w[4]),
        .ends_ms = quiz_state_i64(w[5]),
        .left_ms = quiz_state_i64(w[6]),
        .is_locked = str_eq(w[7], STR("1")),
        .seats = quiz_state_i64(w[8]),
        .next_ms = quiz_state_i64(w[9]),
        .pin = w[10],
        .now_ms = quiz_state_i64(w[11]),
        .answered = quiz_state_i64(w[12]),
        .right = quiz_state_i64(w[13]),
        .elapsed_ms = quiz_state_i64(w[14]),
        .picks = w[15],
    };
    return true;
}
