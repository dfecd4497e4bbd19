/* found.h - a person's search: the shelf's candidates, then the rows that the database lets them see. */
#ifndef SERVER_METHODS_FOUND_H
#define SERVER_METHODS_FOUND_H

#include "common/buf.h"
#include "common/err.h"
#include "server/retrieval/shelf.h"
#include "server/retrieval/snippet.h"
#include "server/store/tx.h"

struct found_item {
    const char *chunk_id, *pdf_id, *title, *heading; /* lent by the rows */
    const char *first_label, *last_label, *labels;   /* labels: JSON by page where there are more than two, else NULL */
    const char *text, *spans;
    int first_page, last_page, ordinal;
    float score, cosine, share;
    struct passage passage;
};

enum { FOUND_ROUNDS = 4, FOUND_MOST = 50 };

struct found {
    struct stock_answer answer;
    struct passage_words words;
    struct buf said;
    struct tokens *tokens;
    struct found_item items[FOUND_MOST];
    size_t count, fetched; /* fetched: rows, of which found_read keeps `count` */
    size_t most, wanted, from; /* rows that are asked for; that are read for it; candidates that were tried */
    struct rows *rows[FOUND_ROUNDS];
    size_t rounds;
};

/* The best `most` (at most FOUND_MOST) passages that this transaction's person may see, who is most likely `user_id`;
 * `course` NULL: all.
 * Rows that vanished meanwhile are made up for by further candidates. Only `count` is known then, the rest
 * after found_read, which needs no database any more. */
bool found_search(struct tx *tx, const char *user_id, const char *query, const char *course, size_t most,
                  struct found **found, struct err *err) MUST_CHECK;
/* The same in three steps, so that the caller sends more behind the rows that are on their way: the candidates, of
 * which `count` are expected; the question for their rows; the rows. Where found_short, some have gone:
 * found_more makes up for them. */
bool found_ask(struct tx *tx, const char *user_id, const char *query, const char *course, size_t most,
               struct found **found, struct err *err) MUST_CHECK;
bool found_send(struct tx *tx, struct found *found, struct err *err) MUST_CHECK;
bool found_receive(struct tx *tx, struct found *found, struct err *err) MUST_CHECK;
bool found_short(const struct found *found);
bool found_more(struct tx *tx, struct found *found, struct err *err) MUST_CHECK;
/* Reads the passages. Of the best few those that say the question word for word come first. */
void found_read(struct found *found);
void found_free(struct found **found);
/* Members chunk_id, pdf_id, title, page and page_label of the object that is open. */
void found_write_place(struct buf *out, const struct found_item *item, int page);

#endif
