/* command.c - the line after `:`: every action and every method by name, best match first. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "common/text.h"
#include "tui/ui_frame.h"
#include "tui/widgets/heading.h"

enum { MATCHES = 200, SHOWN = 5 };

struct entry {
    const struct keymap_row *row; /* an action, or */
    const cJSON *method;          /* a method that no action offers */
    int rank;
};

static const cJSON *method_named(const struct ui *ui, const char *name)
{
    const cJSON *entry;
    cJSON_ArrayForEach (entry, json_get(ui->methods, "methods")) {
        if (name && strcmp(json_text(entry, "name", ""), name) == 0)
            return entry;
    }
    return NULL;
}

/* The fixed words of a command, without its parameters in capitals. */
static size_t fixed_words(const char *command)
{
    size_t length = 0;
    for (const char *at = command; *at;) {
        size_t word = strcspn(at, " ");
        bool parameter = strpbrk(at, "|") && strcspn(at, "|") < word;
        if (parameter || (isupper((unsigned char)at[0]) && (word == 1 || isupper((unsigned char)at[1]))))
            break;
        length = (size_t)(at - command) + word;
        at += word + strspn(at + word, " ");
    }
    return length;
}

static bool offered(const struct ui *ui, const struct keymap_row *row)
{
    if (!row->command || !ui_can(ui, row->method))
        return false;
    for (int pane = 0; row->panes && row->panes < 1u << PANE_COUNT && pane < PANE_COUNT; pane++)
        if (row->panes & (1u << pane))
            return ui_visible(ui, (enum pane)pane);
    return true;
}

static bool allowed(const struct ui *ui, const cJSON *method)
{
    const char *access = json_text(method, "x-access", "user");
    return strcmp(access, "admin") == 0 ? ui_admin(ui) : strcmp(access, "teacher") == 0 ? ui_teacher(ui) : true;
}

/* Whether a pane or an action stands for it; who types a dot wants the method itself. */
static bool covered(const struct ui *ui, const char *method)
{
    if (strchr(field_text(&ui->over.find), '.'))
        return false;
    for (int pane = 0; pane < PANE_COUNT; pane++)
        if (ui->views[pane] && ui->views[pane]->class->needs && strcmp(ui->views[pane]->class->needs, method) == 0)
            return true;
    for (size_t i = 0; i < keymap_row_count; i++)
        if (keymap_rows[i].method && strcmp(keymap_rows[i].method, method) == 0 && offered(ui, &keymap_rows[i]))
            return true;
    return false;
}

/* 0: not; the smaller the better: begins so, has a word that begins so, holds it, holds its letters in order. */
static int rank(const char *name, const char *typed, size_t length, bool takes)
{
    while (length && typed[length - 1] == ' ')
        length--; /* the blank that Tab sets makes no other command of it */
    if (!length || strncasecmp(name, typed, length) == 0)
        return 1;
    if (takes && strlen(name) < length && strncasecmp(name, typed, strlen(name)) == 0)
        return 1; /* its parameters are being typed */
    char word[128];
    snprintf(word, sizeof word, "%.*s", (int)length, typed);
    const char *inside = strcasestr(name, word);
    if (inside)
        return inside[-1] == ' ' || inside[-1] == '.' ? 2 : 3;
    const char *at = name;
    for (size_t i = 0; i < length; i++) {
        at = strchr(at, word[i < sizeof word ? i : 0]);
        if (!at)
            return 0;
        at++;
    }
    return 4;
}

static int by_rank(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank - y->rank;
    if (!x->method != !y->method)
        return x->method ? 1 : -1;
    return x->method ? strcmp(json_text(x->method, "name", ""), json_text(y->method, "name", ""))
                     : strcmp(x->row->command, y->row->command);
}

static size_t matches(const struct ui *ui, struct entry *found)
{
    const char *typed = field_text(&ui->over.find);
    size_t count = 0, length = strlen(typed);
    for (size_t i = 0; i < keymap_row_count && count < MATCHES; i++) {
        const struct keymap_row *row = &keymap_rows[i];
        if (!offered(ui, row))
            continue;
        char name[80];
        size_t fixed = fixed_words(row->command);
        snprintf(name, sizeof name, "%.*s", (int)fixed, row->command);
        int r = rank(name, typed, length, row->command[fixed]);
        if (r)
            found[count++] = (struct entry){.row = row, .rank = r};
    }
    const cJSON *method;
    cJSON_ArrayForEach (method, json_get(ui->methods, "methods")) {
        const char *name = json_text(method, "name", "");
        size_t word = strcspn(typed, " ");
        int r = rank(name, typed, typed[word] ? word : length, true);
        if (count < MATCHES && r && *name && allowed(ui, method) && !covered(ui, name))
            found[count++] = (struct entry){.method = method, .rank = r};
    }
    qsort(found, count, sizeof *found, by_rank);
    return count;
}

static void parameter_words(const cJSON *method, struct buf *out)
{
    const cJSON *param;
    cJSON_ArrayForEach (param, json_get(method, "params")) {
        const char *name = json_text(param, "name", "");
        bool required = json_bool(param, "required", false);
        if (!required)
            continue;
        buf_char(out, ' ');
        for (const char *p = name; *p; p++)
            buf_char(out, (char)toupper((unsigned char)*p));
    }
}

void command_open(struct ui *ui)
{
    ui->over.kind = OVER_COMMAND;
    ui->over.list = (struct list){0};
    field_set(&ui->over.find, "");
    struct entry *found = mem_array(MATCHES, sizeof *found);
    ui->over.list.count = matches(ui, found);
    free(found);
}

/* A value for a parameter, by the type its schema names. */
static void parameter_value(struct buf *out, const cJSON *param, const char *value)
{
    const char *type = json_text(json_get(param, "schema"), "type", "string");
    char *end;
    double number = strtod(value, &end);
    if ((strcmp(type, "integer") == 0 || strcmp(type, "number") == 0) && !*end && *value)
        buf_json_double(out, number);
    else if (strcmp(type, "boolean") == 0)
        buf_json_bool(out, strcmp(value, "true") == 0 || strcmp(value, "yes") == 0);
    else if (strcmp(type, "array") == 0) {
        char copy[1024], *save = NULL;
        snprintf(copy, sizeof copy, "%s", value);
        buf_json_open(out, '[');
        for (char *word = strtok_r(copy, " ,", &save); word; word = strtok_r(NULL, " ,", &save))
            buf_json_string(out, word);
        buf_json_close(out, ']');
    } else {
        buf_json_string(out, value);
    }
}

/* `memory.recall what I read` -> {"query": "what I read"}: words in the order of the method's table, the
 * last one takes the rest; text in { } goes as it is. */
static char *method_params(const cJSON *method, const char *rest)
{
    struct buf out = {0};
    int count = cJSON_GetArraySize(json_get(method, "params")), i = 0;
    const cJSON *param;
    rest += strspn(rest, " ");
    if (*rest == '{') {
        buf_text(&out, rest);
        return buf_take(&out);
    }
    buf_json_open(&out, '{');
    cJSON_ArrayForEach (param, json_get(method, "params")) {
        i++;
        const cJSON *next = param->next;
        bool last = i == count || !next || !json_bool(next, "required", false);
        size_t word = last ? strlen(rest) : strcspn(rest, " ");
        if (!*rest)
            break;
        AUTO(mem_freep) char *value = mem_dupn(rest, word);
        buf_json_key(&out, json_text(param, "name", ""));
        parameter_value(&out, param, value);
        rest += word;
        rest += strspn(rest, " ");
    }
    buf_json_close(&out, '}');
    return buf_take(&out);
}

/* The parameter whose value stands at the end of the line, as method_params divides it; NULL: none yet. */
static const char *typed_parameter(const struct ui *ui, const cJSON *method, const char **value)
{
    const char *rest = field_text(&ui->over.find) + strlen(json_text(method, "name", ""));
    const cJSON *param;
    if (strncmp(field_text(&ui->over.find), json_text(method, "name", ""),
                (size_t)(rest - field_text(&ui->over.find))) != 0 ||
        *rest != ' ')
        return NULL;
    rest += strspn(rest, " ");
    cJSON_ArrayForEach (param, json_get(method, "params")) {
        bool last = !param->next || !json_bool(param->next, "required", false);
        size_t word = strcspn(rest, " ");
        if (last || !rest[word]) {
            bool many = strcmp(json_text(json_get(param, "schema"), "type", ""), "array") == 0;
            for (const char *at = rest; many && *at; at++)
                if (*at == ' ' || *at == ',')
                    rest = at + 1;
            *value = rest;
            return json_text(param, "name", "");
        }
        rest += word;
        rest += strspn(rest, " ");
    }
    return NULL;
}

/* A name becomes the id that the server wants; where nothing is known yet, the list is asked for. */
static void complete_value(struct ui *ui, const cJSON *method)
{
    static const char *const lists[][2] = {
        [COMPLETION_COURSE] = {"courses.list"},
        [COMPLETION_DOCUMENT] = {"library.list"},
        [COMPLETION_PERSON] = {"users.list", "admin.students"},
    };
    const char *typed = NULL, *value = NULL, *parameter = typed_parameter(ui, method, &typed);
    char list[200];
    if (!parameter || completion_kind_of(parameter) == COMPLETION_NOTHING)
        return;
    size_t count = completion_fitting(&ui->completion, parameter, typed, &value, list, sizeof list);
    if (count == 1) {
        const char *line = field_text(&ui->over.find);
        AUTO(mem_freep) char *whole = mem_printf("%.*s%s", (int)(typed - line), line, value);
        field_set(&ui->over.find, whole);
    } else if (!count) {
        const char *const *names = lists[completion_kind_of(parameter)];
        const char *name = names[1] && !ui_admin(ui) ? names[1] : names[0];
        if (ui_can(ui, name))
            ui_frame_call(ui, UI_FRAME_CALL_COMPLETION, name, mem_dup("{\"limit\":200}"), "Looking");
    }
}

static void run(struct ui *ui, const struct entry *entry)
{
    AUTO(mem_freep) char *typed = mem_dup(field_text(&ui->over.find));
    ui->over.kind = OVER_NONE;
    if (entry->method) {
        const char *name = json_text(entry->method, "name", "");
        const char *rest = strlen(typed) > strlen(name) ? typed + strlen(name) : "";
        ui_frame_call(ui, UI_FRAME_CALL_TEXT, name, method_params(entry->method, rest), "Asking the server");
        return;
    }
    size_t fixed = fixed_words(entry->row->command);
    const char *rest = strlen(typed) > fixed ? typed + fixed : "";
    rest += strspn(rest, " ");
    unsigned panes = entry->row->panes;
    for (int pane = 0; panes && panes < 1u << PANE_COUNT && pane < PANE_COUNT; pane++)
        if (panes & (1u << pane) && ui->open != (enum pane)pane) {
            ui_open(ui, (enum pane)pane);
            break;
        }
    ui->argument = *rest ? rest : NULL;
    ui_keys_act(ui, entry->row->action, NULL);
    ui->argument = NULL;
}

static void complete(struct ui *ui, const struct entry *entry)
{
    const char *typed = field_text(&ui->over.find);
    char name[128];
    if (entry->row)
        snprintf(name, sizeof name, "%.*s", (int)fixed_words(entry->row->command), entry->row->command);
    else
        snprintf(name, sizeof name, "%s", json_text(entry->method, "name", ""));
    size_t length = strlen(name);
    if (strncmp(typed, name, length) != 0 || !typed[length]) {
        field_set(&ui->over.find, name);
        field_insert(&ui->over.find, " ", 1);
    } else if (entry->method) {
        complete_value(ui, entry->method);
    } else if (entry->row && strstr(entry->row->command, "FILE")) {
        struct field path = {0};
        field_set(&path, typed + length + 1);
        ui_ask_complete(&path);
        AUTO(mem_freep) char *line = mem_printf("%s %s", name, field_text(&path));
        field_set(&ui->over.find, line);
        field_free(&path);
    }
}

void command_key(struct ui *ui, const struct key *key)
{
    struct entry *found = mem_array(MATCHES, sizeof *found);
    size_t count = matches(ui, found), at = ui->over.list.selected < count ? ui->over.list.selected : 0;
    bool stop = key->code == KEYS_CHAR && key->mods == KEYS_CTRL && key->ch == 'c';
    if (key->code == KEYS_ESC || stop || (key->code == KEYS_BACKSPACE && !ui->over.find.text.length)) {
        ui->over.kind = OVER_NONE;
    } else if (key->code == KEYS_ENTER) {
        if (count)
            run(ui, &found[at]);
        else
            ui_say(ui, ROLE_WARN, "There is no such command. Tab shows what fits.");
    } else if (key->code == KEYS_TAB && count) {
        complete(ui, &found[at]);
    } else if (key->code == KEYS_UP || key->code == KEYS_DOWN) {
        list_move(&ui->over.list, key->code == KEYS_UP ? -1 : 1, NULL, NULL);
    } else if (field_key(&ui->over.find, key)) {
        ui->over.list = (struct list){.count = matches(ui, found)};
    }
    free(found);
}

static void draw_entry(const struct ui *ui, struct canvas c, int y, const struct entry *entry, bool selected)
{
    AUTO(buf_free) struct buf name = {0};
    if (entry->row) {
        buf_text(&name, entry->row->command);
    } else {
        buf_text(&name, json_text(entry->method, "name", ""));
        parameter_words(entry->method, &name);
    }
    const cJSON *method = entry->method ? entry->method : method_named(ui, entry->row->method);
    const char *help = entry->row && entry->row->help ? entry->row->help : json_text(method, "summary", "");
    int split = c.cols < 60 ? c.cols : 29;
    int cells = canvas_cut(c, y, 2, split - 3, ROLE_TEXT, name.data);
    canvas_cut(c, y, split, c.cols - split - 1, ROLE_TEXT, help);
    if (selected) {
        canvas_glyph(c, y, 0, ROLE_TEXT, GLYPH_CURSOR);
        canvas_role(c, y, 2, cells, ROLE_SELECT);
    }
}

static void describe(const struct ui *ui, const struct entry *entry, char *out, size_t size)
{
    const cJSON *method = entry->method ? entry->method : method_named(ui, entry->row->method), *param;
    AUTO(buf_free) struct buf names = {0};
    const char *typed = NULL, *value = NULL, *parameter = entry->method ? typed_parameter(ui, method, &typed) : NULL;
    *out = 0;
    if (!method || (parameter && completion_fitting(&ui->completion, parameter, typed, &value, out, size)))
        return;
    cJSON_ArrayForEach (param, json_get(method, "params"))
        buf_printf(&names, "%s\"%s\"%s", names.length ? ", " : "", json_text(param, "name", ""),
                   json_bool(param, "required", false) ? "" : "?");
    const char *access = json_text(method, "x-access", "user");
    snprintf(out, size, "%s {%s}  %s", json_text(method, "name", ""), names.data ? names.data : "",
             strcmp(access, "user") == 0 ? "student" : access);
}

void command_draw(const struct ui *ui, struct canvas body, struct canvas status, struct canvas line)
{
    struct entry *found = mem_array(MATCHES, sizeof *found);
    size_t count = matches(ui, found), at = ui->over.list.selected < count ? ui->over.list.selected : 0;
    int rows = count < SHOWN ? (int)count : SHOWN;
    if (rows > body.rows - 1)
        rows = body.rows > 1 ? body.rows - 1 : 0;
    size_t first = rows && at >= (size_t)rows ? at - (size_t)rows + 1 : 0;
    int top = body.rows - rows - 1;
    char text[240];
    canvas_unselect(body);
    canvas_blank(body, top - 1, rows + 2);
    snprintf(text, sizeof text, "%zu match%s", count, count == 1 ? "es" : "");
    heading_draw(body, top, "Commands", text, 6);
    for (int i = 0; i < rows; i++)
        draw_entry(ui, body, top + 1 + i, &found[first + (size_t)i], first + (size_t)i == at);
    if (count && !*ui->notice && ui->link != UI_LOST) {
        describe(ui, &found[at], text, sizeof text);
        canvas_cut(status, 0, 1, status.cols - 14, ROLE_DIM, text);
        snprintf(text, sizeof text, "%zu of %zu", at + 1, count);
        canvas_right(status, 0, status.cols - 1, ROLE_TEXT, text);
    }
    canvas_text(line, 0, 1, ROLE_TEXT, ":");
    field_draw(&ui->over.find, line, 0, 2, line.cols - 4, true);
    free(found);
}
