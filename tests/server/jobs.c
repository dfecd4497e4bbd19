/* jobs.c - whatever is killed while documents are uploaded and indexed: each ends indexed with all its vectors,
 * once, or failed with its sentence.
 *
 * Fixed seed; EDURAG_KILLS says how many kills (12). Victims are the server, its extractors and its PostgreSQL.
 */
#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/pg.h"
#include "tests/lib/uploads.h"

enum { KILLS = 12, DOCUMENTS = 24, END_MS = 120000 };

static struct harness h;
static char target[sizeof h.socket]; /* the same for every server: the teachers read it while `h` changes */
static uint32_t seed = 77;

static uint32_t pick(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static char *sql(const char *text)
{
    return pg_try(pg_url_in(h.directory, "edurag_worker"), text, NULL, 0);
}

/* A PDF that takes the extractor a moment: `pages` pages of made-up words. */
static struct buf book(int number, int pages)
{
    struct buf pdf = {0};
    char **text = mem_array((size_t)pages + 1, sizeof *text);
    for (int i = 0; i < pages; i++) {
        struct buf page = {0};
        for (int k = 0; k < 60; k++)
            buf_printf(&page, "Book%d says w%d of page%d. ", number, k * 7 + number, i);
        text[i] = buf_take(&page);
    }
    uploads_pdf(&pdf, (const char *const *)text);
    for (int i = 0; i < pages; i++)
        free(text[i]);
    free(text);
    return pdf;
}

static atomic_int uploaded, finished;
static atomic_bool serving;

/* A teacher who uploads until all is in, whatever happens to the connection. */
static void *teacher(void *argument)
{
    const char *name = argument;
    int first = !strcmp(name, "tim") ? 0 : 1;
    for (int number = first; number < DOCUMENTS; number += 2) {
        char filename[40];
        snprintf(filename, sizeof filename, "book-%d.pdf", number);
        AUTO(buf_free) struct buf pdf = book(number, 40 + number % 3 * 40);
        for (bool done = false; !done; pause_ms(20)) {
            struct ws ws;
            struct err err = {0};
            if (!atomic_load(&serving) || !ws_open(&ws, target, NULL, NULL, &err))
                continue;
            AUTO(mem_freep) char *params = mem_printf("{\"institution_id\":\"%s\",\"password\":\"%s-password\"}", name, name);
            AUTO(mem_freep) char *login = ws_call(&ws, 1, "auth.login", params, 5000);
            struct upload up = {0};
            if (login && strstr(login, "\"token\""))
                up = uploads_send(&ws, filename, pdf.data, pdf.length, 4000, NULL);
            done = !strcmp(up.reason, "ok") || !strcmp(up.reason, "conflict"); /* conflict: the commit's reply was lost */
            ws_close(&ws);
        }
        atomic_fetch_add(&uploaded, 1);
    }
    atomic_fetch_add(&finished, 1);
    return NULL;
}

/* A child of the server of that name, or 0. */
static pid_t child(const char *wanted)
{
    pid_t found = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc && (entry = readdir(proc));) {
        char path[300], name[64] = "";
        int parent = 0;
        snprintf(path, sizeof path, "/proc/%.20s/stat", entry->d_name);
        FILE *stat = fopen(path, "r");
        if (stat && fscanf(stat, "%*d (%63[^)]) %*c %d", name, &parent) == 2 && parent == h.pid && !strcmp(name, wanted))
            found = atoi(entry->d_name);
        if (stat)
            fclose(stat);
    }
    if (proc)
        closedir(proc);
    return found;
}

static void kill_server(void)
{
    atomic_store(&serving, false);
    kill(h.pid, SIGKILL);
    waitpid(h.pid, NULL, 0);
    struct harness again;
    harness_start(&again, h.directory, NULL);
    h = again;
    atomic_store(&serving, true);
}

/* By turns the server, an extractor and the database; how many of the latter two were there to be killed. */
static void kill_around(int kills, int killed[2])
{
    static const char *const names[] = {"edurag-extract", "postgres"};
    for (int i = 0; i < kills; i++) {
        pause_ms(50 + pick(700));
        pid_t victim = 0;
        for (int tries = 0; i % 3 && !victim && tries < 100; tries++, pause_ms(3))
            victim = child(names[i % 3 - 1]);
        if (victim)
            killed[i % 3 - 1] += kill(victim, SIGKILL) == 0;
        else
            kill_server();
    }
}

static void expect(const char *wanted, const char *question)
{
    AUTO(mem_freep) char *got = sql(question);
    if (!got || strcmp(got, wanted) != 0)
        fail_msg("%s: %s instead of %s", question, got ? got : "nothing", wanted);
}

static void every_document_ends_whole_or_with_a_sentence(void **state)
{
    (void)state;
    pthread_t threads[2];
    static char *const names[] = {"tim", "tom"};
    const char *wanted = getenv("EDURAG_KILLS");
    atomic_store(&serving, true);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, teacher, names[i]), 0);
    int killed[2] = {0};
    kill_around(wanted ? atoi(wanted) : KILLS, killed);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    print_message("%d documents; killed %d extractors, %d databases\n", atomic_load(&uploaded), killed[0], killed[1]);
    for (int waited = 0; waited < END_MS; waited += 200) {
        AUTO(mem_freep) char *open = sql("select count(*) from public.index_jobs where state not in ('indexed', 'failed')");
        if (open && !strcmp(open, "0"))
            break;
        pause_ms(200);
    }
    expect("0", "select count(*) from public.index_jobs where state not in ('indexed', 'failed')");
    expect("24", "select count(*) from public.pdfs");
    expect("0", "select count(*) from public.pdfs where (indexed_at is null) = (failed_at is null)");
    expect("0", "select count(*) from public.pdfs where failed_at is not null and btrim(error_message) = ''");
    expect("0", "select count(*) from public.pdf_chunks c join public.pdfs p using (pdf_id) left join public.rag_embeddings e "
                "on e.chunk_id = c.chunk_id and e.model = p.embedding_model where e.chunk_id is null");
    expect("0", "select count(*) from (select pdf_id, text from public.pdf_chunks group by 1, 2 having count(*) > 1) x");
    expect("0", "select count(*) from public.pdfs p where indexed_at is not null and pages <> "
                "(select count(*) from public.pdf_pages g where g.pdf_id = p.pdf_id)");
    AUTO(mem_freep) char *indexed = sql("select count(*) from public.pdfs where indexed_at is not null");
    print_message("%s of %d indexed\n", indexed, DOCUMENTS);
    assert_true(atoi(indexed) >= DOCUMENTS / 2);
}

static int set_up(void **state)
{
    (void)state;
    harness_start(&h, NULL, NULL);
    memcpy(target, h.socket, sizeof target);
    harness_user(&h, "teacher", "tim", "Tim");
    harness_user(&h, "teacher", "tom", "Tom");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_document_ends_whole_or_with_a_sentence)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
