/* outside.c - a school whose library an embedder from outside serves. */
#include "tests/lib/outside.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/mem.h"
#include "tests/lib/library.h"

void outside_begin(struct harness *h, struct fake_models *fake, const char *embeddings)
{
    static const char *directory;
    AUTO(mem_freep) char *choice = mem_printf("EDURAG_EMBEDDINGS=%s", embeddings);
    AUTO(mem_freep) char *url = mem_printf("OPENAI_BASE_URL=http://127.0.0.1:%d/v1", fake_models_port(fake));
    const char *const settings[] = {choice, url, "EDURAG_GENERATION=extractive",
                                    "EDURAG_OPENAI_EMBEDDING_MODEL=nomic-embed-text", NULL};
    harness_start(h, directory, settings);
    directory = h->directory;
}

int outside_served_by(const struct harness *h, const char *model)
{
    AUTO(mem_freep) char *sql = mem_printf("select count(*) from public.pdfs where embedding_model like '%s'", model);
    AUTO(mem_freep) char *count = library_sql(h->directory, "edurag_owner", sql);
    return atoi(count);
}

void outside_wait_served_by(const struct harness *h, const char *model, int documents)
{
    for (int i = 0; i < 400 && outside_served_by(h, model) < documents; i++)
        usleep(50000);
    if (outside_served_by(h, model) == documents)
        return;
    AUTO(mem_freep) char *log = harness_log(h);
    fprintf(stderr, "%d documents are served by %s: %s\n", outside_served_by(h, model), model, log);
    exit(1);
}

int outside_results(struct ws *ws, const char *params)
{
    AUTO(json_freep) cJSON *reply = harness_call(ws, "search.query", params);
    return cJSON_GetArraySize(json_get(json_get(reply, "result"), "results"));
}

void outside_wait_found(struct ws *ws)
{
    for (int i = 0; i < 200 && !outside_results(ws, "{\"query\":\"enzymes\",\"preview\":true}"); i++)
        usleep(20000);
}
