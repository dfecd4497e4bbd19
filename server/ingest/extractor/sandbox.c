/* sandbox.c - what a process that opens strangers' PDFs may still do. */
#include "server/ingest/extractor/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "extractor: no sandbox: %s: %s\n", what, strerror(errno));
    _exit(70);
}

static void limit(int resource, rlim_t most, rlim_t grace)
{
    struct rlimit old, new = {most, most + grace};
    if (getrlimit((__rlimit_resource_t)resource, &old))
        die("getrlimit");
    if (old.rlim_max != RLIM_INFINITY && old.rlim_max < new.rlim_max)
        new.rlim_max = old.rlim_max;
    /* Whoever started us may allow less, and the grace stays. */
    if (new.rlim_cur + grace > new.rlim_max)
        new.rlim_cur = new.rlim_max > grace ? new.rlim_max - grace : new.rlim_max;
    if (setrlimit((__rlimit_resource_t)resource, &new))
        die("setrlimit");
}

void sandbox_limit(void)
{
    if (!SANITIZED) /* the sanitizers' shadow memory alone is larger */
        limit(RLIMIT_AS, (rlim_t)SANDBOX_MEMORY_MIB << 20, 0);
    limit(RLIMIT_CPU, SANDBOX_CPU_SECONDS, 1); /* SIGXCPU comes before SIGKILL, and tells who it was */
    limit(RLIMIT_NOFILE, 32, 0);
    limit(RLIMIT_CORE, 0, 0);
    limit(RLIMIT_FSIZE, 0, 0);
}

/* The kernel's ABI grew by version; Debian 12's header knows the first two only. */
struct ruleset {
    uint64_t fs, net, scoped;
};

/* false: it is not in this kernel, or switched off. */
static bool landlock(const char *readable)
{
    int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1)
        return false;
    static const int fs_rights[] = {0, 13, 14, 15, 15, 16}; /* by version: bits of access to files */
    struct ruleset rules = {.fs = (UINT64_C(1) << fs_rights[version < 5 ? version : 5]) - 1};
    if (version >= 4)
        rules.net = 3; /* TCP bind and connect */
    if (version >= 6)
        rules.scoped = 3; /* abstract Unix sockets and signals stay inside */
    size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    int set = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    if (set < 0)
        die("landlock_create_ruleset");
    struct landlock_path_beneath_attr beneath = {
        .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
        .parent_fd = open(readable, O_PATH | O_DIRECTORY | O_CLOEXEC),
    };
    /* Without poppler-data there is nothing to allow, and CJK text without ToUnicode stays unread. */
    if (beneath.parent_fd >= 0) {
        if (syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0))
            die("landlock_add_rule");
        close(beneath.parent_fd);
    }
    if (syscall(SYS_landlock_restrict_self, set, 0))
        die("landlock_restrict_self");
    close(set);
    return true;
}

static void allow(scmp_filter_ctx filter, int call)
{
    if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0))
        die("seccomp_rule_add");
}

static void allow_if(scmp_filter_ctx filter, int call, struct scmp_arg_cmp condition)
{
    if (seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &condition))
        die("seccomp_rule_add");
}

/* `fenced`: Landlock says which files may be read. Where nothing does, none may, for the server's own memory of
 * passwords is a file, too; then CJK text without ToUnicode stays unread. */
static void filter_calls(bool fenced)
{
    static const int calls[] = {
        SCMP_SYS(read),         SCMP_SYS(pread64),     SCMP_SYS(write),          SCMP_SYS(writev),
        SCMP_SYS(lseek),        SCMP_SYS(close),       SCMP_SYS(fstat),          SCMP_SYS(newfstatat),
        SCMP_SYS(getdents64),   SCMP_SYS(munmap),      SCMP_SYS(mremap),         SCMP_SYS(madvise),
        SCMP_SYS(brk),          SCMP_SYS(futex),       SCMP_SYS(getrandom),      SCMP_SYS(clock_gettime),
        SCMP_SYS(gettimeofday), SCMP_SYS(sysinfo),     SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction),
        SCMP_SYS(rt_sigreturn), SCMP_SYS(sched_yield), SCMP_SYS(getpid),         SCMP_SYS(gettid),
        SCMP_SYS(exit),         SCMP_SYS(exit_group),
    };
    static const int sanitizers[] = {
        SCMP_SYS(sigaltstack), SCMP_SYS(mmap),    SCMP_SYS(mprotect),  SCMP_SYS(prctl),     SCMP_SYS(sched_getaffinity),
        SCMP_SYS(readlink),    SCMP_SYS(getppid), SCMP_SYS(getrlimit), SCMP_SYS(prlimit64), SCMP_SYS(clock_nanosleep),
    };
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!filter)
        die("seccomp_init");
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        allow(filter, calls[i]);
    for (size_t i = 0; SANITIZED && i < sizeof sanitizers / sizeof *sanitizers; i++)
        allow(filter, sanitizers[i]);
    /* Memory, but never code; files, but never to write. */
    if (!SANITIZED) {
        allow_if(filter, SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
        allow_if(filter, SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    }
    struct scmp_arg_cmp reading =
        SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY), O_RDONLY);
    if (seccomp_rule_add_array(filter, fenced ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 1, &reading))
        die("seccomp_rule_add");
    allow_if(filter, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFL));
    allow_if(filter, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFD));
    allow_if(filter, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_SETFD));
    if (seccomp_load(filter))
        die("seccomp_load");
    seccomp_release(filter);
}

void sandbox_enter(const char *readable)
{
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        die("prctl");
    filter_calls(landlock(readable));
}
