/* extract.c - real PDFs come out whole; broken ones end, with text or with a sentence; hostile processes too. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/text.h"
#include "server/ingest/chunk.h"
#include "server/ingest/extract.h"
#include "tests/lib/paper.h"

static char extractor[512], folder[64] = "/tmp/edurag-extract-XXXXXX";

static const char *shared(void)
{
    const char *path = getenv("EDURAG_SHARED");
    return path ? path : "../shared";
}

static int file_of(const void *bytes, size_t length)
{
    int file = extract_file();
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, length), (ssize_t)length);
    return file;
}

static struct document *extract(const char *path, struct err *err)
{
    struct buf bytes = {0};
    char piece[65536];
    int in = open(path, O_RDONLY);
    assert_true(in >= 0);
    for (ssize_t n; (n = read(in, piece, sizeof piece)) > 0;)
        buf_bytes(&bytes, piece, (size_t)n);
    close(in);
    int file = file_of(bytes.data, bytes.length);
    buf_free(&bytes);
    struct document *document = NULL;
    if (!extract_document(file, NULL, &document, err))
        assert_null(document);
    close(file);
    return document;
}

/* Runs `each` for the files of ../shared/pdf/NAME; skips the test where they are not here. */
static void for_files(const char *name, void (*each)(const char *path))
{
    char path[1024];
    snprintf(path, sizeof path, "%s/pdf/%s", shared(), name);
    DIR *dir = opendir(path);
    if (!dir) {
        print_message("skipped: ../shared is not here\n");
        skip();
    }
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/pdf/%s/%s", shared(), name, entry->d_name);
            each(path);
        }
    closedir(dir);
}

static void real_one(const char *path)
{
    struct err err = {0};
    struct document *d = extract(path, &err);
    if (!d)
        fail_msg("%s: %s", path, err.log);
    size_t count = 0, words = 0;
    struct chunk *chunks = chunk_document(d, &count);
    for (size_t i = 0; i < count; i++) {
        words += chunks[i].words;
        assert_true(text_valid_utf8(chunks[i].text, strlen(chunks[i].text)));
        for (size_t k = 0; k < chunks[i].span_count; k++) {
            const struct chunk_span *span = &chunks[i].spans[k];
            const struct page *page = &d->pages[span->page - 1];
            assert_true(span->end <= text_count(page->text, page->length) && span->start < span->end);
        }
    }
    for (size_t i = 0; i < d->page_count; i++)
        assert_int_not_equal(d->pages[i].status, PAGE_FAILED);
    assert_true(document_without_text(d) * 20 <= d->page_count);
    assert_true(words > d->page_count * 50);
    assert_true(d->outline_count > 10);
    chunk_free(chunks, count);
    document_free(d);
}

static void real_files_come_out_whole(void **state)
{
    (void)state;
    for_files("real", real_one);
}

static void the_lessons_have_their_sections(void **state)
{
    (void)state;
    char path[1024];
    size_t lessons = 0;
    snprintf(path, sizeof path, "%.*s/demo", (int)(strrchr(extractor, '/') - extractor), extractor);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!strstr(entry->d_name, ".pdf"))
            continue;
        struct err err = {0};
        AUTO(mem_freep) char *file = mem_printf("%s/%s", path, entry->d_name);
        AUTO(document_freep) struct document *d = extract(file, &err);
        assert_non_null(d);
        assert_in_range(d->page_count, 2, 4);
        assert_true(d->outline_count >= 5);
        for (size_t i = 0; i < d->heading_count; i++)
            assert_int_equal(d->pages[d->headings[i].page].lines[d->headings[i].line].heading, 1);
        lessons++;
    }
    closedir(dir);
    assert_true(lessons >= 4);
}

static size_t with_text, with_sentence;

static void broken_one(const char *path)
{
    struct err err = {0};
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    struct document *d = extract(path, &err);
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (end.tv_sec - start.tv_sec > 30)
        fail_msg("%s took %ld s", path, (long)(end.tv_sec - start.tv_sec));
    if (!d && (err.code != ERR_INVALID_PARAMS || !strchr(err.say, '.')))
        fail_msg("%s: no sentence but %s", path, err.log);
    const char *name = strrchr(path, '/') + 1;
    if (strstr(name, "encrypted_hello") || strstr(name, "c-r4"))
        assert_non_null(strstr(err.say, "password"));
    with_text += d != NULL;
    with_sentence += d == NULL;
    document_free(d);
}

static void broken_files_end_with_text_or_a_sentence(void **state)
{
    (void)state;
    for_files("broken", broken_one);
    assert_true(with_text > 20 && with_sentence > 50);
}

/* A stand-in for the extractor: this very program, which takes its "PDF" for a shell script. */
static int file_of_script(const char *script)
{
    char *text = mem_printf("first=$1; frames=%s/frames\n%s\n", folder, script);
    int file = file_of(text, strlen(text));
    free(text);
    struct err err = {0};
    assert_true(extract_start("/proc/self/exe", &err));
    return file;
}

static int stand_in(const char *first)
{
    char script[4096] = "";
    if (pread(3, script, sizeof script - 1, 0) > 0)
        execl("/bin/sh", "sh", "-c", script, "sh", first, (char *)NULL);
    return 1;
}

static struct document *told_by(const char *script, const struct buf *frames, struct err *err)
{
    char say[600];
    snprintf(say, sizeof say, "%s/frames", folder);
    FILE *out = fopen(say, "w");
    fwrite(frames->data, 1, frames->length, out);
    fclose(out);
    int file = file_of_script(script);
    struct document *document = NULL;
    if (!extract_document(file, NULL, &document, err))
        document = NULL;
    close(file);
    assert_true(extract_start(extractor, err));
    return document;
}

static void add_frame(struct buf *out, char type, const struct buf *payload)
{
    for (int i = 0; i < 4; i++)
        buf_char(out, (char)(payload->length >> 8 * i));
    buf_char(out, type);
    buf_bytes(out, payload->data ? payload->data : "", payload->length);
}

static void add_page(struct buf *out, uint32_t number)
{
    struct paper paper = {0};
    paper_line(&paper, 70, 300, 10, 0, "Some text that can be read.");
    struct buf payload = paper_payload(&paper, number, "");
    add_frame(out, 'P', &payload);
    buf_free(&payload);
}

static struct buf beginning(uint32_t pages)
{
    struct buf out = {0}, payload = {0};
    for (int i = 0; i < 4; i++)
        buf_char(&payload, (char)(pages >> 8 * i));
    add_frame(&out, 'D', &payload);
    buf_free(&payload);
    return out;
}

static void a_page_that_ends_the_process_is_set_aside(void **state)
{
    (void)state;
    /* Page 2 ends whoever tries it; asked for page 3, the process goes on. */
    struct buf all = beginning(3), third = {0};
    add_page(&all, 1);
    size_t head = all.length;
    add_page(&third, 3);
    add_frame(&third, 'E', &(struct buf){0});
    buf_bytes(&all, third.data, third.length);
    char script[300];
    snprintf(script, sizeof script,
             "case $first in 1) head -c %zu $frames; kill -SEGV $$;; 2) kill -SEGV $$;; 3) tail -c +%zu $frames;; esac",
             head, head + 1);
    struct err err = {0};
    struct document *d = told_by(script, &all, &err);
    assert_non_null(d);
    assert_int_equal(d->page_count, 3);
    assert_int_equal(d->pages[0].status, PAGE_OK);
    assert_int_equal(d->pages[1].status, PAGE_FAILED);
    assert_int_equal(d->pages[2].status, PAGE_OK);
    document_free(d);
    buf_free(&all);
    buf_free(&third);
}

static void time_used_up_again_and_again_ends_it(void **state)
{
    (void)state;
    /* One page is read, then every process uses up its time at once: the fourth is the last. */
    struct buf all = beginning(30);
    add_page(&all, 1);
    char script[200];
    struct err err = {0};
    snprintf(script, sizeof script, "echo >>$frames-tries; [ $first != 1 ] || cat $frames; kill -XCPU $$");
    struct document *d = told_by(script, &all, &err);
    assert_non_null(d);
    assert_true(d->partial);
    assert_int_equal(d->pages[0].status, PAGE_OK);
    assert_int_equal(document_without_text(d), 29);
    document_free(d);
    buf_free(&all);
    char path[600];
    struct stat tries;
    snprintf(path, sizeof path, "%s/frames-tries", folder);
    assert_int_equal(stat(path, &tries), 0);
    assert_int_equal(tries.st_size, 4);
    unlink(path);
}

static void what_a_hostile_process_says_is_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *name, *script;
        enum err_code code;
    } cases[] = {
        {"says nothing", "exit 0", ERR_INVALID_PARAMS},
        {"crashes", "kill -ABRT $$", ERR_INVALID_PARAMS},
        {"uses up its time", "kill -XCPU $$", ERR_INVALID_PARAMS},
        {"is killed by somebody", "kill -KILL $$", ERR_BUSY},
        {"noise", "head -c 100000 /dev/urandom", ERR_INVALID_PARAMS},
        {"a huge frame", "printf '\\377\\377\\377\\177P'; sleep 100", ERR_INVALID_PARAMS},
        {"a page before the document", "tail -c +10 $frames; sleep 100", ERR_INVALID_PARAMS},
        {"an early end", "head -c 9 $frames; printf '\\0\\0\\0\\0E'; sleep 100", ERR_INVALID_PARAMS},
        {"the document twice", "head -c 9 $frames; head -c 9 $frames; sleep 100", ERR_INVALID_PARAMS},
        {"floods its complaints", "head -c 3000000 /dev/zero >&2; exit 1", ERR_INVALID_PARAMS},
    };
    struct buf frames = beginning(1);
    add_page(&frames, 1);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err err = {0};
        struct document *d = told_by(cases[i].script, &frames, &err);
        if (d || err.code != cases[i].code)
            fail_msg("%s: %d %s", cases[i].name, err.code, err.log);
    }
    buf_free(&frames);
}

static void running_out_of_memory_makes_it_partial(void **state)
{
    (void)state;
    struct buf frames = beginning(1);
    add_page(&frames, 1);
    add_frame(&frames, 'E', &(struct buf){0});
    struct err err = {0};
    struct document *d =
        told_by("printf 'Syntax Error\\nOut of mem' >&2; printf 'ory\\n' >&2; cat $frames", &frames, &err);
    assert_non_null(d);
    assert_true(d->partial);
    document_free(d);
    d = told_by("cat $frames", &frames, &err);
    assert_false(d->partial);
    document_free(d);
    buf_free(&frames);
}

static bool stop_soon(void *context)
{
    return ++*(int *)context > 2;
}

static void it_can_be_stopped(void **state)
{
    (void)state;
    int asked = 0;
    struct extract_watch watch = {.stop = stop_soon, .context = &asked};
    struct err err = {0};
    int file = file_of_script("exec sleep 1000");
    struct document *d = NULL;
    assert_false(extract_document(file, &watch, &d, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    close(file);
    assert_true(extract_start(extractor, &err));
}

static int set_up(void **state)
{
    (void)state;
    const char *build = getenv("EDURAG_BUILD");
    snprintf(extractor, sizeof extractor, "%s/edurag-extractor", build ? build : "build");
    struct err err = {0};
    return extract_start(extractor, &err) && mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char path[600];
    snprintf(path, sizeof path, "%s/frames", folder);
    unlink(path);
    rmdir(folder);
    extract_stop();
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[0], "edurag-extractor"))
        return stand_in(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_files_come_out_whole),
        cmocka_unit_test(the_lessons_have_their_sections),
        cmocka_unit_test(broken_files_end_with_text_or_a_sentence),
        cmocka_unit_test(a_page_that_ends_the_process_is_set_aside),
        cmocka_unit_test(time_used_up_again_and_again_ends_it),
        cmocka_unit_test(what_a_hostile_process_says_is_bounded),
        cmocka_unit_test(running_out_of_memory_makes_it_partial),
        cmocka_unit_test(it_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
