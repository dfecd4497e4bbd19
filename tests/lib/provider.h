/* provider.h - one provider of language models and vectors for a test, with a fake for its service. */
#ifndef TESTS_LIB_PROVIDER_H
#define TESTS_LIB_PROVIDER_H

#include "server/models/models.h"
#include "tests/lib/fake_models.h"

struct provider {
    struct fake_models *fake;
    struct models_settings settings;
    char url[64]; /* of the fake */
    struct models_generator *g;
    struct models_embedder *e;
};

extern const char provider_key[];

/* "gemini" or "openai", with limits of time that a test can wait for. What fails fails the test. */
void provider_open(struct provider *p, const char *name);
void provider_close(struct provider *p);

/* A row of cmocka's table: the case runs with the one, then with the other. */
struct provider_case {
    void (*run)(struct provider *p);
};
void provider_both(void **state);
#define PROVIDER_BOTH(run)                                       \
    {                                                            \
#run, provider_both, NULL, NULL, &(struct provider_case) \
        {                                                        \
            run                                                  \
        }                                                        \
    }

#endif
