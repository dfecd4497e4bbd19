/* passage_index.c - what a node searches in memory stays whole and true while it changes. */
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
#include "server/retrieval/passage_index.h"

enum { DIMENSIONS = 8, PASSAGES = 10 };

static struct passage_index_id id(unsigned kind, unsigned n)
{
    struct passage_index_id made = {{0}};
    made.bytes[0] = (uint8_t)kind;
    memcpy(made.bytes + 4, &n, sizeof n);
    return made;
}

static struct passage_index_document document(unsigned n, unsigned course, int64_t version, const char *model)
{
    struct passage_index_document made = {
        .id = id(1, n), .course = course ? id(2, course) : (struct passage_index_id){{0}}, .version = version};
    snprintf(made.model, sizeof made.model, "%s", model);
    return made;
}

/* Passage i of document n: "common shared wordN pageI". */
static void put(struct passage_index *index, const struct passage_index_document *d, unsigned n, bool switched)
{
    struct passage_index_passage passages[PASSAGES];
    char texts[PASSAGES][80];
    float vectors[PASSAGES][DIMENSIONS] = {{0}};
    for (unsigned i = 0; i < PASSAGES; i++) {
        snprintf(texts[i], sizeof texts[i], "common shared word%u page%u", n, i);
        vectors[i][(n + i) % DIMENSIONS] = 1;
        passages[i] = (struct passage_index_passage){id(3, n * 1000 + i), texts[i], strlen(texts[i]), vectors[i]};
    }
    if (switched)
        assert_true(passage_index_switch(index, d, DIMENSIONS, passages, PASSAGES));
    else
        passage_index_put(index, d, DIMENSIONS, passages, PASSAGES);
}

static bool embed(const char *model, const char *text, float *vector, double *weight, void *context)
{
    (void)text;
    (void)context;
    vector[0] = 1;
    *weight = 0.3;
    return strcmp(model, "mute") != 0;
}

static size_t found(struct passage_index *index, const struct passage_index_searcher *searcher, const char *query)
{
    struct passage_index_result answer;
    passage_index_search(index, searcher, query, embed, NULL, FUSE_POOL, &answer);
    size_t count = 0;
    for (size_t i = 0; i < answer.count; i++)
        count += answer.hits[i].share > 0; /* not for its vector alone */
    passage_index_result_free(&answer);
    return count;
}

static const struct passage_index_id open_course = {{0}};
static const struct passage_index_searcher open_searcher = {.courses = &open_course, .course_count = 1};

static void identifiers_go_to_text_and_back(void **state)
{
    (void)state;
    const char *text = "0123abcd-4567-89ef-0123-456789abcdef";
    struct passage_index_id read;
    char again[37];
    assert_true(passage_index_id_read(&read, text));
    passage_index_id_text(&read, again);
    assert_string_equal(again, text);
    assert_false(passage_index_id_read(&read, "0123"));
    assert_false(passage_index_id_read(&read, ""));
    assert_false(passage_index_id_read(&read, "0123abcd-4567-89ef-0123-456789abcdeg"));
    assert_false(passage_index_id_read(&read, "0123abcd-4567-89ef-0123-456789abcdef0"));
}

static void people_find_what_is_in_their_courses(void **state)
{
    (void)state;
    struct passage_index *index = passage_index_new();
    struct passage_index_id courses[] = {{{0}}, id(2, 1)}, person = id(4, 1);
    struct passage_index_document own = document(3, 2, 1, "a");
    own.uploader = person;
    struct passage_index_document first = document(1, 0, 1, "a"), second = document(2, 1, 1, "b");
    put(index, &first, 1, false);
    put(index, &second, 2, false);
    put(index, &own, 3, false);
    const struct passage_index_searcher member = {.courses = courses, .course_count = 2},
                                        uploader = {.courses = courses, .course_count = 1, .person = person};
    assert_int_equal(found(index, &open_searcher, "common"), PASSAGES);
    assert_int_equal(found(index, &member, "common"), 2 * PASSAGES);
    assert_int_equal(found(index, &uploader, "common"), 2 * PASSAGES);
    struct passage_index_searcher only = member;
    only.only = &courses[1];
    assert_int_equal(found(index, &only, "common"), PASSAGES);
    assert_int_equal(found(index, &only, "word1"), 0);
    struct passage_index_document moved = document(2, 0, 1, "b");
    passage_index_move(index, &moved);
    assert_int_equal(found(index, &open_searcher, "common"), 2 * PASSAGES);
    passage_index_free(index);
}

static void changes_replace_switch_and_remove(void **state)
{
    (void)state;
    struct passage_index *index = passage_index_new();
    struct passage_index_document d = document(1, 0, 1, "a"), read;
    put(index, &d, 1, false);
    d.version = 2;
    put(index, &d, 7, false);
    assert_int_equal(found(index, &open_searcher, "word1"), 0);
    assert_int_equal(found(index, &open_searcher, "word7"), PASSAGES);
    snprintf(d.model, sizeof d.model, "b");
    put(index, &d, 7, true);
    assert_true(passage_index_find(index, &d.id, &read));
    assert_string_equal(read.model, "b");
    assert_false(passage_index_served_by_others(index, "b"));
    assert_true(passage_index_served_by_others(index, "a"));
    struct passage_index_passage other = {.id = id(3, 9), .vector = (float[DIMENSIONS]){1}};
    assert_false(passage_index_switch(index, &d, DIMENSIONS, &other, 1));
    passage_index_remove(index, &d.id);
    assert_false(passage_index_find(index, &d.id, &read));
    assert_int_equal(found(index, &open_searcher, "common"), 0);
    passage_index_free(index);
}

static void what_was_removed_leaves_memory_and_the_rest_is_found(void **state)
{
    (void)state;
    struct passage_index *index = passage_index_new();
    struct passage_index_stats stats;
    char query[40];
    for (unsigned n = 0; n < 300; n++) {
        struct passage_index_document d = document(n, n % 3, 1, n % 2 ? "a" : "b");
        put(index, &d, n, false);
    }
    for (unsigned n = 0; n < 300; n += 2) {
        struct passage_index_document d = document(n, 0, 1, "");
        passage_index_remove(index, &d.id);
    }
    passage_index_stats(index, &stats);
    assert_int_equal(stats.documents, 150);
    assert_int_equal(stats.passages, 150 * PASSAGES);
    assert_true(stats.removed * 3 <= stats.passages + stats.removed);
    for (unsigned n = 1; n < 300; n += 2) {
        struct passage_index_id course = n % 3 ? id(2, n % 3) : open_course;
        const struct passage_index_searcher searcher = {.courses = &course, .course_count = 1};
        snprintf(query, sizeof query, "word%u", n);
        assert_int_equal(found(index, &searcher, query), PASSAGES);
    }
    passage_index_free(index);
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
static size_t place_of_page_1(struct passage_index *index, unsigned n)
{
    struct passage_index_result answer;
    struct passage_index_id wanted = id(3, n * 1000 + 1);
    size_t place = 0;
    passage_index_search(index, &open_searcher, "page9", embed_page_9, NULL, FUSE_POOL, &answer);
    for (size_t i = 0; i < answer.count && !place; i++)
        place = memcmp(&answer.hits[i].passage, &wanted, sizeof wanted) ? 0 : i + 1;
    passage_index_result_free(&answer);
    return place;
}

static void a_built_in_model_stands_in_for_one_that_is_silent(void **state)
{
    (void)state;
    struct passage_index *index = passage_index_new();
    struct passage_index_document silent = document(1, 0, 1, "outside"), own = document(2, 0, 1, "builtin-1");
    put(index, &silent, 1, false);
    put(index, &own, 2, false);
    assert_true(passage_index_served_outside(index));
    assert_int_equal(place_of_page_1(index, 1), 0);
    assert_false(passage_index_stand_in(index, "builtin-gone", DIMENSIONS, fold));
    assert_true(passage_index_stand_in(index, "builtin-1", DIMENSIONS, fold));
    size_t place = place_of_page_1(index, 1);
    assert_in_range(place, 1, 4); /* both pages 9 and document 2's own choice are its equals */
    struct passage_index_document late = document(3, 0, 1, "outside");
    put(index, &late, 3, false);
    assert_int_equal(place_of_page_1(index, 3), 0);
    assert_true(passage_index_stand_in(index, "builtin-1", DIMENSIONS, fold));
    assert_in_range(place_of_page_1(index, 3), 1, 6);
    passage_index_remove(index, &silent.id);
    assert_int_equal(place_of_page_1(index, 1), 0);
    assert_true(passage_index_stand_in(index, "builtin-2", DIMENSIONS, fold)); /* fitted anew */
    assert_in_range(place_of_page_1(index, 3), 1, 6);
    assert_true(passage_index_stand_in(index, NULL, 0, fold));
    assert_int_equal(place_of_page_1(index, 3), 0);
    passage_index_remove(index, &late.id);
    assert_false(passage_index_served_outside(index));
    passage_index_free(index);
}

/* Numbers of texts change when what was removed leaves memory. */
static void the_stand_in_outlives_a_rebuild(void **state)
{
    (void)state;
    struct passage_index *index = passage_index_new();
    for (unsigned n = 0; n < 300; n++) {
        struct passage_index_document d = document(n, 0, 1, "outside");
        put(index, &d, n, false);
    }
    while (!passage_index_stand_in(index, "builtin-1", DIMENSIONS, fold))
        continue;
    for (unsigned n = 1; n < 298; n++) {
        struct passage_index_document d = document(n, 0, 1, "");
        passage_index_remove(index, &d.id);
    }
    assert_in_range(place_of_page_1(index, 299), 1, 6);
    while (!passage_index_stand_in(index, "builtin-1", DIMENSIONS, fold))
        continue;
    assert_in_range(place_of_page_1(index, 299), 1, 6);
    passage_index_free(index);
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
    static const struct {
        const char *model;
        float near;
        size_t found;
    } cases[] = {{"outside", 1, 2}, {"outside", 0, 0}, {"builtin-1", 1, 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct passage_index *index = passage_index_new();
        struct passage_index_result answer;
        struct passage_index_document d = document(8, 0, 1, cases[i].model);
        float near = cases[i].near;
        put(index, &d, 8, false); /* passages 0 and 8 point where the question does */
        passage_index_search(index, &open_searcher, "quelque chose", embed_outside, &near, FUSE_POOL, &answer);
        assert_int_equal(answer.count, cases[i].found);
        passage_index_result_free(&answer);
        passage_index_free(index);
    }
}

static atomic_bool over;

static void *search_all_the_time(void *context)
{
    struct passage_index *index = context;
    size_t *wrong = mem_alloc(sizeof *wrong);
    while (!atomic_load(&over)) {
        struct passage_index_result answer;
        passage_index_search(index, &open_searcher, "word1 comon page3", embed, NULL, FUSE_POOL, &answer);
        size_t whole[64] = {0};
        for (size_t i = 0; i < answer.count; i++) {
            unsigned n;
            memcpy(&n, answer.hits[i].passage.bytes + 4, sizeof n);
            whole[n / 1000 % 64]++;
        }
        for (size_t i = 0; i < 9; i++)
            *wrong += whole[i] != 0 && whole[i] != PASSAGES;
        passage_index_result_free(&answer);
    }
    return wrong;
}

static void *stand_by_all_the_time(void *context)
{
    for (int i = 0; !atomic_load(&over); i++)
        (void)!passage_index_stand_in(context, i / 50 % 3 ? i / 50 % 2 ? "builtin-1" : "builtin-2" : NULL, DIMENSIONS,
                                      fold);
    return NULL;
}

static void searches_beside_changes_see_whole_documents(void **state)
{
    (void)state;
    struct passage_index *index = passage_index_new();
    pthread_t threads[3], beside;
    atomic_store(&over, false);
    assert_int_equal(pthread_create(&beside, NULL, stand_by_all_the_time, index), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, search_all_the_time, index), 0);
    for (unsigned round = 0; round < 40; round++)
        for (unsigned n = 0; n < 9; n++) {
            struct passage_index_document d = document(n, 0, (int64_t)round, round % 2 ? "a" : "mute");
            put(index, &d, n, false);
            if (round % 3 == 2)
                passage_index_remove(index, &d.id);
        }
    atomic_store(&over, true);
    pthread_join(beside, NULL);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        size_t *wrong;
        pthread_join(threads[i], (void **)&wrong);
        assert_int_equal(*wrong, 0);
        free(wrong);
    }
    passage_index_free(index);
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
    return cmocka_run_group_tests_name("passage_index", tests, NULL, NULL);
}
