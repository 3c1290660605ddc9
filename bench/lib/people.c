/* Tokens of a file. See people.h. */
#include "bench/lib/people.h"

#include <stdio.h>
#include "base/mem.h"

static int read_all(FILE *file, struct sb *text)
{
    char part[65536];
    size_t n;

    while ((n = fread(part, 1, sizeof part, file)) > 0)
        sb_str(text, str_of(part, n));
    return ferror(file) ? ERR_IO : OK;
}

int people_read(struct people *p, const char *path, uint32_t count)
{
    FILE *file = fopen(path, "r");
    struct sb text = {0};
    struct str rest, line;
    int rc;

    *p = (struct people){.tokens = mem_new(count, sizeof *p->tokens)};
    if (!file) return ERR_IO;
    rc = read_all(file, &text);
    (void)fclose(file);
    p->text = text.p;
    for (rest = sb_view(&text); rc == OK && p->count < count && str_next(&rest, '\n', &line);)
        if (line.n) p->tokens[p->count++] = line;
    return rc == OK && p->count < count ? ERR_PROTO : rc;
}

void people_fini(struct people *p)
{
    mem_free(p->text);
    mem_free(p->tokens);
    *p = (struct people){0};
}
