/* faults.h - what tests that break things share: chance that can be repeated, whom to kill, how soon the
 * server serves again, and what must hold in the database whatever happened.
 *
 * Settings: TORTURE_SEED (else the suite's own, so that a run can be repeated) and TORTURE_SECONDS (goes on for
 * that long; else a fixed number of rounds). What does not hold fails the cmocka test with a sentence.
 */
#ifndef TESTS_LIB_FAULTS_H
#define TESTS_LIB_FAULTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/lib/harness.h"

void faults_begin(const char *suite, uint32_t seed); /* prints the seed */
uint32_t faults_pick(uint32_t below);                /* for one thread */
bool faults_more(int done, int usual);               /* whether one more round is due */
int64_t faults_now(void);                            /* milliseconds, monotonic */
void faults_pause(long ms);

/* A child of that process with that name (15 characters at most), or 0. */
pid_t faults_child(pid_t parent, const char *name);

/* Waits until a request of somebody with a session is served over the socket. `since`: when the fault ended.
 * Keeps the worst time; beyond 20 s the test fails, beyond 5 s is counted. */
void faults_serves(const char *fault, int64_t since, const char *target, const char *token);
/* "N faults; ..." with the worst and how many were beyond 5 s. */
void faults_report(void);

/* Of somebody who may read everything in the database of an eduragd on that directory; free it. */
char *faults_url(const char *directory);
/* A statement that counts what is wrong and must say 0; `url` as above. */
void faults_expect_none(const char *url, const char *sql);
/* Waits until each indexing job has ended, `ms` at most. */
void faults_settle(const char *url, int ms);
/* Passages, vectors, jobs and chat: nothing doubled, nothing halfway. */
void faults_invariants(const char *url);

/* Says why a case can't be tried here, so that run.sh counts it as skipped, and leaves it. */
void faults_skip(const char *name, const char *why);

#endif
