/* retry.c - what a service says about when to come back. */
#include "server/models/retry.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"

/* "36", "36.4", "36.4s" in milliseconds; -1 for anything else. */
static long seconds(const char *text)
{
    char *end;
    double value = text ? strtod(text, &end) : NAN;
    if (!isfinite(value) || end == text || value < 0 || value > 864000 || (*end && strcmp(end, "s") && *end != ' '))
        return RETRY_UNSAID;
    return (long)ceil(value * 1000);
}

/* Sun, 06 Nov 1994 08:49:37 GMT, or Sunday, 06-Nov-94 08:49:37 GMT. */
static long until_date(const char *text, time_t now)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm = {0};
    char month[4] = "";
    const char *comma = strchr(text, ',');
    if (!comma || sscanf(comma + 1, " %2d%*1[ -]%3s%*1[ -]%4d %2d:%2d:%2d", &tm.tm_mday, month, &tm.tm_year,
                         &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
        return RETRY_UNSAID;
    const char *found = strlen(month) == 3 ? strstr(months, month) : NULL;
    if (!found || (found - months) % 3)
        return RETRY_UNSAID;
    tm.tm_mon = (int)(found - months) / 3;
    tm.tm_year -= tm.tm_year >= 1900 ? 1900 : tm.tm_year < 70 ? -100 : 0;
    time_t then = timegm(&tm);
    return then <= now ? 0 : (long)(then - now) * 1000;
}

static long from_header(const char *header, time_t now)
{
    long ms = seconds(header);
    return ms != RETRY_UNSAID ? ms : until_date(header, now);
}

static long from_details(const cJSON *details)
{
    long said = RETRY_UNSAID;
    const cJSON *detail, *violation;
    cJSON_ArrayForEach (detail, details) {
        cJSON_ArrayForEach (violation, json_get(detail, "violations")) {
            if (strstr(json_text(violation, "quotaId", ""), "PerDay"))
                return RETRY_NEVER;
        }
        if (strstr(json_text(detail, "@type", ""), "RetryInfo"))
            said = seconds(json_text(detail, "retryDelay", NULL));
    }
    return said;
}

static long from_body(const char *body, size_t length)
{
    AUTO(json_freep) cJSON *json = json_parse(body, length, NULL);
    const cJSON *top = cJSON_IsArray(json) ? cJSON_GetArrayItem(json, 0) : json, *error = json_get(top, "error");
    if (!cJSON_IsObject(error))
        return RETRY_UNSAID;
    const char *message = json_text(error, "message", ""), *again = strstr(message, "retry in ");
    if (!strcmp(json_text(error, "type", ""), "insufficient_quota") ||
        !strcmp(json_text(error, "code", ""), "insufficient_quota") || strstr(message, "limit: 0"))
        return RETRY_NEVER;
    long said = from_details(json_get(error, "details"));
    if (said == RETRY_UNSAID && again) {
        char *end;
        double value = strtod(again + 9, &end);
        if (end > again + 9 && *end == 's' && value >= 0 && value < 864000)
            said = (long)ceil(value * 1000);
    }
    return said;
}

long retry_after(const char *header_ms, const char *header, const char *body, size_t length, time_t now)
{
    long in_body = body && length ? from_body(body, length) : RETRY_UNSAID;
    if (in_body == RETRY_NEVER)
        return RETRY_NEVER;
    if (header_ms && *header_ms) {
        char *end;
        double ms = strtod(header_ms, &end);
        if (end > header_ms && !*end && ms >= 0 && ms < 864e6)
            return (long)ceil(ms);
    }
    long in_header = header && *header ? from_header(header, now) : RETRY_UNSAID;
    return in_header != RETRY_UNSAID ? in_header : in_body;
}

long retry_pause(int attempt, double dice)
{
    double ms = 500;
    while (--attempt > 0 && ms < 8000)
        ms *= 2;
    return (long)((ms < 8000 ? ms : 8000) * (0.75 + dice / 2));
}
