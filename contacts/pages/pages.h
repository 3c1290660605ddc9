/* The pages of the contacts service: /admin/ for agents, /widget/ for visitors, files of PAGES_DIR
 * that were read at start. */
#ifndef CONTACTS_PAGES_PAGES_H
#define CONTACTS_PAGES_PAGES_H

#include <stdbool.h>
#include "node/edge/edge.h"

struct pages;

struct pages *pages_new(const char *folder); /* with admin/ and widget/; "": none. Returns new */
void pages_free(struct pages *p);

/* False: not a page. */
bool pages_on_request(const struct pages *p, struct pipe *pipe, const struct http_request *r);

#endif
