/* orphans.c - processes of a PostgreSQL whose postmaster was killed: found in /proc, ended. */
#include "server/store/orphans.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { POLITE_ROUNDS = 25, ROUNDS = 100, ROUND_MS = 10 };

struct process {
    char name[20], state;
    int parent;
    unsigned long long start;
};

static bool look(int pid, struct process *p)
{
    char path[40], text[600] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = '\0';
    const char *open = strchr(text, '('), *close = strrchr(text, ')'); /* a name may hold anything */
    if (!open || !close)
        return false;
    snprintf(p->name, sizeof p->name, "%.*s", (int)(close - open - 1), open + 1);
    return sscanf(close + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                  &p->state, &p->parent, &p->start) == 3;
}

unsigned long long orphans_start_time(int pid)
{
    struct process p;
    return look(pid, &p) ? p.start : 0;
}

bool orphans_alive(int pid, unsigned long long start)
{
    struct process p;
    return pid > 0 && look(pid, &p) && p.start == start && p.state != 'Z';
}

static bool works_in(int pid, const char *dir)
{
    char path[40], at[PATH_MAX];
    snprintf(path, sizeof path, "/proc/%d/cwd", pid);
    ssize_t n = readlink(path, at, sizeof at - 1);
    if (n <= 0)
        return false;
    at[n] = '\0';
    return !strcmp(at, dir);
}

/* How many are left. Those that became our children (we adopt, see embedded.c) are reaped. */
static int signal_all(const char *pgdata, int with)
{
    DIR *proc = opendir("/proc");
    int count = 0;
    for (struct dirent *entry; proc && (entry = readdir(proc));) {
        int pid = atoi(entry->d_name);
        struct process p;
        if (pid <= 0 || pid == getpid() || !look(pid, &p) || strcmp(p.name, "postgres") != 0)
            continue;
        if (p.state == 'Z' && p.parent == getpid())
            waitpid(pid, NULL, WNOHANG);
        else if (p.state != 'Z' && works_in(pid, pgdata) && kill(pid, with) == 0)
            count++;
    }
    if (proc)
        closedir(proc);
    return count;
}

bool orphans_only(const char *pgdata)
{
    char path[PATH_MAX + 64], line[24] = "";
    struct process p;
    snprintf(path, sizeof path, "%s/postmaster.pid", pgdata);
    FILE *file = fopen(path, "re");
    int pid = file && fgets(line, sizeof line, file) ? atoi(line) : 0;
    if (file)
        fclose(file);
    return pid <= 0 || !look(pid, &p) || p.state == 'Z' || !works_in(pid, pgdata);
}

/* PostgreSQL does not start while the number in a lock file is somebody's: that of a dead server whom nobody
 * has reaped yet, or of a stranger who got it since. Nobody works in the directory any more, so the files
 * mean nothing. */
static void forget_server(const char *pgdata, const char *run)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/postmaster.pid", pgdata);
    unlink(path);
    snprintf(path, sizeof path, "%s/.s.PGSQL.5432.lock", run);
    unlink(path);
}

void orphans_end(const char *pgdata, const char *run)
{
    int left = 1;
    for (int round = 0; left && round < ROUNDS; round++) {
        left = signal_all(pgdata, round == 0 ? SIGQUIT : round < POLITE_ROUNDS ? 0 : SIGKILL);
        if (left)
            nanosleep(&(struct timespec){.tv_nsec = ROUND_MS * 1000000}, NULL);
    }
    if (!left)
        forget_server(pgdata, run);
}
