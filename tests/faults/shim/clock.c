/* clock.c - a wall clock that a test can turn, preloaded into eduragd and PostgreSQL (EDURAG_TEST_CLOCK: a file).
 *
 * The file holds one int64_t, how many seconds the wall clock is ahead, and is mapped: a change is there at once, in
 * every process. The monotonic clock is left alone, as in a machine whose time is set. Waits until a wall time notice
 * the jump as the kernel's do, within a moment.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { SLICE_NS = 50000000, SECOND_NS = 1000000000, SIGNALS = 256, MONOTONIC_BIT = 2 };

typedef int wait_function(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
typedef int wake_function(pthread_cond_t *);

static _Atomic int64_t none, *ahead = &none;
static atomic_uint signals[SIGNALS]; /* by condition: whether somebody was woken between two slices */
static wait_function *real_wait;
static wake_function *real_signal, *real_broadcast;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("EDURAG_TEST_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *page = fd >= 0 ? mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (page != MAP_FAILED)
        ahead = page;
    if (fd >= 0)
        close(fd);
    /* the unversioned names may be those of an older, incompatible condition */
    *(void **)&real_wait = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    *(void **)&real_signal = dlvsym(RTLD_NEXT, "pthread_cond_signal", "GLIBC_2.3.2");
    *(void **)&real_broadcast = dlvsym(RTLD_NEXT, "pthread_cond_broadcast", "GLIBC_2.3.2");
}

static void read_wall(struct timespec *now)
{
    syscall(SYS_clock_gettime, CLOCK_REALTIME, now);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (syscall(SYS_clock_gettime, clock, now))
        return -1;
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        now->tv_sec += atomic_load(ahead);
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec t;
    (void)zone;
    read_wall(&t);
    *now = (struct timeval){.tv_sec = t.tv_sec + atomic_load(ahead), .tv_usec = t.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *out)
{
    struct timespec t;
    read_wall(&t);
    time_t now = t.tv_sec + atomic_load(ahead);
    if (out)
        *out = now;
    return now;
}

static atomic_uint *signals_of(const pthread_cond_t *cond)
{
    return &signals[(uintptr_t)cond / sizeof *cond % SIGNALS];
}

int pthread_cond_signal(pthread_cond_t *cond)
{
    atomic_fetch_add(signals_of(cond), 1);
    return real_signal(cond);
}

int pthread_cond_broadcast(pthread_cond_t *cond)
{
    atomic_fetch_add(signals_of(cond), 1);
    return real_broadcast(cond);
}

static int before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* In slices of real time, each of which looks at the turned clock again. */
int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until)
{
    if (cond->__data.__wrefs & MONOTONIC_BIT)
        return real_wait(cond, mutex, until);
    for (unsigned seen = atomic_load(signals_of(cond));;) {
        struct timespec now, slice;
        read_wall(&slice);
        now = slice;
        now.tv_sec += atomic_load(ahead);
        if (!before(&now, until))
            return ETIMEDOUT;
        slice.tv_nsec += SLICE_NS;
        slice.tv_sec += slice.tv_nsec / SECOND_NS;
        slice.tv_nsec %= SECOND_NS;
        int code = real_wait(cond, mutex, &slice);
        if (code != ETIMEDOUT || atomic_load(signals_of(cond)) != seen)
            return code == ETIMEDOUT ? 0 : code;
    }
}
