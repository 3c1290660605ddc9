/* Texts of the close reasons (close.def), spelled as in the Socket.IO documentation. Nothing else
 * lives here. */
#include "node/eio/eio.h"

const char *close_text(enum close_reason r)
{
    static const char *const texts[CLOSE_COUNT] = {
#define CLOSE(id, text, recover) [CLOSE_##id] = (text),
#include "node/eio/close.def"
#undef CLOSE
    };

    return (unsigned)r < CLOSE_COUNT ? texts[r] : "unknown";
}

bool close_may_recover(enum close_reason r)
{
    static const bool rows[CLOSE_COUNT] = {
#define CLOSE(id, text, recover) [CLOSE_##id] = (recover),
#include "node/eio/close.def"
#undef CLOSE
    };

    return (unsigned)r < CLOSE_COUNT && rows[r];
}
