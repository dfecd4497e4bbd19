/* ui.h - the whole client without a terminal and without a socket: panes, frame, questions, help, `:`.
 *
 * The host (app.c, or a test) feeds it keys, replies, notifications and the time, and draws its sheet; what it
 * wants done leaves through struct ui_host. One thread.
 */
#ifndef TUI_UI_H
#define TUI_UI_H

#include <time.h>

#include "tui/completion.h"
#include "tui/view.h"
#include "tui/widgets/list.h"

struct ui_host {
    void *context;
    uint64_t (*request)(void *context, const char *method, const char *params);
    void (*cancel)(void *context, uint64_t call);
    void (*copy)(void *context, const char *text);
    bool (*write_file)(void *context, const char *path, const char *text, char *said, size_t size);
    void (*connect)(void *context); /* try now */
    void (*trust)(void *context, bool yes);
    void (*login)(void *context, const char *token); /* the next handshakes carry it; NULL: none */
    void (*redraw)(void *context);
    void (*suspend)(void *context);
    void (*theme)(void *context, const char *name);
    void (*leave)(void *context);
};

enum ui_link { UI_OFF, UI_CONNECTING, UI_ONLINE, UI_LOST, UI_UNTRUSTED };
enum ui_size { UI_TOO_SMALL, UI_TINY, UI_SMALL, UI_NARROW, UI_NORMAL, UI_WIDE };
enum { UI_CALLS = 96, UI_PATHS = 200 };

struct ui_call {
    uint64_t id;
    struct view *view; /* NULL: the frame's own */
    int tag, tries;
    int64_t since, retry_at;
    const char *doing; /* "Searching"; NULL: nothing is said */
    char *method, *params;
};

enum ui_question { UI_ASK_NONE, UI_ASK_YES, UI_ASK_TEXT, UI_ASK_FILE, UI_ASK_PASSWORD, UI_ASK_CHOICE };

struct ui_choice {
    char *label, *value;
};

struct ui_overlay { /* help, `:`'s list, a choice, a record: text over the body */
    enum { OVER_NONE, OVER_HELP, OVER_COMMAND, OVER_GO, OVER_CHOICE, OVER_TEXT, OVER_BARE } kind;
    struct list list;
    struct field find; /* help: what is searched; command: the line */
    bool finding;
    char *title, *text; /* OVER_TEXT */
};

struct ui {
    struct ui_host host;
    struct keymap map;
    struct sheet sheet;
    int rows, cols;
    enum ui_size size;
    int64_t now; /* ms, monotonic */
    time_t wall;

    char name[96], user_id[48], school_number[64], role[12], avatar[24], server[96], address[288], memory[12];
    bool plain, logged_in, has_token, secure;
    int64_t query_most, chat_most, upload_most, message_most;
    double tokens, tokens_most, tokens_per_ms; /* requests left, counted here */
    int64_t tokens_at, limited_until;
    cJSON *methods; /* rpc.discover's, or NULL while unknown */

    enum ui_link link;
    int64_t retry_at, lost_at;
    unsigned tries;
    char fingerprint[65], pinned[65];

    struct view *views[PANE_COUNT];
    enum pane open, before;
    char notice[400];
    enum role notice_role;
    int64_t notice_until; /* 0: until the next key */

    enum ui_question asking;
    struct view *asking_view;
    int ask_tag;
    char ask_text[240], ask_word[16];
    struct field ask_field;
    struct ui_choice *choices;
    size_t choice_count;
    char *paths[UI_PATHS]; /* UI_ASK_FILE: the names that fit what is typed */
    size_t path_count;
    struct list path_list; /* count 0: none is chosen */

    struct ui_overlay over;
    int64_t go_at;  /* when g was pressed; 0: not */
    char find[200]; /* what / looked for */
    char *copied;
    bool bare;            /* v: what would be copied is shown instead, without margins */
    const char *argument; /* of the command under way; NULL: the view asks */

    struct completion completion; /* for `:`, of this person's replies */
    cJSON *drafts;                /* from an earlier run, until their owner logs in */
    struct ui_call calls[UI_CALLS];
};

void ui_start(struct ui *ui, const struct ui_host *host, int rows, int cols);
void ui_stop(struct ui *ui);
void ui_resize(struct ui *ui, int rows, int cols);

/* The host's side. */
void ui_keys_press(struct ui *ui, const struct key *key);
void ui_reply(struct ui *ui, uint64_t call, const cJSON *result, const struct err *err);
void ui_notification(struct ui *ui, const char *method, const cJSON *params);
void ui_link(struct ui *ui, enum ui_link link, const struct err *why);
int ui_tick(struct ui *ui);  /* to be called when the time has changed; ms until the next is due, -1: never */
void ui_draw(struct ui *ui); /* onto ui->sheet */
bool ui_unsent(const struct ui *ui);

/* The views' side. */
uint64_t ui_call(struct view *view, int tag, const char *method, char *params /* taken; NULL: none */,
                 const char *doing);
/* `members` are words "name:type": s text (NULL: left out), i int64_t, b int. */
uint64_t ui_callf(struct view *view, int tag, const char *method, const char *doing, const char *members, ...);
void ui_forget(struct view *view, int tag);    /* replies with this tag are no longer wanted */
bool ui_keys_stop(struct view *view, int tag); /* asks the server to; its reply still comes */
bool ui_running(const struct ui *ui, const struct view *view, int tag);
bool ui_can(const struct ui *ui, const char *method);
void ui_say(struct ui *ui, enum role role, const char *format, ...) PRINTF_LIKE(3, 4);
void ui_error(struct ui *ui, const struct err *err);
void ui_open(struct ui *ui, enum pane pane);
void ui_back(struct ui *ui);
bool ui_visible(const struct ui *ui, enum pane pane);
bool ui_front(const struct view *view); /* it is the open pane and nothing lies over it */
bool ui_focus(const struct view *view); /* so the cursor is its own */
bool ui_teacher(const struct ui *ui);
bool ui_admin(const struct ui *ui);
void ui_copy(struct ui *ui, const char *text);
void ui_logged_in(struct ui *ui, const cJSON *user);
void ui_logged_out(struct ui *ui, const char *sentence);          /* NULL: nothing is said */
cJSON *ui_drafts(struct ui *ui);                                  /* what was typed and not sent; the caller's */
void ui_restore(struct ui *ui, const cJSON *drafts);              /* at the next login of the same person */
bool ui_found(const struct ui *ui, const char *text);             /* whether it holds what / looked for */
void ui_text(struct ui *ui, const char *title, const char *text); /* a record over the body, closed by Esc */
void ui_keys_act(struct ui *ui, enum action action, const struct key *key);
struct view *ui_view(struct ui *ui, enum pane pane); /* made where it is not yet */

/* Questions in the key row. The answer comes to the view's `answer`. */
void ui_ask_yes(struct view *view, int tag, const char *format, ...) PRINTF_LIKE(3, 4);
void ui_ask_word(struct view *view, int tag, const char *word, const char *format, ...) PRINTF_LIKE(4, 5);
void ui_ask_text(struct view *view, int tag, const char *prompt, const char *initial);
void ui_ask_file(struct view *view, int tag, const char *prompt, const char *initial);
void ui_ask_password(struct view *view, int tag, const char *prompt);
/* A list to choose from; add the entries, then show it. The answer is the value. */
void ui_ask_option(struct ui *ui, const char *label, const char *value);
void ui_ask_choice(struct view *view, int tag, const char *title);

/* Between panes. */
void reader_open(struct ui *ui, const char *pdf_id, int page, const char *const *chunk_ids, size_t count,
                 const char *from);
void search_open(struct ui *ui, const char *query);

#endif
