/* redact_pattern.c - PCRE2 as redaction uses it: compiled once with JIT, bounded at every match. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "server/memory/redact_pattern.h"

#include <pcre2.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { MATCH_LIMIT = 100000, DEPTH_LIMIT = 1000, HEAP_LIMIT_KIB = 1024 };

struct workspace {
    pcre2_match_data *data;
    pcre2_match_context *context;
};

static pthread_key_t workspace_key;
static pthread_once_t workspace_once = PTHREAD_ONCE_INIT;

static void workspace_free(void *p)
{
    struct workspace *w = p;
    pcre2_match_data_free(w->data);
    pcre2_match_context_free(w->context);
    free(w);
}

static void workspace_start(void)
{
    if (pthread_key_create(&workspace_key, workspace_free))
        abort();
}

static struct workspace *workspace(void)
{
    pthread_once(&workspace_once, workspace_start);
    struct workspace *w = pthread_getspecific(workspace_key);
    if (w)
        return w;
    w = calloc(1, sizeof *w);
    if (!w || !(w->data = pcre2_match_data_create(1, NULL)) || !(w->context = pcre2_match_context_create(NULL)))
        abort();
    pcre2_set_match_limit(w->context, MATCH_LIMIT);
    pcre2_set_depth_limit(w->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(w->context, HEAP_LIMIT_KIB);
    pthread_setspecific(workspace_key, w);
    return w;
}

static pcre2_code *compiled(struct redact_pattern *pattern)
{
    void *code = atomic_load_explicit(&pattern->code, memory_order_acquire);
    if (code)
        return code;
    int number;
    PCRE2_SIZE offset;
    /* Anchored here and not at the match: the JIT compiler does not take that option later. */
    uint32_t options = PCRE2_UTF | PCRE2_EXTENDED | (pattern->anchored ? PCRE2_ANCHORED : 0u);
    code = pcre2_compile((PCRE2_SPTR)pattern->text, PCRE2_ZERO_TERMINATED, options, &number, &offset, NULL);
    if (!code) /* a fault of the program's own text: every test of redaction dies here */
        abort();
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* without JIT the interpreter serves */
    void *other = NULL;
    if (atomic_compare_exchange_strong(&pattern->code, &other, code))
        return code;
    pcre2_code_free(code);
    return other;
}

enum redact_match redact_pattern_find(struct redact_pattern *pattern, const char *text, size_t length, size_t at,
                                      size_t *start, size_t *end)
{
    struct workspace *w = workspace();
    int found = pcre2_match(compiled(pattern), (PCRE2_SPTR)text, length, at, PCRE2_NO_UTF_CHECK, w->data, w->context);
    if (found == PCRE2_ERROR_NOMATCH)
        return REDACT_MATCH_NONE;
    if (found < 0)
        return REDACT_MATCH_LIMIT;
    PCRE2_SIZE *spans = pcre2_get_ovector_pointer(w->data);
    *start = spans[0];
    *end = spans[1];
    return REDACT_MATCH_YES;
}
