/* Two folders of static files under two paths. */
#include "contacts/pages/pages.h"

#include "base/mem.h"
#include "node/ops/files.h"

enum { PAGES = 2 };

static const char *const names[PAGES] = {"admin", "widget"};

struct pages {
    struct ops_files *files[PAGES]; /* NULL: no folder was given */
};

struct pages *pages_new(const char *folder)
{
    struct pages *p = MEM_NEW(struct pages);
    struct sb path = {0};

    for (int i = 0; folder[0] && i < PAGES; i++) {
        path.n = 0;
        sb_printf(&path, "%s/%s", folder, names[i]);
        sb_char(&path, 0);
        p->files[i] = ops_files_new(path.p);
    }
    sb_fini(&path);
    return p;
}

void pages_free(struct pages *p)
{
    if (!p) return;
    for (int i = 0; i < PAGES; i++)
        if (p->files[i]) ops_files_free(p->files[i]);
    mem_free(p);
}

/* With the slash at the end, so that the page's own names are beside it. */
static void redirect(struct pipe *pipe, const char *name)
{
    struct sb line = {0};
    struct http_reply r = {.status = 308};

    sb_printf(&line, "Location: /%s/\r\n", name);
    r.headers = sb_view(&line);
    pipe_reply(pipe, &r);
    sb_fini(&line);
}

bool pages_on_request(const struct pages *p, struct pipe *pipe, const struct http_request *r)
{
    for (int i = 0; i < PAGES; i++) {
        struct str name = str_z(names[i]), rest;

        if (!p->files[i] || !r->path.n || !str_starts(str_skip(r->path, 1), name)) continue;
        rest = str_skip(r->path, 1 + name.n);
        if (!rest.n && (r->method == HTTP_GET || r->method == HTTP_HEAD)) {
            redirect(pipe, names[i]);
            return true;
        }
        if (!rest.n || rest.p[0] != '/') continue;
        rest = rest.n == 1 ? STR("index.html") : str_skip(rest, 1);
        return ops_files_serve(p->files[i], rest, pipe, r);
    }
    return false;
}
