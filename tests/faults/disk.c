/* disk.c - the disk of the database is full: requests are told to come back, nothing acknowledged is lost, and service
 * comes back when there is room. On a small file system of our own, where we may mount one.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/busy.h"
#include "tests/lib/faults.h"
#include "tests/lib/harness.h"
#include "tests/lib/ledger.h"
#include "tests/lib/pg.h"

enum { ROUNDS = 3, FULL_MS = 2500, SETTLE_MS = 120000, ROOM_MB = 100, FULL_BYTES = 65536 };

static struct harness h;
static char place[] = "/tmp/edurag-disk-XXXXXX", target[sizeof h.socket];
static char *token, *ballast;
static const char *why_not; /* why there is no such file system here */

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return ok;
}

/* Mounts of our own, which nobody else sees and which end with us; as somebody who is not root, in a name space where
 * we may mount and are still who we are. */
static bool separate(void)
{
    AUTO(mem_freep) char *uids = mem_printf("%d %d 1", (int)geteuid(), (int)geteuid());
    AUTO(mem_freep) char *gids = mem_printf("%d %d 1", (int)getegid(), (int)getegid());
    if (unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS))
        return false;
    if (geteuid() && (!write_text("/proc/self/setgroups", "deny") || !write_text("/proc/self/uid_map", uids) ||
                      !write_text("/proc/self/gid_map", gids)))
        return false;
    return !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static size_t megabytes(const char *directory)
{
    size_t kilobytes = 0;
    AUTO(mem_freep) char *command = mem_printf("du -sk '%s'", directory);
    FILE *du = popen(command, "r");
    if (!du || fscanf(du, "%zu", &kilobytes) != 1)
        kilobytes = 0;
    if (du)
        pclose(du);
    return kilobytes / 1024 + 1;
}

static bool make_disk(const char *from)
{
    struct account account = pg_account();
    AUTO(mem_freep) char *size = mem_printf("size=%zum,mode=0700", megabytes(from) + ROOM_MB);
    AUTO(mem_freep) char *copy = mem_printf("cp -a '%s/.' '%s'", from, place);
    if (!separate() || mount("tmpfs", place, "tmpfs", 0, size))
        return false;
    return system(copy) == 0 && (geteuid() || !chown(place, account.uid, account.gid));
}

/* Takes what is left, down to the last bytes. */
static void fill(void)
{
    static const char zeros[FULL_BYTES];
    int fd = open(ballast, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    while (write(fd, zeros, sizeof zeros) > 0)
        ;
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

/* As others write meanwhile, and delete, it is filled again and again. `log`: until there is no room for the write-ahead
 * log either, which ends the database in the middle of what it does. */
static void keep_full(int ms, bool log)
{
    char error[400];
    AUTO(mem_freep) char *url = faults_url(place);
    for (int64_t end = faults_now() + ms; faults_now() < end; faults_pause(20)) {
        fill();
        if (log)
            free(pg_try(url, "select pg_switch_wal()", error, sizeof error));
    }
}

static void a_full_disk_loses_nothing(void **state)
{
    (void)state;
    if (why_not)
        faults_skip("a_full_disk_loses_nothing", why_not);
    busy_start(target);
    for (int i = 0; faults_more(i, ROUNDS); i++) {
        faults_pause(500 + (long)faults_pick(1000));
        keep_full(FULL_MS + (int)faults_pick(1500), i % 2 == 1);
        assert_int_equal(unlink(ballast), 0);
        faults_serves("a full disk", faults_now(), target, token);
    }
    faults_pause(500);
    busy_stop();
    AUTO(mem_freep) char *url = faults_url(h.directory);
    faults_settle(url, SETTLE_MS);
    faults_invariants(url);
    ledger_check(url);
    AUTO(mem_freep) char *log = harness_log(&h);
    bool noticed = strstr(log, "53100") || strstr(log, "database_died");
    print_message("the database %s\n", strstr(log, "database_died") ? "ended and was started again" : "went on");
    assert_true(noticed); /* or the fault was none */
    ledger_print();
    faults_report();
}

static int set_up(void **state)
{
    (void)state;
    faults_begin("disk", 12);
    const char *from = pg_directory();
    assert_non_null(mkdtemp(place));
    if (!make_disk(from)) {
        why_not = "this account may not mount a file system";
        return 0;
    }
    ballast = mem_printf("%s/ballast", place);
    harness_start(&h, place, (const char *[]){"EDURAG_DISK_FLOOR=0", "EDURAG_BALLAST_BYTES=0", NULL});
    memcpy(target, h.socket, sizeof target);
    AUTO(mem_freep) char *logs = mem_printf("%s/harness-*.log", place);
    busy_people(pg_url_in(place, "edurag_owner"), logs);
    token = harness_token(&h, "sue");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    int code = why_not ? 0 : harness_stop(&h);
    umount2(place, MNT_DETACH);
    rmdir(place);
    free(token);
    free(ballast);
    return code;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_full_disk_loses_nothing)};
    return cmocka_run_group_tests_name("disk", tests, set_up, tear_down);
}
