/* ui_ask.c - questions in the key row: y/n, a typed word, a line, a file, a choice. */
#include <dirent.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/mem.h"
#include "common/state.h"
#include "tui/ui_frame.h"

void ui_ask_frame(struct ui *ui, int tag, enum ui_question kind, const char *text)
{
    struct err err = {0};
    if (kind == UI_ASK_FILE && !state_may_use_files(&err)) {
        ui_say(ui, ROLE_WARN, "%s", err.say);
        return;
    }
    ui->asking_view = NULL;
    ui->ask_tag = tag;
    ui->asking = kind;
    *ui->ask_word = 0;
    ui->over.kind = OVER_NONE;
    ui->go_at = 0;
    snprintf(ui->ask_text, sizeof ui->ask_text, "%s", text);
    ui_ask_unlist(ui);
    field_free(&ui->ask_field);
    ui->ask_field.masked = kind == UI_ASK_PASSWORD;
}

static void ask(struct view *view, int tag, enum ui_question kind, const char *text)
{
    ui_ask_frame(view->ui, tag, kind, text);
    view->ui->asking_view = view;
}

void ui_ask_yes(struct view *view, int tag, const char *format, ...)
{
    char line[sizeof view->ui->ask_text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    ask(view, tag, UI_ASK_YES, line);
}

void ui_ask_word(struct view *view, int tag, const char *word, const char *format, ...)
{
    char line[sizeof view->ui->ask_text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    ask(view, tag, UI_ASK_TEXT, line);
    snprintf(view->ui->ask_word, sizeof view->ui->ask_word, "%s", word);
}

void ui_ask_text(struct view *view, int tag, const char *prompt, const char *initial)
{
    ask(view, tag, UI_ASK_TEXT, prompt);
    field_set(&view->ui->ask_field, initial);
}

void ui_ask_password(struct view *view, int tag, const char *prompt)
{
    ask(view, tag, UI_ASK_PASSWORD, prompt);
}

static void clear_choices(struct ui *ui)
{
    for (size_t i = 0; i < ui->choice_count; i++) {
        free(ui->choices[i].label);
        free(ui->choices[i].value);
    }
    free(ui->choices);
    ui->choices = NULL;
    ui->choice_count = 0;
}

void ui_ask_option(struct ui *ui, const char *label, const char *value)
{
    ui->choices = mem_grow(ui->choices, ui->choice_count + 1, sizeof *ui->choices);
    ui->choices[ui->choice_count++] = (struct ui_choice){mem_dup(label), mem_dup(value)};
}

void ui_ask_choice(struct view *view, int tag, const char *title)
{
    struct ui *ui = view->ui;
    ask(view, tag, UI_ASK_CHOICE, title);
    ui->over.kind = OVER_CHOICE;
    ui->over.list = (struct list){.count = ui->choice_count};
}

static void done(struct ui *ui, const char *text)
{
    AUTO(mem_freep) char *copy = mem_dup(text);
    struct view *asking_view = ui->asking_view;
    ui->asking = UI_ASK_NONE;
    if (ui->over.kind == OVER_CHOICE)
        ui->over.kind = OVER_NONE;
    ui->asking_view = NULL;
    ui_ask_unlist(ui);
    field_free(&ui->ask_field);
    clear_choices(ui);
    if (!asking_view)
        ui_keys_answered(ui, ui->ask_tag, copy);
    else if (asking_view->class->answer)
        asking_view->class->answer(asking_view, ui->ask_tag, copy);
    if (copy)
        mem_wipe(copy, strlen(copy));
}

/* ---- paths: `~` is the home directory; Tab adds what all fitting names share ---- */

/* The field begins with "~/": a whole path typed or pasted behind that begins anew, as in Emacs. */
static const char *last_start(const char *typed)
{
    const char *start = typed;
    for (const char *p = typed; *p; p++)
        if (p[0] == '/' && (p[1] == '/' || p[1] == '~'))
            start = p + 1;
    return start;
}

void ui_ask_path(const char *typed, char *out, size_t size)
{
    const char *home = getenv("HOME");
    typed = last_start(typed);
    if (typed[0] == '~' && (typed[1] == '/' || !typed[1]) && home)
        snprintf(out, size, "%s%s", home, typed + 1);
    else
        snprintf(out, size, "%s", typed);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in the directory of `typed` that begin as its last part does; directories end in '/'. */
size_t ui_ask_names(const char *typed, char **names, size_t most)
{
    if (state_shared())
        return 0;
    char path[PATH_MAX];
    ui_ask_path(typed, path, sizeof path);
    char *slash = strrchr(path, '/');
    const char *prefix = slash ? slash + 1 : path;
    char directory[PATH_MAX] = ".";
    if (slash)
        snprintf(directory, sizeof directory, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    DIR *dir = opendir(directory);
    size_t count = 0;
    for (struct dirent *entry; dir && count < most && (entry = readdir(dir));) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 || (entry->d_name[0] == '.' && prefix[0] != '.'))
            continue;
        AUTO(mem_freep) char *whole = mem_printf("%s/%s", directory, entry->d_name);
        struct stat info;
        bool folder = stat(whole, &info) == 0 && S_ISDIR(info.st_mode);
        names[count++] = mem_printf("%s%s", entry->d_name, folder ? "/" : "");
    }
    if (dir)
        closedir(dir);
    qsort(names, count, sizeof *names, by_name);
    return count;
}

void ui_ask_complete(struct field *field)
{
    char *names[UI_PATHS];
    const char *typed = field_text(field);
    size_t count = ui_ask_names(typed, names, UI_PATHS);
    if (count) {
        size_t shared = strlen(names[0]);
        for (size_t i = 1; i < count; i++) {
            size_t same = 0;
            while (same < shared && names[i][same] == names[0][same])
                same++;
            shared = same;
        }
        const char *slash = strrchr(typed, '/');
        size_t keep = slash ? (size_t)(slash - typed) + 1 : 0;
        AUTO(mem_freep) char *whole = mem_printf("%.*s%.*s", (int)keep, typed, (int)shared, names[0]);
        field_set(field, whole);
    }
    for (size_t i = 0; i < count; i++)
        free(names[i]);
}

void ui_ask_unlist(struct ui *ui)
{
    for (size_t i = 0; i < ui->path_count; i++)
        free(ui->paths[i]);
    ui->path_count = 0;
    ui->path_list = (struct list){0};
}

/* The names that fit, over the body; none of them is chosen until Up or Down does. */
static void list_paths(struct ui *ui)
{
    ui_ask_unlist(ui);
    ui->path_count = ui_ask_names(field_text(&ui->ask_field), ui->paths, UI_PATHS);
}

void ui_ask_file(struct view *view, int tag, const char *prompt, const char *initial)
{
    struct err err = {0};
    if (!state_may_use_files(&err)) {
        ui_say(view->ui, ROLE_WARN, "%s", err.say);
        return;
    }
    ask(view, tag, UI_ASK_FILE, prompt);
    field_set(&view->ui->ask_field, initial);
    list_paths(view->ui);
}

static void choose_path(struct ui *ui, int step)
{
    if (ui->path_list.count)
        list_move(&ui->path_list, step, NULL, NULL);
    else if (ui->path_count)
        ui->path_list = (struct list){.count = ui->path_count, .selected = step > 0 ? 0 : ui->path_count - 1};
}

/* The chosen name takes the place of what was typed of it. */
static void take_path(struct ui *ui)
{
    const char *typed = field_text(&ui->ask_field), *slash = strrchr(typed, '/');
    AUTO(mem_freep)
    char *whole = mem_printf("%.*s%s", slash ? (int)(slash - typed) + 1 : 0, typed, ui->paths[ui->path_list.selected]);
    field_set(&ui->ask_field, whole);
    list_paths(ui);
}

static void answer_line(struct ui *ui)
{
    const char *text = field_text(&ui->ask_field);
    if (*ui->ask_word) {
        if (strcmp(text, ui->ask_word) == 0)
            done(ui, text);
        else
            ui_say(ui, ROLE_WARN, "Type %s and press Enter, or press Esc.", ui->ask_word);
        return;
    }
    if (ui->asking == UI_ASK_FILE) {
        char path[PATH_MAX];
        struct stat info;
        ui_ask_path(text, path, sizeof path);
        if (stat(path, &info) == 0 && S_ISDIR(info.st_mode) && text[0] && text[strlen(text) - 1] != '/') {
            field_insert(&ui->ask_field, "/", 1);
            list_paths(ui);
            return;
        }
        done(ui, path);
        return;
    }
    done(ui, text);
}

static void file_key(struct ui *ui, const struct key *key)
{
    if (key->code == KEYS_UP || key->code == KEYS_DOWN) {
        choose_path(ui, key->code == KEYS_DOWN ? 1 : -1);
        return;
    }
    if (key->code == KEYS_ENTER && !key->mods) {
        if (ui->path_list.count) {
            take_path(ui);
            const char *text = field_text(&ui->ask_field);
            if (text[0] && text[strlen(text) - 1] == '/')
                return; /* a folder is gone into */
        }
        answer_line(ui);
        return;
    }
    if (key->code == KEYS_TAB && ui->path_list.count)
        take_path(ui);
    else if (key->code == KEYS_TAB)
        ui_ask_complete(&ui->ask_field);
    else
        field_key(&ui->ask_field, key);
    list_paths(ui);
}

void ui_ask_key(struct ui *ui, const struct key *key)
{
    bool ends = key->code == KEYS_ESC ||
                (key->code == KEYS_CHAR && key->mods == KEYS_CTRL && (key->ch == 'c' || key->ch == 'd'));
    if (ends) {
        done(ui, NULL);
    } else if (ui->asking == UI_ASK_YES) {
        if (key->code == KEYS_CHAR && !key->mods && (key->ch == 'y' || key->ch == 'Y'))
            done(ui, "y");
        else if (key->code == KEYS_ENTER ||
                 (key->code == KEYS_CHAR && !key->mods && (key->ch == 'n' || key->ch == 'N')))
            done(ui, NULL);
    } else if (ui->asking == UI_ASK_CHOICE) {
        enum action action = keymap_action(&ui->map, key, ui->open, false);
        if (key->code == KEYS_ENTER && ui->choice_count)
            done(ui, ui->choices[ui->over.list.selected].value);
        else
            ui_keys_move(ui, &ui->over.list, action, ui->rows - 5);
    } else if (ui->asking == UI_ASK_FILE) {
        file_key(ui, key);
    } else if (key->code == KEYS_ENTER && !key->mods) {
        answer_line(ui);
    } else {
        field_key(&ui->ask_field, key);
    }
}
