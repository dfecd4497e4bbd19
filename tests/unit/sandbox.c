/* sandbox.c - trying to get out of the extractor's sandbox, and reading the same text inside it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/buf.h"
#include "server/ingest/extractor/reader.h"
#include "server/ingest/extractor/sandbox.h"
#include "tests/lib/hostile.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static const char readable[] = "/usr/share/poppler";

static pid_t parent;

/* Each returns 0 where it got its way, else errno; most should not live to return. */
static int result(long r)
{
    return r < 0 ? errno : 0;
}
static int a_socket(void)
{
    return result(socket(AF_INET, SOCK_STREAM, 0));
}
static int a_local_socket(void)
{
    return result(socket(AF_UNIX, SOCK_STREAM, 0));
}
static int a_program(void)
{
    return result(execl("/bin/true", "true", (char *)NULL));
}
static int a_child(void)
{
    return result(syscall(SYS_fork));
}
static int a_clone(void)
{
    return result(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}
static int a_signal(void)
{
    return result(syscall(SYS_kill, getpid(), 0));
}
static int a_trace(void)
{
    return result(syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0));
}
static int a_new_file(void)
{
    return result(open("/tmp/edurag-sandbox-test", O_WRONLY | O_CREAT, 0600));
}
static int a_known_file_to_write(void)
{
    return result(open("/dev/null", O_RDWR));
}
static int an_unlink(void)
{
    return result(syscall(SYS_unlink, "/tmp/edurag-sandbox-test"));
}
static int a_filter_of_its_own(void)
{
    return result(syscall(SYS_seccomp, 1, 0, NULL));
}
static int a_mount(void)
{
    return result(syscall(SYS_mount, "a", "/mnt", "tmpfs", 0, NULL));
}
static int an_io_uring(void)
{
    return result(syscall(425, 1, NULL));
}
static int the_end_of_its_parent(void)
{
    return result(kill(getppid(), SIGKILL));
}
static int its_parents_memory(void)
{
    return result(syscall(SYS_ptrace, PTRACE_ATTACH, getppid(), 0, 0));
}
static int its_parents_files(void)
{
    return result(syscall(438, 3, 0, 0));
} /* pidfd_getfd */
static int its_parents_secrets(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/environ", (int)parent);
    return result(open(path, O_RDONLY));
}
static int its_own_secrets(void)
{
    return result(open("/proc/self/environ", O_RDONLY));
}
static int more_limits(void)
{
    return result(syscall(SYS_setrlimit, RLIMIT_CPU, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}));
}
static int keys_typed_for_others(void)
{
    return result(syscall(SYS_ioctl, 0, 0x5412, "x"));
} /* TIOCSTI */
static int a_file_without_a_name(void)
{
    return result(open("/tmp", O_TMPFILE | O_RDWR, 0600));
}
static int an_append(void)
{
    return result(open("/dev/null", O_RDONLY | O_APPEND));
}
static int a_cut(void)
{
    return result(open("/dev/null", O_RDONLY | O_TRUNC));
}
static int another_descriptor(void)
{
    return result(fcntl(0, F_DUPFD, 10));
}
static int a_signal_on_input(void)
{
    return result(fcntl(0, F_SETOWN, getppid()));
}
static int a_memory_file(void)
{
    return result(memfd_create("x", 0));
}
static int other_memory(void)
{
    return result(syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0));
}
static int the_passwords(void)
{
    return result(open("/etc/passwd", O_RDONLY));
}
static int its_own_memory_file(void)
{
    return result(open("/proc/self/mem", O_RDONLY));
}
static int the_root(void)
{
    return result(open("/", O_RDONLY | O_DIRECTORY));
}
static int the_data(void)
{
    return result(open(readable, O_RDONLY | O_DIRECTORY));
}
static int code(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? errno : 0;
}
static int code_later(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? 0 : result(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}
static int much_memory(void)
{
    void *p = mmap(NULL, (size_t)SANDBOX_MEMORY_MIB << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? errno : 0;
}

enum { KILLED = -1, ENDED = -2 };

/* The errno that the attempt met inside the sandbox, 0 where it succeeded, KILLED where the filter ended it, ENDED
 * where the kernel did. */
static int inside(int (*attempt)(void))
{
    pid_t child = fork();
    if (child == 0) {
        signal(SIGILL, SIG_DFL); /* cmocka's own would go on with the next test */
        signal(SIGSEGV, SIG_DFL);
        sandbox_limit();
        sandbox_enter(readable);
        _exit(attempt());
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGSYS ? KILLED : ENDED;
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static bool landlock_here(void)
{
    return syscall(444, NULL, 0, 1) > 0;
}

static void no_way_out_is_left(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int (*attempt)(void);
        int expected;
        bool landlock, unsanitized;
    } cases[] = {
        {"socket", a_socket, KILLED, false, false},
        {"local socket", a_local_socket, KILLED, false, false},
        {"program", a_program, KILLED, false, false},
        {"fork", a_child, KILLED, false, false},
        {"clone", a_clone, KILLED, false, false},
        {"signal", a_signal, KILLED, false, false},
        {"ptrace", a_trace, KILLED, false, false},
        {"new file", a_new_file, KILLED, false, false},
        {"known file to write", a_known_file_to_write, KILLED, false, false},
        {"unlink", an_unlink, KILLED, false, false},
        {"filter of its own", a_filter_of_its_own, KILLED, false, false},
        {"mount", a_mount, KILLED, false, false},
        {"io_uring", an_io_uring, KILLED, false, false},
        {"memfd", a_memory_file, KILLED, false, false},
        {"the end of its parent", the_end_of_its_parent, KILLED, false, false},
        {"its parent's memory", its_parents_memory, KILLED, false, false},
        {"its parent's files", its_parents_files, KILLED, false, false},
        {"more limits", more_limits, KILLED, false, false},
        {"keys typed for others", keys_typed_for_others, KILLED, false, true},
        {"a file without a name", a_file_without_a_name, KILLED, false, false},
        {"a file to append to", an_append, KILLED, false, false},
        {"a file to cut", a_cut, KILLED, false, false},
        {"another descriptor", another_descriptor, KILLED, false, false},
        {"a signal on input", a_signal_on_input, KILLED, false, false},
        {"its parent's secrets", its_parents_secrets, EACCES, true, false},
        {"its own secrets", its_own_secrets, EACCES, true, false},
        {"others' memory", other_memory, KILLED, false, false},
        {"passwords", the_passwords, EACCES, true, false},
        {"/proc/self/mem", its_own_memory_file, EACCES, true, false},
        {"root", the_root, EACCES, true, false},
        {"executable memory", code, KILLED, false, true},
        {"memory made executable", code_later, KILLED, false, true},
        {"more than its memory", much_memory, ENOMEM, false, true},
        {"poppler's data", the_data, 0, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if ((cases[i].landlock && !landlock_here()) || (cases[i].unsanitized && SANITIZED))
            continue;
        if (cases[i].expected == 0 && access(readable, R_OK))
            continue;
        int got = inside(cases[i].attempt);
        if (got != cases[i].expected)
            fail_msg("%s: %d instead of %d", cases[i].name, got, cases[i].expected);
    }
}

/* What the filter lets through; whoever lengthens that list has to do so here as well. */
static bool let_through(long call)
{
    static const long calls[] = {
        SYS_read,         SYS_pread64,     SYS_write,          SYS_writev,
        SYS_lseek,        SYS_close,       SYS_fstat,          SYS_newfstatat,
        SYS_getdents64,   SYS_munmap,      SYS_mremap,         SYS_madvise,
        SYS_brk,          SYS_futex,       SYS_getrandom,      SYS_clock_gettime,
        SYS_gettimeofday, SYS_sysinfo,     SYS_rt_sigprocmask, SYS_rt_sigaction,
        SYS_rt_sigreturn, SYS_sched_yield, SYS_getpid,         SYS_gettid,
        SYS_exit,         SYS_exit_group,  SYS_mmap,           SYS_mprotect,
        SYS_openat,       SYS_fcntl, /* with conditions: the attempts above */
    };
    static const long sanitizers[] = {SYS_sigaltstack, SYS_prctl,     SYS_sched_getaffinity, SYS_readlink,
                                      SYS_getppid,     SYS_getrlimit, SYS_prlimit64,         SYS_clock_nanosleep};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i] == call)
            return true;
    for (size_t i = 0; SANITIZED && i < sizeof sanitizers / sizeof *sanitizers; i++)
        if (sanitizers[i] == call)
            return true;
    return false;
}

static long number; /* of the system call that is tried */
static int a_call(void)
{
    return result(syscall(number, 0, 0, 0, 0, 0, 0));
}

static void every_other_system_call_ends_it(void **state)
{
    enum { CALLS = 480 };
    int tried = 0;
    (void)state;
    for (number = 0; number < CALLS; number++) {
        if (let_through(number))
            continue;
        tried++;
        int got = inside(a_call);
        /* Newer kernels show the two of their own probes (335, 336) to no filter; they serve nobody else. */
        bool probes = (number == 335 || number == 336) && (got == ENDED || got == ENXIO);
        if (got != KILLED && !probes)
            fail_msg("system call %ld came through: %d", number, got);
    }
    assert_true(tried > 400);
}

#if defined(__x86_64__) && \
    !defined(__SANITIZE_THREAD__) /* whose runtime waits for ever where the kernel ends such a call */
/* Numbers of the other two tables that this processor knows. */
static int a_call_of_x32(void)
{
    return result(syscall(0x40000000 | SYS_getpid));
}
static int a_call_of_32_bits(void)
{
    long got = 20; /* getpid */
    __asm__ volatile("int $0x80" : "+a"(got) : : "memory");
    return got < 0 ? (int)-got : 0;
}

static void nor_are_there_other_doors(void **state)
{
    (void)state;
    assert_int_equal(inside(a_call_of_x32), KILLED);
    int got = inside(a_call_of_32_bits);
    assert_true(got == KILLED || got == ENDED); /* ENDED: a kernel without them */
}
#endif

static int where_nothing_fences(int (*attempt)(void))
{
    pid_t child = fork();
    if (child == 0) {
        scmp_filter_ctx old = seccomp_init(SCMP_ACT_ALLOW);
        if (seccomp_rule_add(old, SCMP_ACT_ERRNO(ENOSYS), 444, 0) || seccomp_load(old))
            _exit(99);
        seccomp_release(old);
        sandbox_limit();
        sandbox_enter(readable);
        _exit(attempt());
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : KILLED;
}

static void a_kernel_without_landlock_opens_nothing(void **state)
{
    (void)state;
    assert_int_equal(where_nothing_fences(the_passwords), EACCES);
    assert_int_equal(where_nothing_fences(its_parents_secrets), EACCES);
    assert_int_equal(where_nothing_fences(the_data), EACCES);
    assert_int_equal(where_nothing_fences(a_new_file), KILLED);
}

/* What /proc says of the process: the value behind `name`. */
static long told(pid_t pid, const char *name)
{
    char path[64], line[200];
    long value = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, name, strlen(name)))
            value = strtol(line + strlen(name), NULL, 10);
    if (file)
        fclose(file);
    return value;
}

static int highest_descriptor(pid_t pid)
{
    char path[64];
    int highest = -1;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_name[0] != '.' && atoi(entry->d_name) > highest)
            highest = atoi(entry->d_name);
    if (dir)
        closedir(dir);
    return highest;
}

static void the_program_holds_its_file_and_nothing_else(void **state)
{
    (void)state;
    const char *build = getenv("EDURAG_BUILD");
    char program[512], first[5];
    struct buf pdf = hostile_files[0].make(); /* takes seconds: time to look */
    int out[2], file = memfd_create("pdf", 0), inherited = fcntl(file, F_DUPFD, 50);
    snprintf(program, sizeof program, "%s/edurag-extractor", build ? build : "build");
    assert_true(inherited >= 50 && write(file, pdf.data, pdf.length) == (ssize_t)pdf.length);
    assert_int_equal(pipe(out), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(file, 3);
        dup2(out[1], STDOUT_FILENO);
        execl(program, "edurag-extractor", "1", (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    /* It has spoken, so it is locked in. */
    bool spoke = read(out[0], first, sizeof first) == (ssize_t)sizeof first;
    long filter = told(child, "Seccomp:"), privileges = told(child, "NoNewPrivs:"), threads = told(child, "Threads:");
    int highest = highest_descriptor(child);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(out[0]);
    close(file);
    close(inherited);
    buf_free(&pdf);
    assert_true(spoke);
    assert_int_equal(filter, 2);
    assert_int_equal(privileges, 1);
    assert_int_equal(threads, 1);
    if (geteuid() == 0) /* it is not to be looked into by others */
        assert_int_equal(highest, 3);
    else
        assert_true(highest == -1 || highest == 3);
}

static void limits_are_set(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        sandbox_limit();
        struct rlimit cpu, core, files, memory;
        getrlimit(RLIMIT_CPU, &cpu);
        getrlimit(RLIMIT_CORE, &core);
        getrlimit(RLIMIT_NOFILE, &files);
        getrlimit(RLIMIT_AS, &memory);
        _exit(cpu.rlim_cur != SANDBOX_CPU_SECONDS || core.rlim_max != 0 || files.rlim_max > 64 ||
              (!SANITIZED && memory.rlim_max != (rlim_t)SANDBOX_MEMORY_MIB << 20));
    }
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    /* A shorter time, set from outside, ends with the signal that tells why. */
    child = fork();
    if (child == 0) {
        struct rlimit cpu = {5, 5};
        if (setrlimit(RLIMIT_CPU, &cpu))
            _exit(2);
        sandbox_limit();
        getrlimit(RLIMIT_CPU, &cpu);
        _exit(cpu.rlim_cur != 4 || cpu.rlim_max != 5);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Everything the reader says about a file, read in a child of its own. */
static struct buf frames_of(const char *path, bool sandboxed)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        int pdf = open(path, O_RDONLY);
        if (sandboxed)
            sandbox_limit();
        reader_prepare();
        if (sandboxed)
            sandbox_enter(readable);
        _exit(reader_run(pdf, ends[1], 1));
    }
    close(ends[1]);
    struct buf all = {0};
    char piece[65536];
    for (ssize_t n; (n = read(ends[0], piece, sizeof piece)) > 0;)
        buf_bytes(&all, piece, (size_t)n);
    close(ends[0]);
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status)
        fail_msg("%s ended with %d, sandboxed: %d", path, status, sandboxed);
    return all;
}

static const char *shared(void)
{
    const char *path = getenv("EDURAG_SHARED");
    return path ? path : "../shared";
}

static void text_is_the_same_inside_as_outside(void **state)
{
    (void)state;
    char folder[512], path[1024];
    snprintf(folder, sizeof folder, "%s/pdf/real", shared());
    DIR *dir = opendir(folder);
    if (!dir) {
        print_message("skipped: ../shared is not here\n");
        skip();
    }
    int seen = 0;
    for (struct dirent *entry; (entry = readdir(dir)); seen += entry->d_name[0] != '.') {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        struct buf outside = frames_of(path, false), within = frames_of(path, true);
        assert_true(outside.length > 10000);
        assert_int_equal(outside.length, within.length);
        assert_memory_equal(outside.data, within.data, outside.length);
        buf_free(&outside);
        buf_free(&within);
    }
    closedir(dir);
    assert_true(seen > 0);
}

int main(void)
{
    parent = getpid();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_way_out_is_left),
        cmocka_unit_test(every_other_system_call_ends_it),
#if defined(__x86_64__) && \
    !defined(__SANITIZE_THREAD__) /* whose runtime waits for ever where the kernel ends such a call */
        cmocka_unit_test(nor_are_there_other_doors),
#endif
        cmocka_unit_test(a_kernel_without_landlock_opens_nothing),
        cmocka_unit_test(the_program_holds_its_file_and_nothing_else),
        cmocka_unit_test(limits_are_set),
        cmocka_unit_test(text_is_the_same_inside_as_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
