/* cli.h - what eduragd can be asked to do instead of serving; one row a command.
 *
 * Data on standard output, everything else on standard error.
 */
#ifndef SERVER_CLI_H
#define SERVER_CLI_H

#include "common/buf.h"
#include "server/privileges.h"

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_NOT_CONFIGURED = 3 };

struct cli_command;
struct cli {
    char **args; /* behind the command's name */
    int count;
    int fd;           /* of args[0], where the command works on a file; else -1 */
    const char *file; /* --config; NULL: none */
    const struct cli_command *command;
    struct account account;
    struct buf *problems;
};

struct cli_command {
    const char *name, *args;
    const char *help; /* NULL: for building and packaging, not listed */
    int (*run)(struct cli *cli);
    bool database;                                     /* needs the data directory where the database is embedded */
    bool checks;                                       /* does not begin while config_check finds something */
    enum { CLI_NO_FILE, CLI_READS, CLI_WRITES } opens; /* args[0], as who we were before the account changed */
    bool judges;                                       /* begins all the same, and tells the problems itself */
    bool standalone;                                   /* reads no settings and asks for no account */
};

extern const struct cli_command cli_commands[]; /* ended by a row with name NULL */

int cli_user(struct cli *cli);
int cli_migrate(struct cli *cli);
int cli_backup(struct cli *cli);
int cli_restore(struct cli *cli);
int cli_manual(struct cli *cli);
int cli_doctor(struct cli *cli); /* exit code 1 where something is bad */

/* Prints the sentence for the person, or else what the log would get; returns CLI_FAILED. */
int cli_sorry(const struct err *err);

#endif
