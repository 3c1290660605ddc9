/* Messages of mail: pieces of any bytes (between NULs) as names, subject, addresses, ids and text;
 * what is written has our headers and no other, short lines, and a body that cannot end the mail.
 */
#include <stdint.h>
#include <stdlib.h>
#include "contacts/notice/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const headers[] = {
    "Date: ",           "From: ",         "To: ",           "Reply-To: ",
    "Subject: ",        "Message-ID: ",   "In-Reply-To: ",  "References: ",
    "Auto-Submitted: ", "MIME-Version: ", "Content-Type: ", "Content-Transfer-Encoding: "};

static bool is_header(struct str line)
{
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        if (str_starts(line, str_z(headers[i]))) return true;
    return line.n > 1 && line.p[0] == ' ';
}

static void check(struct str out)
{
    bool in_body = false;
    struct str line;

    if (out.n < 2 || out.p[out.n - 1] != '\n') abort();
    while (out.n && str_next(&out, '\n', &line)) {
        if (!line.n || line.p[line.n - 1] != '\r') abort(); /* every line end is CRLF */
        line.n--;
        if (str_find(line, '\r') != line.n || line.n > 500) abort();
        if (!in_body && line.n && !is_header(line)) abort();
        if (in_body && line.n > 76) abort();
        for (size_t i = 0; i < line.n; i++)
            if ((unsigned char)line.p[i] > '~' ||
                ((unsigned char)line.p[i] < ' ' && line.p[i] != '\t'))
                abort();
        if (!line.n) in_body = true;
    }
    if (!in_body) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_of(data, size), piece[8] = {{0}};
    struct mail m = {.from = STR("a@b"), .to = STR("c@d"), .message_id = STR("e@f")};
    struct str name, address;
    struct sb out = {0};

    for (int i = 0; i < 8 && rest.n; i++)
        (void)str_next(&rest, '\0', &piece[i]);
    m.subject = piece[0];
    m.from_name = piece[1];
    m.to_name = piece[2];
    m.text = piece[3];
    if (piece[4].n) m.to = piece[4];
    m.reply_to = piece[5];
    m.in_reply_to = piece[6];
    m.references = piece[7];
    m.wall_ms = size * 86400000u;
    if (mail_encode(&m, &out) == OK)
        check(sb_view(&out));
    else if (out.n)
        abort();
    if (mail_parse_mailbox(piece[1], &name, &address) && !mail_is_address(address)) abort();
    sb_fini(&out);
    return 0;
}
