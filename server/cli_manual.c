/* cli_manual.c - what the man pages say out of the program's own tables. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/mdoc.h"
#include "common/mem.h"
#include "server/cli.h"
#include "server/config.h"
#include "server/rpc/notifications.h"
#include "server/rpc/method.h"
#include "server/serve.h"

static void settings(struct buf *out)
{
    for (const struct setting *s = config_settings; s->name; s++) {
        AUTO(buf_free) struct buf text = {0};
        buf_printf(out, ".It Ev %s%s%s%s\n", s->name, s->secret ? " Pq or Ev " : "", s->secret ? s->name : "",
                   s->secret ? "_FILE" : "");
        buf_text(&text, s->help);
        if (s->one_of) {
            buf_text(&text, " One of ");
            for (const char *p = s->one_of; *p; p++)
                buf_text(&text, *p == '|' ? ", " : (char[]){*p, '\0'});
            buf_text(&text, ".");
        }
        if (s->type == SETTING_INT)
            buf_printf(&text, " From %" PRId64 " to %" PRId64 ".", s->min, s->max);
        if (*s->fallback)
            buf_printf(&text, " Default: %s.", s->fallback);
        mdoc_prose(out, text.data);
    }
}

static void commands(struct buf *out)
{
    for (const struct cli_command *c = cli_commands; c->name; c++) {
        if (!c->help)
            continue;
        AUTO(buf_free) struct buf usage = {0};
        buf_printf(&usage, "%s%s%s", c->name, *c->args ? " " : "", c->args);
        buf_text(out, ".It Li ");
        mdoc_argument(out, usage.data);
        buf_char(out, '\n');
        mdoc_prose(out, c->help);
    }
}

static void methods(struct buf *out)
{
    static const char *const who[] = {"anyone", "everybody logged in", "teachers and admins", "admins"};
    for (const struct method *const *table = serve_methods; *table; table++)
        for (const struct method *m = *table; m->name; m++) {
            AUTO(buf_free) struct buf takes = {0};
            for (const struct param *p = m->params; p && p->name; p++)
                buf_printf(&takes, "%s%s%s", p == m->params ? "" : ", ", p->name, p->optional ? "?" : "");
            buf_printf(out, ".It Li %s", m->name);
            if (takes.data)
                buf_printf(out, " No \"{%s}\"", takes.data);
            buf_printf(out, " Pq Em \"%s\"\n", who[m->access]);
            mdoc_prose(out, m->summary);
            if (m->description)
                mdoc_prose(out, m->description);
            buf_text(out, ".Pp\nGives:\n");
            mdoc_prose(out, m->result);
        }
}

static void write_notifications(struct buf *out)
{
    for (const struct notification *a = notifications; a->name; a++) {
        buf_printf(out, ".It Li %s\n", a->name);
        mdoc_prose(out, a->summary);
        buf_text(out, ".Pp\n");
        mdoc_prose(out, a->params);
    }
}

static void errors(struct buf *out)
{
    static const char *const also[ERR_COUNT] = {[ERR_INVALID_PARAMS] = "field",
                                                [ERR_INTERNAL] = "incident",
                                                [ERR_FORBIDDEN] = "until (somebody is muted)",
                                                [ERR_CONFLICT] = "existing",
                                                [ERR_RATE_LIMITED] = "retry_after_ms",
                                                [ERR_BUSY] = "retry_after_ms",
                                                [ERR_UPSTREAM] = "service, retry_after_ms",
                                                [ERR_TOO_LARGE] = "limit"};
#define ERR_ROW(name, code, reason, text) \
    buf_printf(out, ".It Li %d Ta Li %s Ta \"%s\"\n", code, reason, also[ERR_##name] ? also[ERR_##name] : "");
    ERR_LIST(ERR_ROW)
#undef ERR_ROW
}

int cli_manual(struct cli *cli)
{
    static const struct {
        const char *name;
        void (*write)(struct buf *out);
    } parts[] = {{"settings", settings},
                 {"commands", commands},
                 {"methods", methods},
                 {"notifications", write_notifications},
                 {"errors", errors}};
    AUTO(buf_free) struct buf out = {0};
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (cli->count == 1 && !strcmp(cli->args[0], parts[i].name))
            parts[i].write(&out);
    if (!out.data) {
        fputs("usage: eduragd manual settings|commands|methods|notifications|errors\n", stderr);
        return CLI_USAGE;
    }
    return fputs(out.data, stdout) < 0 || fflush(stdout) != 0 ? CLI_FAILED : CLI_OK;
}
