/* schema.h - whether what the server says is what its tables promise.
 *
 * Once harness_start or harness_node has run, each reply of ws_call and each notification that ws_wait meets is held
 * against the shape of its row, with no further members; what differs ends the test program with the place.
 */
#ifndef TESTS_LIB_SCHEMA_H
#define TESTS_LIB_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "common/json.h"

/* Sets ws_watcher. */
void schema_watch(void);
/* The part of JSON Schema that shape.h writes. false: `where` says what differs and where. */
bool schema_fits(const cJSON *schema, const cJSON *value, char *where, size_t size);

#endif
