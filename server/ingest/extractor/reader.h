/* reader.h - poppler: what a PDF says, as frames (server/ingest/frames.h).
 *
 * Only text, boxes, fonts, labels and the outline are asked for: nothing that touches forms, actions
 * or metadata, where a known file loops for minutes.
 */
#ifndef EXTRACTOR_READER_H
#define EXTRACTOR_READER_H

/* Before the sandbox: poppler scans its data directory when the first document opens and forgets it
 * with the last, so a tiny one stays open. */
void reader_prepare(void);
/* Reads the PDF in `pdf_fd` from page `first` on (1: with DOCUMENT and OUTLINE) and writes frames to
 * `out_fd`. Returns the exit code: 0, or 1 where the PDF could not be mapped or nobody reads. */
int reader_run(int pdf_fd, int out_fd, int first);

#endif
