/* fake_models.h - a server that speaks Gemini and OpenAI, and misbehaves on purpose.
 *
 * POST /fake {"behaviour", "times", "answer", "delay_ms", "dimensions", "longest"} tells it how; GET /fake tells
 * what it has seen: {"requests", "streams", "open", "most_open", "texts"}. Behaviours are listed in fake_models.c.
 */
#ifndef TESTS_LIB_FAKE_MODELS_H
#define TESTS_LIB_FAKE_MODELS_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

struct fake_models;

struct fake_models *fake_models_start(int port);
void fake_models_stop(struct fake_models *fake);
int fake_models_port(const struct fake_models *fake);

/* For the next `times` requests (0: from now on); "fine" is as it should be. */
void fake_models_behave(struct fake_models *fake, const char *behaviour, int times);
void fake_models_answer(struct fake_models *fake, const char *text);
void fake_models_delay(struct fake_models *fake, int ms);      /* before the first byte, and between deltas */
void fake_models_longest(struct fake_models *fake, int bytes); /* refuses to embed longer texts */

int fake_models_requests(struct fake_models *fake);
int fake_models_texts(struct fake_models *fake); /* that were embedded */
int fake_models_connections(struct fake_models *fake);
int fake_models_most_open(struct fake_models *fake); /* generations at the same time */
/* When the last generation was asked for, and when each delta of its answer left; in µs of the monotonic clock. */
enum { FAKE_MODELS_DELTAS = 256, FAKE_MODELS_DELTA = 7 /* bytes, a little more where a letter has several */ };
struct fake_models_times {
    int64_t asked, sent[FAKE_MODELS_DELTAS];
    size_t count;
};
struct fake_models_times fake_models_times(struct fake_models *fake);
/* The last request: its path, a header (lower case), its body. Copies, the caller's to free. */
char *fake_models_last_path(struct fake_models *fake);
char *fake_models_last_headers(struct fake_models *fake);
char *fake_models_last_body(struct fake_models *fake);
/* Of the nth request, from 0; only the last FAKE_MODELS_KEPT are there. */
enum { FAKE_MODELS_KEPT = 64 };
char *fake_models_body(struct fake_models *fake, int n);

#endif
