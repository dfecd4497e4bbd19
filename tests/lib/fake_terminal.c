/* fake_terminal.c - the terminal's panes under fake_terminal: a client without a terminal and without a server. */
#include "tests/lib/fake_terminal.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mem.h"
#include "common/text.h"
#include "tests/lib/harmful.h"

enum { WALL = 1795442760 }; /* Mon 23 Nov 2026 14:06:00 UTC */

static uint64_t host_request(void *context, const char *method, const char *params)
{
    struct fake_terminal *g = context;
    if (g->count == 256) {
        free(g->asked[0].method);
        free(g->asked[0].params);
        memmove(g->asked, g->asked + 1, (size_t)--g->count * sizeof *g->asked);
    }
    g->asked[g->count].id = ++g->last_id;
    g->asked[g->count].method = mem_dup(method);
    g->asked[g->count++].params = mem_dup(params ? params : "{}");
    return g->last_id;
}

static void host_cancel(void *context, uint64_t call)
{
    (void)context;
    (void)call;
}

static void host_copy(void *context, const char *text)
{
    struct fake_terminal *g = context;
    free(g->copied);
    g->copied = mem_dup(text);
}

static bool host_write_file(void *context, const char *path, const char *text, char *said, size_t size)
{
    struct fake_terminal *g = context;
    free(g->written);
    free(g->written_to);
    g->written = mem_dup(text);
    g->written_to = mem_dup(path);
    snprintf(said, size, "Saved as %s.", path);
    return true;
}

static void host_connect(void *context)
{
    ((struct fake_terminal *)context)->connected = true;
}

static void host_trust(void *context, bool yes)
{
    ((struct fake_terminal *)context)->trusted = yes;
}

static void host_login(void *context, const char *token)
{
    struct fake_terminal *g = context;
    snprintf(g->token, sizeof g->token, "%s", token ? token : "");
}

static void host_redraw(void *context)
{
    ((struct fake_terminal *)context)->redrawn = true;
}

static void host_suspend(void *context)
{
    ((struct fake_terminal *)context)->suspended = true;
}

static void host_theme(void *context, const char *name)
{
    ui_say(&((struct fake_terminal *)context)->ui, ROLE_TEXT, "Theme: %s.", name);
}

static void host_leave(void *context)
{
    ((struct fake_terminal *)context)->left = true;
}

void fake_terminal_start(struct fake_terminal *g, int rows, int cols)
{
    *g = (struct fake_terminal){0};
    setenv("TZ", "UTC", 1);
    const struct ui_host host = {
        .context = g,
        .request = host_request,
        .cancel = host_cancel,
        .copy = host_copy,
        .write_file = host_write_file,
        .connect = host_connect,
        .trust = host_trust,
        .login = host_login,
        .redraw = host_redraw,
        .suspend = host_suspend,
        .theme = host_theme,
        .leave = host_leave,
    };
    ui_start(&g->ui, &host, rows, cols);
    g->ui.now = 1000000;
    g->ui.wall = WALL;
}

void fake_terminal_stop(struct fake_terminal *g)
{
    ui_stop(&g->ui);
    for (int i = 0; i < g->count; i++) {
        free(g->asked[i].method);
        free(g->asked[i].params);
    }
    free(g->copied);
    free(g->written);
    free(g->written_to);
}

void fake_terminal_login(struct fake_terminal *g, const char *role)
{
    char user[300];
    snprintf(user, sizeof user,
             "{\"user_id\":\"u-maria\",\"institution_id\":\"s1024\",\"name\":\"Maria Okafor\",\"role\":\"%s\","
             "\"avatar\":\"\",\"plain\":false}",
             role);
    g->ui.has_token = true;
    ui_link(&g->ui, UI_ONLINE, NULL);
    fake_terminal_answer(
        g, "server.info",
        "{\"name\":\"Linden School\",\"version\":\"1.0.0\",\"protocol\":1,\"memory\":\"builtin\",\"limits\":"
        "{\"rate\":{\"capacity\":120,\"per_minute\":60},\"message_bytes\":1048576,\"upload_bytes\":209715200,"
        "\"query_characters\":1000,\"chat_characters\":2000}}");
    fake_terminal_answer(g, "auth.whoami", user);
}

void fake_terminal_open(struct fake_terminal *g, const char *role)
{
    fake_terminal_start(g, 24, 80);
    fake_terminal_login(g, role);
}

void fake_terminal_later(struct fake_terminal *g, int ms)
{
    g->ui.now += ms;
    g->ui.wall += ms / 1000;
    ui_tick(&g->ui);
}

void fake_terminal_key(struct fake_terminal *g, const char *names)
{
    AUTO(mem_freep) char *copy = mem_dup(names);
    char *save = NULL;
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        struct key key;
        if (!keys_parse(word, &key))
            fail_msg("no key is called %s", word);
        ui_keys_press(&g->ui, &key);
    }
}

void fake_terminal_type(struct fake_terminal *g, const char *text)
{
    size_t length = strlen(text);
    for (size_t at = 0; at < length;) {
        struct key key = {.code = KEYS_CHAR, .ch = text_next(text, length, &at)};
        ui_keys_press(&g->ui, &key);
    }
}

void fake_terminal_enter(struct fake_terminal *g, const char *text)
{
    fake_terminal_type(g, text);
    fake_terminal_key(g, "Enter");
}

void fake_terminal_paste(struct fake_terminal *g, const char *text)
{
    struct key key = {.code = KEYS_PASTE, .paste = text, .paste_length = strlen(text)};
    ui_keys_press(&g->ui, &key);
}

static int find(const struct fake_terminal *g, const char *method)
{
    for (int i = g->count - 1; i >= 0; i--)
        if (strcmp(g->asked[i].method, method) == 0)
            return i;
    return -1;
}

bool fake_terminal_asked(const struct fake_terminal *g, const char *method)
{
    return find(g, method) >= 0;
}

const char *fake_terminal_params(const struct fake_terminal *g, const char *method)
{
    int at = find(g, method);
    return at < 0 ? "" : g->asked[at].params;
}

static uint64_t take(struct fake_terminal *g, const char *method)
{
    int at = find(g, method);
    if (at < 0)
        fail_msg("%s was not asked for", method);
    uint64_t id = g->asked[at].id;
    free(g->asked[at].method);
    free(g->asked[at].params);
    memmove(g->asked + at, g->asked + at + 1, (size_t)(g->count - at - 1) * sizeof *g->asked);
    g->count--;
    return id;
}

void fake_terminal_answer(struct fake_terminal *g, const char *method, const char *json)
{
    cJSON *result = cJSON_Parse(json);
    if (!result)
        fail_msg("not JSON: %s", json);
    ui_reply(&g->ui, take(g, method), result, NULL);
    cJSON_Delete(result);
}

void fake_terminal_fail(struct fake_terminal *g, const char *method, enum err_code code, const char *say)
{
    struct err err = {.code = code};
    snprintf(err.say, sizeof err.say, "%s", say ? say : "");
    if (code == ERR_BUSY || code == ERR_RATE_LIMITED)
        err.retry_after_ms = 3000;
    ui_reply(&g->ui, take(g, method), NULL, &err);
}

void fake_terminal_notification(struct fake_terminal *g, const char *method, const char *json)
{
    cJSON *params = cJSON_Parse(json);
    if (!params)
        fail_msg("not JSON: %s", json);
    ui_notification(&g->ui, method, params);
    cJSON_Delete(params);
}

void fake_terminal_print(struct fake_terminal *g)
{
    for (int y = 0; y < g->ui.rows; y++) {
        AUTO(buf_free) struct buf row = {0};
        canvas_row(&g->ui.sheet, y, &row);
        fprintf(stderr, "%2d|%s\n", y, row.data ? row.data : "");
    }
}

void fake_terminal_is(struct fake_terminal *g, const char *name)
{
    char path[200], line[1024];
    snprintf(path, sizeof path, "tests/tui/screens/%s.txt", name);
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("no screen %s", path);
    int wrong = 0, y = 0;
    ui_draw(&g->ui);
    fake_terminal_sane(g);
    for (; fgets(line, sizeof line, file); y++) {
        line[strcspn(line, "\n")] = 0;
        AUTO(buf_free) struct buf row = {0};
        if (y >= g->ui.rows)
            continue;
        canvas_row(&g->ui.sheet, y, &row);
        size_t length = strlen(line); /* a last _ is the cursor, where it stands there */
        if (length && line[length - 1] == '_' && g->ui.sheet.cursor_y == y &&
            (int)text_cells(line, length - 1) == g->ui.sheet.cursor_x)
            line[length - 1] = 0;
        if (strcmp(row.data ? row.data : "", line) != 0) {
            fprintf(stderr, "%s row %d\n  expected |%s|\n  drawn    |%s|\n", name, y, line, row.data ? row.data : "");
            wrong++;
        }
    }
    fclose(file);
    if (wrong || y != g->ui.rows)
        fail_msg("%s: %d rows differ; there are %d, and %d in the file", name, wrong, g->ui.rows, y);
}

bool fake_terminal_shows(struct fake_terminal *g, const char *text)
{
    AUTO(buf_free) struct buf all = {0};
    ui_draw(&g->ui);
    for (int y = 0; y < g->ui.rows; y++) {
        canvas_row(&g->ui.sheet, y, &all);
        buf_char(&all, '\n');
    }
    return strstr(all.data, text) != NULL;
}

void fake_terminal_sane(struct fake_terminal *g)
{
    const struct sheet *s = &g->ui.sheet;
    for (int y = 0; y < s->rows; y++) {
        const struct cell *row = s->cells + (size_t)y * (size_t)s->cols;
        for (int x = 0; x < s->cols; x++) {
            const struct cell *cell = &row[x];
            bool half = cell->width == 0 && (x == 0 || row[x - 1].width != 2);
            bool cut = cell->width == 2 && (x + 1 == s->cols || row[x + 1].width != 0);
            bool harm = cell->width &&
                        (harmful_character(cell->text) || cell->text == '\n' || text_width(cell->text) != cell->width);
            if (half || cut || harm)
                fail_msg("cell %d,%d holds U+%04X of width %d", y, x, cell->text, cell->width);
            for (int m = 0; m < 3 && cell->marks[m]; m++)
                if (text_width(cell->marks[m]) != 0 || harmful_character(cell->marks[m]))
                    fail_msg("cell %d,%d is marked with U+%04X", y, x, cell->marks[m]);
        }
    }
    const struct cell *last = s->cells + (size_t)s->rows * (size_t)s->cols - 1;
    if (last->text != ' ' && last->width)
        fail_msg("the last cell is written");
    if (s->cursor_y < 0 || s->cursor_y >= s->rows || s->cursor_x < 0 || s->cursor_x >= s->cols)
        fail_msg("the cursor is outside");
}
