/* find.c - real PDFs, whole: sentences that stand in one place are found in that place.
 *
 * From each of ../shared/pdf/real thirty sentences of eight or more words that occur once in it, picked with
 * a fixed seed; six words in a row of each are asked for, and document and page must come first.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <unicode/ubrk.h>
#include <unicode/utext.h>

#include "common/mem.h"
#include "tests/lib/uploads.h"

enum { FILES_MOST = 16, SENTENCES = 30, WORDS_LEAST = 8, WORDS_ASKED = 6, INDEX_MS = 180000 };

static struct harness h;
static struct ws tim;

struct file {
    char name[256];
    struct upload upload;
    char **pages; /* their text, white space as single blanks */
    size_t page_count;
};

struct sentence {
    size_t page;
    char *text;
};

static struct file files[FILES_MOST];
static size_t file_count;
static uint32_t seed = 2026;

static uint32_t pick(size_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)((seed >> 4) % below);
}

static char *flat(const char *text)
{
    struct buf out = {0};
    for (; *text; text++) {
        bool blank = *text == ' ' || *text == '\n';
        if (!blank)
            buf_char(&out, *text);
        else if (out.length && out.data[out.length - 1] != ' ')
            buf_char(&out, ' ');
    }
    return buf_take(&out);
}

static size_t occurrences(const struct file *file, const char *text)
{
    size_t count = 0;
    for (size_t i = 0; i < file->page_count; i++)
        for (const char *at = file->pages[i]; (at = strstr(at, text)); at++)
            count++;
    return count;
}

/* Starts of the words of a text, and the end of the last, in bytes; how many. */
static size_t words_of(const char *text, int32_t *starts, int32_t *ends, size_t most)
{
    UErrorCode status = U_ZERO_ERROR;
    UText *view = utext_openUTF8(NULL, text, -1, &status);
    UBreakIterator *words = ubrk_open(UBRK_WORD, "", NULL, 0, &status);
    ubrk_setUText(words, view, &status);
    size_t count = 0;
    for (int32_t from = 0, to; count < most && (to = ubrk_next(words)) != UBRK_DONE; from = to)
        if (ubrk_getRuleStatus(words) >= UBRK_WORD_LETTER) {
            starts[count] = from;
            ends[count++] = to;
        }
    ubrk_close(words);
    utext_close(view);
    return count;
}

static size_t sentences_of(const struct file *file, struct sentence **out)
{
    size_t count = 0;
    struct sentence *all = NULL;
    UErrorCode status = U_ZERO_ERROR;
    UBreakIterator *breaks = ubrk_open(UBRK_SENTENCE, "", NULL, 0, &status);
    for (size_t p = 0; p < file->page_count; p++) {
        UText *view = utext_openUTF8(NULL, file->pages[p], -1, &status);
        ubrk_setUText(breaks, view, &status);
        for (int32_t from = 0, to; (to = ubrk_next(breaks)) != UBRK_DONE; from = to) {
            char *text = mem_dupn(file->pages[p] + from, (size_t)(to - from));
            int32_t starts[64], ends[64];
            size_t words = words_of(text, starts, ends, COUNT_OF(starts));
            if (words < WORDS_LEAST || words > 60 || occurrences(file, text) != 1) {
                free(text);
                continue;
            }
            all = mem_grow(all, count + 1, sizeof *all);
            all[count++] = (struct sentence){p + 1, text};
        }
        utext_close(view);
    }
    ubrk_close(breaks);
    *out = all;
    return count;
}

static void read_pages(struct file *file)
{
    for (size_t page = 1; page == 1 || page <= file->page_count; page++) {
        AUTO(mem_freep) char *params = mem_printf("{\"pdf_id\":\"%s\",\"page\":%zu}", file->upload.pdf_id, page);
        AUTO(json_freep) cJSON *reply = harness_call(&tim, "library.page", params);
        const cJSON *result = json_get(reply, "result");
        assert_non_null(result);
        if (page == 1) {
            file->page_count = (size_t)json_int(result, "pages", 0);
            file->pages = mem_array(file->page_count, sizeof *file->pages);
        }
        file->pages[page - 1] = flat(json_text(result, "text", ""));
    }
}

static size_t everywhere(const char *text)
{
    size_t count = 0;
    for (size_t i = 0; i < file_count; i++)
        count += occurrences(&files[i], text);
    return count;
}

/* Six words in a row from somewhere in the sentence, with what stands between them; such as stand nowhere else,
 * if it has any: else another page is as right as this one. */
static char *question_of(const char *sentence)
{
    int32_t starts[64], ends[64];
    size_t count = words_of(sentence, starts, ends, COUNT_OF(starts)), choices = count - WORDS_ASKED + 1,
           from = pick(choices);
    char *question = NULL;
    for (size_t i = 0; i < choices; i++) {
        size_t first = (from + i) % choices;
        free(question);
        question = mem_dupn(sentence + starts[first], (size_t)(ends[first + WORDS_ASKED - 1] - starts[first]));
        if (everywhere(question) == 1)
            break;
    }
    return question;
}

static bool found_first(const struct file *file, const struct sentence *sentence)
{
    AUTO(mem_freep) char *question = question_of(sentence->text);
    AUTO(buf_free) struct buf params = {0};
    buf_json_open(&params, '{');
    buf_json_member(&params, "query", question);
    buf_json_close(&params, '}');
    AUTO(json_freep) cJSON *reply = harness_call(&tim, "search.query", params.data);
    const cJSON *first = cJSON_GetArrayItem(json_get(json_get(reply, "result"), "results"), 0);
    bool right = !strcmp(json_text(first, "pdf_id", ""), file->upload.pdf_id) &&
                 json_int(first, "page", 0) == (int64_t)sentence->page;
    if (!right && getenv("FIND_SHOW"))
        print_message("  %s p. %zu, got %s p. %lld: %s\n    %s\n", file->name, sentence->page,
                      json_text(first, "title", "nothing"), (long long)json_int(first, "page", 0), question,
                      json_text(first, "snippet", ""));
    return right;
}

static void sentences_are_found_where_they_stand(void **state)
{
    (void)state;
    size_t asked = 0, found = 0;
    for (size_t i = 0; i < file_count; i++)
        read_pages(&files[i]);
    for (size_t i = 0; i < file_count; i++) {
        struct sentence *all = NULL;
        size_t count = sentences_of(&files[i], &all), here = 0, tried = 0;
        for (; tried < SENTENCES && tried < count; tried++) {
            size_t n = tried + pick(count - tried);
            struct sentence chosen = all[n];
            all[n] = all[tried];
            all[tried] = chosen;
            here += found_first(&files[i], &chosen);
        }
        print_message("%-24s %zu of %zu\n", files[i].name, here, tried);
        asked += tried;
        found += here;
        for (size_t k = 0; k < count; k++)
            free(all[k].text);
        free(all);
    }
    print_message("document and page first: %zu of %zu, %.1f %%\n", found, asked,
                  100.0 * (double)found / (double)asked);
    assert_true(asked >= 30 * file_count * 9 / 10);
    assert_true(found * 100 > asked * 95);
}

static void every_real_file_is_indexed_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < file_count; i++) {
        assert_true(uploads_wait(&tim, &files[i].upload, INDEX_MS));
        if (strcmp(files[i].upload.state, "indexed") != 0)
            fail_msg("%s: %s", files[i].name, files[i].upload.message);
    }
}

static int set_up(void **state)
{
    (void)state;
    harness_start(&h, NULL, NULL);
    harness_user(&h, "teacher", "tim", "Tim");
    harness_open(&h, &tim, "tim");
    const char *shared = getenv("EDURAG_SHARED");
    AUTO(mem_freep) char *folder = mem_printf("%s/pdf/real", shared ? shared : "../shared");
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir)) && file_count < FILES_MOST;) {
        if (entry->d_name[0] == '.')
            continue;
        AUTO(buf_free) struct buf bytes = {0};
        AUTO(mem_freep) char *path = mem_printf("%s/%s", folder, entry->d_name);
        struct file *file = &files[file_count++];
        snprintf(file->name, sizeof file->name, "%s", entry->d_name);
        if (!uploads_read(path, &bytes))
            return -1;
        file->upload = uploads_send(&tim, entry->d_name, bytes.data, bytes.length, 0, NULL);
        if (strcmp(file->upload.reason, "ok") != 0)
            return -1;
    }
    if (dir)
        closedir(dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < file_count; i++) {
        for (size_t p = 0; p < files[i].page_count; p++)
            free(files[i].pages[p]);
        free(files[i].pages);
    }
    ws_close(&tim);
    return harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_real_file_is_indexed_whole),
        cmocka_unit_test(sentences_are_found_where_they_stand),
    };
    const char *shared = getenv("EDURAG_SHARED");
    AUTO(mem_freep) char *folder = mem_printf("%s/pdf/real", shared ? shared : "../shared");
    DIR *dir = opendir(folder);
    if (!dir) {
        puts("skipped: ../shared is not here");
        return 77;
    }
    closedir(dir);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
