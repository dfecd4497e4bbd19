/* config_file.c - KEY=VALUE lines as systemd reads an EnvironmentFile: quotes, backslashes, comments. */
#include "server/config_file.h"

#include <ctype.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"

struct reader {
    const char *at;
    int line;
};

static char next(struct reader *r)
{
    char c = *r->at;
    if (c)
        r->at++;
    if (c == '\n')
        r->line++;
    return c;
}

/* Behind the opening quote; to the closing one, or the end. Inside "…" a backslash keeps its meaning
 * only before these, as in a shell; inside '…' it has none. */
static void quoted(struct reader *r, char quote, struct buf *out)
{
    for (char c; (c = next(r)) && c != quote;) {
        if (c == '\\' && quote == '"' && *r->at && strchr("\"\\$`\n", *r->at)) {
            c = next(r);
            if (c == '\n')
                continue;
        }
        buf_char(out, c);
    }
}

static void value(struct reader *r, struct buf *out)
{
    size_t keep = 0; /* blanks at the end count only where quoted */
    while (*r->at == ' ' || *r->at == '\t')
        r->at++;
    for (char c; (c = next(r)) && c != '\n';) {
        if (c == '"' || c == '\'') {
            quoted(r, c, out);
            keep = out->length;
        } else if (c == '\\') {
            if ((c = next(r)) && c != '\n')
                buf_char(out, c), keep = out->length;
        } else {
            buf_char(out, c);
            if (!isspace((unsigned char)c))
                keep = out->length;
        }
    }
    if (out->data) {
        out->length = keep;
        out->data[keep] = '\0';
    }
}

static void skip_line(struct reader *r)
{
    for (char c; (c = next(r)) && c != '\n';)
        ;
}

int config_file_parse(const char *text, config_file_line *line, void *context)
{
    struct reader r = {.at = text, .line = 1};
    int wrong = 0;
    while (*r.at) {
        while (isspace((unsigned char)*r.at))
            next(&r);
        int began = r.line;
        size_t n = strspn(r.at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
        if (!*r.at)
            break;
        if (*r.at == '#' || *r.at == ';') {
            skip_line(&r);
            continue;
        }
        if (!n || r.at[n] != '=') {
            wrong = wrong ? wrong : began;
            skip_line(&r);
            continue;
        }
        AUTO(mem_freep) char *name = mem_dupn(r.at, n);
        AUTO(buf_free) struct buf is = {0};
        r.at += n + 1;
        value(&r, &is);
        line(name, is.data ? is.data : "", context);
    }
    return wrong;
}
