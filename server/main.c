/* main.c - eduragd: options, settings, and which command it is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "common/mem.h"
#include "server/cli.h"
#include "server/config.h"
#include "server/privileges.h"
#include "server/serve.h"

static const char system_file[] = "/etc/edurag/edurag.conf";

static int help(const struct cli *cli)
{
    (void)cli;
    AUTO(buf_free) struct buf out = {0};
    buf_text(&out, "usage: eduragd [--config FILE] [COMMAND]\n\n");
    for (const struct cli_command *c = cli_commands; c->name; c++)
        if (c->help)
            buf_printf(&out, "  %-8s %s\n      %s\n", c->name, c->args, c->help);
    buf_printf(&out,
               "\nSettings come from the environment and from FILE (KEY=VALUE lines; without --config, %s\n"
               "where that can be read); the environment wins.\n\n",
               system_file);
    config_help(&out);
    fputs(out.data, stdout);
    return 0;
}

static int usage(const char *what, const char *which)
{
    fprintf(stderr, "eduragd: %s%s. `eduragd --help` lists what there is.\n", what, which);
    return CLI_USAGE;
}

/* Who we are from here on: the directory is made and given away first, while we may. */
static bool settle(struct account *account, const struct cli_command *command, struct err *err)
{
    bool embedded = !*config.database_url;
    if (!privileges_account(embedded ? config.data_dir : NULL, account, err))
        return false;
    privileges_keep_program("edurag-extractor");
    if (embedded && command->database && !privileges_dir(config.data_dir, account, err))
        return false;
    if (!privileges_drop(account, err))
        return false;
    return !embedded || !command->database || privileges_dir(config.data_dir, account, err);
}

/* By the rights of whoever called us: a backup may go where the server's account can't. */
static bool open_file(struct cli *cli, struct err *err)
{
    bool writes = cli->command->opens == CLI_WRITES;
    struct stat st;
    if (cli->command->opens == CLI_NO_FILE || cli->count != 1)
        return true;
    cli->fd = writes ? open(cli->args[0], O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)
                     : open(cli->args[0], O_RDONLY | O_CLOEXEC);
    if (cli->fd < 0 || fstat(cli->fd, &st) != 0 || !S_ISREG(st.st_mode) || (writes && fchmod(cli->fd, 0600) != 0))
        return err_say(err, ERR_INVALID_PARAMS, "%s can't be %s: %s.", cli->args[0], writes ? "written" : "read",
                       errno ? strerror(errno) : "it is not a file");
    return !writes || st.st_size == 0
               ? true
               : err_say(err, ERR_CONFLICT, "%s is there already, and a backup overwrites nothing.", cli->args[0]);
}

static int run(struct cli *cli)
{
    AUTO(buf_free) struct buf problems = {0};
    struct err err = {0};
    enum log_level level;
    if (cli->command->standalone)
        return cli->command->run(cli);
    if (!cli->file && access(system_file, R_OK) == 0)
        cli->file = system_file;
    int wrong = config_read(cli->file, &problems);
    if (log_level_parse(config.log, &level))
        log_level_set(level);
    if (!open_file(cli, &err))
        return cli_sorry(&err);
    if (!settle(&cli->account, cli->command, &err)) {
        buf_printf(&problems, "%s\n", err.say[0] ? err.say : err.log);
        wrong++;
    }
    cli->problems = &problems;
    if (cli->command->checks)
        wrong += config_check(&problems);
    bool refused = wrong && !cli->command->judges;
    if (refused && problems.data)
        fputs(problems.data, stderr);
    return refused ? CLI_NOT_CONFIGURED : cli->command->run(cli);
}

int main(int argc, char **argv)
{
    struct cli cli = {.args = argv + 1, .count = argc - 1, .fd = -1};
    const char *name = "serve";
    while (cli.count && cli.args[0][0] == '-') {
        const char *option = cli.args[0];
        if (!strcmp(option, "--help") || !strcmp(option, "-h"))
            return help(&cli);
        if (!strcmp(option, "--version"))
            return puts("eduragd " EDURAG_VERSION) < 0;
        if (strcmp(option, "--config") != 0)
            return usage("there is no option ", option);
        if (cli.count < 2)
            return usage("a file is missing after ", option);
        cli.file = cli.args[1];
        cli.args += 2;
        cli.count -= 2;
    }
    if (cli.count) {
        name = *cli.args++;
        cli.count--;
    }
    if (!strcmp(name, "help"))
        return help(&cli);
    for (cli.command = cli_commands; cli.command->name && strcmp(cli.command->name, name) != 0;)
        cli.command++;
    if (!cli.command->name)
        return usage("there is no command ", name);
    int code = run(&cli);
    config_free();
    return code;
}
