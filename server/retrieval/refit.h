/* refit.h - keeps the built-in embedder in step with the library, in the background.
 *
 * From 500 passages on, latent vectors are fitted on what is on the index; again when the library has changed
 * by a tenth. Either waits until the library is quiet for a moment, at most a minute. One node at a time
 * fits (a claim in embedding_models); the old model serves until each document has got its new vectors, by
 * jobs of kind `embed`. While a service embeds, the built-in model is fitted all the same, to stand in for questions
 * that the service does not answer; and this asks the service whether it is back.
 */
#ifndef SERVER_RETRIEVAL_REFIT_H
#define SERVER_RETRIEVAL_REFIT_H

#include "common/err.h"

bool refit_start(struct err *err) MUST_CHECK; /* after index_sync_start */
void refit_stop(void);

#endif
