/* REST of the contacts service, on the port of its clients: routes of schemas/contacts/rest/,
 * docs/rest.md. The same people, rights and limits as on the sockets. */
#ifndef CONTACTS_REST_REST_H
#define CONTACTS_REST_REST_H

#include <stdbool.h>
#include "node/edge/edge.h"

struct conf;
struct events;
struct rest;
struct store;

struct rest_seams { /* all of it lives longer than the rest */
    const struct conf *conf;
    struct store *store;
    struct events *(*events)(void *ctx); /* NULL: not there yet, or not any more */
    void (*on_letters)(void *ctx);       /* an entry of the outbox is due again */
    void *ctx;
};

struct rest *rest_new(const struct rest_seams *s); /* returns new */
void rest_free(struct rest *r);                    /* who still waits is answered 503 */

/* False: not below /api/. */
bool rest_on_request(struct rest *r, struct pipe *p, const struct http_request *q);
/* False: a pipe that rest_on_request did not keep. */
bool rest_on_body(struct rest *r, struct pipe *p, int rc, struct str body);
bool rest_on_gone(struct rest *r, struct pipe *p);

#endif
