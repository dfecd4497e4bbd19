/* hostile_pdf.c - PDFs made to hurt: each ends indexed or with a sentence, within its limits, beside other people's work.
 *
 * First all of them through the extractor, each watched by a process of its own, whose processors' time is shorter
 * than in earnest; then some through a whole server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/mem.h"
#include "common/text.h"
#include "server/ingest/extract.h"
#include "server/ingest/extractor/sandbox.h"
#include "tests/lib/hostile.h"
#include "tests/lib/uploads.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

enum { CPU_SECONDS = SANITIZED ? 4 : 2, WALL_SECONDS = 60, MINE_MIB = 160, SERVER_MIB = 200 };

/* What the watching process saw. */
struct end {
    bool indexed, found;
    enum err_code code;
    char say[300];
    size_t pages, without_text;
    long mine_kib, extractor_kib;
};

static bool holds(const struct document *document, const char *word)
{
    for (size_t i = 0; i < document->page_count; i++)
        if (document->pages[i].text && strstr(document->pages[i].text, word))
            return true;
    return false;
}

/* What may stand in a database and reach a terminal. */
static void clean(const struct document *document)
{
    for (size_t i = 0; i < document->page_count; i++) {
        const struct page *page = &document->pages[i];
        if (strlen(page->label) > 500 ||
            (page->text && (strlen(page->text) != page->length || !text_valid_utf8(page->text, page->length))))
            _exit(3);
        for (size_t at = 0; page->text && at < page->length;) {
            uint32_t c = text_next(page->text, page->length, &at);
            if ((c < 0x20 && c != '\n') || (c >= 0x7F && c < 0xA0) || (c & 0xFFFE) == 0xFFFE)
                _exit(4);
        }
    }
}

static void watch(const struct hostile *file, const struct buf *bytes, int out)
{
    struct end end = {0};
    struct err err = {0};
    struct document *document = NULL;
    struct rusage usage;
    const struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS};
    int pdf = extract_file();
    if (pdf < 0 || write(pdf, bytes->data, bytes->length) != (ssize_t)bytes->length || setrlimit(RLIMIT_CPU, &cpu))
        _exit(2);
    end.indexed = extract_document(pdf, NULL, &document, &err);
    end.code = err.code;
    memcpy(end.say, err.say, sizeof end.say);
    if (end.indexed) {
        clean(document);
        end.found = holds(document, file->word);
        end.pages = document->page_count;
        end.without_text = document_without_text(document);
    }
    getrusage(RUSAGE_SELF, &usage);
    end.mine_kib = usage.ru_maxrss;
    getrusage(RUSAGE_CHILDREN, &usage);
    end.extractor_kib = usage.ru_maxrss;
    _exit(write(out, &end, sizeof end) == (ssize_t)sizeof end ? 0 : 2);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int wrong(const struct hostile *file, const struct end *end)
{
    const char *why = NULL;
    bool sentence = !end->indexed && end->code == ERR_INVALID_PARAMS && strchr(end->say, '.');
    if (!end->indexed && !sentence)
        why = "ended without a sentence that a teacher can act on";
    else if (file->end == HOSTILE_INDEXED && !end->found)
        why = "lost its text";
    else if (file->end == HOSTILE_REFUSED && (end->indexed || !strstr(end->say, file->word)))
        why = "was not refused so";
    else if (!SANITIZED && end->mine_kib > MINE_MIB * 1024)
        why = "took the server's memory";
    else if (!SANITIZED && end->extractor_kib > SANDBOX_MEMORY_MIB * 1024)
        why = "took more memory than the extractor has";
    if (why)
        print_message("%s %s: %s %zu of %zu pages without text; “%s”; %ld and %ld KiB\n", file->name, why,
                      end->indexed ? "indexed," : "refused,", end->without_text, end->pages, end->say, end->mine_kib,
                      end->extractor_kib);
    return why != NULL;
}

static void each_ends_indexed_or_with_a_sentence(void **state)
{
    (void)state;
    int failures = 0;
    const char *only = getenv("HOSTILE");
    for (const struct hostile *file = hostile_files; file->name; file++) {
        if (only && !strstr(file->name, only))
            continue;
        AUTO(buf_free) struct buf bytes = file->make();
        struct end end = {0};
        int ends[2], status = 0;
        double from = seconds();
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0)
            watch(file, &bytes, ends[1]);
        close(ends[1]);
        bool told = read(ends[0], &end, sizeof end) == (ssize_t)sizeof end;
        close(ends[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        double took = seconds() - from;
        if (getenv("HOSTILE_SHOW"))
            print_message("%-60s %8zu bytes %5.1f s  %s %zu/%zu “%s” %ld+%ld MiB\n", file->name, bytes.length, took,
                          end.indexed ? "indexed" : "refused", end.without_text, end.pages, end.say,
                          end.mine_kib / 1024, end.extractor_kib / 1024);
        if (!told || status) {
            print_message("%s: whoever watched it ended with %d\n", file->name, status);
            failures++;
        } else {
            failures += wrong(file, &end);
        }
        if (took > WALL_SECONDS)
            fail_msg("%s took %.0f s", file->name, took);
    }
    assert_int_equal(failures, 0);
}

/* ------------------------------------------------------------------ through a server */

static long resident_kib(pid_t pid)
{
    char path[64], line[200];
    long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        sscanf(line, "VmHWM: %ld", &kib);
    if (file)
        fclose(file);
    return kib;
}

static void others_get_through_meanwhile(void **state)
{
    (void)state;
    struct harness h;
    struct ws tim;
    struct upload sent[32];
    size_t count = 0;
    harness_start(&h, NULL, (const char *const[]){"EDURAG_INDEXERS=2", NULL});
    harness_user(&h, "teacher", "tim", "Tim Adler");
    harness_open(&h, &tim, "tim");
    for (const struct hostile *file = hostile_files; file->name; file++) {
        if (!file->server)
            continue;
        AUTO(buf_free) struct buf bytes = file->make();
        AUTO(mem_freep) char *name = mem_printf("%s.pdf", file->name);
        sent[count] = uploads_send(&tim, name, bytes.data, bytes.length, 0, NULL);
        assert_string_equal(sent[count].reason, "ok");
        assert_true(++count < COUNT_OF(sent));
    }
    AUTO(buf_free) struct buf lesson = {0};
    uploads_pdf(&lesson, (const char *const[]){"An ordinary lesson about enzymes.", NULL});
    struct upload ordinary = uploads_send(&tim, "ordinary.pdf", lesson.data, lesson.length, 0, NULL);
    assert_true(uploads_wait(&tim, &ordinary, WALL_SECONDS * 1000));
    assert_string_equal(ordinary.state, "indexed");
    count = 0;
    for (const struct hostile *file = hostile_files; file->name; file++) {
        if (!file->server)
            continue;
        struct upload *up = &sent[count++];
        if (!uploads_wait(&tim, up, WALL_SECONDS * 1000))
            fail_msg("%s: still %s", file->name, up->state);
        if (strcmp(up->state, file->end == HOSTILE_INDEXED ? "indexed" : "failed") ||
            (file->end == HOSTILE_REFUSED && !strstr(up->message, file->word)))
            fail_msg("%s: %s, “%s”", file->name, up->state, up->message);
    }
    long kib = resident_kib(h.pid);
    if (!SANITIZED && (kib <= 0 || kib > SERVER_MIB * 1024))
        fail_msg("the server took %ld KiB", kib);
    ws_close(&tim);
    assert_int_equal(harness_stop(&h), 0);
}

static int set_up(void **state)
{
    char extractor[512];
    struct err err = {0};
    const char *build = getenv("EDURAG_BUILD");
    (void)state;
    snprintf(extractor, sizeof extractor, "%s/edurag-extractor", build ? build : "build");
    return extract_start(extractor, &err) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    extract_stop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_ends_indexed_or_with_a_sentence),
        cmocka_unit_test(others_get_through_meanwhile),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
