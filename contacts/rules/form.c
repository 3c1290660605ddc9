/* See form.h. The rules of each field are rows. */
#include "contacts/rules/form.h"

#include <stddef.h>
#include <stdio.h>
#include "base/rand.h"
#include "base/utf8.h"
#include "base/forbid.h"

enum { LOCAL_MAX = 64, LABEL_MAX = 63, ID_TAIL = 12, BYTES_A_CHARACTER = 4 };

struct rule {
    const char *name;
    size_t offset;
    size_t max; /* characters */
    bool is_needed, has_lines;
};

#define RULE(member, ...)                                                                          \
    {                                                                                              \
#member, offsetof(struct form, member), __VA_ARGS__                                        \
    }
static const struct rule rules[] = {
    RULE(message, FORM_MESSAGE_MAX, true, true), RULE(name, FORM_LINE_MAX, false, false),
    RULE(email, FORM_EMAIL_MAX, false, false),   RULE(subject, FORM_LINE_MAX, false, false),
    RULE(category, FORM_WORD_MAX, false, false), RULE(phone, FORM_WORD_MAX, false, false),
};

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct str trim(struct str s)
{
    while (s.n && is_blank(s.p[0]))
        s = str_skip(s, 1);
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* C0, DEL, C1, and the separators of lines that are characters of their own. */
static bool has_control(struct str s, bool has_lines)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i], next = i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0;

        if (has_lines && (c == '\t' || c == '\n' || c == '\r')) continue;
        if (c < 0x20 || c == 0x7F || (c == 0xC2 && next < 0xA0)) return true;
        if (!has_lines && c == 0xE2 && next == 0x80 && i + 2 < s.n &&
            ((unsigned char)s.p[i + 2] == 0xA8 || (unsigned char)s.p[i + 2] == 0xA9))
            return true;
    }
    return false;
}

static size_t characters(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += (s.p[i] & 0xC0) != 0x80;
    return n;
}

static int refuse(struct form_fault *fault, const char *field, const char *text, int rc)
{
    *fault = (struct form_fault){field, text};
    return rc;
}

static int check(const struct rule *r, struct str *s, struct form_fault *fault)
{
    *s = trim(*s);
    if (!s->n) return r->is_needed ? refuse(fault, r->name, "is missing", ERR_SCHEMA) : OK;
    if (s->n > r->max * BYTES_A_CHARACTER)
        return refuse(fault, r->name, "is too long", ERR_TOO_BIG);
    if (!str_is_utf8(*s)) return refuse(fault, r->name, "is not UTF-8", ERR_UTF8);
    if (characters(*s) > r->max) return refuse(fault, r->name, "is too long", ERR_TOO_BIG);
    if (has_control(*s, r->has_lines))
        return refuse(fault, r->name, r->has_lines ? "has control characters" : "is not one line",
                      ERR_SCHEMA);
    return OK;
}

int form_check(struct form *f, struct form_fault *fault)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct str *s = (struct str *)(void *)((char *)f + rules[i].offset);
        int rc = check(&rules[i], s, fault);

        if (rc != OK) return rc;
    }
    if (f->email.n && !form_is_email(f->email))
        return refuse(fault, "email", "is no address", ERR_SCHEMA);
    if (!sla_priority_of(f->priority_name, &f->priority)) f->priority = SLA_NORMAL;
    return OK;
}

bool form_is_trap(const struct form *f)
{
    return f->website.n > 0;
}

int form_text(struct str *text, struct form_fault *fault)
{
    static const struct rule rule = {"message", 0, FORM_MESSAGE_MAX, true, true};

    return check(&rule, text, fault);
}

int form_optional(struct str *text, size_t max_characters, struct form_fault *fault)
{
    const struct rule rule = {"comment", 0, max_characters, false, true};

    return check(&rule, text, fault);
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* RFC 5322 3.2.3: atext with single points between. */
static bool is_local(struct str s)
{
    if (!s.n || s.n > LOCAL_MAX || s.p[0] == '.' || s.p[s.n - 1] == '.') return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c == '.' && s.p[i - 1] == '.') return false;
        if (!is_alnum(c) && (!c || !strchr(".!#$%&'*+/=?^_`{|}~-", c))) return false;
    }
    return true;
}

static bool is_label(struct str s)
{
    if (!s.n || s.n > LABEL_MAX || s.p[0] == '-' || s.p[s.n - 1] == '-') return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_alnum(s.p[i]) && s.p[i] != '-') return false;
    return true;
}

bool form_is_email(struct str s)
{
    struct str local, domain, label = STR_NONE;
    unsigned labels = 0;
    bool has_letter = false;

    if (s.n > FORM_EMAIL_MAX || !str_cut(s, '@', &local, &domain) || !is_local(local)) return false;
    for (bool more = true; more; labels++) {
        more = str_cut(domain, '.', &label, &domain);
        if (!is_label(label)) return false;
    }
    for (size_t i = 0; i < label.n; i++) /* 192.0.2.7 is no name */
        has_letter |= label.p[i] > '9';
    return labels >= 2 && has_letter;
}

void form_id_make(uint64_t now_ms, char out[FORM_ID_SIZE])
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    char tail[ID_TAIL + 1] = {0};

    for (int i = 0; i < ID_TAIL; i++)
        tail[i] = alphabet[rand_below(sizeof alphabet - 1)];
    (void)snprintf(out, FORM_ID_SIZE, "contact_%llu_%s",
                   (unsigned long long)(now_ms % 10000000000000000u), tail);
}

bool form_id_is(struct str id)
{
    struct str digits, tail;

    if (!str_starts(id, STR("contact_"))) return false;
    if (!str_cut(str_skip(id, 8), '_', &digits, &tail)) return false;
    if (!digits.n || digits.n > 16 || !tail.n || tail.n > 32) return false;
    for (size_t i = 0; i < digits.n; i++)
        if (digits.p[i] < '0' || digits.p[i] > '9') return false;
    for (size_t i = 0; i < tail.n; i++)
        if (!is_alnum(tail.p[i]) || (tail.p[i] >= 'A' && tail.p[i] <= 'Z')) return false;
    return true;
}
