/* script_args.c - from words on a command line to the params of a method. */
#include "tui/headless/script_args.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "common/state.h"
#include "common/text.h"

enum { INPUT_MOST = 8 << 20, LOOKUP_MS = 20000 };

static const struct script_arg list_args[] = {
    {.name = "limit", .kind = SCRIPT_INT, .flag = "--limit", .optional = true, .shown = "N"},
    {.name = "cursor", .kind = SCRIPT_TEXT, .flag = "--cursor", .optional = true, .shown = "CURSOR"},
    {0},
};

static void usage_arg(const struct script_arg *a, struct buf *out)
{
    bool bare = a->kind == SCRIPT_SWITCH || a->kind == SCRIPT_NOT;
    buf_printf(out, a->optional ? " [" : " ");
    if (a->flag)
        buf_printf(out, bare ? "%s" : "%s ", a->flag);
    if (!bare)
        buf_printf(out, "%s%s", a->shown, a->kind == SCRIPT_WORDS ? "..." : "");
    if (a->optional)
        buf_char(out, ']');
}

void script_args_usage(const struct script_command *command, struct buf *out)
{
    buf_printf(out, "edurag %s", command->words);
    for (const struct script_arg *a = command->args; a && a->kind; a++)
        usage_arg(a, out);
    if (command->list) {
        for (const struct script_arg *a = list_args; a->kind; a++)
            usage_arg(a, out);
        buf_text(out, " [--all]");
    }
}

static bool read_all(FILE *file, struct buf *out)
{
    char piece[8192];
    size_t n;
    while (out->length <= INPUT_MOST && (n = fread(piece, 1, sizeof piece, file)) > 0)
        buf_bytes(out, piece, n);
    return !ferror(file) && out->length <= INPUT_MOST;
}

static bool add_text(cJSON *params, const struct script_arg *a, const char *text, size_t length, struct err *err)
{
    if (!length && !a->flag)
        return err_say(err, ERR_INVALID_PARAMS, "%s is empty.", a->shown);
    if (!text_valid_utf8(text, length) || strlen(text) != length)
        return err_say(err, ERR_INVALID_PARAMS, "%s is not readable as UTF-8 text.", a->shown);
    cJSON_AddStringToObject(params, a->name, text);
    return true;
}

static bool add_input(cJSON *params, const struct script_arg *a, FILE *file, struct err *err)
{
    AUTO(buf_free) struct buf text = {0};
    if (!read_all(file, &text))
        return err_say(err, ERR_INVALID_PARAMS, "%s could not be read, or is longer than 8 MB.", a->shown);
    while (a->kind == SCRIPT_REST && text.length && text.data[text.length - 1] == '\n')
        text.data[--text.length] = '\0';
    return add_text(params, a, text.data ? text.data : "", text.length, err);
}

static bool one_of(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = words; at; at = strchr(at, '|'), at = at ? at + 1 : NULL)
        if (strcspn(at, "|") == length && !strncmp(at, word, length))
            return true;
    return false;
}

static bool add_value(cJSON *params, const struct script_arg *a, const char *text, struct err *err)
{
    if (a->kind == SCRIPT_INT) {
        char *end;
        errno = 0;
        long long n = strtoll(text, &end, 10);
        if (errno || end == text || *end || n > 9007199254740991 || n < -9007199254740991)
            return err_say(err, ERR_INVALID_PARAMS, "%s must be a whole number.", a->flag ? a->flag : a->shown);
        cJSON_AddNumberToObject(params, a->name, (double)n);
        return true;
    }
    if (a->kind == SCRIPT_CONTENT) {
        if (strcmp(text, "-") != 0 && !state_may_use_files(err))
            return false;
        FILE *file = strcmp(text, "-") ? fopen(text, "re") : stdin;
        if (!file)
            return err_say(err, ERR_INVALID_PARAMS, "%s: %s.", text, strerror(errno));
        bool fine = add_input(params, a, file, err);
        if (file != stdin)
            fclose(file);
        return fine;
    }
    if (a->words && !one_of(a->words, text))
        return err_say(err, ERR_INVALID_PARAMS, "%s must be one of %s.", a->flag ? a->flag : a->shown, a->words);
    return add_text(params, a, text, strlen(text), err);
}

/* What stands by its place: --flags are taken out before. */
static bool add_places(const struct script_command *command, cJSON *params, int count, char **words, struct err *err)
{
    int at = 0;
    for (const struct script_arg *a = command->args; a && a->kind; a++) {
        if (a->flag)
            continue;
        if (at >= count) {
            if (a->optional)
                continue;
            return err_say(err, ERR_INVALID_PARAMS, "%s is missing.", a->shown);
        }
        if (a->kind == SCRIPT_WORDS) {
            cJSON *list = cJSON_AddArrayToObject(params, a->name);
            for (; at < count; at++) {
                if (!*words[at])
                    return err_say(err, ERR_INVALID_PARAMS, "%s is empty.", a->shown);
                cJSON_AddItemToArray(list, cJSON_CreateString(words[at]));
            }
        } else if (a->kind == SCRIPT_REST) {
            AUTO(buf_free) struct buf text = {0};
            bool input = count - at == 1 && !strcmp(words[at], "-");
            for (; at < count; at++)
                buf_printf(&text, "%s%s", text.length ? " " : "", words[at]);
            if (!(input ? add_input(params, a, stdin, err)
                        : add_text(params, a, text.data ? text.data : "", text.length, err)))
                return false;
        } else if (!add_value(params, a, words[at++], err)) {
            return false;
        }
    }
    return at == count || err_say(err, ERR_INVALID_PARAMS, "“%s” is more than this command takes.", words[at]);
}

static const struct script_arg *flagged(const struct script_arg *args, const char *word)
{
    size_t length = strcspn(word, "=");
    for (const struct script_arg *a = args; a && a->kind; a++)
        if (a->flag && strlen(a->flag) == length && !strncmp(a->flag, word, length))
            return a;
    return NULL;
}

/* argv[*at] starts with two dashes. */
static bool add_flag(struct script *script, const struct script_command *command, cJSON *params, int argc, char **argv,
                     int *at, struct err *err)
{
    const char *word = argv[*at], *equals = strchr(word, '=');
    if (!strcmp(word, "--json")) {
        script->json = true;
        return true;
    }
    if (command->list && !strcmp(word, "--all")) {
        script->all = true;
        return true;
    }
    if (!strcmp(word, "--server") && *at + 1 < argc) {
        script->server = argv[++*at];
        return true;
    }
    const struct script_arg *a = flagged(command->args, word);
    if (!a && command->list)
        a = flagged(list_args, word);
    if (!a)
        return err_say(err, ERR_INVALID_PARAMS, "This command has no option %.*s.", (int)strcspn(word, "="), word);
    if (json_get(params, a->name))
        return err_say(err, ERR_INVALID_PARAMS, "%s stands twice, or against another option.", a->flag);
    if (a->kind == SCRIPT_SWITCH || a->kind == SCRIPT_NOT) {
        cJSON_AddBoolToObject(params, a->name, a->kind == SCRIPT_SWITCH);
        return !equals || err_say(err, ERR_INVALID_PARAMS, "%s takes no value.", a->flag);
    }
    const char *value = equals ? equals + 1 : *at + 1 < argc ? argv[++*at] : NULL;
    return value ? add_value(params, a, value, err) : err_say(err, ERR_INVALID_PARAMS, "%s needs a value.", a->flag);
}

cJSON *script_args_parse(struct script *script, const struct script_command *command, int argc, char **argv,
                         struct err *err)
{
    AUTO(json_freep) cJSON *params = cJSON_CreateObject();
    AUTO(mem_freep) char **words = mem_array((size_t)argc, sizeof *words);
    int count = 0;
    bool fine = true, options = true;
    for (int i = 0; i < argc && fine; i++) {
        if (options && !strcmp(argv[i], "--"))
            options = false;
        else if (options && !strncmp(argv[i], "--", 2))
            fine = add_flag(script, command, params, argc, argv, &i, err);
        else
            words[count++] = argv[i];
    }
    if (!fine || !add_places(command, params, count, words, err))
        return NULL;
    for (const struct script_arg *a = command->args; a && a->kind; a++)
        if (!a->optional && !json_get(params, a->name)) {
            err_say(err, ERR_INVALID_PARAMS, "%s is missing.", a->flag);
            return NULL;
        }
    return TAKE(params);
}

/* ---- names become ids ---- */

static bool is_uuid(const char *text)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t i = 0;
    for (; shape[i] && text[i]; i++)
        if (shape[i] == '-' ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    return !shape[i] && !text[i];
}

struct lookup {
    const char *method, *id, *key, *what; /* key: the member that is compared */
    bool query;                           /* the method takes one */
};

static const struct lookup courses = {"courses.list", "course_id", "code", "course", false},
                           documents = {"library.list", "pdf_id", "title", "document", true},
                           people = {"users.list", "user_id", "institution_id", "person", true},
                           students = {"admin.students", "user_id", "institution_id", "student", true};

static const struct lookup *lookup_of(enum script_kind kind)
{
    switch (kind) {
    case SCRIPT_COURSE:
    case SCRIPT_ROOM:
    case SCRIPT_SHELF: return &courses;
    case SCRIPT_PDF: return &documents;
    case SCRIPT_PERSON: return &people;
    case SCRIPT_STUDENT: return &students;
    default: return NULL;
    }
}

/* Goes through the pages of a list: an exact match wins, else (documents) the only one found. */
static bool look_up(struct script *script, const struct lookup *l, const char *name, char id[40], struct err *err)
{
    AUTO(mem_freep) char *cursor = NULL;
    int found = 0;
    do {
        AUTO(buf_free) struct buf params = {0};
        buf_json_open(&params, '{');
        buf_json_member_int(&params, "limit", 200);
        if (l->query)
            buf_json_member(&params, "query", name);
        if (cursor)
            buf_json_member(&params, "cursor", cursor);
        buf_json_close(&params, '}');
        AUTO(json_freep) cJSON *page = NULL;
        if (!client_call(script->client, l->method, params.data, LOOKUP_MS, &page, err))
            return false;
        const cJSON *item;
        cJSON_ArrayForEach (item, json_get(page, "items")) {
            bool exact = !strcasecmp(json_text(item, l->key, ""), name);
            if (!exact && l != &documents)
                continue;
            snprintf(id, 40, "%s", json_text(item, l->id, ""));
            if (exact)
                return true;
            found++;
        }
        free(cursor);
        cursor = mem_dup(json_text(page, "next_cursor", NULL));
    } while (cursor);
    if (found > 1)
        return err_say(
            err, ERR_CONFLICT,
            "%d documents have “%s” in their title. Say more of it, or take the id from: edurag library --json", found,
            name);
    return found == 1 || err_say(err, ERR_NOT_FOUND, "There is no %s “%s” here.", l->what, name);
}

bool script_args_resolve(struct script *script, const struct script_command *command, cJSON *params, struct err *err)
{
    for (const struct script_arg *a = command->args; a && a->kind; a++) {
        const struct lookup *l = lookup_of(a->kind);
        const char *name = l ? json_text(params, a->name, NULL) : NULL;
        if (!name || is_uuid(name))
            continue;
        char id[40];
        if (a->kind == SCRIPT_SHELF && !strcmp(name, "open"))
            cJSON_ReplaceItemInObjectCaseSensitive(params, a->name, cJSON_CreateNull());
        else if (look_up(script, l, name, id, err))
            cJSON_ReplaceItemInObjectCaseSensitive(params, a->name, cJSON_CreateString(id));
        else
            return false;
    }
    return true;
}
