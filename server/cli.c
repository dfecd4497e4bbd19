/* cli.c - what eduragd can be asked to do instead of serving; one row a command. */
#include "server/cli.h"

#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "server/config.h"
#include "server/serve.h"
#include "server/store/database.h"
#include "server/store/migrate.h"

int cli_sorry(const struct err *err)
{
    fprintf(stderr, "eduragd: %s\n", err->say[0] ? err->say : err->log);
    return CLI_FAILED;
}

static int serve(struct cli *cli)
{
    return serve_run(&cli->account);
}

static int check(struct cli *cli)
{
    if (database_check(cli->problems)) {
        fputs(cli->problems->data, stderr);
        return CLI_NOT_CONFIGURED;
    }
    puts("The configuration is fine.");
    return CLI_OK;
}

static int print(struct cli *cli)
{
    AUTO(buf_free) struct buf out = {0};
    (void)cli;
    config_print(&out);
    fputs(out.data, stdout);
    return CLI_OK;
}

static int roles(struct cli *cli)
{
    (void)cli;
    fputs(migrate_roles, stdout);
    return CLI_OK;
}

int cli_migrate(struct cli *cli)
{
    struct err err = {0};
    int applied;
    if (!database_start(&cli->account, true, &err))
        return cli_sorry(&err);
    bool ok = *database_url("edurag_owner")
                  ? database_migrate(&applied, &err)
                  : err_say(&err, ERR_INVALID_PARAMS,
                            "EDURAG_DATABASE_OWNER_URL is not set: migrations run as edurag_owner.");
    database_stop();
    if (!ok)
        return cli_sorry(&err);
    printf("%d\n", applied);
    fprintf(stderr, applied ? "Applied %d migrations.\n" : "Nothing to do: the schema is up to date.\n", applied);
    return CLI_OK;
}

/* Tokens that the old key has signed are good until they expire: two keys are live. */
static int key(struct cli *cli)
{
    struct err err = {0};
    AUTO(rows_free) struct rows *rows = NULL;
    if (cli->count != 1 || strcmp(cli->args[0], "rotate") != 0) {
        fputs("usage: eduragd key rotate\n", stderr);
        return CLI_USAGE;
    }
    int applied;
    bool ok = database_start(&cli->account, true, &err) && database_migrate(&applied, &err) &&
              database_as_owner(SQL_OWNER_KEY_ROTATE, NULL, 0, &rows, &err);
    database_stop();
    if (!ok)
        return cli_sorry(&err);
    puts(rows_text(rows, 0, 0));
    return CLI_OK;
}

const struct cli_command cli_commands[] = {
    {"serve", "", "Serves until SIGTERM; what happens without a command.", serve, .database = true, .checks = true},
    {"check", "", "Says what is wrong with the settings, and what to do.", check, .checks = true},
    {"doctor", "[release]",
     "Looks at settings, database, services, clock and limits: a line each, and what to do. 1: something is bad.",
     cli_doctor, .database = true, .checks = true, .judges = true},
    {"config", "", "Prints the settings in force; secrets stay hidden.", print, .checks = false},
    {"migrate", "", "Brings the database up to date, as each start does.", cli_migrate, .database = true,
     .checks = true},
    {"user", "add --role student|teacher|admin INSTITUTION_ID NAME | list | reset|disable|enable INSTITUTION_ID",
     "Accounts; add and reset print the password, alone on standard output.", cli_user, .database = true,
     .checks = true},
    {"key", "rotate", "A new signing key from now on; logins of the one before stay good. Prints its name.", key,
     .database = true, .checks = true},
    {"backup", "FILE", "Everything in the database as one new file, read back afterwards. Prints its SHA-256.",
     cli_backup, .database = true, .checks = true, .opens = CLI_WRITES},
    {"restore", "FILE", "Puts a backup into an empty database; all of it or nothing. Prints its SHA-256.", cli_restore,
     .database = true, .checks = true, .opens = CLI_READS},
    {"roles", "", "Prints what a PostgreSQL administrator runs once for a database of one's own.", roles,
     .standalone = true},
    {"manual", "", NULL, cli_manual, .standalone = true},
    {0}};
