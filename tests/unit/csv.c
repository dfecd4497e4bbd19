/* csv.c - lists as spreadsheets save them: quotes, line ends, byte order marks, and what can't be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "server/methods/csv.h"

/* The rows as text: line number, fields between bars, an exclamation mark for a problem. */
static void in_one_line(const char *text, struct buf *out)
{
    struct csv csv;
    AUTO(csv_row_free) struct csv_row row = {0};
    csv_start(&csv, text);
    while (csv_next(&csv, &row)) {
        buf_printf(out, "%d", row.line);
        for (int i = 0; i < row.count && i < CSV_FIELDS_MOST; i++)
            buf_printf(out, "|%s", row.fields[i]);
        buf_text(out, row.problem ? "!;" : ";");
    }
}

static void lists_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *rows;
    } cases[] = {
        {"", ""},
        {"\n \r\n\t\r\n", ""},
        {"a,b,c", "1|a|b|c;"},
        {"a,b\r\nc,d\r\n", "1|a|b;2|c|d;"},
        {"a,b\rc,d", "1|a|b;2|c|d;"},
        {"\xEF\xBB\xBF"
         "a,b\n\n\nc,d\n",
         "1|a|b;4|c|d;"},
        {"\"a\",\"b, c\",\"say \"\"hi\"\"\"", "1|a|b, c|say \"hi\";"},
        {"\"two\nlines\",x\ny,z", "1|two\nlines|x;3|y|z;"},
        {" a , \" b \" ,c ", "1|a| b |c;"},
        {",", "1||;"},
        {"\"\",", "1||;"},
        {"a,\"b", "1|a|b!;"},
        {"\"a\"b,c\nd,e", "1|ab|c!;2|d|e;"},
        {"a\"b,c", "1|a\"b|c;"},
        {"1,2,3,4,5,6,7,8,9,10", "1|1|2|3|4|5|6|7|8;"},
        {"J\xc3\xb6rg,\xe5\xbc\xa0", "1|J\xc3\xb6rg|\xe5\xbc\xa0;"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(buf_free) struct buf got = {0};
        buf_text(&got, "");
        in_one_line(cases[i].text, &got);
        assert_string_equal(got.data, cases[i].rows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lists_are_read)};
    return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
