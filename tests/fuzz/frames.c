/* frames.c - what a process that a PDF may own says: read without believing it, and made into passages all the same.
 *
 * First as it is; then as pages whose counts are right, so that lines, headings and passages are made of the rest.
 * FUZZ_LONGEST 2048
 */
#include "common/text.h"
#include "server/ingest/chunk.h"
#include "server/ingest/frames.h"
#include "server/ingest/lines.h"
#include "tests/fuzz/fuzz.h"

static void page_right(const struct frame_page *page)
{
    FUZZ_MUST(text_valid_utf8(page->text, page->text_length) && text_valid_utf8(page->label, page->label_length),
              "not UTF-8");
    FUZZ_MUST(page->characters <= FRAME_CHARACTERS, "%zu characters", page->characters);
    for (size_t i = 0; i < page->characters; i++) {
        struct frame_box box = frames_box(page, i);
        FUZZ_MUST(box.x1 - box.x1 == 0 && box.y2 - box.y2 == 0, "a place that is no number");
    }
    for (size_t i = 0; i < page->font_count; i++) {
        struct frame_font font = frames_font(page, i);
        FUZZ_MUST(font.start <= font.end && font.end <= page->characters, "a font beyond the text");
    }
}

static void document_right(struct document *document)
{
    document_finish(document);
    for (size_t i = 0; i < document->page_count; i++) {
        const struct page *page = &document->pages[i];
        FUZZ_MUST(text_valid_utf8(page->text, page->length) && !memchr(page->text, 0, page->length),
                  "a page is not UTF-8");
        FUZZ_MUST(page->body_start <= page->body_end && page->body_end <= page->length, "a body outside its page");
        for (size_t k = 0; k < page->line_count; k++)
            FUZZ_MUST(page->lines[k].start <= page->lines[k].end && page->lines[k].end <= page->length,
                      "a line outside its page");
    }
    size_t count = 0;
    struct chunk *chunks = chunk_document(document, &count);
    for (size_t i = 0; i < count; i++) {
        size_t length = text_count(chunks[i].text, strlen(chunks[i].text));
        FUZZ_MUST(text_valid_utf8(chunks[i].text, strlen(chunks[i].text)) && length, "a passage is empty or not UTF-8");
        for (size_t k = 0; k < chunks[i].span_count; k++) {
            const struct chunk_span *span = &chunks[i].spans[k];
            FUZZ_MUST(span->page >= 1 && (size_t)span->page <= document->page_count, "a passage of page %d",
                      span->page);
            const struct page *page = &document->pages[span->page - 1];
            FUZZ_MUST(span->start < span->end && span->end <= text_count(page->text, page->length) &&
                          span->at <= length,
                      "a passage outside its page");
        }
    }
    chunk_free(chunks, count);
}

static void as_it_is(const uint8_t *bytes, size_t left)
{
    for (size_t taken = 1; taken && left; bytes += taken, left -= taken) {
        int type = 0;
        const unsigned char *payload = NULL;
        size_t length = 0, at = 0;
        if (!frames_next(bytes, left, &type, &payload, &length, &taken) || !taken)
            return;
        FUZZ_MUST(taken <= left && length + FRAME_HEAD == taken, "a frame beyond its bytes");
        struct frame_page page;
        struct frame_item item;
        uint32_t pages;
        enum frame_refusal why;
        /* A copy of exactly its size, for the address sanitizer. */
        AUTO(mem_freep) unsigned char *exact = malloc(length ? length : 1);
        memcpy(exact, payload, length);
        if (type == FRAME_PAGE && frames_page(exact, length, &page))
            page_right(&page);
        if (type == FRAME_DOCUMENT && frames_document(exact, length, &pages))
            FUZZ_MUST(pages > 0, "no pages");
        while (type == FRAME_OUTLINE && frames_item(exact, length, &at, &item))
            FUZZ_MUST(item.level >= 0 && item.level < FRAME_LEVELS && text_valid_utf8(item.title, item.length),
                      "a wrong item");
        if (type == FRAME_REFUSED && frames_refused(exact, length, &why))
            FUZZ_MUST(why >= REFUSED_ENCRYPTED && why <= REFUSED_PAGELESS, "refused for no reason");
    }
}

static void u32(struct buf *b, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        buf_char(b, (char)(v >> 8 * i));
}

static void f32(struct buf *b, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    u32(b, bits);
}

/* Text as it comes; places that step by what the input says, now and then with any bits at all. */
static struct buf payload_of(struct fuzz_input *in, uint32_t number)
{
    struct buf b = {0}, text = {0};
    size_t length;
    uint8_t wild = fuzz_byte(in), size = fuzz_byte(in), steps = fuzz_byte(in);
    AUTO(mem_freep) char *line = fuzz_line(in, &length);
    for (size_t at = 0; at < length;) {
        uint32_t c = text_next(line, length, &at);
        text_append(&text, c == 0x1F ? '\n' : c);
    }
    size_t characters = text_count(text.data ? text.data : "", text.length);
    u32(&b, number);
    f32(&b, 595);
    f32(&b, 842);
    u32(&b, 1);
    buf_char(&b, '7');
    u32(&b, (uint32_t)text.length);
    buf_bytes(&b, text.data ? text.data : "", text.length);
    u32(&b, (uint32_t)characters);
    float x = 50, y = 50, height = (float)(size % 40);
    for (size_t i = 0; i < characters; i++) {
        if (steps && i % steps == 0) {
            x = (float)(fuzz_byte(in) * 3);
            y += (float)(int8_t)fuzz_byte(in);
        }
        for (int k = 0; k < 4; k++)
            if (wild == 255)
                u32(&b, fuzz_u32(in));
            else
                f32(&b, k == 0 ? x : k == 1 ? y : k == 2 ? x + height / 2 : y + height);
        x += height / 2;
    }
    u32(&b, 2);
    for (uint32_t i = 0; i < 2; i++) {
        u32(&b, i ? wild : 0);
        u32(&b, i ? 1000 : wild);
        f32(&b, height + (float)(i * 6));
        buf_char(&b, (char)i);
    }
    buf_free(&text);
    return b;
}

static void as_pages(struct fuzz_input *in)
{
    struct document *document = document_new(1 + fuzz_byte(in) % 6);
    for (size_t i = 0; i < document->page_count; i++) {
        AUTO(buf_free) struct buf payload = payload_of(in, (uint32_t)i + 1);
        struct frame_page page;
        FUZZ_MUST(frames_page((const unsigned char *)payload.data, payload.length, &page),
                  "a page that is right is refused");
        page_right(&page);
        lines_build(&page, &document->pages[i]);
    }
    document_right(document);
    document_free(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    if (size && data[0] & 1)
        as_it_is(data + 1, size - 1);
    else if (fuzz_byte(&in), size)
        as_pages(&in);
    return 0;
}
