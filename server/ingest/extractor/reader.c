/* reader.c - poppler: what a PDF says, as frames. */
#include "server/ingest/extractor/reader.h"

#include <errno.h>
#include <poppler.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/text.h"
#include "server/ingest/frames.h"

enum { LABEL_LONGEST = 10000 };

static PopplerDocument *anchor; /* keeps poppler's tables alive; never freed */
static GIConv titles;           /* keeps libc's UTF-16 module loaded: titles and labels need it */

static const char tiny[] = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
                           "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
                           "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n"
                           "trailer<</Root 1 0 R>>\n%%EOF\n";

void reader_prepare(void)
{
    titles = g_iconv_open("UTF-8", "UTF-16BE");
    (void)titles;
    GBytes *bytes = g_bytes_new_static(tiny, sizeof tiny - 1);
    anchor = poppler_document_new_from_bytes(bytes, NULL, NULL);
    g_bytes_unref(bytes);
    PopplerPage *page = anchor ? poppler_document_get_page(anchor, 0) : NULL;
    if (page) {
        g_free(poppler_page_get_text(page));
        g_object_unref(page);
    }
}

static void put_u8(struct buf *b, unsigned value)
{
    buf_char(b, (char)value);
}

static void put_u32(struct buf *b, size_t value)
{
    for (int shift = 0; shift < 32; shift += 8)
        put_u8(b, (unsigned)(value >> shift) & 0xFF);
}

static void put_float(struct buf *b, double value)
{
    float narrow = (float)value;
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    put_u32(b, bits);
}

/* At most `most` bytes, cut between characters; what is not UTF-8 counts as nothing. */
static void put_text(struct buf *b, const char *text, size_t most)
{
    size_t length = text && g_utf8_validate(text, -1, NULL) ? strlen(text) : 0;
    while (length > most)
        length = (size_t)(g_utf8_find_prev_char(text, text + length) - text);
    put_u32(b, length);
    buf_bytes(b, text ? text : "", length);
}

static bool send_frame(int fd, enum frame_type type, const struct buf *payload)
{
    struct buf head = {0};
    put_u32(&head, payload->length);
    put_u8(&head, (unsigned)type);
    buf_bytes(&head, payload->data ? payload->data : "", payload->length);
    size_t sent = 0;
    while (sent < head.length) {
        ssize_t n = write(fd, head.data + sent, head.length - sent);
        if (n < 0 && errno != EINTR)
            break;
        sent += n > 0 ? (size_t)n : 0;
    }
    bool whole = sent == head.length;
    buf_free(&head);
    return whole;
}

static int page_of(PopplerDocument *document, const PopplerDest *dest)
{
    if (!dest)
        return 0;
    if (dest->type != POPPLER_DEST_NAMED)
        return dest->page_num > 0 ? dest->page_num : 0;
    PopplerDest *found = dest->named_dest ? poppler_document_find_dest(document, dest->named_dest) : NULL;
    int page = found && found->page_num > 0 ? found->page_num : 0;
    if (found)
        poppler_dest_free(found);
    return page;
}

/* Outlines that loop exist: levels and items are counted. */
static void put_outline(struct buf *b, PopplerDocument *document, PopplerIndexIter *iter, int level, int *left)
{
    do {
        PopplerAction *action = poppler_index_iter_get_action(iter);
        if (action) {
            const PopplerDest *dest = action->type == POPPLER_ACTION_GOTO_DEST ? action->goto_dest.dest : NULL;
            put_u32(b, (size_t)page_of(document, dest));
            put_u8(b, (unsigned)level);
            put_text(b, action->any.title, FRAME_TITLE_MOST);
            poppler_action_free(action);
        }
        PopplerIndexIter *child = level + 1 < FRAME_LEVELS && *left > 0 ? poppler_index_iter_get_child(iter) : NULL;
        if (child) {
            put_outline(b, document, child, level + 1, left);
            poppler_index_iter_free(child);
        }
    } while (--*left > 0 && poppler_index_iter_next(iter));
}

static bool send_outline(PopplerDocument *document, int out_fd)
{
    struct buf b = {0};
    PopplerIndexIter *iter = poppler_index_iter_new(document);
    if (iter) {
        int left = FRAME_OUTLINE_MOST;
        put_outline(&b, document, iter, 0, &left);
        poppler_index_iter_free(iter);
    }
    bool sent = send_frame(out_fd, FRAME_OUTLINE, &b);
    buf_free(&b);
    return sent;
}

static unsigned font_flags(const char *name)
{
    static const char *const bold[] = {"bold", "black", "heavy", "demi", "cmbx", "-medi"};
    static const char *const italic[] = {"italic", "oblique", "cmti", "-ital"};
    unsigned flags = 0;
    char *lower = g_ascii_strdown(name ? name : "", -1);
    for (size_t i = 0; i < COUNT_OF(bold); i++)
        flags |= strstr(lower, bold[i]) ? FONT_BOLD : 0;
    for (size_t i = 0; i < COUNT_OF(italic); i++)
        flags |= strstr(lower, italic[i]) ? FONT_ITALIC : 0;
    g_free(lower);
    return flags;
}

static void put_fonts(struct buf *b, PopplerPage *page, size_t characters)
{
    GList *list = poppler_page_get_text_attributes(page);
    size_t count_at = b->length, count = 0;
    put_u32(b, 0);
    for (const GList *i = list; i && count < characters; i = i->next) {
        const PopplerTextAttributes *a = i->data;
        if (a->start_index < 0 || a->end_index < a->start_index || (size_t)a->start_index >= characters)
            continue;
        put_u32(b, (size_t)a->start_index);
        put_u32(b, (size_t)a->end_index + 1); /* poppler's end is inclusive */
        put_float(b, a->font_size);
        put_u8(b, font_flags(a->font_name));
        count++;
    }
    poppler_page_free_text_attributes(list);
    struct buf number = {0};
    put_u32(&number, count);
    memcpy(b->data + count_at, number.data, 4);
    buf_free(&number);
}

static void put_boxes(struct buf *b, PopplerPage *page, size_t characters)
{
    PopplerRectangle *boxes = NULL;
    guint count = 0;
    if (!poppler_page_get_text_layout(page, &boxes, &count))
        count = 0;
    put_u32(b, characters);
    for (size_t i = 0; i < characters; i++) {
        /* Fewer boxes than characters: the last one stands for the rest. */
        PopplerRectangle box = count ? boxes[i < count ? i : count - 1] : (PopplerRectangle){0};
        put_float(b, box.x1);
        put_float(b, box.y1);
        put_float(b, box.x2);
        put_float(b, box.y2);
    }
    g_free(boxes);
}

/* A label counted in letters ("a", "b" … "aa") is as long as its number is high: the first that is absurd, which may
 * have taken seconds to make, is the last that is asked for. */
static char *label_of(PopplerPage *page)
{
    static bool absurd;
    char *label = page && !absurd ? poppler_page_get_label(page) : NULL;
    absurd = absurd || (label && strlen(label) > LABEL_LONGEST);
    if (!absurd)
        return label;
    g_free(label);
    return NULL;
}

static bool send_page(PopplerDocument *document, int index, int out_fd)
{
    struct buf b = {0};
    double width = 0, height = 0;
    PopplerPage *page = poppler_document_get_page(document, index);
    char *label = label_of(page);
    char *text = page ? poppler_page_get_text(page) : NULL;
    if (page)
        poppler_page_get_size(page, &width, &height);
    size_t bytes = text && g_utf8_validate(text, -1, NULL) ? strlen(text) : 0;
    bytes = text_offset(text ? text : "", bytes, FRAME_CHARACTERS);
    size_t characters = text_count(text ? text : "", bytes);
    put_u32(&b, (size_t)index + 1);
    put_float(&b, width);
    put_float(&b, height);
    put_text(&b, label, FRAME_TITLE_MOST);
    put_u32(&b, bytes);
    buf_bytes(&b, text ? text : "", bytes);
    if (page) {
        put_boxes(&b, page, characters);
        put_fonts(&b, page, characters);
        g_object_unref(page);
    } else {
        put_u32(&b, 0);
        put_u32(&b, 0);
    }
    g_free(label);
    g_free(text);
    bool sent = send_frame(out_fd, FRAME_PAGE, &b);
    buf_free(&b);
    return sent;
}

static int refuse(int out_fd, enum frame_refusal refusal)
{
    struct buf b = {0};
    put_u8(&b, (unsigned)refusal);
    bool sent = send_frame(out_fd, FRAME_REFUSED, &b);
    buf_free(&b);
    return sent ? 0 : 1;
}

static int read_pages(PopplerDocument *document, int out_fd, int first)
{
    int pages = poppler_document_get_n_pages(document);
    if (pages <= 0)
        return refuse(out_fd, REFUSED_PAGELESS);
    if (first <= 1) {
        struct buf b = {0};
        put_u32(&b, (size_t)pages);
        bool sent = send_frame(out_fd, FRAME_DOCUMENT, &b) && send_outline(document, out_fd);
        buf_free(&b);
        if (!sent)
            return 1;
    }
    for (int i = first > 1 ? first - 1 : 0; i < pages; i++)
        if (!send_page(document, i, out_fd))
            return 1;
    return send_frame(out_fd, FRAME_END, &(struct buf){0}) ? 0 : 1;
}

int reader_run(int pdf_fd, int out_fd, int first)
{
    struct stat info;
    if (fstat(pdf_fd, &info) || info.st_size <= 0)
        return 1;
    size_t size = (size_t)info.st_size;
    void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, pdf_fd, 0);
    if (map == MAP_FAILED)
        return 1;
    GBytes *bytes = g_bytes_new_static(map, size);
    GError *error = NULL;
    PopplerDocument *document = poppler_document_new_from_bytes(bytes, NULL, &error);
    g_bytes_unref(bytes);
    int code;
    if (document)
        code = read_pages(document, out_fd, first);
    else
        code = refuse(out_fd, g_error_matches(error, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED) ? REFUSED_ENCRYPTED
                                                                                             : REFUSED_BROKEN);
    g_clear_error(&error);
    if (document)
        g_object_unref(document);
    munmap(map, size);
    return code;
}
