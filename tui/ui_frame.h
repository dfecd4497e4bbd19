/* ui_frame.h - the parts of ui.h among themselves: questions, help, the command line, the frame. */
#ifndef TUI_UI_FRAME_H
#define TUI_UI_FRAME_H

#include "tui/ui.h"

/* Moves a list by an action; false where the action is none of movement. */
bool ui_keys_move(struct ui *ui, struct list *list, enum action action, int page);

void ui_ask_key(struct ui *ui, const struct key *key);
void ui_ask_path(const char *typed, char *out, size_t size);
size_t ui_ask_names(const char *typed, char **names, size_t most); /* each the caller's to free */
void ui_ask_complete(struct field *field);
void ui_ask_unlist(struct ui *ui);

/* Questions that the frame asks itself have negative tags. */
enum {
    UI_FRAME_FIND = -1,
    UI_FRAME_QUIT = -2,
    UI_FRAME_OLD_PASSWORD = -3,
    UI_FRAME_NEW_PASSWORD = -4,
    UI_FRAME_PLAIN = -5,
    UI_FRAME_SAVE = -6
};
enum {
    UI_FRAME_CALL_TEXT = 100,
    UI_FRAME_CALL_PASSWORD,
    UI_FRAME_CALL_PROFILE,
    UI_FRAME_CALL_LOGOUT,
    UI_FRAME_CALL_COMPLETION
};
void ui_keys_answered(struct ui *ui, int tag, const char *text);
void ui_keys_reply(struct ui *ui, int tag, const cJSON *result, const struct err *err);
void ui_frame_reply(struct ui *ui, int tag, const cJSON *result, const struct err *err);
/* The sooner of two waits in ms, -1 being never. */
int ui_sooner(int a, int64_t b);
/* What the calls under way need: to be repeated, or their seconds counted on the screen; ms until then, or -1. */
int ui_calls_tick(struct ui *ui);
uint64_t ui_frame_call(struct ui *ui, int tag, const char *method, char *params, const char *doing);
void ui_ask_frame(struct ui *ui, int tag, enum ui_question kind, const char *prompt);
int ui_keys_panes(const struct ui *ui, enum pane *out); /* the visible ones in order; their number */

void help_open(struct ui *ui);
bool help_key(struct ui *ui, const struct key *key); /* false: not for help */
void help_draw(const struct ui *ui, struct canvas c);
size_t help_rows(const struct ui *ui);

void command_open(struct ui *ui);
void command_key(struct ui *ui, const struct key *key);
void command_draw(const struct ui *ui, struct canvas body, struct canvas status, struct canvas line);

#endif
