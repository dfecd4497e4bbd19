/* sandbox.c - trying to get out of the extractor's sandbox, and reading the same text inside it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static const char readable[] = "/usr/share/poppler";

/* Each returns 0 where it got its way, else errno; most should not live to return. */
static int result(long r) { return r < 0 ? errno : 0; }
static int a_socket(void) { return result(socket(AF_INET, SOCK_STREAM, 0)); }
static int a_local_socket(void) { return result(socket(AF_UNIX, SOCK_STREAM, 0)); }
static int a_program(void) { return result(execl("/bin/true", "true", (char *)NULL)); }
static int a_child(void) { return result(syscall(SYS_fork)); }
static int a_clone(void) { return result(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }
static int a_signal(void) { return result(syscall(SYS_kill, getpid(), 0)); }
static int a_trace(void) { return result(syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0)); }
static int a_new_file(void) { return result(open("/tmp/edurag-sandbox-test", O_WRONLY | O_CREAT, 0600)); }
static int a_known_file_to_write(void) { return result(open("/dev/null", O_RDWR)); }
static int an_unlink(void) { return result(syscall(SYS_unlink, "/tmp/edurag-sandbox-test")); }
static int a_filter_of_its_own(void) { return result(syscall(SYS_seccomp, 1, 0, NULL)); }
static int a_mount(void) { return result(syscall(SYS_mount, "a", "/mnt", "tmpfs", 0, NULL)); }
static int an_io_uring(void) { return result(syscall(425, 1, NULL)); }
static int a_memory_file(void) { return result(memfd_create("x", 0)); }
static int other_memory(void) { return result(syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0)); }
static int the_passwords(void) { return result(open("/etc/passwd", O_RDONLY)); }
static int its_own_memory_file(void) { return result(open("/proc/self/mem", O_RDONLY)); }
static int the_root(void) { return result(open("/", O_RDONLY | O_DIRECTORY)); }
static int the_data(void) { return result(open(readable, O_RDONLY | O_DIRECTORY)); }
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

enum { KILLED = -1 };

/* The errno that the attempt met inside the sandbox, 0 where it succeeded, KILLED where it died of it. */
static int inside(int (*attempt)(void))
{
    pid_t child = fork();
    if (child == 0) {
        sandbox_limit();
        sandbox_enter(readable);
        _exit(attempt());
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        return KILLED;
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
    static const struct { const char *name; int (*attempt)(void); int expected; bool landlock, unsanitized; } cases[] = {
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_way_out_is_left),
        cmocka_unit_test(limits_are_set),
        cmocka_unit_test(text_is_the_same_inside_as_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
