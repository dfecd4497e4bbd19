/* privileges.c - as whom eduragd works: started by root it becomes an unprivileged account first. */
#include "server/privileges.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"

static int program = -1;

static bool fill(const struct passwd *p, struct account *account)
{
    if (!p)
        return false;
    account->uid = p->pw_uid;
    account->gid = p->pw_gid;
    snprintf(account->name, sizeof account->name, "%s", p->pw_name);
    return true;
}

bool privileges_account(const char *data_dir, struct account *account, struct err *err)
{
    struct stat st;
    if (geteuid() != 0)
        return fill(getpwuid(geteuid()), account)
                   ? true
                   : err_say(err, ERR_INTERNAL, "User %u has no name on this machine (no line in /etc/passwd).",
                             (unsigned)geteuid());
    if (data_dir && stat(data_dir, &st) == 0 && st.st_uid != 0 && fill(getpwuid(st.st_uid), account))
        return true;
    if (fill(getpwnam("edurag"), account) || fill(getpwnam("postgres"), account))
        return true;
    return err_say(err, ERR_INTERNAL,
                   "Started as root, but there is neither an account edurag nor postgres to work as. Make one: "
                   "useradd --system --home-dir /var/lib/edurag edurag");
}

static bool make_one(const char *path, const struct account *account, mode_t mode, struct err *err)
{
    bool made = mkdir(path, mode) == 0;
    if (!made && errno == EACCES)
        return err_say(err, ERR_INTERNAL,
                       "The account %s can't reach %s: a directory above it is closed to it. Set EDURAG_DATA_DIR to a "
                       "place that it can use.",
                       account->name, path);
    if (!made && errno != EEXIST)
        return err_say(err, ERR_INTERNAL, "%s can't be made: %s.", path, strerror(errno));
    if (made && geteuid() == 0 && chown(path, account->uid, account->gid) != 0)
        return err_say(err, ERR_INTERNAL, "%s can't be given to %s: %s.", path, account->name, strerror(errno));
    return true;
}

/* A directory of root's that was there before: only where nothing of somebody else's can be in it. */
static bool give(const char *path, const struct account *account, struct err *err)
{
    DIR *dir = opendir(path);
    int entries = 0;
    while (dir && readdir(dir))
        entries++;
    if (dir)
        closedir(dir);
    if (entries > 2)
        return err_say(
            err, ERR_INTERNAL,
            "%s belongs to root and is not empty. Set EDURAG_DATA_DIR to a directory of its own, or give it to "
            "%s (chown).",
            path, account->name);
    if (chown(path, account->uid, account->gid) != 0 || chmod(path, 0700) != 0)
        return err_say(err, ERR_INTERNAL, "%s can't be given to %s: %s.", path, account->name, strerror(errno));
    return true;
}

bool privileges_dir(const char *path, const struct account *account, struct err *err)
{
    struct stat st;
    AUTO(mem_freep) char *part = mem_dup(path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (stat(part, &st) != 0 && !make_one(part, account, 0755, err))
            return false;
        *slash = '/';
    }
    if (!make_one(path, account, 0700, err))
        return false;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return err_say(err, ERR_INTERNAL, "%s is not a directory.", path);
    if (geteuid() == 0 && st.st_uid == 0 && account->uid != 0 && !give(path, account, err))
        return false;
    if (geteuid() != 0 && access(path, R_OK | W_OK | X_OK) != 0)
        return err_say(err, ERR_INTERNAL, "%s is not a directory that %s may write to. Set EDURAG_DATA_DIR to one.",
                       path, account->name);
    return true;
}

bool privileges_drop(const struct account *account, struct err *err)
{
    if (geteuid() != 0 || account->uid == 0)
        return true;
    if (initgroups(account->name, account->gid) != 0 || setgid(account->gid) != 0 || setuid(account->uid) != 0 ||
        setuid(0) == 0)
        return err_say(err, ERR_INTERNAL, "Can't become %s: %s.", account->name, strerror(errno));
#ifdef __SANITIZE_ADDRESS__
    prctl(PR_SET_DUMPABLE, 1); /* the leak sanitizer looks at us from a child */
#endif
    return true;
}

void privileges_keep_program(const char *name)
{
    static const char *const places[] = {"", "../libexec/edurag/", "../lib/edurag/"};
    char self[PATH_MAX], path[PATH_MAX + 128];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return;
    self[n] = '\0';
    *(strrchr(self, '/') + 1) = '\0';
    for (size_t i = 0; i < COUNT_OF(places) && program < 0; i++) {
        snprintf(path, sizeof path, "%s%s%s", self, places[i], name);
        program = open(path, O_RDONLY | O_CLOEXEC);
    }
}

int privileges_program(void)
{
    return program;
}
