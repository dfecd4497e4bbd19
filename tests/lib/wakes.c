/* wakes.c - what wakes a sleeping program, and what for: seen through its system calls. */
#include "tests/lib/wakes.h"

#include <signal.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SLEPT_US = 20000 /* being watched takes some of that */, LOOK_US = 2000, PING = 0x89 };

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct watch {
    uint64_t number, buffer; /* of the call under way */
    int64_t since;
    bool unexplained; /* it woke, and has not read anything yet */
};

static void take(struct watch *w, pid_t pid, struct wakes *wakes)
{
    struct __ptrace_syscall_info call;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof call, &call) <= 0)
        return;
    if (call.op == PTRACE_SYSCALL_INFO_ENTRY) {
        *w = (struct watch){call.entry.nr, call.entry.args[1], now_us(), w->unexplained};
        return;
    }
    if (call.op != PTRACE_SYSCALL_INFO_EXIT)
        return;
    bool waits = w->number == SYS_poll || w->number == SYS_ppoll || w->number == SYS_restart_syscall;
    if (waits && now_us() - w->since > SLEPT_US && call.exit.rval >= 0) {
        wakes->timers += call.exit.rval == 0;
        wakes->others += call.exit.rval > 0;
        w->unexplained = call.exit.rval > 0;
    } else if (w->unexplained && w->number == SYS_recvfrom && call.exit.rval > 0) {
        unsigned char first = 0;
        struct iovec here = {&first, 1}, there = {(void *)(uintptr_t)w->buffer, 1};
        w->unexplained = false;
        if (process_vm_readv(pid, &here, 1, &there, 1, 0) == 1 && first == PING) {
            wakes->others--;
            wakes->pings++;
        }
    }
}

bool wakes_watch(pid_t pid, int ms, struct wakes *wakes)
{
    struct watch w = {.since = now_us()};
    int status;
    *wakes = (struct wakes){0};
    if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD) != 0)
        return false;
    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
    for (int64_t end = now_us() + (int64_t)ms * 1000; now_us() < end;) {
        pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == 0) {
            usleep(LOOK_US);
            continue;
        }
        if (got < 0 || !WIFSTOPPED(status))
            return false;
        if (WSTOPSIG(status) == (SIGTRAP | 0x80))
            take(&w, pid, wakes);
        ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
    }
    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
    /* A system call under way is told as ended by this, and then goes on. */
    return waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) && ptrace(PTRACE_DETACH, pid, NULL, NULL) == 0;
}
