/* mdoc.c - text for man pages: escaped, and one sentence a line. */
#include "common/mdoc.h"

#include <string.h>

void mdoc_prose(struct buf *out, const char *text)
{
    bool begins = true; /* a line that began with a control character would be a request */
    for (const char *p = text; *p; p++) {
        if (begins && (*p == '.' || *p == '\''))
            buf_text(out, "\\&");
        begins = false;
        if (*p == '\\') {
            buf_text(out, "\\e");
        } else if (*p == ' ' && p > text && strchr(".?!", p[-1]) && p[1] >= 'A' && p[1] <= 'Z') {
            buf_char(out, '\n');
            begins = true;
        } else {
            buf_char(out, *p);
        }
    }
    buf_char(out, '\n');
}

void mdoc_argument(struct buf *out, const char *text)
{
    buf_text(out, strlen(text) == 1 ? "\"\\&" : "\""); /* alone, punctuation would end the macro */
    for (; *text; text++)
        buf_text(out, *text == '"' ? "\"\"" : *text == '\\' ? "\\e" : (char[]){*text, '\0'});
    buf_char(out, '"');
}
