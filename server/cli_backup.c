/* cli_backup.c - `eduragd backup` and `eduragd restore`: everything that a school has, as one file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "server/cli.h"
#include "server/store/database.h"
#include "server/store/dump.h"

static int usage(const char *command)
{
    fprintf(stderr, "usage: eduragd %s FILE\n", command);
    return CLI_USAGE;
}

/* A file that is not whole must not look like a backup. */
static void spoil(const struct cli *cli)
{
    if (unlink(cli->args[0]) != 0 && ftruncate(cli->fd, 0) != 0)
        fprintf(stderr, "eduragd: %s is not a backup. Delete it.\n", cli->args[0]);
}

int cli_backup(struct cli *cli)
{
    struct err err = {0};
    struct stat st;
    char sha256[DUMP_SHA_TEXT];
    if (cli->count != 1)
        return usage("backup");
    bool ok =
        database_start(&cli->account, true, &err) && dump_write(cli->fd, &err) && dump_verify(cli->fd, sha256, &err);
    database_stop();
    if (!ok) {
        spoil(cli);
        return cli_sorry(&err);
    }
    printf("%s  %s\n", sha256, cli->args[0]);
    if (fstat(cli->fd, &st) == 0)
        fprintf(stderr,
                "%lld bytes, read back and found whole. It holds everything, passwords' hashes and what people "
                "asked included: keep it locked away. The settings are not in it.\n",
                (long long)st.st_size);
    return fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
}

int cli_restore(struct cli *cli)
{
    struct err err = {0};
    char sha256[DUMP_SHA_TEXT];
    bool empty = false;
    int applied = 0;
    if (cli->count != 1)
        return usage("restore");
    bool ok = database_start(&cli->account, true, &err) && dump_target_empty(&empty, &err);
    if (ok && !empty)
        ok = err_say(&err, ERR_CONFLICT,
                     "This database is not empty, and a backup is only restored into an empty one. "
                     "Set EDURAG_DATA_DIR to a new directory, or the EDURAG_DATABASE_ URLs to a new database.");
    ok = ok && dump_verify(cli->fd, sha256, &err) && dump_load(cli->fd, &err) && database_migrate(&applied, &err);
    database_stop();
    if (!ok)
        return cli_sorry(&err);
    printf("%s  %s\n", sha256, cli->args[0]);
    fprintf(stderr, "Restored%s. `eduragd doctor` looks at the whole.\n", applied ? ", and brought up to date" : "");
    return fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
}
