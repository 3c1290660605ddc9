/* Contacts: their status, and how pages see them. See contact.h. */
#include "contacts/record/contact.h"

#include "base/clock.h"
#include "base/forbid.h"

bool contact_is_pending(const struct contact *c)
{
    return str_eq(c->status, CONTACT_PENDING);
}

bool contact_is_in_progress(const struct contact *c)
{
    return str_eq(c->status, CONTACT_IN_PROGRESS);
}

bool contact_is_resolved(const struct contact *c)
{
    return str_eq(c->status, CONTACT_RESOLVED);
}

static void put_text(const char *name, struct str s, struct sb *out)
{
    if (s.n == 0) return;
    sb_printf(out, ",\"%s\":", name);
    sb_json(out, s);
}

/* The agent, as the old service wrote it into the contact. */
static void put_owner(const struct contact *c, enum record_sees who, struct sb *out)
{
    char iso[CLOCK_ISO_SIZE];

    sb_z(out, ",\"assignedAdmin\":{\"id\":");
    if (c->owner_ref.n)
        sb_str(out, c->owner_ref);
    else
        sb_json(out, c->owner_id);
    put_text("name", c->owner_name, out);
    if (who >= RECORD_AGENT) put_text("email", c->owner_email, out);
    if (c->claimed_at) {
        clock_iso((uint64_t)c->claimed_at, iso);
        put_text("claimedAt", str_z(iso), out);
    }
    sb_char(out, '}');
}

void contact_put(const struct contact *c, enum record_sees who, struct sb *out)
{
    sb_char(out, '{');
    (void)record_put(&record_contact, c, who, out);
    if (c->owner_id.n) put_owner(c, who, out);
    sb_char(out, '}');
}
