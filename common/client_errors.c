/* client_errors.c - what the server says, as errors for the person: its error objects, close codes and refusals. */
#include "common/client_errors.h"

#include <stdio.h>

#include "common/client.h"

enum { CLOSE_GOING_AWAY = 1001, CLOSE_TOO_LARGE = 1009, CLOSE_LOGGED_OUT = 4401, CLOSE_TOO_SLOW = 4408 };

void client_error(const cJSON *error, struct err *err)
{
    const cJSON *data = json_get(error, "data");
    const char *reason = json_text(data, "reason", NULL);
    struct err e = {.code = ERR_INTERNAL};
    int64_t code = json_int(error, "code", 0);
    if (reason)
        e.code = err_from_reason(reason);
    else
        for (int i = 1; i < ERR_COUNT; i++)
            if (err_rpc_code((enum err_code)i) == code)
                e.code = (enum err_code)i;
    snprintf(e.say, sizeof e.say, "%s", json_text(error, "message", ""));
    snprintf(e.log, sizeof e.log, "%s", e.say);
    snprintf(e.field, sizeof e.field, "%s", json_text(data, "field", ""));
    snprintf(e.existing, sizeof e.existing, "%s", json_text(data, "existing", ""));
    snprintf(e.until, sizeof e.until, "%s", json_text(data, "until", ""));
    snprintf(e.service, sizeof e.service, "%s", json_text(data, "service", ""));
    snprintf(e.incident, sizeof e.incident, "%s", json_text(data, "incident", ""));
    int64_t wait = json_int(data, "retry_after_ms", 0);
    e.retry_after_ms = wait > 0 && wait < 86400000 ? (long)wait : 0;
    e.limit = json_int(data, "limit", 0);
    *err = e;
}

void client_errors_closed(struct err *why, const unsigned char *bytes, size_t length)
{
    if (length < 2)
        return;
    int code = bytes[0] << 8 | bytes[1];
    int text = (int)(length - 2);
    const char *reason = (const char *)bytes + 2;
    if (code == CLOSE_LOGGED_OUT)
        err_say(why, ERR_UNAUTHENTICATED, "You have been logged out%s%.*s.", text ? ": " : "", text, reason);
    else if (code == CLOSE_TOO_SLOW)
        err_say(why, ERR_UNREACHABLE, "The connection was too slow for all the news, and was closed.");
    else if (code == CLOSE_GOING_AWAY)
        err_say(why, ERR_UNREACHABLE, "The server is going down.");
    else if (code == CLOSE_TOO_LARGE)
        err_say(why, ERR_TOO_LARGE, "That message was longer than the server accepts.");
    else
        err_say(why, ERR_UNREACHABLE, "The server closed the connection (%d%s%.*s).", code, text ? " " : "", text,
                reason);
}

void client_errors_refused(struct err *why, const struct address *server, unsigned status, const char *text,
                           size_t length)
{
    if (status == 503)
        err_say(why, ERR_UNREACHABLE, "%s has too many visitors now. Please try again in a minute.", server->name);
    else if (status >= 400 && status < 600)
        err_say(why, ERR_UNREACHABLE, "%s answered, but not as an EduRag server (HTTP %u).", server->name, status);
    else if (length)
        err_set(why, ERR_UNREACHABLE, "%.*s", (int)length, text);
    if (why->code != ERR_NONE && !why->say[0])
        snprintf(why->say, sizeof why->say, "%s can't be reached.", server->name);
}

void client_errors_untrusted(struct err *why, const struct address *server, bool changed)
{
    err_say(why, ERR_UNTRUSTED,
            changed ? "The code of %s has changed since your last visit. This may not be your school's server."
                    : "You have not been at %s before, so its code has to be checked first.",
            server->name);
}

void client_errors_gone(struct err *why, const struct address *server, bool was_online)
{
    err_say(why, ERR_UNREACHABLE, was_online ? "The connection to %s was lost." : "%s can't be reached.", server->name);
}
