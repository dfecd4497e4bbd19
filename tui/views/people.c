/* people.c - a list of people read from a file, before it is sent: what would happen. */
#include "tui/views/people.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/state.h"
#include "common/text.h"
#include "tui/format.h"

char *people_read(const char *path, struct err *err)
{
    struct stat info;
    if (!state_may_use_files(err))
        return NULL;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0 || fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
        if (file >= 0)
            close(file);
        err_say(err, ERR_NOT_FOUND, "There is no such file.");
        return NULL;
    }
    if (info.st_size > PEOPLE_BYTES) {
        close(file);
        err_say(err, ERR_TOO_LARGE, "This list is too long. Send it in parts of at most 900 KB.");
        return NULL;
    }
    AUTO(mem_freep) char *text = mem_alloc((size_t)info.st_size + 1);
    ssize_t n = read(file, text, (size_t)info.st_size);
    close(file);
    if (n < 0 || !text_valid_utf8(text, (size_t)n) || memchr(text, 0, (size_t)n)) {
        err_say(err, ERR_INVALID_PARAMS, "This is not a text file. Save the list as CSV in UTF-8.");
        return NULL;
    }
    return TAKE(text);
}

static size_t field_end(const char *line, size_t length, size_t from)
{
    bool quoted = from < length && line[from] == '"';
    size_t at = from + quoted;
    while (at < length && (quoted || line[at] != ',')) {
        if (quoted && line[at] == '"')
            quoted = false;
        at++;
    }
    return at;
}

/* NULL where the line says all that is needed. */
static const char *wrong(const char *line, size_t length)
{
    static const char *const missing[] = {"no school number", "no name", "no role"};
    static const char *const roles[] = {"student", "teacher", "admin"};
    size_t from = 0, end = 0;
    for (int i = 0; i < 3; i++) {
        if (i && (end >= length || line[end] != ','))
            return missing[i];
        from = i ? end + 1 : 0;
        end = field_end(line, length, from);
        if (end == from)
            return missing[i];
    }
    for (size_t i = 0; i < COUNT_OF(roles); i++)
        if (end - from == strlen(roles[i]) && strncmp(line + from, roles[i], end - from) == 0)
            return NULL;
    return "no such role";
}

long people_preview(const char *csv, const struct rows *known, bool all, char *out, size_t size)
{
    long fresh = 0, old = 0, bad = 0, number = 0;
    char first[80] = "";
    for (const char *line = csv; *line;) {
        size_t length = strcspn(line, "\r\n");
        number++;
        bool head = number == 1 && strncmp(line, "institution_id", 14) == 0;
        const char *why = length && !head ? wrong(line, length) : NULL;
        bool there = false;
        for (size_t i = 0; i < known->list.count && !why; i++) {
            const char *id = json_text(known->at[i], "institution_id", "");
            there = there || (strlen(id) == strcspn(line, ",") && strncmp(id, line, strlen(id)) == 0);
        }
        if (why && !bad++)
            snprintf(first, sizeof first, " (line %ld: %s)", number, why);
        else if (!why && length && !head)
            *(there ? &old : &fresh) += 1;
        line += length;
        line += *line == '\r';
        line += *line == '\n';
    }
    snprintf(out, size, "%s%ld new, %ld%s known, %ld wrong%s", all ? "" : "up to ", fresh, old, all ? "" : " or more",
             bad, first);
    return fresh;
}

void people_lines(const cJSON *value, const char *label, int depth, time_t now, struct buf *out)
{
    const cJSON *child;
    char name[64];
    snprintf(name, sizeof name, "%.60s", label);
    for (char *p = name; *p; p++)
        *p = *p == '_' ? ' ' : *p;
    if (cJSON_IsObject(value) || cJSON_IsArray(value)) {
        if (depth > 0)
            buf_printf(out, "%*s%s\n", (depth - 1) * 2, "", name);
        int number = 0;
        cJSON_ArrayForEach (child, value) {
            char index[16];
            snprintf(index, sizeof index, "%d", ++number);
            if (depth < 6)
                people_lines(child, child->string ? child->string : index, depth + 1, now, out);
        }
        return;
    }
    buf_printf(out, "%*s%-28s ", depth > 0 ? (depth - 1) * 2 : 0, "", name);
    char when[32];
    size_t length = strlen(name);
    bool time = cJSON_IsString(value) && length >= 2 && strcmp(name + length - 2, "at") == 0;
    format_when(time ? format_time(value->valuestring) : (time_t)-1, now, FORMAT_WHEN_CLOCK, when);
    if (cJSON_IsString(value))
        buf_text(out, *when ? when : value->valuestring);
    else if (cJSON_IsNumber(value))
        buf_printf(out, "%.10g", value->valuedouble);
    else
        buf_text(out, cJSON_IsTrue(value) ? "yes" : cJSON_IsFalse(value) ? "no" : "-");
    buf_char(out, '\n');
}
