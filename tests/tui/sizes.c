/* sizes.c - every window from 20x5 to 250x80, and every kind of hostile text in every pane. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/fake_terminal_data.h"
#include "tests/lib/harmful.h"

static void draw(struct fake_terminal *g)
{
    ui_draw(&g->ui);
    fake_terminal_sane(g);
}

static void every_pane(struct fake_terminal *g)
{
    for (int pane = PANE_SEARCH; pane < PANE_COUNT; pane++) {
        if (!ui_visible(&g->ui, (enum pane)pane))
            continue;
        ui_open(&g->ui, (enum pane)pane);
        draw(g);
    }
}

#ifdef __SANITIZE_THREAD__
enum { ROWS_STEP = 7 }; /* one thread draws: what is too slow there is tried in the other builds */
#else
enum { ROWS_STEP = 1 };
#endif

/* One pane for each size, in turn, so that all of them meet all kinds of sizes; then back in jumps. Every size at every
 * fourth height and each seventh width between; all of them with EDURAG_ALL_SIZES=1. */
static void through_all_sizes(void **state)
{
    (void)state;
    struct fake_terminal g;
    fake_terminal_start(&g, 24, 80);
    fake_terminal_data_fill(&g, "admin", "An ordinary text of some words, 表 と 文字, naïve cafe\xcc\x81 and so on");
    enum pane pane = PANE_SEARCH;
    int step = getenv("EDURAG_ALL_SIZES") ? 1 : 7;
    for (int rows = 5; rows <= 80; rows += ROWS_STEP) {
        for (int cols = 20; cols <= 250; cols += rows % 4 == 1 ? 1 : step) {
            do
                pane = pane == PANE_ADMIN ? PANE_SEARCH : (enum pane)(pane + 1);
            while (!ui_visible(&g.ui, pane));
            ui_resize(&g.ui, rows, cols);
            ui_open(&g.ui, pane);
            draw(&g);
        }
    }
    static const int jumps[][2] = {{80, 250}, {5, 20},  {24, 80},  {1, 1},   {10, 40}, {9, 39},
                                   {50, 160}, {4, 300}, {200, 19}, {16, 60}, {15, 60}, {16, 59}};
    for (size_t i = 0; i < COUNT_OF(jumps); i++) {
        ui_resize(&g.ui, jumps[i][0], jumps[i][1]);
        every_pane(&g);
        static const char *const keys[] = {"?", "Esc", ":", "m", "Esc", "/", "x", "Esc", "g"};
        for (size_t k = 0; k < COUNT_OF(keys); k++) {
            fake_terminal_key(&g, keys[k]);
            fake_terminal_later(&g, 500);
            draw(&g);
        }
        fake_terminal_key(&g, "g End Home PgDn PgUp Down Up Tab");
        draw(&g);
    }
    fake_terminal_stop(&g);
}

static const int some_sizes[][2] = {{24, 80}, {10, 40}, {60, 200}, {6, 21}};

static void draw_in_some_sizes(struct fake_terminal *g)
{
    for (size_t i = 0; i < COUNT_OF(some_sizes); i++) {
        ui_resize(&g->ui, some_sizes[i][0], some_sizes[i][1]);
        draw(g);
    }
}

/* Presses a key after the other, and answers what they ask for. */
static void press(struct fake_terminal *g, const char *names, const char *text)
{
    AUTO(mem_freep) char *copy = mem_dup(names);
    char *save = NULL;
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        fake_terminal_key(g, word);
        draw(g);
        fake_terminal_data_answer(g, text);
        draw_in_some_sizes(g);
    }
}

/* A file whose name is the text, as far as a name can be: chosen with Tab, and sent. */
static void upload(struct fake_terminal *g, const char *text)
{
    char folder[] = "/tmp/edurag-names-XXXXXX", path[400];
    assert_non_null(mkdtemp(folder));
    int n = snprintf(path, sizeof path, "%s/a%.200s", folder, text);
    for (int i = (int)strlen(folder) + 1; i < n; i++)
        path[i] = path[i] == '/' ? ' ' : path[i];
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("%PDF-1.7 of no great length", file);
    fclose(file);
    ui_open(&g->ui, PANE_LIBRARY);
    press(g, "a Ctrl-U", text);
    fake_terminal_type(g, folder);
    fake_terminal_type(g, "/");
    press(g, "Tab Enter Enter", text);
    for (int i = 0; i < 5; i++)
        ui_tick(&g->ui);
    draw_in_some_sizes(g);
    if (fake_terminal_asked(g, "library.upload_begin"))
        fake_terminal_fail(g, "library.upload_begin", ERR_CONFLICT, text);
    draw_in_some_sizes(g);
    press(g, "Esc Esc", text);
    unlink(path);
    rmdir(folder);
}

/* Methods with such names and words: what `:` offers. */
static void palette(struct fake_terminal *g, const char *text)
{
    AUTO(json_freep) cJSON *document = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(document, "methods");
    static const char *const names[] = {"users.list",   "search.query", "memory.list", "chat.join",
                                        "library.list", "admin.stats",  NULL};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        cJSON *method = cJSON_CreateObject(), *params = cJSON_AddArrayToObject(method, "params"),
              *param = cJSON_CreateObject();
        cJSON_AddStringToObject(method, "name", names[i] ? names[i] : text);
        cJSON_AddStringToObject(method, "summary", text);
        cJSON_AddStringToObject(method, "x-access", "user");
        cJSON_AddStringToObject(param, "name", text);
        cJSON_AddBoolToObject(param, "required", true);
        cJSON_AddItemToArray(params, param);
        cJSON_AddItemToArray(list, method);
    }
    cJSON *before = g->ui.methods;
    g->ui.methods = cJSON_Duplicate(document, true);
    press(g, "Esc : m e Down End Tab Backspace", text);
    fake_terminal_paste(g, text);
    press(g, "Tab Enter Esc Esc", text);
    cJSON_Delete(g->ui.methods);
    g->ui.methods = before;
}

/* What stands in no list: who one is, where, what was left over, what the server says unasked. */
static void around(struct fake_terminal *g, const char *text)
{
    struct err err = {.code = ERR_INTERNAL};
    AUTO(json_freep)
    cJSON *user = cJSON_CreateObject(), *drafts = cJSON_CreateObject(), *closing = cJSON_CreateObject();
    strncpy(err.say, text, sizeof err.say - 1);
    ui_error(&g->ui, &err);
    draw_in_some_sizes(g);
    cJSON_AddStringToObject(closing, "reason", text);
    ui_notification(&g->ui, "server.closing", closing);
    draw_in_some_sizes(g);
    ui_text(&g->ui, text, text);
    press(g, "Down End y e Esc Esc", text);
    snprintf(g->ui.address, sizeof g->ui.address, "%s", text);
    snprintf(g->ui.server, sizeof g->ui.server, "%s", text);
    cJSON_AddStringToObject(user, "user_id", text);
    cJSON_AddStringToObject(drafts, "user_id", text);
    cJSON_AddStringToObject(user, "name", text);
    cJSON_AddStringToObject(user, "institution_id", text);
    cJSON_AddStringToObject(user, "avatar", text);
    cJSON_AddStringToObject(user, "role", g->ui.role);
    cJSON_AddStringToObject(drafts, "search", text);
    cJSON *line = cJSON_CreateObject();
    cJSON_AddStringToObject(line, "title", text);
    cJSON_AddStringToObject(line, "text", text);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(drafts, "chat"), line);
    ui_restore(&g->ui, drafts);
    ui_logged_in(&g->ui, user);
    every_pane(g);
    fake_terminal_data_answer(g, text);
    every_pane(g);
    ui_logged_out(&g->ui, text);
    draw_in_some_sizes(g);
    fake_terminal_paste(g, text);
    draw_in_some_sizes(g);
}

static void hostile_text(void **state)
{
    (void)state;
    static const char *const roles[] = {"student", "teacher", "admin"};
    static const struct {
        enum pane pane;
        const char *keys;
    } actions[] = {
        {PANE_SEARCH, "Esc h Down Enter Tab e Esc f Esc c Down Enter v Esc y Y / Esc D Esc"},
        {PANE_READER, "o Down v Esc Y Esc"},
        {PANE_RECOMMEND, "Down v Esc o Enter"},
        {PANE_MEMORY, "d Esc D Esc Tab v Esc / x Enter"},
        {PANE_CHAT, "Tab Up v Esc d Esc m Esc Tab"},
        {PANE_LIBRARY, "w Esc End w Esc R Esc c Esc d Esc"},
        {PANE_STUDENTS, "p Enter v Esc e Esc Alt-Right Enter Esc R Esc d Esc U Esc"},
        {PANE_ADMIN, "r y y v Esc R Down Esc x Esc d Esc Enter Esc Alt-Right Enter Esc R Esc d Esc Alt-Right w Esc "
                     "Alt-Right Alt-Right Enter Esc"},
    };
    for (size_t i = 0; harmful_texts[i]; i++) {
        for (size_t r = 0; r < COUNT_OF(roles); r++) {
            struct fake_terminal g;
            fake_terminal_start(&g, 24, 80);
            fake_terminal_data_fill(&g, roles[r], harmful_texts[i]);
            for (size_t s = 0; s < COUNT_OF(some_sizes); s++) {
                ui_resize(&g.ui, some_sizes[s][0], some_sizes[s][1]);
                every_pane(&g);
            }
            for (size_t d = 0; d < COUNT_OF(actions); d++) {
                if (!ui_visible(&g.ui, actions[d].pane))
                    continue;
                ui_open(&g.ui, actions[d].pane);
                press(&g, actions[d].keys, harmful_texts[i]);
            }
            if (r > 0)
                upload(&g, harmful_texts[i]);
            palette(&g, harmful_texts[i]);
            around(&g, harmful_texts[i]);
            /* What leaves for the clipboard or a file is as clean. */
            const char *wrong = g.copied ? harmful_in(g.copied, strlen(g.copied)) : NULL;
            wrong = wrong || !g.written ? wrong : harmful_in(g.written, strlen(g.written));
            if (wrong)
                fail_msg("text %zu as %s: %s left", i, roles[r], wrong);
            fake_terminal_stop(&g);
        }
    }
}

/* A line of ten megabytes in one text of each reply that a pane asks for. */
static void a_line_of_ten_megabytes(void **state)
{
    (void)state;
    static const struct {
        enum pane pane;
        const char *role, *keys;
        int place;
    } ways[] = {
        {PANE_SEARCH, "student", "x Enter", 0}, {PANE_SEARCH, "student", "x Enter Enter", 5},
        {PANE_READER, "student", "", 0},        {PANE_RECOMMEND, "student", "", 0},
        {PANE_MEMORY, "student", "", 0},        {PANE_CHAT, "student", "", 1},
        {PANE_LIBRARY, "teacher", "", 0},       {PANE_STUDENTS, "teacher", "Enter", 1},
        {PANE_ADMIN, "admin", "", 0},
    };
    size_t length = 10 << 20;
    AUTO(mem_freep) char *line = mem_alloc(length + 1);
    for (size_t i = 0; i < length; i += 8)
        memcpy(line + i, "a\xcc\x81\xcc\x82\xcc\x83 ", 8);
    for (size_t w = 0; w < COUNT_OF(ways); w++) {
        struct fake_terminal g;
        fake_terminal_open(&g, ways[w].role);
        ui_open(&g.ui, ways[w].pane);
        if (ways[w].pane == PANE_READER)
            reader_open(&g.ui, "d1", 1, NULL, 0, "the Library");
        fake_terminal_data_one(&g, ways[w].place, line);
        AUTO(mem_freep) char *copy = mem_dup(ways[w].keys);
        char *save = NULL;
        for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
            fake_terminal_key(&g, word);
            fake_terminal_data_one(&g, ways[w].place, line);
        }
        draw(&g);
        fake_terminal_key(&g, "Down");
        draw(&g);
        fake_terminal_stop(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(through_all_sizes),
        cmocka_unit_test(hostile_text),
        cmocka_unit_test(a_line_of_ten_megabytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
