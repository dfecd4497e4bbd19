/* hostile.c - PDFs that were made to hurt whoever opens them. */
#include "tests/lib/hostile.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "tests/lib/pdf.h"

enum { BILLION = 1000000000 };

static const int one[] = {10, 0}, two[] = {10, 20, 0};
static const char sentence[] = "Membranes keep the cells of all living things apart.";

/* ------------------------------------------------------------------ bombs */

/* The first page's content is a billion blanks, the second speaks. */
static struct buf content_bomb(void)
{
    struct pdf pdf = {0};
    AUTO(buf_free) struct buf bomb = {0};
    const char *filters = pdf_bomb(&bomb, ' ', BILLION, 3);
    pdf_frame(&pdf, NULL, two);
    pdf_object(&pdf, 10,
               "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>/Contents 11 0 R>>");
    pdf_stream(&pdf, 11, filters, bomb.data, bomb.length);
    pdf_page(&pdf, 20, sentence);
    return pdf_end(&pdf);
}

/* The page tree is said to lie in an object stream of a billion blanks. */
static struct buf object_stream_bomb(void)
{
    struct pdf pdf = {0};
    struct buf table = {0};
    AUTO(buf_free) struct buf bomb = {0};
    AUTO(mem_freep) char *entries = NULL;
    const char *filters = pdf_bomb(&bomb, ' ', BILLION, 2);
    entries = mem_printf("/Type/ObjStm/N 1/First 10%s", filters);
    pdf_object(&pdf, 1, "<</Type/Catalog/Pages 2 0 R>>");
    pdf_stream(&pdf, 4, entries, bomb.data, bomb.length);
    size_t at = pdf.out.length;
    const size_t rows[][3] = {{0, 0, 0}, {1, pdf.places[1], 0}, {2, 4, 0},
                              {0, 0, 0}, {1, pdf.places[4], 0}, {1, at, 0}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf_char(&table, (char)rows[i][0]);
        for (int shift = 24; shift >= 0; shift -= 8)
            buf_char(&table, (char)(rows[i][1] >> shift));
        buf_char(&table, (char)rows[i][2]);
    }
    pdf_stream(&pdf, 5, "/Type/XRef/Size 6/W[1 4 1]/Root 1 0 R", table.data, table.length);
    buf_printf(&pdf.out, "startxref\n%zu\n%%%%EOF\n", at);
    buf_free(&table);
    return pdf.out;
}

/* The table of objects itself. */
static struct buf table_bomb(void)
{
    struct pdf pdf = {0};
    AUTO(buf_free) struct buf bomb = {0};
    const char *filters = pdf_bomb(&bomb, 1, BILLION, 2);
    AUTO(mem_freep) char *entries = mem_printf("/Type/XRef/Size 200000000/W[1 3 1]/Root 1 0 R%s", filters);
    pdf_frame(&pdf, NULL, one);
    pdf_page(&pdf, 10, sentence);
    size_t at = pdf.out.length;
    pdf_stream(&pdf, 12, entries, bomb.data, bomb.length);
    buf_printf(&pdf.out, "startxref\n%zu\n%%%%EOF\n", at);
    return pdf.out;
}

static void font_page(struct pdf *pdf, const char *font, const char *content, size_t length)
{
    pdf_frame(pdf, NULL, two);
    pdf_object(pdf, 10,
               "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 12 0 R>>>>/Contents 11 0 R>>");
    pdf_stream(pdf, 11, "", content, length);
    pdf_object(pdf, 12, "%s", font);
    pdf_page(pdf, 20, sentence);
}

/* What the font's characters mean is told in a billion bytes. */
static struct buf cmap_bomb(void)
{
    struct pdf pdf = {0};
    AUTO(buf_free) struct buf bomb = {0};
    static const char content[] = "BT /F 11 Tf 70 600 Td (abc) Tj ET";
    const char *filters = pdf_bomb(&bomb, ' ', BILLION, 3);
    font_page(&pdf, "<</Type/Font/Subtype/Type1/BaseFont/ABCDEF+X/ToUnicode 13 0 R>>", content, strlen(content));
    pdf_stream(&pdf, 13, filters, bomb.data, bomb.length);
    return pdf_end(&pdf);
}

/* Each character stands for many, and there are many. */
static struct buf ligatures(void)
{
    struct pdf pdf = {0};
    AUTO(buf_free) struct buf cmap = {0};
    AUTO(buf_free) struct buf content = {0};
    buf_text(&cmap, "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <FF> "
                    "endcodespacerange\n1 beginbfchar\n<61> <");
    for (int i = 0; i < 500; i++)
        buf_text(&cmap, "0062");
    buf_text(&cmap, ">\nendbfchar endcmap end\n");
    buf_text(&content, "BT /F 1 Tf 70 600 Td (");
    for (int i = 0; i < 200000; i++)
        buf_char(&content, 'a');
    buf_text(&content, ") Tj ET");
    font_page(&pdf, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 13 0 R>>", content.data, content.length);
    pdf_stream(&pdf, 13, "", cmap.data, cmap.length);
    return pdf_end(&pdf);
}

static struct buf content_file(const char *content, size_t length)
{
    struct pdf pdf = {0};
    pdf_frame(&pdf, NULL, two);
    pdf_object(&pdf, 10,
               "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>/Contents 11 0 R>>");
    pdf_stream(&pdf, 11, "", content, length);
    pdf_page(&pdf, 20, sentence);
    return pdf_end(&pdf);
}

static struct buf repeated(const char *head, const char *piece, size_t times, const char *tail)
{
    AUTO(buf_free) struct buf content = {0};
    buf_text(&content, head);
    for (size_t i = 0; i < times; i++)
        buf_text(&content, piece);
    buf_text(&content, tail);
    return content_file(content.data, content.length);
}

static struct buf millions_of_glyphs(void)
{
    return repeated("BT /F 1 Tf 0.1 0 0 0.1 70 600 Tm ",
                    "(abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz) Tj 0 -0.01 Td ", 60000, "ET");
}
static struct buf deep_arrays(void)
{
    return repeated("", "[", 500000, "");
}
static struct buf deep_dictionaries(void)
{
    return repeated("/X ", "<</A", 300000, " BDC");
}
static struct buf deep_saves(void)
{
    return repeated("", "q ", 2000000, "");
}
static struct buf huge_inline_image(void)
{
    return repeated("BI /W 2000000000 /H 2000000000 /BPC 8 /CS /RGB ID ", "x", 100, " EI");
}

/* ------------------------------------------------------------------ loops */

static struct buf objects(const char *body)
{
    struct buf out = {0};
    buf_text(&out, "%PDF-1.5\n3 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n");
    buf_text(&out, body);
    buf_text(&out, "\ntrailer<</Root 1 0 R>>\n%%EOF\n");
    return out;
}

#define CATALOG "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj "
#define RIGHT_PAGE                                                                                                  \
    "5 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>/Contents 6 0 R>>endobj " \
    "6 0 obj<</Length 65>>stream\nBT /F 11 Tf 70 600 Td (Membranes keep the cells apart.) Tj ET   \nendstream endobj "

static struct buf tree_of_itself(void)
{
    return objects(CATALOG "2 0 obj<</Type/Pages/Count 5/Kids[2 0 R 2 0 R]>>endobj");
}
static struct buf tree_of_its_parent(void)
{
    return objects(CATALOG "2 0 obj<</Type/Pages/Count 5/Kids[4 0 R 5 0 R]>>endobj 4 0 obj<</Type/Pages/Parent 2 0 "
                           "R/Count 4/Kids[2 0 R]>>endobj " RIGHT_PAGE);
}
static struct buf parent_of_itself(void)
{
    return objects(CATALOG "2 0 obj<</Type/Pages/Count 2/Kids[4 0 R 5 0 R]/Parent 4 0 R>>endobj 4 0 "
                           "obj<</Type/Page/Parent 4 0 R>>endobj " RIGHT_PAGE);
}
static struct buf length_of_itself(void)
{
    return objects(CATALOG "2 0 obj<</Type/Pages/Count 2/Kids[4 0 R 5 0 R]>>endobj 4 0 obj<</Type/Page/Parent 2 0 "
                           "R/Contents 7 0 R>>endobj 7 0 obj<</Length 7 0 R>>stream\nx\nendstream endobj " RIGHT_PAGE);
}
static struct buf contents_of_itself(void)
{
    return objects(CATALOG
                   "2 0 obj<</Type/Pages/Count 2/Kids[4 0 R 5 0 R]>>endobj 4 0 obj<</Type/Page/Parent 2 0 R/Contents 7 "
                   "0 R/Resources 7 0 R/MediaBox 7 0 R>>endobj 7 0 obj[7 0 R 7 0 R]endobj " RIGHT_PAGE);
}
static struct buf reference_of_itself(void)
{
    return objects("1 0 obj 1 0 R endobj 2 0 obj 1 0 R endobj");
}
static struct buf outline_of_itself(void)
{
    return objects("1 0 obj<</Type/Catalog/Pages 2 0 R/Outlines 7 0 R>>endobj 2 0 obj<</Type/Pages/Count 1/Kids[5 0 "
                   "R]>>endobj 7 0 obj<</First 8 0 R/Last 8 0 R/Count 1>>endobj 8 0 obj<</Title(Round and "
                   "round)/Parent 7 0 R/Next 8 0 R/First 7 0 R/Last 8 0 R/Count 9/Dest[5 0 R/Fit]>>endobj " RIGHT_PAGE);
}
static struct buf names_of_themselves(void)
{
    return objects("1 0 obj<</Type/Catalog/Pages 2 0 R/Names<</Dests 9 0 R>>/PageLabels 9 0 R/Outlines 7 0 R>>endobj 2 "
                   "0 obj<</Type/Pages/Count 1/Kids[5 0 R]>>endobj 7 0 obj<</First 8 0 R/Last 8 0 R/Count 1>>endobj 8 "
                   "0 obj<</Title(One)/Parent 7 0 R/Dest(there)>>endobj 9 0 obj<</Kids[9 0 R 9 0 "
                   "R]/Limits[(a)(z)]>>endobj " RIGHT_PAGE);
}

/* A form that draws itself; one that draws the next ten times, twelve deep. */
static struct buf form_of_itself(void)
{
    struct pdf pdf = {0};
    pdf_frame(&pdf, NULL, two);
    pdf_object(&pdf, 10,
               "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</XObject<</X 12 0 R>>>>/Contents 11 0 R>>");
    pdf_stream(&pdf, 11, "", "/X Do", 5);
    pdf_stream(&pdf, 12, "/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 12 0 R>>>>", "/X Do /X Do",
               11);
    pdf_page(&pdf, 20, sentence);
    return pdf_end(&pdf);
}

static struct buf forms_of_forms(void)
{
    struct pdf pdf = {0};
    static const char draw[] = "/X Do /X Do /X Do /X Do /X Do /X Do /X Do /X Do /X Do /X Do";
    pdf_frame(&pdf, NULL, two);
    pdf_object(&pdf, 10,
               "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</XObject<</X 30 0 R>>>>/Contents 11 0 R>>");
    pdf_stream(&pdf, 11, "", draw, strlen(draw));
    for (int i = 0; i < 12; i++) {
        AUTO(mem_freep)
        char *entries = mem_printf(
            "/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</Font<</F 3 0 R>>/XObject<</X %d 0 R>>>>", 31 + i);
        pdf_stream(&pdf, 30 + i, entries, draw, strlen(draw));
    }
    pdf_stream(&pdf, 42, "/Type/XObject/Subtype/Form/BBox[0 0 9 9]", "q Q", 3);
    pdf_page(&pdf, 20, sentence);
    return pdf_end(&pdf);
}

/* A drawn letter that writes itself. */
static struct buf letter_of_itself(void)
{
    struct pdf pdf = {0};
    static const char content[] = "BT /F 11 Tf 70 600 Td (aaaa) Tj ET", letter[] = "1000 0 d0 BT /F 1 Tf (aaaa) Tj ET";
    font_page(&pdf,
              "<</Type/Font/Subtype/Type3/FontBBox[0 0 1 1]/FontMatrix[1 0 0 1 0 0]/FirstChar 97/LastChar 97/Widths[1]"
              "/Encoding<</Differences[97/a]>>/CharProcs<</a 13 0 R>>/Resources<</Font<</F 12 0 R>>>>>>",
              content, strlen(content));
    pdf_stream(&pdf, 13, "", letter, strlen(letter));
    return pdf_end(&pdf);
}

/* A pattern of more tiles than anybody has time for. */
static struct buf endless_tiles(void)
{
    struct pdf pdf = {0};
    static const char content[] = "/Pattern cs /P scn 0 0 595 842 re f", tile[] = "BT /F 1 Tf (a) Tj ET";
    pdf_frame(&pdf, NULL, two);
    pdf_object(&pdf, 10,
               "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Pattern<</P 12 0 R>>>>/Contents 11 0 R>>");
    pdf_stream(&pdf, 11, "", content, strlen(content));
    pdf_stream(&pdf, 12,
               "/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 1 1]/XStep 0.0001/YStep "
               "0.0001/Resources<</Font<</F 3 0 R>>>>",
               tile, strlen(tile));
    pdf_page(&pdf, 20, sentence);
    return pdf_end(&pdf);
}

/* Object streams that are each other's home. */
static struct buf streams_in_streams(void)
{
    struct pdf pdf = {0};
    struct buf table = {0};
    static const char inner[] = "1 0 2 29 <</Type/Catalog/Pages 2 0 R>> <</Type/Pages/Count 1/Kids[2 0 R]>>";
    pdf_stream(&pdf, 4, "/Type/ObjStm/N 2/First 9/Extends 4 0 R", inner, strlen(inner));
    size_t at = pdf.out.length;
    for (int i = 0; i < 6; i++) {
        const unsigned row[] = {2, i == 4 ? 5 : 4};
        buf_char(&table, (char)(i == 5 ? 1 : row[0]));
        buf_char(&table, (char)(i == 5 ? at >> 8 : 0));
        buf_char(&table, (char)(i == 5 ? at : row[1]));
        buf_char(&table, (char)(i == 2));
    }
    pdf_stream(&pdf, 5, "/Type/XRef/Size 6/W[1 2 1]/Root 1 0 R", table.data, table.length);
    buf_printf(&pdf.out, "startxref\n%zu\n%%%%EOF\n", at);
    buf_free(&table);
    return pdf.out;
}

/* ------------------------------------------------------------------ pages without end */

/* Ten times as many with each level, of one and the same page. poppler wants as many objects as pages, so the table
 * has room for a million that are free. */
static struct buf pages_by(int levels, long long said)
{
    enum { ROW = 6, TABLE = 30, ROOM = 1000100 };
    struct pdf pdf = {0};
    AUTO(buf_free) struct buf table = {0};
    unsigned char *rows = mem_array(ROOM, ROW);
    long long below = 1;
    pdf_object(&pdf, 1, "<</Type/Catalog/Pages 10 0 R>>");
    for (int i = levels - 1; i >= 0; i--) {
        int kid = 10 + i + 1;
        below *= 10;
        pdf_object(
            &pdf, 10 + i,
            "<</Type/Pages/Count %lld/Kids[%d 0 R %d 0 R %d 0 R %d 0 R %d 0 R %d 0 R %d 0 R %d 0 R %d 0 R %d 0 R]>>",
            i      ? below
            : said ? said
                   : below,
            kid, kid, kid, kid, kid, kid, kid, kid, kid, kid);
    }
    pdf_object(&pdf, 10 + levels, "<</Type/Page/MediaBox[0 0 595 842]/Parent %d 0 R>>", 9 + levels);
    size_t at = pdf.places[TABLE] = pdf.out.length;
    for (size_t i = 0; i <= TABLE; i++)
        for (int k = 0; pdf.places[i] && k < ROW; k++)
            rows[i * ROW + (size_t)k] = (unsigned char)(k == 0 ? 1 : k == 5 ? 0 : pdf.places[i] >> 8 * (4 - k));
    pdf_flate(&table, rows, (size_t)ROOM * ROW, 1);
    free(rows);
    AUTO(mem_freep) char *entries = mem_printf("/Type/XRef/Size %d/W[1 4 1]/Root 1 0 R/Filter/FlateDecode", ROOM);
    pdf_stream(&pdf, TABLE, entries, table.data, table.length);
    buf_printf(&pdf.out, "startxref\n%zu\n%%%%EOF\n", at);
    return pdf.out;
}

static struct buf million_pages(void)
{
    return pages_by(6, 0);
}
static struct buf million_pages_said_to_be_three(void)
{
    return pages_by(6, 3);
}
static struct buf ten_thousand_pages(void)
{
    return pages_by(4, 0);
}
static struct buf one_page_said_to_be_a_million(void)
{
    return objects(CATALOG "2 0 obj<</Type/Pages/Count 1000000/Kids[5 0 R]>>endobj " RIGHT_PAGE);
}
static struct buf fewer_than_no_pages(void)
{
    return objects(CATALOG "2 0 obj<</Type/Pages/Count -5/Kids[5 0 R]>>endobj " RIGHT_PAGE);
}
static struct buf one_page_said_to_be_thousands(void)
{
    return objects(CATALOG "2 0 obj<</Type/Pages/Count 19999/Kids[5 0 R]>>endobj " RIGHT_PAGE);
}

/* ------------------------------------------------------------------ locked files */

static void rc4(const unsigned char *key, size_t key_length, unsigned char *bytes, size_t length)
{
    unsigned char s[256], swap;
    for (int i = 0; i < 256; i++)
        s[i] = (unsigned char)i;
    for (unsigned i = 0, j = 0; i < 256; i++) {
        j = (j + s[i] + key[i % key_length]) & 255;
        swap = s[i], s[i] = s[j], s[j] = swap;
    }
    for (unsigned n = 0, i = 0, j = 0; n < length; n++) {
        i = (i + 1) & 255;
        j = (j + s[i]) & 255;
        swap = s[i], s[i] = s[j], s[j] = swap;
        bytes[n] ^= s[(s[i] + s[j]) & 255];
    }
}

static const unsigned char padding[33] = "\x28\xBF\x4E\x5E\x4E\x75\x8A\x41\x64\x00\x4E\x56\xFF\xFA\x01\x08\x2E\x2E\x00"
                                         "\xB6\xD0\x68\x3E\x80\x2F\x0C\xA9\xFE\x64\x53\x69\x7A";

static void md5(const void *bytes, size_t length, unsigned char digest[16])
{
    if (!EVP_Digest(bytes, length, digest, NULL, EVP_md5(), NULL))
        abort();
}

static void put_hex(struct buf *out, const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        buf_printf(out, "%02X", bytes[i]);
}

/* The standard handler, revision 2 (40 bits), with this password for users and another for owners. */
static struct buf locked(const char *password)
{
    struct pdf pdf = {0};
    unsigned char user[32], owner[32], digest[16], key[16], all[32 + 32 + 4 + 16] = {0};
    AUTO(buf_free) struct buf entries = {0};
    AUTO(mem_freep) char *content = mem_printf("BT /F 11 Tf 70 600 Td (%s) Tj ET", sentence);
    size_t length = strlen(password);
    memcpy(user, password, length);
    memcpy(user + length, padding, 32 - length);
    md5("owner\x28\xBF\x4E\x5E\x4E\x75\x8A\x41\x64\x00\x4E\x56\xFF\xFA\x01\x08\x2E\x2E\x00\xB6\xD0\x68\x3E\x80\x2F\x0C"
        "\xA9",
        32, digest);
    memcpy(owner, user, 32);
    rc4(digest, 5, owner, 32);
    memcpy(all, user, 32);
    memcpy(all + 32, owner, 32);
    memcpy(all + 64, "\xFC\xFF\xFF\xFF", 4);
    memcpy(all + 68, "0123456789abcdef", 16);
    md5(all, sizeof all, key);
    memcpy(user, padding, 32);
    rc4(key, 5, user, 32);
    /* Object 11's own key: the file's, its number, its generation. */
    unsigned char own[10] = {0};
    memcpy(own, key, 5);
    own[5] = 11;
    md5(own, sizeof own, digest);
    rc4(digest, 10, (unsigned char *)content, strlen(sentence) + strlen("BT /F 11 Tf 70 600 Td () Tj ET"));
    pdf_frame(&pdf, NULL, one);
    pdf_object(&pdf, 10,
               "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>/Contents 11 0 R>>");
    pdf_stream(&pdf, 11, "", content, strlen(sentence) + strlen("BT /F 11 Tf 70 600 Td () Tj ET"));
    buf_text(&entries, "/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<");
    put_hex(&entries, owner, 32);
    buf_text(&entries, ">/U<");
    put_hex(&entries, user, 32);
    buf_text(&entries, ">>>/ID[<");
    put_hex(&entries, all + 68, 16);
    buf_text(&entries, "><");
    put_hex(&entries, all + 68, 16);
    buf_text(&entries, ">]");
    pdf.trailer = entries.data;
    return pdf_end(&pdf);
}

static struct buf locked_for_all(void)
{
    return locked("geheim");
}
static struct buf locked_for_owners(void)
{
    return locked("");
}
static struct buf locked_by_nonsense(void)
{
    return objects(CATALOG
                   "2 0 obj<</Type/Pages/Count 1/Kids[5 0 R]>>endobj " RIGHT_PAGE
                   "trailer<</Root 1 0 R/Encrypt<</Filter/Standard/V 99/R 99/Length 2147483647/O 5/U[]>>/ID[]>>");
}

/* ------------------------------------------------------------------ things that do something */

static struct buf with_catalog(const char *catalog, const char *extra)
{
    struct pdf pdf = {0};
    pdf_frame(&pdf, catalog, one);
    pdf_page(&pdf, 10, sentence);
    pdf_object(&pdf, 14, "%s", extra);
    return pdf_end(&pdf);
}

static struct buf scripts(void)
{
    return with_catalog(
        "/OpenAction 14 0 R/AA<</WC 14 0 R/WS 14 0 R>>/Names<</JavaScript<</Names[(a) 14 0 R]>>>>",
        "<</S/JavaScript/JS(while \\(true\\) app.alert\\(1\\);)/Next<</S/Launch/F(/bin/sh)/Next 14 0 R>>>>");
}
static struct buf goes_elsewhere(void)
{
    return with_catalog("/OpenAction<</S/SubmitForm/F<</FS/URL/F(http://127.0.0.1:9/)>>>>/AcroForm 14 0 "
                        "R/URI<</Base(http://127.0.0.1:9/)>>",
                        "<</XFA[(a) 14 0 R]/Fields[14 0 R]/NeedAppearances true>>");
}

static struct buf attachments(void)
{
    struct pdf pdf = {0};
    pdf_frame(&pdf, "/Names<</EmbeddedFiles<</Names[(../../etc/passwd) 14 0 R]>>>>/AF[14 0 R]", one);
    pdf_page(&pdf, 10, sentence);
    pdf_object(&pdf, 14, "<</Type/Filespec/F(../../etc/passwd)/UF(../../etc/passwd)/EF<</F 15 0 R>>>>");
    pdf_stream(&pdf, 15, "/Type/EmbeddedFile/Params<</Size 2147483647>>", "Attached words are not read.", 28);
    return pdf_end(&pdf);
}

/* A content that lies in another file. */
static struct buf content_elsewhere(void)
{
    return objects(CATALOG
                   "2 0 obj<</Type/Pages/Count 2/Kids[4 0 R 5 0 R]>>endobj 4 0 obj<</Type/Page/Parent 2 0 R/Contents 7 "
                   "0 R>>endobj 7 0 obj<</Length 0/F(/etc/passwd)/FFilter[]>>stream\n\nendstream endobj " RIGHT_PAGE);
}

/* ------------------------------------------------------------------ letters and numbers that lie */

/* Letters by the number of their shape, as many fonts number them, and no word of what they mean. */
static struct buf unreadable_letters(void)
{
    struct pdf pdf = {0};
    AUTO(buf_free) struct buf content = {0};
    for (int line = 0; line < 20; line++) {
        buf_printf(&content, "BT /F 11 Tf 70 %d Td <", 700 - 14 * line);
        for (const char *p = sentence; *p; p++)
            buf_printf(&content, "%04X", (unsigned)*p - 29);
        buf_text(&content, "> Tj ET\n");
    }
    pdf_frame(&pdf, NULL, one);
    pdf_object(&pdf, 10,
               "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 12 0 R>>>>/Contents 11 0 R>>");
    pdf_stream(&pdf, 11, "", content.data, content.length);
    pdf_object(&pdf, 12, "<</Type/Font/Subtype/Type0/BaseFont/ABCDEF+X/Encoding/Identity-H/DescendantFonts[13 0 R]>>");
    pdf_object(&pdf, 13,
               "<</Type/Font/Subtype/CIDFontType2/BaseFont/ABCDEF+X/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/"
               "Supplement 0>>"
               "/FontDescriptor<</Type/FontDescriptor/FontName/ABCDEF+X/Flags 4/FontBBox[0 0 1000 1000]/ItalicAngle "
               "0/Ascent 800/Descent -200/StemV 80>>>>");
    return pdf_end(&pdf);
}

static struct buf odd_titles(void)
{
    struct pdf pdf = {0};
    pdf_frame(&pdf, "/PageLabels<</Nums[0<</S/r/St 2147483647/P<FEFFD800>>>]>>/Outlines 14 0 R", one);
    pdf_page(&pdf, 10, sentence);
    pdf_object(&pdf, 14, "<</First 15 0 R/Last 17 0 R/Count 3>>");
    pdf_object(&pdf, 15, "<</Title<FEFFD800D800DC00DC000041>/Parent 14 0 R/Next 16 0 R/Dest[10 0 R/Fit]>>");
    pdf_object(&pdf, 16, "<</Title<FEFF004>/Parent 14 0 R/Next 17 0 R/Dest[99999999 0 R/XYZ 1e99 -1e99 0]>>");
    pdf_object(&pdf, 17, "<</Title<EFBBBFFFFE80C0>/Parent 14 0 R/Dest(\\000\\377)>>");
    return pdf_end(&pdf);
}

/* Page "a" number two billion is written with eighty million a's. */
static struct buf endless_labels(void)
{
    struct pdf pdf = {0};
    pdf_frame(&pdf, "/PageLabels<</Nums[0<</S/a/St 2147483000>>]>>", two);
    pdf_page(&pdf, 10, sentence);
    pdf_page(&pdf, 20, sentence);
    return pdf_end(&pdf);
}

/* A zero, half a pair, an order of reading: none may reach a database or a terminal. */
static struct buf forbidden_letters(void)
{
    struct pdf pdf = {0};
    static const char content[] = "BT /F 11 Tf 70 600 Td (abcde Membranes) Tj ET";
    static const char cmap[] = "begincmap 1 begincodespacerange <00> <FF> endcodespacerange 5 beginbfchar <61> <0000> "
                               "<62> <D800> <63> <202E> <64> <001B> <65> <FFFF> endbfchar endcmap";
    font_page(&pdf, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 13 0 R>>", content, strlen(content));
    pdf_stream(&pdf, 13, "", cmap, strlen(cmap));
    return pdf_end(&pdf);
}

static struct buf boxed(const char *entries)
{
    struct pdf pdf = {0};
    AUTO(mem_freep) char *content = mem_printf("BT /F 11 Tf 70 600 Td (%s) Tj ET", sentence);
    pdf_frame(&pdf, NULL, one);
    pdf_object(&pdf, 10, "<</Type/Page/Parent 2 0 R%s/Resources<</Font<</F 3 0 R>>>>/Contents 11 0 R>>", entries);
    pdf_stream(&pdf, 11, "", content, strlen(content));
    return pdf_end(&pdf);
}

static struct buf gigantic_page(void)
{
    return boxed("/MediaBox[-1e30 -1e30 1e30 1e30]/UserUnit 1e30");
}
static struct buf page_of_no_size(void)
{
    return boxed("/MediaBox[0 0 0 0]/Rotate 2147483647");
}
static struct buf page_turned_inside_out(void)
{
    return boxed("/MediaBox[595 842 0 0]/CropBox[9e99 nan inf -1]/Rotate -90");
}

static struct buf length_lie(const char *length)
{
    struct pdf pdf = {0};
    AUTO(mem_freep) char *content = mem_printf("BT /F 11 Tf 70 600 Td (%s) Tj ET", sentence);
    pdf_frame(&pdf, NULL, one);
    pdf_object(&pdf, 10,
               "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>/Contents 11 0 R>>");
    pdf_stream(&pdf, 11, length, content, strlen(content));
    return pdf_end(&pdf);
}

static struct buf too_long(void)
{
    return length_lie("/Length 999999999999999999");
}
static struct buf shorter_than_nothing(void)
{
    return length_lie("/Length -2147483648");
}

/* ------------------------------------------------------------------ tables that lie */

static struct buf right_file(void)
{
    struct pdf pdf = {0};
    pdf_frame(&pdf, NULL, one);
    pdf_page(&pdf, 10, sentence);
    return pdf_end(&pdf);
}

static struct buf table_cut(void)
{
    struct buf file = right_file();
    char *table = strstr(file.data + 20, "\nxref\n");
    file.length = (size_t)(table - file.data) + 60;
    file.data[file.length] = '\0';
    return file;
}

static struct buf table_to_everywhere(void)
{
    struct buf file = right_file();
    char *row = strstr(file.data + 20, "\nxref\n") + 12;
    for (unsigned seed = 7; (row = strstr(row, " 00000 n")); row += 8, seed = seed * 1664525u + 1013904223u)
        row[-3] = (char)('0' + (seed >> 16) % 10), row[-2] = (char)('0' + (seed >> 20) % 10);
    return file;
}

static struct buf ended(const char *tail)
{
    struct buf file = right_file();
    file.length = (size_t)(strstr(file.data, "trailer") - file.data);
    buf_text(&file, tail);
    return file;
}

static struct buf table_of_itself(void)
{
    struct buf file = right_file();
    size_t table = (size_t)(strstr(file.data + 20, "\nxref\n") - file.data) + 1;
    buf_free(&file);
    AUTO(mem_freep)
    char *tail = mem_printf("trailer<</Size 12/Root 1 0 R/Prev %zu/XRefStm %zu>>\nstartxref\n%zu\n%%%%EOF\n", table,
                            table, table);
    return ended(tail);
}
static struct buf table_nowhere(void)
{
    return ended("trailer<</Size 2147483647/Root 1 0 R>>\nstartxref\n99999999999999999999\n%%EOF\n");
}
static struct buf no_root(void)
{
    return ended("trailer<</Size 12>>\n");
}
static struct buf empty(void)
{
    struct buf out = {0};
    buf_text(&out, "%PDF-1.7\n");
    return out;
}
static struct buf no_pdf(void)
{
    struct buf out = {0};
    buf_text(&out, "PK\003\004 this is a text document, saved under another name");
    return out;
}
static struct buf noise(void)
{
    struct buf out = {0};
    buf_text(&out, "%PDF-1.7\n");
    for (unsigned i = 0, seed = 3; i < 200000; i++, seed = seed * 1664525u + 1013904223u)
        buf_char(&out, (char)(seed >> 24));
    return out;
}

/* A million objects, each a word: the table is found by reading all. */
static struct buf swarm_of_objects(void)
{
    struct buf out = {0};
    buf_text(&out, "%PDF-1.5\n");
    for (int i = 100; i < 300100; i++)
        buf_printf(&out, "%d 0 obj 1 endobj\n", i);
    struct buf rest = objects(CATALOG "2 0 obj<</Type/Pages/Count 1/Kids[5 0 R]>>endobj " RIGHT_PAGE);
    buf_bytes(&out, rest.data, rest.length);
    buf_free(&rest);
    return out;
}

const struct hostile hostile_files[] = {
    {"a page of a billion blanks in a kilobyte", content_bomb, HOSTILE_INDEXED, "Membranes", false},
    {"an object stream of a billion bytes", object_stream_bomb, HOSTILE_REFUSED, "", false},
    {"a table of two hundred million objects", table_bomb, HOSTILE_EITHER, "", false},
    {"a font's table of a billion bytes", cmap_bomb, HOSTILE_INDEXED, "Membranes", false},
    {"letters that stand for five hundred", ligatures, HOSTILE_INDEXED, "Membranes", false},
    {"millions of letters on a page", millions_of_glyphs, HOSTILE_INDEXED, "Membranes", false},
    {"arrays half a million deep", deep_arrays, HOSTILE_INDEXED, "Membranes", false},
    {"dictionaries half a million deep", deep_dictionaries, HOSTILE_INDEXED, "Membranes", false},
    {"two million saved states", deep_saves, HOSTILE_INDEXED, "Membranes", true},
    {"an image of exabytes", huge_inline_image, HOSTILE_INDEXED, "Membranes", false},
    {"a page tree that is its own branch", tree_of_itself, HOSTILE_REFUSED, "", true},
    {"a page tree whose branch holds it", tree_of_its_parent, HOSTILE_EITHER, "", false},
    {"a page that is its own parent", parent_of_itself, HOSTILE_EITHER, "", false},
    {"a stream whose length is itself", length_of_itself, HOSTILE_INDEXED, "Membranes", false},
    {"contents, resources and box that hold themselves", contents_of_itself, HOSTILE_INDEXED, "Membranes", false},
    {"an object that refers to itself", reference_of_itself, HOSTILE_REFUSED, "", false},
    {"an outline that goes round", outline_of_itself, HOSTILE_INDEXED, "Membranes", true},
    {"names and labels that hold themselves", names_of_themselves, HOSTILE_INDEXED, "Membranes", false},
    {"a form that draws itself", form_of_itself, HOSTILE_INDEXED, "Membranes", false},
    {"forms that draw forms, ten times each, twelve deep", forms_of_forms, HOSTILE_INDEXED, "Membranes", false},
    {"a letter that writes itself", letter_of_itself, HOSTILE_INDEXED, "Membranes", false},
    {"a pattern of trillions of tiles", endless_tiles, HOSTILE_INDEXED, "Membranes", false},
    {"object streams inside themselves", streams_in_streams, HOSTILE_REFUSED, "", false},
    {"a million empty pages", million_pages, HOSTILE_REFUSED, "This PDF has 1000000 pages", true},
    {"a million empty pages that are said to be three", million_pages_said_to_be_three, HOSTILE_REFUSED, "", false},
    {"ten thousand empty pages", ten_thousand_pages, HOSTILE_REFUSED, "10000 of 10000 pages had no text", false},
    {"one page that is said to be a million", one_page_said_to_be_a_million, HOSTILE_EITHER, "", false},
    {"one page that is said to be thousands", one_page_said_to_be_thousands, HOSTILE_EITHER, "", false},
    {"fewer than no pages", fewer_than_no_pages, HOSTILE_EITHER, "", false},
    {"locked with a password", locked_for_all, HOSTILE_REFUSED, "password", true},
    {"locked for its owner, open to readers", locked_for_owners, HOSTILE_INDEXED, "Membranes", true},
    {"locked by nonsense", locked_by_nonsense, HOSTILE_EITHER, "", false},
    {"scripts and programs", scripts, HOSTILE_INDEXED, "Membranes", true},
    {"forms that are sent elsewhere", goes_elsewhere, HOSTILE_INDEXED, "Membranes", false},
    {"files inside", attachments, HOSTILE_INDEXED, "Membranes", true},
    {"a page that lies in another file", content_elsewhere, HOSTILE_INDEXED, "Membranes", false},
    {"fonts that do not say their letters", unreadable_letters, HOSTILE_REFUSED, "fonts", true},
    {"titles and labels that are no text", odd_titles, HOSTILE_INDEXED, "Membranes", false},
    {"labels of eighty million letters", endless_labels, HOSTILE_EITHER, "", false},
    {"letters that no text may hold", forbidden_letters, HOSTILE_INDEXED, "Membranes", true},
    {"a gigantic page", gigantic_page, HOSTILE_EITHER, "", false},
    {"a page of no size", page_of_no_size, HOSTILE_EITHER, "", false},
    {"a page turned inside out", page_turned_inside_out, HOSTILE_INDEXED, "Membranes", false},
    {"a stream said to be endless", too_long, HOSTILE_INDEXED, "Membranes", false},
    {"a stream said to be less than nothing", shorter_than_nothing, HOSTILE_EITHER, "", false},
    {"a table cut short", table_cut, HOSTILE_EITHER, "", false},
    {"a table that points everywhere", table_to_everywhere, HOSTILE_EITHER, "", false},
    {"a table before itself", table_of_itself, HOSTILE_INDEXED, "Membranes", false},
    {"a table nowhere", table_nowhere, HOSTILE_EITHER, "", false},
    {"no root", no_root, HOSTILE_EITHER, "", false},
    {"three hundred thousand objects without a table", swarm_of_objects, HOSTILE_INDEXED, "Membranes", false},
    {"nothing but its first line", empty, HOSTILE_REFUSED, "damaged", false},
    {"no PDF at all", no_pdf, HOSTILE_REFUSED, "damaged", false},
    {"noise", noise, HOSTILE_REFUSED, "damaged", false},
    {0},
};
