/* POST /dev/login {"code"}: a developer's way into the admin page, without a platform that signs
 * tokens. There with DEV=on and DEV_LOGIN alone; the code is good once, and no longer than the
 * node lives. */
#ifndef CONTACTS_PAGES_LOGIN_H
#define CONTACTS_PAGES_LOGIN_H

#include <stdbool.h>
#include "base/conf.h"
#include "node/edge/edge.h"

struct login;

struct login *login_new(const struct conf *c); /* NULL: it is off. Returns new */
void login_free(struct login *l);

/* l may be NULL. False: not its path. What is refused by its head is answered at once; otherwise
 * the pipe is kept until login_on_body. */
bool login_on_request(struct login *l, struct pipe *p, const struct http_request *r);
/* False: a pipe that login_on_request did not keep. */
bool login_on_body(struct login *l, struct pipe *p, int rc, struct str body);

#endif
