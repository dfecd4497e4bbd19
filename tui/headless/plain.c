/* plain.c - the whole terminal in lines: a question searches, a number chooses, words are commands. */
#include "tui/headless/plain.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/text.h"
#include "tui/headless/script_args.h"
#include "tui/headless/script_ask.h"
#include "tui/headless/script_notifications.h"
#include "tui/headless/script_out.h"
#include "tui/headless/script_session.h"
#include "tui/headless/plain_greet.h"
#include "tui/headless/plain_list.h"
#include "tui/headless/plain_rooms.h"
#include "tui/sanitize.h"

enum { LINE_MOST = 64 << 10, WORDS_MOST = 64 };

struct plain {
    struct script *script;
    struct buf input;
    bool over, terminal;
    char role[12];
    char course_id[40], course[120];
    char thread_id[40], pdf_id[40];
    int64_t page, pages;
    cJSON *opened; /* the page shown last */
    struct plain_list list;
    struct plain_rooms rooms;
};

struct word {
    const char *name, *meaning;
    void (*run)(struct plain *p, const char *rest);
    bool whole_line; /* only where nothing follows: else it is a question */
};

static volatile int interrupted;
static struct client *to_wake;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
    if (to_wake)
        client_wake(to_wake);
}

/* ---- searching and asking ---- */

static cJSON *scoped(const struct plain *p, const char *query)
{
    cJSON *params = cJSON_CreateObject();
    cJSON_AddStringToObject(params, "query", query);
    if (*p->course_id)
        cJSON_AddStringToObject(params, "course_id", p->course_id);
    return params;
}

static void search(struct plain *p, const char *query)
{
    AUTO(json_freep) cJSON *params = scoped(p, query), *result = NULL;
    if (!*query) {
        script_say("Type what you want to know.");
        return;
    }
    if (script_call(p->script, "search.query", params, 0, &result))
        return;
    int count = cJSON_GetArraySize(json_get(result, "results"));
    const char *corrected = json_text(result, "corrected", NULL), *scope = *p->course ? p->course : "the library";
    if (corrected)
        script_say("Searched for “%s”.", corrected);
    if (count)
        script_out_printf(p->script, 0, "%d passage%s in %s.", count, count == 1 ? "" : "s", scope);
    else
        script_out_printf(p->script, 0, "Nothing found for “%s” in %s.%s", query, scope,
                          *p->course_id ? " Type \"course all\" to search the whole library." : "");
    plain_list_show(&p->list, p->script, PLAIN_PASSAGES, json_get(result, "results"));
}

static void ask_in(struct plain *p, const char *query, const char *thread)
{
    AUTO(json_freep) cJSON *params = scoped(p, query), *result = NULL;
    if (!*query) {
        script_say("Type the question behind it: ask what is a transition state");
        return;
    }
    if (*thread)
        cJSON_AddStringToObject(params, "thread_id", thread);
    script_say("Writing the answer.");
    interrupted = 0;
    int code = script_ask_answer(p->script, params, &interrupted, &result);
    to_wake = p->script->client;
    if (code)
        return;
    snprintf(p->thread_id, sizeof p->thread_id, "%s", json_text(result, "thread_id", ""));
    plain_list_set(&p->list, PLAIN_SOURCES, json_get(result, "citations"));
}

static void ask(struct plain *p, const char *rest)
{
    ask_in(p, rest, "");
}

static void ask_on(struct plain *p, const char *rest)
{
    ask_in(p, rest, p->thread_id);
}

/* ---- reading ---- */

static void page_heading(struct plain *p)
{
    const char *label = json_text(p->opened, "page_label", "");
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)p->page);
    if (*label && strcmp(label, number) != 0)
        script_out_printf(p->script, 0, "%s, page %s (PDF page %lld of %lld).", json_text(p->opened, "title", "?"),
                          label, (long long)p->page, (long long)p->pages);
    else
        script_out_printf(p->script, 0, "%s, page %lld of %lld.", json_text(p->opened, "title", "?"),
                          (long long)p->page, (long long)p->pages);
}

static bool open_page(struct plain *p, const char *pdf_id, int64_t page, const char *chunk_id)
{
    AUTO(json_freep) cJSON *params = cJSON_CreateObject(), *result = NULL;
    cJSON_AddStringToObject(params, "pdf_id", pdf_id);
    cJSON_AddNumberToObject(params, "page", (double)page);
    if (chunk_id)
        cJSON_AddItemToArray(cJSON_AddArrayToObject(params, "chunk_ids"), cJSON_CreateString(chunk_id));
    if (script_call(p->script, "library.page", params, 0, &result))
        return false;
    cJSON_Delete(p->opened);
    p->opened = sanitize_copy(result);
    if (pdf_id != p->pdf_id)
        snprintf(p->pdf_id, sizeof p->pdf_id, "%s", pdf_id);
    p->page = json_int(p->opened, "page", page);
    p->pages = json_int(p->opened, "pages", page);
    page_heading(p);
    return true;
}

/* Code points [start, end) of the page, as one paragraph with its bounds told. */
static void print_passage(struct plain *p)
{
    const cJSON *passage = json_get(p->opened, "passages");
    passage = passage ? passage->child : NULL;
    const char *text = json_text(p->opened, "text", "");
    size_t length = strlen(text), start = 0, end = length;
    if (passage) {
        int64_t from = json_int(passage, "start", 0), to = json_int(passage, "end", 0);
        start = text_offset(text, length, from > 0 ? (size_t)from : 0);
        end = text_offset(text, length, to > 0 ? (size_t)to : 0);
    }
    AUTO(buf_free) struct buf out = {0};
    buf_printf(&out, "Passage begins. %.*s Passage ends. Type \"page\" for all of it.",
               (int)(end > start ? end - start : 0), text + start);
    for (size_t i = 0; i < out.length; i++)
        if (out.data[i] == '\n')
            out.data[i] = ' ';
    script_out_prose(p->script, out.data, 0);
}

static void print_page(struct plain *p)
{
    const char *text = json_text(p->opened, "text", "");
    if (*text)
        script_out_prose(p->script, text, 0);
    else
        script_say("There is no text on this page.");
    if (p->page < p->pages)
        script_say("Page %lld ends. Type \"next\" for the one behind it.", (long long)p->page);
}

static void page(struct plain *p, const char *rest)
{
    char *end;
    long number = strtol(rest, &end, 10);
    if (!*p->pdf_id)
        script_say("Choose a passage or a document by its number first.");
    else if (!*rest)
        print_page(p);
    else if (*end || number < 1)
        script_say("Type \"page\" and a number.");
    else if (open_page(p, p->pdf_id, number, NULL))
        print_page(p);
}

static void turn(struct plain *p, int step)
{
    if (!*p->pdf_id)
        script_say("Choose a passage or a document by its number first.");
    else if (p->page + step < 1 || p->page + step > p->pages)
        script_say("There is no page %s this one.", step > 0 ? "behind" : "before");
    else if (open_page(p, p->pdf_id, p->page + step, NULL))
        print_page(p);
}

static void next(struct plain *p, const char *rest)
{
    (void)rest;
    turn(p, 1);
}

static void back(struct plain *p, const char *rest)
{
    (void)rest;
    turn(p, -1);
}

static void choose(struct plain *p, int number)
{
    const cJSON *item = plain_list_item(&p->list, number);
    if (!item) {
        script_say("There is no number %d in the list above.", number);
        return;
    }
    switch (p->list.kind) {
    case PLAIN_PASSAGES:
    case PLAIN_SOURCES:
        if (open_page(p, json_text(item, "pdf_id", ""), json_int(item, "page", 1), json_text(item, "chunk_id", NULL)))
            print_passage(p);
        break;
    case PLAIN_DOCUMENTS:
        if (open_page(p, json_text(item, "pdf_id", ""), 1, NULL))
            print_page(p);
        break;
    default: {
        AUTO(mem_freep) char *query = mem_dup(json_text(item, "query", ""));
        search(p, query);
    }
    }
}

/* ---- lists ---- */

static void more(struct plain *p, const char *rest)
{
    (void)rest;
    plain_list_more(&p->list, p->script);
}

static void list_of(struct plain *p, const char *method, enum plain_list_kind kind, const char *query,
                    const char *nothing)
{
    AUTO(json_freep) cJSON *params = cJSON_CreateObject(), *result = NULL;
    if (*query)
        cJSON_AddStringToObject(params, "query", query);
    if (kind != PLAIN_TOPICS)
        cJSON_AddNumberToObject(params, "limit", 200);
    if (script_call(p->script, method, params, 0, &result))
        return;
    if (!cJSON_GetArraySize(json_get(result, "items")))
        script_say("%s", nothing);
    else if (kind == PLAIN_TOPICS)
        script_say(!strcmp(json_text(result, "source", ""), "memory") ? "Because of what you read:"
                                                                      : "What others are reading:");
    plain_list_show(&p->list, p->script, kind, json_get(result, "items"));
}

static void library(struct plain *p, const char *rest)
{
    list_of(p, "library.list", PLAIN_DOCUMENTS, rest, "There are no documents yet. Your teacher adds them.");
}

static void history(struct plain *p, const char *rest)
{
    (void)rest;
    list_of(p, "search.history", PLAIN_QUERIES, "", "You have not searched yet.");
}

static void recommend(struct plain *p, const char *rest)
{
    (void)rest;
    list_of(p, "recommend.list", PLAIN_TOPICS, "", "Search a little first. Then this shows what fits you.");
}

static void course(struct plain *p, const char *rest)
{
    if (!*rest || !strcmp(rest, "all")) {
        *p->course_id = *p->course = '\0';
        script_say("Searching the whole library. \"course CODE\" searches one course; \"courses\" lists them.");
        return;
    }
    const struct plain_room *r = plain_rooms_find(&p->rooms, rest);
    if (r && *r->id) {
        snprintf(p->course_id, sizeof p->course_id, "%s", r->id);
        snprintf(p->course, sizeof p->course, "%s", r->title);
        script_say("Searching in %s.", p->course);
        return;
    }
    script_say("There is no course “%s”. Type \"courses\" to see them.", rest);
}

static void chat(struct plain *p, const char *rest)
{
    plain_rooms_read(&p->rooms, p->script, rest);
}

static void say(struct plain *p, const char *rest)
{
    plain_rooms_say(&p->rooms, p->script, rest);
}

/* ---- words ---- */

static void leave(struct plain *p, const char *rest)
{
    (void)rest;
    p->over = true;
}

static void logout(struct plain *p, const char *rest)
{
    (void)rest;
    if (!script_call(p->script, "auth.logout", NULL, 0, NULL))
        script_say("Logged out.");
    p->over = true;
}

static void help(struct plain *p, const char *rest);

static const struct word words[] = {
    {"help", "these words; \"help WORD\" for one", help, false},
    {"search", "search WORDS; a line without any of these words searches too", search, false},
    {"ask", "ask QUESTION: an answer with its sources; Ctrl-C stops it", ask, false},
    {"on", "on QUESTION: ask on in the same conversation", ask_on, false},
    {"more", "more of the list", more, true},
    {"page", "the whole page; \"page 12\" another one", page, false},
    {"next", "the next page", next, true},
    {"back", "the page before", back, true},
    {"course", "course CODE: search there; \"course all\" everywhere", course, false},
    {"library", "the documents; \"library WORDS\" some of them", library, false},
    {"history", "what you searched", history, true},
    {"recommend", "what fits you", recommend, true},
    {"chat", "new lines in the room; \"chat COURSE\" goes to another", chat, false},
    {"say", "say TEXT: to the room", say, false},
    {"logout", "end this session and leave", logout, true},
    {"quit", "leave", leave, true},
    {"exit", NULL, leave, true},
    {"q", NULL, leave, true},
    {0},
};

/* Whether the person's role may call it, on this server; `methods` is what rpc.discover says. */
static bool allowed(const struct plain *p, const cJSON *methods, const char *name)
{
    const cJSON *m;
    cJSON_ArrayForEach (m, methods) {
        if (strcmp(json_text(m, "name", ""), name) != 0)
            continue;
        const char *access = json_text(m, "x-access", "user");
        return !strcmp(p->role, "admin") ||
               (strcmp(access, "admin") != 0 && (strcmp(access, "teacher") != 0 || !strcmp(p->role, "teacher")));
    }
    return false;
}

static bool shown_in_help(const struct plain *p, const cJSON *methods, const struct script_command *c)
{
    for (const struct word *w = words; w->name; w++)
        if (!strcmp(w->name, c->words))
            return false;
    return !c->offline && c->method && allowed(p, methods, c->method);
}

static void help(struct plain *p, const char *rest)
{
    if (*rest) {
        char copy[200], *argv[] = {"help", copy};
        snprintf(copy, sizeof copy, "%s", rest);
        script_main(p->script, 2, argv);
        return;
    }
    script_say("A number chooses from the list above it. The words:");
    for (const struct word *w = words; w->name; w++)
        if (w->meaning)
            script_out_printf(p->script, 13, "%-12s %s", w->name, w->meaning);
    AUTO(json_freep) cJSON *document = NULL;
    struct err err = {0};
    if (!client_call(p->script->client, "rpc.discover", NULL, 20000, &document, &err))
        return;
    for (const struct script_command *c = script_table; c->words; c++)
        if (shown_in_help(p, json_get(document, "methods"), c))
            script_out_printf(p->script, 18, "%-17s %s", c->words, c->summary);
}

/* Blanks part words, quotes keep them together. `line` is cut up. */
static int split(char *line, char **argv)
{
    int argc = 0;
    while (argc < WORDS_MOST) {
        line += strspn(line, " \t");
        if (!*line)
            break;
        bool quoted = *line == '"';
        argv[argc++] = line += quoted;
        line = quoted ? strchr(line, '"') : line + strcspn(line, " \t");
        if (!line || !*line)
            break;
        *line++ = '\0';
    }
    return argc;
}

/* Whether the line is a command of the table, with arguments that fit; then it has run. */
static bool run_command(struct plain *p, const char *line)
{
    AUTO(mem_freep) char *copy = mem_dup(line);
    char *argv[WORDS_MOST];
    int argc = split(copy, argv), count;
    const struct script_command *command = script_find(argc, argv, &count);
    if (!command || command->offline)
        return false;
    if (argc > count) {
        struct script trial = *p->script;
        AUTO(json_freep) cJSON *params = script_args_parse(&trial, command, argc - count, argv + count, NULL);
        if (!params)
            return false;
    }
    struct script once = *p->script;
    script_main(&once, argc, argv);
    return true;
}

static void obey(struct plain *p, char *line)
{
    size_t length = strlen(line);
    while (length && isspace((unsigned char)line[length - 1]))
        line[--length] = '\0';
    line += strspn(line, " \t:");
    if (!*line)
        return;
    char *end;
    long number = strtol(line, &end, 10);
    if (!*end && number > 0 && number < 100000) {
        choose(p, (int)number);
        return;
    }
    for (const struct word *w = words; w->name; w++) {
        size_t n = strlen(w->name);
        const char *rest = line + n + strspn(line + (strlen(line) < n ? strlen(line) : n), " \t");
        if (strncmp(line, w->name, n) != 0 || (line[n] && line[n] != ' ') || (w->whole_line && line[n]))
            continue;
        if (!strcmp(w->name, "library") && run_command(p, line) && *rest)
            return;
        w->run(p, rest);
        return;
    }
    if (!run_command(p, line))
        search(p, line);
}

/* ---- the dialogue ---- */

static void prompt(struct plain *p)
{
    fputs("search> ", p->script->out);
    fflush(p->script->out);
}

static void take_input(void *user)
{
    struct plain *p = user;
    char piece[4096];
    ssize_t n = read(STDIN_FILENO, piece, sizeof piece);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n > 0 && p->input.length < LINE_MOST) {
        for (ssize_t i = 0; i < n; i++)
            if (piece[i])
                buf_char(&p->input, piece[i]);
    } else if (n <= 0) {
        client_unwatch(p->script->client, STDIN_FILENO);
        if (p->input.length)
            buf_char(&p->input, '\n');
        buf_char(&p->input, 4); /* the end: Ctrl-D */
    }
}

/* The next line, without its end and what no text may hold; false where none is whole yet. */
static bool next_line(struct plain *p, struct buf *line)
{
    char *end = p->input.length ? memchr(p->input.data, '\n', p->input.length) : NULL;
    buf_clear(line);
    if (!end) {
        p->over = p->over || (p->input.length && p->input.data[0] == 4);
        return false;
    }
    size_t length = (size_t)(end - p->input.data);
    text_clean(line, p->input.data, length, TEXT_ONE_LINE);
    buf_bytes(line, "", 0);
    memmove(p->input.data, end + 1, p->input.length - length - 1);
    p->input.length -= length + 1;
    p->input.data[p->input.length] = '\0';
    return true;
}

static void converse(struct plain *p)
{
    AUTO(buf_free) struct buf line = {0};
    client_watch(p->script->client, STDIN_FILENO, take_input, p);
    prompt(p);
    while (!p->over && !ferror(p->script->out)) {
        if (!next_line(p, &line)) {
            if (p->over)
                break;
            client_service(p->script->client, -1);
            if (interrupted) {
                interrupted = 0;
                script_say("\nNothing is running. \"quit\" leaves.");
                prompt(p);
            }
            continue;
        }
        if (!p->terminal)
            fprintf(p->script->out, "%s\n", line.data);
        obey(p, line.data);
        if (!p->over) {
            plain_rooms_announce(&p->rooms, p->script);
            if (line.length)
                fputc('\n', p->script->out);
            prompt(p);
        }
    }
    if (!p->terminal || !p->over)
        fputc('\n', p->script->out);
    client_unwatch(p->script->client, STDIN_FILENO);
}

int plain_run(struct script *script)
{
    struct plain p = {.script = script, .terminal = isatty(STDIN_FILENO)};
    AUTO(json_freep) cJSON *user = NULL;
    script_say_to(script->out);
    script_say_width(script->width);
    script->terminal = false;
    script->dialogue = true;
    int code = script_session_connect(script, true, true);
    if (!code)
        code = plain_greet_login(script, &user);
    if (!code) {
        struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
        to_wake = script->client;
        sigaction(SIGINT, &action, NULL);
        script_notifications_listen(plain_rooms_notification, NULL, &p.rooms);
        snprintf(p.role, sizeof p.role, "%s", json_text(user, "role", ""));
        plain_rooms_join(&p.rooms, script);
        plain_greet(script, user);
        converse(&p);
        to_wake = NULL;
    }
    script_notifications_leave(&p.rooms);
    client_free(script->client);
    script->client = NULL;
    plain_list_free(&p.list);
    cJSON_Delete(p.opened);
    buf_free(&p.input);
    return code;
}
