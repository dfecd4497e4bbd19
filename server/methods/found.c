/* found.c - a person's search: the shelf's candidates, then the rows that the database lets them see. */
#include "server/methods/found.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "server/methods/askers.h"

enum {
    SPARE = 30,   /* candidates beyond those asked for, in case rows have gone */
    VERBATIM = 3, /* words from which on a question may be a quotation, */
    LOOKED_AT = 10, /* and passages that are read for it, also where fewer are asked for */
};

static size_t read_courses(const char *text, struct stock_id **courses)
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
        count += stock_id_read(&(*courses)[count], one);
        text += length + (text[length] == ',');
    }
    return count;
}

/* What this person may see narrows the search before it begins. */
static bool search_as(const char *person, const char *courses, const char *query, const char *course, size_t most,
                      struct stock_answer *answer, struct err *err)
{
    AUTO(mem_freep) struct stock_id *open = NULL;
    struct stock_asker asker = {0};
    struct stock_id only;
    asker.course_count = read_courses(courses, &open);
    asker.courses = open;
    if (!stock_id_read(&asker.person, person))
        return err_set(err, ERR_UNAUTHENTICATED, "the token is no longer good");
    if (course) {
        bool member = false;
        if (stock_id_read(&only, course))
            for (size_t i = 0; i < asker.course_count; i++)
                member |= !memcmp(&open[i], &only, sizeof only);
        if (!member)
            return err_say(err, ERR_NOT_FOUND, "There is no such course, or no longer.");
        asker.only = &only;
    }
    return shelf_search(&asker, query, most, answer, err);
}

/* While the database says who asks and what they may see, the search goes on as if that were as it was last time;
 * what it finds counts only if it is. */
static bool ask_shelf(struct tx *tx, const char *user_id, const char *query, const char *course, size_t most,
                      struct stock_answer *answer, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(mem_freep) char *guess = askers_guess(user_id);
    struct err ignored = {0};
    if (!tx_send(tx, SQL_SEARCH_ASKER, NULL, 0, err))
        return false;
    bool ahead = guess && search_as(user_id, guess, query, course, most, answer, &ignored);
    if (!tx_receive(tx, &rows, err))
        return false;
    const char *courses = rows_text(rows, 0, 0), *person = rows_text(rows, 0, 1);
    if (!courses || !person)
        return err_set(err, ERR_UNAUTHENTICATED, "the token is no longer good");
    if (ahead && !strcmp(person, user_id) && !strcmp(courses, guess))
        return true;
    stock_answer_free(answer);
    *answer = (struct stock_answer){0};
    askers_told(person, courses);
    return search_as(person, courses, query, course, most, answer, err);
}

static void read_words(struct found *found)
{
    const char *stem = found->answer.stems.data;
    for (size_t i = 0; i < found->answer.stem_count && i < PASSAGE_WORDS_MOST; i++, stem += strlen(stem) + 1) {
        found->words.stems[found->words.count] = stem;
        found->words.weights[found->words.count++] = found->answer.weights[i];
    }
}

static void read_said(struct found *found, const char *query)
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
static void put_verbatim_first(struct found *found)
{
    struct found_item *sorted = mem_array(FOUND_MOST, sizeof *sorted);
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

static void add_item(struct found *found, const struct rows *rows, int row)
{
    struct found_item *item = &found->items[found->fetched++];
    struct stock_id id;
    *item = (struct found_item){
        .chunk_id = rows_text(rows, row, 0), .pdf_id = rows_text(rows, row, 1), .title = rows_text(rows, row, 2),
        .first_page = (int)rows_int(rows, row, 3, 1), .last_page = (int)rows_int(rows, row, 4, 1),
        .first_label = rows_text(rows, row, 5), .last_label = rows_text(rows, row, 6), .heading = rows_text(rows, row, 7),
        .labels = rows_text(rows, row, 10), .ordinal = (int)rows_int(rows, row, 11, 0),
        .text = rows_text(rows, row, 8), .spans = rows_text(rows, row, 9)};
    for (size_t i = 0; stock_id_read(&id, item->chunk_id) && i < found->answer.count; i++) {
        const struct stock_hit *hit = &found->answer.hits[i];
        if (memcmp(&hit->passage, &id, sizeof id) != 0)
            continue;
        item->score = hit->score;
        item->cosine = hit->cosine;
        item->share = hit->share;
        break;
    }
}

/* How many rows are read: a quotation may stand among the best few also where fewer are asked for. */
static size_t looked_at(const struct found *found, size_t most)
{
    return found->words.said_count >= VERBATIM && most < LOOKED_AT ? LOOKED_AT : most;
}

/* The candidates whose rows come next: from found->from to here. */
static size_t next_to(const struct found *found)
{
    size_t to = found->from + found->wanted - found->fetched;
    return to < found->answer.count ? to : found->answer.count;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

bool found_ask(struct tx *tx, const char *user_id, const char *query, const char *course, size_t most, struct found **out,
               struct err *err)
{
    AUTO(found_free) struct found *found = mem_alloc(sizeof *found);
    found->tokens = tokens_new();
    found->most = least(most, FOUND_MOST);
    if (!ask_shelf(tx, user_id, query, course, found->most + SPARE, &found->answer, err))
        return false;
    read_words(found);
    read_said(found, found->answer.corrected.length ? found->answer.corrected.data : query);
    found->wanted = looked_at(found, found->most);
    found->count = least(found->answer.count, found->most);
    *out = TAKE(found);
    return true;
}

bool found_send(struct tx *tx, struct found *found, struct err *err)
{
    AUTO(buf_free) struct buf ids = {0};
    size_t to = next_to(found);
    if (to == found->from)
        return true;
    for (size_t i = found->from; i < to; i++) {
        char text[37];
        stock_id_text(&found->answer.hits[i].passage, text);
        buf_printf(&ids, "%c%s", i > found->from ? ',' : '{', text);
    }
    buf_char(&ids, '}');
    return tx_send(tx, SQL_SEARCH_PASSAGES, &BIND_TEXT(ids.data), 1, err);
}

bool found_receive(struct tx *tx, struct found *found, struct err *err)
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

bool found_short(const struct found *found)
{
    return found->fetched < found->from;
}

bool found_more(struct tx *tx, struct found *found, struct err *err)
{
    while (found->rounds < FOUND_ROUNDS && found->fetched < found->wanted && found->from < found->answer.count)
        if (!found_send(tx, found, err) || !found_receive(tx, found, err))
            return false;
    return true;
}

bool found_search(struct tx *tx, const char *user_id, const char *query, const char *course, size_t most, struct found **found,
                  struct err *err)
{
    return found_ask(tx, user_id, query, course, most, found, err) && found_more(tx, *found, err);
}

void found_read(struct found *found)
{
    for (size_t i = 0; i < found->fetched; i++) {
        struct found_item *item = &found->items[i];
        passage_read(&item->passage, found->tokens, &found->words, item->text, item->spans, item->first_page);
    }
    if (found->words.said_count >= VERBATIM)
        put_verbatim_first(found);
    while (found->fetched > found->count)
        passage_free(&found->items[--found->fetched].passage);
}

void found_free(struct found **found)
{
    if (!*found)
        return;
    for (size_t i = 0; i < (*found)->fetched; i++)
        passage_free(&(*found)->items[i].passage);
    for (size_t i = 0; i < FOUND_ROUNDS; i++)
        rows_free(&(*found)->rows[i]);
    stock_answer_free(&(*found)->answer);
    buf_free(&(*found)->said);
    tokens_free((*found)->tokens);
    free(*found);
    *found = NULL;
}

void found_write_place(struct buf *out, const struct found_item *item, int page)
{
    struct err ignored;
    char name[16];
    const char *label = page == item->first_page ? item->first_label : page == item->last_page ? item->last_label : "";
    AUTO(json_freep) cJSON *labels = item->labels && !*label ? json_parse(item->labels, strlen(item->labels), &ignored) : NULL;
    snprintf(name, sizeof name, "%d", page);
    buf_json_member(out, "chunk_id", item->chunk_id);
    buf_json_member(out, "pdf_id", item->pdf_id);
    buf_json_member(out, "title", item->title);
    buf_json_member_int(out, "page", page);
    buf_json_member(out, "page_label", json_text(labels, name, label));
}
