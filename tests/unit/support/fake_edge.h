/* Scripted pipes: the edge without a socket. A test opens a fake pipe, hands it to the core with a
 * request written as text, and reads what the core ordered. Answered and closed pipes stay readable
 * until fake_edge_fini. */
#ifndef TESTS_UNIT_SUPPORT_FAKE_EDGE_H
#define TESTS_UNIT_SUPPORT_FAKE_EDGE_H

#include "base/list.h"
#include "node/edge/edge.h"

struct fake_pipe {
    struct pipe pipe; /* first: a struct pipe * is a struct fake_pipe * */
    struct list node;
    unsigned replies; /* how often pipe_reply was called: must end at 1 or 0 */
    int status;
    bool reply_close;
    struct sb type, headers, body; /* of the answer, or headers of the 101 */
    struct sb frames;              /* one a line: "4text" or "#hex" for binary */
    unsigned frames_count;
    bool is_cut;          /* pipe_close was called */
    int close_code;       /* of it; -1: not closed by the core */
    unsigned late_orders; /* orders after the end: must stay 0 */
    size_t queued;        /* what pipe_queued answers */
};

struct fake_edge {
    struct list pipes;
    struct edge_handler handler;
    void *ctx;
};

void fake_edge_init(struct fake_edge *e, const struct edge_handler *h, void *ctx);
void fake_edge_fini(struct fake_edge *e);

/* A request: head is "GET /path?query" and header lines, each ended by "\n":
 *     fake_request(&edge, "GET /socket.io/?EIO=4&transport=polling\nOrigin: http://a\n")
 * "Upgrade: websocket" makes it a valid upgrade. body NULL: none. The callbacks of the handler are
 * called. */
struct fake_pipe *fake_request(struct fake_edge *e, const char *head);
struct fake_pipe *fake_post(struct fake_edge *e, const char *head, struct str body);
struct fake_pipe *fake_post_head(struct fake_edge *e, const char *head,
                                 uint64_t content_length); /* body later */
void fake_body(struct fake_edge *e, struct fake_pipe *p, int rc, struct str body);

void fake_text(struct fake_edge *e, struct fake_pipe *p, const char *text);
void fake_binary(struct fake_edge *e, struct fake_pipe *p, struct str data);
void fake_gone(struct fake_edge *e, struct fake_pipe *p, int code);

/* Terminated view of what was recorded. */
const char *fake_body_z(struct fake_pipe *p);
const char *fake_frames_z(struct fake_pipe *p);
const char *fake_headers_z(struct fake_pipe *p);
void fake_frames_forget(struct fake_pipe *p);
bool fake_is_pending(const struct fake_pipe *p); /* no answer yet, not closed */

#endif
