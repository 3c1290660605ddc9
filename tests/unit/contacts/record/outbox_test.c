#include <criterion/criterion.h>
#include "contacts/record/outbox.h"

Test(outbox, is_dead_or_due)
{
    cr_expect(outbox_is_dead(&(struct outbox){.state = OUTBOX_DEAD}));
    cr_expect(!outbox_is_dead(&(struct outbox){.state = OUTBOX_DUE}));
    cr_expect(!outbox_is_dead(&(struct outbox){0}));
}
