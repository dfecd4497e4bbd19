/* search_write.c - the language model's answer: generated in turn, checked, or honestly not there. */
#include "server/methods/search_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "server/models/citations.h"
#include "server/models/fair.h"
#include "server/retrieval/support.h"

/* ------------------------------------------------------------------ notifications on the way */

/* What the model says, on its way to the searcher. */
struct speech {
    const struct search_write *write;
    struct citations citations;
    struct buf text; /* so far; the deltas add up to it */
};

static void send_delta(const struct search_write *write, const char *text, int position)
{
    AUTO(buf_free) struct buf message = {0};
    if (!write->stream || !write->call->id_json)
        return;
    buf_json_open(&message, '{');
    buf_json_member_raw(&message, "id", write->call->id_json);
    if (text)
        buf_json_member(&message, "text", text);
    else
        buf_json_member_int(&message, "queue_position", position);
    buf_json_close(&message, '}');
    call_notify(write->call, "search.delta", message.data);
}

static void say(struct speech *speech, const struct buf *text)
{
    if (!text->length)
        return;
    buf_bytes(&speech->text, text->data, text->length);
    send_delta(speech->write, text->data, 0);
}

static void on_delta(void *context, const char *text, size_t length)
{
    struct speech *speech = context;
    AUTO(buf_free) struct buf clean = {0}, out = {0};
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] >= 0x20 || text[i] == '\n' || text[i] == '\t')
            buf_char(&clean, text[i]);
    citations_feed(&speech->citations, clean.data ? clean.data : "", clean.length, &out);
    say(speech, &out);
}

static bool on_cancelled(void *context)
{
    return call_cancelled(((struct speech *)context)->write->call);
}

static void on_position(void *context, int position)
{
    send_delta(((struct speech *)context)->write, NULL, position);
}

static void write_citation(struct buf *out, const struct passage_search_item *item, size_t n,
                           const struct snippet *quote, enum support_kind kind)
{
    buf_json_open(out, '{');
    buf_json_member_int(out, "n", (int64_t)n);
    passage_search_write_place(out, item, quote->page);
    buf_json_member(out, "quote", quote->text.data);
    buf_json_member(out, "support", support_word(kind));
    buf_json_close(out, '}');
}

static void send_sources(const struct search_write *write, const char *citations)
{
    AUTO(buf_free) struct buf message = {0};
    if (!write->stream || !write->call->id_json)
        return;
    buf_json_open(&message, '{');
    buf_json_member_raw(&message, "id", write->call->id_json);
    buf_json_member(&message, "search_id", write->search_id);
    buf_json_member(&message, "thread_id", write->thread_id);
    buf_json_member_raw(&message, "citations", citations);
    buf_json_close(&message, '}');
    call_notify(write->call, "search.sources", message.data);
}

/* What the answer may cite, before there is one. */
static void send_passages(const struct search_write *write, const struct passage_search *found)
{
    AUTO(buf_free) struct buf citations = {0};
    buf_json_open(&citations, '[');
    for (size_t i = 0; i < found->count; i++) {
        AUTO(snippet_free) struct snippet quote = {0};
        snippet_make(&quote, &found->items[i].passage, &found->words);
        write_citation(&citations, &found->items[i], i + 1, &quote, SUPPORT_NONE);
    }
    buf_json_close(&citations, ']');
    send_sources(write, citations.data);
}

/* ------------------------------------------------------------------ the answer, checked */

/* The claim that bears number n out best, or NULL. */
static const struct support_claim *best_claim(const struct support *support, size_t n)
{
    const struct support_claim *best = NULL;
    for (size_t i = 0; i < support->count; i++)
        if (support->claims[i].n == n && (!best || support->claims[i].kind > best->kind))
            best = &support->claims[i];
    return best;
}

static bool is_cited(const char *text, size_t n)
{
    char number[32];
    snprintf(number, sizeof number, "[%zu]", n);
    return strstr(text, number) != NULL;
}

static void write_checked(struct answer *answer, const struct passage_search *found, const struct support *support)
{
    buf_json_open(&answer->citations, '[');
    for (size_t n = 1; n <= found->count; n++) {
        AUTO(snippet_free) struct snippet quote = {0};
        const struct passage_search_item *item = &found->items[n - 1];
        const struct support_claim *claim = best_claim(support, n);
        if (!is_cited(answer->text.data, n))
            continue;
        if (claim)
            snippet_cut(&quote, &item->passage, claim->from, claim->to);
        else
            snippet_make(&quote, &item->passage, &found->words);
        write_citation(&answer->citations, item, n, &quote, claim ? claim->kind : SUPPORT_NONE);
    }
    buf_json_close(&answer->citations, ']');
    buf_json_open(&answer->sentences, '[');
    for (size_t i = 0; i < support->count; i++) {
        buf_json_open(&answer->sentences, '{');
        buf_json_member_int(&answer->sentences, "start", (int64_t)support->claims[i].start);
        buf_json_member_int(&answer->sentences, "end", (int64_t)support->claims[i].end);
        buf_json_member_int(&answer->sentences, "n", (int64_t)support->claims[i].n);
        buf_json_member(&answer->sentences, "support", support_word(support->claims[i].kind));
        buf_json_close(&answer->sentences, '}');
    }
    buf_json_close(&answer->sentences, ']');
    answer->grounded = support->grounded;
}

static void check(struct answer *answer, const struct passage_search *found, struct speech *speech)
{
    struct support_passage passages[PASSAGE_SEARCH_MOST];
    AUTO(support_free) struct support support = {0};
    for (size_t i = 0; i < found->count; i++)
        passages[i] = (struct support_passage){found->items[i].passage.text, found->items[i].passage.length};
    buf_bytes(&answer->text, speech->text.data, speech->text.length);
    support_check(&support, answer->text.data, passages, found->count);
    write_checked(answer, found, &support);
}

/* ------------------------------------------------------------------ asking the model */

static bool generate(struct speech *speech, const struct prompt *prompt, struct models_answer *heard, struct err *err)
{
    const struct fair_waiter waiter = {on_position, on_cancelled, speech};
    const struct models_listener listener = {on_delta, on_cancelled, speech};
    return models_generate(speech->write->call->caller.user_id, &waiter, &prompt->question, &listener, heard, err);
}

/* The last of the text, and a sentence where it did not end as it should. */
static void finish(struct speech *speech, const struct models_answer *heard)
{
    AUTO(buf_free) struct buf rest = {0};
    citations_end(&speech->citations, &rest);
    if (heard->end != MODELS_END_WHOLE)
        buf_printf(&rest, "\n\n(%s)", *heard->note ? heard->note : "The answer is not whole.");
    say(speech, &rest);
}

static void ask_prompt(struct prompt *prompt, const struct search_write *write, const char *query,
                       const struct passage_search *found)
{
    struct prompt_passage passages[PASSAGE_SEARCH_MOST];
    for (size_t i = 0; i < found->count; i++)
        passages[i] =
            (struct prompt_passage){found->items[i].title, found->items[i].first_label, found->items[i].passage.text};
    prompt_make(prompt, &(struct prompt_parts){.question = query,
                                               .passages = passages,
                                               .passage_count = found->count,
                                               .facts = write->facts,
                                               .fact_count = write->fact_count,
                                               .turns = write->turns,
                                               .turn_count = write->turn_count});
}

/* Sentences of the library instead; `why` where a model should have written. */
static void stand_in(const struct search_write *write, const struct passage_search *found, const char *why,
                     struct answer *answer)
{
    answer_make(answer, found);
    send_sources(write,
                 answer->citations.data); /* instead of those that the model was given, which have other numbers */
    if (why)
        buf_printf(&answer->text, "\n\n(%s%s)", why, answer->grounded ? " These are sentences from the library." : "");
    send_delta(write, answer->text.data, 0);
}

bool search_write(const struct search_write *write, const char *query, const struct passage_search *found,
                  struct answer *answer, const char **generation, struct err *err)
{
    struct models_generator *generator = found->count ? models_generator() : NULL;
    AUTO(models_answer_free) struct models_answer heard = {0};
    AUTO(prompt_free) struct prompt prompt = {0};
    struct speech speech = {.write = write, .citations = {.count = found->count}};
    struct err said = {0};
    bool written = false;
    if (generator) {
        send_passages(write, found);
        ask_prompt(&prompt, write, query, found);
        written = generate(&speech, &prompt, &heard, &said);
    }
    if (written) {
        finish(&speech, &heard);
        check(answer, found, &speech);
        *generation = generator->provider;
    }
    citations_free(&speech.citations);
    buf_free(&speech.text);
    if (!written && said.code == ERR_CANCELLED) {
        if (err)
            *err = said;
        return false;
    }
    if (!written) {
        stand_in(write, found, generator ? err_sentence(&said) : NULL, answer);
        *generation = "extractive";
    }
    return true;
}
