/* busy.h - a school at work, for tests that break something meanwhile: a teacher adds documents, students chat,
 * remember and search, an admin makes accounts. Each repeats what was not acknowledged until it is; what was goes
 * into the ledger.
 */
#ifndef TESTS_LIB_BUSY_H
#define TESTS_LIB_BUSY_H

#include <stdint.h>

#include "common/buf.h"

/* A PDF that takes the extractor a moment: `pages` pages of made-up words, another one for each number. */
struct buf busy_book(uint32_t number, int pages);

/* Makes the people, once. `owner_url`: of edurag_owner; `logs`: shell pattern of the servers' logs, to quote from. */
void busy_people(const char *owner_url, const char *logs);
/* Starts a thread for each of them; they connect to `target` again whenever they have to. */
void busy_start(const char *target);
/* Ends them: what was begun is acknowledged first, for which they have a minute. Fails the test where one got a reply
 * that nobody should get (internal, unauthenticated, ...), or none in time while the socket stayed open. */
void busy_stop(void);

#endif
