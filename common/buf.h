/* buf.h - a growing byte string, and JSON written straight into it.
 *
 * {0} is an empty one. `data` is NUL-terminated whenever it is not NULL (the NUL is not counted).
 * Aborts on exhaustion; what grows with a peer's input is bounded by its caller.
 */
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data;
    size_t length, capacity;
};

void buf_free(struct buf *b);                 /* frees the bytes, leaves {0}; NULL is fine */
void buf_clear(struct buf *b);                /* keeps the memory */
void buf_reserve(struct buf *b, size_t more); /* room for `more` bytes and the NUL */
void buf_bytes(struct buf *b, const void *bytes, size_t length);
void buf_text(struct buf *b, const char *text);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *buf_take(struct buf *b); /* the text is the caller's to free(); never NULL */

/* JSON. Each writes one value; commas come by themselves: a value that follows a value in the same
 * array or object gets one. A key must be followed by its value. Strings must be valid UTF-8. */
void buf_json_open(struct buf *b, char bracket);  /* '{' or '[' */
void buf_json_close(struct buf *b, char bracket); /* '}' or ']' */
void buf_json_key(struct buf *b, const char *key);
void buf_json_string(struct buf *b, const char *text); /* NULL writes null */
void buf_json_stringn(struct buf *b, const char *text, size_t length);
void buf_json_int(struct buf *b, int64_t value);
void buf_json_double(struct buf *b, double value); /* not finite: null */
void buf_json_bool(struct buf *b, bool value);
void buf_json_null(struct buf *b);
void buf_json_raw(struct buf *b, const char *json); /* one finished value */
/* The common pairs. */
void buf_json_member(struct buf *b, const char *key, const char *text);
void buf_json_member_int(struct buf *b, const char *key, int64_t value);
void buf_json_member_bool(struct buf *b, const char *key, bool value);
void buf_json_member_raw(struct buf *b, const char *key, const char *json);

#endif
