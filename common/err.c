/* err.c - what went wrong, twice: a sentence for the person, a line for the log. */
#include "common/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int code;
    const char *reason, *text;
} table[ERR_COUNT] = {{0, "none", ""},
#define ERR_ROW(name, code, reason, text) {code, reason, text},
                      ERR_LIST(ERR_ROW) ERR_LIST_LOCAL(ERR_ROW)
#undef ERR_ROW
};

static void start(struct err *err, enum err_code code, const char *format, va_list args)
{
    *err = (struct err){.code = code};
    vsnprintf(err->log, sizeof err->log, format, args);
}

bool err_set(struct err *err, enum err_code code, const char *format, ...)
{
    if (!err)
        return false;
    va_list args;
    va_start(args, format);
    start(err, code, format, args);
    va_end(args);
    return false;
}

bool err_say(struct err *err, enum err_code code, const char *format, ...)
{
    if (!err)
        return false;
    va_list args;
    va_start(args, format);
    start(err, code, format, args);
    va_end(args);
    snprintf(err->say, sizeof err->say, "%.*s", (int)sizeof err->say - 1, err->log);
    return false;
}

bool err_field(struct err *err, const char *field, const char *format, ...)
{
    if (!err)
        return false;
    char sentence[240];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    err_say(err, ERR_INVALID_PARAMS, "%s %s", field, sentence);
    snprintf(err->field, sizeof err->field, "%s", field);
    return false;
}

int err_rpc_code(enum err_code code)
{
    return table[code].code;
}

const char *err_reason(enum err_code code)
{
    return table[code].reason;
}

const char *err_sentence(const struct err *err)
{
    return err->say[0] ? err->say : table[err->code].text;
}

enum err_code err_from_reason(const char *reason)
{
    for (int i = 1; reason && i < ERR_COUNT; i++)
        if (!strcmp(table[i].reason, reason))
            return (enum err_code)i;
    return ERR_INTERNAL;
}
