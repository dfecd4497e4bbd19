/* app.c - the full-screen terminal: keyboard, connection, signals and clock, in one loop that never blocks. */
#include "tui/app.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/client.h"
#include "common/device.h"
#include "common/mem.h"
#include "common/state.h"
#include "tui/clipboard.h"
#include "tui/screen.h"
#include "tui/settings.h"
#include "tui/ui_frame.h"

enum { HOLES_MOST = 512 << 10 };

struct app {
    struct ui ui;
    char session[STATE_TOKEN];
    bool greeted, plain; /* somebody has logged in here; and wants lines */
    struct client *client;
    struct keys keys;
    struct settings settings;
    int signals;
    int64_t key_at; /* when the last byte of an unfinished key came */
    bool dirty, leaving, resized, suspending;
    bool hung_up, heavy; /* heavy: a reply was taken apart, and left holes in the heap */
};

/* A request under way; freed with its reply. */
struct pending {
    struct app *app;
    uint64_t id;
    char *login; /* what auth.login was asked with, else NULL */
};

static int64_t milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void set_clock(struct app *app)
{
    app->ui.now = milliseconds();
    app->ui.wall = time(NULL);
}

static void on_reply(void *user, const cJSON *result, const struct err *err)
{
    struct pending *pending = user;
    set_clock(pending->app);
    if (pending->login && result && !err)
        device_keep(client_address(pending->app->client)->name, pending->login, result);
    ui_reply(&pending->app->ui, pending->id, result, err);
    pending->app->heavy = true;
    pending->app->dirty = true;
    if (pending->login)
        mem_wipe(pending->login, strlen(pending->login));
    free(pending->login);
    free(pending);
}

static uint64_t host_request(void *context, const char *method, const char *params)
{
    struct app *app = context;
    struct pending *pending = mem_alloc(sizeof *pending);
    pending->app = app;
    if (!strcmp(method, "auth.login"))
        pending->login = device_offer(client_address(app->client)->name, params);
    pending->id = client_request(app->client, method, pending->login ? pending->login : params, 0, on_reply, pending);
    return pending->id;
}

static void host_cancel(void *context, uint64_t call)
{
    client_cancel(((struct app *)context)->client, call);
}

static void host_copy(void *context, const char *text)
{
    (void)context;
    clipboard_copy(text);
}

/* Never over a file that is there: a number is added to its name. */
static int create(const char *path, char *made, size_t size)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    size_t stem = dot && (!slash || dot > slash + 1) && dot != path ? (size_t)(dot - path) : strlen(path);
    for (int n = 1; n < 100; n++) {
        if (n == 1)
            snprintf(made, size, "%s", path);
        else
            snprintf(made, size, "%.*s-%d%s", (int)stem, path, n, path + stem);
        int file = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (file >= 0 || errno != EEXIST)
            return file;
    }
    return -1;
}

static bool host_write_file(void *context, const char *path, const char *text, char *said, size_t size)
{
    (void)context;
    char whole[1024], made[1100];
    size_t length = strlen(text);
    struct err err = {0};
    if (!state_may_use_files(&err)) {
        snprintf(said, size, "%s", err.say);
        return false;
    }
    ui_ask_path(path, whole, sizeof whole);
    int file = create(whole, made, sizeof made);
    bool done = file >= 0 && write(file, text, length) == (ssize_t)length;
    if (file >= 0 && close(file) != 0)
        done = false;
    if (done)
        snprintf(said, size, "Saved as %s.", made);
    else
        snprintf(said, size, "This could not be saved there. Choose another place.");
    return done;
}

static void host_connect(void *context)
{
    client_connect(((struct app *)context)->client);
}

static void host_trust(void *context, bool yes)
{
    struct app *app = context;
    struct err err = {0};
    if (yes && !client_trust(app->client, &err))
        ui_error(&app->ui, &err);
}

static void host_login(void *context, const char *token)
{
    struct app *app = context;
    struct err err = {0};
    client_token(app->client, token);
    snprintf(app->session, sizeof app->session, "%s", token ? token : "");
    if (!state_set("tokens", client_address(app->client)->name, token, &err) && token)
        ui_say(&app->ui, ROLE_WARN,
               "You will have to log in again next time: nothing can be kept in your home directory.");
}

static void host_redraw(void *context)
{
    screen_redraw();
    ((struct app *)context)->dirty = true;
}

static void host_suspend(void *context)
{
    ((struct app *)context)->suspending = true;
}

static void host_theme(void *context, const char *name)
{
    struct app *app = context;
    enum theme theme;
    if (!theme_find(name, &theme)) {
        ui_say(&app->ui, ROLE_TEXT, "Themes are dark, light, 16 and mono. :theme light chooses one.");
        return;
    }
    screen_theme(theme);
    ui_say(&app->ui, ROLE_TEXT, "Theme: %s. To keep it, write theme = %s into your configuration.", name, name);
}

static void host_leave(void *context)
{
    ((struct app *)context)->leaving = true;
}

static void on_state(void *user, enum client_state state, const struct err *why)
{
    struct app *app = user;
    struct ui *ui = &app->ui;
    static const enum ui_link links[] = {
        [CLIENT_OFF] = UI_OFF,      [CLIENT_CONNECTING] = UI_CONNECTING, [CLIENT_ONLINE] = UI_ONLINE,
        [CLIENT_WAITING] = UI_LOST, [CLIENT_UNTRUSTED] = UI_UNTRUSTED,
    };
    set_clock(app);
    snprintf(ui->fingerprint, sizeof ui->fingerprint, "%s", client_fingerprint(app->client));
    snprintf(ui->pinned, sizeof ui->pinned, "%s", client_pinned(app->client));
    ui->retry_at = state == CLIENT_WAITING ? ui->now + client_retry_ms(app->client) : 0;
    ui->tries = client_tries(app->client);
    /* While it tries again, what was lost stays lost. */
    bool again = state == CLIENT_CONNECTING && ui->link == UI_LOST;
    if (!again)
        ui_link(ui, links[state], why);
    app->dirty = true;
}

static void on_notification(void *user, const char *method, const cJSON *params)
{
    struct app *app = user;
    set_clock(app);
    ui_notification(&app->ui, method, params);
    app->dirty = true;
}

static void on_key(void *context, const struct key *key)
{
    struct app *app = context;
    ui_keys_press(&app->ui, key);
    app->dirty = true;
}

static void on_input(void *user)
{
    struct app *app = user;
    unsigned char bytes[4096];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
    set_clock(app);
    if (n > 0) {
        app->key_at = app->ui.now;
        keys_feed(&app->keys, bytes, (size_t)n, on_key, app);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        app->leaving = app->hung_up = true;
    }
}

static void on_signal(void *user)
{
    struct app *app = user;
    struct signalfd_siginfo info;
    while (read(app->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        switch (info.ssi_signo) {
        case SIGWINCH: app->resized = true; break;
        case SIGTSTP: app->suspending = true; break;
        case SIGCONT: app->resized = app->dirty = true; break;
        default: app->leaving = app->hung_up = true; break;
        }
    }
}

static void load_drafts(struct app *app)
{
    AUTO(mem_freep) char *path = state_path("drafts");
    FILE *file = path ? fopen(path, "re") : NULL;
    if (!file)
        return;
    AUTO(mem_freep) char *text = mem_alloc(1 << 20);
    size_t length = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    AUTO(json_freep) cJSON *drafts = json_parse(text, length, NULL);
    ui_restore(&app->ui, drafts);
    unlink(path);
}

/* What was typed and not sent outlives a hang-up. */
static void save_drafts(struct app *app)
{
    AUTO(json_freep) cJSON *drafts = app->ui.drafts ? cJSON_Duplicate(app->ui.drafts, true) : ui_drafts(&app->ui);
    AUTO(mem_freep) char *path = state_path("drafts");
    AUTO(mem_freep) char *text = cJSON_PrintUnformatted(drafts);
    bool any = json_get(drafts, "search") || cJSON_GetArraySize(json_get(drafts, "chat"));
    if (!path || !text || !any)
        return;
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file >= 0 && write(file, text, strlen(text)) < 0)
        unlink(path);
    if (file >= 0)
        close(file);
}

static void resize(struct app *app)
{
    int rows, cols;
    app->resized = false;
    screen_size(&rows, &cols);
    screen_resize(rows, cols);
    ui_resize(&app->ui, rows, cols);
    app->dirty = true;
}

static void suspend(struct app *app)
{
    app->suspending = false;
    screen_suspend();
    resize(app);
}

static int shorter(int a, int b)
{
    return a < 0 ? b : b < 0 ? a : a < b ? a : b;
}

/* A large reply is taken apart into many small pieces, most of which are free again: they go back. */
static void sanitize_heap(struct app *app)
{
    app->heavy = false;
    if (mallinfo2().fordblks > HOLES_MOST)
        malloc_trim(0);
}

/* The setting counts from a login on, not in the middle of a session. */
static bool wants_plain(struct app *app)
{
    if (app->ui.logged_in && !app->greeted) {
        app->greeted = true;
        app->plain = app->ui.plain;
    }
    return app->plain;
}

static void loop(struct app *app)
{
    while (!app->leaving && !wants_plain(app)) {
        set_clock(app);
        if (keys_wait(&app->keys) >= 0 && app->ui.now - app->key_at >= keys_wait(&app->keys)) {
            keys_rest(&app->keys, on_key, app);
            continue;
        }
        if (app->suspending)
            suspend(app);
        if (app->resized)
            resize(app);
        int wait = ui_tick(&app->ui);
        if (app->dirty) {
            app->dirty = false;
            ui_draw(&app->ui);
            screen_show(&app->ui.sheet);
            if (app->heavy)
                sanitize_heap(app);
        }
        if (keys_wait(&app->keys) >= 0)
            wait = shorter(wait, (int)(app->key_at + keys_wait(&app->keys) - app->ui.now));
        int64_t before = app->ui.now;
        client_service(app->client, wait);
        set_clock(app);
        if (wait >= 0 && app->ui.now - before >= wait)
            app->dirty = true; /* something on the screen counts */
    }
}

static bool watch_signals(struct app *app)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    sigaddset(&set, SIGTSTP);
    sigaddset(&set, SIGCONT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return false;
    app->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return app->signals >= 0;
}

static bool start(struct app *app, const struct app_settings *settings, struct err *err)
{
    struct client_options options = {.url = settings->server,
                                     .token = settings->token,
                                     .reconnect = true,
                                     .user = app,
                                     .on_state = on_state,
                                     .on_notification = on_notification};
    const struct ui_host host = {
        .context = app,
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
    int rows, cols;
    app->client = client_new(&options, err);
    if (!app->client || !watch_signals(app) || !screen_start(err))
        return false;
    screen_size(&rows, &cols);
    ui_start(&app->ui, &host, rows, cols);
    settings_read(&app->settings, &app->ui.map);
    if (*app->settings.wrong)
        ui_say(&app->ui, ROLE_WARN, "%s", app->settings.wrong);
    screen_theme(theme_choose(settings->theme ? settings->theme : app->settings.theme, getenv("EDURAG_THEME"),
                              getenv("NO_COLOR"), screen_colors()));
    const char *glyphs = settings->glyphs ? settings->glyphs : app->settings.glyphs;
    app->ui.sheet.ascii = *glyphs ? strcmp(glyphs, "ascii") == 0 : screen_ascii();
    app->ui.has_token = settings->token != NULL;
    snprintf(app->session, sizeof app->session, "%s", settings->token ? settings->token : "");
    app->ui.secure = client_address(app->client)->tls;
    snprintf(app->ui.address, sizeof app->ui.address, "%s", client_address(app->client)->name);
    snprintf(app->ui.school_number, sizeof app->ui.school_number, "%s",
             settings->institution_id ? settings->institution_id : "");
    load_drafts(app);
    client_watch(app->client, STDIN_FILENO, on_input, app);
    client_watch(app->client, app->signals, on_signal, app);
    client_connect(app->client);
    return true;
}

int app_run(const struct app_settings *settings)
{
    struct app *app = mem_alloc(sizeof *app);
    struct err err = {0};
    bool started = start(app, settings, &err);
    app->dirty = true;
    if (started) {
        loop(app);
        save_drafts(app);
        if (app->hung_up)
            client_unwatch(app->client, STDIN_FILENO);
    }
    screen_stop();
    if (!started)
        fprintf(stderr, "edurag: %s\n", err_sentence(&err));
    if (started)
        ui_stop(&app->ui);
    client_free(app->client);
    keys_free(&app->keys);
    int code = !started ? 1 : app->plain ? APP_PLAIN : 0;
    if (settings->session)
        memcpy(settings->session, app->session, sizeof app->session);
    mem_wipe(app->session, sizeof app->session);
    free(app);
    return code;
}
