#include "tests/unit/support/desk_rig.inc"

TestSuite(desk_end, .init = desk_up, .fini = desk_down);

/* The value of a text member, behind the last place where it stands. */
static const char *value_of(struct eio_session *s, const char *key)
{
    static char text[256];
    const char *at = NULL;

    sb_char(&s->sent, 0);
    for (const char *p = s->sent.p; (p = strstr(p, key)); p++)
        at = p;
    cr_assert_not_null(at, "%s in %s", key, s->sent.p);
    (void)snprintf(text, sizeof text, "%s", at + strlen(key));
    *strchr(text, '"') = 0;
    return text;
}

Test(desk_end, resolved_in_two_shapes_and_the_visitor_may_rate_once)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB), *cleo = desk_client(CLEO);
    const char *id = desk_form(ann);
    char rate[300], want[200];

    desk_say(bob, "claimContact", desk_about(id, ""));
    desk_wait(100);
    ann->sent.n = bob->sent.n = cleo->sent.n = 0;
    desk_say(bob, "resolveContact", desk_about(id, ""));
    (void)snprintf(
        want, sizeof want,
        "[\"contactResolved\",{\"contactId\":\"%s\",\"resolvedBy\":\"Bob\",\"responseTime\":2}]",
        id);
    cr_expect(desk_got(bob, want), "%s", take(&bob->sent));
    cr_expect(desk_got(cleo, want));
    (void)snprintf(want, sizeof want, "[\"contactResolved\",{\"contactId\":\"%s\",\"contact\":{",
                   id);
    cr_expect(desk_got(bob, want));
    cr_expect_not(desk_got(cleo, want));
    cr_expect_eq(fs_agent(STR("a1"))->slots.count, 0);
    (void)snprintf(rate, sizeof rate, "{\"token\":\"%s\",\"score\":5,\"comment\":\" quick \"}",
                   value_of(ann, "\"rateToken\":\""));
    cleo->sent.n = 0;
    desk_say(ann, "rateContact", rate);
    cr_expect(desk_got(cleo, "\"score\":5,\"comment\":\"quick\"}]"), "%s", take(&cleo->sent));
    ann->sent.n = 0;
    desk_say(ann, "rateContact", rate);
    cr_expect(desk_got(ann, "\"error\":\"Rated already\""), "%s", take(&ann->sent));
    free_session(ann), free_session(bob), free_session(cleo);
}

Test(desk_end, is_resolved_by_agents_and_once)
{
    struct eio_session *ann = desk_client(ANN), *bob = desk_client(BOB), *cleo = desk_client(CLEO);
    const char *id = desk_form(ann);

    desk_say(ann, "resolveContact", desk_about(id, ""));
    cr_expect(contact_is_pending(fs_contact(str_z(id))));
    desk_say(bob, "claimContact", desk_about(id, ""));
    cleo->sent.n = bob->sent.n = 0;
    desk_say(cleo, "resolveContact", desk_about(id, ""));
    cr_expect(
        desk_got(cleo, "[\"resolveError\",{\"event\":\"resolveContact\",\"code\":\"forbidden\""),
        "%s", take(&cleo->sent));
    desk_say(bob, "resolveContact", desk_about(id, ""));
    bob->sent.n = 0;
    desk_say(bob, "resolveContact", desk_about(id, ""));
    cr_expect(desk_got(bob, "\"error\":\"Contact already resolved\""), "%s", take(&bob->sent));
    bob->sent.n = 0;
    desk_say(bob, "resolveContact", "\"contact_1_none\"");
    cr_expect(desk_got(bob, "\"code\":\"not_found\",\"error\":\"Contact not found\""), "%s",
              take(&bob->sent));
    free_session(ann), free_session(bob), free_session(cleo);
}

Test(desk_end, a_forged_link_rates_nothing)
{
    struct eio_session *ann = desk_client(NULL);

    ann->sent.n = 0;
    desk_say(ann, "rateContact", "{\"token\":\"rate.9999999999.contact_1_a.AAAA\",\"score\":5}");
    cr_expect(desk_got(ann, "\"code\":\"forbidden\""), "%s", take(&ann->sent));
    free_session(ann);
}

Test(desk_end, opened_again_it_goes_to_who_had_it)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB), *eve = desk_client(NULL);
    const char *id = desk_form(ann);

    desk_say(bob, "claimContact", desk_about(id, ""));
    desk_say(bob, "resolveContact", desk_about(id, ""));
    desk_say(eve, "reopenContact", desk_about(id, ""));
    cr_expect(contact_is_resolved(fs_contact(str_z(id))), "not by a stranger");
    bob->sent.n = 0;
    desk_wait(1);
    desk_say(ann, "reopenContact", desk_about(id, ""));
    cr_expect(desk_got(bob, "\"by\":\"visitor\",\"status\":\"pending\"}]"), "%s", take(&bob->sent));
    cr_expect(desk_got(bob, "[\"autoAssignedContact\","));
    cr_expect(contact_is_in_progress(fs_contact(str_z(id))));
    free_session(ann), free_session(bob), free_session(eve);
}
