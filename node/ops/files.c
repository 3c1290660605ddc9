/* Static files. See files.h. Blocking reads happen at start only. */
#include "node/ops/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/sha1.h"

#define FILES_MAX 64
#define FILE_BYTES_MAX (4 << 20)

struct file {
    char *name;
    struct sb content;
    char etag[2 * 10 + 3]; /* quoted, half a SHA-1: a version, not a secret */
    struct str type;
};

struct ops_files {
    struct map by_name;
};

static struct str type_of(struct str name)
{
    static const struct {
        struct str ending, type;
    } rows[] = {{STR(".html"), STR("text/html; charset=utf-8")},
                {STR(".css"), STR("text/css; charset=utf-8")},
                {STR(".js"), STR("text/javascript; charset=utf-8")},
                {STR(".map"), STR("application/json")},
                {STR(".json"), STR("application/json")},
                {STR(".svg"), STR("image/svg+xml")},
                {STR(".png"), STR("image/png")},
                {STR(".ico"), STR("image/x-icon")}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str e = rows[i].ending;

        if (name.n > e.n && str_eq(str_skip(name, name.n - e.n), e)) return rows[i].type;
    }
    return STR("application/octet-stream");
}

static int read_whole(int fd, struct sb *out)
{
    struct stat st;
    ssize_t n;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX) return ERR_IO;
    sb_reserve(out, (size_t)st.st_size + 1);
    while ((n = read(fd, out->p + out->n, out->cap - out->n)) > 0) {
        out->n += (size_t)n;
        if (out->n > FILE_BYTES_MAX) return ERR_TOO_BIG;
        sb_reserve(out, 4096);
    }
    return n == 0 ? OK : ERR_IO;
}

static void file_free(struct file *f)
{
    sb_fini(&f->content);
    mem_free(f->name);
    mem_free(f);
}

static void add(struct ops_files *files, int folder_fd, const char *name)
{
    static const char hex[] = "0123456789abcdef";
    int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct file *f;
    unsigned char digest[SHA1_SIZE];

    if (fd < 0) return;
    f = MEM_NEW(struct file);
    f->name = str_dup(str_z(name));
    if (read_whole(fd, &f->content) == OK) {
        sha1(sb_view(&f->content), digest);
        f->etag[0] = f->etag[21] = '"';
        for (int i = 0; i < 10; i++) {
            f->etag[1 + 2 * i] = hex[digest[i] >> 4];
            f->etag[2 + 2 * i] = hex[digest[i] & 15];
        }
        f->type = type_of(str_z(name));
        map_put(&files->by_name, str_z(f->name), f);
    } else {
        LOG_WARN("ops.file_unreadable", LOG_Z("file", name));
        file_free(f);
    }
    close(fd);
}

struct ops_files *ops_files_new(const char *folder)
{
    struct ops_files *files = MEM_NEW(struct ops_files);
    DIR *d = opendir(folder);
    struct dirent *entry;

    if (!d) {
        LOG_WARN("ops.no_static_folder", LOG_Z("folder", folder));
        return files;
    }
    while (files->by_name.count < FILES_MAX && (entry = readdir(d)))
        if (entry->d_name[0] != '.') add(files, dirfd(d), entry->d_name);
    closedir(d);
    return files;
}

void ops_files_free(struct ops_files *files)
{
    struct file *f;

    if (!files) return;
    for (size_t i = 0; (f = map_next(&files->by_name, &i));)
        file_free(f);
    map_fini(&files->by_name);
    mem_free(files);
}

static void headers_of(const struct file *f, struct sb *out)
{
    sb_z(out, "ETag: ");
    sb_z(out, f->etag);
    sb_z(out, "\r\nCache-Control: public, max-age=0\r\nX-Content-Type-Options: nosniff\r\n"
              "Referrer-Policy: no-referrer\r\n");
    if (str_starts(f->type, STR("text/html")))
        sb_z(out,
             "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
             "img-src 'self'; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; "
             "frame-ancestors 'none'\r\n");
}

bool ops_files_serve(const struct ops_files *files, struct str name, struct pipe *p,
                     const struct http_request *r)
{
    const struct file *f = files ? map_get(&files->by_name, name) : NULL;
    struct http_reply reply = {.status = 200};
    struct sb lines = {0};

    if (!f || (r->method != HTTP_GET && r->method != HTTP_HEAD)) return false;
    headers_of(f, &lines);
    reply.headers = sb_view(&lines);
    if (str_contains(http_header(r, STR("if-none-match")), str_z(f->etag))) {
        reply.status = 304;
    } else {
        reply.content_type = f->type;
        reply.body = sb_view(&f->content);
    }
    pipe_reply(p, &reply);
    sb_fini(&lines);
    return true;
}
