/* sandbox.h - what a process that opens strangers' PDFs may still do: read, compute, write two pipes.
 *
 * Called once, single-threaded, before the first byte of the PDF is read. Ends the process with a line
 * on standard error where something that must hold does not.
 */
#ifndef EXTRACTOR_SANDBOX_H
#define EXTRACTOR_SANDBOX_H

enum { SANDBOX_CPU_SECONDS = 20, SANDBOX_MEMORY_MIB = 1024 };

/* Address space, processor time, open files, no core dump. */
void sandbox_limit(void);
/* No new privileges; files: read-only under `readable` alone (Landlock; none at all where the kernel has it
 * not); system calls: a short list, any other ends the process (seccomp). There is no way back. */
void sandbox_enter(const char *readable);

#endif
