/* bench.h - what benchmarks share: a row for each figure, percentiles, clocks, and certificates.
 *
 * A figure is printed as a row `name value unit floor ratio aim`, and as a line of JSON to $BENCH_JSON if set.
 */
#ifndef TESTS_LIB_BENCH_H
#define TESTS_LIB_BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/lib/ws.h"

/* floor: what the machine or the library alone does; 0: there is none. */
void bench_figure(const char *name, double value, const char *unit, double floor);
/* The same beside what was promised: "<= 3" or ">= 1000", and of the floor "<= 1.2x" or ">= 0.5x". */
void bench_aim(const char *name, double value, const char *unit, double floor, const char *aim);
int64_t bench_now_us(void);
double bench_percentile(int64_t *us, size_t count, double part); /* sorts; in µs */
int64_t bench_cpu_us(pid_t pid); /* user and system time of that process, without its children */
int64_t bench_rss_bytes(pid_t pid);
/* A self-signed certificate and its key, in PEM, below `directory`; elliptic unless `rsa`. */
void bench_certificate(const char *directory, char cert[128], char key[128]);
void bench_certificate_of(bool rsa, const char *directory, char cert[128], char key[128]);

/* Straight to PostgreSQL, as whom it runs as; ends the program where that fails. PQfinish it. */
struct pg_conn *bench_connect(const char *url);

/* Closed-loop load: each of the sockets asks again as soon as it is answered. */
struct bench_load {
    double per_second;
    int64_t *us; /* of each request, `count` of them; free it */
    size_t count;
};
void bench_drive(struct ws *sockets, size_t count, const char *method, const char *params, int ms,
                 struct bench_load *load);

#endif
