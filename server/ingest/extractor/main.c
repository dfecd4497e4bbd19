/* main.c - edurag-extractor [FIRST_PAGE]: opens one stranger's PDF, in a sandbox, for eduragd.
 *
 * The PDF is descriptor 3, a sealed memfd; frames leave on 1, complaints on 2. Started per document.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "server/ingest/extractor/reader.h"
#include "server/ingest/extractor/sandbox.h"
#include "server/ingest/frames.h"

int main(int argc, char **argv)
{
    char *end = NULL;
    long first = argc > 1 ? strtol(argv[1], &end, 10) : 1;
    if (argc > 2 || first < 1 || first > 10000000 || (end && *end)) {
        fprintf(stderr, "usage: edurag-extractor [FIRST_PAGE] 3<FILE.pdf (started by eduragd)\n");
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "edurag-extract"); /* started by descriptor, it would be called by a number */
    close_range(EXTRACTOR_PDF_FD + 1, ~0U, 0);
    sandbox_limit();
    reader_prepare();
    sandbox_enter("/usr/share/poppler");
    /* _exit: nothing to tidy, and the leak checker's helper thread may not start in here. */
    _exit(reader_run(EXTRACTOR_PDF_FD, STDOUT_FILENO, (int)first));
}
