/* paint.c - what reaches the fake_terminal: after every key a terminal shows what was drawn, and few bytes were sent.
 *
 * The same client runs twice, with the same keys: in a child, through ncurses and a pseudo-terminal, and here.
 * What the child sent is compared with what was drawn here, on five kinds of terminal.
 */
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/fake_terminal.h"
#include "tests/lib/vt.h"
#include "tui/screen.h"

enum { WAIT_MS = 20000, STEPS = 400, PLENTY = 60, MOVE_BYTES = 250, STEP_BYTES = 400 };

struct terminal {
    const char *name;
    bool ascii;
    enum theme theme;
};

/* Words that differ from row to row, as those of books do. */
static void words(struct buf *out, unsigned seed, int count)
{
    static const char *const some[] = {"enzyme",   "the",   "of",    "kinetic",   "lowers", "activation", "energy",
                                       "表面",     "site",  "naïve", "inhibitor", "slope",  "and",        "substrate",
                                       "reaction", "binds", "in",    "pocket",    "rate",   "שלום"};
    for (int i = 0; i < count; i++) {
        seed = seed * 1103515245u + 12345u;
        buf_printf(out, "%s%s", i ? " " : "", some[seed / 65536u % COUNT_OF(some)]);
    }
}

static void answer(struct fake_terminal *g, const char *method, const char *head, const char *row, int count,
                   const char *tail)
{
    AUTO(buf_free) struct buf json = {0};
    buf_text(&json, head);
    for (int i = 0; i < count; i++) {
        buf_text(&json, i ? "," : "");
        for (const char *p = row; *p; p++) {
            if (*p == '#')
                buf_printf(&json, "%d", i + 1);
            else if (*p == '@' || *p == '$')
                words(&json, (unsigned)i * 7 + 1, *p == '@' ? 5 : 22);
            else
                buf_char(&json, *p);
        }
    }
    buf_text(&json, tail);
    if (fake_terminal_asked(g, method))
        fake_terminal_answer(g, method, json.data);
}

static void chat_line(struct fake_terminal *g, int seq)
{
    AUTO(buf_free) struct buf json = {0};
    buf_printf(&json,
               "{\"message_id\":\"m%d\",\"seq\":%d,\"room\":null,\"user_id\":\"u2\",\"name\":\"Lena\",\"text\":\"", seq,
               seq);
    words(&json, (unsigned)seq, 4 + seq % 9);
    buf_text(&json, "\",\"at\":\"2026-11-23T14:05:00Z\",\"expires_at\":\"2026-11-23T15:05:00Z\"}");
    fake_terminal_notification(g, "chat.message", json.data);
}

static void fill(struct fake_terminal *g)
{
    fake_terminal_open(g, "student");
    fake_terminal_answer(g, "chat.join",
                         "{\"room\":null,\"ttl_seconds\":3600,\"messages\":[],\"more\":false,\"online\":11}");
    for (int i = 1; i <= PLENTY; i++)
        chat_line(g, i);
    ui_open(&g->ui, PANE_MEMORY);
    answer(g, "memory.status", "{\"enabled\":true,\"provider\":\"builtin\",\"reachable\":true,\"facts\":60}", "", 0,
           "");
    answer(g, "memory.list", "{\"items\":[",
           "{\"fact_id\":\"f#\",\"fact\":\"searched for @\",\"source\":\"search\",\"at\":\"2026-11-20T14:02:00Z\"}",
           PLENTY, "],\"next_cursor\":null}");
    answer(g, "memory.access_log", "{\"items\":[],\"next_cursor\":null}", "", 0, "");
    ui_open(&g->ui, PANE_LIBRARY);
    answer(g, "library.list", "{\"items\":[",
           "{\"pdf_id\":\"d#\",\"title\":\"@\",\"pages\":#,\"created_at\":\"2026-09-12T08:00:00Z\",\"indexed_at\":"
           "\"2026-09-12T08:00:00Z\"}",
           PLENTY, "],\"next_cursor\":null}");
    ui_open(&g->ui, PANE_SEARCH);
    fake_terminal_enter(g, "energy");
    answer(g, "search.query", "{\"query\":\"energy\",\"took_ms\":3,\"results\":[",
           "{\"chunk_id\":\"c#\",\"pdf_id\":\"d#\",\"title\":\"@\",\"page\":#,\"heading\":\"Part "
           "#\",\"snippet\":\"$\",\"highlights\":[[3,9],[20,31]]}",
           PLENTY, "]}");
}

/* The keys of a sitting: through every pane, down and up its list, help and back. */
static int keys_of(const char **keys)
{
    static const char *const panes[] = {"m", "s", "c", "l"};
    static const char *const around[] = {"End", "Home", "PgDn", "PgDn", "PgUp", "End", "Up",  "Up",
                                         "?",   "Down", "Esc",  ":",    "m",    "Esc", "Home"};
    int count = 0;
    keys[count++] = "Esc";
    for (size_t p = 0; p < COUNT_OF(panes); p++) {
        keys[count++] = "g";
        keys[count++] = panes[p];
        if (*panes[p] == 'c')
            keys[count++] = "Tab";
        for (int i = 0; i < 30; i++)
            keys[count++] = *panes[p] == 'c' ? "Up" : "Down";
        for (int i = 0; i < 20; i++)
            keys[count++] = *panes[p] == 'c' ? "Down" : "Up";
        for (size_t i = 0; i < COUNT_OF(around); i++)
            keys[count++] = around[i];
    }
    return count;
}

static void step(struct fake_terminal *g, const char *key)
{
    if (key)
        fake_terminal_key(g, key);
    *g->ui.notice = 0;
    ui_draw(&g->ui);
}

_Noreturn static void child(struct fake_terminal *g, const struct terminal *t, const char **keys, int count)
{
    struct err err = {0};
    setenv("TERM", t->name, 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    if (!screen_start(&err))
        _exit(9);
    screen_theme(t->theme);
    for (int i = -1; i < count; i++) {
        step(g, i < 0 ? NULL : keys[i]);
        screen_show(&g->ui.sheet);
        screen_write("\033]9;\007", 5);
    }
    screen_stop();
    _exit(0);
}

/* Feeds the fake_terminal until the child has come as far as `marks`; the bytes that were sent for it. */
static size_t read_until(int fd, struct vt *vt, int marks)
{
    char bytes[8192];
    size_t sum = 0;
    while (vt->marks < marks) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, WAIT_MS) <= 0)
            fail_msg("nothing came");
        ssize_t n = read(fd, bytes, 1); /* one by one: the child runs ahead, and its next picture is not this one's */
        if (n <= 0)
            fail_msg("the terminal was closed");
        sum += (size_t)n;
        vt_feed(vt, bytes, (size_t)n);
    }
    if (*vt->wrong)
        fail_msg("the terminal does not know %s", vt->wrong);
    return sum > 5 ? sum - 5 : 0;
}

static void compare(const struct fake_terminal *g, const struct vt *vt, const struct terminal *t, const char *key,
                    int number)
{
    const struct sheet *s = &g->ui.sheet;
    for (int y = 0; y < s->rows; y++) {
        for (int x = 0; x < s->cols; x++) {
            const struct cell *want = s->cells + (size_t)y * (size_t)s->cols + x;
            const struct vt_cell *seen = vt->cells + (size_t)y * (size_t)s->cols + x;
            struct style style = theme_style(t->theme, want->width ? (enum role)want->role : ROLE_TEXT);
            bool blank = want->text == ' ';
            bool same = (want->width ? want->text : 0) == seen->text;
            if (same && want->width)
                same = seen->style.reverse == ((style.flags & STYLE_REVERSE) != 0) &&
                       seen->style.underline == ((style.flags & STYLE_UNDERLINE) != 0) &&
                       (blank ||
                        (seen->style.bold == ((style.flags & STYLE_BOLD) != 0) && seen->style.color == style.color));
            if (!same)
                fail_msg("%s, key %d (%s), row %d column %d: U+%04X instead of U+%04X, or in another style", t->name,
                         number, key, y, x, seen->text, want->text);
        }
    }
    if (vt->y != s->cursor_y || vt->x != s->cursor_x)
        fail_msg("%s, key %d (%s): the cursor is at %d,%d, not at %d,%d", t->name, number, key, vt->y, vt->x,
                 s->cursor_y, s->cursor_x);
}

/* Letters in rows of the body that stood nowhere before, whatever marks the chosen one: they have to be sent. */
static size_t new_letters(const struct sheet *s, char (*before)[STEP_BYTES])
{
    size_t sum = 0;
    char now[24][STEP_BYTES];
    for (int y = 0; y < 24; y++) {
        AUTO(buf_free) struct buf row = {0};
        bool old = y >= 22;
        canvas_row(s, y, &row);
        const char *text = row.data ? row.data : "", *sign = theme_glyph(s->ascii, GLYPH_CURSOR);
        bool chosen = strncmp(text, sign, strlen(sign)) == 0;
        snprintf(now[y], sizeof now[y], "%s%.*s", chosen ? " " : "", STEP_BYTES - 8,
                 text + (chosen ? strlen(sign) : 0));
        for (int i = 0; i < 24; i++)
            old = old || strcmp(now[y], before[i]) == 0;
        sum += old ? 0 : strlen(now[y]);
    }
    memcpy(before, now, sizeof now);
    return sum;
}

struct cost {
    size_t bytes, letters; /* sent; and those of them that say something new */
};

/* Plays the sitting on a terminal of this kind. */
static void play(const struct terminal *t, const char **keys, int count, struct cost *costs)
{
    struct fake_terminal g;
    struct vt vt;
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    char before[24][STEP_BYTES] = {{0}};
    int fd, status = 0;
    fill(&g);
    g.ui.sheet.ascii = t->ascii;
    pid_t pid = forkpty(&fd, NULL, NULL, &size);
    assert_true(pid >= 0);
    if (pid == 0)
        child(&g, t, keys, count);
    vt_start(&vt, 24, 80);
    for (int i = -1; i < count; i++) {
        step(&g, i < 0 ? NULL : keys[i]);
        struct cost cost = {read_until(fd, &vt, i + 2), new_letters(&g.ui.sheet, before)};
        if (i >= 0)
            costs[i] = cost;
        compare(&g, &vt, t, i < 0 ? "none" : keys[i], i);
    }
    while (read(fd, &(char){0}, 1) > 0)
        continue;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(fd);
    vt_stop(&vt);
    fake_terminal_stop(&g);
}

static void every_terminal_shows_what_was_drawn(void **state)
{
    (void)state;
    static const struct terminal terminals[] = {
        {"xterm-256color", false, THEME_DARK}, {"screen-256color", false, THEME_LIGHT},
        {"tmux-256color", false, THEME_DARK},  {"linux", true, THEME_16},
        {"vt100", true, THEME_MONO},
    };
    const char *keys[STEPS];
    struct cost costs[STEPS];
    int count = keys_of(keys);
    for (size_t i = 0; i < COUNT_OF(terminals); i++)
        play(&terminals[i], keys, count, costs);
}

/* Also one that scrolls: the terminal moves the rows that stay. Where a row of the list is several lines of text
 * that was not there before, that text comes on top. */
static void a_move_costs_few_bytes(void **state)
{
    (void)state;
    const struct terminal t = {"xterm-256color", false, THEME_DARK};
    const char *keys[STEPS], *pane = "";
    struct cost costs[STEPS];
    int count = keys_of(keys);
    play(&t, keys, count, costs);
    for (int i = 1; i < count; i++) {
        if (strcmp(keys[i - 1], "g") == 0)
            pane = keys[i];
        if (strcmp(keys[i], "Up") != 0 && strcmp(keys[i], "Down") != 0)
            continue;
        size_t most = MOVE_BYTES + (strchr("sc", *pane) ? costs[i].letters : 0);
        if (costs[i].bytes > most)
            fail_msg("in pane %s key %d (%s) cost %zu bytes, %zu of them new letters", pane, i, keys[i], costs[i].bytes,
                     costs[i].letters);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_terminal_shows_what_was_drawn),
        cmocka_unit_test(a_move_costs_few_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
