/* script_help.c - what the table says about itself. */
#include "tui/headless/script_help.h"

#include <string.h>

#include "common/mem.h"
#include "tui/headless/script_args.h"
#include "tui/headless/script_session.h"
#include "tui/sanitize.h"

const struct script_option script_help_globals[] = {
    {"--server", "URL", "wss://host:7420, ws://127.0.0.1:7420 or unix:/path (or EDURAG_SERVER)"},
    {"--json", NULL, "the result as JSON, one line; streams one event a line"},
    {"--plain", NULL, "lines instead of a screen"},
    {"--shared", NULL, "in an account of many: keeps, reads and writes nothing there"},
    {"--theme", "NAME", "of the screen: dark, light, 16 or mono"},
    {"--glyphs", "KIND", "of the screen: unicode or ascii"},
    {"--help", NULL, "this list; behind a command: how it goes"},
    {"--version", NULL, "the version"},
    {0},
};

void script_help_all(struct script *script)
{
    fprintf(script->out, "edurag                  the full screen (lines where there is no screen, or with --plain)\n"
                         "edurag COMMAND ...      one thing at a time\n\n");
    for (const struct script_command *c = script_table; c->words; c++)
        fprintf(script->out, "  %-20s  %s\n", c->words, c->summary);
    fprintf(script->out, "\n");
    for (const struct script_option *o = script_help_globals; o->option; o++)
        fprintf(script->out, "  %-9s %-10s  %s\n", o->option, o->value ? o->value : "", o->summary);
    fprintf(script->out,
            "\nData is on standard output, everything else on standard error. Exit codes: 0 fine, 1 other, 2 usage,\n"
            "3 not configured, 4 not logged in, 5 unreachable, 6 rate limited, 7 timed out, 8 server error,\n"
            "9 not available. edurag COMMAND --help says how a command goes.\n");
}

void script_help_command(struct script *script, const struct script_command *command)
{
    AUTO(buf_free) struct buf usage = {0};
    script_args_usage(command, &usage);
    fprintf(script->out, "%s\n%s\n", usage.data, command->summary);
    for (const struct script_arg *a = command->args; a && a->kind; a++)
        if (a->words)
            fprintf(script->out, "%s is one of %s.\n", a->shown, a->words);
    if (command->method)
        fprintf(script->out, "It calls %s%s%s.\n", command->method, command->also ? " " : "",
                command->also ? command->also : "");
}

static void print_value(struct script *script, const char *before, const cJSON *value)
{
    AUTO(buf_free) struct buf text = {0};
    json_write(&text, value);
    fprintf(script->out, "%s%s\n", before, text.data);
}

/* A method as the server describes it: what it takes, what it gives, and a call to copy. */
static void print_method(struct script *script, const cJSON *method)
{
    const cJSON *param, *example = cJSON_GetArrayItem(json_get(method, "examples"), 0);
    const char *description = json_text(method, "description", "");
    AUTO(json_freep) cJSON *params = cJSON_CreateObject();
    fprintf(script->out, "%s (%s)\n%s%s%s\n", json_text(method, "name", "?"), json_text(method, "x-access", "?"),
            json_text(method, "summary", ""), *description ? " " : "", description);
    cJSON_ArrayForEach (param, json_get(method, "params")) {
        fprintf(script->out, "\n  %-18s %s", json_text(param, "name", "?"),
                json_bool(param, "required", false) ? "" : "optional ");
        print_value(script, "", json_get(param, "schema"));
    }
    fprintf(script->out, "\nGives %s\n\nFor example:\n", json_text(method, "x-shape", "any"));
    cJSON_ArrayForEach (param, json_get(example, "params"))
        cJSON_AddItemToObject(params, json_text(param, "name", "?"), cJSON_Duplicate(json_get(param, "value"), true));
    fprintf(script->out, "  edurag call %s '", json_text(method, "name", "?"));
    AUTO(buf_free) struct buf text = {0};
    json_write(&text, params);
    fprintf(script->out, "%s'\n", text.data);
    print_value(script, "  ", json_get(json_get(example, "result"), "value"));
}

static int method_help(struct script *script, const char *name)
{
    AUTO(json_freep) cJSON *document = NULL;
    const cJSON *method;
    int code = script_session_connect(script, false, false);
    if (!code)
        code = script_call(script, "rpc.discover", NULL, 0, &document);
    if (code)
        return code;
    AUTO(json_freep) cJSON *clean = sanitize_copy(document);
    cJSON_ArrayForEach (method, json_get(clean, "methods"))
        if (!strcmp(json_text(method, "name", ""), name)) {
            print_method(script, method);
            return SCRIPT_FINE;
        }
    script_say("This server has no method “%s”. edurag methods lists those that it has.", name);
    return SCRIPT_USAGE;
}

int script_help_run(struct script *script, const struct script_command *command, cJSON *params)
{
    const cJSON *words = json_get(params, ".words"), *word;
    char *argv[4] = {0};
    int argc = 0, count;
    (void)command;
    cJSON_ArrayForEach (word, words)
        if (argc < 4)
            argv[argc++] = word->valuestring;
    if (!argc) {
        script_help_all(script);
        return SCRIPT_FINE;
    }
    if (strchr(argv[0], '.'))
        return method_help(script, argv[0]);
    const struct script_command *found = script_find(argc, argv, &count);
    if (!found) {
        script_say("There is no command “%s”.", argv[0]);
        return SCRIPT_USAGE;
    }
    script_help_command(script, found);
    return SCRIPT_FINE;
}

/* ---- completions ---- */

static size_t first_word(const char *words)
{
    return strcspn(words, " ");
}

/* The options of all commands that start with the same word, and of lists. */
static void bash_options(struct script *script, const struct script_command *c)
{
    for (const struct script_arg *a = c->args; a && a->kind; a++)
        if (a->flag)
            fprintf(script->out, " %s", a->flag);
    if (c->list)
        fprintf(script->out, " --limit --cursor --all");
    fprintf(script->out, " --json --help ");
}

static void first_words(struct script *script)
{
    for (const struct script_command *c = script_table; c->words; c++)
        if (c == script_table || first_word(c->words) != first_word(c[-1].words) ||
            strncmp(c->words, c[-1].words, first_word(c->words)) != 0)
            fprintf(script->out, "%.*s ", (int)first_word(c->words), c->words);
}

/* "a|b" as "a b ". */
static void choices(struct script *script, const char *words)
{
    for (const char *p = words; p && *p; p++)
        fputc(*p == '|' ? ' ' : *p, script->out);
    fputc(' ', script->out);
}

/* What an argument without a flag may be, where that is one of a few words. */
static void placed_choices(struct script *script, const struct script_command *c)
{
    for (const struct script_arg *a = c->args; a && a->kind; a++)
        if (!a->flag && a->words)
            choices(script, a->words);
    if (!strcmp(c->words, "help"))
        first_words(script);
}

/* After an option that takes a value: its choices, or nothing. */
static void bash_values(struct script *script)
{
    fprintf(script->out, "    case ${COMP_WORDS[COMP_CWORD-1]} in\n        --theme) list='dark light 16 mono' ;;\n     "
                         "   --glyphs) list='unicode ascii' ;;\n"
                         "        --server) list= ;;\n");
    for (const struct script_command *c = script_table; c->words; c++)
        for (const struct script_arg *a = c->args; a && a->kind; a++)
            if (a->flag && a->kind != SCRIPT_SWITCH && a->kind != SCRIPT_NOT) {
                fprintf(script->out, "        %s) list='", a->flag);
                choices(script, a->words ? a->words : "");
                fprintf(script->out, "' ;;\n");
            }
    fprintf(script->out, "        --limit|--cursor) list= ;;\n        *) value= ;;\n    esac\n"
                         "    if [[ $value ]]; then COMPREPLY=($(compgen -W \"$list\" -- \"$cur\")); return 0; fi\n");
}

static void bash(struct script *script)
{
    fprintf(
        script->out,
        "# edurag completion for bash; made by: edurag completions bash\n_edurag() {\n"
        "    local cur=${COMP_WORDS[COMP_CWORD]} words=() w skip=0 list value=1\n"
        "    for w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
        "        if ((skip)); then skip=0; elif [[ $w == --server || $w == --theme || $w == --glyphs ]]; then skip=1\n"
        "        elif [[ $w != -* ]]; then words+=(\"$w\"); fi\n    done\n");
    bash_values(script);
    fprintf(script->out, "    case \"${words[*]}\" in\n        \"\") list=\"");
    first_words(script);
    for (const struct script_option *o = script_help_globals; o->option; o++)
        fprintf(script->out, "%s ", o->option);
    fprintf(script->out, "\" ;;\n");
    for (const struct script_command *c = script_table; c->words; c++)
        if (c->words[first_word(c->words)]) {
            fprintf(script->out, "        \"%s\"|\"%s \"*) list=\"", c->words, c->words);
            placed_choices(script, c);
            bash_options(script, c);
            fprintf(script->out, "\" ;;\n");
        }
    for (const struct script_command *c = script_table; c->words; c++) {
        size_t length = first_word(c->words);
        if (c != script_table && !strncmp(c->words, c[-1].words, length) && first_word(c[-1].words) == length)
            continue;
        fprintf(script->out, "        \"%.*s\"|\"%.*s \"*) list=\"", (int)length, c->words, (int)length, c->words);
        for (const struct script_command *d = c;
             d->words && first_word(d->words) == length && !strncmp(c->words, d->words, length); d++)
            if (d->words[length])
                fprintf(script->out, "%s ", d->words + length + 1);
            else {
                placed_choices(script, d);
                bash_options(script, d);
            }
        fprintf(script->out, "\" ;;\n");
    }
    fprintf(script->out, "    esac\n    COMPREPLY=($(compgen -W \"$list\" -- \"$cur\"))\n"
                         "    [[ ${words[0]-} == upload && $cur != -* ]] && COMPREPLY=($(compgen -f -- \"$cur\"))\n"
                         "    return 0\n}\ncomplete -o filenames -F _edurag edurag\n");
}

static void fish_quoted(struct script *script, const char *text)
{
    fputc('\'', script->out);
    for (; *text; text++)
        fprintf(script->out, *text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
    fputc('\'', script->out);
}

/* Second words are offered until one is there; then what may follow it. */
static void fish_second(struct script *script, const struct script_command *c, size_t length, const char *second)
{
    fprintf(script->out, "'__fish_seen_subcommand_from %.*s; and not __fish_seen_subcommand_from", (int)length,
            c->words);
    for (const struct script_command *d = script_table; d->words; d++)
        if (first_word(d->words) == length && !strncmp(d->words, c->words, length) && d->words[length])
            fprintf(script->out, " %s", d->words + length + 1);
    fprintf(script->out, "' -a %s -d ", second);
}

static void fish_placed(struct script *script, const struct script_command *c, size_t length, const char *second)
{
    bool any = !strcmp(c->words, "help");
    for (const struct script_arg *a = c->args; a && a->kind; a++)
        any = any || (!a->flag && a->words);
    if (!any)
        return;
    fprintf(script->out, "complete -c edurag -f -n '__fish_seen_subcommand_from %.*s%s%s' -a '", (int)length, c->words,
            second ? "; and __fish_seen_subcommand_from " : "", second ? second : "");
    placed_choices(script, c);
    fprintf(script->out, "'\n");
}

static void fish_command(struct script *script, const struct script_command *c)
{
    size_t length = first_word(c->words);
    const char *second = c->words[length] ? c->words + length + 1 : NULL;
    fprintf(script->out, "complete -c edurag -f -n ");
    if (second)
        fish_second(script, c, length, second);
    else
        fprintf(script->out, "__fish_use_subcommand -a %s -d ", c->words);
    fish_quoted(script, c->summary);
    fputc('\n', script->out);
    fish_placed(script, c, length, second);
    for (const struct script_arg *a = c->args; a && a->kind; a++) {
        if (!a->flag)
            continue;
        fprintf(script->out, "complete -c edurag -n '__fish_seen_subcommand_from %.*s' -l %s", (int)length, c->words,
                a->flag + 2);
        if (a->kind != SCRIPT_SWITCH && a->kind != SCRIPT_NOT)
            fprintf(script->out, " -x");
        if (a->words) {
            AUTO(mem_freep) char *words = mem_dup(a->words);
            for (char *p = words; (p = strchr(p, '|')) != NULL;)
                *p = ' ';
            fprintf(script->out, " -a '%s'", words);
        }
        fputc('\n', script->out);
    }
}

static void fish(struct script *script)
{
    fprintf(script->out, "# edurag completion for fish; made by: edurag completions fish\ncomplete -c edurag -f\n");
    for (const struct script_option *o = script_help_globals; o->option; o++) {
        fprintf(script->out, "complete -c edurag -l %s%s%s -d ", o->option + 2, o->value ? " -x" : "",
                !strcmp(o->option, "--theme")    ? " -a 'dark light 16 mono'"
                : !strcmp(o->option, "--glyphs") ? " -a 'unicode ascii'"
                                                 : "");
        fish_quoted(script, o->summary);
        fputc('\n', script->out);
    }
    for (const struct script_command *c = script_table; c->words; c++)
        fish_command(script, c);
    fprintf(script->out, "complete -c edurag -F -n '__fish_seen_subcommand_from upload'\n");
}

int script_help_completions(struct script *script, const struct script_command *command, cJSON *params)
{
    const char *shell = json_text(params, ".shell", "");
    (void)command;
    if (!strcmp(shell, "bash"))
        bash(script);
    else
        fish(script);
    return SCRIPT_FINE;
}
