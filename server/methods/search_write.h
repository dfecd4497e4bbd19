/* search_write.h - the language model's answer: generated in turn, checked, or honestly not there.
 *
 * Waits for the network: slow lane, no transaction open.
 */
#ifndef SERVER_METHODS_SEARCH_WRITE_H
#define SERVER_METHODS_SEARCH_WRITE_H

#include "server/methods/answer.h"
#include "server/models/prompt.h"
#include "server/rpc/method.h"

struct search_write {
    struct call *call;
    bool stream;
    const char *search_id, *thread_id;
    const struct prompt_turn *turns; /* earlier ones of the thread, oldest first */
    size_t turn_count;
    const char *const *facts; /* about the reader, redacted */
    size_t fact_count;
};

/* true: `answer` is filled and `generation` names who wrote it: the model, or "extractive" where it is
 * not there, failed, or nothing was found. false: ERR_CANCELLED, or something went wrong here. */
bool search_write(const struct search_write *write, const char *query, const struct passage_search *found,
                  struct answer *answer, const char **generation, struct err *err) MUST_CHECK;

#endif
