/* Messages of mail. What comes from visitors goes into a header only as an encoded word (RFC 2047)
 * or not at all, so no text can end a header line; the body is quoted-printable (RFC 2045 6.7), so
 * it can hold no line that means something to SMTP. */
#include "contacts/notice/mail.h"

#include "base/clock.h"
#include "base/forbid.h"

enum {
    LOCAL_MAX = 64,  /* RFC 5321 4.5.3.1.1 */
    LABEL_MAX = 63,  /* RFC 1035 2.3.4 */
    WORD_BYTES = 42, /* of text in an encoded word: 56 characters of base64, 68 with its frame */
    QP_LINE = 75,    /* characters before the soft line end */
};

/* ---- addresses ---- */

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* atext of RFC 5322 3.2.3, ASCII alone. */
static bool is_atext(char c)
{
    return is_letter_or_digit(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_dot_atom(struct str s)
{
    if (!s.n || s.p[0] == '.' || s.p[s.n - 1] == '.') return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '.' ? s.p[i - 1] == '.' : !is_atext(s.p[i])) return false;
    }
    return true;
}

static bool is_label(struct str s)
{
    if (!s.n || s.n > LABEL_MAX || s.p[0] == '-' || s.p[s.n - 1] == '-') return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_letter_or_digit(s.p[i]) && s.p[i] != '-') return false;
    return true;
}

static bool is_host(struct str s)
{
    struct str label;

    if (!s.n || s.p[s.n - 1] == '.') return false;
    while (str_next(&s, '.', &label))
        if (!is_label(label)) return false;
    return true;
}

bool mail_is_address(struct str address)
{
    struct str local, host;

    if (address.n > MAIL_ADDRESS_MAX || !str_cut(address, '@', &local, &host)) return false;
    return local.n <= LOCAL_MAX && is_dot_atom(local) && is_host(host);
}

bool mail_parse_mailbox(struct str text, struct str *name, struct str *address)
{
    struct str before, after, found = str_trim(text);

    *name = STR("");
    if (str_cut(found, '<', &before, &after)) {
        if (!after.n || after.p[after.n - 1] != '>') return false;
        before = str_trim(before);
        if (before.n >= 2 && before.p[0] == '"' && before.p[before.n - 1] == '"')
            before = str_of(before.p + 1, before.n - 2);
        if (before.n) *name = before;
        found = str_head(after, after.n - 1);
    }
    if (!mail_is_address(found)) return false;
    *address = found;
    return true;
}

/* What is between the brackets of a message id: two dot-atoms around an @ (RFC 5322 3.6.4). */
static bool is_message_id(struct str id)
{
    struct str left, right;

    if (id.n > MAIL_ID_MAX || !str_cut(id, '@', &left, &right)) return false;
    return is_dot_atom(left) && is_dot_atom(right);
}

/* ---- headers ---- */

/* Printable ASCII that is no encoded word; in a phrase also nothing that has a meaning there. */
static bool is_plain(struct str text, bool is_phrase)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (c < ' ' || c > '~' || (is_phrase && c != ' ' && !is_atext(c))) return false;
    }
    return !str_contains(text, STR("=?"));
}

/* Bytes of whole characters, max of them at most; text is UTF-8. */
static size_t whole_characters(struct str text, size_t max)
{
    size_t n = text.n < max ? text.n : max;

    while (n < text.n && ((unsigned char)text.p[n] & 0xC0) == 0x80)
        n--;
    return n;
}

/* A phrase (somebody's name) or unstructured text behind "Header: ": short and plain as it is, else
 * as encoded words, one a line. */
static void put_text(struct sb *out, const char *header, struct str text, bool is_phrase)
{
    struct sb clean = {0};
    struct str rest;
    bool is_first = true;

    sb_z(out, header);
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        sb_char(&clean, c < ' ' || c == 0x7F ? ' ' : (char)c);
    }
    rest = sb_view(&clean);
    if (is_plain(rest, is_phrase) && strlen(header) + rest.n <= MAIL_LINE_MAX) {
        sb_str(out, rest);
        rest = STR_NONE;
    }
    while (rest.n) {
        size_t n = whole_characters(rest, is_first ? WORD_BYTES - 18 : WORD_BYTES);

        if (!is_first) sb_z(out, "\r\n ");
        sb_z(out, "=?UTF-8?B?");
        sb_base64(out, str_head(rest, n));
        sb_z(out, "?=");
        rest = str_skip(rest, n);
        is_first = false;
    }
    sb_fini(&clean);
}

static void put_mailbox(struct sb *out, const char *header, struct str name, struct str address)
{
    put_text(out, header, name, true);
    if (name.n) sb_z(out, "\r\n ");
    sb_char(out, '<');
    sb_str(out, address);
    sb_z(out, ">\r\n");
}

/* Message ids between blanks; each further one on a line of its own. */
static void put_ids(struct sb *out, const char *header, struct str ids)
{
    struct str id;
    const char *between = header;

    while (ids.n && str_next(&ids, ' ', &id)) {
        if (!id.n) continue;
        sb_z(out, between);
        between = "\r\n";
        sb_z(out, " <");
        sb_str(out, id);
        sb_char(out, '>');
    }
    if (between != header) sb_z(out, "\r\n");
}

/* RFC 5322 3.3, always in UTC. */
static void put_date(struct sb *out, uint64_t wall_ms)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    char iso[CLOCK_ISO_SIZE]; /* "2026-11-23T17:01:55.123Z" */
    unsigned month;

    clock_iso(wall_ms, iso);
    month = (unsigned)(iso[5] - '0') * 10 + (unsigned)(iso[6] - '0');
    sb_printf(out, "Date: %s, %.2s %s %.4s %.8s +0000\r\n", days[wall_ms / 86400000 % 7], iso + 8,
              months[(month - 1) % 12], iso, iso + 11);
}

/* ---- the body ---- */

static bool needs_quoting(struct str line, size_t i)
{
    unsigned char c = (unsigned char)line.p[i];

    if (c == '\t' || c == ' ') return i + 1 == line.n; /* at the end of a line it may get lost */
    return c < ' ' || c > '~' || c == '=';
}

static void put_quoted_line(struct sb *out, struct str line)
{
    size_t column = 0;

    for (size_t i = 0; i < line.n; i++) {
        bool quote = needs_quoting(line, i);
        size_t width = quote ? 3 : 1;

        if (column + width > QP_LINE) {
            sb_z(out, "=\r\n");
            column = 0;
        }
        if (quote)
            sb_printf(out, "=%02X", (unsigned char)line.p[i]);
        else
            sb_char(out, line.p[i]);
        column += width;
    }
    sb_z(out, "\r\n");
}

static void put_body(struct sb *out, struct str text)
{
    while (text.n) {
        size_t n = 0;

        while (n < text.n && text.p[n] != '\n' && text.p[n] != '\r')
            n++;
        put_quoted_line(out, str_head(text, n));
        text = str_skip(text, n);
        if (text.n > 1 && text.p[0] == '\r' && text.p[1] == '\n') text = str_skip(text, 1);
        text = str_skip(text, 1);
    }
}

/* ---- the whole ---- */

static bool is_good(const struct mail *m)
{
    struct str ids = m->references, id;

    if (!mail_is_address(m->from) || !mail_is_address(m->to)) return false;
    if (m->reply_to.n && !mail_is_address(m->reply_to)) return false;
    if (!is_message_id(m->message_id)) return false;
    if (m->in_reply_to.n && !is_message_id(m->in_reply_to)) return false;
    while (ids.n && str_next(&ids, ' ', &id))
        if (id.n && !is_message_id(id)) return false;
    return str_is_utf8(m->from_name) && str_is_utf8(m->to_name) && str_is_utf8(m->subject) &&
           str_is_utf8(m->text);
}

int mail_encode(const struct mail *m, struct sb *out)
{
    if (!is_good(m)) return ERR_SCHEMA;
    put_date(out, m->wall_ms);
    put_mailbox(out, "From: ", m->from_name, m->from);
    put_mailbox(out, "To: ", m->to_name, m->to);
    if (m->reply_to.n) put_mailbox(out, "Reply-To: ", STR(""), m->reply_to);
    put_text(out, "Subject: ", m->subject, false);
    sb_z(out, "\r\n");
    put_ids(out, "Message-ID:", m->message_id);
    put_ids(out, "In-Reply-To:", m->in_reply_to);
    put_ids(out, "References:", m->references);
    /* RFC 3834: no out-of-office notes to a machine */
    sb_z(out, "Auto-Submitted: auto-generated\r\n"
              "MIME-Version: 1.0\r\n"
              "Content-Type: text/plain; charset=utf-8\r\n"
              "Content-Transfer-Encoding: quoted-printable\r\n"
              "\r\n");
    put_body(out, m->text);
    return OK;
}
