/* models.c - language models answer, or fail in words, whatever their services do; and what settings they take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/text.h"
#include "common/wait.h"
#include "server/models/http.h"
#include "server/models/models.h"
#include "tests/lib/fake_models.h"
#include "tests/lib/provider.h"

static const char answer_text[] = "Enzymes speed up reactions [1]. Größe spielt keine Rolle 😀 [2].";

/* A question on its way, and all that came of it. */
struct asked {
    struct buf heard; /* the deltas together */
    bool utf8;        /* each of them was whole characters */
    atomic_bool cancel;
    struct models_answer answer;
    struct err err;
};

static void asked_free(struct asked *asked)
{
    buf_free(&asked->heard);
    models_answer_free(&asked->answer);
}

static void on_delta(void *context, const char *text, size_t length)
{
    struct asked *asked = context;
    asked->utf8 = asked->utf8 && text_valid_utf8(text, length);
    buf_bytes(&asked->heard, text, length);
}

static bool on_cancelled(void *context)
{
    return atomic_load(&((struct asked *)context)->cancel);
}

static bool ask_for(struct provider *p, struct asked *asked, struct err *err)
{
    static const struct models_message messages[] = {
        {false, "What is an enzyme?"}, {true, "A protein."}, {false, "And what does it do?"}};
    static const struct models_question question = {.system = "You are kind.", .messages = messages, .count = 3};
    struct models_listener listener = {.delta = on_delta, .cancelled = on_cancelled, .context = asked};
    asked->utf8 = true;
    return p->g->generate(p->g, &question, &listener, &asked->answer, err);
}

static bool ask(struct provider *p, struct asked *asked)
{
    return ask_for(p, asked, &asked->err);
}

static bool answers(struct provider *p)
{
    AUTO(asked_free) struct asked asked = {0};
    return ask_for(p, &asked, NULL) && asked.answer.text.length > 0;
}

enum { NOTHING = 99 };

/* What a service does, how an answer of it ends, and what is said then. */
struct behaviour {
    const char *name;
    int end;
    const char *says;
};

static void check_behaviour(struct provider *p, const struct behaviour *want)
{
    AUTO(asked_free) struct asked asked = {0};
    const struct models_answer *answer = &asked.answer;
    const struct err *err = &asked.err;
    fake_models_behave(p->fake, want->name, 0);
    int64_t start = wait_now();
    bool fine = ask(p, &asked);
    int64_t took = wait_now() - start;
    const char *said = fine ? answer->note : err->say;
    if (fine != (want->end != NOTHING) || (fine && (int)answer->end != want->end) || !strstr(said, want->says) ||
        took > 20000)
        fail_msg("%s %s: %s, end %d, “%s”, log “%s”, %lld ms", p->g->provider, want->name, fine ? "an answer" : "none",
                 answer->end, said, err->log, (long long)took);
    assert_true(asked.utf8);
    assert_string_equal(asked.heard.data ? asked.heard.data : "", answer->text.data ? answer->text.data : "");
    if (fine && answer->end == MODELS_END_WHOLE)
        assert_string_equal(answer->text.data, answer_text);
    else if (fine)
        assert_memory_equal(answer->text.data, answer_text, answer->text.length);
    assert_null(strstr(err->log, provider_key));
    assert_null(strstr(err->say, provider_key));
    if (!fine) {
        assert_int_equal(err->code, ERR_UPSTREAM);
        assert_string_equal(err->service, p->g->provider);
    }
    fake_models_behave(p->fake, "fine", 0); /* closes the breaker again */
    while (!answers(p)) {
        assert_true(wait_now() - start < 6000 + took);
        usleep(50000);
    }
}

static void every_misbehaviour_ends_in_an_answer_or_in_words(struct provider *p)
{
    bool gemini = !strcmp(p->g->provider, "gemini");
    const struct behaviour cases[] = {
        {"fine", MODELS_END_WHOLE, ""},
        {"one_byte", MODELS_END_WHOLE, ""},
        {"crlf", MODELS_END_WHOLE, ""},
        {"comments", MODELS_END_WHOLE, ""},
        {"tight", MODELS_END_WHOLE, ""},
        {"thoughts", MODELS_END_WHOLE, ""},
        {"usage", MODELS_END_WHOLE, ""},
        {"no_done", MODELS_END_WHOLE, ""},
        {"whole", MODELS_END_WHOLE, ""},
        {"burst", MODELS_END_WHOLE, ""},
        {"nothings", MODELS_END_WHOLE, ""},
        {"early_finish", MODELS_END_WHOLE, ""},
        {"after_done", MODELS_END_WHOLE, ""},
        {"odd_finish", gemini ? MODELS_END_BROKEN : MODELS_END_WHOLE, ""},
        {"length", MODELS_END_LENGTH, "length"},
        {"safety", MODELS_END_BLOCKED, "withheld"},
        {"no_finish", MODELS_END_BROKEN, "broke off"},
        {"cut", MODELS_END_BROKEN, "broke off"},
        {"stall", MODELS_END_BROKEN, "broke off"},
        {"mid_error", MODELS_END_BROKEN, "error in the middle"},
        {"malformed", MODELS_END_BROKEN, "broke off"},
        {"huge", MODELS_END_BROKEN, "broke off"},
        {"comments_only", MODELS_END_BROKEN, "broke off"},
        {"comments_first", NOTHING, "did not answer"},
        {"thought_out", NOTHING, "before it wrote a word"},
        {"blocked", NOTHING, "declined"},
        {"empty", NOTHING, "did not answer"},
        {"error_first", NOTHING, "error"},
        {"hang", NOTHING, "did not answer"},
        {"cut_at_once", NOTHING, "did not answer"},
        {"html", NOTHING, "did not answer"},
        {"400", NOTHING, "did not accept"},
        {"401", NOTHING, "key"},
        {"403", NOTHING, "key"},
        {"404", NOTHING, "does not exist"},
        {"429_day", NOTHING, "quota"},
        {"429_long", NOTHING, "quota"},
        {"500", NOTHING, "did not answer"},
        {"array_error", NOTHING, "did not answer"},
        {"flat_error", NOTHING, "did not accept"},
        {"redirect", NOTHING, "did not answer"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check_behaviour(p, &cases[i]);
}

/* Whole, cut, withheld or broken, and each in words of its own; what nobody has heard of yet too. */
static void every_reason_to_finish_is_told_in_words(void **state)
{
    (void)state;
    static const struct {
        const char *provider, *reason;
        enum models_end end;
        const char *says;
    } cases[] = {
        {"gemini", "STOP", MODELS_END_WHOLE, ""},
        {"gemini", "MAX_TOKENS", MODELS_END_LENGTH, "length limit"},
        {"gemini", "SAFETY", MODELS_END_BLOCKED, "safety"},
        {"gemini", "RECITATION", MODELS_END_BLOCKED, "published text"},
        {"gemini", "LANGUAGE", MODELS_END_BLOCKED, "language"},
        {"gemini", "BLOCKLIST", MODELS_END_BLOCKED, "forbidden word"},
        {"gemini", "PROHIBITED_CONTENT", MODELS_END_BLOCKED, "forbid the subject"},
        {"gemini", "SPII", MODELS_END_BLOCKED, "personal data"},
        {"gemini", "MALFORMED_FUNCTION_CALL", MODELS_END_BROKEN, "lost its way"},
        {"gemini", "UNEXPECTED_TOOL_CALL", MODELS_END_BROKEN, "without saying why"},
        {"gemini", "TOO_MANY_TOOL_CALLS", MODELS_END_BROKEN, "without saying why"},
        {"gemini", "MISSING_THOUGHT_SIGNATURE", MODELS_END_BROKEN, "without saying why"},
        {"gemini", "IMAGE_SAFETY", MODELS_END_BROKEN, "without saying why"},
        {"gemini", "OTHER", MODELS_END_BROKEN, "without saying why"},
        {"gemini", "SOMETHING_OF_NEXT_YEAR", MODELS_END_BROKEN, "without saying why"},
        {"openai", "stop", MODELS_END_WHOLE, ""},
        {"openai", "length", MODELS_END_LENGTH, "length limit"},
        {"openai", "content_filter", MODELS_END_BLOCKED, "filter"},
        {"openai", "tool_calls", MODELS_END_WHOLE, ""},
        {"openai", "function_call", MODELS_END_WHOLE, ""},
        {"openai", "load", MODELS_END_WHOLE, ""},
        {"openai", "abort", MODELS_END_BROKEN, "broke off"},
        {"openai", "error", MODELS_END_BROKEN, "broke off"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct provider p = {0};
        AUTO(asked_free) struct asked asked = {0};
        AUTO(mem_freep) char *behaviour = mem_printf("finish:%s", cases[i].reason);
        const struct models_answer *answer = &asked.answer;
        provider_open(&p, cases[i].provider);
        fake_models_behave(p.fake, behaviour, 0);
        if (!ask(&p, &asked) || answer->end != cases[i].end || !strstr(answer->note, cases[i].says) ||
            !*cases[i].says != !*answer->note)
            fail_msg("%s %s: end %d, “%s”, %s", cases[i].provider, cases[i].reason, answer->end, answer->note,
                     asked.err.log);
        assert_string_equal(answer->text.data, answer_text);
        provider_close(&p);
    }
}

static void an_answer_without_end_is_cut_and_says_so(struct provider *p)
{
    AUTO(asked_free) struct asked asked = {0};
    AUTO(buf_free) struct buf text = {0};
    const struct models_answer *answer = &asked.answer;
    p->settings.first_byte_ms = p->settings.silence_ms = 20000;
    while (text.length < 300000)
        buf_text(&text, "and so on and so forth, as long as anybody lets it go on; ");
    fake_models_answer(p->fake, text.data);
    fake_models_behave(p->fake, "burst", 0);
    assert_true(ask(p, &asked));
    assert_int_equal(answer->end, MODELS_END_LENGTH);
    assert_non_null(strstr(answer->note, "length limit"));
    assert_in_range(answer->text.length, 200000, 262144);
    assert_memory_equal(answer->text.data, text.data, answer->text.length);
}

static void requests_are_as_the_contracts_say(struct provider *p)
{
    assert_true(answers(p));
    AUTO(mem_freep)
    char *path = fake_models_last_path(p->fake), *headers = fake_models_last_headers(p->fake),
         *body = fake_models_last_body(p->fake);
    AUTO(json_freep) cJSON *json = json_parse(body, strlen(body), NULL);
    assert_non_null(json);
    assert_null(strstr(path, provider_key));
    assert_null(strstr(body, provider_key));
    assert_non_null(strstr(headers, "accept: text/event-stream"));
    assert_non_null(strstr(headers, "content-type: application/json"));
    if (!strcmp(p->g->provider, "gemini")) {
        assert_string_equal(path, "/base/models/gemini-flash-latest:streamGenerateContent?alt=sse");
        assert_non_null(strstr(headers, "x-goog-api-key: the-secret-key"));
        assert_non_null(strstr(body, "\"systemInstruction\":{\"parts\":[{\"text\":\"You are kind.\"}]}"));
        assert_non_null(strstr(body, "{\"role\":\"model\",\"parts\":[{\"text\":\"A protein.\"}]}"));
        assert_non_null(strstr(body, "\"maxOutputTokens\":10240")); /* thoughts count, too */
    } else {
        assert_string_equal(path, "/base/chat/completions");
        assert_non_null(strstr(headers, "authorization: Bearer the-secret-key"));
        assert_non_null(strstr(body, "{\"role\":\"system\",\"content\":\"You are kind.\"}"));
        assert_non_null(strstr(body, "{\"role\":\"assistant\",\"content\":\"A protein.\"}"));
        assert_non_null(strstr(body, "\"max_tokens\":2048"));
        p->settings.openai_reasoning = true;
        assert_true(answers(p));
        AUTO(mem_freep) char *other = fake_models_last_body(p->fake);
        assert_non_null(strstr(other, "\"max_completion_tokens\":10240"));
        assert_null(strstr(other, "temperature"));
        assert_null(strstr(other, "max_tokens"));
    }
}

static void only_what_the_contracts_allow_is_tried_again(struct provider *p)
{
    static const struct {
        const char *behaviour;
        int times, requests;
        bool fine;
    } cases[] = {
        {"429", 1, 2, true},      {"429_info", 2, 3, true},  {"503", 2, 3, true},  {"503", 3, 3, false},
        {"429_day", 1, 1, false}, {"429_long", 1, 1, false}, {"500", 1, 1, false}, {"404", 1, 1, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(asked_free) struct asked asked = {0};
        int before = fake_models_requests(p->fake);
        fake_models_behave(p->fake, cases[i].behaviour, cases[i].times);
        bool fine = ask(p, &asked);
        int requests = fake_models_requests(p->fake) - before;
        if (fine != cases[i].fine || requests != cases[i].requests)
            fail_msg("%s %s: %d requests, %s", p->g->provider, cases[i].behaviour, requests,
                     fine ? "fine" : asked.err.log);
    }
}

static void *cancel_soon(void *context)
{
    usleep(150000);
    atomic_store(&((struct asked *)context)->cancel, true);
    return NULL;
}

static void a_cancel_ends_it_at_once(struct provider *p)
{
    static const char *const behaviours[] = {"hang", "stall"};
    p->settings.first_byte_ms = p->settings.silence_ms = 20000;
    for (size_t i = 0; i < COUNT_OF(behaviours); i++) {
        AUTO(asked_free) struct asked asked = {0};
        pthread_t thread;
        fake_models_behave(p->fake, behaviours[i], 1);
        pthread_create(&thread, NULL, cancel_soon, &asked);
        int64_t start = wait_now();
        assert_false(ask(p, &asked));
        int64_t took = wait_now() - start;
        pthread_join(thread, NULL);
        assert_int_equal(asked.err.code, ERR_CANCELLED);
        assert_true(took < 5000);
    }
    /* A cancelled call says nothing about the service. */
    assert_true(http_reachable(p->g->service));
}

static void a_dead_service_is_left_alone_until_a_probe_succeeds(struct provider *p)
{
    fake_models_behave(p->fake, "500", 0);
    for (int i = 0; i < 5; i++)
        assert_false(answers(p));
    AUTO(asked_free) struct asked asked = {0};
    int before = fake_models_requests(p->fake);
    assert_false(http_reachable(p->g->service));
    assert_false(ask(p, &asked));
    assert_int_equal(fake_models_requests(p->fake), before);
    assert_true(asked.err.retry_after_ms > 0);
    fake_models_behave(p->fake, "fine", 0);
    usleep(250000);
    assert_true(answers(p));
    assert_true(http_reachable(p->g->service));
}

static void connections_are_used_again(struct provider *p)
{
    for (int i = 0; i < 5; i++)
        assert_true(answers(p));
    assert_int_equal(fake_models_connections(p->fake), 1);
}

static void a_model_may_be_written_as_googles_lists_have_it(void **state)
{
    (void)state;
    struct provider p = {0};
    provider_open(&p, "gemini");
    models_generator_free(&p.g);
    models_embedder_free(&p.e);
    p.settings.gemini_model = "models/gemini-x";
    p.settings.gemini_embedding_model = "models/gemini-embedding-001";
    assert_true(models_generator_open(&p.settings, &p.g, NULL));
    assert_true(models_embedder_open(&p.settings, &p.e, NULL));
    assert_string_equal(p.g->model, "gemini-x");
    assert_string_equal(p.e->model, "gemini-embedding-001");
    provider_close(&p);
}

static void unsafe_or_missing_settings_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct models_settings settings;
        const char *field;
    } cases[] = {
        {{.generation = "gemini"}, "GEMINI_API_KEY"},
        {{.generation = "gemini", .gemini_api_key = "k", .gemini_base_url = "http://example.org"}, "base_url"},
        {{.generation = "gemini", .gemini_api_key = "k", .gemini_base_url = "ftp://example.org"}, "base_url"},
        {{.generation = "gemini", .gemini_api_key = "k\r\nEvil: yes"}, "key"},
        {{.generation = "openai", .openai_base_url = "http://127.0.0.1:1/v1"}, "EDURAG_OPENAI_CHAT_MODEL"},
        {{.generation = "openai", .openai_chat_model = "m"}, "OPENAI_BASE_URL"},
        {{.generation = "openai", .openai_chat_model = "m", .openai_base_url = "https://u:p@example.org/v1"},
         "base_url"},
        {{.generation = "openai", .openai_chat_model = "m", .openai_base_url = "https://example.org/v1?key=1"},
         "base_url"},
        {{.embeddings = "openai", .openai_base_url = "http://127.0.0.1:1/v1"}, "EDURAG_OPENAI_EMBEDDING_MODEL"},
        {{.embeddings = "gemini"}, "GEMINI_API_KEY"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err err = {0};
        if (models_start(&cases[i].settings, &err) || strcmp(err.field, cases[i].field))
            fail_msg("case %zu: field “%s”, %s", i, err.field, err.log);
    }
    struct err err = {0};
    static const struct models_settings plain = {0}, allowed = {.generation = "openai",
                                                                .openai_chat_model = "m",
                                                                .openai_base_url = "http://gpu.lan:8000/v1",
                                                                .allow_insecure = true};
    assert_true(models_start(&plain, &err));
    assert_null(models_generator());
    assert_null(models_embedder());
    models_stop();
    assert_true(models_start(&allowed, &err));
    assert_string_equal(models_generator()->provider, "openai");
    models_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROVIDER_BOTH(every_misbehaviour_ends_in_an_answer_or_in_words),
        cmocka_unit_test(every_reason_to_finish_is_told_in_words),
        PROVIDER_BOTH(an_answer_without_end_is_cut_and_says_so),
        PROVIDER_BOTH(requests_are_as_the_contracts_say),
        PROVIDER_BOTH(only_what_the_contracts_allow_is_tried_again),
        PROVIDER_BOTH(a_cancel_ends_it_at_once),
        PROVIDER_BOTH(a_dead_service_is_left_alone_until_a_probe_succeeds),
        PROVIDER_BOTH(connections_are_used_again),
        cmocka_unit_test(a_model_may_be_written_as_googles_lists_have_it),
        cmocka_unit_test(unsafe_or_missing_settings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
