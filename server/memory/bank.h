/* bank.h - a person's memory bank: facts are written in one path, and recalled like documents are.
 *
 * The path redacts (redact.h) whatever is written or asked; the database refuses what it let through. The
 * functions that take a tx act as the person whose transaction it is.
 */
#ifndef SERVER_MEMORY_BANK_H
#define SERVER_MEMORY_BANK_H

#include "server/rpc/method.h"

enum bank_source { BANK_SEARCH, BANK_ASK, BANK_READING, BANK_CLIENT };

/* After a search, an answer, or the first opening of a section: "student searched for WHAT in COURSE". With
 * memory off nothing happens. What can't be kept is logged and harms nothing. `course_id` may be NULL;
 * `title` is the document's for BANK_READING, else NULL. */
void bank_note(struct call *call, struct tx *tx, enum bank_source source, const char *what, const char *course_id,
               const char *title);

/* What bank_note would write, for whoever writes it together with something else; all NULL where there is
 * nothing: memory is off, or it could not be made, which is logged. */
struct bank_draft {
    struct buf fact, key, topic;
    const char *state;
};
void bank_draft(struct call *call, struct tx *tx, enum bank_source source, const char *what, const char *course_id,
                const char *title, struct bank_draft *draft);
void bank_draft_free(struct bank_draft *draft); /* for AUTO */

struct bank_kept {
    char fact_id[37]; /* "": memory is off */
    struct buf fact;  /* as stored */
    int redactions;
};
/* What a person tells of themselves. ERR_INVALID_PARAMS where nothing but contact details would remain. */
bool bank_retain(struct call *call, struct tx *tx, const char *fact, struct bank_kept *kept, struct err *err)
    MUST_CHECK;

struct bank_item {
    char *fact_id, *fact, *at; /* fact_id NULL: derived by an outside service */
    double score;
};
struct bank_items {
    struct bank_item *items;
    size_t count;
    bool degraded; /* an outside service was to answer and did not */
};
void bank_items_free(struct bank_items *items); /* for AUTO */

/* The facts that fit a question, best first: words and vectors as for documents, then how recent and how
 * often. From the rows alone. */
bool bank_recall_here(struct tx *tx, const char *query, size_t limit, struct bank_items *items, struct err *err)
    MUST_CHECK;
/* LANE_SLOW: from the provider, within its limit; from the rows where it does not answer in time. Empty
 * with memory off. */
bool bank_recall(struct call *call, const char *query, size_t limit, struct bank_items *items, struct err *err)
    MUST_CHECK;

#endif
