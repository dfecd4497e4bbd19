/* dump.c - pg_dump and pg_restore on the configured database, as edurag_owner. */
#include "server/store/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <openssl/evp.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "server/store/database.h"
#include "server/store/wire.h"

enum { ENVIRONMENT_MOST = 64, SQL_MS = 60000, BLOCK = 65536, OLDEST = 15 };

/* Nothing of anybody's: neither tables in public nor a schema but those that every database has. */
static const char empty_sql[] =
    "select not exists (select from pg_catalog.pg_class c where c.relnamespace = 'public'::pg_catalog.regnamespace)"
    " and not exists (select from pg_catalog.pg_namespace n where n.nspname not in ('public', 'information_schema')"
    " and n.nspname !~ '^pg_')";

/* The newest that is installed reads and writes what older servers have. */
static bool find(const char *program, char *path, size_t size, struct err *err)
{
    glob_t found = {0};
    int newest = 0;
    AUTO(mem_freep) char *pattern = mem_printf("/usr/lib/postgresql/*/bin/%s", program);
    AUTO(mem_freep) char *other = mem_printf("/usr/pgsql-*/bin/%s", program);
    glob(pattern, 0, NULL, &found);
    glob(other, GLOB_APPEND, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *number = found.gl_pathv[i] + strcspn(found.gl_pathv[i], "0123456789");
        if (atoi(number) > newest) {
            newest = atoi(number);
            snprintf(path, size, "%s", found.gl_pathv[i]);
        }
    }
    globfree(&found);
    return newest >= OLDEST ? true
                            : err_say(err, ERR_NOT_FOUND,
                                      "%s %d or newer is not installed. Install it: apt-get install "
                                      "postgresql-client",
                                      program, OLDEST);
}

static void environment_free(char **list)
{
    for (char **at = list; *at; at++) {
        mem_wipe(*at, strlen(*at));
        mem_freep(at);
    }
}

/* The owner's connection as PG... variables; `list` has room and is zero. */
static bool environment(char **list, struct err *err)
{
    const char *url = database_url("edurag_owner");
    size_t count = 0;
    if (!*url)
        return err_say(err, ERR_INVALID_PARAMS,
                       "EDURAG_DATABASE_OWNER_URL is not set, and this is done as edurag_owner.");
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    if (!options)
        return err_say(err, ERR_INVALID_PARAMS, "EDURAG_DATABASE_OWNER_URL is not a connection string.");
    for (PQconninfoOption *o = options; o->keyword && count < ENVIRONMENT_MOST - 4; o++)
        if (o->envvar && o->val && *o->val)
            list[count++] = mem_printf("%s=%s", o->envvar, o->val);
    PQconninfoFree(options);
    list[count++] = mem_dup("PATH=/usr/bin:/bin");
    list[count++] = mem_dup("LC_ALL=C.UTF-8");
    list[count] = mem_dup("PGAPPNAME=eduragd backup");
    return true;
}

/* Runs it to its end; `in` and `out` may be -1: /dev/null. */
static bool run(const char *program, const char *const *args, int in, int out, struct err *err)
{
    char path[512], *argv[16] = {path}, *list[ENVIRONMENT_MOST] = {0};
    posix_spawn_file_actions_t files;
    pid_t pid;
    int status = 0;
    if (!find(program, path, sizeof path, err) || !environment(list, err))
        return false;
    for (size_t i = 0; args[i] && i < COUNT_OF(argv) - 2; i++)
        argv[i + 1] = (char *)args[i];
    posix_spawn_file_actions_init(&files);
    if (in >= 0)
        posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    else
        posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (out >= 0)
        posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    else
        posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    int code = posix_spawn(&pid, path, &files, NULL, argv, list);
    posix_spawn_file_actions_destroy(&files);
    environment_free(list);
    if (code)
        return err_set(err, ERR_INTERNAL, "starting %s: %s", path, strerror(code));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0
               ? true
               : err_say(err, ERR_INTERNAL, "%s did not get to its end; what it said stands above.", program);
}

bool dump_write(int fd, struct err *err)
{
    /* Row security stays on: the owner's own policies show it every row, and without it pg_dump refuses. Rights on
     * what is in pg_catalog are an administrator's (roles.sql), in each database anew. */
    static const char *const args[] = {"--format=custom",
                                       "--enable-row-security",
                                       "--exclude-schema=pg_catalog",
                                       "--no-owner",
                                       "--no-password",
                                       "--lock-wait-timeout=60000",
                                       NULL};
    if (!run("pg_dump", args, -1, fd, err))
        return false;
    return fsync(fd) == 0 ? true : err_set(err, ERR_INTERNAL, "fsync: %s", strerror(errno));
}

static bool rewind_fd(int fd, struct err *err)
{
    return lseek(fd, 0, SEEK_SET) == 0 ? true
                                       : err_say(err, ERR_INVALID_PARAMS, "That is not a file: %s.", strerror(errno));
}

static bool sha256_of(int fd, char text[DUMP_SHA_TEXT], struct err *err)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    AUTO(mem_freep) char *block = mem_alloc(BLOCK);
    EVP_MD_CTX *sha = EVP_MD_CTX_new();
    ssize_t n = -1;
    bool ok = sha && EVP_DigestInit_ex(sha, EVP_sha256(), NULL) == 1;
    while (ok && (n = read(fd, block, BLOCK)) > 0)
        ok = EVP_DigestUpdate(sha, block, (size_t)n) == 1;
    ok = ok && n == 0 && EVP_DigestFinal_ex(sha, hash, &length) == 1;
    EVP_MD_CTX_free(sha);
    if (!ok)
        return err_set(err, ERR_INTERNAL, "reading the backup: %s", strerror(errno));
    for (unsigned i = 0; i < length; i++)
        snprintf(text + 2 * (size_t)i, 3, "%02x", hash[i]);
    return true;
}

bool dump_verify(int fd, char sha256[DUMP_SHA_TEXT], struct err *err)
{
    /* As text to nowhere: every block of every table is found, decompressed and checked. */
    static const char *const args[] = {"--file=/dev/null", NULL};
    return rewind_fd(fd, err) && run("pg_restore", args, fd, -1, err) && rewind_fd(fd, err) &&
           sha256_of(fd, sha256, err);
}

bool dump_target_empty(bool *empty, struct err *err)
{
    const char *url = database_url("edurag_owner");
    if (!*url)
        return err_say(err, ERR_INVALID_PARAMS,
                       "EDURAG_DATABASE_OWNER_URL is not set, and this is done as edurag_owner.");
    AUTO(wire_close) struct wire *wire = wire_open(url, "eduragd restore", SQL_MS, err);
    AUTO(wire_result_free) PGresult *result = NULL;
    if (!wire || !wire_exec(wire, empty_sql, NULL, 0, SQL_MS, &result, err))
        return false;
    *empty = !strcmp(PQgetvalue(result, 0, 0), "t");
    return true;
}

bool dump_load(int fd, struct err *err)
{
    static const char *const args[] = {"--dbname=",  "--single-transaction", "--exit-on-error",
                                       "--no-owner", "--no-password",        NULL};
    if (!rewind_fd(fd, err) || !run("pg_restore", args, fd, -1, err))
        return false;
    AUTO(wire_close) struct wire *wire = wire_open(database_url("edurag_owner"), "eduragd restore", SQL_MS, err);
    return wire && wire_script(wire, "call auth.close_database()", SQL_MS, err);
}
