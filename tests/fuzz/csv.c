/* csv.c - lists of people from anywhere: read to the end, line by line; and what is quoted comes back as it was.
 * FUZZ_LONGEST 600
 */
#include "server/methods/csv.h"
#include "tests/fuzz/fuzz.h"

static void any_text(const char *text)
{
    struct csv csv;
    AUTO(csv_row_free) struct csv_row row = {0};
    int line = 0;
    size_t rows = 0, fields = 0, bytes = 0;
    csv_start(&csv, text);
    while (csv_next(&csv, &row)) {
        FUZZ_MUST(row.line > line && row.line <= csv.line, "line %d behind line %d", row.line, line);
        FUZZ_MUST(row.count >= 1, "a row of nothing");
        line = row.line;
        for (int i = 0; i < row.count && i < CSV_FIELDS_MOST; i++)
            bytes += strlen(row.fields[i]);
        fields += (size_t)row.count;
        FUZZ_MUST(++rows <= strlen(text) + 1, "it does not end");
    }
    FUZZ_MUST(bytes + fields <= strlen(text) + rows + 1, "more came out than there was");
    FUZZ_MUST(!*csv.at, "it ended before the end");
}

/* Three fields a row, quoted, with any blanks around and any line end. */
static void quoted(const char *text, uint8_t how)
{
    static const char *const ends[] = {"\n", "\r\n", "\r"};
    struct csv csv;
    AUTO(csv_row_free) struct csv_row row = {0};
    AUTO(buf_free) struct buf file = {0};
    const char *fields[3] = {text, "", "x,\"y"};
    for (int r = 0; r < 2; r++)
        for (int i = 0; i < 3; i++) {
            buf_text(&file, how & 4 ? " \"" : "\"");
            for (const char *p = fields[i]; *p; p++)
                buf_text(&file, *p == '"' ? "\"\"" : (char[]){*p, 0});
            buf_text(&file, how & 8 ? "\"\t" : "\"");
            buf_text(&file, i < 2 ? "," : ends[how % 3]);
        }
    csv_start(&csv, file.data);
    for (int r = 0; r < 2; r++) {
        FUZZ_MUST(csv_next(&csv, &row) && row.count == 3 && !row.problem, "row %d of [%s]: %s", r, file.data,
                  row.problem ? row.problem : "missing");
        for (int i = 0; i < 3; i++)
            FUZZ_MUST(!strcmp(row.fields[i], fields[i]), "[%s] became [%s]", fields[i], row.fields[i]);
    }
    FUZZ_MUST(!csv_next(&csv, &row), "a row too many");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint8_t how = fuzz_byte(&in);
    size_t length;
    AUTO(mem_freep) char *text = fuzz_rest(&in, &length);
    any_text(text);
    quoted(text, how);
    return 0;
}
