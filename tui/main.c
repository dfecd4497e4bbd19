/* main.c - edurag: the screen, lines where there is no screen, and one command at a time for scripts. */
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/state.h"
#include "tui/app.h"
#include "tui/headless/plain.h"
#include "tui/headless/script.h"
#include "tui/headless/script_help.h"
#include "tui/headless/script_session.h"
#include "tui/manual.h"

enum { PROSE = 78 };

struct globals {
    const char *server, *theme, *glyphs;
    bool json, plain, help, version, shared;
};

/* A global option at argv[*at]; false where it is none. */
static bool global(struct globals *g, int argc, char **argv, int *at)
{
    const struct {
        const char *name;
        bool *flag;
        const char **value;
    } options[] = {
        {"--json", &g->json, NULL},     {"--plain", &g->plain, NULL},   {"--help", &g->help, NULL},
        {"-h", &g->help, NULL},         {"--shared", &g->shared, NULL}, {"--version", &g->version, NULL},
        {"--server", NULL, &g->server}, {"--theme", NULL, &g->theme},   {"--glyphs", NULL, &g->glyphs},
    };
    for (size_t i = 0; i < COUNT_OF(options); i++) {
        size_t length = strlen(options[i].name);
        if (strncmp(argv[*at], options[i].name, length) != 0)
            continue;
        const char *rest = argv[*at] + length;
        if (options[i].flag && !*rest) {
            *options[i].flag = true;
            return true;
        }
        if (options[i].value && *rest == '=') {
            *options[i].value = rest + 1;
            return true;
        }
        if (options[i].value && !*rest && *at + 1 < argc) {
            *options[i].value = argv[++*at];
            return true;
        }
    }
    return false;
}

static bool dumb(void)
{
    const char *term = getenv("TERM");
    return !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO) || !term || !*term || !strcmp(term, "dumb");
}

/* The full screen; an account that wants lines gets them as soon as it has logged in there. */
static int screen(const struct globals *g, struct script *script)
{
    char token[STATE_TOKEN] = "", session[STATE_TOKEN] = "";
    struct address address;
    const char *server = g->server ? g->server : address_default();
    if (address_parse(server, &address, NULL))
        script_session_token(&address, token, sizeof token);
    struct app_settings settings = {
        .server = server, .token = *token ? token : NULL, .theme = g->theme, .glyphs = g->glyphs, .session = session};
    int code = app_run(&settings);
    if (code == APP_PLAIN) {
        script->token = session;
        code = plain_run(script);
    }
    mem_wipe(token, sizeof token);
    mem_wipe(session, sizeof session);
    return code;
}

int main(int argc, char **argv)
{
    struct globals g = {0};
    int at = 1;
    const char *wish = getenv("EDURAG_SHARED_ACCOUNT");
    bool shared = wish && *wish && strcmp(wish, "0") != 0;
    for (int i = 1; i < argc && argv[i][0] == '-'; i++)
        shared = shared || !strcmp(argv[i], "--shared");
    if (shared)
        state_share();
    setlocale(LC_ALL, "");
    if (argc == 3 && !strcmp(argv[1], "manual"))
        return manual_print(argv[2]) ? SCRIPT_FINE : SCRIPT_USAGE;
    signal(SIGPIPE, SIG_IGN); /* a reader that goes away is seen when writing */
    for (; at < argc && argv[at][0] == '-'; at++)
        if (!global(&g, argc, argv, &at)) {
            script_say("There is no option %s. See: edurag --help", argv[at]);
            return SCRIPT_USAGE;
        }
    struct script script = {
        .server = g.server, .json = g.json, .terminal = isatty(STDERR_FILENO), .width = PROSE, .out = stdout};
    if (g.version) {
        printf("edurag %s\n", EDURAG_VERSION);
        return SCRIPT_FINE;
    }
    if (g.help) {
        script_help_all(&script);
        return SCRIPT_FINE;
    }
    if (at < argc)
        return script_main(&script, argc - at, argv + at);
    if (g.plain || dumb())
        return plain_run(&script);
    return screen(&g, &script);
}
