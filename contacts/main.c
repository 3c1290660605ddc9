/* ingoma-contacts: forms of visitors, the desk of the agents, the chat between the two. Read
 * desk/app.h, then desk/desk.h; what it keeps: store/store.h. */
#include <stdio.h>
#include "base/mem.h"
#include "contacts/desk/app.h"
#include "contacts/desk/desk.h"
#include "contacts/notice/notice.h"
#include "contacts/pages/login.h"
#include "contacts/pages/pages.h"
#include "contacts/rest/rest.h"
#include "contacts/store/store.h"
#include "contacts/desk/terms.h"
#include "node/features/ping/ping.h"
#include "node/run.h"

struct service {
    struct contacts_app app; /* first: what events_app gives */
    struct pages *pages;
    struct login *login;
    struct rest *rest;
};

/* kind "socket" of the outbox */
static bool tell_agents(void *ctx, const struct outbox *o, void (*told)(void *letter, int rc),
                        void *letter)
{
    struct contacts_app *app = ctx;

    return app->desk && desk_tell_letter(app->desk, o, told, letter);
}

/* Of the rest: the people and limits of the sockets. */
static struct events *events_of(void *ctx)
{
    return ((struct contacts_app *)ctx)->events;
}

static void on_letters(void *ctx)
{
    notice_ask(((struct contacts_app *)ctx)->notice);
}

static void stop(void *ctx)
{
    struct service *s = ctx;

    if (s->rest) rest_free(s->rest);
    if (s->app.notice) notice_free(s->app.notice);
    if (s->app.store) store_close(s->app.store);
    hours_free(s->app.hours);
    login_free(s->login);
    pages_free(s->pages);
    mem_free(s);
}

static void *start(struct loop *l, const struct conf *c, char **why)
{
    struct service *s = MEM_NEW(struct service);
    const struct notice_hooks hooks = {.tell_agents = tell_agents, .ctx = &s->app};

    s->app.loop = l;
    s->app.conf = c;
    if (terms_read(c, &s->app.hours, &s->app.sla, why) != OK ||
        store_open(l, c, &s->app.store, why) != OK ||
        !(s->app.notice = notice_new(l, c, s->app.store, &hooks, why))) {
        stop(s);
        return NULL;
    }
    s->pages = pages_new(c->pages_dir);
    s->login = login_new(c);
    s->rest = rest_new(&(struct rest_seams){.conf = c,
                                            .store = s->app.store,
                                            .events = events_of,
                                            .on_letters = on_letters,
                                            .ctx = &s->app});
    return s;
}

static bool on_request(void *ctx, struct pipe *p, const struct http_request *r)
{
    struct service *s = ctx;

    return rest_on_request(s->rest, p, r) || login_on_request(s->login, p, r) ||
           pages_on_request(s->pages, p, r);
}

static void on_body(void *ctx, struct pipe *p, int rc, struct str body)
{
    struct service *s = ctx;

    if (!rest_on_body(s->rest, p, rc, body)) (void)login_on_body(s->login, p, rc, body);
}

static void on_gone(void *ctx, struct pipe *p)
{
    (void)rest_on_gone(((struct service *)ctx)->rest, p); /* others hold nothing for a pipe */
}

int main(int argc, char **argv)
{
    static const char *const namespaces[] = {"/contacts", NULL};
    static const struct feature *const features[] = {&feature_auth, &feature_desk, &feature_ping,
                                                     NULL};
    static const char *const defaults[] = {"ADAPTER_PREFIX", "contacts", "MAX_ROOMS", "1000", NULL};
    static const struct node_http http = {
        .on_request = on_request, .on_body = on_body, .on_gone = on_gone};
    static const struct node_app app = {.name = "contacts",
                                        .port = "5008",
                                        .ops_port = "5108",
                                        .namespaces = namespaces,
                                        .features = features,
                                        .start = start,
                                        .stop = stop,
                                        .http = &http,
                                        .defaults = defaults};

    return node_run(&app, argc, argv);
}
