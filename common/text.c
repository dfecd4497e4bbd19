/* text.c - Unicode text: valid, counted, cleaned for a terminal, and measured in cells. */
#include "common/text.h"

#include <locale.h>
#include <pthread.h>
#include <wchar.h>

enum { MARKS_MOST = 3, DOTTED_CIRCLE = 0x25CC };

/* One well-formed sequence at p; its length, or 0. Table 3-7 of the Unicode standard. */
static size_t sequence(const unsigned char *p, size_t left, uint32_t *code_point)
{
    unsigned char a = p[0];
    if (a < 0x80) {
        *code_point = a;
        return 1;
    }
    size_t n = a >= 0xC2 && a <= 0xDF ? 2 : a >= 0xE0 && a <= 0xEF ? 3 : a >= 0xF0 && a <= 0xF4 ? 4 : 0;
    if (!n || n > left)
        return 0;
    unsigned char low = a == 0xE0 ? 0xA0 : a == 0xF0 ? 0x90 : 0x80;
    unsigned char high = a == 0xED ? 0x9F : a == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < low || p[1] > high)
        return 0;
    uint32_t value = a & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (p[i] & 0x3Fu);
    }
    *code_point = value;
    return n;
}

bool text_valid_utf8(const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text;
    for (size_t i = 0; i < length;) {
        uint32_t ignored;
        size_t n = sequence(p + i, length - i, &ignored);
        if (!n)
            return false;
        i += n;
    }
    return true;
}

uint32_t text_next(const char *text, size_t length, size_t *at)
{
    uint32_t code_point;
    size_t n = sequence((const unsigned char *)text + *at, length - *at, &code_point);
    *at += n ? n : 1;
    return n ? code_point : 0xFFFD;
}

void text_append(struct buf *out, uint32_t c)
{
    char b[4];
    if (c < 0x80) {
        buf_char(out, (char)c);
    } else if (c < 0x800) {
        b[0] = (char)(0xC0 | c >> 6);
        b[1] = (char)(0x80 | (c & 0x3F));
        buf_bytes(out, b, 2);
    } else if (c < 0x10000) {
        b[0] = (char)(0xE0 | c >> 12);
        b[1] = (char)(0x80 | (c >> 6 & 0x3F));
        b[2] = (char)(0x80 | (c & 0x3F));
        buf_bytes(out, b, 3);
    } else {
        b[0] = (char)(0xF0 | c >> 18);
        b[1] = (char)(0x80 | (c >> 12 & 0x3F));
        b[2] = (char)(0x80 | (c >> 6 & 0x3F));
        b[3] = (char)(0x80 | (c & 0x3F));
        buf_bytes(out, b, 4);
    }
}

size_t text_count(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

size_t text_offset(const char *text, size_t length, size_t n)
{
    size_t at = 0;
    while (n-- && at < length)
        text_next(text, length, &at);
    return at;
}

static locale_t utf8;

static void open_locale(void)
{
    utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* wcwidth under UTF-8, whatever locale the program runs in: what ncurses and terminals go by.
 * -1 for controls and unassigned code points. */
static int width_of(uint32_t c)
{
    if (c < 0x7F)
        return c < 0x20 ? -1 : 1;
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_locale);
    if (!utf8)
        return c < 0xA0 ? -1 : 1;
    locale_t before = uselocale(utf8);
    int width = wcwidth((wchar_t)c);
    uselocale(before);
    return width;
}

static bool dropped(uint32_t c)
{
    static const uint32_t ranges[][2] = {
        {0x0000, 0x001F}, {0x007F, 0x009F}, {0x00AD, 0x00AD},   {0x061C, 0x061C},    {0x180E, 0x180E}, {0x200B, 0x200F},
        {0x2028, 0x202E}, {0x2060, 0x206F}, {0xD800, 0xDFFF},   {0xE000, 0xF8FF},    {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF},
        {0xFFF0, 0xFFFB}, {0xFFFE, 0xFFFF}, {0xE0000, 0xE0FFF}, {0xF0000, 0x10FFFF},
    };
    if (c >= 0x20 && c < 0x7F)
        return false;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return true;
    return width_of(c) < 0;
}

/* `at` is behind an introducer; moves behind a string that ST or BEL ends (or the line does). */
static size_t skip_string(const char *text, size_t length, size_t at)
{
    while (at < length && text[at] != '\n') {
        size_t before = at;
        uint32_t c = text_next(text, length, &at);
        if (c == 0x07 || c == 0x9C)
            return at;
        if (c == 0x1B)
            return at < length && text[at] == '\\' ? at + 1 : before;
    }
    return at;
}

static size_t skip_csi(const char *text, size_t length, size_t at)
{
    while (at < length && text[at] >= 0x20 && text[at] <= 0x3F)
        at++;
    return at < length && text[at] >= 0x40 && text[at] <= 0x7E ? at + 1 : at;
}

/* ECMA-48: what a control that introduces a sequence pulls along. */
static size_t skip_sequence(const char *text, size_t length, size_t at, uint32_t introducer)
{
    if (introducer == 0x1B) {
        if (at >= length)
            return at;
        char c = text[at];
        if (c == '[')
            return skip_csi(text, length, at + 1);
        if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_')
            return skip_string(text, length, at + 1);
        while (at < length && text[at] >= 0x20 && text[at] <= 0x2F)
            at++;
        return at < length && text[at] >= 0x30 && text[at] <= 0x7E ? at + 1 : at;
    }
    return introducer == 0x9B ? skip_csi(text, length, at) : skip_string(text, length, at);
}

static bool introduces(uint32_t c)
{
    return c == 0x1B || c == 0x90 || c == 0x98 || c == 0x9B || c == 0x9D || c == 0x9E || c == 0x9F;
}

void text_clean(struct buf *out, const char *text, size_t length, enum text_clean_flags flags)
{
    int marks = 0;
    bool bare = true, broken = false; /* nothing to stand on yet; inside a run that is not UTF-8 */
    for (size_t at = 0; at < length;) {
        size_t from = at;
        uint32_t c = text_next(text, length, &at);
        if (c == 0xFFFD && at == from + 1) {
            if (!broken)
                buf_char(out, '?');
            broken = true;
            bare = false;
            continue;
        }
        broken = false;
        if (introduces(c)) {
            at = skip_sequence(text, length, at, c);
        } else if (c == '\n' || c == 0x85 || c == 0x2028 || c == 0x2029) {
            buf_char(out, flags & TEXT_KEEP_NEWLINES ? '\n' : ' ');
            bare = true;
            marks = 0;
        } else if (c == '\t') {
            buf_char(out, ' ');
            bare = false;
            marks = 0;
        } else if (dropped(c)) {
            continue;
        } else if (width_of(c) == 0) {
            if (bare)
                text_append(out, DOTTED_CIRCLE);
            bare = false;
            if (marks++ < MARKS_MOST)
                text_append(out, c);
        } else {
            text_append(out, c);
            bare = false;
            marks = 0;
        }
    }
}

int text_width(uint32_t code_point)
{
    if (dropped(code_point))
        return 0;
    return width_of(code_point);
}

size_t text_cells(const char *text, size_t length)
{
    size_t cells = 0;
    for (size_t at = 0; at < length;)
        cells += (size_t)text_width(text_next(text, length, &at));
    return cells;
}
