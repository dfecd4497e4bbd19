/* provider.c - one provider of language models and vectors for a test, with a fake for its service. */
#include "tests/lib/provider.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "common/mem.h"

const char provider_key[] = "the-secret-key";

void provider_open(struct provider *p, const char *name)
{
    p->fake = fake_models_start(0);
    snprintf(p->url, sizeof p->url, "http://127.0.0.1:%d/base/", fake_models_port(p->fake));
    p->settings = (struct models_settings){.generation = name,
                                           .embeddings = name,
                                           .gemini_base_url = p->url,
                                           .gemini_api_key = provider_key,
                                           .openai_base_url = p->url,
                                           .openai_api_key = provider_key,
                                           .openai_chat_model = "llama3.2:3b",
                                           .openai_embedding_model = "nomic-embed-text",
                                           .first_byte_ms = 600,
                                           .silence_ms = 400,
                                           .embed_ms = 1500,
                                           .breaker_pause_ms = 200};
    struct err err = {0};
    assert_true(models_generator_open(&p->settings, &p->g, &err));
    assert_true(models_embedder_open(&p->settings, &p->e, &err));
}

void provider_close(struct provider *p)
{
    models_generator_free(&p->g);
    models_embedder_free(&p->e);
    fake_models_stop(p->fake);
}

void provider_both(void **state)
{
    static const char *const names[] = {"gemini", "openai"};
    const struct provider_case *test = *state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct provider p = {0};
        provider_open(&p, names[i]);
        test->run(&p);
        provider_close(&p);
    }
}
