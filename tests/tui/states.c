/* states.c - each view empty, loading, wide-charactered, after an error and without a connection.
 *
 * At 80x24, 40x10 and 200x60, compared with tests/tui/states/VIEW.txt. After a wanted change
 * UPDATE_SCREENS=1 writes those files anew: read what git diff says about them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/fake_terminal_data.h"

#define WIDE "Größe 表面 Σ"

static const int sizes[][2] = {{24, 80}, {10, 40}, {60, 200}};

/* How a view is reached from its pane: `settle` answers what is asked for on the way, though not what comes last. */
typedef void settler(struct fake_terminal *g);
struct scene {
    const char *name, *role;
    enum pane pane;
    void (*open)(struct fake_terminal *g, settler *settle);
};

static void snap(struct fake_terminal *g, struct buf *out, const char *state)
{
    ui_draw(&g->ui);
    fake_terminal_sane(g);
    buf_printf(out, "==== %s, %dx%d, cursor %d,%d%s\n", state, g->ui.cols, g->ui.rows, g->ui.sheet.cursor_y,
               g->ui.sheet.cursor_x, g->ui.sheet.cursor_shown ? " shown" : "");
    for (int y = 0; y < g->ui.rows; y++) {
        canvas_row(&g->ui.sheet, y, out);
        buf_char(out, '\n');
    }
}

static const char *const methods[] = {
    "search.history", "search.query",      "search.thread",  "recommend.list", "trending.list",        "memory.status",
    "memory.list",    "memory.access_log", "chat.join",      "courses.list",   "courses.members",      "library.list",
    "library.jobs",   "library.job",       "admin.students", "admin.stats",    "admin.audit",          "users.list",
    "library.page",   "library.outline",   "memory.reflect", "profile.update", "auth.change_password", "auth.login",
};

static void answer_empty(struct fake_terminal *g)
{
    for (size_t i = 0; i < COUNT_OF(methods); i++)
        while (fake_terminal_asked(g, methods[i]))
            fake_terminal_answer(g, methods[i],
                                 "{\"items\":[],\"results\":[],\"turns\":[],\"topics\":[],\"next_cursor\":null,"
                                 "\"query\":\"stone\",\"source\":\"none\",\"enabled\":true,"
                                 "\"reachable\":true,\"room\":null,\"messages\":[],\"online\":1,\"ttl_seconds\":3600}");
}

static void answer_wide(struct fake_terminal *g)
{
    fake_terminal_data_answer(g, WIDE);
}

static void fail_all(struct fake_terminal *g)
{
    for (size_t i = 0; i < COUNT_OF(methods); i++)
        while (fake_terminal_asked(g, methods[i]))
            fake_terminal_fail(g, methods[i], ERR_UPSTREAM, "The database is away. Please try again in a minute.");
}

static void lose(struct fake_terminal *g)
{
    ui_link(&g->ui, UI_LOST, NULL);
    g->ui.retry_at = g->ui.now + 4000;
    g->ui.tries = 2;
}

/* ---- how each view is opened ---- */

static void open_search(struct fake_terminal *g, settler *settle)
{
    settle(g);
    fake_terminal_key(g, "s");
    fake_terminal_enter(g, "stone");
}

static void open_reader(struct fake_terminal *g, settler *settle)
{
    settle(g);
    reader_open(&g->ui, "d1", 7, NULL, 0, "the Library");
}

static void open_history(struct fake_terminal *g, settler *settle)
{
    settle(g);
    fake_terminal_key(g, "Esc h");
}

/* The answer kept of the first of the earlier searches. */
static void open_thread(struct fake_terminal *g, settler *settle)
{
    (void)settle;
    open_history(g, settle);
    fake_terminal_data_answer(g, settle == answer_wide ? WIDE : "stone");
    fake_terminal_key(g, "Enter");
    if (settle == answer_wide) {
        fake_terminal_data_answer(g, WIDE);
        fake_terminal_key(g, "Tab");
    }
}

static void open_choice(struct fake_terminal *g, settler *settle)
{
    settle(g);
    fake_terminal_key(g, "Esc c");
}

static void section(struct fake_terminal *g, settler *settle, int number)
{
    for (int i = 0; i < number; i++) {
        settle(g);
        fake_terminal_key(g, "Alt-Right");
    }
}

static void open_courses(struct fake_terminal *g, settler *settle)
{
    section(g, settle, 1);
}

static void open_jobs(struct fake_terminal *g, settler *settle)
{
    section(g, settle, 2);
}

static void open_numbers(struct fake_terminal *g, settler *settle)
{
    section(g, settle, 3);
}

static void open_audit(struct fake_terminal *g, settler *settle)
{
    section(g, settle, 4);
}

static void open_students(struct fake_terminal *g, settler *settle)
{
    section(g, settle, 5);
}

static void open_members(struct fake_terminal *g, settler *settle)
{
    open_courses(g, settle);
    fake_terminal_data_answer(g, settle == answer_wide ? WIDE : "Biology");
    fake_terminal_key(g, "Enter");
}

static void open_reflection(struct fake_terminal *g, settler *settle)
{
    fake_terminal_data_answer(g, settle == answer_wide ? WIDE : "Ben Okada");
    fake_terminal_key(g, "p Enter");
}

static void open_profile(struct fake_terminal *g, settler *settle)
{
    settle(g);
    fake_terminal_key(g, "Esc :");
    fake_terminal_enter(g, settle == answer_wide ? "avatar 表" : "avatar MO");
}

static void open_password(struct fake_terminal *g, settler *settle)
{
    settle(g);
    fake_terminal_key(g, "Esc :");
    fake_terminal_enter(g, "password");
    fake_terminal_enter(g, settle == answer_wide ? WIDE : "the old one");
    fake_terminal_enter(g, settle == answer_wide ? WIDE : "the new one");
}

static const struct scene scenes[] = {
    {"search", "student", PANE_SEARCH, open_search},
    {"reader", "student", PANE_READER, open_reader},
    {"recommend", "student", PANE_RECOMMEND, NULL},
    {"memory", "student", PANE_MEMORY, NULL},
    {"chat", "student", PANE_CHAT, NULL},
    {"library", "teacher", PANE_LIBRARY, NULL},
    {"students", "teacher", PANE_STUDENTS, NULL},
    {"teacher-courses", "teacher", PANE_STUDENTS, open_courses},
    {"reflection", "teacher", PANE_STUDENTS, open_reflection},
    {"admin", "admin", PANE_ADMIN, NULL},
    {"admin-courses", "admin", PANE_ADMIN, open_courses},
    {"admin-members", "admin", PANE_ADMIN, open_members},
    {"admin-jobs", "admin", PANE_ADMIN, open_jobs},
    {"admin-numbers", "admin", PANE_ADMIN, open_numbers},
    {"admin-audit", "admin", PANE_ADMIN, open_audit},
    {"admin-students", "admin", PANE_ADMIN, open_students},
    {"history", "student", PANE_SEARCH, open_history},
    {"thread", "student", PANE_SEARCH, open_thread},
    {"choice", "student", PANE_SEARCH, open_choice},
    {"profile", "student", PANE_SEARCH, open_profile},
    {"password", "student", PANE_SEARCH, open_password},
};

static void begin(struct fake_terminal *g, const struct scene *scene, const int *size)
{
    fake_terminal_start(g, size[0], size[1]);
    fake_terminal_login(g, scene->role);
    ui_open(&g->ui, scene->pane);
    if (scene->open)
        scene->open(g, answer_empty);
}

static void states_of(const struct scene *scene, const int *size, struct buf *out)
{
    struct fake_terminal g;
    begin(&g, scene, size);
    fake_terminal_later(&g, 400);
    snap(&g, out, "loading");
    fake_terminal_later(&g, 6000);
    snap(&g, out, "loading for long");
    answer_empty(&g);
    snap(&g, out, "empty");
    fake_terminal_stop(&g);
    begin(&g, scene, size);
    fail_all(&g);
    snap(&g, out, "error");
    fake_terminal_stop(&g);
    fake_terminal_start(&g, size[0], size[1]);
    fake_terminal_data_fill(&g, scene->role, WIDE);
    ui_open(&g.ui, scene->pane);
    if (scene->open) {
        scene->open(&g, answer_wide);
        answer_wide(&g);
    }
    *g.ui.notice = 0;
    snap(&g, out, "wide characters");
    lose(&g);
    snap(&g, out, "disconnected");
    fake_terminal_stop(&g);
}

/* The form, with what is typed into it; before that the question whether this is the right server. */
static void login_states(const int *size, struct buf *out)
{
    struct fake_terminal g;
    fake_terminal_start(&g, size[0], size[1]);
    snprintf(g.ui.address, sizeof g.ui.address, "lab.linden.example:7443");
    snprintf(g.ui.fingerprint, sizeof g.ui.fingerprint,
             "3f9a0277c15e8bd044a91c63f20b97e85d12bb700ec46a39d841a72f901d66fb");
    g.ui.secure = true;
    ui_link(&g.ui, UI_CONNECTING, NULL);
    snap(&g, out, "connecting");
    ui_link(&g.ui, UI_UNTRUSTED, NULL);
    snap(&g, out, "first use");
    fake_terminal_stop(&g);
    fake_terminal_start(&g, size[0], size[1]);
    g.ui.secure = true;
    snprintf(g.ui.address, sizeof g.ui.address, "lab.linden.example:7443");
    snprintf(g.ui.fingerprint, sizeof g.ui.fingerprint,
             "3f9a0277c15e8bd044a91c63f20b97e85d12bb700ec46a39d841a72f901d66fb");
    snprintf(g.ui.pinned, sizeof g.ui.pinned, "0000000011111111222222223333333344444444555555556666666677777777");
    ui_link(&g.ui, UI_UNTRUSTED, NULL);
    snap(&g, out, "another code than last time");
    *g.ui.pinned = 0;
    ui_link(&g.ui, UI_ONLINE, NULL);
    fake_terminal_answer(&g, "server.info", "{\"name\":\"Schule 表面\",\"memory\":\"builtin\",\"limits\":{}}");
    snap(&g, out, "empty");
    fake_terminal_enter(&g, WIDE);
    fake_terminal_type(&g, "Größe 表");
    snap(&g, out, "wide characters");
    fake_terminal_key(&g, "Enter");
    fake_terminal_later(&g, 400);
    snap(&g, out, "loading");
    fake_terminal_later(&g, 6000);
    snap(&g, out, "loading for long");
    fake_terminal_fail(&g, "auth.login", ERR_UNAUTHENTICATED, NULL);
    snap(&g, out, "wrong");
    fake_terminal_enter(&g, "once more");
    fail_all(&g);
    snap(&g, out, "error");
    *g.ui.notice = 0;
    lose(&g);
    snap(&g, out, "disconnected");
    fake_terminal_stop(&g);
}

/* Help and the command line know all they show: they load nothing, and work without a connection. */
static void overlay_states(const char *key, const char *something, const int *size, struct buf *out)
{
    struct fake_terminal g;
    fake_terminal_start(&g, size[0], size[1]);
    fake_terminal_data_fill(&g, "student", WIDE);
    fake_terminal_answer(
        &g, "rpc.discover",
        "{\"methods\":[{\"name\":\"search.query\"},{\"name\":\"search.ask\"},{\"name\":\"library.page\"},{\"name\":"
        "\"memory.list\"},"
        "{\"name\":\"memory.retain\",\"summary\":\"keep " WIDE
        "\",\"x-access\":\"user\",\"params\":[{\"name\":\"fact\",\"required\":true,\"schema\":{\"type\":\"string\"}}]},"
        "{\"name\":\"memory.recall\",\"summary\":\"find " WIDE "\",\"x-access\":\"user\"}]}");
    ui_open(&g.ui, PANE_SEARCH);
    *g.ui.notice = 0;
    fake_terminal_key(&g, "Esc");
    fake_terminal_key(&g, key);
    snap(&g, out, "open");
    if (*key == '?')
        fake_terminal_key(&g, "/");
    fake_terminal_type(&g, something);
    snap(&g, out, "looking for something");
    fake_terminal_key(&g, "Ctrl-U");
    fake_terminal_type(&g, WIDE);
    snap(&g, out, "wide characters, nothing found");
    if (*key == ':') {
        fake_terminal_key(&g, "Enter");
        snap(&g, out, "error");
    }
    *g.ui.notice = 0;
    lose(&g);
    snap(&g, out, "disconnected");
    fake_terminal_stop(&g);
}

/* ---- compared ---- */

static void compare(const char *name, const struct buf *drawn)
{
    char path[100];
    snprintf(path, sizeof path, "tests/tui/states/%s.txt", name);
    FILE *file = fopen(path, getenv("UPDATE_SCREENS") ? "w" : "r");
    if (!file)
        fail_msg("no file %s", path);
    if (getenv("UPDATE_SCREENS")) {
        fwrite(drawn->data, 1, drawn->length, file);
        fclose(file);
        return;
    }
    char line[2048], state[200] = "";
    const char *at = drawn->data;
    int wrong = 0;
    while (fgets(line, sizeof line, file)) {
        size_t length = strcspn(line, "\n"), have = strcspn(at, "\n");
        if (strncmp(line, "====", 4) == 0)
            snprintf(state, sizeof state, "%.*s", (int)length, line);
        if ((length != have || memcmp(line, at, length) != 0) && wrong++ < 12)
            fprintf(stderr, "%s %s\n  expected |%.*s|\n  drawn    |%.*s|\n", name, state, (int)length, line, (int)have,
                    at);
        at += have + (at[have] == '\n');
    }
    fclose(file);
    if (wrong || *at)
        fail_msg("%s: %d lines differ", name, wrong);
}

static void every_view_in_every_state(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(scenes); i++) {
        AUTO(buf_free) struct buf drawn = {0};
        for (size_t s = 0; s < COUNT_OF(sizes); s++)
            states_of(&scenes[i], sizes[s], &drawn);
        compare(scenes[i].name, &drawn);
    }
}

static void login(void **state)
{
    (void)state;
    AUTO(buf_free) struct buf drawn = {0};
    for (size_t s = 0; s < COUNT_OF(sizes); s++)
        login_states(sizes[s], &drawn);
    compare("login", &drawn);
}

static void overlays(void **state)
{
    (void)state;
    static const char *const keys[][3] = {{"help", "?", "conversation"}, {"palette", ":", "memory.re"}};
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        AUTO(buf_free) struct buf drawn = {0};
        for (size_t s = 0; s < COUNT_OF(sizes); s++)
            overlay_states(keys[i][1], keys[i][2], sizes[s], &drawn);
        compare(keys[i][0], &drawn);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_view_in_every_state),
        cmocka_unit_test(login),
        cmocka_unit_test(overlays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
