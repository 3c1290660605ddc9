/* libcurl's multi interface on the loop: it says which descriptors and which time it waits for.
 *
 * What libcurl would block on is kept away: a name that is still looked up when its call ends is
 * left to its thread (QUICK_EXIT), and protocols that say good-bye and wait (SMTP) are not spoken
 * here. Never follows a redirect, never keeps a cookie. */
#include "base/outbound.h"

#include <curl/curl.h>
#include <stdlib.h>
#include "base/list.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/forbid.h"

enum { HEADERS_MAX = 65536, CONNECTIONS_KEPT = 8 };
enum result { RESULT_OK, RESULT_STATUS, RESULT_TIMEOUT, RESULT_FAILED };

struct outbound {
    struct loop *loop;
    CURLM *multi;
    struct timer timer;
    struct list calls;
    char *ca_file;
};

struct outbound_call {
    struct list node;
    struct outbound *owner;
    CURL *easy;
    struct curl_slist *headers;
    struct sb body;
    size_t max_bytes, headers_bytes;
    bool is_too_big;
    char why[CURL_ERROR_SIZE];
    void (*done)(void *ctx, const struct outbound_answer *a);
    void *ctx;
};

/* ---- answers ---- */

static int code_of(const struct outbound_call *call, CURLcode rc)
{
    long sent = 0;

    if (rc == CURLE_OK) return OK;
    if (call->is_too_big || rc == CURLE_FILESIZE_EXCEEDED) return ERR_TOO_BIG;
    if (rc == CURLE_OPERATION_TIMEDOUT) return ERR_TIMEOUT;
    if (rc != CURLE_URL_MALFORMAT && rc != CURLE_UNSUPPORTED_PROTOCOL) return ERR_IO;
    /* an answer that is no HTTP is an "unsupported protocol" (HTTP/0.9) as well */
    curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &sent);
    return sent ? ERR_IO : ERR_CONFIG;
}

static enum result result_of(const struct outbound_answer *a)
{
    if (a->rc == ERR_TIMEOUT) return RESULT_TIMEOUT;
    if (a->rc != OK) return RESULT_FAILED;
    return a->status >= 200 && a->status < 300 ? RESULT_OK : RESULT_STATUS;
}

void outbound_cancel(struct outbound_call *call)
{
    if (!call) return;
    list_unlink(&call->node);
    curl_multi_remove_handle(call->owner->multi, call->easy);
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    sb_fini(&call->body);
    mem_free(call);
}

static void finish(struct outbound_call *call, CURLcode rc)
{
    struct outbound_answer a = {.rc = code_of(call, rc), .body = sb_view(&call->body)};
    long status = 0;
    curl_off_t retry_after = 0;

    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &retry_after);
    a.status = a.rc == OK ? (unsigned)status : 0;
    if (retry_after > 0) a.retry_after_s = (uint64_t)retry_after;
    if (a.rc == ERR_TOO_BIG)
        a.why = "the answer is too large";
    else if (a.rc != OK)
        a.why = call->why[0] ? call->why : curl_easy_strerror(rc);
    metric_add_at(M_OUTBOUND, result_of(&a), 1);
    /* not in the list any more: who frees the outbound within done does not free this one too */
    list_unlink(&call->node);
    curl_multi_remove_handle(call->owner->multi, call->easy);
    call->done(call->ctx, &a);
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    sb_fini(&call->body);
    mem_free(call);
}

static void finish_all(struct outbound *o)
{
    int left;
    CURLMsg *m;

    while ((m = curl_multi_info_read(o->multi, &left)) != NULL) {
        struct outbound_call *call = NULL;

        if (m->msg != CURLMSG_DONE) continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        finish(call, m->data.result);
    }
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
    struct outbound_call *call = ctx;

    n *= size;
    if (n > call->max_bytes - call->body.n) {
        call->is_too_big = true;
        return 0;
    }
    sb_put(&call->body, p, n);
    return n;
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
    struct outbound_call *call = ctx;

    (void)p;
    n *= size;
    call->headers_bytes += n;
    if (call->headers_bytes <= HEADERS_MAX) return n;
    call->is_too_big = true;
    return 0;
}

/* ---- the loop ---- */

struct watched { /* one descriptor of libcurl's */
    struct outbound *owner;
    struct loop_fd *fd;
    curl_socket_t number;
};

static void on_ready(void *ctx, int what)
{
    const struct watched *w = ctx; /* gone when libcurl closes it within the call */
    struct outbound *o = w->owner;
    int running, bits = (what & LOOP_READ ? CURL_CSELECT_IN : 0) |
                        (what & LOOP_WRITE ? CURL_CSELECT_OUT : 0);

    curl_multi_socket_action(o->multi, w->number, bits, &running);
    finish_all(o);
}

static int on_watch(CURL *easy, curl_socket_t number, int what, void *ctx, void *of_socket)
{
    struct outbound *o = ctx;
    struct watched *w = of_socket;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w) loop_fd_free(w->fd);
        mem_free(w);
        curl_multi_assign(o->multi, number, NULL);
        return 0;
    }
    if (!w) {
        w = MEM_NEW(struct watched);
        w->owner = o;
        w->number = number;
        w->fd = loop_fd_new(o->loop, number, on_ready, w);
        curl_multi_assign(o->multi, number, w);
    }
    loop_fd_want(w->fd,
                 (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0));
    return 0;
}

static int on_wait(CURLM *multi, long ms, void *ctx)
{
    struct outbound *o = ctx;

    (void)multi;
    if (ms < 0)
        loop_timer_stop(o->loop, &o->timer);
    else
        loop_timer(o->loop, &o->timer, (uint64_t)ms); /* 0 too: never from within libcurl */
    return 0;
}

static void on_timer(struct timer *t)
{
    struct outbound *o = LIST_OWNER(t, struct outbound, timer);
    int running;

    curl_multi_socket_action(o->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_all(o);
}

/* ---- requests ---- */

static void set_limits(CURL *easy, const struct outbound *o, const struct outbound_request *r)
{
    long timeout = r->timeout_ms < 3600000 ? (long)r->timeout_ms : 3600000;

    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout ? timeout : 1L);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)r->max_bytes);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "ingoma/" INGOMA_VERSION);
    if (o->ca_file) curl_easy_setopt(easy, CURLOPT_CAINFO, o->ca_file);
}

struct outbound_call *outbound_http(struct outbound *o, const struct outbound_request *r,
                                    void (*done)(void *ctx, const struct outbound_answer *a),
                                    void *ctx)
{
    struct outbound_call *call = MEM_NEW(struct outbound_call);
    CURL *easy = curl_easy_init();

    if (!easy) abort();
    call->owner = o;
    call->easy = easy;
    call->max_bytes = r->max_bytes;
    call->done = done;
    call->ctx = ctx;
    list_init(&call->node);
    list_push(&o->calls, &call->node);
    set_limits(easy, o, r);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->why);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_URL, r->url);
    for (const char *const *line = r->headers; line && *line; line++)
        call->headers = curl_slist_append(call->headers, *line);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
    if (r->body.p) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, r->body.p);
    }
    if (curl_multi_add_handle(o->multi, easy) != CURLM_OK) abort();
    return call;
}

struct outbound *outbound_new(struct loop *l, const char *ca_file)
{
    static const char *const results[] = {[RESULT_OK] = "ok",
                                          [RESULT_STATUS] = "status",
                                          [RESULT_TIMEOUT] = "timeout",
                                          [RESULT_FAILED] = "failed"};
    struct outbound *o = MEM_NEW(struct outbound);

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) abort();
    metric_labels(M_OUTBOUND, results, sizeof results / sizeof results[0]);
    o->loop = l;
    if (ca_file && ca_file[0]) o->ca_file = str_dup(str_z(ca_file));
    list_init(&o->calls);
    timer_init(&o->timer, on_timer);
    o->multi = curl_multi_init();
    if (!o->multi) abort();
    curl_multi_setopt(o->multi, CURLMOPT_SOCKETFUNCTION, on_watch);
    curl_multi_setopt(o->multi, CURLMOPT_SOCKETDATA, o);
    curl_multi_setopt(o->multi, CURLMOPT_TIMERFUNCTION, on_wait);
    curl_multi_setopt(o->multi, CURLMOPT_TIMERDATA, o);
    curl_multi_setopt(o->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    return o;
}

void outbound_free(struct outbound *o)
{
    if (!o) return;
    LIST_EACH_SAFE(node, after, &o->calls)
    {
        outbound_cancel(LIST_OWNER(node, struct outbound_call, node));
    }
    curl_multi_cleanup(o->multi);
    loop_timer_stop(o->loop, &o->timer);
    mem_free(o->ca_file);
    mem_free(o);
    curl_global_cleanup();
}
