/* Answers of Engine.IO over HTTP: bodies, refusals, and the lines that go on all of them.
 * Source: engine.io 6.6 `abortRequest`, `abortUpgrade`. */
#include "node/eio/eio_priv.h"
#include "base/forbid.h"

static const struct {
    int code, status;
    struct str message;
} errors[] = {
#define EIO_ERROR(id, code, status, message)                                                       \
    [EIO_ERROR_##id] = {(code), (status), {message, sizeof(message) - 1}},
#include "node/eio/eio_error.def"
#undef EIO_ERROR
};

void eio_answer(struct pipe *p, int status, const char *type, struct str cors, struct str body)
{
    struct sb headers = {0};
    struct http_reply reply = {.status = status, .content_type = str_z(type), .body = body};

    sb_str(&headers, cors);
    sb_z(&headers, "cache-control: no-store\r\n");
    reply.headers = sb_view(&headers);
    pipe_reply(p, &reply);
    sb_fini(&headers);
}

void eio_answer_empty(struct pipe *p, int status, struct str cors, bool close)
{
    const struct http_reply reply = {.status = status, .headers = cors, .close = close};

    pipe_reply(p, &reply);
}

void eio_refuse(struct pipe *p, bool is_upgrade, struct str cors, enum eio_error error)
{
    struct sb body = {0};

    metric_add_at(M_EIO_ERRORS, (unsigned)errors[error].code, 1);
    if (is_upgrade) {
        const struct http_reply reply = {
            .status = errors[error].status,
            .content_type = STR("text/html"),
            .headers = cors,
            .body = errors[error].message,
            .close = true,
        };

        pipe_reply(p, &reply);
        return;
    }
    sb_printf(&body, "{\"code\":%d,\"message\":", errors[error].code);
    sb_json(&body, errors[error].message);
    sb_char(&body, '}');
    eio_answer(p, errors[error].status, "application/json", cors, sb_view(&body));
    sb_fini(&body);
}
