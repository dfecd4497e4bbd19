/* script_print.c - results as people read them. */
#include "tui/headless/script_print.h"

#include <string.h>

#include "common/mem.h"
#include "common/text.h"
#include "tui/headless/script_out.h"

void script_print_json(struct script *script, const cJSON *result)
{
    script_line(script, result);
}

void script_print_user(struct script *script, const cJSON *result)
{
    script_out_printf(script, 0, "%s, %s, school number %s.", json_text(result, "name", "?"),
                      json_text(result, "role", "?"), json_text(result, "institution_id", "?"));
}

static const char *memory_words(const char *provider)
{
    return !strcmp(provider, "off") ? "off" : !strcmp(provider, "builtin") ? "on, kept here" : "on";
}

void script_print_info(struct script *script, const cJSON *result)
{
    const cJSON *limits = json_get(result, "limits");
    script_out_printf(script, 0, "%s, EduRag %s, protocol %lld.", json_text(result, "name", "?"),
                      json_text(result, "version", "?"), (long long)json_int(result, "protocol", 0));
    script_out_printf(script, 0, "Memory is %s. Meaning is found by %s, answers are made by %s.",
                      memory_words(json_text(result, "memory", "off")), json_text(result, "embeddings", "?"),
                      json_text(result, "generation", "?"));
    script_out_printf(
        script, 0, "Files of at most %lld MB, questions of at most %lld characters, %lld requests a minute.",
        (long long)(json_int(limits, "upload_bytes", 0) >> 20), (long long)json_int(limits, "query_characters", 0),
        (long long)json_int(json_get(limits, "rate"), "per_minute", 0));
}

static void members(struct script *script, const cJSON *object, int depth)
{
    const cJSON *item;
    cJSON_ArrayForEach (item, object) {
        AUTO(buf_free) struct buf value = {0};
        bool inside = cJSON_IsObject(item) && depth < 3;
        if (cJSON_IsString(item))
            buf_text(&value, item->valuestring);
        else if (!inside)
            json_write(&value, item);
        script_out_printf(script, 2 * depth + 2, "%*s%s: %s", 2 * depth, "", item->string ? item->string : "-",
                          value.data ? value.data : "");
        if (inside)
            members(script, item, depth + 1);
    }
}

void script_print_members(struct script *script, const cJSON *result)
{
    members(script, result, 0);
}

void script_print_methods(struct script *script, const cJSON *result)
{
    const cJSON *method;
    cJSON_ArrayForEach (method, json_get(result, "methods"))
        fprintf(script->out, "%-26s %-8s %s\n", json_text(method, "name", "?"), json_text(method, "x-access", "?"),
                json_text(method, "summary", ""));
}

/* The snippet with stars around what matched. */
static void starred(struct buf *out, const char *text, const cJSON *highlights)
{
    size_t length = strlen(text), done = 0;
    const cJSON *pair;
    cJSON_ArrayForEach (pair, highlights) {
        double start = cJSON_IsNumber(pair->child) ? pair->child->valuedouble : -1,
               end = pair->child && cJSON_IsNumber(pair->child->next) ? pair->child->next->valuedouble : -1;
        if (start < 0 || end <= start || end > (double)length)
            continue;
        size_t from = text_offset(text, length, (size_t)start), to = text_offset(text, length, (size_t)end);
        if (from < done || to <= from)
            continue;
        buf_bytes(out, text + done, from - done);
        buf_printf(out, "*%.*s*", (int)(to - from), text + from);
        done = to;
    }
    buf_text(out, text + done);
}

void script_print_passage(struct script *script, const cJSON *item, int number)
{
    AUTO(buf_free) struct buf snippet = {0};
    const char *heading = json_text(item, "heading", "");
    int indent = number > 9 ? 4 : 3;
    script_out_printf(script, indent, "%d. %s, %s.%s%s%s", number, json_text(item, "title", "?"), script_out_page(item),
                      *heading ? " " : "", heading, *heading ? "." : "");
    starred(&snippet, json_text(item, "snippet", ""), json_get(item, "highlights"));
    script_out_printf(script, indent, "%*s%s", indent, "", snippet.data);
}

void script_print_search(struct script *script, const cJSON *result)
{
    const cJSON *results = json_get(result, "results"), *item;
    const char *corrected = json_text(result, "corrected", NULL);
    int number = 0, count = cJSON_GetArraySize(results);
    if (corrected)
        script_say("Searched for “%s”.", corrected);
    if (!count)
        script_say("Nothing found for “%s”.", json_text(result, "query", ""));
    cJSON_ArrayForEach (item, results)
        script_print_passage(script, item, ++number);
    if (count)
        script_say("%d passage%s, %lld ms.", count, count == 1 ? "" : "s", (long long)json_int(result, "took_ms", 0));
    if (json_bool(result, "embeddings_degraded", false))
        script_say("The embedding service does not answer. The built-in one searched instead.");
}

void script_print_thread(struct script *script, const cJSON *result)
{
    const cJSON *turn, *citation;
    cJSON_ArrayForEach (turn, json_get(result, "turns")) {
        script_out_printf(script, 0, "%s  %s", script_out_when(turn, "at"), json_text(turn, "query", ""));
        script_out_prose(script, json_text(turn, "answer", ""), 0);
        cJSON_ArrayForEach (citation, json_get(turn, "citations"))
            script_out_printf(script, 4, "[%lld] %s, %s.", (long long)json_int(citation, "n", 0),
                              json_text(citation, "title", "?"), script_out_page(citation));
        fputc('\n', script->out);
    }
}

void script_print_page(struct script *script, const cJSON *result)
{
    const char *label = json_text(result, "page_label", ""), *title = json_text(result, "title", "?");
    long long page = json_int(result, "page", 0), pages = json_int(result, "pages", 0);
    AUTO(mem_freep) char *number = mem_printf("%lld", page);
    if (*label && strcmp(label, number) != 0)
        script_out_printf(script, 0, "%s, page %s (PDF page %lld of %lld).", title, label, page, pages);
    else
        script_out_printf(script, 0, "%s, page %lld of %lld.", title, page, pages);
    fprintf(script->out, "\n%s\n", json_text(result, "text", ""));
}

void script_print_outline(struct script *script, const cJSON *result)
{
    const cJSON *item;
    if (!cJSON_GetArraySize(json_get(result, "items")))
        script_say("This document has no table of contents.");
    cJSON_ArrayForEach (item, json_get(result, "items")) {
        int level = (int)json_int(item, "level", 1);
        int indent = level > 1 && level < 9 ? 2 * (level - 1) : 0;
        script_out_printf(script, indent + 2, "%*s%s, PDF page %lld", indent, "", json_text(item, "title", "?"),
                          (long long)json_int(item, "page", 0));
    }
}

void script_print_recommend(struct script *script, const cJSON *result)
{
    const cJSON *item, *document;
    const char *source = json_text(result, "source", "none");
    int number = 0;
    if (!strcmp(source, "trending"))
        script_say("What others are reading:");
    else if (!strcmp(source, "memory"))
        script_say("Because of what you read:");
    else
        script_say("Search a little first. Then this shows what fits you.");
    cJSON_ArrayForEach (item, json_get(result, "items")) {
        script_out_printf(script, 3, "%d. %s. %s", ++number, json_text(item, "topic", "?"),
                          json_text(item, "reason", ""));
        cJSON_ArrayForEach (document, json_get(item, "documents"))
            script_out_printf(script, 5, "   %s, %s.", json_text(document, "title", "?"), script_out_page(document));
    }
}

void script_print_reflect(struct script *script, const cJSON *result)
{
    const cJSON *topic;
    script_out_prose(script, json_text(result, "summary", ""), 0);
    cJSON_ArrayForEach (topic, json_get(result, "topics"))
        script_out_printf(script, 4, "- %s: %lld searches, %s to %s", json_text(topic, "topic", "?"),
                          (long long)json_int(topic, "searches", 0), script_out_when(topic, "first_at"),
                          script_out_when(topic, "last_at"));
    script_out_printf(script, 0, "Active on %lld day%s. Last active %s.", (long long)json_int(result, "active_days", 0),
                      json_int(result, "active_days", 0) == 1 ? "" : "s",
                      *script_out_when(result, "last_active_at") ? script_out_when(result, "last_active_at") : "never");
    if (json_text(result, "quiet_since", NULL))
        script_out_printf(script, 0, "Quiet since %s.", script_out_when(result, "quiet_since"));
}

void script_print_retained(struct script *script, const cJSON *result)
{
    if (!json_text(result, "fact_id", NULL)) {
        script_say("Memory is switched off, so nothing was kept.");
        return;
    }
    fprintf(script->out, "%s\n", json_text(result, "fact_id", ""));
    script_say("Kept: %s", json_text(result, "fact", ""));
}

void script_print_forgotten(struct script *script, const cJSON *result)
{
    const cJSON *f = json_get(result, "forgotten");
    (void)script;
    script_say("Forgotten: %lld facts, %lld searches, %lld reflections.", (long long)json_int(f, "facts", 0),
               (long long)json_int(f, "searches", 0), (long long)json_int(f, "reflections", 0));
}

void script_print_enrolled(struct script *script, const cJSON *result)
{
    const cJSON *unknown;
    const cJSON *changed = json_get(result, "changed");
    long long count = cJSON_IsArray(changed) ? cJSON_GetArraySize(changed) : (long long)json_int(result, "changed", 0);
    script_say("%lld changed.", count);
    cJSON_ArrayForEach (unknown, json_get(result, "unknown"))
        if (cJSON_IsString(unknown))
            script_out_printf(script, 0, "%s is not known here.", unknown->valuestring);
}

void script_print_created(struct script *script, const cJSON *result)
{
    const char *password = json_text(result, "password", NULL);
    const cJSON *user = json_get(result, "user");
    script_say("%s (%s) can log in now.%s", json_text(user, "name", "?"), json_text(user, "institution_id", "?"),
               password ? " The password, shown only this once:" : "");
    if (password)
        fprintf(script->out, "%s\n", password);
}

void script_print_password(struct script *script, const cJSON *result)
{
    script_say("The new password, shown only this once:");
    fprintf(script->out, "%s\n", json_text(result, "password", ""));
}

void script_print_imported(struct script *script, const cJSON *result)
{
    const cJSON *item;
    cJSON_ArrayForEach (item, json_get(result, "created"))
        fprintf(script->out, "%s %s\n", json_text(item, "institution_id", "?"), json_text(item, "password", ""));
    cJSON_ArrayForEach (item, json_get(result, "errors"))
        script_say("Line %lld: %s", (long long)json_int(item, "line", 0), json_text(item, "message", ""));
    const cJSON *skipped = json_get(result, "skipped");
    long long known = cJSON_IsArray(skipped) ? cJSON_GetArraySize(skipped) : (long long)json_int(result, "skipped", 0);
    script_say("%d new, %lld known already, %d wrong.", cJSON_GetArraySize(json_get(result, "created")), known,
               cJSON_GetArraySize(json_get(result, "errors")));
}

void script_print_job(struct script *script, const cJSON *result)
{
    const char *message = json_text(result, "error_message", NULL);
    script_out_printf(script, 0, "%s: %s, %lld of %lld pages read, attempt %lld.", json_text(result, "title", "?"),
                      json_text(result, "state", "?"), (long long)json_int(result, "pages_done", 0),
                      (long long)json_int(result, "pages_total", 0), (long long)json_int(result, "attempt", 0));
    if (json_int(result, "pages_without_text", 0))
        script_out_printf(script, 0, "%lld of %lld pages had no text.",
                          (long long)json_int(result, "pages_without_text", 0),
                          (long long)json_int(result, "pages_total", 0));
    if (message)
        script_out_prose(script, message, 0);
}

void script_print_id(struct script *script, const cJSON *result)
{
    const cJSON *item;
    cJSON_ArrayForEach (item, result) {
        size_t length = item->string ? strlen(item->string) : 0;
        if (length > 3 && !strcmp(item->string + length - 3, "_id") && cJSON_IsString(item)) {
            fprintf(script->out, "%s\n", item->valuestring);
            return;
        }
    }
}
