/* Requests of ours to others over HTTP, on the loop: nothing blocks, names are looked up by
 * libcurl's own threads. The only file that knows libcurl.
 *
 * Where a request goes is the operator's word alone (an option, a settings document of an admin): a
 * URL never comes from a visitor, redirects are not followed, and other protocols than http and
 * https are refused. Addresses are not filtered: the operator's services are often private ones. */
#ifndef BASE_OUTBOUND_H
#define BASE_OUTBOUND_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

struct loop;
struct outbound;
struct outbound_call; /* one request under way */

struct outbound_request { /* borrows; all of it is copied */
    const char *url;
    const char *const
        *headers;        /* lines without an end, "Name: value"; ends with NULL; NULL: none */
    struct str body;     /* p NULL: GET, else POST */
    uint64_t timeout_ms; /* from now to the last byte of the answer */
    size_t max_bytes;    /* of the answer's body: ERR_TOO_BIG above it */
};

struct outbound_answer { /* borrows */
    /* OK: there is an answer, of whatever status. ERR_TIMEOUT, ERR_TOO_BIG; ERR_CONFIG: no URL of
     * http or https; ERR_IO: no connection, no trust in its certificate, no HTTP. */
    int rc;
    unsigned status;
    uint64_t retry_after_s; /* Retry-After, a date as well; 0: none */
    struct str body;
    const char *why; /* a sentence for the log, when rc is not OK */
};

/* ca_file: PEM of the authorities that are trusted for https; NULL or empty: the system's. Returns
 * new; outbound_free drops the calls that are under way without a word. */
struct outbound *outbound_new(struct loop *l, const char *ca_file);
void outbound_free(struct outbound *o);

/* Never answered before it returns. The call may not be touched after its answer. */
struct outbound_call *outbound_http(struct outbound *o, const struct outbound_request *r,
                                    void (*done)(void *ctx, const struct outbound_answer *a),
                                    void *ctx);
void outbound_cancel(struct outbound_call *call); /* no answer will come; NULL is allowed */

#endif
