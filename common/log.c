/* log.c - one logfmt line an event, on standard error. */
#include "common/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const names[] = {"error", "warn", "info", "debug"};
static _Atomic int least = LOG_INFO;

void log_level_set(enum log_level level)
{
    least = (int)level;
}

bool log_level_parse(const char *name, enum log_level *level)
{
    for (int i = 0; i < 4; i++)
        if (!strcmp(name, names[i])) {
            *level = (enum log_level)i;
            return true;
        }
    return false;
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    if ((int)level > least)
        return;
    char line[1200];
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t n = strftime(line, sizeof line, "time=%Y-%m-%dT%H:%M:%S", &utc);
    n += (size_t)snprintf(line + n, sizeof line - n, ".%03ldZ level=%s event=%s ", now.tv_nsec / 1000000, names[level],
                          event);
    va_list args;
    va_start(args, format);
    int more = vsnprintf(line + n, sizeof line - n - 1, format, args);
    va_end(args);
    n = more < 0 ? n : n + (size_t)more;
    if (n > sizeof line - 2)
        n = sizeof line - 2;
    while (n && line[n - 1] == ' ')
        n--;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)line[i] < ' ')
            line[i] = ' ';
    line[n++] = '\n';
    if (write(STDERR_FILENO, line, n) < 0)
        return; /* a log that can't be written has nobody to be told */
}

const char *log_quote(const char *text)
{
    static _Thread_local char ring[4][512];
    static _Thread_local unsigned next;
    char *out = ring[next++ % 4];
    size_t n = 0;
    out[n++] = '"';
    for (const char *p = text ? text : ""; *p && n < sizeof ring[0] - 4; p++) {
        if (*p == '"' || *p == '\\')
            out[n++] = '\\';
        out[n++] = (unsigned char)*p < ' ' ? ' ' : *p;
    }
    out[n++] = '"';
    out[n] = '\0';
    return out;
}
