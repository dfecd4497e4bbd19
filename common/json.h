/* json.h - JSON as this project reads it: strict, with nothing ambiguous let through.
 *
 * cJSON 1.7.15 cuts strings at \u0000, keeps duplicate names, ignores trailing text, rounds integers
 * above 2^53 and (GetObjectItem) ignores case. json_parse refuses all of that up front; the getters
 * here are case-sensitive. Writing goes through buf.h.
 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

enum { JSON_DEPTH = 32 };

/* The value, the caller's to cJSON_Delete(); NULL on failure with ERR_PARSE. Refuses: text that is not
 * UTF-8, nesting over JSON_DEPTH, duplicate names, \u0000, lone surrogates, trailing text. */
cJSON *json_parse(const char *text, size_t length, struct err *err) MUST_CHECK;
void json_freep(cJSON **json); /* for AUTO */

/* A member of an object, or NULL (also where `object` is NULL or no object). */
const cJSON *json_get(const cJSON *object, const char *name);
/* Members by type; the fallback where absent or of another type. Strings are lent by the object. */
const char *json_text(const cJSON *object, const char *name, const char *fallback);
int64_t json_int(const cJSON *object, const char *name, int64_t fallback);
double json_double(const cJSON *object, const char *name, double fallback);
bool json_bool(const cJSON *object, const char *name, bool fallback);
/* A whole number within ±(2^53-1), as text and value; false where it is none. */
bool json_is_int(const cJSON *value, int64_t *out);
/* `value` appended in one line. */
void json_write(struct buf *out, const cJSON *value);

#endif
