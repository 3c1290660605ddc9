/* Settings, texts, forms and links of the contacts service: any bytes. The first byte says which
 * reader gets the rest. */
#include <stdint.h>
#include <stdlib.h>
#include "contacts/rules/canned.h"
#include "contacts/rules/form.h"
#include "contacts/rules/hours.h"
#include "contacts/rules/sla.h"
#include "contacts/rules/token.h"
#include "contacts/rules/transcript.h"
#include "contacts/rules/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int open_zone(struct str name, struct zone **out, struct sb *why)
{
    if (!name.n) { /* with a sentence, as zone_open */
        sb_z(why, "has no name");
        return ERR_NOT_FOUND;
    }
    *out = zone_fixed(name.p[0] * 60);
    return OK;
}

static void try_settings(struct str text)
{
    struct sb why = {0};
    struct sla_policy policy;
    struct sla_state state;
    struct hours *h = NULL;
    struct json v;

    if (json_parse(text, &v) != OK) return;
    if (hours_decode(v, open_zone, &h, &why) == OK) {
        int64_t at = 1795392000000, due = hours_add_ms(h, at, 3600000);

        if (due != HOURS_NEVER && hours_between_ms(h, at, due) != 3600000) abort();
        if (hours_next_open_ms(h, at) < at || hours_next_close_ms(h, at) < at) abort();
        hours_free(h);
    } else if (!why.n) {
        abort();
    }
    (void)sla_policy_decode(v, &policy, &why);
    (void)sla_state_read(text, &state);
    sb_fini(&why);
}

static void try_texts(struct str text)
{
    const struct canned_values values = {text, STR("Ann"), STR_NONE};
    struct transcript t = {.form = TRANSCRIPT_HTML};
    const struct transcript_head head = {text, text, text, 0};
    const struct transcript_line line = {TRANSCRIPT_VISITOR, text, text, 0};
    struct sb out = {0};

    if (canned_check(STR("x"), text, NULL) == OK && !str_is_utf8(text)) abort();
    if (canned_fill(text, &values, &out) == OK && out.n > CANNED_TEXT_MAX) abort();
    out.n = 0;
    t.out = &out;
    transcript_begin(&t, &head);
    transcript_add(&t, &line);
    transcript_end(&t);
    if (!str_is_utf8(sb_view(&out)) || str_contains(sb_view(&out), STR("<script"))) abort();
    sb_fini(&out);
}

static void try_form(struct str text)
{
    struct form f = {.message = text, .name = text, .email = text, .priority_name = text};
    struct form_fault fault = {0};

    if (form_is_email(text))
        for (size_t i = 0; i < text.n; i++)
            if (text.p[i] <= ' ' || text.p[i] == 0x7F) abort();
    if (form_check(&f, &fault) != OK && !fault.field) abort();
    (void)form_id_is(text);
}

static void try_tokens(struct str text)
{
    struct token_keys k;
    struct str id;
    char bytes[TOKEN_ID_MAX];

    token_keys_init(&k, "a secret of more than thirty-two bytes, for tests", NULL);
    if (token_check(&k, TOKEN_CHAT, text, 0, &id) == OK) abort(); /* signed by nobody */
    if (token_mail_check(&k, text, bytes, &id) == OK) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(struct str) = {try_settings, try_texts, try_form, try_tokens};

    if (!size) return 0;
    readers[data[0] % 4](str_of(data + 1, size - 1));
    return 0;
}
