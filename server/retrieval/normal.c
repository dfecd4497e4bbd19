/* normal.c - Unicode forms, by ICU. */
#include "server/retrieval/normal.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "common/mem.h"

static UChar *wide(const char *text, size_t length, int32_t *count)
{
    UErrorCode status = U_ZERO_ERROR;
    UChar *out = mem_array(length + 1, sizeof *out);
    u_strFromUTF8(out, (int32_t)length + 1, count, text, (int32_t)length, &status);
    if (U_FAILURE(status))
        *count = -1;
    return out;
}

static char *narrow(const UChar *text, int32_t count)
{
    UErrorCode status = U_ZERO_ERROR;
    char *out = mem_alloc((size_t)count * 3 + 1);
    u_strToUTF8(out, count * 3 + 1, NULL, text, count, &status);
    return out;
}

static char *normalized(const UNormalizer2 *form, const char *text, size_t length)
{
    int32_t count = 0;
    UChar *in = wide(text, length, &count);
    char *result = NULL;
    if (count >= 0 && form) {
        UErrorCode status = U_ZERO_ERROR;
        int32_t capacity = count * 3 + 16;
        UChar *out = mem_array((size_t)capacity, sizeof *out);
        int32_t n = unorm2_normalize(form, in, count, out, capacity, &status);
        if (status == U_BUFFER_OVERFLOW_ERROR) {
            status = U_ZERO_ERROR;
            capacity = n + 1;
            out = mem_grow(out, (size_t)capacity, sizeof *out);
            n = unorm2_normalize(form, in, count, out, capacity, &status);
        }
        if (U_SUCCESS(status))
            result = narrow(out, n);
        free(out);
    }
    free(in);
    return result ? result : mem_dupn(text, length);
}

static bool ascii(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] >= 0x80)
            return false;
    return true;
}

char *normal_display(const char *text, size_t length)
{
    if (ascii(text, length))
        return mem_dupn(text, length);
    UErrorCode status = U_ZERO_ERROR;
    return normalized(unorm2_getNFCInstance(&status), text, length);
}

char *normal_search(const char *text, size_t length)
{
    UErrorCode status = U_ZERO_ERROR;
    char *folded = normalized(unorm2_getNFKCCasefoldInstance(&status), text, length);
    size_t to = 0;
    for (const char *p = folded; *p; p++) {
        bool blank = *p == ' ' || *p == '\n' || *p == '\t';
        if (!blank)
            folded[to++] = *p;
        else if (to && folded[to - 1] != ' ')
            folded[to++] = ' ';
    }
    while (to && folded[to - 1] == ' ')
        to--;
    folded[to] = '\0';
    return folded;
}

bool normal_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0xD800 && c < 0xE000) || (c & 0xFFFE) == 0xFFFE ||
           (c >= 0xFDD0 && c <= 0xFDEF) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) || c > 0x10FFFF;
}

bool normal_unknown(uint32_t c)
{
    if (c < 0x250)
        return false;
    int8_t type = u_charType((UChar32)c);
    return type == U_PRIVATE_USE_CHAR || type == U_UNASSIGNED || c == 0xFFFD;
}

bool normal_letter(uint32_t c)
{
    return c < 0x80 ? (c | 32) >= 'a' && (c | 32) <= 'z' : u_isalpha((UChar32)c);
}

bool normal_lower(uint32_t c)
{
    return c < 0x80 ? c >= 'a' && c <= 'z' : u_islower((UChar32)c);
}

bool normal_upper(uint32_t c)
{
    return c < 0x80 ? c >= 'A' && c <= 'Z' : u_isupper((UChar32)c);
}
