/* ledger.h - what the server has acknowledged, so that a test can ask for all of it afterwards.
 *
 * From any thread. Keys are ids as the replies gave them.
 */
#ifndef TESTS_LIB_LEDGER_H
#define TESTS_LIB_LEDGER_H

#include <stdint.h>

enum ledger_kind { LEDGER_DOCUMENT, LEDGER_LINE, LEDGER_FACT, LEDGER_SEARCH, LEDGER_PERSON, LEDGER_KINDS };

void ledger_note(enum ledger_kind kind, const char *id);
int ledger_count(enum ledger_kind kind);
/* Each is in the database once; else the test fails. `url`: of somebody who may read everything. */
void ledger_check(const char *url);
void ledger_print(void);

#endif
