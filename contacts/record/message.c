/* Messages: how clients see them. See message.h. */
#include "contacts/record/message.h"

#include "base/forbid.h"

#define MESSAGE_OVERHEAD 256 /* names of members, times, numbers */

bool message_is_note(const struct message *m)
{
    return str_eq(m->kind, MESSAGE_NOTE);
}

void message_put(const struct message *m, struct str contact_id, struct sb *out)
{
    sb_z(out, "{\"contactId\":");
    sb_json(out, contact_id);
    sb_char(out, ',');
    (void)record_put(&record_message, m, RECORD_VISITOR, out);
    if (message_is_note(m)) sb_z(out, ",\"note\":true");
    sb_char(out, '}');
}

int64_t message_bytes(const struct message *m)
{
    return (int64_t)(m->id.n + m->kind.n + m->author_id.n + m->author_ref.n + m->author_name.n +
                     m->author_role.n + m->email.n + m->text.n + m->type.n + m->client_id.n) +
           MESSAGE_OVERHEAD;
}
