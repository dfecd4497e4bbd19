/* log.h - one logfmt line an event, on standard error.
 *
 * Only rpc, net, main and job runners log. Never tokens, passwords, prompts, document or chat text.
 * Thread-safe: a line is one write(2).
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include "common/err.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_level_set(enum log_level least);
bool log_level_parse(const char *name, enum log_level *level); /* error warn info debug */
/* log_event(LOG_INFO, "listening", "address=%s", a): `time=… level=info event=listening address=…`.
 * Free text goes through log_quote or a %s whose value has neither blanks nor quotes. */
void log_event(enum log_level level, const char *event, const char *format, ...) PRINTF_LIKE(3, 4);
/* `text` as a logfmt value in quotes, in a buffer of this thread that four further calls reuse. */
const char *log_quote(const char *text);

#endif
