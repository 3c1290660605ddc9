#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <criterion/criterion.h>
#include "contacts/pages/pages.h"
#include "tests/unit/support/fake_edge.h"

static char folder[] = "/tmp/ingoma-pages-XXXXXX";
static const char *const files[] = {"admin/index.html", "admin/app.js", "widget/index.html"};
static struct pages *pages;
static struct fake_edge edge;

static void on_request(void *ctx, struct pipe *p, const struct http_request *r)
{
    (void)ctx;
    if (!pages_on_request(pages, p, r)) pipe_reply(p, &(struct http_reply){.status = 404});
}

static const char *path_of(const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void up(void)
{
    static const struct edge_handler handler = {.on_request = on_request};

    cr_assert(mkdtemp(folder));
    cr_assert_eq(mkdir(path_of("admin"), 0700), 0);
    cr_assert_eq(mkdir(path_of("widget"), 0700), 0);
    for (size_t i = 0; i < 3; i++) {
        FILE *f = fopen(path_of(files[i]), "w");

        cr_assert(f);
        fputs(files[i], f);
        fclose(f);
    }
    pages = pages_new(folder);
    fake_edge_init(&edge, &handler, NULL);
}

static void down(void)
{
    fake_edge_fini(&edge);
    pages_free(pages);
    for (size_t i = 0; i < 3; i++)
        unlink(path_of(files[i]));
    rmdir(path_of("admin"));
    rmdir(path_of("widget"));
    rmdir(folder);
}

TestSuite(pages, .init = up, .fini = down);

Test(pages, each_has_its_folder)
{
    static const struct {
        const char *request, *body;
    } rows[] = {
        {"GET /admin/\n", "admin/index.html"},
        {"GET /admin/app.js\n", "admin/app.js"},
        {"GET /widget/\n", "widget/index.html"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fake_pipe *p = fake_request(&edge, rows[i].request);

        cr_expect_eq(p->status, 200, "%s", rows[i].request);
        cr_expect_str_eq(fake_body_z(p), rows[i].body);
        cr_expect(strstr(rows[i].body, ".html") == NULL ||
                      strstr(fake_headers_z(p), "Content-Security-Policy: "),
                  "%s", rows[i].request);
    }
}

Test(pages, without_the_slash_leads_to_it)
{
    struct fake_pipe *p = fake_request(&edge, "GET /admin?x=1\n");

    cr_expect_eq(p->status, 308);
    cr_expect(strstr(fake_headers_z(p), "Location: /admin/\r\n"));
}

Test(pages, nothing_else_is_there)
{
    static const char *const paths[] = {"GET /\n",
                                        "GET /administrator\n",
                                        "GET /admin/none.js\n",
                                        "GET /admin/../widget/index.html\n",
                                        "GET /widget/app.js\n",
                                        "POST /admin\n"};

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        cr_expect_eq(fake_request(&edge, paths[i])->status, 404, "%s", paths[i]);
}

Test(pages, no_folder_no_pages)
{
    pages_free(pages);
    pages = pages_new("");
    cr_expect_eq(fake_request(&edge, "GET /admin/\n")->status, 404);
}
