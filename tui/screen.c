/* screen.c - the terminal itself: the one file that knows ncurses. */
#include "tui/screen.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

enum { STACK = 65536 };

static SCREEN *terminal;
static struct termios before;
static bool have_before, utf8, plain_terminal, running;
static attr_t attributes[ROLE_COUNT];
static short pairs[ROLE_COUNT];
static int cursor_shown = -1;
static char rescue[256]; /* what a crash writes: prepared, for a handler may not build it */
static size_t rescue_length;
static unsigned char crash_stack[STACK];
static const char paste_on[] = "\033[?2004h", paste_off[] = "\033[?2004l";

static void crashed(int number)
{
    if (running) {
        if (write(STDOUT_FILENO, rescue, rescue_length) < 0)
            running = false;
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    }
    signal(number, SIG_DFL);
    raise(number);
}

static void add_rescue(const char *bytes)
{
    size_t length = bytes && bytes != (char *)-1 ? strlen(bytes) : 0;
    if (rescue_length + length < sizeof rescue) {
        memcpy(rescue + rescue_length, length ? bytes : "", length);
        rescue_length += length;
    }
}

static void catch_crashes(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    stack_t stack = {.ss_sp = crash_stack, .ss_size = sizeof crash_stack};
    struct sigaction action = {.sa_handler = crashed, .sa_flags = (int)(SA_ONSTACK | SA_RESETHAND)};
    rescue_length = 0;
    if (!plain_terminal)
        add_rescue(paste_off);
    add_rescue(tigetstr("sgr0"));
    add_rescue(tigetstr("cnorm"));
    add_rescue(tigetstr("rmcup"));
    add_rescue("\r\n");
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
}

/* Terminals that know neither bracketed paste nor our glyphs. */
static bool is_plain(const char *term)
{
    static const char *const names[] = {"linux", "vt100", "vt102", "vt220", "dumb", "ansi"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(term, names[i]) == 0)
            return true;
    return false;
}

static void modes(void)
{
    raw();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    typeahead(-1);
    leaveok(stdscr, FALSE);
    scrollok(stdscr, FALSE);
}

bool screen_start(struct err *err)
{
    const char *term = getenv("TERM");
    if (!term || !*term || strcmp(term, "dumb") == 0)
        return err_say(err, ERR_INVALID_PARAMS, "This terminal can't show screens. Use edurag --plain.");
    setlocale(LC_CTYPE, "");
    utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    plain_terminal = is_plain(term);
    unsetenv("LINES"); /* they would freeze the size */
    unsetenv("COLUMNS");
    have_before = tcgetattr(STDIN_FILENO, &before) == 0;
    terminal = newterm(NULL, stdout, stdin);
    if (!terminal)
        return err_say(err, ERR_INVALID_PARAMS, "The terminal type %s is not known here. Use edurag --plain.", term);
    set_term(terminal);
    set_escdelay(25);
    modes();
    if (has_colors()) {
        start_color();
        use_default_colors();
    }
    catch_crashes();
    if (!plain_terminal)
        screen_write(paste_on, sizeof paste_on - 1);
    cursor_shown = -1;
    running = true;
    return true;
}

void screen_stop(void)
{
    if (!running)
        return;
    running = false;
    if (!plain_terminal)
        screen_write(paste_off, sizeof paste_off - 1);
    curs_set(1);
    endwin();
    if (have_before)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    delscreen(terminal);
    terminal = NULL;
}

int screen_colors(void)
{
    return has_colors() ? COLORS : 0;
}

bool screen_ascii(void)
{
    return !utf8 || plain_terminal;
}

void screen_theme(enum theme theme)
{
    for (int role = 0; role < ROLE_COUNT; role++) {
        struct style style = theme_style(theme, (enum role)role);
        pairs[role] = 0;
        attributes[role] = (style.flags & STYLE_BOLD ? A_BOLD : A_NORMAL) |
                           (style.flags & STYLE_UNDERLINE ? A_UNDERLINE : A_NORMAL) |
                           (style.flags & STYLE_REVERSE ? A_REVERSE : A_NORMAL);
        if (style.color >= 0 && style.color < screen_colors()) {
            init_pair((short)(role + 1), style.color, -1);
            pairs[role] = (short)(role + 1);
        }
    }
}

void screen_size(int *rows, int *cols)
{
    struct winsize size = {0};
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col;
    *rows = known ? size.ws_row : 24;
    *cols = known ? size.ws_col : 80;
}

void screen_resize(int rows, int cols)
{
    if (rows != LINES || cols != COLS)
        resizeterm(rows, cols);
}

static void put_cell(int y, int x, const struct cell *cell)
{
    wchar_t text[5] = {(wchar_t)cell->text, 0};
    cchar_t shown;
    for (int i = 0; i < 3 && cell->marks[i] && utf8; i++)
        text[i + 1] = (wchar_t)cell->marks[i];
    if (cell->text >= 0x80 && !utf8)
        text[0] = L'?';
    setcchar(&shown, text, attributes[cell->role], pairs[cell->role], NULL);
    mvadd_wch(y, x, &shown);
    if (!utf8 && cell->width == 2)
        mvaddch(y, x + 1, ' ');
}

void screen_show(const struct sheet *sheet)
{
    erase();
    for (int y = 0; y < sheet->rows && y < LINES; y++) {
        const struct cell *row = sheet->cells + (size_t)y * (size_t)sheet->cols;
        for (int x = 0; x < sheet->cols && x < COLS; x++)
            if (row[x].width && (row[x].text != ' ' || attributes[row[x].role] != A_NORMAL || pairs[row[x].role]))
                put_cell(y, x, &row[x]);
    }
    if (cursor_shown != (int)sheet->cursor_shown) {
        cursor_shown = sheet->cursor_shown;
        curs_set(cursor_shown);
    }
    move(sheet->cursor_y < LINES ? sheet->cursor_y : LINES - 1, sheet->cursor_x < COLS ? sheet->cursor_x : COLS - 1);
    refresh();
}

void screen_redraw(void)
{
    redrawwin(stdscr);
}

void screen_suspend(void)
{
    if (!plain_terminal)
        screen_write(paste_off, sizeof paste_off - 1);
    curs_set(1);
    endwin();
    if (have_before)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    kill(0, SIGSTOP); /* the whole job, as the terminal would */
    modes();
    if (!plain_terminal)
        screen_write(paste_on, sizeof paste_on - 1);
    cursor_shown = -1;
    redrawwin(stdscr);
}

void screen_write(const char *bytes, size_t length)
{
    fflush(stdout);
    while (length) {
        ssize_t n = write(STDOUT_FILENO, bytes, length);
        if (n <= 0 && errno != EINTR)
            return;
        if (n > 0) {
            bytes += n;
            length -= (size_t)n;
        }
    }
}
