#include "contacts/rules/transcript.h"

#include <criterion/criterion.h>
#include "contacts/rules/zone.h"

static struct sb *made(enum transcript_form form, struct zone *zone,
                       const struct transcript_line *lines, size_t count)
{
    static struct sb out;
    struct transcript t = {
        .form = form, .zone = zone, .zone_name = STR("Africa/Kigali"), .out = &out};
    struct transcript_head head = {STR("contact_1_a"), STR("Ann <b>"), STR("Account"),
                                   1795397279711};

    out.n = 0;
    transcript_begin(&t, &head);
    for (size_t i = 0; i < count; i++)
        transcript_add(&t, &lines[i]);
    transcript_end(&t);
    return &out;
}

static bool has(const struct sb *b, const char *part)
{
    return str_contains(sb_view(b), str_z(part));
}

static const struct transcript_line lines[] = {
    {TRANSCRIPT_VISITOR, STR("Ann <b>"), STR("Hi & <script>alert('1')</script>\r\nsecond \"line\""),
     1795397279711},
    {TRANSCRIPT_NOTE, STR("Bob"), STR("an annoying one"), 1795397279712},
    {TRANSCRIPT_AGENT, STR("Bob\nEve"), STR("[2026-11-23 10:00] Ann (visitor)"), 1795397339711},
    {TRANSCRIPT_SYSTEM, STR_NONE, STR("resolved"), 1795397339711},
};

Test(transcript, is_text_that_cannot_be_forged)
{
    struct sb *b = made(TRANSCRIPT_TEXT, NULL, lines, 4);

    cr_expect(str_eq(sb_view(b), STR("Transcript of contact_1_a\n"
                                     "Ann <b>: Account\n"
                                     "2026-11-23 01:27 (UTC)\n\n"
                                     "[2026-11-23 01:27] Ann <b> (visitor)\n"
                                     "    Hi & <script>alert('1')</script>\n"
                                     "    second \"line\"\n"
                                     "[2026-11-23 01:28] Bob Eve (agent)\n"
                                     "    [2026-11-23 10:00] Ann (visitor)\n"
                                     "[2026-11-23 01:28] (system)\n"
                                     "    resolved\n")),
              STR_FMT, STR_ARG(*b));
}

Test(transcript, is_inert_html)
{
    struct sb *b = made(TRANSCRIPT_HTML, NULL, lines, 4);

    cr_expect(has(b, "Hi &amp; &lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;<br>\nsecond "
                     "&quot;line&quot;"),
              STR_FMT, STR_ARG(*b));
    cr_expect(has(b, "content=\"default-src 'none'\""));
    cr_expect_not(has(b, "<script"));
    cr_expect_not(has(b, "<b>"));
    cr_expect(str_starts(sb_view(b), STR("<!doctype html>")));
}

Test(transcript, never_has_a_note)
{
    for (int form = 0; form < 2; form++) {
        struct sb *b = made((enum transcript_form)form, NULL, lines, 4);

        cr_expect_not(has(b, "annoying"));
    }
}

Test(transcript, shows_times_of_its_zone)
{
    struct zone *z = NULL;

    cr_assert_eq(zone_open(STR("Africa/Kigali"), &z, NULL), OK);
    cr_expect(has(made(TRANSCRIPT_TEXT, z, lines, 1), "2026-11-23 03:27 (Africa/Kigali)"));
    zone_free(z);
}

Test(transcript, leaves_out_what_turns_or_hides)
{
    const struct transcript_line line = {TRANSCRIPT_VISITOR,
                                         STR("A\xe2\x80\xae"
                                             "B"),
                                         STR("a\0b\x1b[1m\xe2\x80\xae"
                                             "c\xe2\x81\xa6"
                                             "d\xff"
                                             "e\tf\rg\xc2\x9b"),
                                         0};
    struct sb *b = made(TRANSCRIPT_TEXT, NULL, &line, 1);

    cr_expect(has(b, "AB (visitor)\n    ab[1mcd\xEF\xBF\xBD"
                     "e\tf g\n"),
              STR_FMT, STR_ARG(*b));
}

Test(transcript, is_bounded_and_says_so)
{
    static char many[1000000];
    struct transcript_line line = {TRANSCRIPT_VISITOR, STR("A"), {many, sizeof many}, 0};
    const struct transcript_line five[] = {line, line, line, line, line};
    struct sb *b;

    memset(many, 'x', sizeof many);
    b = made(TRANSCRIPT_TEXT, NULL, five, 5);
    cr_expect_leq(b->n, (size_t)TRANSCRIPT_BYTES_MAX + 100);
    cr_expect(has(b, "The rest is left out"));
    cr_expect_str_eq(transcript_type(TRANSCRIPT_HTML), "text/html; charset=utf-8");
    cr_expect_str_eq(transcript_type(TRANSCRIPT_TEXT), "text/plain; charset=utf-8");
}
