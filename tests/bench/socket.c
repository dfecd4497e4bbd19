/* socket.c - what a request, a connection and a login cost, beside libpq alone and bare bcrypt.
 *
 * The floor of a rate is the same statement with the same token, role and policies by libpq alone: set_config
 * and the prepared query in one pipeline with one Sync, on as many connections as the server uses.
 */
#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/mem.h"
#include "tests/lib/bench.h"
#include "tests/lib/harness.h"
#include "tests/lib/pg.h"

enum { RATE_MS = 3000, PEOPLE = 300, IDLE = 1000, MANY = 5000, STORM = 300, STORM_COST = 10, FLOOR_MOST = 4 };

static struct harness h;
static struct ws sockets[MANY];

static void open_sockets(size_t count, const char *target, SSL_CTX *tls, const char *token)
{
    struct err err = {0};
    for (size_t i = 0; i < count; i++)
        if (!ws_open(&sockets[i], target, tls, token, &err)) {
            fprintf(stderr, "bench: socket %zu: %s\n", i, err.log);
            exit(1);
        }
}

static void close_sockets(size_t count)
{
    for (size_t i = 0; i < count; i++)
        ws_close(&sockets[i]);
}

static PGconn *floor_connect(void)
{
    PGconn *pg = bench_connect(pg_url_in(h.directory, "edurag_app"));
    PQclear(PQprepare(pg, "t", "select set_config('edurag.token', $1, true)", 1, NULL));
    PQclear(PQprepare(pg, "q", "select api.whoami()", 0, NULL));
    PQenterPipelineMode(pg);
    return pg;
}

struct floor {
    pthread_t thread;
    PGconn *pg;
    const char *token;
    int64_t until;
    size_t done;
};

static void *floor_work(void *argument)
{
    struct floor *floor = argument;
    while (bench_now_us() < floor->until) {
        const char *const token[] = {floor->token};
        PQsendQueryPrepared(floor->pg, "t", 1, token, NULL, NULL, 0);
        PQsendQueryPrepared(floor->pg, "q", 0, NULL, NULL, NULL, 0);
        PQpipelineSync(floor->pg);
        for (int synced = 0; !synced;) {
            PGresult *result = PQgetResult(floor->pg);
            synced = result && PQresultStatus(result) == PGRES_PIPELINE_SYNC;
            if (result && PQresultStatus(result) == PGRES_FATAL_ERROR) {
                fprintf(stderr, "bench: %s", PQresultErrorMessage(result));
                exit(1);
            }
            PQclear(result);
        }
        floor->done++;
    }
    return NULL;
}

static double floor_rate(const char *token, int count)
{
    struct floor floors[FLOOR_MOST] = {0};
    size_t done = 0;
    int64_t from = bench_now_us();
    for (int i = 0; i < count; i++) {
        floors[i] = (struct floor){.pg = floor_connect(), .token = token, .until = from + RATE_MS * 1000};
        pthread_create(&floors[i].thread, NULL, floor_work, &floors[i]);
    }
    for (int i = 0; i < count; i++) {
        pthread_join(floors[i].thread, NULL);
        done += floors[i].done;
        PQfinish(floors[i].pg);
    }
    return (double)done * 1e6 / (double)(bench_now_us() - from);
}

static void rates(const char *token)
{
    static const struct {
        size_t clients;
        int connections;
    } steps[] = {{1, 1}, {30, 4}, {300, 4}};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        char name[80];
        struct bench_load load;
        open_sockets(steps[i].clients, h.socket, NULL, token);
        bench_drive(sockets, steps[i].clients, "auth.whoami", "{}", 500, &load);
        free(load.us);
        int64_t before = bench_cpu_us(h.pid);
        bench_drive(sockets, steps[i].clients, "auth.whoami", "{}", RATE_MS, &load);
        double cpu = (double)(bench_cpu_us(h.pid) - before) / (double)load.count;
        close_sockets(steps[i].clients);
        double floor = floor_rate(token, steps[i].connections);
        snprintf(name, sizeof name, "requests a second, %zu client%s", steps[i].clients,
                 steps[i].clients == 1 ? "" : "s");
        bench_aim(name, load.per_second, "/s", floor, ">= 0.5x");
        snprintf(name, sizeof name, "a request, %zu client%s, p50", steps[i].clients, steps[i].clients == 1 ? "" : "s");
        bench_figure(name, bench_percentile(load.us, load.count, 0.5), "us", steps[i].clients == 1 ? 1e6 / floor : 0);
        snprintf(name, sizeof name, "a request, %zu client%s, p99", steps[i].clients, steps[i].clients == 1 ? "" : "s");
        bench_figure(name, bench_percentile(load.us, load.count, 0.99), "us", 0);
        snprintf(name, sizeof name, "our processor time a request, %zu client%s", steps[i].clients,
                 steps[i].clients == 1 ? "" : "s");
        bench_aim(name, cpu, "us", 0, "<= 60");
        free(load.us);
    }
}

static void memory(const char *kind, SSL_CTX *tls, const char *target, const char *token)
{
    char name[80];
    int64_t before = bench_rss_bytes(h.pid);
    open_sockets(IDLE, target, tls, token);
    free(ws_call(&sockets[IDLE - 1], 7, "server.ping", "{}", 5000));
    snprintf(name, sizeof name, "memory of an idle connection, %s", kind);
    bench_aim(name, (double)(bench_rss_bytes(h.pid) - before) / IDLE / 1024, "KB", 0, tls ? "<= 30" : "<= 12");
    close_sockets(IDLE);
}

static double echo_p50(const char *token)
{
    struct bench_load load;
    struct ws ws;
    struct err err = {0};
    if (!ws_open(&ws, h.target, NULL, token, &err))
        exit(1);
    bench_drive(&ws, 1, "server.ping", "{}", 2000, &load);
    double p50 = bench_percentile(load.us, load.count, 0.5);
    free(load.us);
    ws_close(&ws);
    return p50;
}

static void idle_sockets(const char *token)
{
    double alone = echo_p50(token);
    bench_figure("echo p50, nobody else", alone, "us", 0);
    open_sockets(MANY, h.socket, NULL, token);
    bench_aim("echo p50, 5,000 idle sockets", echo_p50(token), "us", alone, "<= 1.2x");
    close_sockets(MANY);
}

struct storm {
    pthread_t thread;
    double seconds;
};

static void *storm_work(void *argument)
{
    struct storm *storm = argument;
    struct ws *strangers = mem_array(STORM, sizeof *strangers);
    struct err err = {0};
    for (int i = 0; i < STORM; i++)
        if (!ws_open(&strangers[i], h.socket, NULL, NULL, &err))
            exit(1);
    const char *login =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"auth.login\",\"params\":{\"institution_id\":\"sue\","
        "\"password\":\"sue-password\"}}";
    int64_t from = bench_now_us();
    for (int i = 0; i < STORM; i++)
        ws_send(&strangers[i], login, strlen(login));
    for (int i = 0; i < STORM; i++) {
        AUTO(mem_freep) char *reply = ws_wait(&strangers[i], "\"id\":1,", 120000);
        if (!reply || !strstr(reply, "\"token\"")) {
            fprintf(stderr, "bench: a login was answered %s\n", reply ? reply : "with silence");
            exit(1);
        }
    }
    storm->seconds = (double)(bench_now_us() - from) / 1e6;
    for (int i = 0; i < STORM; i++)
        ws_close(&strangers[i]);
    free(strangers);
    return NULL;
}

/* One after the other by libpq, each with the hash's cost and nothing else, as many at once as cores. */
static double bare_bcrypt_rate(void)
{
    char sql[200];
    snprintf(sql, sizeof sql,
             "select count(crypto.crypt('x' || i, crypto.gen_salt('bf', %d))) from generate_series(1, 20) i",
             STORM_COST);
    char error[200];
    int64_t from = bench_now_us();
    free(pg_try(pg_url_in(h.directory, "edurag_owner"), sql, error, sizeof error));
    return 20e6 / (double)(bench_now_us() - from) * (double)sysconf(_SC_NPROCESSORS_ONLN);
}

static void login_storm(const char *token)
{
    struct storm storm = {0};
    struct bench_load calm, stormy;
    open_sockets(30, h.socket, NULL, token);
    bench_drive(sockets, 30, "courses.list", "{}", 2000, &calm);
    pthread_create(&storm.thread, NULL, storm_work, &storm);
    usleep(300000);
    bench_drive(sockets, 30, "courses.list", "{}", 2000, &stormy);
    pthread_join(storm.thread, NULL);
    close_sockets(30);
    bench_figure("logins a second (bcrypt cost 10)", STORM / storm.seconds, "/s", bare_bcrypt_rate());
    double before = bench_percentile(calm.us, calm.count, 0.99),
           during = bench_percentile(stormy.us, stormy.count, 0.99);
    bench_figure("p99 of 30 readers, calm", before / 1e3, "ms", 0);
    bench_figure("p99 of 30 readers, 300 logins at once", during / 1e3, "ms", before / 1e3);
    bench_aim("p99 that 300 logins add to 30 readers", (during - before) / 1e3, "ms", 0, "<= 10");
    free(calm.us);
    free(stormy.us);
}

int main(void)
{
    char cert[128], key[128], cert_setting[160], key_setting[160];
    const struct rlimit files = {16384, 16384};
    setrlimit(RLIMIT_NOFILE, &files);
    const char *directory = pg_directory();
    struct account account = pg_account();
    const char *settings[] = {"EDURAG_LOG=info",
                              "EDURAG_CONNECTIONS=6000",
                              "EDURAG_LOGIN_TIMEOUT=3600",
                              "EDURAG_RATE_PERSON=1000000",
                              "EDURAG_RATE_ADDRESS=1000000",
                              "EDURAG_BCRYPT_COST=10",
                              "EDURAG_PING=3600", /* who waits in a row for its turn to be read answers none */
                              NULL,
                              NULL,
                              NULL};
    harness_start(&h, directory, settings);
    harness_user(&h, "student", "sue", "Sue");
    AUTO(mem_freep) char *token = harness_token(&h, "sue");
    memory("plain", NULL, h.target, token); /* first, before anything was freed that could be used again */
    rates(token);
    idle_sockets(token);
    login_storm(token);
    harness_stop(&h);

    bench_certificate(directory, cert, key);
    if (geteuid() == 0 && (chown(cert, account.uid, account.gid) || chown(key, account.uid, account.gid)))
        return 1;
    snprintf(cert_setting, sizeof cert_setting, "EDURAG_TLS_CERT=%s", cert);
    snprintf(key_setting, sizeof key_setting, "EDURAG_TLS_KEY=%s", key);
    settings[7] = cert_setting;
    settings[8] = key_setting;
    int64_t from = bench_now_us();
    harness_start(&h, directory, settings);
    bench_aim("ready after a start, existing cluster", (double)(bench_now_us() - from) / 1e6, "s", 0, "<= 1");
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    memory("TLS", tls, h.target, token);
    SSL_CTX_free(tls);
    return harness_stop(&h);
}
