/* See transcript.h. */
#include "contacts/rules/transcript.h"

#include "base/utf8.h"
#include "contacts/rules/civil.h"
#include "contacts/rules/zone.h"
#include "base/forbid.h"

const char *transcript_type(enum transcript_form form)
{
    return form == TRANSCRIPT_HTML ? "text/html; charset=utf-8" : "text/plain; charset=utf-8";
}

/* "2026-11-23 10:05" as the clock there shows it. */
static void put_time(struct transcript *t, int64_t at_ms)
{
    int64_t s = civil_floor(at_ms, 1000);
    int64_t local = t->zone ? zone_local_s(t->zone, s) : s, day = civil_floor(local, CIVIL_DAY_S);
    int minute = (int)((local - day * CIVIL_DAY_S) / 60);
    struct civil c = civil_of(day);

    sb_printf(t->out, "%04d-%02d-%02d %02d:%02d", c.year, c.month, c.day, minute / 60, minute % 60);
}

/* Not for a reader's screen: controls but tab and line end, and U+202A … U+202E, U+2066 … U+2069,
 * U+200E, U+200F, which turn the direction of what follows. */
static bool is_hidden(const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;

    if (n == 1) return (u[0] < 0x20 && u[0] != '\n' && u[0] != '\t') || u[0] == 0x7F;
    if (n == 2) return u[0] == 0xC2 && u[1] < 0xA0;
    if (n != 3 || u[0] != 0xE2) return false;
    if (u[1] == 0x80) return (u[2] >= 0xAA && u[2] <= 0xAE) || u[2] == 0x8E || u[2] == 0x8F;
    return u[1] == 0x81 && u[2] >= 0xA6 && u[2] <= 0xA9;
}

static const char *escape_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* Text of others. is_line: line ends become blanks. */
static void put(struct transcript *t, struct str s, bool is_line)
{
    bool is_html = t->form == TRANSCRIPT_HTML;

    for (size_t i = 0, n; i < s.n; i += n) {
        char c = s.p[i];
        const char *escape = is_html ? escape_of(c) : NULL;

        n = utf8_step(s.p + i, s.p + s.n);
        if (!n) {
            sb_z(t->out, "\xEF\xBF\xBD");
            n = 1;
        } else if (is_hidden(s.p + i, n)) {
            if (c == '\r' && !(i + 1 < s.n && s.p[i + 1] == '\n')) sb_char(t->out, ' ');
        } else if (c == '\n' || (is_line && c == '\t')) {
            sb_z(t->out, is_line ? " " : is_html ? "<br>\n" : "\n    ");
        } else if (escape) {
            sb_z(t->out, escape);
        } else {
            sb_put(t->out, s.p + i, n);
        }
    }
}

static struct str zone_name(const struct transcript *t)
{
    return t->zone ? t->zone_name : STR("UTC");
}

void transcript_begin(struct transcript *t, const struct transcript_head *head)
{
    bool is_html = t->form == TRANSCRIPT_HTML;

    sb_z(t->out, is_html ? "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
                           "'none'\">\n<meta name=\"robots\" content=\"noindex\">\n<title>"
                         : "");
    sb_z(t->out, "Transcript of ");
    put(t, head->contact_id, true);
    sb_z(t->out, is_html ? "</title></head><body>\n<h1>" : "\n");
    if (is_html) {
        sb_z(t->out, "Transcript of ");
        put(t, head->contact_id, true);
        sb_z(t->out, "</h1>\n<p dir=\"auto\">");
    }
    put(t, head->name, true);
    if (head->subject.n) {
        sb_z(t->out, ": ");
        put(t, head->subject, true);
    }
    sb_z(t->out, is_html ? "</p>\n<p>" : "\n");
    put_time(t, head->submitted_ms);
    sb_z(t->out, " (");
    put(t, zone_name(t), true);
    sb_z(t->out, is_html ? ")</p>\n<ol>\n" : ")\n\n");
}

static void put_who(struct transcript *t, const struct transcript_line *line)
{
    static const char *const kinds[] = {[TRANSCRIPT_VISITOR] = "visitor",
                                        [TRANSCRIPT_AGENT] = "agent",
                                        [TRANSCRIPT_SYSTEM] = "system",
                                        [TRANSCRIPT_NOTE] = ""};

    if (line->name.n) {
        put(t, line->name, true);
        sb_z(t->out, " ");
    }
    sb_printf(t->out, "(%s)", kinds[line->kind]);
}

void transcript_add(struct transcript *t, const struct transcript_line *line)
{
    bool is_html = t->form == TRANSCRIPT_HTML;

    if (line->kind == TRANSCRIPT_NOTE || t->is_cut) return;
    if (t->out->n + line->text.n + line->name.n > TRANSCRIPT_BYTES_MAX) {
        t->is_cut = true;
        return;
    }
    sb_z(t->out, is_html ? "<li><p><time>" : "[");
    put_time(t, line->at_ms);
    sb_z(t->out, is_html ? "</time> <bdi>" : "] ");
    put_who(t, line);
    sb_z(t->out, is_html ? "</bdi></p><p dir=\"auto\">" : "\n    ");
    put(t, line->text, false);
    sb_z(t->out, is_html ? "</p></li>\n" : "\n");
}

void transcript_end(struct transcript *t)
{
    bool is_html = t->form == TRANSCRIPT_HTML;

    if (is_html) sb_z(t->out, "</ol>\n");
    if (t->is_cut)
        sb_z(t->out, is_html ? "<p>The rest is left out: it is too long.</p>\n"
                             : "(The rest is left out: it is too long.)\n");
    if (is_html) sb_z(t->out, "</body></html>\n");
}
