/* jobs.c - whatever is killed while documents are uploaded and indexed: each ends indexed with all its vectors,
 * once, or failed with its sentence.
 *
 * Fixed seed; EDURAG_KILLS says how many kills (12), TORTURE_SECONDS instead for how long. The server, its extractors
 * and its PostgreSQL are killed by turns, and documents keep coming as long as kills are left.
 */
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
#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/busy.h"
#include "tests/lib/faults.h"
#include "tests/lib/pg.h"
#include "tests/lib/uploads.h"

enum { KILLS = 12, DOCUMENTS = 24, END_MS = 120000, VICTIM_MS = 20000, WAITING_MOST = 8 };
enum victim { SERVER, EXTRACTOR, DATABASE, VICTIMS };

static struct harness h;
static char target[sizeof h.socket]; /* the same for every server: the teachers read it while `h` changes */

static char *sql(const char *text)
{
    char error[400];
    return pg_try(pg_url_in(h.directory, "edurag_worker"), text, error, sizeof error);
}

static atomic_int uploaded;
static atomic_bool serving, killing, enough;

/* A teacher who uploads until nothing is killed any more, whatever happens to the connection. */
static void *teacher(void *argument)
{
    const char *name = argument;
    int first = !strcmp(name, "tim") ? 0 : 1;
    for (int number = first; number < DOCUMENTS || atomic_load(&killing); number += 2) {
        char filename[40];
        snprintf(filename, sizeof filename, "book-%d.pdf", number);
        AUTO(buf_free) struct buf pdf = busy_book((uint32_t)number, 40 + number % 3 * 40);
        for (bool done = false; !done; faults_pause(20)) {
            struct ws ws;
            struct err err = {0};
            if (!atomic_load(&serving) || atomic_load(&enough) || !ws_open(&ws, target, NULL, NULL, &err))
                continue;
            AUTO(mem_freep)
            char *params = mem_printf("{\"institution_id\":\"%s\",\"password\":\"%s-password\"}", name, name);
            AUTO(mem_freep) char *login = ws_call(&ws, 1, "auth.login", params, 5000);
            struct upload up = {0};
            if (login && strstr(login, "\"token\""))
                up = uploads_send(&ws, filename, pdf.data, pdf.length, 4000, NULL);
            done =
                !strcmp(up.reason, "ok") || !strcmp(up.reason, "conflict"); /* conflict: the commit's reply was lost */
            ws_close(&ws);
        }
        atomic_fetch_add(&uploaded, 1);
    }
    return NULL;
}

static void kill_server(void)
{
    atomic_store(&serving, false);
    harness_kill(&h);
    struct harness again;
    harness_start(&again, h.directory, NULL);
    h = again;
    atomic_store(&serving, true);
}

/* Teachers wait while a lot waits, or they would bring more than can ever be read. */
static void look_at_the_queue(void)
{
    AUTO(mem_freep)
    char *waiting = sql("select count(*) from public.index_jobs where state not in ('indexed', 'failed')");
    if (waiting)
        atomic_store(&enough, atoi(waiting) > WAITING_MOST);
}

/* One that has ended by itself meanwhile does not count: the next one, then. */
static bool kill_child(const char *name)
{
    for (int64_t end = faults_now() + VICTIM_MS; faults_now() < end; faults_pause(3)) {
        pid_t pid = faults_child(h.pid, name);
        if (pid && !kill(pid, SIGKILL))
            return true;
    }
    return false;
}

/* By turns; each of them is there to be killed within a moment, or the test is none. */
static void kill_around(int kills, int killed[VICTIMS])
{
    static const char *const names[] = {NULL, "edurag-extract", "postgres"};
    for (int i = 0; faults_more(i, kills); i++) {
        faults_pause(50 + (long)faults_pick(700));
        look_at_the_queue();
        enum victim victim = (enum victim)(i % VICTIMS);
        if (victim == SERVER)
            kill_server();
        else if (!kill_child(names[victim]))
            fail_msg("kill %d: no %s to kill within %d s", i, names[victim], VICTIM_MS / 1000);
        killed[victim]++;
    }
    atomic_store(&killing, false);
    for (int64_t end = faults_now() + END_MS; atomic_load(&enough) && faults_now() < end; faults_pause(200))
        look_at_the_queue();
    atomic_store(&enough, false);
}

static void every_document_ends_whole_or_with_a_sentence(void **state)
{
    (void)state;
    pthread_t threads[2];
    static char *const names[] = {"tim", "tom"};
    const char *wanted = getenv("EDURAG_KILLS");
    atomic_store(&serving, true);
    atomic_store(&killing, true);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, teacher, names[i]), 0);
    int killed[VICTIMS] = {0};
    kill_around(wanted ? atoi(wanted) : KILLS, killed);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    print_message("%d documents; killed %d servers, %d extractors, %d databases\n", atomic_load(&uploaded),
                  killed[SERVER], killed[EXTRACTOR], killed[DATABASE]);
    AUTO(mem_freep) char *url = faults_url(h.directory);
    faults_settle(url, END_MS);
    faults_invariants(url);
    AUTO(mem_freep) char *all = mem_printf("select count(*) - %d from public.pdfs", atomic_load(&uploaded));
    faults_expect_none(url, all);
    AUTO(mem_freep) char *indexed = sql("select count(*) from public.pdfs where indexed_at is not null");
    print_message("%s of %d indexed\n", indexed, atomic_load(&uploaded));
    assert_true(atoi(indexed) >= atomic_load(&uploaded) / 2);
}

static int set_up(void **state)
{
    (void)state;
    faults_begin("jobs", 77);
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
