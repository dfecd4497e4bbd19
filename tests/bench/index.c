/* index.c - pages a second from commit to indexed, beside the extractor alone on the same files (aim: 60 % of it).
 *
 * The files lie in the server's database before the clock starts; then all are committed, and the clock stops when
 * the last is indexed. The floor reads them with edurag-extractor, two at a time, and stores nothing. The real PDFs
 * of ../shared where they are, else the lessons of the demo. BENCH_ROUNDS=1 brings each file once.
 */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "server/ingest/extract.h"
#include "tests/lib/bench.h"
#include "tests/lib/harness.h"
#include "tests/lib/pg.h"
#include "tests/lib/uploads.h"

enum { FILES_MOST = 128, ROUNDS_REAL = 2, ROUNDS_DEMO = 8, AT_ONCE = 2, WAIT_MS = 300000 };

struct file {
    struct buf bytes;
    char name[100];
    struct upload upload;
    bool readable; /* by the extractor alone */
};

static struct file files[FILES_MOST];
static size_t file_count;
static atomic_size_t next_file, pages_read;

/* Every PDF of a folder; those of further rounds get a comment behind their end, for no file is taken twice. */
static void add_folder(const char *path, int round)
{
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir)) && file_count < FILES_MOST;) {
        struct file *file = &files[file_count];
        size_t length = strlen(entry->d_name);
        AUTO(mem_freep) char *whole = mem_printf("%s/%s", path, entry->d_name);
        if (length < 5 || strcmp(entry->d_name + length - 4, ".pdf") || !uploads_read(whole, &file->bytes))
            continue;
        snprintf(file->name, sizeof file->name, "%d-%.70s", round, entry->d_name);
        if (round)
            buf_printf(&file->bytes, "\n%% %d\n", round);
        file_count++;
    }
    if (dir)
        closedir(dir);
}

static void gather(void)
{
    const char *shared = getenv("EDURAG_SHARED"), *set = getenv("BENCH_ROUNDS");
    AUTO(mem_freep)
    char *real = mem_printf("%s/pdf/real", shared ? shared : "../shared"), *demo = mem_printf("%s/demo", pg_build());
    bool here = access(real, R_OK) == 0;
    int rounds = set ? atoi(set) : here ? ROUNDS_REAL : ROUNDS_DEMO;
    for (int i = 0; i < rounds; i++)
        add_folder(here ? real : demo, i);
}

static void *extract_some(void *nothing)
{
    (void)nothing;
    for (size_t i; (i = atomic_fetch_add(&next_file, 1)) < file_count;) {
        struct err err = {0};
        AUTO(document_freep) struct document *document = NULL;
        int fd = extract_file();
        if (fd < 0 || write(fd, files[i].bytes.data, files[i].bytes.length) != (ssize_t)files[i].bytes.length)
            exit(1);
        files[i].readable = extract_document(fd, NULL, &document, &err);
        if (files[i].readable)
            atomic_fetch_add(&pages_read, document->page_count);
        else
            fprintf(stderr, "bench: %s: %s\n", files[i].name, err_sentence(&err));
        close(fd);
    }
    return nothing;
}

static double extract_alone(void)
{
    pthread_t threads[AT_ONCE];
    struct err err = {0};
    AUTO(mem_freep) char *program = mem_printf("%s/edurag-extractor", pg_build());
    if (!extract_start(program, &err)) {
        fprintf(stderr, "bench: %s\n", err.log);
        exit(1);
    }
    int64_t from = bench_now_us();
    for (int i = 0; i < AT_ONCE; i++)
        pthread_create(&threads[i], NULL, extract_some, NULL);
    for (int i = 0; i < AT_ONCE; i++)
        pthread_join(threads[i], NULL);
    double seconds = (double)(bench_now_us() - from) / 1e6;
    extract_stop();
    return seconds;
}

static double index_all(struct ws *ws)
{
    for (size_t i = 0; i < file_count; i++)
        files[i].upload = uploads_bring(ws, files[i].name, files[i].bytes.data, files[i].bytes.length, 0, NULL);
    int64_t from = bench_now_us();
    for (size_t i = 0; i < file_count; i++)
        if (!strcmp(files[i].upload.reason, "ok"))
            uploads_commit(ws, &files[i].upload);
    for (size_t i = 0; i < file_count; i++) {
        struct upload *upload = &files[i].upload;
        bool fine =
            !strcmp(upload->reason, "ok") && uploads_wait(ws, upload, WAIT_MS) && !strcmp(upload->state, "indexed");
        if (fine != files[i].readable) {
            fprintf(stderr, "bench: %s: %s %s %s\n", files[i].name, upload->reason, upload->state, upload->message);
            exit(1);
        }
    }
    return (double)(bench_now_us() - from) / 1e6;
}

int main(void)
{
    struct harness h;
    struct ws ws;
    char name[80];
    gather();
    if (!file_count) {
        puts("skipped: neither ../shared nor the demo's lessons are here");
        return 77;
    }
    double alone = extract_alone();
    harness_start(&h, NULL, (const char *const[]){"EDURAG_LOG=info", NULL});
    harness_user(&h, "teacher", "tess", "Tess Teacher");
    harness_open(&h, &ws, "tess");
    double whole = index_all(&ws);
    double pages = (double)atomic_load(&pages_read);
    snprintf(name, sizeof name, "indexing: %zu files, %.0f pages", file_count, pages);
    bench_aim(name, pages / whole, "/s", pages / alone, ">= 0.6x");
    bench_figure("indexing: from commit to indexed, all of them", whole, "s", alone);
    ws_close(&ws);
    for (size_t i = 0; i < file_count; i++)
        buf_free(&files[i].bytes);
    return harness_stop(&h);
}
