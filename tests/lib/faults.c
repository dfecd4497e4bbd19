/* faults.c - what tests that break things share. */
#include "tests/lib/faults.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/pg.h"

enum { SOON_MS = 5000, GIVE_UP_MS = 20000, ASK_MS = 2000 };

static struct {
    uint32_t random;
    int64_t end; /* 0: as many rounds as usual */
    int faults, late;
    int64_t worst;
    char worst_fault[40];
} state;

int64_t faults_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void faults_pause(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

void faults_begin(const char *suite, uint32_t seed)
{
    const char *given = getenv("TORTURE_SEED"), *seconds = getenv("TORTURE_SECONDS");
    state.random = given && *given ? (uint32_t)strtoul(given, NULL, 10) : seed;
    state.end = seconds && *seconds ? faults_now() + atol(seconds) * 1000 : 0;
    printf("%s: seed %u%s\n", suite, state.random, state.end ? ", by the clock" : "");
    fflush(stdout);
}

uint32_t faults_pick(uint32_t below)
{
    state.random = state.random * 1664525u + 1013904223u;
    return (state.random >> 8) % below;
}

bool faults_more(int done, int usual)
{
    return state.end ? faults_now() < state.end : done < usual;
}

pid_t faults_child(pid_t parent, const char *name)
{
    pid_t found = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc && (entry = readdir(proc));) {
        char path[300], is[64] = "", how;
        int of = 0;
        snprintf(path, sizeof path, "/proc/%.20s/stat", entry->d_name);
        FILE *stat = fopen(path, "r");
        if (stat && fscanf(stat, "%*d (%63[^)]) %c %d", is, &how, &of) == 3 && of == parent && how != 'Z' &&
            !strcmp(is, name))
            found = atoi(entry->d_name);
        if (stat)
            fclose(stat);
    }
    if (proc)
        closedir(proc);
    return found;
}

static bool served(const char *target, const char *token)
{
    struct ws ws;
    struct err err = {0};
    if (!ws_open(&ws, target, NULL, token, &err))
        return false;
    AUTO(mem_freep) char *reply = ws_call(&ws, 1, "auth.whoami", "{}", ASK_MS);
    ws_close(&ws);
    return reply && strstr(reply, "\"result\"");
}

void faults_serves(const char *fault, int64_t since, const char *target, const char *token)
{
    while (!served(target, token)) {
        if (faults_now() > since + GIVE_UP_MS)
            fail_msg("%s: nobody is served %d ms later", fault, GIVE_UP_MS);
        faults_pause(10);
    }
    int64_t took = faults_now() - since;
    state.faults++;
    state.late += took > SOON_MS;
    if (took < state.worst)
        return;
    state.worst = took;
    snprintf(state.worst_fault, sizeof state.worst_fault, "%s", fault);
}

void faults_report(void)
{
    print_message("%d faults; serves again after %lld ms at worst (%s), %d times after more than 5 s\n", state.faults,
                  (long long)state.worst, state.worst_fault, state.late);
}

char *faults_url(const char *directory)
{
    return mem_printf("%s dbname=edurag", pg_url_in(directory, "postgres"));
}

void faults_expect_none(const char *url, const char *sql)
{
    char error[400];
    AUTO(mem_freep) char *got = pg_try(url, sql, error, sizeof error);
    if (!got || strcmp(got, "0") != 0)
        fail_msg("%s: %s instead of 0 %s", sql, got ? got : "nothing", error);
}

void faults_settle(const char *url, int ms)
{
    static const char open_jobs[] = "select count(*) from public.index_jobs where state not in ('indexed', 'failed')";
    char error[400];
    for (int64_t end = faults_now() + ms; faults_now() < end; faults_pause(100)) {
        AUTO(mem_freep) char *open = pg_try(url, open_jobs, error, sizeof error);
        if (open && !strcmp(open, "0"))
            return;
    }
    AUTO(mem_freep)
    char *jobs =
        pg_try(url,
               "select string_agg(state || ' attempt ' || attempt || ' until ' || coalesce(lease_until::text, '-')"
               " || ' after ' || run_after || ' now ' || now(), '; ') from public.index_jobs"
               " where state not in ('indexed', 'failed')",
               error, sizeof error);
    fail_msg("jobs are stuck: %s", jobs ? jobs : error);
}

static const char *const invariants[] = {
    "select count(*) from public.index_jobs where state not in ('indexed', 'failed')",
    "select count(*) from public.pdfs where (indexed_at is null) = (failed_at is null)",
    "select count(*) from public.pdfs where failed_at is not null and coalesce(btrim(error_message), '') = ''",
    "select count(*) from public.index_jobs where state = 'failed' and coalesce(btrim(error_message), '') = ''",
    "select count(*) from public.pdfs p where indexed_at is not null and not exists (select from public.pdf_chunks c "
    "where c.pdf_id = p.pdf_id)",
    "select count(*) from public.pdf_chunks c join public.pdfs p using (pdf_id) left join public.rag_embeddings e "
    "on e.chunk_id = c.chunk_id and e.model = p.embedding_model where e.chunk_id is null",
    "select count(*) from (select pdf_id, text from public.pdf_chunks group by 1, 2 having count(*) > 1) x",
    "select count(*) from public.pdfs p where indexed_at is not null and pages <> "
    "(select count(*) from public.pdf_pages g where g.pdf_id = p.pdf_id)",
    "select count(*) from (select coalesce(course_id::text, ''), sha256 from public.pdfs where failed_at is null group "
    "by 1, 2 having count(*) > 1) x",
    "select count(*) from (select room_id, user_id, client_id from public.chat_messages where client_id is not null "
    "group by 1, 2, 3 having count(*) > 1) x",
    "select count(*) from public.chat_rooms r where last_seq <> (select count(distinct m.seq) from "
    "public.chat_messages m where m.room_id = r.room_id)",
    "select count(*) from (select user_id, lower(fact) from public.memory_facts group by 1, 2 having count(*) > 1) x",
};

void faults_invariants(const char *url)
{
    for (size_t i = 0; i < COUNT_OF(invariants); i++)
        faults_expect_none(url, invariants[i]);
}

void faults_skip(const char *name, const char *why)
{
    printf("skipped: %s: %s\n", name, why);
    fflush(stdout);
    skip();
}
