/* One socket as fetchSockets of Node.js shows it. Only what the handshake kept can be told: of the
 * headers four. Source: reference "Adapter semantics", 3, handshake object. */
#include "node/sio/sio_priv.h"

#include <time.h>
#include "base/conf.h"

static void text(struct sb *out, const char *key, struct str value)
{
    if (out->p[out->n - 1] != '{') sb_char(out, ',');
    sb_json(out, str_z(key));
    sb_char(out, ':');
    sb_json(out, value);
}

static void raw(struct sb *out, const char *key, const char *value)
{
    sb_printf(out, ",\"%s\":%s", key, value);
}

static void put_headers(const struct eio_handshake *h, struct sb *out)
{
    const struct {
        const char *name;
        struct str value;
    } rows[] = {{"origin", h->origin},
                {"authorization", h->authorization},
                {"user-agent", h->user_agent},
                {"cookie", h->cookie}};

    sb_z(out, "\"headers\":{");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].value.n) text(out, rows[i].name, rows[i].value);
    sb_char(out, '}');
}

/* As String(new Date()) in UTC. */
static void put_time(uint64_t wall_ms, struct sb *out)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm t = {0};

    (void)gmtime_r(&seconds, &t);
    sb_printf(out,
              ",\"time\":\"%s %s %02d %d %02d:%02d:%02d GMT+0000 (Coordinated Universal Time)\"",
              days[t.tm_wday], months[t.tm_mon], t.tm_mday, t.tm_year + 1900, t.tm_hour, t.tm_min,
              t.tm_sec);
}

static void put_query(struct str query, struct sb *out)
{
    struct str pair, key, value;
    struct sb name = {0}, decoded = {0};

    sb_z(out, ",\"query\":{");
    while (query.n != 0 && str_next(&query, '&', &pair)) {
        if (pair.n == 0) continue;
        if (!str_cut(pair, '=', &key, &value)) value = STR("");
        name.n = decoded.n = 0;
        sb_percent_decode(&name, key);
        sb_percent_decode(&decoded, value);
        if (out->p[out->n - 1] != '{') sb_char(out, ',');
        sb_json(out, sb_view(&name));
        sb_char(out, ':');
        sb_json(out, sb_view(&decoded));
    }
    sb_char(out, '}');
    sb_fini(&name);
    sb_fini(&decoded);
}

static void put_handshake(const struct sio_socket *s, struct sb *out)
{
    const struct eio_handshake *h = sio_socket_handshake(s);
    struct sb url = {0};

    sb_z(&url, s->nsp->sio->conf->socket_path);
    sb_char(&url, '?');
    sb_str(&url, h->query);
    sb_z(out, ",\"handshake\":{");
    put_headers(h, out);
    put_time(h->wall_ms, out);
    text(out, "address", h->address);
    raw(out, "xdomain", h->origin.n ? "true" : "false");
    raw(out, "secure", h->secure ? "true" : "false");
    sb_printf(out, ",\"issued\":%llu", (unsigned long long)h->wall_ms);
    text(out, "url", sb_view(&url));
    put_query(h->query, out);
    sb_z(out, ",\"auth\":");
    sb_str(out, sio_socket_auth(s));
    sb_char(out, '}');
    sb_fini(&url);
}

void sio_describe(const struct sio_socket *s, struct sb *out)
{
    sb_char(out, '{');
    text(out, "id", sio_socket_str(s));
    put_handshake(s, out);
    sb_z(out, ",\"rooms\":[");
    sb_json(out, sio_socket_str(s));
    for (uint32_t i = 0; i < s->seats_count; i++) {
        struct str name = str_of(s->seats[i].room->name, s->seats[i].room->name_n);

        if (sio_room_is_inner(name)) continue;
        sb_char(out, ',');
        sb_json(out, name);
    }
    sb_z(out, "],\"data\":{}}");
}
