/* extract.h - a PDF becomes pages of text, read by a process of its own that may do nothing else.
 *
 * Any thread; each call runs one edurag-extractor at a time and waits for it, bounded in time. A page that
 * ends the process is marked PAGE_FAILED and reading goes on behind it.
 */
#ifndef INGEST_EXTRACT_H
#define INGEST_EXTRACT_H

#include "common/err.h"
#include "server/ingest/document.h"

#define EXTRACT_VERSION "edurag-1" /* of pages and passages: changes when the same PDF would give others */

struct extract_watch {
    void (*progress)(void *context, size_t pages_done, size_t pages_total, size_t without_text); /* may be NULL */
    bool (*stop)(void *context); /* asked a few times a second; may be NULL */
    void *context;
};

/* Opens the program at `path`, which may also be /proc/self/fd/N. */
bool extract_start(const char *path, struct err *err) MUST_CHECK;
void extract_stop(void);

/* An empty file in memory for the PDF's bytes; the caller's to close. -1 where there is none to have. */
int extract_file(void);

/* The finished document. ERR_INVALID_PARAMS with a sentence: the PDF itself, trying again is no use (no page
 * with text is among the reasons). ERR_CANCELLED: watch->stop. Anything else may pass. */
bool extract_document(int file, const struct extract_watch *watch, struct document **document, struct err *err)
    MUST_CHECK;

#endif
