/* Static files: only what was in the folder exists; ETag and the content security policy. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <criterion/criterion.h>
#include "node/ops/files.h"
#include "tests/unit/support/fake_edge.h"

static struct ops_files *files;
static bool served;
static struct fake_edge edge;
static char folder[] = "/tmp/ingoma-files-XXXXXX";

static void on_request(void *ctx, struct pipe *p, const struct http_request *r)
{
    struct http_reply none = {.status = 404};

    (void)ctx;
    served = ops_files_serve(files, str_skip(r->path, 1), p, r);
    if (!served) pipe_reply(p, &none);
}

static void put(const char *name, const char *text)
{
    char path[128];
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "w");
    cr_assert(f);
    fputs(text, f);
    fclose(f);
}

static void set_up(void)
{
    static const struct edge_handler handler = {.on_request = on_request};

    cr_assert(mkdtemp(folder));
    put("index.html", "<p>drum</p>");
    put("app.js", "1");
    put(".hidden", "no");
    files = ops_files_new(folder);
    fake_edge_init(&edge, &handler, NULL);
}

static void tear_down(void)
{
    char path[128];
    static const char *const names[] = {"index.html", "app.js", ".hidden"};

    for (int i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
    fake_edge_fini(&edge);
    ops_files_free(files);
}

TestSuite(ops_files, .init = set_up, .fini = tear_down);

Test(ops_files, serves_a_page_with_its_policy)
{
    struct fake_pipe *p = fake_request(&edge, "GET /index.html\n");

    cr_expect_eq(p->status, 200);
    cr_expect_str_eq(fake_body_z(p), "<p>drum</p>");
    cr_expect(str_contains(sb_view(&p->type), STR("text/html")));
    cr_expect(
        str_contains(sb_view(&p->headers), STR("Content-Security-Policy: default-src 'none'")));
    cr_expect_not(str_contains(sb_view(&p->headers), STR("unsafe")));
}

Test(ops_files, answers_304_to_the_version_it_gave)
{
    struct fake_pipe *p = fake_request(&edge, "GET /app.js\n");
    struct str lines = sb_view(&p->headers), etag;
    char head[128];

    cr_assert(str_cut(lines, '"', &etag, &lines) && str_cut(lines, '"', &etag, &lines));
    (void)snprintf(head, sizeof head, "GET /app.js\nIf-None-Match: \"" STR_FMT "\"\n",
                   STR_ARG(etag));
    cr_expect_eq(fake_request(&edge, head)->status, 304);
    cr_expect_eq(fake_request(&edge, "GET /app.js\nIf-None-Match: \"other\"\n")->status, 200);
}

Test(ops_files, knows_no_other_names)
{
    static const char *const heads[] = {"GET /.hidden\n", "GET /../etc/passwd\n", "GET /none.js\n",
                                        "GET /%2e%2e/app.js\n", "POST /app.js\n"};

    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        (void)fake_request(&edge, heads[i]);
        cr_expect_not(served, "%s", heads[i]);
    }
}
