/* SMTP by libcurl's easy interface, in a worker. What both threads see is the job, which belongs to
 * one of them at a time, and the one word that breaks a mail off. */
#include "base/mailer.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "base/mem.h"
#include "base/pool.h"
#include "base/forbid.h"

enum { QUEUE_MAX = 256, QUIT_S = 3 };

struct mailer {
    struct pool *pool;
    char *url, *ca_file;
    long timeout_ms;
    bool has_password;
    atomic_bool is_ending;
};

struct mail_job {
    struct pool_job job;
    struct mailer *owner;
    char *from, *to; /* in brackets */
    struct sb bytes;
    size_t sent;
    CURLcode rc;
    long status;
    char why[CURL_ERROR_SIZE];
    void (*done)(void *ctx, const struct mailer_answer *a);
    void *ctx;
};

bool mailer_url_is_good(const char *url)
{
    struct str s = str_z(url);
    bool is_plain = str_starts_nocase(s, STR("smtp://"));

    if (!is_plain && !str_starts_nocase(s, STR("smtps://"))) return false;
    s = str_skip(s, is_plain ? 7 : 8);
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] > '~') return false;
    return s.n > 0;
}

/* ---- in the worker ---- */

static size_t on_read(char *to, size_t size, size_t n, void *ctx)
{
    struct mail_job *j = ctx;
    size_t left = j->bytes.n - j->sent;

    n = n * size < left ? n * size : left;
    if (n) memcpy(to, j->bytes.p + j->sent, n);
    j->sent += n;
    return n;
}

static int on_progress(void *ctx, curl_off_t dt, curl_off_t dn, curl_off_t ut, curl_off_t un)
{
    struct mail_job *j = ctx;

    (void)dt, (void)dn, (void)ut, (void)un;
    return atomic_load(&j->owner->is_ending);
}

static void set_server(CURL *easy, const struct mailer *m)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(easy, CURLOPT_URL, m->url);
    /* a password never goes over a line that others can read */
    curl_easy_setopt(easy, CURLOPT_USE_SSL,
                     (long)(m->has_password ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, m->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)QUIT_S);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    if (m->ca_file) curl_easy_setopt(easy, CURLOPT_CAINFO, m->ca_file);
}

static void run(struct pool_job *job, void *worker)
{
    struct mail_job *j = LIST_OWNER(job, struct mail_job, job);
    struct curl_slist *to = curl_slist_append(NULL, j->to);
    CURL *easy = curl_easy_init();

    (void)worker;
    if (!easy || !to) abort();
    set_server(easy, j->owner);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, j->why);
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, j->from);
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, j);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)j->bytes.n);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, j);
    j->rc = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &j->status);
    curl_easy_cleanup(easy);
    curl_slist_free_all(to);
}

/* ---- on the loop ---- */

static int code_of(const struct mail_job *j)
{
    if (j->job.is_cancelled || j->rc == CURLE_ABORTED_BY_CALLBACK) return ERR_CLOSED;
    if (j->rc == CURLE_OK) return OK;
    if (j->rc == CURLE_OPERATION_TIMEDOUT) return ERR_TIMEOUT;
    if (j->rc == CURLE_URL_MALFORMAT || j->rc == CURLE_UNSUPPORTED_PROTOCOL) return ERR_CONFIG;
    /* a login that is refused is the operator's to mend: the mail itself is good */
    if (j->rc != CURLE_LOGIN_DENIED && j->status >= 500 && j->status < 600) return ERR_FORBIDDEN;
    return ERR_IO;
}

static void on_done(struct pool_job *job)
{
    struct mail_job *j = LIST_OWNER(job, struct mail_job, job);
    struct mailer_answer a = {.rc = code_of(j), .status = (unsigned)j->status};

    if (a.rc != OK) a.why = j->why[0] ? j->why : curl_easy_strerror(j->rc);
    if (a.rc == ERR_CLOSED) a.why = "this node is ending";
    j->done(j->ctx, &a);
    mem_free(j->from);
    mem_free(j->to);
    sb_fini(&j->bytes);
    mem_free(j);
}

static char *in_brackets(struct str address)
{
    struct sb b = {0};

    sb_char(&b, '<');
    sb_str(&b, address);
    sb_z(&b, ">");
    sb_char(&b, 0);
    return b.p;
}

int mailer_send(struct mailer *m, const struct mailer_mail *mail,
                void (*done)(void *ctx, const struct mailer_answer *a), void *ctx)
{
    struct mail_job *j;

    if (pool_waiting(m->pool) >= QUEUE_MAX) return ERR_LIMIT;
    j = MEM_NEW(struct mail_job);
    j->job = (struct pool_job){.run = run, .done = on_done};
    j->owner = m;
    j->from = in_brackets(mail->from);
    j->to = in_brackets(mail->to);
    sb_str(&j->bytes, mail->bytes);
    j->done = done;
    j->ctx = ctx;
    return pool_put(m->pool, &j->job);
}

static bool has_password(struct str url)
{
    struct str scheme, rest, host, path;

    (void)str_cut(url, '/', &scheme, &rest);
    (void)str_cut(str_skip(rest, 1), '/', &host, &path);
    return str_find(host, '@') < host.n;
}

struct mailer *mailer_new(struct loop *l, const struct mailer_conf *c)
{
    /* room for one more than mailer_send lets in: what is put is never refused */
    const struct pool_conf pool = {.name = "mail", .workers = 1, .queue = QUEUE_MAX + 1};
    struct mailer *m = MEM_NEW(struct mailer);

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) abort();
    m->url = str_dup(str_z(c->url));
    if (c->ca_file && c->ca_file[0]) m->ca_file = str_dup(str_z(c->ca_file));
    m->timeout_ms = c->timeout_ms < 3600000 ? (long)c->timeout_ms : 3600000;
    m->has_password = has_password(str_z(c->url));
    m->pool = pool_new(l, &pool);
    return m;
}

void mailer_free(struct mailer *m)
{
    if (!m) return;
    atomic_store(&m->is_ending, true);
    pool_stop(m->pool);
    mem_free(m->url);
    mem_free(m->ca_file);
    mem_free(m);
    curl_global_cleanup();
}
