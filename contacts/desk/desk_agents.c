/* Agents: documents of the store, made when they first sign in. Somebody is gone when no device was
 * there for AGENT_GONE_MS, on whatever node they were: the deadline is in the document. */
#include "contacts/desk/desk_priv.h"

#include "base/conf.h"
#include "base/log.h"
#include "node/people/people.h"

void desk_agents_put(const struct agent *a, struct sb *out)
{
    const struct record_field *skills = record_field_of(&record_agent, "skills");
    struct sb list = {0}, array = {0};

    if (a->skills.count) record_list_put(skills, a, &list);
    out_agent_status_encode(
        &array, &(struct out_agent_status){.agent_id = a->ref.n ? a->ref : STR("\"\""),
                                           .name = a->name,
                                           .available = a->available,
                                           .online = a->online,
                                           .capacity = a->capacity,
                                           .load = a->slots.count,
                                           .skills = list.n ? sb_view(&list) : STR("[]")});
    sb_put(out, array.p + strlen("[\"agentStatus\","), array.n - strlen("[\"agentStatus\",]"));
    sb_fini(&list);
    sb_fini(&array);
}

void desk_agents_say(struct desk *d, const struct agent *a)
{
    struct sio_cast to = desk_to_agents(d);
    struct sb array = {0};

    sb_z(&array, "[\"agentStatus\",");
    desk_agents_put(a, &array);
    sb_char(&array, ']');
    sio_cast_emit(&to, sb_view(&array), NULL, 0);
    sb_fini(&array);
}

/* ---- coming ---- */

struct enter {
    bool is_news;
};

/* As the token says. */
static void introduce(const struct desk_call *call, struct agent *a)
{
    const struct desk_actor *who = &call->actor;

    if (!a->version) {
        a->capacity = (int64_t)call->desk->conf->agent_capacity;
        a->available = true;
    }
    a->ref = who->ref;
    a->name = who->name;
    a->email = who->email;
    a->role = str_z(identity_role_name(who->role));
    a->online = true;
}

static int decide_enter(void *ctx, struct agent *a, struct arena *mem)
{
    struct desk_call *call = ctx;
    struct enter *e = call->op;
    const struct desk_actor *who = &call->actor;

    (void)mem;
    if (!call->desk) return ERR_CLOSED;
    e->is_news = !a->version || !a->online || a->gone_at;
    if (!e->is_news && str_eq(a->name, who->name) && str_eq(a->email, who->email) &&
        str_eq(a->role, str_z(identity_role_name(who->role))))
        return STORE_KEEP;
    introduce(call, a);
    a->seen_at = desk_now();
    a->gone_at = a->next_at = 0;
    a->next_kind = STR_NONE;
    return OK;
}

static void on_entered(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct enter *e = call->op;
    struct desk *d = call->desk;
    struct sio_socket *s;
    struct sb room = {0};

    if (desk_call_is_over(call)) return;
    s = sio_socket_find(d->nsp, call->actor.socket);
    for (unsigned i = 0; r->rc == OK && s && i < r->agent->slots.count; i++) {
        room.n = 0;
        desk_room(r->agent->slots.at[i].contact, &room);
        (void)!sio_socket_join(s, sb_view(&room)); /* over MAX_ROOMS: by joinContactChat */
    }
    sb_fini(&room);
    if (r->rc == OK && e->is_news) {
        desk_agents_say(d, r->agent);
        desk_queue_changed(d, 0);
        desk_assign_waiting(d);
    }
    desk_call_free(call);
}

void desk_agents_enter(struct desk *d, struct sio_socket *s, const struct identity *who)
{
    struct desk_call *call = desk_call_own(d, STR_NONE, sizeof(struct enter));
    struct desk_actor *a = &call->actor;

    a->id = arena_str(&call->mem, who->id_text);
    a->ref = arena_str(&call->mem, who->id);
    a->name = arena_str(&call->mem, who->name);
    a->email = arena_str(&call->mem, who->email);
    a->socket = arena_str(&call->mem, sio_socket_id(s));
    a->role = who->role;
    store_agent_change(d->store, a->id, decide_enter, on_entered, call);
}

/* ---- going ---- */

static int decide_gone(void *ctx, struct agent *a, struct arena *mem)
{
    struct desk_call *call = ctx;

    (void)mem;
    if (!call->desk) return ERR_CLOSED;
    if (!a->version || a->gone_at) return STORE_KEEP; /* no agent, or known */
    if (people_here(events_people(call->desk->events), call->actor.id)) return STORE_KEEP;
    a->gone_at = a->seen_at = desk_now();
    a->next_at = a->gone_at + (int64_t)call->desk->conf->agent_gone_ms;
    a->next_kind = STR("gone");
    return OK;
}

static void on_gone(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;

    if (desk_call_is_over(call)) return;
    if (r->rc == OK && r->agent) desk_due_at(call->desk, r->agent->next_at);
    desk_call_free(call);
}

/* The last device of somebody has gone, also by the death of its node. */
void desk_agents_gone(struct desk *d, struct str id)
{
    struct desk_call *call = desk_call_own(d, STR_NONE, 0);

    call->actor.id = arena_str(&call->mem, id);
    store_agent_change(d->store, call->actor.id, decide_gone, on_gone, call);
}

/* ---- gone for long ---- */

static int decide_away(void *ctx, struct agent *a, struct arena *mem)
{
    struct desk_call *call = ctx;

    (void)mem;
    if (!call->desk) return ERR_CLOSED;
    if (!a->version || !a->gone_at) {
        if (!a->next_at) return STORE_KEEP;
        a->next_at = 0; /* came back while the deadline was being taken */
        return OK;
    }
    a->online = false;
    a->next_at = 0;
    a->next_kind = STR_NONE;
    return OK;
}

static void on_away(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct desk *d = call->desk;
    const struct agent *a = r->agent;

    if (desk_call_is_over(call)) return;
    if (r->rc == OK && !a->online) {
        LOG_INFO("agent.gone", LOG_S("agent", a->id), LOG_U("contacts", a->slots.count));
        for (unsigned i = 0; i < a->slots.count; i++)
            desk_take_away(d, a->slots.at[i].contact, a->id);
        desk_agents_say(d, a);
        desk_queue_changed(d, 0);
    }
    desk_call_free(call);
}

void desk_agents_due(struct desk *d, const struct agent *a)
{
    struct desk_call *call = desk_call_own(d, STR_NONE, 0);

    store_agent_change(d->store, a->id, decide_away, on_away, call);
}

/* ---- setAgentStatus ---- */

struct status {
    struct str id;
    bool has_available, available, has_capacity, has_skills;
    int64_t capacity;
    struct str *skills;
    unsigned skills_count;
};

static int decide_status(void *ctx, struct agent *a, struct arena *mem)
{
    struct desk_call *call = ctx;
    struct status *s = call->op;

    (void)mem;
    if (!call->desk) return ERR_CLOSED;
    if (!a->version && !str_eq(s->id, call->actor.id)) return ERR_NOT_FOUND;
    if (!a->version) introduce(call, a); /* overtook the coming */
    if (s->has_available) a->available = s->available;
    if (s->has_capacity) a->capacity = s->capacity;
    if (s->has_skills) a->skills = (struct record_texts){s->skills, s->skills_count};
    return OK;
}

static void on_status(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct desk *d = call->desk;

    if (desk_call_is_over(call)) return;
    if (r->rc != OK) {
        desk_call_refuse(call, r->rc, r->rc == ERR_NOT_FOUND ? STR("No such agent") : STR_NONE,
                         STR_NONE);
        return;
    }
    desk_agents_say(d, r->agent);
    desk_call_ok(call, STR_NONE);
    desk_queue_changed(d, 0);
    desk_assign_waiting(d);
}

int desk_on_set_status(struct event_ctx *c, const union event_in *in)
{
    const struct in_set_agent_status *x = &in->set_agent_status;
    struct desk_call *call = desk_call_new(c, STR_NONE, sizeof(struct status));
    struct status *s = call->op;
    struct sb scratch = {0};
    struct str id = x->agent_id;

    if (id.n > 1 && id.p[0] == '"') (void)!json_text((struct json){JSON_STRING, id}, &scratch, &id);
    s->id = id.n ? arena_str(&call->mem, id) : call->actor.id;
    sb_fini(&scratch);
    if (!str_eq(s->id, call->actor.id) && call->actor.role < ROLE_SUPERADMIN) {
        desk_call_refuse(call, ERR_FORBIDDEN, STR_NONE, STR_NONE);
        return OK;
    }
    s->has_available = x->has_available;
    s->available = x->available;
    s->has_capacity = x->has_capacity;
    s->capacity = x->capacity;
    s->has_skills = x->skills_count > 0;
    s->skills = arena_new(&call->mem, x->skills_count + 1, sizeof *s->skills);
    for (unsigned i = 0; i < x->skills_count; i++)
        s->skills[s->skills_count++] = arena_str(&call->mem, x->skills[i]);
    store_agent_change(call->desk->store, s->id, decide_status, on_status, call);
    return OK;
}

/* ---- listAgents ---- */

static void on_list(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct sb list = {0}, array = {0};

    if (desk_call_is_over(call)) return;
    if (r->rc != OK) {
        desk_call_refuse(call, r->rc, STR_NONE, STR_NONE);
        return;
    }
    for (unsigned i = 0; i < r->agents_count; i++) {
        sb_char(&list, i ? ',' : '[');
        desk_agents_put(&r->agents[i], &list);
    }
    sb_z(&list, r->agents_count ? "]" : "[]");
    out_agent_list_encode(&array, &(struct out_agent_list){.agents = sb_view(&list)});
    desk_call_answer(call, sb_view(&array));
    sb_fini(&list);
    sb_fini(&array);
}

int desk_on_list_agents(struct event_ctx *c, const union event_in *in)
{
    struct desk_call *call = desk_call_new(c, STR_NONE, 0);

    (void)in;
    store_agent_list(call->desk->store, on_list, call);
    return OK;
}
