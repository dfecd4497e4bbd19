/* passage_search.c - a person's search: the index's candidates, then the rows that the database lets them see. */
#include "server/methods/passage_search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "server/methods/visible_courses.h"

enum {
    SPARE = 30,     /* candidates beyond those asked for, in case rows have gone */
    VERBATIM = 3,   /* words from which on a question may be a quotation, */
    LOOKED_AT = 10, /* and passages that are read for it, also where fewer are asked for */
};

static size_t read_courses(const char *text, struct passage_index_id **courses)
{
    size_t room = 1, count = 0;
    for (const char *p = text; *p; p++)
        room += *p == ',';
    *courses = mem_array(room, sizeof **courses);
    while (*text) {
        char one[37] = "";
        size_t length = strcspn(text, ",");
        if (length < sizeof one)
            memcpy(one, text, length);
        count += passage_index_id_read(&(*courses)[count], one);
        text += length + (text[length] == ',');
    }
    return count;
}

/* What this person may see narrows the search before it begins. */
static bool search_as(const char *person, const char *courses, const struct passage_search_query *query, size_t most,
                      struct passage_index_result *answer, struct err *err)
{
    AUTO(mem_freep) struct passage_index_id *open = NULL;
    struct passage_index_searcher searcher = {0};
    struct passage_index_id only;
    searcher.course_count = read_courses(courses, &open);
    searcher.courses = open;
    if (!passage_index_id_read(&searcher.person, person))
        return err_set(err, ERR_UNAUTHENTICATED, "the token is no longer good");
    if (query->course) {
        bool member = false;
        if (passage_index_id_read(&only, query->course))
            for (size_t i = 0; i < searcher.course_count; i++)
                member |= !memcmp(&open[i], &only, sizeof only);
        if (!member)
            return err_say(err, ERR_NOT_FOUND, "There is no such course, or no longer.");
        searcher.only = &only;
    }
    return index_sync_search(&searcher, query->text, query->vector, most, answer, err);
}

/* While the database says who asks and what they may see, the search goes on as if that were as it was last time;
 * what it finds counts only if it is. */
static bool ask_index(struct tx *tx, const struct passage_search_query *query, size_t most,
                      struct passage_index_result *answer, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(mem_freep) char *guess = visible_courses_guess(query->user_id);
    struct err ignored = {0};
    if (!tx_send(tx, SQL_SEARCH_ASKER, NULL, 0, err))
        return false;
    bool ahead = guess && search_as(query->user_id, guess, query, most, answer, &ignored);
    if (!tx_receive(tx, &rows, err))
        return false;
    const char *courses = rows_text(rows, 0, 0), *person = rows_text(rows, 0, 1);
    if (!courses || !person)
        return err_set(err, ERR_UNAUTHENTICATED, "the token is no longer good");
    if (ahead && !strcmp(person, query->user_id) && !strcmp(courses, guess))
        return true;
    passage_index_result_free(answer);
    *answer = (struct passage_index_result){0};
    visible_courses_store(person, courses);
    return search_as(person, courses, query, most, answer, err);
}

static void read_words(struct passage_search *found)
{
    const char *stem = found->answer.stems.data;
    for (size_t i = 0; i < found->answer.stem_count && i < PASSAGE_WORDS_MOST; i++, stem += strlen(stem) + 1) {
        found->words.stems[found->words.count] = stem;
        found->words.weights[found->words.count++] = found->answer.weights[i];
    }
}

static void read_said(struct passage_search *found, const char *query)
{
    const struct token *list;
    size_t ends[PASSAGE_SAID_MOST], words = 0, count = tokens_split(found->tokens, query, strlen(query), &list, NULL);
    for (size_t i = 0; i < count; i++) {
        if (list[i].pair)
            continue;
        if (words == PASSAGE_SAID_MOST)
            return;
        buf_bytes(&found->said, list[i].word, strlen(list[i].word) + 1);
        ends[words++] = found->said.length;
    }
    for (size_t i = 0; i < words; i++)
        found->words.said[i] = found->said.data + (i ? ends[i - 1] : 0);
    found->words.said_count = words;
}

/* Passages that say it word for word come first, in the order they had; none has a higher score than they. */
static void put_verbatim_first(struct passage_search *found)
{
    struct passage_search_item *sorted = mem_array(PASSAGE_SEARCH_MOST, sizeof *sorted);
    size_t n = 0;
    for (int part = 0; part < 2; part++)
        for (size_t i = 0; i < found->fetched; i++)
            if ((found->items[i].passage.run == found->words.said_count) == (part == 0))
                sorted[n++] = found->items[i];
    for (size_t i = n; i-- > 1;)
        if (sorted[i - 1].score < sorted[i].score)
            sorted[i - 1].score = sorted[i].score;
    memcpy(found->items, sorted, n * sizeof *sorted);
    free(sorted);
}

static void add_item(struct passage_search *found, const struct rows *rows, int row)
{
    struct passage_search_item *item = &found->items[found->fetched++];
    struct passage_index_id id;
    *item = (struct passage_search_item){.chunk_id = rows_text(rows, row, 0),
                                         .pdf_id = rows_text(rows, row, 1),
                                         .title = rows_text(rows, row, 2),
                                         .first_page = (int)rows_int(rows, row, 3, 1),
                                         .last_page = (int)rows_int(rows, row, 4, 1),
                                         .first_label = rows_text(rows, row, 5),
                                         .last_label = rows_text(rows, row, 6),
                                         .heading = rows_text(rows, row, 7),
                                         .labels = rows_text(rows, row, 10),
                                         .ordinal = (int)rows_int(rows, row, 11, 0),
                                         .text = rows_text(rows, row, 8),
                                         .spans = rows_text(rows, row, 9)};
    for (size_t i = 0; passage_index_id_read(&id, item->chunk_id) && i < found->answer.count; i++) {
        const struct passage_index_hit *hit = &found->answer.hits[i];
        if (memcmp(&hit->passage, &id, sizeof id) != 0)
            continue;
        item->score = hit->score;
        item->cosine = hit->cosine;
        item->share = hit->share;
        break;
    }
}

/* How many rows are read: a quotation may stand among the best few also where fewer are asked for. */
static size_t looked_at(const struct passage_search *found, size_t most)
{
    return found->words.said_count >= VERBATIM && most < LOOKED_AT ? LOOKED_AT : most;
}

/* The candidates whose rows come next: from found->from to here. */
static size_t next_to(const struct passage_search *found)
{
    size_t to = found->from + found->wanted - found->fetched;
    return to < found->answer.count ? to : found->answer.count;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

bool passage_search_candidates(struct tx *tx, const struct passage_search_query *query, struct passage_search **out,
                               struct err *err)
{
    AUTO(passage_search_free) struct passage_search *found = mem_alloc(sizeof *found);
    found->tokens = tokens_new();
    found->most = least(query->most, PASSAGE_SEARCH_MOST);
    if (!ask_index(tx, query, found->most + SPARE, &found->answer, err))
        return false;
    read_words(found);
    read_said(found, found->answer.corrected.length ? found->answer.corrected.data : query->text);
    found->wanted = looked_at(found, found->most);
    found->count = least(found->answer.count, found->most);
    *out = TAKE(found);
    return true;
}

bool passage_search_send(struct tx *tx, struct passage_search *found, struct err *err)
{
    AUTO(buf_free) struct buf ids = {0};
    size_t to = next_to(found);
    if (to == found->from)
        return true;
    for (size_t i = found->from; i < to; i++) {
        char text[37];
        passage_index_id_text(&found->answer.hits[i].passage, text);
        buf_printf(&ids, "%c%s", i > found->from ? ',' : '{', text);
    }
    buf_char(&ids, '}');
    return tx_send(tx, SQL_SEARCH_PASSAGES, &BIND_TEXT(ids.data), 1, err);
}

bool passage_search_receive(struct tx *tx, struct passage_search *found, struct err *err)
{
    size_t to = next_to(found), asked = to - found->from;
    struct rows **rows = &found->rows[found->rounds];
    if (!asked)
        return true;
    if (!tx_receive(tx, rows, err))
        return false;
    found->rounds++;
    found->from = to;
    for (int row = 0; row < rows_count(*rows); row++)
        add_item(found, *rows, row);
    found->count = least(found->fetched, found->most);
    /* Some have just gone, and the spelling may have come from them: it would tell a word that is not to be seen. */
    if ((size_t)rows_count(*rows) < asked)
        buf_clear(&found->answer.corrected);
    return true;
}

bool passage_search_short(const struct passage_search *found)
{
    return found->fetched < found->from;
}

bool passage_search_more(struct tx *tx, struct passage_search *found, struct err *err)
{
    while (found->rounds < PASSAGE_SEARCH_ROUNDS && found->fetched < found->wanted && found->from < found->answer.count)
        if (!passage_search_send(tx, found, err) || !passage_search_receive(tx, found, err))
            return false;
    return true;
}

bool passage_search_run(struct tx *tx, const struct passage_search_query *query, struct passage_search **found,
                        struct err *err)
{
    return passage_search_candidates(tx, query, found, err) && passage_search_more(tx, *found, err);
}

void passage_search_read(struct passage_search *found)
{
    for (size_t i = 0; i < found->fetched; i++) {
        struct passage_search_item *item = &found->items[i];
        passage_read(&item->passage, found->tokens, &found->words, item->text, item->spans, item->first_page);
    }
    if (found->words.said_count >= VERBATIM)
        put_verbatim_first(found);
    while (found->fetched > found->count)
        passage_free(&found->items[--found->fetched].passage);
}

void passage_search_free(struct passage_search **found)
{
    if (!*found)
        return;
    for (size_t i = 0; i < (*found)->fetched; i++)
        passage_free(&(*found)->items[i].passage);
    for (size_t i = 0; i < PASSAGE_SEARCH_ROUNDS; i++)
        rows_free(&(*found)->rows[i]);
    passage_index_result_free(&(*found)->answer);
    buf_free(&(*found)->said);
    tokens_free((*found)->tokens);
    free(*found);
    *found = NULL;
}

void passage_search_write_place(struct buf *out, const struct passage_search_item *item, int page)
{
    struct err ignored;
    char name[16];
    const char *label = page == item->first_page ? item->first_label : page == item->last_page ? item->last_label : "";
    AUTO(json_freep)
    cJSON *labels = item->labels && !*label ? json_parse(item->labels, strlen(item->labels), &ignored) : NULL;
    snprintf(name, sizeof name, "%d", page);
    buf_json_member(out, "chunk_id", item->chunk_id);
    buf_json_member(out, "pdf_id", item->pdf_id);
    buf_json_member(out, "title", item->title);
    buf_json_member_int(out, "page", page);
    buf_json_member(out, "page_label", json_text(labels, name, label));
}
