/* contract_calls.c - sends every request that we can send to a mock that validates it: `contract_calls KIND URL`.
 *
 * KIND: gemini, openai or hindsight. What the mock answers does not matter here; it tells what it thinks of
 * the requests on its own standard output. A line for each call on ours.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "server/memory/hindsight.h"
#include "server/models/models.h"
#include "server/models/prompt.h"

static int calls, refused;

static void told(const char *what, bool fine, const struct err *err)
{
    /* Only what a validator says counts: 400, 415, 422 and unknown paths. */
    bool bad = !fine && (strstr(err->log, "status 4") || err->code == ERR_INVALID_PARAMS);
    printf("%s: %s\n", what, fine ? "accepted" : err->log);
    calls++;
    refused += bad;
}

static void generate(const struct models_settings *settings)
{
    static const struct prompt_passage passages[] = {{"Biochemistry", "12", "Enzymes are proteins."},
                                                     {"Größe", "", "“Zitat”"}};
    static const struct prompt_turn turns[] = {{"What is a cell?", "The smallest unit [1]."}};
    static const char *const facts[] = {"student searched for enzymes"};
    static const struct models_listener deaf = {0};
    struct models_generator *g = NULL;
    struct err err = {0};
    if (!models_generator_open(settings, &g, &err))
        abort();
    for (size_t i = 0; i < 4; i++) {
        AUTO(models_answer_free) struct models_answer answer = {0};
        AUTO(prompt_free) struct prompt prompt = {0};
        if (i == 3)
            prompt_make_reflection(&prompt, facts, 1);
        else
            prompt_make(&prompt, &(struct prompt_parts){.question = "What is an enzyme?",
                                                        .passages = passages,
                                                        .passage_count = i,
                                                        .turns = turns,
                                                        .turn_count = i > 1,
                                                        .facts = facts,
                                                        .fact_count = i > 0});
        err = (struct err){0};
        told("generate", g->generate(g, &prompt.question, &deaf, &answer, &err), &err);
    }
    models_generator_free(&g);
}

static void embed(const struct models_settings *settings)
{
    const char *texts[100];
    struct models_embedder *e = NULL;
    struct err err = {0};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        texts[i] = i % 2 ? "Enzymes are proteins." : "größer";
    texts[7] = "";
    AUTO(mem_freep) float *vectors = mem_array(COUNT_OF(texts) * MODELS_DIMENSIONS_MOST, sizeof *vectors);
    if (!models_embedder_open(settings, &e, &err))
        abort();
    for (int kind = MODELS_PASSAGE; kind <= MODELS_QUERY; kind++) {
        err = (struct err){0};
        told("embed", e->embed(e, (enum models_text)kind, texts, kind == MODELS_QUERY ? 1 : e->batch, vectors, &err),
             &err);
    }
    models_embedder_free(&e);
}

static void models(const char *kind, const char *url)
{
    struct models_settings s = {.generation = kind,
                                .embeddings = kind,
                                .gemini_base_url = url,
                                .gemini_api_key = "k",
                                .openai_base_url = url,
                                .openai_api_key = "k",
                                .openai_chat_model = "m",
                                .openai_embedding_model = "text-embedding-3-small"};
    generate(&s);
    embed(&s);
    s.gemini_embedding_model = "gemini-embedding-001";
    s.gemini_thinking = "LOW";
    s.openai_reasoning = true;
    s.dimensions = 256;
    generate(&s);
    embed(&s);
}

static void hindsight(const char *url)
{
    static const char bank[] = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
                      operation[] = "550e8400-e29b-41d4-a716-446655440000";
    static const struct redact_person person = {"Maya Okafor", "S1"};
    static const char *const sources[] = {"search", "ask", "reading", "client"};
    struct hindsight *h = NULL;
    struct err err = {0};
    char version[32], told_id[40];
    enum hindsight_state state;
    if (!hindsight_open(&(struct hindsight_settings){.url = url, .api_key = "hsk_x"}, &h, &err))
        abort();
    told("status", hindsight_status(h, version, &err), &err);
    told("bank", hindsight_bank(h, bank, &err), &err);
    for (size_t i = 0; i < COUNT_OF(sources); i++) {
        struct hindsight_fact fact = {"123e4567-e89b-12d3-a456-426614174000", operation, "Maya searched for enzymes",
                                      sources[i], i ? "2026-01-15T10:30:00Z" : NULL};
        told("retain", hindsight_retain(h, bank, &person, &fact, told_id, &state, &err), &err);
    }
    AUTO(hindsight_memories_free) struct hindsight_memories memories = {0};
    AUTO(buf_free) struct buf text = {0};
    told("operation", hindsight_operation(h, bank, operation, &state, NULL, &err), &err);
    told("cancel", hindsight_cancel(h, bank, operation, &err), &err);
    told("recall", hindsight_recall(h, bank, &person, "enzymes", 5, NULL, NULL, &memories, &err), &err);
    told("reflect", hindsight_reflect(h, bank, &person, "How does this student progress?", NULL, NULL, &text, &err),
         &err);
    told("forget", hindsight_forget(h, bank, "123e4567-e89b-12d3-a456-426614174000", NULL, &err), &err);
    told("forget the bank", hindsight_forget_bank(h, bank, NULL, &err), &err);
    hindsight_close(h);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    if (!strcmp(argv[1], "hindsight"))
        hindsight(argv[2]);
    else
        models(argv[1], argv[2]);
    printf("%d calls, %d refused\n", calls, refused);
    return refused > 0;
}
