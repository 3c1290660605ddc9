/* Requests over HTTP of the people who otherwise have sockets: the same token, revocations, bans
 * and limits. The address pays before its token is looked at: signatures cost more than counting.
 */
#include "base/clock.h"
#include "node/auth/token.h"
#include "node/event/event_priv.h"
#include "node/event/session.h"

enum { FULL_RETRY_MS = 1000 };

/* One event of this user or address. A share is kept for a while after it was given back. */
static int pay(struct events *e, enum limit_kind kind, struct str name, uint64_t *wait_ms)
{
    struct limit_share *share = NULL;

    if (limit_join(e->limiter, kind, name, &share) != OK) {
        *wait_ms = FULL_RETRY_MS;
        return ERR_RATE;
    }
    *wait_ms = limit_take(e->limiter, share);
    limit_leave(e->limiter, share);
    return *wait_ms ? ERR_RATE : OK;
}

int events_request(struct events *e, struct str token, struct str address,
                   const struct identity **who, uint64_t *wait_ms)
{
    struct identity *found = NULL;
    int rc = pay(e, LIMIT_IP, address, wait_ms);

    if (rc == OK && token.n) rc = auth_token_check(e->auth, token, clock_wall_ms(), &found);
    if (rc == ERR_UNAVAILABLE) rc = ERR_AUTH; /* no keys: nobody can sign */
    if (rc == OK) rc = session_check(e, found ? found : identity_guest(), address, wait_ms);
    if (rc == OK && found) rc = pay(e, LIMIT_USER, found->id_text, wait_ms);
    if (rc == OK)
        *who = found ? found : identity_guest();
    else
        identity_free(found);
    return rc;
}
