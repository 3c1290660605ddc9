/* Forwarding between nodes: peers, and which end a message is for. */
#include "node/eio/remote.h"

#include "base/clock.h"
#include "node/eio/remote_priv.h"
#include "base/forbid.h"

enum {
    PEERS_MAX = 4096,
    SLACK_BYTES = 65536, /* heads and headers around a body */
};

struct eio_remote *remote_new(struct eio *e, struct adapter *a)
{
    struct eio_remote *r = MEM_NEW(struct eio_remote);

    r->eio = e;
    r->adapter = a;
    list_init(&r->ended);
    list_init(&r->due);
    r->next_number = clock_wall_ms() << 16; /* they grow over a restart, too */
    return r;
}

void remote_free(struct eio_remote *r)
{
    size_t i = 0;
    struct remote_peer *peer;
    struct list *node;

    while ((peer = map_next(&r->peers, &i)) != NULL) {
        while ((node = list_shift(&peer->asks)) != NULL) {
            remote_ask_forget(LIST_OWNER(node, struct remote_ask, node));
        }
        while ((node = list_shift(&peer->serves)) != NULL) {
            remote_serve_forget(LIST_OWNER(node, struct remote_serve, node));
        }
        mem_free(peer);
    }
    while ((node = list_shift(&r->ended)) != NULL) {
        remote_serve_forget(LIST_OWNER(node, struct remote_serve, node));
    }
    while ((node = list_shift(&r->due)) != NULL) {
        remote_ask_forget(LIST_OWNER(node, struct remote_ask, node));
    }
    map_fini(&r->peers);
    map_fini(&r->asks);
    map_fini(&r->serves);
    mem_free(r);
}

struct remote_peer *remote_peer_get(struct eio_remote *r, struct str node)
{
    return node.n == EIO_NODE_ID_SIZE ? map_get(&r->peers, node) : NULL;
}

struct remote_peer *remote_peer_make(struct eio_remote *r, struct str node)
{
    struct remote_peer *peer = remote_peer_get(r, node);

    if (peer || node.n != EIO_NODE_ID_SIZE || r->peers.count >= PEERS_MAX) return peer;
    peer = MEM_NEW(struct remote_peer);
    memcpy(peer->id, node.p, EIO_NODE_ID_SIZE);
    list_init(&peer->asks);
    list_init(&peer->serves);
    (void)map_put(&r->peers, str_of(peer->id, EIO_NODE_ID_SIZE), peer);
    return peer;
}

/* Invented sids name invented nodes: a peer that never opened a pipe here is kept only while we
 * wait for it. */
void remote_peer_unused(struct eio_remote *r, struct remote_peer *peer)
{
    if (peer->is_ending || peer->last_opened > 0 || !list_is_empty(&peer->asks)) return;
    (void)map_del(&r->peers, str_of(peer->id, EIO_NODE_ID_SIZE));
    mem_free(peer);
}

void eio_attach_adapter(struct eio *e, struct adapter *a)
{
    if (e->remote) remote_free(e->remote);
    e->remote = a ? remote_new(e, a) : NULL;
}

void eio_on_node_message(struct eio *e, struct str from, struct str payload)
{
    struct remote_message m;
    size_t max = (size_t)(e->conf->max_payload_bytes + e->conf->out_hard_bytes) + SLACK_BYTES;

    if (!e->remote) return;
    if (from.n != EIO_NODE_ID_SIZE || remote_wire_decode(payload, max, &m) != OK) {
        metric_add(M_REDIS_GARBAGE, 1);
        return;
    }
    if (m.kind >= REMOTE_REPLY && m.kind != REMOTE_RELEASE) {
        remote_ask_answer(e->remote, from, &m);
    } else {
        remote_serve_message(e->remote, from, &m);
    }
}

void eio_on_node_down(struct eio *e, struct str node)
{
    struct remote_peer *peer = e->remote ? remote_peer_get(e->remote, node) : NULL;

    if (!peer) return;
    peer->is_ending = true;
    remote_ask_node_down(e->remote, peer);
    remote_serve_node_down(e->remote, peer);
    peer->is_ending = false;
    peer->last_opened = 0;
    if (list_is_empty(&peer->serves)) remote_peer_unused(e->remote, peer);
}
