/* cli_user.c - `eduragd user`: accounts from the command line, as the owner of the database. */
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "server/cli.h"
#include "server/methods/lookalike.h"
#include "server/store/database.h"

struct user_command {
    const char *name;
    int args; /* behind the name */
    bool (*run)(char **args, struct buf *out, struct err *err);
};

static bool nobody(struct err *err, const char *institution_id)
{
    return err_say(err, ERR_NOT_FOUND, "There is no account %.64s.", institution_id);
}

/* args: ROLE INSTITUTION_ID NAME */
static bool add(char **args, struct buf *out, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(mem_freep) char *number = lookalike_number(args[1]), *name = lookalike_name(args[2]);
    struct bind values[] = {BIND_TEXT(args[1]), BIND_TEXT(args[2]), BIND_TEXT(args[0]),
                            BIND_TEXT(NULL),    BIND_TEXT(number),  BIND_TEXT(name)};
    if (!database_as_owner(SQL_OWNER_USER_ADD, values, COUNT_OF(values), &rows, err))
        return false;
    const char *text = rows_text(rows, 0, 0);
    AUTO(json_freep) cJSON *made = json_parse(text, strlen(text), err);
    if (!made)
        return false;
    buf_printf(out, "%s\n", json_text(made, "password", ""));
    return true;
}

static bool list(char **args, struct buf *out, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    (void)args;
    if (!database_as_owner(SQL_OWNER_USER_LIST, NULL, 0, &rows, err))
        return false;
    for (int i = 0; i < rows_count(rows); i++)
        buf_printf(out, "%s\t%s\t%s\t%s\n", rows_text(rows, i, 0), rows_text(rows, i, 2),
                   rows_bool(rows, i, 3) ? "disabled" : "active", rows_text(rows, i, 1));
    return true;
}

static bool reset(char **args, struct buf *out, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!database_as_owner(SQL_OWNER_USER_RESET, &BIND_TEXT(args[0]), 1, &rows, err))
        return false;
    if (!rows_count(rows))
        return nobody(err, args[0]);
    buf_printf(out, "%s\n", rows_text(rows, 0, 0));
    return true;
}

static bool set_disabled(const char *institution_id, const char *disabled, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    struct bind values[] = {BIND_TEXT(disabled), BIND_TEXT(institution_id)};
    if (!database_as_owner(SQL_OWNER_USER_DISABLE, values, COUNT_OF(values), &rows, err))
        return false;
    return rows_count(rows) ? true : nobody(err, institution_id);
}

static bool disable(char **args, struct buf *out, struct err *err)
{
    (void)out;
    return set_disabled(args[0], "true", err);
}

static bool enable(char **args, struct buf *out, struct err *err)
{
    (void)out;
    return set_disabled(args[0], "false", err);
}

static const struct user_command commands[] = {{"add", 3, add},         {"list", 0, list},     {"reset", 1, reset},
                                               {"disable", 1, disable}, {"enable", 1, enable}, {0}};

static int usage(void)
{
    fputs("usage: eduragd user add --role student|teacher|admin INSTITUTION_ID NAME\n"
          "       eduragd user list\n"
          "       eduragd user reset|disable|enable INSTITUTION_ID\n",
          stderr);
    return CLI_USAGE;
}

/* `--role X` may stand anywhere; it becomes the first argument. */
static bool role_first(char **args, int *count, struct err *err)
{
    for (int i = 0; i < *count; i++) {
        char *role = !strncmp(args[i], "--role=", 7) ? args[i] + 7 : NULL;
        int taken = 1;
        if (!role && !strcmp(args[i], "--role") && i + 1 < *count)
            role = args[i + 1], taken = 2;
        if (!role)
            continue;
        for (int j = i; j + taken < *count; j++)
            args[j] = args[j + taken];
        *count -= taken;
        memmove(args + 1, args, (size_t)*count * sizeof *args);
        args[0] = role;
        ++*count;
        return !strcmp(role, "student") || !strcmp(role, "teacher") || !strcmp(role, "admin")
                   ? true
                   : err_say(err, ERR_INVALID_PARAMS, "--role must be student, teacher or admin.");
    }
    return err_say(err, ERR_INVALID_PARAMS, "--role student, teacher or admin is missing.");
}

int cli_user(struct cli *cli)
{
    struct err err = {0};
    int applied;
    AUTO(buf_free) struct buf out = {0};
    const struct user_command *command = commands;
    if (!cli->count)
        return usage();
    while (command->name && strcmp(command->name, cli->args[0]) != 0)
        command++;
    char **args = cli->args + 1;
    int count = cli->count - 1;
    if (!command->name)
        return usage();
    if (command->run == add && !role_first(args, &count, &err)) {
        cli_sorry(&err);
        return usage();
    }
    if (count != command->args)
        return usage();
    bool ok =
        database_start(&cli->account, true, &err) && database_migrate(&applied, &err) && command->run(args, &out, &err);
    database_stop();
    if (ok && out.data)
        fputs(out.data, stdout);
    if (out.data)
        mem_wipe(out.data, out.length);
    return ok && fflush(stdout) == 0 ? CLI_OK : cli_sorry(&err);
}
