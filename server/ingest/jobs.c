/* jobs.c - what an accepted upload becomes: indexed, or failed with a sentence. */
#include "server/ingest/jobs.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/wait.h"
#include "server/config.h"
#include "server/ingest/extract.h"
#include "server/ingest/index.h"
#include "server/privileges.h"
#include "server/rpc/notify.h"
#include "server/store/listen.h"
#include "server/store/disk.h"
#include "server/store/tx.h"

enum {
    LEASE_SECONDS = 15,
    RENEW_MS = 4000,
    TELL_MS = 500,    /* progress at most twice a second */
    POLL_SECONDS = 2, /* what NOTIFY does not announce: pauses that end, leases that run out */
    SWEEP_MS = 3600 * 1000,
    COUNT_MS = 5000,
    ATTEMPTS = 3,
    END_SECONDS = 5,
};

struct indexer {
    pthread_t thread;
    struct index_job job;
    bool busy;       /* under jobs.lock; the job's ids do not change while it is set */
    int64_t renewed; /* the keeper's */
    int told[6];
};

static struct {
    pthread_mutex_t lock; /* guards stopping, waiting, and busy of each indexer */
    pthread_cond_t wake, tick;
    bool stopping;
    bool pending; /* a job may be waiting */
    struct indexer *indexers;
    size_t count;
    pthread_t keeper;
    char node[160];
    struct jobs_counts counts; /* this and the next two under lock, too */
    bool counted, wanted;
} jobs = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .tick = PTHREAD_COND_INITIALIZER};

const char *const jobs_states[JOBS_STATES] = {"queued", "extracting", "embedding", "storing", "indexed", "failed"};

static void copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

/* The next job, if there is one; false while the database is away, too. */
static bool claim(struct index_job *job)
{
    struct err err = {0};
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_worker(SQL_JOBS_CLAIM, &rows, &err, BIND_TEXT(jobs.node), BIND_INT(LEASE_SECONDS)) || !rows_count(rows))
        return false;
    copy(job->job_id, sizeof job->job_id, rows_text(rows, 0, 0));
    copy(job->lease, sizeof job->lease, rows_text(rows, 0, 1));
    copy(job->pdf_id, sizeof job->pdf_id, rows_text(rows, 0, 2));
    copy(job->model, sizeof job->model, rows_text(rows, 0, 4));
    job->embed = !strcmp(rows_text(rows, 0, 3), "embed");
    job->attempt = (int)rows_int(rows, 0, 5, 1);
    atomic_store(&job->state, job->embed ? INDEX_EMBEDDING : INDEX_EXTRACTING);
    return true;
}

/* What a teacher reads: the PDF's own fault as it is, ours in words that say what to do. */
static const char *sentence(const struct index_job *job, const struct err *err, char *text, size_t size)
{
    if (err->code == ERR_INVALID_PARAMS && err->say[0])
        return err->say;
    if (job->attempt < ATTEMPTS)
        snprintf(text, size, "This did not work yet and will be tried again. (%s)", err_sentence(err));
    else
        snprintf(text, size, "This did not work in %d attempts. (%s) Please try again later, or tell an administrator.",
                 ATTEMPTS, err_sentence(err));
    return text;
}

static void fail(const struct index_job *job, const struct err *cause)
{
    char text[600];
    struct err err = {0};
    AUTO(rows_free) struct rows *rows = NULL;
    bool permanent = cause->code == ERR_INVALID_PARAMS && cause->say[0];
    log_event(permanent ? LOG_INFO : LOG_WARN, "index_failed", "job=%s pdf=%s attempt=%d permanent=%d cause=%s",
              job->job_id, job->pdf_id, job->attempt, permanent, log_quote(cause->log));
    /* Where this can't be stored, the lease runs out and the attempt counts all the same. */
    if (!tx_worker(SQL_JOBS_FAIL, &rows, &err, BIND_TEXT(job->job_id), BIND_TEXT(job->lease),
                   BIND_TEXT(sentence(job, cause, text, sizeof text)), BIND_TEXT(permanent ? "true" : "false")))
        log_event(LOG_WARN, "index_failure_untold", "job=%s cause=%s", job->job_id, log_quote(err.log));
}

static void work(struct indexer *indexer)
{
    struct index_job *job = &indexer->job;
    struct err err = {0};
    int64_t start = wait_now();
    if (index_run(job, &err))
        log_event(LOG_INFO, "indexed", "job=%s pdf=%s pages=%d passages=%d ms=%lld", job->job_id, job->pdf_id,
                  atomic_load(&job->pages_total), atomic_load(&job->chunks_total), (long long)(wait_now() - start));
    else if (err.code == ERR_CANCELLED)
        log_event(LOG_INFO, "index_stopped", "job=%s pdf=%s cause=%s", job->job_id, job->pdf_id, log_quote(err.log));
    else
        fail(job, &err);
}

/* What is queued waits where the disk is nearly full, and says so once. */
static bool has_room(void)
{
    static atomic_bool said;
    struct err err = {0};
    bool room = disk_room(&err);
    if (!room && !atomic_exchange(&said, true))
        log_event(LOG_WARN, "indexing_waits", "cause=disk free=%lld", (long long)disk_free());
    if (room && atomic_exchange(&said, false))
        log_event(LOG_INFO, "indexing_goes_on", "free=%lld", (long long)disk_free());
    return room;
}

static void *indexer_main(void *argument)
{
    struct indexer *indexer = argument;
    pthread_mutex_lock(&jobs.lock);
    while (!jobs.stopping) {
        jobs.pending = false;
        pthread_mutex_unlock(&jobs.lock);
        struct index_job job = {0};
        bool found = has_room() && claim(&job);
        pthread_mutex_lock(&jobs.lock);
        indexer->busy = found;
        if (found) {
            memcpy(&indexer->job, &job, sizeof job);
            indexer->renewed = wait_now();
            memset(indexer->told, 0, sizeof indexer->told);
            atomic_store(&indexer->job.stop, jobs.stopping);
            pthread_mutex_unlock(&jobs.lock);
            work(indexer);
            pthread_mutex_lock(&jobs.lock);
            indexer->busy = false;
        } else if (!jobs.stopping && !jobs.pending) {
            wait_until(&jobs.wake, &jobs.lock, wait_now() + POLL_SECONDS * 1000);
        }
    }
    pthread_mutex_unlock(&jobs.lock);
    return NULL;
}

/* Tells how far a job is where that has changed, and keeps its lease in any case. Called without the lock: an
 * indexer that finishes meanwhile has another lease, or none, and this renews nothing. */
static void renew(struct indexer *indexer, const struct index_job *job, const int now[6])
{
    static const char *const states[] = {"extracting", "embedding", "storing"};
    struct err err = {0};
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_worker(SQL_JOBS_RENEW, &rows, &err, BIND_TEXT(job->job_id), BIND_TEXT(job->lease), BIND_INT(LEASE_SECONDS),
                   BIND_TEXT(states[now[0]]), BIND_INT(now[1]), BIND_INT(now[2]), BIND_INT(now[3]), BIND_INT(now[4]),
                   BIND_INT(now[5])))
        return; /* the database is away: the next round tries again */
    pthread_mutex_lock(&jobs.lock);
    if (indexer->busy && !strcmp(indexer->job.lease, job->lease)) {
        indexer->renewed = wait_now();
        memcpy(indexer->told, now, sizeof indexer->told);
        if (!rows_bool(rows, 0, 0))
            atomic_store(&indexer->job.stop, true);
    }
    pthread_mutex_unlock(&jobs.lock);
}

static void keep(struct indexer *indexer)
{
    struct index_job job = {0};
    int now[6] = {0};
    bool due = false;
    pthread_mutex_lock(&jobs.lock);
    if (indexer->busy) {
        const struct index_job *live = &indexer->job;
        const atomic_int *counts[6] = {&live->state,        &live->pages_total,
                                       &live->pages_done,   &live->pages_without_text,
                                       &live->chunks_total, &live->chunks_done};
        for (int i = 0; i < 6; i++)
            now[i] = atomic_load(counts[i]);
        due = memcmp(now, indexer->told, sizeof now) != 0 || wait_now() - indexer->renewed >= RENEW_MS;
        memcpy(job.job_id, live->job_id, sizeof job.job_id);
        memcpy(job.lease, live->lease, sizeof job.lease);
    }
    pthread_mutex_unlock(&jobs.lock);
    if (due)
        renew(indexer, &job, now);
}

static void sweep(void)
{
    struct err err = {0};
    AUTO(rows_free) struct rows *rows = NULL;
    if (tx_worker0(SQL_JOBS_SWEEP, &rows, &err) && rows_int(rows, 0, 0, 0))
        log_event(LOG_INFO, "uploads_swept", "uploads=%lld", (long long)rows_int(rows, 0, 0, 0));
}

/* Where somebody has asked since the last time: counting reads every job there is. */
static void count(void)
{
    struct err err = {0};
    struct jobs_counts counts = {0};
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_worker0(SQL_JOBS_COUNT, &rows, &err))
        return;
    for (int i = 0; i < rows_count(rows); i++)
        for (int state = 0; state < JOBS_STATES; state++)
            if (!strcmp(rows_text(rows, i, 0), jobs_states[state]))
                counts.count[state] = rows_int(rows, i, 1, 0);
    pthread_mutex_lock(&jobs.lock);
    jobs.counts = counts;
    jobs.counted = true;
    jobs.wanted = false;
    pthread_mutex_unlock(&jobs.lock);
}

bool jobs_counts(struct jobs_counts *counts)
{
    pthread_mutex_lock(&jobs.lock);
    bool counted = jobs.counted;
    *counts = jobs.counts;
    jobs.wanted = true;
    pthread_mutex_unlock(&jobs.lock);
    return counted;
}

static void *keeper_main(void *argument)
{
    (void)argument;
    int64_t swept = wait_now(), counted = swept - COUNT_MS;
    pthread_mutex_lock(&jobs.lock);
    while (!jobs.stopping) {
        wait_until(&jobs.tick, &jobs.lock, wait_now() + TELL_MS);
        bool wanted = jobs.wanted || !jobs.counted;
        pthread_mutex_unlock(&jobs.lock);
        for (size_t i = 0; i < jobs.count; i++)
            keep(&jobs.indexers[i]);
        if (wait_now() - swept > SWEEP_MS) {
            sweep();
            swept = wait_now();
        }
        if (wanted && wait_now() - counted >= COUNT_MS) {
            count();
            counted = wait_now();
        }
        pthread_mutex_lock(&jobs.lock);
    }
    pthread_mutex_unlock(&jobs.lock);
    return NULL;
}

static void wake(void)
{
    pthread_mutex_lock(&jobs.lock);
    jobs.pending = true;
    pthread_cond_broadcast(&jobs.wake);
    pthread_mutex_unlock(&jobs.lock);
}

static void hear(const char *payload, void *context)
{
    (void)context;
    struct err err = {0};
    AUTO(rows_free) struct rows *rows = NULL;
    if (strlen(payload) != 36 || !tx_worker(SQL_JOBS_NOTIFICATION, &rows, &err, BIND_TEXT(payload)) ||
        !rows_count(rows))
        return;
    const char *text = rows_text(rows, 0, 1);
    AUTO(json_freep) cJSON *job = json_parse(text, strlen(text), &err);
    if (!strcmp(json_text(job, "state", ""), "queued"))
        wake();
    notify_watchers(rows_text(rows, 0, 0), "library.progress", text);
}

static void resync(void *context)
{
    (void)context;
    wake();
}

void jobs_listen(void)
{
    listen_on("edurag_job", hear, resync, NULL);
}

/* "HOST/PROCESS SPACE/": which of the other nodes' processes we would see if they lived. */
static void name_place(char place[96])
{
    char host[48] = "node", space[32] = "";
    gethostname(host, sizeof host - 1);
    if (readlink("/proc/self/ns/pid", space, sizeof space - 1) < 0)
        space[0] = '\0';
    snprintf(place, 96, "%s/%s/", host, space);
}

static void name_node(void)
{
    char place[96];
    name_place(place);
    /* A process, not a machine: after a crash its leases run out, so that the attempt counts. */
    snprintf(jobs.node, sizeof jobs.node, "%s%ld/%lld", place, (long)getpid(), (long long)time(NULL));
}

/* Jobs of a process of this machine that died need not wait for their leases. A number that another process
 * has by now just waits. */
static void expire_dead(void)
{
    char place[96];
    struct err err = {0};
    AUTO(rows_free) struct rows *rows = NULL;
    name_place(place);
    if (!tx_worker0(SQL_JOBS_NODES, &rows, &err))
        return;
    for (int i = 0; i < rows_count(rows); i++) {
        const char *node = rows_text(rows, i, 0);
        if (!node || strncmp(node, place, strlen(place)) != 0)
            continue;
        long pid = strtol(node + strlen(place), NULL, 10);
        bool dead = pid == getpid() ? strcmp(node, jobs.node) != 0 : kill((pid_t)pid, 0) && errno == ESRCH;
        AUTO(rows_free) struct rows *expired = NULL;
        if (pid > 0 && dead && tx_worker(SQL_JOBS_EXPIRE, &expired, &err, BIND_TEXT(node)))
            log_event(LOG_INFO, "jobs_of_the_dead", "node=%s jobs=%lld", node, (long long)rows_int(expired, 0, 0, 0));
    }
}

bool jobs_start(struct err *err)
{
    char path[40];
    struct err missing = {0};
    snprintf(path, sizeof path, "/proc/self/fd/%d", privileges_program());
    if (privileges_program() < 0 || !extract_start(path, &missing)) {
        log_event(LOG_ERROR, "indexing_off", "cause=%s", log_quote("edurag-extractor is not installed beside eduragd"));
        return true;
    }
    name_node();
    expire_dead();
    jobs.stopping = false;
    jobs.indexers = mem_array((size_t)config.indexers, sizeof *jobs.indexers);
    for (; jobs.count < (size_t)config.indexers; jobs.count++)
        if (pthread_create(&jobs.indexers[jobs.count].thread, NULL, indexer_main, &jobs.indexers[jobs.count]))
            break;
    if (pthread_create(&jobs.keeper, NULL, keeper_main, NULL))
        return err_set(err, ERR_INTERNAL, "no thread for the jobs' keeper");
    return true;
}

bool jobs_stop(void)
{
    if (!jobs.indexers)
        return true;
    pthread_mutex_lock(&jobs.lock);
    jobs.stopping = true;
    for (size_t i = 0; i < jobs.count; i++)
        atomic_store(&jobs.indexers[i].job.stop, true);
    pthread_cond_broadcast(&jobs.wake);
    pthread_cond_broadcast(&jobs.tick);
    pthread_mutex_unlock(&jobs.lock);
    int64_t until = wait_now() + END_SECONDS * 1000;
    bool ended = true;
    for (size_t i = 0; i < jobs.count; i++)
        ended = wait_thread(jobs.indexers[i].thread, until) && ended;
    ended = wait_thread(jobs.keeper, until) && ended;
    struct err err = {0};
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_worker(SQL_JOBS_RELEASE, &rows, &err, BIND_TEXT(jobs.node)))
        log_event(LOG_WARN, "jobs_not_released", "cause=%s", log_quote(err.log));
    if (!ended)
        return false;
    free(jobs.indexers);
    jobs.indexers = NULL;
    jobs.count = 0;
    extract_stop();
    return true;
}
