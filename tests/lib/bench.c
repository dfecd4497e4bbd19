/* bench.c - what benchmarks share: a row for each figure, percentiles, clocks, and certificates. */
#include "tests/lib/bench.h"

#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/mem.h"
#include "tests/lib/pg.h"

/* Three digits that count, as far as a figure has so many. */
static const char *digits(double value, char text[32])
{
    double size = value < 0 ? -value : value;
    snprintf(text, 32, "%.*f", size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3, value);
    return text;
}

static bool kept(const char *aim, double value, double floor)
{
    char *end;
    double most = strtod(aim + 2, &end);
    double said = *end == 'x' ? value / floor : value;
    return *aim == '<' ? said <= most : said >= most;
}

void bench_aim(const char *name, double value, const char *unit, double floor, const char *aim)
{
    char figure[32], least[32] = "-", ratio[32] = "-";
    bool met = aim && kept(aim, value, floor);
    if (floor > 0) {
        digits(floor, least);
        snprintf(ratio, sizeof ratio, "%.2f", value / floor);
    }
    printf("%-66s %10s %-5s %10s %7s  %-8s%s\n", name, digits(value, figure), unit, least, ratio, aim ? aim : "",
           !aim || met ? "" : "  missed");
    fflush(stdout);
    const char *path = getenv("BENCH_JSON");
    FILE *file = path && *path ? fopen(path, "a") : NULL;
    if (!file)
        return;
    fprintf(file, "{\"bench\":\"%s\",\"name\":\"%s\",\"value\":%s,\"unit\":\"%s\",", program_invocation_short_name,
            name, figure, unit);
    fprintf(file, floor > 0 ? "\"floor\":%s,\"ratio\":%s" : "\"floor\":null,\"ratio\":null", least, ratio);
    fprintf(file, aim ? ",\"aim\":\"%s\",\"met\":%s}\n" : ",\"aim\":null,\"met\":null}\n", aim, met ? "true" : "false");
    fclose(file);
}

void bench_figure(const char *name, double value, const char *unit, double floor)
{
    bench_aim(name, value, unit, floor, NULL);
}

int64_t bench_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

double bench_percentile(int64_t *us, size_t count, double part)
{
    if (!count)
        return 0;
    qsort(us, count, sizeof *us, by_value);
    size_t at = (size_t)((double)count * part);
    return (double)us[at < count ? at : count - 1];
}

int64_t bench_cpu_us(pid_t pid)
{
    char path[64], line[1024] = "";
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    const char *at = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    fclose(file);
    if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        return 0;
    return (int64_t)(user + system) * 1000000 / sysconf(_SC_CLK_TCK);
}

int64_t bench_rss_bytes(pid_t pid)
{
    char path[64];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "r");
    if (file) {
        if (fscanf(file, "%*d %ld", &pages) != 1)
            pages = 0;
        fclose(file);
    }
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

void bench_certificate(const char *directory, char cert[128], char key[128])
{
    bench_certificate_of(false, directory, cert, key);
}

void bench_certificate_of(bool rsa, const char *directory, char cert[128], char key[128])
{
    int status;
    snprintf(cert, 128, "%.100s/cert.pem", directory);
    snprintf(key, 128, "%.100s/key.pem", directory);
    pid_t pid = fork();
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(1);
        execlp("openssl", "openssl", "req", "-x509", "-newkey", rsa ? "rsa" : "ec", "-pkeyopt",
               rsa ? "rsa_keygen_bits:2048" : "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
               "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert,
               (char *)NULL);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
        fputs("bench: openssl made no certificate\n", stderr);
        exit(1);
    }
}

struct pg_conn *bench_connect(const char *url)
{
    struct account account = pg_account();
    uid_t before = geteuid();
    bool become = before == 0 && seteuid(account.uid) == 0;
    PGconn *pg = PQconnectdb(url);
    if ((become && seteuid(before) != 0) || PQstatus(pg) != CONNECTION_OK) {
        fprintf(stderr, "bench: %s", PQerrorMessage(pg));
        exit(1);
    }
    return pg;
}

struct line {
    int64_t asked;
    bool answered;
};

static void on_answer(struct ws *ws, const char *text, size_t length, void *context)
{
    struct line *line = context;
    (void)ws;
    if (length > 40 && memmem(text, length < 200 ? length : 200, "\"error\"", 7)) {
        fprintf(stderr, "bench: %.200s\n", text);
        exit(1);
    }
    line->answered = true;
}

void bench_drive(struct ws *sockets, size_t count, const char *method, const char *params, int ms,
                 struct bench_load *load)
{
    AUTO(mem_freep)
    char *text = mem_printf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method, params);
    AUTO(mem_freep) struct line *lines = mem_array(count, sizeof *lines);
    struct epoll_event events[64];
    size_t length = strlen(text), capacity = 0;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    *load = (struct bench_load){0};
    int64_t start = bench_now_us(), end = start + (int64_t)ms * 1000, now = start;
    for (size_t i = 0; i < count; i++) {
        epoll_ctl(epoll, EPOLL_CTL_ADD, sockets[i].fd, &(struct epoll_event){.events = EPOLLIN, .data.u64 = i});
        lines[i].asked = bench_now_us();
        ws_send(&sockets[i], text, length);
    }
    size_t open = count;
    while (open) {
        int n = epoll_wait(epoll, events, 64, 1000);
        for (int e = 0; e < n; e++) {
            size_t i = events[e].data.u64;
            lines[i].answered = false;
            if (!ws_read(&sockets[i], on_answer, &lines[i])) {
                fputs("bench: the server closed a socket\n", stderr);
                exit(1);
            }
            if (!lines[i].answered)
                continue;
            now = bench_now_us();
            if (load->count == capacity) {
                capacity = capacity ? capacity * 2 : 4096;
                load->us = mem_grow(load->us, capacity, sizeof *load->us);
            }
            load->us[load->count++] = now - lines[i].asked;
            if (now >= end) {
                open--;
                continue;
            }
            lines[i].asked = now;
            ws_send(&sockets[i], text, length);
        }
    }
    close(epoll);
    load->per_second = (double)load->count * 1e6 / (double)(now - start);
}
