/* format.c - times as a person would say them, and the sentences for what went wrong. */
#include "tui/format.h"

#include <stdio.h>
#include <string.h>

time_t format_time(const char *text)
{
    struct tm tm = {0};
    if (!text)
        return -1;
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!rest && !(rest = strptime(text, "%Y-%m-%d", &tm)))
        return -1;
    time_t at = timegm(&tm);
    if (*rest == '.')
        rest += 1 + strspn(rest + 1, "0123456789");
    int hours = 0, minutes = 0;
    if ((*rest == '+' || *rest == '-') && sscanf(rest + 1, "%2d:%2d", &hours, &minutes) >= 1)
        at -= (*rest == '+' ? 1 : -1) * (hours * 3600 + minutes * 60);
    return at;
}

static long day_of(const struct tm *tm)
{
    struct tm noon = {.tm_year = tm->tm_year, .tm_mon = tm->tm_mon, .tm_mday = tm->tm_mday, .tm_hour = 12};
    return (long)(timegm(&noon) / 86400);
}

void format_when(time_t at, time_t now, enum format_style style, char *out)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm tm, today;
    *out = 0;
    if (at == (time_t)-1 || !localtime_r(&at, &tm) || !localtime_r(&now, &today))
        return;
    long ago = day_of(&today) - day_of(&tm);
    char clock[8], year[8] = "";
    snprintf(clock, sizeof clock, "%02u:%02u", (unsigned)tm.tm_hour % 24u, (unsigned)tm.tm_min % 60u);
    if (ago > 300 || ago < -300)
        snprintf(year, sizeof year, " %d", (tm.tm_year + 1900) % 10000);
    const char *month = months[tm.tm_mon % 12];
    int day = tm.tm_mday % 32;
    if (style == FORMAT_CLOCK)
        snprintf(out, 32, "%s", clock);
    else if (style == FORMAT_DAY)
        snprintf(out, 32, "%2d %s%s", day, month, year);
    else if (style == FORMAT_DAY_CLOCK)
        snprintf(out, 32, "%d %s%s %s", day, month, year, clock);
    else if (ago == 0)
        snprintf(out, 32, "today %s", clock);
    else if (ago == 1)
        snprintf(out, 32, "yesterday%s%s", style == FORMAT_WHEN ? "" : " ", style == FORMAT_WHEN ? "" : clock);
    else
        snprintf(out, 32, "%s %d %s%s%s%s", days[tm.tm_wday % 7], day, month, year, style == FORMAT_WHEN ? "" : " ",
                 style == FORMAT_WHEN ? "" : clock);
}

void format_error(const struct err *err, char *out, size_t size)
{
    const char *say = err->say;
    switch (err->code) {
    case ERR_INTERNAL: snprintf(out, size, "%s", *say ? say : "Something went wrong on the server."); return;
    case ERR_FORBIDDEN: snprintf(out, size, "%s", *say ? say : "Only teachers can do this."); return;
    case ERR_NOT_FOUND:
        snprintf(out, size, "%s", *say ? say : "This is no longer here. Ctrl-R loads the list again.");
        return;
    case ERR_CANCELLED: snprintf(out, size, "Stopped."); return;
    default: snprintf(out, size, "%s", err_sentence(err));
    }
}

void format_count(long n, const char *one, const char *many, char *out, size_t size)
{
    snprintf(out, size, "%ld %s", n, n == 1 ? one : many);
}

void format_size(double bytes, char *out, size_t size)
{
    if (bytes >= 1e6)
        snprintf(out, size, "%.0f MB", bytes / 1e6);
    else
        snprintf(out, size, "%.0f KB", bytes < 1000 ? 1 : bytes / 1e3);
}

void format_first(const char *name, char *out, size_t size)
{
    snprintf(out, size, "%.*s", (int)strcspn(name, " "), name);
    for (const char *word = name; *word; word += strspn(word, " ")) {
        size_t length = strcspn(word, " ");
        if (length > 1 && word[length - 1] != '.') {
            snprintf(out, size, "%.*s", (int)length, word);
            return;
        }
        word += length;
    }
}

void format_page(const cJSON *place, char *out, size_t size)
{
    const char *label = json_text(place, "page_label", "");
    if (*label)
        snprintf(out, size, "p. %s", label);
    else
        snprintf(out, size, "p. %lld", (long long)json_int(place, "page", 1));
}
