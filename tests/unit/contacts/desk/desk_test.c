#include "tests/unit/support/desk_rig.inc"

TestSuite(desk, .init = desk_up, .fini = desk_down);

Test(desk, every_event_of_an_agent_is_refused_to_others)
{
    struct eio_session *ann = desk_client(ANN), *guest = desk_client(NULL);
    unsigned seen = 0;

    for (unsigned i = 0; i < EVENT_COUNT; i++) {
        const struct event_schema *s = &event_schemas[i];

        if (strcmp(s->feature, "desk") != 0 || s->role < ROLE_ADMIN) continue;
        seen++;
        for (int k = 0; k < 2; k++) {
            struct eio_session *who = k ? guest : ann;

            who->sent.n = 0;
            desk_say(who, s->name, "{}");
            cr_expect(desk_got(who, "\"code\":\"forbidden\""), "%s: %s", s->name, take(&who->sent));
        }
    }
    cr_expect_geq(seen, 15);
    cr_expect_eq(fs.contacts_count + fs.agents_count, 0);
    free_session(ann), free_session(guest);
}

Test(desk, no_operator_of_a_database_is_an_id)
{
    static const char *const payloads[] = {"{\"contactId\":{\"$ne\":null}}",
                                           "{\"contactId\":[\"a\"]}",
                                           "{\"contactId\":7}",
                                           "{\"$where\":\"1\"}",
                                           "[]",
                                           "null"};
    struct eio_session *bob = desk_client(BOB);
    unsigned before = fs.calls;

    for (unsigned i = 0; i < EVENT_COUNT; i++) {
        const struct event_schema *s = &event_schemas[i];

        if (strcmp(s->feature, "desk") != 0 || !strstr(s->name, "Contact") ||
            strcmp(s->name, "getPendingContacts") == 0 || strcmp(s->name, "listContacts") == 0 ||
            strcmp(s->name, "getContactStats") == 0)
            continue;
        for (size_t k = 0; k < sizeof payloads / sizeof payloads[0]; k++) {
            bob->sent.n = 0;
            desk_say(bob, s->name, payloads[k]);
            cr_expect(desk_got(bob, "\"code\":\"invalid_payload\""), "%s %s: %s", s->name,
                      payloads[k], take(&bob->sent));
        }
    }
    cr_expect_eq(fs.calls, before, "the store was not asked");
    free_session(bob);
}
