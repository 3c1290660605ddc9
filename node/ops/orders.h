/* Orders of a back end to a feature, on the ops port: /quiz and what is below it. On only where
 * QUIZ_TOKEN is set. What they mean is the feature's (base/order.h); docs/quiz.md tells the rest.
 */
#ifndef NODE_OPS_ORDERS_H
#define NODE_OPS_ORDERS_H

#include "base/conf.h"
#include "base/order.h"
#include "node/edge/edge.h"

struct ops_orders;

/* take: carries an order out, and answers it by its ticket. NULL: QUIZ_TOKEN is empty. */
struct ops_orders *ops_orders_new(const struct conf *c,
                                  void (*take)(void *ctx, const struct order *o), void *ctx);
void ops_orders_free(struct ops_orders *o); /* every ticket was answered by now */

/* False: not one of these; nothing was answered. */
bool ops_orders_on_request(struct ops_orders *o, struct pipe *p, const struct http_request *r);
/* Body of a pipe that was kept. Other pipes: does nothing. */
void ops_orders_on_body(struct ops_orders *o, struct pipe *p, int rc, struct str body);
/* The peer of a kept pipe has left: its answer goes nowhere. */
void ops_orders_on_gone(struct ops_orders *o, struct pipe *p);
/* All have, for the edge is being closed. */
void ops_orders_cut(struct ops_orders *o);

#endif
