/* fake_hindsight.h - a memory service that keeps state and misbehaves on purpose.
 *
 * Banks hold documents; a retain becomes a document once its operation completes. POST /fake {"behaviour",
 * "times", "delay_ms", "version", "complete_ms", "fail_operations"} tells it how to behave, GET /fake tells
 * {"requests", "retains", "banks", "documents"}, GET /fake/BANK the texts of its documents.
 */
#ifndef TESTS_LIB_FAKE_HINDSIGHT_H
#define TESTS_LIB_FAKE_HINDSIGHT_H

#include <stdbool.h>

struct fake_hindsight;

struct fake_hindsight *fake_hindsight_start(int port);
void fake_hindsight_stop(struct fake_hindsight *fake);
int fake_hindsight_port(const struct fake_hindsight *fake);

/* For the next `times` requests (0: from now on): fine hang cut_at_once lost (done, but the reply is cut) 400
 * 401 402 403 404 409 410 422 422_object 429 429_date 500 503 504 malformed huge slow (delay_ms). */
void fake_hindsight_behave(struct fake_hindsight *fake, const char *behaviour, int times);
void fake_hindsight_delay(struct fake_hindsight *fake, int ms);
void fake_hindsight_version(struct fake_hindsight *fake, const char *version); /* "0.4.0", "0.9.1", "0.10.1" */
void fake_hindsight_completes(struct fake_hindsight *fake, int after_ms, int fail_operations);

int fake_hindsight_requests(struct fake_hindsight *fake);
int fake_hindsight_retains(struct fake_hindsight *fake, const char *document); /* how often it was sent; NULL: all */
/* Documents of a bank that are there (their operation has completed); -1: no such bank. */
int fake_hindsight_documents(struct fake_hindsight *fake, const char *bank);
/* Its text, the caller's to free; NULL: not there. */
char *fake_hindsight_document(struct fake_hindsight *fake, const char *bank, const char *document);
bool fake_hindsight_observes(struct fake_hindsight *fake, const char *bank); /* enable_observations not false */
/* The last request: "VERB path", its headers, its body; the caller's to free. */
char *fake_hindsight_last(struct fake_hindsight *fake);
char *fake_hindsight_last_headers(struct fake_hindsight *fake);
char *fake_hindsight_last_body(struct fake_hindsight *fake);

#endif
