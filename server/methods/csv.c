/* csv.c - a list of people as spreadsheets save it: lines of fields, quoted where they must be. */
#include "server/methods/csv.h"

#include <string.h>

#include "common/mem.h"

void csv_start(struct csv *csv, const char *text)
{
    static const char mark[] = "\xEF\xBB\xBF";
    *csv = (struct csv){.at = text + (strncmp(text, mark, 3) ? 0 : 3), .line = 1};
}

void csv_row_free(struct csv_row *row)
{
    buf_free(&row->text);
}

static bool ends_line(char c)
{
    return c == '\0' || c == '\n' || c == '\r';
}

/* Past the end of this line. */
static void pass_end(struct csv *csv)
{
    if (csv->at[0] == '\r' && csv->at[1] == '\n')
        csv->at++;
    if (*csv->at) {
        csv->at++;
        csv->line++;
    }
}

/* Appends what stands between quotes; behind the closing one afterwards. */
static const char *quoted(struct csv *csv, struct buf *out)
{
    for (csv->at++; *csv->at; csv->at++) {
        if (*csv->at == '"' && *++csv->at != '"')
            return NULL;
        if (*csv->at == '\n')
            csv->line++;
        buf_char(out, *csv->at);
    }
    return "The quote is not closed.";
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* One field, to its comma or the end of the line; its text and a NUL are appended. */
static const char *field(struct csv *csv, struct buf *out)
{
    const char *problem = NULL;
    size_t kept = out->length;
    while (blank(*csv->at))
        csv->at++;
    if (*csv->at == '"') {
        problem = quoted(csv, out);
        kept = out->length;
        while (blank(*csv->at))
            csv->at++;
        if (!problem && *csv->at != ',' && !ends_line(*csv->at))
            problem = "Something stands behind a closing quote.";
    }
    while (*csv->at != ',' && !ends_line(*csv->at))
        buf_char(out, *csv->at++);
    while (out->length > kept && blank(out->data[out->length - 1]))
        out->length--;
    buf_char(out, '\0');
    return problem;
}

bool csv_next(struct csv *csv, struct csv_row *row)
{
    size_t starts[CSV_FIELDS_MOST];
    buf_clear(&row->text);
    row->count = 0;
    row->problem = NULL;
    while (*csv->at && strspn(csv->at, " \t") == strcspn(csv->at, "\r\n")) {
        csv->at += strcspn(csv->at, "\r\n");
        pass_end(csv);
    }
    if (!*csv->at)
        return false;
    row->line = csv->line;
    for (;;) {
        if (row->count < CSV_FIELDS_MOST)
            starts[row->count] = row->text.length;
        row->count++;
        const char *problem = field(csv, &row->text);
        row->problem = row->problem ? row->problem : problem;
        if (*csv->at != ',')
            break;
        csv->at++;
    }
    pass_end(csv);
    for (int i = 0; i < row->count && i < CSV_FIELDS_MOST; i++)
        row->fields[i] = row->text.data + starts[i];
    return true;
}
