/* Wiring of the feature: sockets come and go, nodes die, the store comes back. Who does what is in
 * the table at the end. */
#include "contacts/desk/desk_priv.h"

#include "base/conf.h"
#include "base/mem.h"
#include "node/people/people.h"

static void on_store(void *ctx, bool up)
{
    struct desk *d = ctx;

    if (!up) return;
    desk_due_ask(d);
    notice_ask(d->app->notice);
}

static void *open_desk(struct events *e)
{
    struct desk *d = MEM_NEW(struct desk);

    d->events = e;
    d->app = events_app(e);
    d->store = d->app->store;
    d->conf = events_conf(e);
    d->nsp = sio_nsp_get(events_sio(e), STR("/contacts"));
    d->forms = forms_new(d->conf, events_adapter(e));
    token_keys_init(&d->keys, d->conf->jwt_secret, d->conf->jwt_secret_previous);
    desk_rules_init(d);
    if (!assign_policy_of(str_z(d->conf->assign_policy), &d->policy)) d->policy = ASSIGN_LEAST_BUSY;
    list_init(&d->calls);
    typing_init(&d->typing, events_loop(e), desk_on_typing_ended, d);
    desk_queue_init(d);
    desk_due_init(d);
    d->app->desk = d;
    d->app->events = e;
    store_watch(d->store, on_store, d);
    return d;
}

static void close_desk(void *state)
{
    struct desk *d = state;

    store_watch(d->store, NULL, NULL);
    d->app->desk = NULL;
    d->app->events = NULL;
    desk_due_fini(d);
    desk_queue_fini(d);
    typing_fini(&d->typing);
    forms_free(d->forms);
    desk_calls_close(d);
    mem_free(d);
}

static void on_connect(void *state, struct sio_socket *s, const struct identity *who)
{
    struct desk *d = state;
    struct sb room = {0};

    if (sio_socket_nsp(s) != d->nsp) return;
    if (who->email.n && who->email.n < 200) {
        desk_email_room(who->email, &room);
        (void)!sio_socket_join(s, sb_view(&room));
        sb_fini(&room);
    }
    if (who->role < ROLE_ADMIN) return;
    (void)!sio_socket_join(s, DESK_AGENTS);
    desk_agents_enter(d, s, who);
}

static void on_last_device(void *state, const struct people_user *u)
{
    desk_agents_gone(state, u->id_text);
}

static void on_node_lost(void *state, struct str node)
{
    struct desk *d = state;

    (void)node; /* whose deadlines and letters are anybody's now */
    desk_due_ask(d);
    notice_ask(d->app->notice);
}

static void on_state(void *state, bool connected)
{
    struct desk *d = state;

    if (!connected) return;
    desk_due_ask(d);
    notice_ask(d->app->notice);
}

static void on_message(void *state, struct str from, struct str payload)
{
    (void)from;
    if (str_starts(payload, STR("q "))) desk_queue_on_message(state, str_skip(payload, 2));
}

static const struct event_row rows[] = {
    {EVENT(submitContactForm), .handle = desk_on_submit, .is_askable = true},
    {EVENT(claimContact), .handle = desk_on_claim, .is_askable = true},
    {EVENT(requeueContact), .handle = desk_on_requeue},
    {EVENT(transferContact), .handle = desk_on_transfer},
    {EVENT(sendContactMessage), .handle = desk_on_message, .is_askable = true},
    {EVENT(joinContactChat), .handle = desk_on_join},
    {EVENT(contactTyping), .handle = desk_on_typing},
    {EVENT(markContactRead), .handle = desk_on_read},
    {EVENT(resolveContact), .handle = desk_on_resolve, .is_askable = true},
    {EVENT(reopenContact), .handle = desk_on_reopen, .is_askable = true},
    {EVENT(rateContact), .handle = desk_on_rate, .is_askable = true},
    {EVENT(addContactNote), .handle = desk_on_note, .is_askable = true},
    {EVENT(tagContact), .handle = desk_on_tag},
    {EVENT(setContactPriority), .handle = desk_on_priority},
    {EVENT(listCannedReplies), .handle = desk_on_canned_list},
    {EVENT(saveCannedReply), .handle = desk_on_canned_save},
    {EVENT(deleteCannedReply), .handle = desk_on_canned_delete},
    {EVENT(getPendingContacts), .handle = desk_on_pending},
    {EVENT(listContacts), .handle = desk_on_list},
    {EVENT(getContact), .handle = desk_on_get},
    {EVENT(getTranscript), .handle = desk_on_transcript},
    {EVENT(getContactStats), .handle = desk_on_stats, .is_askable = true},
    {EVENT(setAgentStatus), .handle = desk_on_set_status},
    {EVENT(listAgents), .handle = desk_on_list_agents},
    {0}};

const struct feature feature_desk = {.name = "desk",
                                     .events = rows,
                                     .open = open_desk,
                                     .close = close_desk,
                                     .on_connect = on_connect,
                                     .on_last_device = on_last_device,
                                     .on_node_lost = on_node_lost,
                                     .on_state = on_state,
                                     .on_message = on_message};
