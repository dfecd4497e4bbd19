/* pdf.c - PDFs of our own making, right ones and hostile ones. */
#include "tests/lib/pdf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

static void begin(struct pdf *pdf, int number)
{
    if (!pdf->out.length)
        buf_text(&pdf->out, "%PDF-1.7\n%\xE2\xE3\xCF\xD3\n");
    if (number < 1 || number >= PDF_OBJECTS)
        abort();
    pdf->places[number] = pdf->out.length;
    pdf->most = number > pdf->most ? number : pdf->most;
    buf_printf(&pdf->out, "%d 0 obj\n", number);
}

void pdf_object(struct pdf *pdf, int number, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *body = NULL;
    if (vasprintf(&body, format, args) < 0)
        abort();
    va_end(args);
    begin(pdf, number);
    buf_text(&pdf->out, body);
    buf_text(&pdf->out, "\nendobj\n");
    free(body);
}

void pdf_stream(struct pdf *pdf, int number, const char *entries, const void *bytes, size_t length)
{
    begin(pdf, number);
    buf_printf(&pdf->out, "<<%s", entries);
    if (!strstr(entries, "/Length"))
        buf_printf(&pdf->out, "/Length %zu", length);
    buf_text(&pdf->out, ">>\nstream\n");
    buf_bytes(&pdf->out, bytes, length);
    buf_text(&pdf->out, "\nendstream\nendobj\n");
}

void pdf_page(struct pdf *pdf, int number, const char *text)
{
    AUTO(mem_freep) char *content = mem_printf("BT /F 11 Tf 70 600 Td (%s) Tj ET", text);
    pdf_object(pdf, number,
               "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>/Contents %d 0 R>>",
               number + 1);
    pdf_stream(pdf, number + 1, "", content, strlen(content));
}

void pdf_frame(struct pdf *pdf, const char *catalog, const int *kids)
{
    AUTO(buf_free) struct buf list = {0};
    int count = 0;
    buf_text(&list, "");
    buf_bytes(&list, "", 0);
    for (; kids[count]; count++)
        buf_printf(&list, "%d 0 R ", kids[count]);
    pdf_object(pdf, 1, "<</Type/Catalog/Pages 2 0 R%s>>", catalog ? catalog : "");
    pdf_object(pdf, 2, "<</Type/Pages/Count %d/Kids[%s]>>", count, list.data);
    pdf_object(pdf, 3, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>");
}

struct buf pdf_end(struct pdf *pdf)
{
    size_t table = pdf->out.length;
    buf_printf(&pdf->out, "xref\n0 %d\n0000000000 65535 f \n", pdf->most + 1);
    for (int i = 1; i <= pdf->most; i++)
        buf_printf(&pdf->out, "%010zu 00000 %c \n", pdf->places[i], pdf->places[i] ? 'n' : 'f');
    buf_printf(&pdf->out, "trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%zu\n%%%%EOF\n", pdf->most + 1,
               pdf->trailer ? pdf->trailer : "", table);
    return pdf->out;
}

/* ------------------------------------------------------------------ deflate, fixed codes only */

struct bits {
    struct buf *out;
    uint64_t held;
    int count;
};

static void put(struct bits *b, uint32_t value, int count)
{
    b->held |= (uint64_t)value << b->count;
    for (b->count += count; b->count >= 8; b->count -= 8, b->held >>= 8)
        buf_char(b->out, (char)(b->held & 0xFF));
}

/* Huffman codes go from their highest bit on. */
static void put_code(struct bits *b, uint32_t code, int count)
{
    uint32_t turned = 0;
    for (int i = 0; i < count; i++)
        turned |= (code >> i & 1) << (count - 1 - i);
    put(b, turned, count);
}

static void literal(struct bits *b, unsigned byte)
{
    if (byte < 144)
        put_code(b, 0x30 + byte, 8);
    else
        put_code(b, 0x190 + byte - 144, 9);
}

/* 258 bytes as those `distance` (up to 32) before: length code 285. */
static void match(struct bits *b, unsigned distance)
{
    static const unsigned first[] = {1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33};
    static const int extra[] = {0, 0, 0, 0, 1, 1, 2, 2, 3, 3};
    unsigned code = 0;
    while (first[code + 1] <= distance)
        code++;
    put_code(b, 0xC5, 8);
    put_code(b, code, 5);
    put(b, distance - first[code], extra[code]);
}

static struct bits flate_begin(struct buf *out)
{
    struct bits b = {.out = out};
    buf_text(out, "\x78\x9c");
    put(&b, 3, 3); /* the last block, fixed codes */
    return b;
}

/* The checksum behind it is not looked at by anybody who reads PDFs. */
static void flate_end(struct bits *b)
{
    put_code(b, 0, 7);
    put(b, 0, 7);
    buf_bytes(b->out, "\0\0\0\0", 4);
}

void pdf_flate_run(struct buf *out, char byte, size_t total)
{
    struct bits b = flate_begin(out);
    size_t at = 0;
    for (; at < total && (at == 0 || total - at < 258); at++)
        literal(&b, (unsigned char)byte);
    for (; total - at >= 258; at += 258)
        match(&b, 1);
    for (; at < total; at++)
        literal(&b, (unsigned char)byte);
    flate_end(&b);
}

void pdf_flate(struct buf *out, const void *bytes, size_t length, size_t period)
{
    const unsigned char *p = bytes;
    struct bits b = flate_begin(out);
    for (size_t at = 0; at < length;) {
        if (at >= period && length - at >= 258 && !memcmp(p + at, p + at - period, 258)) {
            match(&b, (unsigned)period);
            at += 258;
        } else {
            literal(&b, p[at++]);
        }
    }
    flate_end(&b);
}

const char *pdf_bomb(struct buf *out, char byte, size_t total, int layers)
{
    static const char *const filters[] = {"", "/Filter/FlateDecode", "/Filter[/FlateDecode/FlateDecode]",
                                          "/Filter[/FlateDecode/FlateDecode/FlateDecode]"};
    pdf_flate_run(out, byte, total);
    /* A match takes 13 bits in the first layer, so its bytes come again after 13; in the second 15, so after 15. */
    for (int layer = 1; layer < layers; layer++) {
        struct buf next = {0};
        pdf_flate(&next, out->data, out->length, layer == 1 ? 13 : 15);
        buf_free(out);
        *out = next;
    }
    return filters[layers];
}
