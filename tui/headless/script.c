/* script.c - runs one command: words to params, params to the server, result to standard output. */
#include "tui/headless/script.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/text.h"
#include "tui/headless/script_args.h"
#include "tui/headless/script_help.h"
#include "tui/headless/script_out.h"
#include "tui/headless/script_session.h"
#include "tui/sanitize.h"

enum { CALL_MS = 60000 };

static FILE *say_to;
static int say_width; /* 0: as long as it is */

void script_say_to(FILE *out)
{
    say_to = out;
    say_width = 0;
}

void script_say_width(int width)
{
    say_width = width;
}

void script_say(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    AUTO(buf_free) struct buf clean = {0};
    if (length > 0)
        text_clean(&clean, text, (size_t)length, TEXT_KEEP_NEWLINES);
    fflush(stdout); /* in the order it was said, where both streams end in one place */
    if (say_width && clean.length) {
        struct script_out_flow flow = {.out = say_to ? say_to : stderr, .width = say_width};
        script_out_feed(&flow, clean.data);
        script_out_end(&flow);
    } else {
        fprintf(say_to ? say_to : stderr, "%s\n", clean.data ? clean.data : "");
    }
    free(text);
}

/* Characters that a terminal obeys, or that nobody sees, stand only inside strings of JSON: written as \uXXXX they are the
 * same to a program and harmless on a screen. */
static void escape_unseen(struct buf *out, const char *json, size_t length)
{
    for (size_t at = 0; at < length;) {
        size_t from = at;
        uint32_t c = text_next(json, length, &at);
        bool unseen = (c >= 0x7F && c <= 0x9F) || c == 0xAD || c == 0x061C || (c >= 0x200B && c <= 0x200F) ||
                      (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
        if (unseen)
            buf_printf(out, "\\u%04x", c);
        else
            buf_bytes(out, json + from, at - from);
    }
}

void script_line(struct script *script, const cJSON *value)
{
    AUTO(json_freep) cJSON *clean = isatty(fileno(script->out)) ? sanitize_copy(value) : NULL;
    AUTO(buf_free) struct buf text = {0}, plain = {0};
    json_write(&text, clean ? clean : value);
    escape_unseen(&plain, text.data, text.length);
    fprintf(script->out, "%s\n", plain.data);
    fflush(script->out);
}

static int exit_code(enum err_code code)
{
    switch (code) {
    case ERR_UNAUTHENTICATED: return SCRIPT_LOGIN;
    case ERR_UNREACHABLE:
    case ERR_UNTRUSTED: return SCRIPT_UNREACHABLE;
    case ERR_RATE_LIMITED: return SCRIPT_LIMITED;
    case ERR_TIMEOUT: return SCRIPT_TIMEOUT;
    case ERR_INTERNAL:
    case ERR_BUSY:
    case ERR_PARSE:
    case ERR_INVALID_REQUEST: return SCRIPT_SERVER;
    case ERR_UPSTREAM:
    case ERR_UNKNOWN_METHOD: return SCRIPT_UNAVAILABLE;
    case ERR_INVALID_PARAMS: return SCRIPT_USAGE;
    default: return SCRIPT_OTHER;
    }
}

/* With --json the error is one line too: {"reason": …, "message": …, …}. */
static void fail_line(const struct err *err)
{
    AUTO(buf_free) struct buf out = {0};
    buf_json_open(&out, '{');
    buf_json_member(&out, "reason", err_reason(err->code));
    buf_json_member(&out, "message", err_sentence(err));
    const struct {
        const char *name, *value;
    } texts[] = {
        {"field", err->field},     {"existing", err->existing}, {"until", err->until},
        {"service", err->service}, {"incident", err->incident},
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (*texts[i].value)
            buf_json_member(&out, texts[i].name, texts[i].value);
    if (err->retry_after_ms)
        buf_json_member_int(&out, "retry_after_ms", err->retry_after_ms);
    if (err->limit)
        buf_json_member_int(&out, "limit", err->limit);
    buf_json_close(&out, '}');
    script_say("%s", out.data);
}

int script_fail(struct script *script, const struct err *err)
{
    if (script->json)
        fail_line(err);
    else if (err->code == ERR_UNAUTHENTICATED)
        script_say("%s  (edurag login)", err_sentence(err));
    else if (err->code == ERR_RATE_LIMITED && err->retry_after_ms)
        script_say("%s  (%ld s)", err_sentence(err), (err->retry_after_ms + 999) / 1000);
    else if (*err->incident)
        script_say("%s  Tell your teacher this number: %s", err_sentence(err), err->incident);
    else
        script_say("%s", err_sentence(err));
    return exit_code(err->code);
}

int script_call(struct script *script, const char *method, const cJSON *params, int timeout_ms, cJSON **result)
{
    AUTO(buf_free) struct buf text = {0};
    if (params)
        json_write(&text, params);
    struct err err = {0};
    bool fine = client_call(script->client, method, text.data, timeout_ms ? timeout_ms : CALL_MS, result, &err);
    if (text.data)
        mem_wipe(text.data, text.length);
    return fine ? SCRIPT_FINE : script_fail(script, &err);
}

void script_show(struct script *script, const struct script_command *command, const cJSON *result)
{
    if (script->json) {
        script_line(script, result);
        return;
    }
    AUTO(json_freep) cJSON *clean = sanitize_copy(result);
    if (command->print)
        command->print(script, clean);
    if (command->done)
        script_say("%s", command->done);
}

/* --all: page after page, each item a line with --json. */
static int run_list(struct script *script, const struct script_command *command, cJSON *params)
{
    for (;;) {
        AUTO(json_freep) cJSON *result = NULL;
        int code = script_call(script, command->method, params, command->timeout_ms, &result);
        if (code)
            return code;
        const cJSON *item;
        const char *cursor = json_text(result, "next_cursor", NULL);
        if (script->all && script->json)
            cJSON_ArrayForEach (item, json_get(result, "items"))
                script_line(script, item);
        else
            script_show(script, command, result);
        if (cursor && !script->all && !script->json)
            script_say("There is more: --all, or --cursor %s", cursor);
        if (!cursor || !script->all)
            return SCRIPT_FINE;
        cJSON_DeleteItemFromObjectCaseSensitive(params, "cursor");
        cJSON_AddStringToObject(params, "cursor", cursor);
    }
}

static int run_plainly(struct script *script, const struct script_command *command, cJSON *params)
{
    if (command->list)
        return run_list(script, command, params);
    AUTO(json_freep) cJSON *result = NULL;
    int code = script_call(script, command->method, params, command->timeout_ms, &result);
    if (!code)
        script_show(script, command, result);
    return code;
}

const struct script_command *script_find(int argc, char **argv, int *words)
{
    const struct script_command *best = NULL;
    *words = 0;
    for (const struct script_command *c = script_table; c->words; c++) {
        int count = 0;
        bool same = true;
        for (const char *at = c->words; same && *at; count++) {
            size_t length = strcspn(at, " ");
            same = count < argc && strlen(argv[count]) == length && !strncmp(argv[count], at, length);
            at += length;
            at += strspn(at, " ");
        }
        if (same && count > *words) {
            best = c;
            *words = count;
        }
    }
    return best;
}

static int run(struct script *script, const struct script_command *command, cJSON *params)
{
    bool borrowed = script->client != NULL; /* --plain has one already */
    struct err err = {0};
    int code = command->offline || borrowed ? SCRIPT_FINE : script_session_connect(script, true, false);
    if (!code && !command->offline && !script_args_resolve(script, command, params, &err))
        code = script_fail(script, &err);
    if (!code)
        code = command->run ? command->run(script, command, params) : run_plainly(script, command, params);
    if (!borrowed) {
        client_free(script->client);
        script->client = NULL;
    }
    if (fflush(script->out) || ferror(script->out))
        return code ? code : SCRIPT_OTHER;
    return code;
}

int script_main(struct script *script, int argc, char **argv)
{
    int words;
    const struct script_command *command = script_find(argc, argv, &words);
    if (!command) {
        script_say("There is no command “%s”. See: edurag help", argc ? argv[0] : "");
        return SCRIPT_USAGE;
    }
    for (int i = words; i < argc; i++)
        if (!strcmp(argv[i], "--help")) {
            script_help_command(script, command);
            return SCRIPT_FINE;
        }
    struct err err = {0};
    AUTO(json_freep) cJSON *params = script_args_parse(script, command, argc - words, argv + words, &err);
    if (!params) {
        AUTO(buf_free) struct buf usage = {0};
        script_args_usage(command, &usage);
        script_say("%s\nIt goes: %s", err_sentence(&err), usage.data);
        return SCRIPT_USAGE;
    }
    return run(script, command, params);
}
