/* search.c - ask the library: passages as you type, answers with their sources, and asking on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"
#include "tui/sanitize.h"
#include "tui/views/search.h"
#include "tui/format.h"

enum { REST_MS = 250, PREVIEW_LEAST = 3, LIMIT = 50 };
enum {
    CALL_QUERY = SEARCH_CALL_QUERY,
    CALL_PREVIEW,
    CALL_ASK,
    CALL_HISTORY,
    CALL_COURSES,
    CALL_CLEAR,
    CALL_THREAD,
    CALL_EARLIER,
    CALL_KEPT
};
enum { ASK_COURSE = 1, ASK_ON, ASK_SAVE, ASK_CLEAR, ASK_EARLIER };
static struct search *of(struct view *view)
{
    return (struct search *)view;
}

static void start(struct view *view)
{
    of(view)->query.most = (size_t)view->ui->query_most;
}

static void stop(struct view *view)
{
    struct search *s = of(view);
    field_free(&s->query);
    results_clear(&s->results);
    answer_clear(&s->answer);
    free(s->previewed);
}

static void show(struct view *view)
{
    if (!of(view)->shown)
        ui_callf(view, CALL_HISTORY, "search.history", NULL, "limit:i", (int64_t)50);
    of(view)->shown = true;
}

static struct field *field(struct view *view)
{
    return of(view)->part == PART_FIELD ? &of(view)->query : NULL;
}

static void query(struct search *s, bool preview)
{
    const char *text = field_text(&s->query), *course = *s->course_id ? s->course_id : NULL;
    ui_forget(&s->view, CALL_PREVIEW);
    if (preview) {
        ui_callf(&s->view, CALL_PREVIEW, "search.query", NULL, "query:s course_id:s limit:i preview:b", text, course,
                 (int64_t)10, 1);
    } else {
        ui_forget(&s->view, CALL_QUERY);
        ui_callf(&s->view, CALL_QUERY, "search.query", "Searching", "query:s course_id:s limit:i", text, course,
                 (int64_t)LIMIT);
    }
    free(s->previewed);
    s->previewed = mem_dup(text);
    s->typed_at = 0;
}

static void ask(struct search *s, const char *question, bool on)
{
    char thread[sizeof s->answer.thread_id];
    snprintf(thread, sizeof thread, "%s", s->answer.thread_id);
    if (!*question || !ui_can(s->view.ui, "search.ask"))
        return;
    if (ui_running(s->view.ui, &s->view, CALL_ASK)) {
        ui_say(s->view.ui, ROLE_WARN, "The last answer is still being written. Ctrl-C stops it.");
        return;
    }
    if (!on)
        answer_clear(&s->answer);
    answer_begin(&s->answer, question, s->view.ui->now);
    ui_callf(&s->view, CALL_ASK, "search.ask", NULL, "query:s course_id:s thread_id:s stream:b", question,
             *s->course_id ? s->course_id : NULL, on && *thread ? thread : NULL, 1);
    s->part = PART_ANSWER;
}

static void enter(struct search *s)
{
    const char *text = field_text(&s->query);
    struct ui *ui = s->view.ui;
    if (s->part == PART_FIELD) {
        size_t over = field_too_long(&s->query);
        if (over) {
            ui_say(ui, ROLE_WARN, "%zu characters too long. Ask in fewer words.", over);
        } else if (text[strspn(text, " ")]) {
            field_remember(&s->query, text);
            s->ask_after = text[strlen(text) - 1] == '?';
            query(s, false);
        }
    } else if (s->part == PART_RESULTS) {
        ask(s, text, false);
    } else if (s->answer.count) {
        const cJSON *first = answer_citation(&s->answer.turns[s->answer.selected], 1);
        const char *id = json_text(first, "chunk_id", "");
        if (first)
            reader_open(ui, json_text(first, "pdf_id", ""), (int)json_int(first, "page", 1), &id, 1, "your answer");
    }
}

static void open_page(struct search *s)
{
    const cJSON *row = results_selected(&s->results), *other;
    const char *ids[64];
    size_t count = 0;
    if (!row)
        return;
    ids[count++] = json_text(row, "chunk_id", "");
    cJSON_ArrayForEach (other, json_get(s->results.reply, "results")) {
        if (other != row && count < COUNT_OF(ids) &&
            strcmp(json_text(other, "pdf_id", ""), json_text(row, "pdf_id", "-")) == 0)
            ids[count++] = json_text(other, "chunk_id", "");
    }
    reader_open(s->view.ui, json_text(row, "pdf_id", ""), (int)json_int(row, "page", 1), ids, count, "your search");
}

static void open_source(struct search *s, const struct key *key)
{
    if (!key || !s->answer.count)
        return;
    const struct turn *turn = &s->answer.turns[s->answer.selected];
    const cJSON *citation = answer_citation(turn, (int)key->ch - '0');
    const char *id = json_text(citation, "chunk_id", "");
    if (citation)
        reader_open(s->view.ui, json_text(citation, "pdf_id", ""), (int)json_int(citation, "page", 1), &id, 1,
                    "your answer");
    else
        ui_say(s->view.ui, ROLE_WARN, "This answer has no source %c.", (char)key->ch);
}

static void copy(struct search *s, bool source_only)
{
    AUTO(buf_free) struct buf out = {0};
    const cJSON *row = results_selected(&s->results);
    if (s->part == PART_ANSWER) {
        answer_markdown(&s->answer, false, &out);
    } else if (row) {
        char page[48];
        format_page(row, page, sizeof page);
        if (!source_only)
            buf_printf(&out, "%s\n", json_text(row, "snippet", ""));
        buf_printf(&out, "%s, %s", json_text(row, "title", ""), page);
    }
    if (out.length)
        ui_copy(s->view.ui, out.data);
}

static void next_part(struct search *s, int step)
{
    bool has[] = {true, s->results.list.count > 0, s->answer.count > 0};
    int part = (int)s->part;
    do
        part = (part + step + 3) % 3;
    while (!has[part]);
    s->part = (enum search_part)part;
}

static void save(struct search *s, const char *path)
{
    AUTO(buf_free) struct buf out = {0};
    char said[300];
    if (!s->answer.count)
        return;
    answer_markdown(&s->answer, true, &out);
    struct ui *ui = s->view.ui;
    bool done = ui->host.write_file(ui->host.context, path, out.data, said, sizeof said);
    ui_say(ui, done ? ROLE_GOOD : ROLE_BAD, "%s", said);
}

static bool typed(struct search *s)
{
    if (!s->previewed || strcmp(s->previewed, field_text(&s->query)) != 0)
        s->typed_at = s->view.ui->now ? s->view.ui->now : 1;
    return true;
}

static bool act_more(struct search *s, enum action action, const struct key *key)
{
    struct ui *ui = s->view.ui;
    switch ((int)action) {
    case ACT_ASK_ON:
        if (s->answer.count)
            ui_ask_text(&s->view, ASK_ON, "Ask on:", "");
        return true;
    case ACT_COURSE:
        ui_callf(&s->view, CALL_COURSES, "courses.list", "Loading the courses", "limit:i", (int64_t)200);
        return true;
    case ACT_HISTORY:
        ui_callf(&s->view, CALL_EARLIER, "search.history", "Loading your searches", "limit:i", (int64_t)200);
        return true;
    case ACT_SAVE:
        if (ui->argument)
            save(s, ui->argument);
        else if (s->answer.count)
            ui_ask_file(&s->view, ASK_SAVE, "Save the answer as:", "answer.md");
        return true;
    case ACT_DELETE_ALL:
        ui_ask_yes(&s->view, ASK_CLEAR, "Clear your search history? It cannot be brought back.");
        return true;
    case ACT_SEARCH:
        s->part = PART_FIELD;
        s->query.at = s->query.text.length;
        s->query.selected = s->query.text.length > 0;
        return true;
    case ACT_NEXT:
    case ACT_PREVIOUS:
        if (!results_next(&s->results, ui, action == ACT_NEXT ? 1 : -1) && *ui->find)
            ui_say(ui, ROLE_WARN, "“%s” is not in what is shown.", ui->find);
        return true;
    case ACT_SOURCE: open_source(s, key); return true;
    default: return false;
    }
}

static bool act(struct view *view, enum action action, const struct key *key)
{
    struct search *s = of(view);
    switch ((int)action) {
    case ACT_NONE: return typed(s);
    case ACT_ENTER:
        if (view->ui->argument) {
            field_set(&s->query, view->ui->argument);
            query(s, false);
            ask(s, field_text(&s->query), false);
        } else {
            enter(s);
        }
        return true;
    case ACT_NEXT_PART: next_part(s, 1); return true;
    case ACT_LAST_PART: next_part(s, -1); return true;
    case ACT_BACK:
        if (s->part == PART_RESULTS)
            return false;
        s->part = PART_RESULTS;
        return true;
    case ACT_OPEN:
        if (s->part == PART_ANSWER)
            enter(s);
        else
            open_page(s);
        return true;
    case ACT_COPY:
    case ACT_COPY_SOURCE: copy(s, action == ACT_COPY_SOURCE); return true;
    case ACT_RELOAD:
        if (s->results.reply)
            query(s, false);
        return true;
    case ACT_STOP: return ui_keys_stop(view, CALL_ASK);
    default: break;
    }
    if (s->part == PART_RESULTS && results_move(&s->results, action, s->rows - 2))
        return true;
    if (s->part == PART_ANSWER && answer_move(&s->answer, action))
        return true;
    return act_more(s, action, key);
}

static void took_query(struct search *s, const struct reply *r)
{
    if (r->err) {
        if (r->tag == CALL_QUERY)
            ui_error(s->view.ui, r->err);
        return;
    }
    if (r->tag == CALL_PREVIEW && s->part != PART_FIELD)
        return; /* a list that is being read is not replaced */
    if (r->tag == CALL_QUERY)
        s->results.list = (struct list){0};
    results_take(&s->results, r->result);
    const char *corrected = json_text(r->result, "corrected", "");
    if (r->tag == CALL_PREVIEW)
        return;
    if (*corrected)
        ui_say(s->view.ui, ROLE_TEXT, "Searched for “%s”.", corrected);
    if (json_bool(r->result, "embeddings_degraded", false))
        ui_say(s->view.ui, ROLE_WARN, "The embedding service does not answer. The built-in one searched instead.");
    if (!s->results.list.count)
        return;
    s->part = PART_RESULTS;
    if (s->ask_after)
        ask(s, field_text(&s->query), false);
    s->ask_after = false;
}

static void took_answer(struct search *s, const struct reply *r)
{
    struct turn *turn = answer_writing(&s->answer);
    struct ui *ui = s->view.ui;
    if (!turn)
        return;
    if (r->err) {
        turn->lost = r->err->code == ERR_UNREACHABLE && *s->answer.thread_id;
        answer_fail(&s->answer, turn);
        if (!s->answer.count)
            s->part = s->results.list.count ? PART_RESULTS : PART_FIELD;
        ui_error(ui, r->err);
        return;
    }
    snprintf(s->answer.thread_id, sizeof s->answer.thread_id, "%s", json_text(r->result, "thread_id", ""));
    answer_finish(turn, r->result, ui->now);
    if (turn->degraded)
        ui_say(ui, ROLE_WARN, "Your memory answered late. This answer uses what is kept here.");
    else if (turn->extractive && turn->grounded && !ui_front(&s->view))
        ui_say(ui, ROLE_TEXT, "Your answer is complete.");
}

static void took_courses(struct search *s, const cJSON *result)
{
    const cJSON *course;
    ui_ask_option(s->view.ui, "The whole library", "");
    cJSON_ArrayForEach (course, json_get(result, "items")) {
        AUTO(mem_freep)
        char *value = mem_printf("%s\n%s", json_text(course, "course_id", ""), json_text(course, "title", ""));
        ui_ask_option(s->view.ui, json_text(course, "title", ""), value);
    }
    ui_ask_choice(&s->view, ASK_COURSE, "Search in");
}

static void took_earlier(struct search *s, const cJSON *result)
{
    struct ui *ui = s->view.ui;
    const cJSON *row;
    cJSON_ArrayForEach (row, json_get(result, "items")) {
        char when[32];
        format_when(format_time(json_text(row, "at", NULL)), ui->wall, FORMAT_WHEN_CLOCK, when);
        AUTO(mem_freep) char *label = mem_printf("%-16s  %s", when, json_text(row, "query", ""));
        AUTO(mem_freep)
        char *value = mem_printf("%s\n%s", json_text(row, "thread_id", ""), json_text(row, "query", ""));
        ui_ask_option(ui, label, value);
    }
    if (cJSON_GetArraySize(json_get(result, "items")))
        ui_ask_choice(&s->view, ASK_EARLIER, "Your earlier searches");
    else
        ui_say(ui, ROLE_TEXT, "You have not searched yet.");
}

/* Searches once more; an answer that was written then is shown as it was. */
static void earlier(struct search *s, const char *chosen)
{
    size_t thread = strcspn(chosen, "\n");
    AUTO(mem_freep) char *id = mem_dupn(chosen, thread);
    search_open(s->view.ui, chosen + thread + (chosen[thread] == '\n'));
    ui_forget(&s->view, CALL_KEPT);
    if (*id && !answer_writing(&s->answer))
        ui_callf(&s->view, CALL_KEPT, "search.thread", NULL, "thread_id:s", id);
    snprintf(s->kept_id, sizeof s->kept_id, "%s", id);
}

static void took_kept(struct search *s, const cJSON *thread)
{
    const cJSON *entry;
    if (answer_writing(&s->answer) || !cJSON_GetArraySize(json_get(thread, "turns")))
        return;
    answer_clear(&s->answer);
    cJSON_ArrayForEach (entry, json_get(thread, "turns")) {
        if (!*json_text(entry, "answer", ""))
            continue;
        answer_begin(&s->answer, json_text(entry, "query", ""), s->view.ui->now);
        answer_finish(answer_writing(&s->answer), entry, s->view.ui->now);
    }
    snprintf(s->answer.thread_id, sizeof s->answer.thread_id, "%s", s->kept_id);
}

static void reply(struct view *view, const struct reply *r)
{
    struct search *s = of(view);
    if (r->tag == CALL_QUERY || r->tag == CALL_PREVIEW) {
        took_query(s, r);
    } else if (r->tag == CALL_ASK) {
        took_answer(s, r);
    } else if (r->err) {
        if (r->tag != CALL_HISTORY && r->tag != CALL_THREAD && r->tag != CALL_KEPT)
            ui_error(view->ui, r->err);
    } else if (r->tag == CALL_HISTORY) {
        const cJSON *items = json_get(r->result, "items");
        for (int i = cJSON_GetArraySize(items); i > 0; i--)
            field_remember(&s->query, json_text(cJSON_GetArrayItem(items, i - 1), "query", ""));
    } else if (r->tag == CALL_COURSES) {
        took_courses(s, r->result);
    } else if (r->tag == CALL_THREAD) {
        answer_found(&s->answer, r->result);
    } else if (r->tag == CALL_EARLIER) {
        took_earlier(s, r->result);
    } else if (r->tag == CALL_KEPT) {
        took_kept(s, r->result);
    } else if (r->tag == CALL_CLEAR) {
        ui_say(view->ui, ROLE_GOOD, "Forgotten.");
    }
}

static void notification(struct view *view, const char *method, const cJSON *params)
{
    struct search *s = of(view);
    struct turn *turn = answer_writing(&s->answer);
    if (!turn)
        return;
    if (strcmp(method, "search.sources") == 0) {
        cJSON_Delete(turn->citations);
        turn->citations = cJSON_Duplicate(json_get(params, "citations"), true);
        snprintf(s->answer.thread_id, sizeof s->answer.thread_id, "%s",
                 json_text(params, "thread_id", s->answer.thread_id));
    } else if (strcmp(method, "search.delta") == 0) {
        turn->queue = (int)json_int(params, "queue_position", 0);
        buf_text(&turn->text, json_text(params, "text", ""));
    }
}

static void answer(struct view *view, int tag, const char *text)
{
    struct search *s = of(view);
    if (!text)
        return;
    if (tag == ASK_COURSE) {
        const char *name = strchr(text, '\n');
        snprintf(s->course_id, sizeof s->course_id, "%.*s", name ? (int)(name - text) : 0, text);
        snprintf(s->course, sizeof s->course, "%s", name ? name + 1 : "");
        if (field_text(&s->query)[0])
            query(s, false);
    } else if (tag == ASK_ON) {
        ask(s, text, true);
    } else if (tag == ASK_SAVE) {
        save(s, text);
    } else if (tag == ASK_EARLIER) {
        earlier(s, text);
    } else if (tag == ASK_CLEAR) {
        for (int i = 0; i < s->query.history_count; i++)
            free(s->query.history[i]);
        s->query.history_count = s->query.history_at = 0;
        ui_call(view, CALL_CLEAR, "search.clear_history", NULL, "Clearing");
    }
}

static int tick(struct view *view)
{
    struct search *s = of(view);
    int64_t now = view->ui->now;
    if (s->typed_at) {
        int64_t wait = s->typed_at + REST_MS - now;
        if (wait > 0)
            return (int)wait;
        const char *text = field_text(&s->query);
        s->typed_at = 0;
        if (text_count(text, strlen(text)) >= PREVIEW_LEAST && view->ui->link == UI_ONLINE &&
            !field_too_long(&s->query))
            query(s, true);
    }
    if (answer_writing(&s->answer) && ui_front(view))
        return 1000 - (int)((now - s->answer.turns[s->answer.count - 1].since) % 1000);
    return -1;
}

/* An answer whose searcher lost the connection is kept by the server. */
static void online(struct view *view)
{
    struct search *s = of(view);
    if (s->answer.count && s->answer.turns[s->answer.count - 1].lost)
        ui_callf(view, CALL_THREAD, "search.thread", "Looking for your answer", "thread_id:s", s->answer.thread_id);
}

static void draft(struct view *view, cJSON *store, bool load)
{
    struct search *s = of(view);
    if (load)
        field_set(&s->query, json_text(store, "search", ""));
    else if (s->query.text.length)
        cJSON_AddStringToObject(store, "search", field_text(&s->query));
}

void search_open(struct ui *ui, const char *text)
{
    ui_open(ui, PANE_SEARCH);
    struct search *s = of(ui_view(ui, PANE_SEARCH));
    field_set(&s->query, text);
    field_remember(&s->query, text);
    s->part = PART_RESULTS;
    query(s, false);
}

const struct view_class search_class = {
    .pane = PANE_SEARCH,
    .title = "Search",
    .letter = 's',
    .needs = "search.query",
    .size = sizeof(struct search),
    .start = start,
    .show = show,
    .stop = stop,
    .act = act,
    .reply = reply,
    .notification = notification,
    .answer = answer,
    .tick = tick,
    .online = online,
    .layout = search_draw_layout,
    .draw = search_draw_pane,
    .keys = search_draw_keys,
    .status = search_draw_status,
    .field = field,
    .draft = draft,
};
