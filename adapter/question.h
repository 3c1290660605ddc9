/* Questions of other servers: what this node still owes. The public calls are those of adapter.h
 * (adapter_answer…); a question outlives its table for as long as its holder has not ended it. */
#ifndef ADAPTER_QUESTION_H
#define ADAPTER_QUESTION_H

#include "adapter/request.h"

void question_receive(struct request_table *t, const struct wire *w); /* request kinds of wire.h */
void question_detach_all(struct request_table *t); /* they lead nowhere from now on */

#endif
