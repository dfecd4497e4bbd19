/* stock.c - what a node searches in memory stays whole and true while it changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "server/retrieval/stock.h"

enum { DIMENSIONS = 8, PASSAGES = 10 };

static struct stock_id id(unsigned kind, unsigned n)
{
    struct stock_id made = {{0}};
    made.bytes[0] = (uint8_t)kind;
    memcpy(made.bytes + 4, &n, sizeof n);
    return made;
}

static struct stock_document document(unsigned n, unsigned course, int64_t version, const char *model)
{
    struct stock_document made = {.id = id(1, n), .course = course ? id(2, course) : (struct stock_id){{0}}, .version = version};
    snprintf(made.model, sizeof made.model, "%s", model);
    return made;
}

/* Passage i of document n: "common shared wordN pageI". */
static void put(struct stock *stock, const struct stock_document *d, unsigned n, bool switched)
{
    struct stock_passage passages[PASSAGES];
    char texts[PASSAGES][80];
    float vectors[PASSAGES][DIMENSIONS] = {{0}};
    for (unsigned i = 0; i < PASSAGES; i++) {
        snprintf(texts[i], sizeof texts[i], "common shared word%u page%u", n, i);
        vectors[i][(n + i) % DIMENSIONS] = 1;
        passages[i] = (struct stock_passage){id(3, n * 1000 + i), texts[i], strlen(texts[i]), vectors[i]};
    }
    if (switched)
        assert_true(stock_switch(stock, d, DIMENSIONS, passages, PASSAGES));
    else
        stock_put(stock, d, DIMENSIONS, passages, PASSAGES);
}

static bool embed(const char *model, const char *text, float *vector, double *weight, void *context)
{
    (void)text;
    (void)context;
    vector[0] = 1;
    *weight = 0.3;
    return strcmp(model, "mute") != 0;
}

static size_t found(struct stock *stock, const struct stock_asker *asker, const char *query)
{
    struct stock_answer answer;
    stock_search(stock, asker, query, embed, NULL, FUSE_POOL, &answer);
    size_t count = 0;
    for (size_t i = 0; i < answer.count; i++)
        count += answer.hits[i].share > 0; /* not for its vector alone */
    stock_answer_free(&answer);
    return count;
}

static const struct stock_id open_course = {{0}};
static const struct stock_asker open_asker = {.courses = &open_course, .course_count = 1};

static void identifiers_go_to_text_and_back(void **state)
{
    (void)state;
    const char *text = "0123abcd-4567-89ef-0123-456789abcdef";
    struct stock_id read;
    char again[37];
    assert_true(stock_id_read(&read, text));
    stock_id_text(&read, again);
    assert_string_equal(again, text);
    assert_false(stock_id_read(&read, "0123"));
    assert_false(stock_id_read(&read, ""));
    assert_false(stock_id_read(&read, "0123abcd-4567-89ef-0123-456789abcdeg"));
    assert_false(stock_id_read(&read, "0123abcd-4567-89ef-0123-456789abcdef0"));
}

static void people_find_what_is_in_their_courses(void **state)
{
    (void)state;
    struct stock *stock = stock_new();
    struct stock_id courses[] = {{{0}}, id(2, 1)}, person = id(4, 1);
    struct stock_document own = document(3, 2, 1, "a");
    own.uploader = person;
    struct stock_document first = document(1, 0, 1, "a"), second = document(2, 1, 1, "b");
    put(stock, &first, 1, false);
    put(stock, &second, 2, false);
    put(stock, &own, 3, false);
    const struct stock_asker member = {.courses = courses, .course_count = 2}, uploader = {.courses = courses, .course_count = 1, .person = person};
    assert_int_equal(found(stock, &open_asker, "common"), PASSAGES);
    assert_int_equal(found(stock, &member, "common"), 2 * PASSAGES);
    assert_int_equal(found(stock, &uploader, "common"), 2 * PASSAGES);
    struct stock_asker only = member;
    only.only = &courses[1];
    assert_int_equal(found(stock, &only, "common"), PASSAGES);
    assert_int_equal(found(stock, &only, "word1"), 0);
    struct stock_document moved = document(2, 0, 1, "b");
    stock_move(stock, &moved);
    assert_int_equal(found(stock, &open_asker, "common"), 2 * PASSAGES);
    stock_free(stock);
}

static void changes_replace_switch_and_remove(void **state)
{
    (void)state;
    struct stock *stock = stock_new();
    struct stock_document d = document(1, 0, 1, "a"), read;
    put(stock, &d, 1, false);
    d.version = 2;
    put(stock, &d, 7, false);
    assert_int_equal(found(stock, &open_asker, "word1"), 0);
    assert_int_equal(found(stock, &open_asker, "word7"), PASSAGES);
    snprintf(d.model, sizeof d.model, "b");
    put(stock, &d, 7, true);
    assert_true(stock_find(stock, &d.id, &read));
    assert_string_equal(read.model, "b");
    assert_false(stock_served_by_others(stock, "b"));
    assert_true(stock_served_by_others(stock, "a"));
    struct stock_passage other = {.id = id(3, 9), .vector = (float[DIMENSIONS]){1}};
    assert_false(stock_switch(stock, &d, DIMENSIONS, &other, 1));
    stock_remove(stock, &d.id);
    assert_false(stock_find(stock, &d.id, &read));
    assert_int_equal(found(stock, &open_asker, "common"), 0);
    stock_free(stock);
}

static void what_was_removed_leaves_memory_and_the_rest_is_found(void **state)
{
    (void)state;
    struct stock *stock = stock_new();
    struct stock_figures figures;
    char query[40];
    for (unsigned n = 0; n < 300; n++) {
        struct stock_document d = document(n, n % 3, 1, n % 2 ? "a" : "b");
        put(stock, &d, n, false);
    }
    for (unsigned n = 0; n < 300; n += 2) {
        struct stock_document d = document(n, 0, 1, "");
        stock_remove(stock, &d.id);
    }
    stock_figures(stock, &figures);
    assert_int_equal(figures.documents, 150);
    assert_int_equal(figures.passages, 150 * PASSAGES);
    assert_true(figures.removed * 3 <= figures.passages + figures.removed);
    for (unsigned n = 1; n < 300; n += 2) {
        struct stock_id course = n % 3 ? id(2, n % 3) : open_course;
        const struct stock_asker asker = {.courses = &course, .course_count = 1};
        snprintf(query, sizeof query, "word%u", n);
        assert_int_equal(found(stock, &asker, query), PASSAGES);
    }
    stock_free(stock);
}

/* A text's vector points to the remainder of its page, so that page 1 and page 9 mean the same; "page6" is not to be had. */
static bool fold(const char *model, const char *const *stems, size_t count, float *vector)
{
    unsigned page = 0;
    memset(vector, 0, DIMENSIONS * sizeof *vector);
    for (size_t i = 0; i < count; i++)
        if (sscanf(stems[i], "page%u", &page) == 1)
            vector[page % DIMENSIONS] = 1;
    return strcmp(model, "builtin-gone") != 0;
}

static bool embed_page_9(const char *model, const char *text, float *vector, double *weight, void *context)
{
    (void)text;
    (void)context;
    vector[1] = 1;
    *weight = 0.3;
    return !strncmp(model, "builtin-", 8);
}

/* How far in front page 1 of document n stands for "page9"; 0: not among the found. */
static size_t place_of_page_1(struct stock *stock, unsigned n)
{
    struct stock_answer answer;
    struct stock_id wanted = id(3, n * 1000 + 1);
    size_t place = 0;
    stock_search(stock, &open_asker, "page9", embed_page_9, NULL, FUSE_POOL, &answer);
    for (size_t i = 0; i < answer.count && !place; i++)
        place = memcmp(&answer.hits[i].passage, &wanted, sizeof wanted) ? 0 : i + 1;
    stock_answer_free(&answer);
    return place;
}

static void a_built_in_model_stands_in_for_one_that_is_silent(void **state)
{
    (void)state;
    struct stock *stock = stock_new();
    struct stock_document silent = document(1, 0, 1, "outside"), own = document(2, 0, 1, "builtin-1");
    put(stock, &silent, 1, false);
    put(stock, &own, 2, false);
    assert_true(stock_served_outside(stock));
    assert_int_equal(place_of_page_1(stock, 1), 0);
    assert_false(stock_stand_in(stock, "builtin-gone", DIMENSIONS, fold));
    assert_true(stock_stand_in(stock, "builtin-1", DIMENSIONS, fold));
    size_t place = place_of_page_1(stock, 1);
    assert_in_range(place, 1, 4); /* both pages 9 and document 2's own choice are its equals */
    struct stock_document late = document(3, 0, 1, "outside");
    put(stock, &late, 3, false);
    assert_int_equal(place_of_page_1(stock, 3), 0);
    assert_true(stock_stand_in(stock, "builtin-1", DIMENSIONS, fold));
    assert_in_range(place_of_page_1(stock, 3), 1, 6);
    stock_remove(stock, &silent.id);
    assert_int_equal(place_of_page_1(stock, 1), 0);
    assert_true(stock_stand_in(stock, "builtin-2", DIMENSIONS, fold)); /* fitted anew */
    assert_in_range(place_of_page_1(stock, 3), 1, 6);
    assert_true(stock_stand_in(stock, NULL, 0, fold));
    assert_int_equal(place_of_page_1(stock, 3), 0);
    stock_remove(stock, &late.id);
    assert_false(stock_served_outside(stock));
    stock_free(stock);
}

/* Numbers of texts change when what was removed leaves memory. */
static void the_stand_in_outlives_a_rebuild(void **state)
{
    (void)state;
    struct stock *stock = stock_new();
    for (unsigned n = 0; n < 300; n++) {
        struct stock_document d = document(n, 0, 1, "outside");
        put(stock, &d, n, false);
    }
    while (!stock_stand_in(stock, "builtin-1", DIMENSIONS, fold))
        continue;
    for (unsigned n = 1; n < 298; n++) {
        struct stock_document d = document(n, 0, 1, "");
        stock_remove(stock, &d.id);
    }
    assert_in_range(place_of_page_1(stock, 299), 1, 6);
    while (!stock_stand_in(stock, "builtin-1", DIMENSIONS, fold))
        continue;
    assert_in_range(place_of_page_1(stock, 299), 1, 6);
    stock_free(stock);
}

static bool embed_outside(const char *model, const char *text, float *vector, double *weight, void *context)
{
    (void)text;
    *weight = 1;
    vector[0] = *(const float *)context;
    vector[3] = sqrtf(1 - vector[0] * vector[0]) * 0.2f;
    return strcmp(model, "builtin-1") != 0;
}

/* Another language, other words: an outside model may know them all the same. Not where the vectors are far apart. */
static void an_outside_model_finds_without_a_common_word(void **state)
{
    (void)state;
    static const struct { const char *model; float near; size_t found; } cases[] = {{"outside", 1, 2}, {"outside", 0, 0}, {"builtin-1", 1, 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct stock *stock = stock_new();
        struct stock_answer answer;
        struct stock_document d = document(8, 0, 1, cases[i].model);
        float near = cases[i].near;
        put(stock, &d, 8, false); /* passages 0 and 8 point where the question does */
        stock_search(stock, &open_asker, "quelque chose", embed_outside, &near, FUSE_POOL, &answer);
        assert_int_equal(answer.count, cases[i].found);
        stock_answer_free(&answer);
        stock_free(stock);
    }
}

static atomic_bool over;

static void *search_all_the_time(void *context)
{
    struct stock *stock = context;
    size_t *wrong = mem_alloc(sizeof *wrong);
    while (!atomic_load(&over)) {
        struct stock_answer answer;
        stock_search(stock, &open_asker, "word1 comon page3", embed, NULL, FUSE_POOL, &answer);
        size_t whole[64] = {0};
        for (size_t i = 0; i < answer.count; i++) {
            unsigned n;
            memcpy(&n, answer.hits[i].passage.bytes + 4, sizeof n);
            whole[n / 1000 % 64]++;
        }
        for (size_t i = 0; i < 9; i++)
            *wrong += whole[i] != 0 && whole[i] != PASSAGES;
        stock_answer_free(&answer);
    }
    return wrong;
}

static void *stand_by_all_the_time(void *context)
{
    for (int i = 0; !atomic_load(&over); i++)
        (void)!stock_stand_in(context, i / 50 % 3 ? i / 50 % 2 ? "builtin-1" : "builtin-2" : NULL, DIMENSIONS, fold);
    return NULL;
}

static void searches_beside_changes_see_whole_documents(void **state)
{
    (void)state;
    struct stock *stock = stock_new();
    pthread_t threads[3], beside;
    atomic_store(&over, false);
    assert_int_equal(pthread_create(&beside, NULL, stand_by_all_the_time, stock), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, search_all_the_time, stock), 0);
    for (unsigned round = 0; round < 40; round++)
        for (unsigned n = 0; n < 9; n++) {
            struct stock_document d = document(n, 0, (int64_t)round, round % 2 ? "a" : "mute");
            put(stock, &d, n, false);
            if (round % 3 == 2)
                stock_remove(stock, &d.id);
        }
    atomic_store(&over, true);
    pthread_join(beside, NULL);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        size_t *wrong;
        pthread_join(threads[i], (void **)&wrong);
        assert_int_equal(*wrong, 0);
        free(wrong);
    }
    stock_free(stock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identifiers_go_to_text_and_back),
        cmocka_unit_test(people_find_what_is_in_their_courses),
        cmocka_unit_test(changes_replace_switch_and_remove),
        cmocka_unit_test(what_was_removed_leaves_memory_and_the_rest_is_found),
        cmocka_unit_test(a_built_in_model_stands_in_for_one_that_is_silent),
        cmocka_unit_test(the_stand_in_outlives_a_rebuild),
        cmocka_unit_test(an_outside_model_finds_without_a_common_word),
        cmocka_unit_test(searches_beside_changes_see_whole_documents),
    };
    return cmocka_run_group_tests_name("stock", tests, NULL, NULL);
}
