/* disk.c - the room that is left beside the embedded PostgreSQL. */
#include "server/store/disk.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/log.h"
#include "common/wait.h"

enum { ASK_MS = 1000, RETRY_MS = 30000, FULL = 4 * 1024 * 1024 };

static struct {
    char directory[1024];
    int64_t floor;
    _Atomic int64_t free, asked_at;
} disk;

static void ballast_path(const char *directory, char *path, size_t size)
{
    snprintf(path, size, "%s/ballast.bin", directory);
}

int64_t disk_ballast(const char *directory, bool release)
{
    char path[1100];
    struct stat info;
    ballast_path(directory, path, sizeof path);
    if (lstat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return 0;
    return !release || unlink(path) == 0 ? (int64_t)info.st_size : 0;
}

/* Only where twice as much is free above the floor: it must not be what fills the disk. */
static void make_ballast(int64_t bytes)
{
    char path[1100];
    if (!bytes || disk_ballast(disk.directory, false) == bytes || disk_free() < disk.floor + 2 * bytes)
        return;
    ballast_path(disk.directory, path, sizeof path);
    int file = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool made = file >= 0 && ftruncate(file, 0) == 0 && posix_fallocate(file, 0, bytes) == 0;
    if (file >= 0)
        close(file);
    if (!made)
        unlink(path);
    log_event(made ? LOG_DEBUG : LOG_WARN, "ballast", "bytes=%lld made=%d", (long long)bytes, made);
}

void disk_start(const char *directory, int64_t floor_bytes, int64_t ballast_bytes)
{
    snprintf(disk.directory, sizeof disk.directory, "%s", directory);
    disk.floor = floor_bytes;
    atomic_store(&disk.asked_at, INT64_MIN / 2);
    if (*disk.directory)
        make_ballast(ballast_bytes);
}

int64_t disk_free(void)
{
    struct statvfs now;
    int64_t at = wait_now();
    if (!*disk.directory)
        return -1;
    if (at - atomic_load(&disk.asked_at) >= ASK_MS && statvfs(disk.directory, &now) == 0) {
        atomic_store(&disk.free, (int64_t)now.f_bavail * (int64_t)now.f_frsize);
        atomic_store(&disk.asked_at, at);
    }
    return atomic_load(&disk.free);
}

bool disk_room(struct err *err)
{
    int64_t left = disk_free();
    if (left < 0 || left >= disk.floor)
        return true;
    err_say(err, ERR_BUSY,
            "The school's disk is nearly full, so nothing can be added just now. An administrator has to make room.");
    if (err) {
        err->retry_after_ms = RETRY_MS;
        snprintf(err->cause, sizeof err->cause, "disk");
    }
    return false;
}

const char *disk_full(void)
{
    int64_t left = disk_free();
    return left >= 0 && left < FULL
               ? "the disk of EDURAG_DATA_DIR is full: make room there, or run: eduragd doctor release"
               : NULL;
}
