/* What other servers of the cluster ask of this node's sockets: the adapter's callbacks
 * (node/run_cluster.c) end here. All of it is as adapter.h says; a namespace that this node does
 * not serve has no sockets. */
#ifndef NODE_SIO_REMOTE_H
#define NODE_SIO_REMOTE_H

#include "adapter/adapter.h"
#include "node/sio/sio.h"

void sio_remote_join(struct sio *s, const struct adapter_target *t, const struct str *rooms,
                     unsigned count);
void sio_remote_leave(struct sio *s, const struct adapter_target *t, const struct str *rooms,
                      unsigned count);
void sio_remote_disconnect(struct sio *s, const struct adapter_target *t, bool close);
void sio_remote_fetch(struct sio *s, const struct adapter_target *t, struct sb *out);
void sio_remote_cast_ack(struct sio *s, const struct adapter_cast *c, uint64_t timeout_ms,
                         struct adapter_question *q);
void sio_remote_server_emit(struct sio *s, struct str nsp, struct str array,
                            struct adapter_question *q);

#endif
