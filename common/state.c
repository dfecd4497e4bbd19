/* state.c - what this account keeps between runs. */
#include "common/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/mem.h"

enum { FILE_MOST = 1 << 20 };

static bool make_directories(char *path)
{
    for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        bool made = !mkdir(path, 0700) || errno == EEXIST;
        *slash = '/';
        if (!made)
            return false;
    }
    return true;
}

static bool shared;

void state_share(void)
{
    static const char *const kept[] = {
        "TERM=", "LANG=", "LANGUAGE=", "LC_", "TZ=", "NO_COLOR=", "PATH=", "COLUMNS=", "LINES="};
    size_t count = 0;
    for (char **entry = environ; entry && *entry; entry++) {
        bool keep = false;
        for (size_t i = 0; i < COUNT_OF(kept); i++)
            keep = keep || !strncmp(*entry, kept[i], strlen(kept[i]));
        if (keep)
            environ[count++] = *entry;
    }
    if (environ)
        environ[count] = NULL;
    shared = true;
}

bool state_shared(void)
{
    return shared;
}

bool state_may_use_files(struct err *err)
{
    return !shared ||
           err_say(err, ERR_FORBIDDEN,
                   "Many people share this account, so no files are read or written here. Copy with the mouse, "
                   "or log in from a computer of your own.");
}

char *state_path(const char *file)
{
    if (shared)
        return NULL;
    const char *base = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char *path = NULL;
    if (base && base[0] == '/')
        path = mem_printf("%s/edurag/%s", base, file);
    else if (home && home[0] == '/')
        path = mem_printf("%s/.local/state/edurag/%s", home, file);
    if (path && !make_directories(path)) {
        free(path);
        return NULL;
    }
    return path;
}

static bool read_all(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    char piece[4096];
    ssize_t n;
    while (out->length < FILE_MOST && (n = read(fd, piece, sizeof piece)) > 0)
        buf_bytes(out, piece, (size_t)n);
    mem_wipe(piece, sizeof piece);
    close(fd);
    return true;
}

/* The value in a line "NAME VALUE\n" that starts at `line`, or NULL where it is another name's. */
static const char *value_of(const char *line, const char *name)
{
    size_t length = strlen(name);
    return !strncmp(line, name, length) && line[length] == ' ' ? line + length + 1 : NULL;
}

static const char *next_line(const char *line)
{
    line += strcspn(line, "\n");
    return *line ? line + 1 : line;
}

bool state_get(const char *file, const char *name, char *value, size_t size)
{
    AUTO(mem_freep) char *path = state_path(file);
    AUTO(buf_free) struct buf text = {0};
    if (!path || !read_all(path, &text) || !text.data)
        return false;
    bool found = false;
    for (const char *line = text.data; *line && !found; line = next_line(line)) {
        const char *at = value_of(line, name);
        size_t length = at ? strcspn(at, "\n") : 0;
        if (length && length < size) {
            memcpy(value, at, length);
            value[length] = '\0';
            found = true;
        }
    }
    mem_wipe(text.data, text.length);
    return found;
}

static bool write_all(const char *path, const struct buf *text)
{
    AUTO(mem_freep) char *fresh = mem_printf("%s.%ld", path, (long)getpid());
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    bool fine = fchmod(fd, 0600) == 0;
    for (size_t at = 0; fine && at < text->length;) {
        ssize_t n = write(fd, text->data + at, text->length - at);
        fine = n > 0;
        at += fine ? (size_t)n : 0;
    }
    fine = fine && fsync(fd) == 0;
    fine = close(fd) == 0 && fine;
    fine = fine && rename(fresh, path) == 0;
    if (!fine)
        unlink(fresh);
    return fine;
}

bool state_set(const char *file, const char *name, const char *value, struct err *err)
{
    AUTO(mem_freep) char *path = state_path(file);
    if (shared)
        return true;
    if (!path)
        return err_say(err, ERR_INTERNAL, "There is no place to keep this: set HOME or XDG_STATE_HOME.");
    AUTO(mem_freep) char *lock_path = mem_printf("%s.lock", path);
    int lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock >= 0)
        flock(lock, LOCK_EX);
    AUTO(buf_free) struct buf before = {0}, after = {0};
    if (read_all(path, &before) && before.data)
        for (const char *line = before.data; *line; line = next_line(line))
            if (!value_of(line, name))
                buf_printf(&after, "%.*s\n", (int)strcspn(line, "\n"), line);
    if (value)
        buf_printf(&after, "%s %s\n", name, value);
    bool fine = write_all(path, &after);
    int problem = errno;
    if (lock >= 0)
        close(lock);
    if (before.data)
        mem_wipe(before.data, before.length);
    if (after.data)
        mem_wipe(after.data, after.length);
    return fine || err_say(err, ERR_INTERNAL, "%s could not be written: %s", path, strerror(problem));
}
