/* passage_search.h - a person's search: the index's candidates, then the rows that the database lets them see. */
#ifndef SERVER_METHODS_PASSAGE_SEARCH_H
#define SERVER_METHODS_PASSAGE_SEARCH_H

#include "common/buf.h"
#include "common/err.h"
#include "server/retrieval/index_sync.h"
#include "server/retrieval/snippet.h"
#include "server/store/tx.h"

struct passage_search_item {
    const char *chunk_id, *pdf_id, *title, *heading; /* lent by the rows */
    const char *first_label, *last_label, *labels;   /* labels: JSON by page where there are more than two, else NULL */
    const char *text, *spans;
    int first_page, last_page, ordinal;
    float score, cosine, share;
    struct passage passage;
};

enum { PASSAGE_SEARCH_ROUNDS = 4, PASSAGE_SEARCH_MOST = 50 };

struct passage_search {
    struct passage_index_result answer;
    struct passage_words words;
    struct buf said;
    struct tokens *tokens;
    struct passage_search_item items[PASSAGE_SEARCH_MOST];
    size_t count, fetched;     /* fetched: rows, of which passage_search_read keeps `count` */
    size_t most, wanted, from; /* rows that are asked for; that are read for it; candidates that were tried */
    struct rows *rows[PASSAGE_SEARCH_ROUNDS];
    size_t rounds;
};

struct passage_search_query {
    const char *user_id; /* who most likely asks: the transaction's person, which the database says for sure */
    const char *text;
    const char *course; /* NULL: all that they may see */
    const struct embed_question *vector;
    size_t most; /* passages, up to PASSAGE_SEARCH_MOST */
};

/* The best passages that this transaction's person may see. Rows that vanished meanwhile are made up for by further
 * candidates. Only `count` is known then, the rest after passage_search_read, which needs no database any more. */
bool passage_search_run(struct tx *tx, const struct passage_search_query *query, struct passage_search **found,
                        struct err *err) MUST_CHECK;
/* The same in three steps, so that the caller sends more behind the rows that are on their way: the candidates, of
 * which `count` are expected; the question for their rows; the rows. Where passage_search_short, some have gone:
 * passage_search_more makes up for them. */
bool passage_search_candidates(struct tx *tx, const struct passage_search_query *query, struct passage_search **found,
                               struct err *err) MUST_CHECK;
bool passage_search_send(struct tx *tx, struct passage_search *found, struct err *err) MUST_CHECK;
bool passage_search_receive(struct tx *tx, struct passage_search *found, struct err *err) MUST_CHECK;
bool passage_search_short(const struct passage_search *found);
bool passage_search_more(struct tx *tx, struct passage_search *found, struct err *err) MUST_CHECK;
/* Reads the passages. Of the best few those that say the question word for word come first. */
void passage_search_read(struct passage_search *found);
void passage_search_free(struct passage_search **found);
/* Members chunk_id, pdf_id, title, page and page_label of the object that is open. */
void passage_search_write_place(struct buf *out, const struct passage_search_item *item, int page);

#endif
