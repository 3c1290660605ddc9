/* Orders of a back end, the quiz service's say: create a game, see how it stands, press its
 * buttons, fetch its results. Whoever has QUIZ_TOKEN stands above the host; the key of a question
 * that is not closed is told to nobody here either. Paths: docs/quiz.md. */
#include "node/features/quiz/quiz_priv.h"

#include "base/sha256.h"
#include "node/features/quiz/quiz_export.h"
#include "base/forbid.h"

enum {
    EXPORT_ROWS = 100,       /* of one step */
    EXPORT_BYTES = 4 << 20,  /* of one answer; OUT_HARD_BYTES is 16 MB */
    ID_ENCODED_MAX = 3 * 256 /* bytes of a quizId in a path */
};

/* ---- answers ---- */

static int status_of(int rc)
{
    static const struct {
        int rc, status;
    } rows[] = {
        {OK, 200},         {ERR_PROTO, 400},       {ERR_UTF8, 400},    {ERR_DEPTH, 400},
        {ERR_SCHEMA, 400}, {ERR_NOT_FOUND, 404},   {ERR_CLOSED, 409},  {ERR_FORBIDDEN, 409},
        {ERR_LIMIT, 409},  {ERR_UNAVAILABLE, 503}, {ERR_TIMEOUT, 503}, {ERR_TOO_BIG, 413},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].rc == rc) return rows[i].status;
    return 500;
}

void quiz_order_end(struct order_ticket *t, int rc, struct str text)
{
    struct order_reply r = {.status = status_of(rc), .type = STR("application/json")};
    struct order_ticket ticket = *t;
    struct sb body = {0};

    if (!ticket.answer) return;
    t->answer = NULL;
    if (rc == OK) {
        sb_z(&body, text.n ? "{\"ok\":true," : "{\"ok\":true");
        sb_str(&body, text);
    } else {
        sb_z(&body, "{\"error\":");
        sb_json(&body, text.n ? text : str_z(err_text(rc)));
        sb_z(&body, ",\"code\":");
        sb_json(&body, str_z(err_wire(rc)));
    }
    sb_char(&body, '}');
    r.body = sb_view(&body);
    ticket.answer(ticket.to, &r);
    sb_fini(&body);
}

static void refuse(const struct order *o, int rc, const char *why)
{
    struct order_ticket t = o->ticket;

    quiz_order_end(&t, rc, str_z(why));
}

/* ---- results ----
 * a: what is answered, b: of JSON the end. n: next row, seq of the game, enum export. */

enum export { EXPORT_JSON, EXPORT_PLAYERS, EXPORT_QUESTIONS };

static void end_export(struct quiz_op *op, const struct quiz_page *p)
{
    bool is_csv = op->n[2] != EXPORT_JSON, is_more = op->n[0] < p->board.total && p->board.here;
    unsigned char digest[SHA256_SIZE];
    struct order_ticket ticket = op->ticket;
    struct sb headers = {0};
    struct order_reply r = {.status = 200,
                            .type = is_csv ? STR("text/csv; charset=utf-8; header=present")
                                           : STR("application/json")};

    if (!is_csv) sb_char(&op->a, ']');
    if (!is_csv && is_more) sb_printf(&op->a, ",\"next\":%lld", (long long)op->n[0]);
    if (!is_csv) sb_char(&op->a, '}');
    sha256(sb_view(&op->a), digest);
    sb_z(&headers, "Repr-Digest: sha-256=:"); /* RFC 9530 */
    sb_base64(&headers, str_of((const char *)digest, sizeof digest));
    sb_z(&headers, ":\r\n");
    if (is_csv && is_more && op->n[2] == EXPORT_PLAYERS)
        sb_printf(&headers, "X-Next-From: %lld\r\n", (long long)op->n[0]);
    r.headers = sb_view(&headers);
    r.body = sb_view(&op->a);
    op->ticket.answer = NULL;
    ticket.answer(ticket.to, &r);
    sb_fini(&headers);
    quiz_op_free(op);
}

static void put_page(struct quiz_op *op, const struct quiz_page *p, bool is_first)
{
    switch ((enum export)op->n[2]) {
    case EXPORT_JSON:
        if (is_first) {
            sb_z(&op->a, "{\"ok\":true,\"quizId\":");
            sb_json(&op->a, op->game->id);
            sb_printf(&op->a,
                      ",\"total\":%lld,\"from\":%lld,\"seq\":%lld,\"isOver\":%s,\"questions\":[",
                      (long long)p->board.total, (long long)op->n[0], (long long)p->board.seq,
                      p->board.is_over ? "true" : "false");
            quiz_export_questions(p, op->game->questions, &op->a);
            sb_z(&op->a, "],\"rows\":[");
        }
        quiz_export_rows(p, is_first, &op->a);
        break;
    case EXPORT_PLAYERS:
        quiz_export_players_csv(p, op->n[0], &op->a);
        break;
    case EXPORT_QUESTIONS:
        quiz_export_questions_csv(p, op->game->questions, &op->a);
        break;
    }
}

static void next_page(struct quiz_op *op);

static void on_page(void *ctx, const struct quiz_reply *r)
{
    struct quiz_op *op = ctx;
    struct quiz_page p;
    bool is_first = op->n[1] < 0;

    if (quiz_op_failed(op, r)) return;
    if (!op->game->questions || !quiz_export_read(r->words, r->count, &p)) {
        quiz_op_refuse(op, ERR_INTERNAL, STR_NONE);
        return;
    }
    if (!is_first && op->n[1] != p.board.seq) {
        quiz_op_refuse(op, ERR_CLOSED, STR("the game has moved on meanwhile, ask again"));
        return;
    }
    op->n[1] = p.board.seq;
    put_page(op, &p, is_first);
    op->n[0] += p.board.here;
    if (op->n[0] < p.board.total && p.board.here && op->a.n < EXPORT_BYTES &&
        op->n[2] != EXPORT_QUESTIONS)
        next_page(op);
    else
        end_export(op, &p);
}

static void next_page(struct quiz_op *op)
{
    struct sb text = {0};
    struct str args[5];
    size_t mid;

    sb_i64(&text, op->n[0]);
    mid = text.n;
    sb_i64(&text, op->n[2] == EXPORT_QUESTIONS ? 1 : EXPORT_ROWS);
    args[0] = str_head(sb_view(&text), mid);
    args[1] = str_skip(sb_view(&text), mid);
    args[2] = STR("");
    args[3] = args[4] = STR("1"); /* a back end: with the answers */
    quiz_run(op, QUIZ_BOARD, args, 5, on_page);
    sb_fini(&text);
}

static void export_loaded(struct quiz_op *op, int rc)
{
    const struct quiz_reply none = {.rc = rc != OK ? rc : ERR_NOT_FOUND};

    if (rc == OK && op->game->questions)
        next_page(op);
    else
        (void)quiz_op_failed(op, &none);
}

/* ---- what is ordered ---- */

static void create(struct quiz *q, const struct order *o)
{
    struct in_quiz_create in;
    struct sb scratch = {0}, why = {0};
    struct json v;
    int rc = o->body.n ? json_parse(o->body, &v) : ERR_PROTO;

    if (rc == OK) rc = in_quiz_create_decode(v, &scratch, &in, &why);
    if (rc == OK) rc = quiz_create(q, &in, NULL, &o->ticket, &why);
    if (rc != OK) {
        struct order_ticket t = o->ticket;

        quiz_order_end(&t, rc, sb_view(&why));
    }
    sb_fini(&scratch);
    sb_fini(&why);
}

/* A whole number of the query; missing: keeps *out. */
static bool read_number(const struct order *o, const char *name, uint64_t max, int64_t *out)
{
    struct str text;
    uint64_t n;

    if (!str_query(o->query, str_z(name), &text)) return true;
    if (str_u64(text, max, &n) != OK) return false;
    *out = (int64_t)n;
    return true;
}

static void control(struct quiz *q, const struct order *o, struct str id, struct str action)
{
    static const struct {
        struct str name;
        bool is_post;
        const char *needs;
    } rows[] = {
        {STR("watch"), false, NULL}, {STR("start"), true, NULL},  {STR("next"), true, NULL},
        {STR("close"), true, NULL},  {STR("pause"), true, NULL},  {STR("resume"), true, NULL},
        {STR("lock"), true, NULL},   {STR("unlock"), true, NULL}, {STR("end"), true, NULL},
        {STR("extend"), true, "ms"}, {STR("kick"), true, "seat"},
    };
    int64_t n[3] = {0, 0, -1};
    struct quiz_op *op;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str value;

        if (!str_eq(action, rows[i].name) || o->is_post != rows[i].is_post) continue;
        if ((rows[i].needs && !str_query(o->query, str_z(rows[i].needs), &value)) ||
            !read_number(o, "ms", 600000, &n[0]) || !read_number(o, "seat", 1000000, &n[1]) ||
            !read_number(o, "seq", 1000000000, &n[2])) {
            refuse(o, ERR_SCHEMA, "ms, seat, seq: whole numbers; extend needs ms, kick seat");
            return;
        }
        op = quiz_op_new(q, id, NULL);
        op->ticket = o->ticket;
        sb_str(&op->b, action);
        memcpy(op->n, n, sizeof op->n);
        quiz_control(op);
        return;
    }
    refuse(o, ERR_NOT_FOUND, "no such path");
}

static bool export(struct quiz *q, const struct order *o, struct str id, struct str word)
{
    static const struct str names[] = {[EXPORT_JSON] = STR("results"),
                                       [EXPORT_PLAYERS] = STR("results.csv"),
                                       [EXPORT_QUESTIONS] = STR("questions.csv")};
    int64_t from = 0;

    for (int i = 0; i < 3; i++) {
        struct quiz_op *op;

        if (!str_eq(word, names[i]) || o->is_post) continue;
        if (!read_number(o, "from", 1000000, &from)) {
            refuse(o, ERR_SCHEMA, "from: must be a whole number");
            return true;
        }
        op = quiz_op_new(q, id, NULL);
        op->ticket = o->ticket;
        op->n[0] = from;
        op->n[1] = -1;
        op->n[2] = i;
        quiz_load(op, export_loaded);
        return true;
    }
    return false;
}

void quiz_on_order(void *state, const struct order *o)
{
    struct str rest = str_skip(o->path, 5), id, word; /* "/quiz" */
    struct sb name = {0};

    if (rest.n <= 1) {
        if (o->is_post)
            create(state, o);
        else
            refuse(o, ERR_NOT_FOUND, "no such path");
        return;
    }
    rest = str_skip(rest, 1);
    if (!str_cut(rest, '/', &id, &word)) id = rest, word = STR_NONE;
    if (id.n && id.n <= ID_ENCODED_MAX) sb_percent_decode(&name, id);
    if (!name.n || name.n > DUE_ID_BYTES || !str_is_utf8(sb_view(&name)))
        refuse(o, ERR_NOT_FOUND, "there is no such game");
    else if (!export(state, o, sb_view(&name), word))
        control(state, o, sb_view(&name), word.n || o->is_post ? word : STR("watch"));
    sb_fini(&name);
}
