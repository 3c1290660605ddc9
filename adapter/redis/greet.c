/* The first words of a connection to Redis: who we are, which database, is it the master, is it
 * ready. Ends in LINK_UP or in redis_link_drop. */
#include "adapter/redis/link_priv.h"

#include <hiredis/hiredis.h>

#include "adapter/redis/push.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/forbid.h"

static void on_greeted(void *ctx, int rc, const struct redisReply *r)
{
    struct redis_link *k = ctx;

    if (rc != OK || k->state != LINK_GREETING || r->type != REDIS_REPLY_ERROR) return;
    LOG_ERROR("redis.refused", LOG_Z("link", k->conf.name), LOG_S("why", redis_push_text(r)));
    redis_link_drop(k, ERR_UNAVAILABLE, redis_push_text(r));
}

static void on_role(void *ctx, int rc, const struct redisReply *r)
{
    struct redis_link *k = ctx;

    if (rc != OK || (k->state != LINK_GREETING && k->state != LINK_UP) ||
        redis_sentinel_is_master(r))
        return;
    redis_link_drop(k, ERR_UNAVAILABLE,
                    r->type == REDIS_REPLY_ERROR ? redis_push_text(r) : STR("not the master"));
}

/* At sentinels an idle link asks for the role; subscribers may not (RESP2). */
int redis_greet_role(struct redis_link *k)
{
    struct str role = STR("ROLE");

    return redis_link_put(k, &role, 1, on_role, k);
}

static void on_ready(void *ctx, int rc, const struct redisReply *r)
{
    struct redis_link *k = ctx;

    if (rc != OK || k->state != LINK_GREETING) return;
    if (r->type != REDIS_REPLY_STATUS ||
        !str_eq(redis_push_text(r), STR("PONG"))) { /* -LOADING, -NOAUTH */
        redis_link_drop(k, ERR_UNAVAILABLE, redis_push_text(r));
        return;
    }
    redis_link_move(k, LINK_UP);
    if (k->was_up) metric_add(M_REDIS_RECONNECTS, 1);
    k->was_up = true;
    LOG_INFO("redis.up", LOG_Z("link", k->conf.name));
    k->conf.on_up(k->conf.ctx);
}

int redis_greet(struct redis_link *k)
{
    const struct redis_url *u = k->conf.url;
    struct str auth[3] = {STR("AUTH"), str_z(u->user), str_z(u->password)};
    struct str name[3] = {STR("CLIENT"), STR("SETNAME"), str_z(k->conf.name)};
    struct str ping = STR("PING"), select[2] = {STR("SELECT")};
    struct sb db = {0};
    int rc = OK;

    if (!u->user) auth[1] = auth[2];
    if (u->password) rc = redis_link_put(k, auth, u->user ? 3 : 2, on_greeted, k);
    if (rc == OK && u->db) {
        sb_u64(&db, u->db);
        select[1] = sb_view(&db);
        rc = redis_link_put(k, select, 2, on_greeted, k);
        sb_fini(&db);
    }
    if (rc == OK) rc = redis_link_put(k, name, 3, NULL, NULL); /* for people; may be forbidden */
    if (rc == OK && k->sentinel) rc = redis_greet_role(k);
    if (rc == OK) rc = redis_link_put(k, &ping, 1, on_ready, k);
    return rc;
}
