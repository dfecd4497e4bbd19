/* harmful.c - text that would harm a terminal, and what of it must never reach one: a list of the tests' own. */
#include "tests/lib/harmful.h"

#include <stdio.h>

enum { MARKS_MOST = 3 };

const char *const harmful_texts[] = {
    "\033[2J\033]0;title\007\033[31mred\033P1$r\033\\\033c",
    "\033]52;c;ZXZpbA==\007\033]8;;http://x\033\\link\033]8;;\033\\\033[?1049h\033[6n\033[>c\0337\033#8",
    "\xc2\x9b"
    "31m\xc2\x9d"
    "8;;http://x\xc2\x9c link \x9b\x9d\xc2\x90q\xc2\x85",
    "abc \xe2\x80\xae evil \xe2\x81\xa6 more \xe2\x80\x8b\xe2\x80\x8d\xef\xbb\xbf "
    "\xe2\x80\x8f\xd8\x9c\xe2\x81\xa9\xe2\x80\xab",
    "\xe2\x80\x8b\xe2\x80\x8b\xe2\x80\x8b\xe2\x80\x8b\xe2\x80\x8c\xe2\x80\x8d\xe2\x81\xa0\xc2\xad\xe1\xa0\x8e\xef\xb8"
    "\x8f\xef\xbb\xbf",
    "\xcc\x81\xcc\x81\xcc\x81\xcc\x81 a\xcc\x81\xcc\x82\xcc\x83\xcc\x84\xcc\x85\xcc\x86 \xcc\xb7\xcc\xb7\xcc\xb7 "
    "Z\xcd\x91\xcd\xab\xcd\x83\xcd\xaa\xcc\x82\xcd\xab\xcc\xbd\xcd\x8f\xcc\xb4\xcc\x99\xcc\xa4\xcc\x9e\xcd\x89\xcd\x9a",
    "\xff\xfe\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80 broken \xe2\x82",
    "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7 \xf0\x9f\x87\xa9\xf0\x9f\x87\xaa "
    "\xee\x80\x80 \xf3\xa0\x81\xa2",
    "表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表",
    "אני מסכימה ולכן זה ارتفاع العربية",
    "%s%n%d \\ \" ' ` $(x) \t\t\r\n\r\n\v\f\b\b\b\x7f",
    "",
    NULL,
};

static const struct {
    uint32_t from, to;
} ranges[] = {
    {0x00, 0x09},     {0x0B, 0x1F},     {0x7F, 0x9F},       {0xAD, 0xAD},        {0x61C, 0x61C},   {0x200B, 0x200B},
    {0x200D, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x2060},   {0x2066, 0x2069},    {0xD800, 0xF8FF}, {0xFE00, 0xFE0F},
    {0xFEFF, 0xFEFF}, {0xFFFE, 0xFFFF}, {0xE0000, 0xE007F}, {0xF0000, 0x10FFFF},
};

bool harmful_character(uint32_t code_point)
{
    if (code_point >= 0x20 && code_point < 0x7F)
        return false;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (code_point >= ranges[i].from && code_point <= ranges[i].to)
            return true;
    return false;
}

static bool is_mark(uint32_t c)
{
    return (c >= 0x300 && c <= 0x36F) || (c >= 0x1AB0 && c <= 0x1AFF) || (c >= 0x20D0 && c <= 0x20FF);
}

/* A decoder of its own: the one under test is not asked whether it was right. Length 0: not UTF-8. */
static size_t decode(const unsigned char *p, size_t left, uint32_t *c)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80                   ? 1
               : p[0] >= 0xC2 && p[0] < 0xE0 ? 2
               : p[0] >= 0xE0 && p[0] < 0xF0 ? 3
               : p[0] >= 0xF0 && p[0] < 0xF5 ? 4
                                             : 0;
    if (n == 0 || n > left)
        return 0;
    *c = n == 1 ? p[0] : p[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        *c = *c << 6 | (p[i] & 0x3Fu);
    }
    return *c < least[n] || *c > 0x10FFFF ? 0 : n;
}

const char *harmful_in(const char *text, size_t length)
{
    static char said[80];
    int marks = 0;
    for (size_t at = 0; at < length;) {
        uint32_t c = 0;
        size_t n = decode((const unsigned char *)text + at, length - at, &c);
        marks = n && is_mark(c) ? marks + 1 : 0;
        if (n && !harmful_character(c) && marks <= MARKS_MOST) {
            at += n;
            continue;
        }
        if (n)
            snprintf(said, sizeof said, "U+%04X at byte %zu%s", c, at, marks > MARKS_MOST ? ", one mark too many" : "");
        else
            snprintf(said, sizeof said, "byte %02X at %zu, which is not UTF-8", (unsigned)(unsigned char)text[at], at);
        return said;
    }
    return NULL;
}
