/* script_ask.c - answers as they are written. */
#include "tui/headless/script_ask.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"
#include "tui/headless/script_notifications.h"
#include "tui/headless/script_out.h"
#include "tui/sanitize.h"

enum { ASK_MS = 300000, NOTE_MS = 10000 };

struct asking {
    struct script *script;
    struct script_out_flow flow;
    uint64_t id;
    bool done, written;
    cJSON *result;
    struct err err;
};

static void take_notification(void *user, const char *method, const cJSON *params)
{
    struct asking *a = user;
    if (strncmp(method, "search.", 7) != 0 || (uint64_t)json_int(params, "id", 0) != a->id)
        return;
    if (a->script->json) {
        AUTO(json_freep) cJSON *line = cJSON_CreateObject();
        cJSON_AddStringToObject(line, "method", method);
        cJSON_AddItemToObject(line, "params", cJSON_Duplicate(params, true));
        script_line(a->script, line);
        return;
    }
    const char *text = json_text(params, "text", NULL);
    int64_t place = json_int(params, "queue_position", 0);
    if (place > 0)
        script_say("%lld before you.", (long long)place);
    if (text && *text) {
        a->written = true;
        script_out_feed(&a->flow, text);
    }
}

static void take_reply(void *user, const cJSON *result, const struct err *err)
{
    struct asking *a = user;
    a->done = true;
    if (result)
        a->result = cJSON_Duplicate(result, true);
    else
        a->err = *err;
}

static const char *support_words(const char *support)
{
    return !strcmp(support, "quoted")  ? "word for word"
           : !strcmp(support, "close") ? "in other words"
                                       : "no source named, check it yourself";
}

enum { ITEMS = 60 };

static void free_items(char **items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(items[i]);
}

static void print_support(struct script *script, const cJSON *result)
{
    char *items[ITEMS];
    size_t count = 0;
    const cJSON *sentence;
    cJSON_ArrayForEach (sentence, json_get(result, "sentences"))
        if (count < ITEMS) {
            items[count] =
                mem_printf("Sentence %zu: %s.", count + 1, support_words(json_text(sentence, "support", "")));
            count++;
        }
    if (count)
        script_out_items(script, "", (const char *const *)items, count, 1);
    free_items(items, count);
}

static void print_sources(struct script *script, const cJSON *result)
{
    char *items[ITEMS];
    size_t count = 0;
    const cJSON *c;
    cJSON_ArrayForEach (c, json_get(result, "citations"))
        if (count < ITEMS)
            items[count++] = mem_printf("%lld. %s, %s.", (long long)json_int(c, "n", 0), json_text(c, "title", "?"),
                                        script_out_page(c));
    if (count)
        script_out_items(script, "Sources: ", (const char *const *)items, count, 2);
    free_items(items, count);
}

static void print_end(struct script *script, const cJSON *result)
{
    long long facts = json_int(result, "memory_used", 0);
    AUTO(mem_freep)
    char *memory =
        facts > 0 ? mem_printf(", %lld fact%s from your memory used", facts, facts == 1 ? "" : "s") : mem_dup("");
    script_say("Answer complete, %.1f seconds%s.", (double)json_int(result, "took_ms", 0) / 1000, memory);
    if (!json_bool(result, "grounded", true))
        script_say("Not found in the library. Nothing above comes from your books.");
    else
        print_support(script, result);
    if (json_bool(result, "memory_degraded", false))
        script_say("Your memory answered late. This answer uses what is kept here.");
    print_sources(script, result);
}

int script_ask_answer(struct script *script, cJSON *params, const volatile int *stop, cJSON **result)
{
    struct asking a = {.script = script, .flow = {.out = script->out, .width = script->width, .by_sentence = true}};
    AUTO(buf_free) struct buf text = {0};
    cJSON_AddBoolToObject(params, "stream", true);
    json_write(&text, params);
    script_notifications_listen(take_notification, NULL, &a);
    a.id = client_request(script->client, "search.ask", text.data, ASK_MS, take_reply, &a);
    bool stopping = false;
    while (!a.done) {
        if (!client_service(script->client, NOTE_MS) && !a.written && !script->json && !a.done)
            script_say("Still writing the answer.");
        if (stop && *stop && !stopping) {
            stopping = true;
            client_cancel(script->client, a.id);
        }
    }
    script_notifications_leave(&a);
    if (!a.result) {
        script_out_end(&a.flow);
        return script_fail(script, &a.err);
    }
    if (script->json) {
        script_line(script, a.result);
    } else {
        AUTO(json_freep) cJSON *clean = sanitize_copy(a.result);
        if (!a.written)
            script_out_feed(&a.flow, json_text(clean, "answer", ""));
        script_out_end(&a.flow);
        print_end(script, clean);
    }
    *result = a.result;
    return SCRIPT_FINE;
}

int script_ask_run(struct script *script, const struct script_command *command, cJSON *params)
{
    (void)command;
    AUTO(json_freep) cJSON *result = NULL;
    int code = script_ask_answer(script, params, NULL, &result);
    if (!code && !script->json)
        script_say("To ask on: edurag ask --thread %s ...", json_text(result, "thread_id", ""));
    return code;
}
