/* extract.c - a PDF becomes pages of text, read by a process of its own that may do nothing else. */
#include "server/ingest/extract.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/text.h"
#include "common/wait.h"
#include "server/ingest/frames.h"
#include "server/ingest/lines.h"

enum {
    PAGES_MOST = 20000,
    FAILED_MOST = 20, /* pages that end the process before the rest is given up */
    SLOW_MOST = 4,    /* processes that used up their time on fewer pages than FEW */
    FEW = 20,
    KILLS_MOST = 3,   /* on one page, by somebody else */
    STALL_MS = 45000, /* without a frame; its processor time is bounded by itself */
    WHOLE_MS = 900000,
    TEXT_MOST = 48 << 20,  /* bytes of all pages */
    DESCRIPTOR_LEAST = 10, /* clear of the places in the child */
};

static int program = -1;

struct run {
    const struct extract_watch *watch;
    struct document *document; /* NULL until the process has said how many pages there are */
    size_t next;               /* page that comes next, from 1 */
    size_t bytes, without_text, failed, kills, slow;
    bool outlined, ended, lied, stalled, full, memory;
    int64_t deadline;
};

struct child {
    pid_t pid;
    int out, complaints;
    struct buf in;
    char tail[16]; /* the end of what it complained, for a word that comes in two pieces */
};

static int moved_up(int fd)
{
    int up = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, DESCRIPTOR_LEAST);
    if (fd >= 0)
        close(fd);
    return up;
}

bool extract_start(const char *path, struct err *err)
{
    int fd = moved_up(open(path, O_PATH | O_CLOEXEC));
    if (fd < 0)
        return err_set(err, ERR_INTERNAL, "edurag-extractor can't be opened: %s", strerror(errno));
    extract_stop();
    program = fd;
    return true;
}

void extract_stop(void)
{
    if (program >= 0)
        close(program);
    program = -1;
}

int extract_file(void)
{
    return moved_up(memfd_create("pdf", MFD_CLOEXEC | MFD_ALLOW_SEALING));
}

static bool two_pipes(int out[2], int complaints[2])
{
    if (pipe2(out, O_CLOEXEC))
        return false;
    if (pipe2(complaints, O_CLOEXEC)) {
        close(out[0]);
        close(out[1]);
        return false;
    }
    for (int i = 0; i < 2; i++) {
        out[i] = moved_up(out[i]);
        complaints[i] = moved_up(complaints[i]);
    }
    return true;
}

static int spawn(pid_t *pid, int file, int out, int complaints, size_t first)
{
    char path[40], page[24], locale[] = "LC_ALL=C.UTF-8", name[] = "edurag-extractor";
    snprintf(path, sizeof path, "/proc/self/fd/%d", program);
    snprintf(page, sizeof page, "%zu", first);
    char *argv[] = {name, page, NULL}, *environment[] = {locale, NULL};
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t files;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, complaints, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&files, file, EXTRACTOR_PDF_FD);
    int code = posix_spawn(pid, path, &files, &attributes, argv, environment);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return code;
}

static bool child_start(struct child *child, int file, size_t first, struct err *err)
{
    int out[2], complaints[2];
    if (program < 0)
        return err_set(err, ERR_INTERNAL, "extract_start was not called");
    if (!two_pipes(out, complaints))
        return err_set(err, ERR_BUSY, "pipe: %s", strerror(errno));
    fcntl(complaints[0], F_SETFL, O_NONBLOCK);
    int code = spawn(&child->pid, file, out[1], complaints[1], first);
    close(out[1]);
    close(complaints[1]);
    child->out = out[0];
    child->complaints = complaints[0];
    if (!code)
        return true;
    close(out[0]);
    close(complaints[0]);
    return err_set(err, ERR_BUSY, "starting edurag-extractor: %s", strerror(code));
}

/* Waits a moment for a process that has closed its pipe, then ends it; its wait status. */
static int child_end(struct child *child, bool at_once)
{
    int status = 0;
    for (int waited = 0; !at_once && waited < 2000; waited += 5) {
        if (waitpid(child->pid, &status, WNOHANG) == child->pid)
            goto gone;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    kill(child->pid, SIGKILL);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
    }
gone:
    close(child->out);
    close(child->complaints);
    buf_free(&child->in);
    return status;
}

/* poppler goes on after a failed allocation and says so here alone. */
static void hear_complaints(struct run *run, struct child *child)
{
    char piece[4096 + sizeof child->tail];
    for (;;) {
        size_t kept = strlen(child->tail);
        memcpy(piece, child->tail, kept);
        ssize_t n = read(child->complaints, piece + kept, 4096);
        if (n <= 0)
            return;
        size_t length = kept + (size_t)n;
        if (memmem(piece, length, "Out of memory", 13) || memmem(piece, length, "out of memory", 13))
            run->memory = true;
        size_t keep = length < sizeof child->tail - 1 ? length : sizeof child->tail - 1;
        memcpy(child->tail, piece + length - keep, keep);
        child->tail[keep] = '\0';
        for (size_t i = 0; i < keep; i++)
            if (!child->tail[i])
                child->tail[i] = ' ';
    }
}

static void take_outline(struct run *run, const unsigned char *payload, size_t length)
{
    struct document *document = run->document;
    struct frame_item item;
    for (size_t at = 0; document->outline_count < FRAME_OUTLINE_MOST && frames_item(payload, length, &at, &item);) {
        struct buf title = {0};
        text_clean(&title, item.title, item.length, TEXT_ONE_LINE);
        document->outline = mem_grow(document->outline, document->outline_count + 1, sizeof *document->outline);
        document->outline[document->outline_count++] = (struct outline_item){
            buf_take(&title), item.page <= document->page_count ? (int)item.page : 0, item.level + 1};
    }
    run->outlined = true;
}

static bool take_page(struct run *run, const unsigned char *payload, size_t length)
{
    struct frame_page frame;
    if (!frames_page(payload, length, &frame) || frame.number != run->next || run->next > run->document->page_count)
        return false;
    struct page *page = &run->document->pages[run->next - 1];
    lines_build(&frame, page);
    run->bytes += frame.text_length;
    run->without_text += page->status != PAGE_OK;
    run->document->partial = run->document->partial || run->memory;
    run->memory = false;
    run->kills = 0;
    run->next++;
    if (run->watch && run->watch->progress)
        run->watch->progress(run->watch->context, run->next - 1, run->document->page_count, run->without_text);
    return true;
}

static bool refused(const unsigned char *payload, size_t length, struct err *err)
{
    enum frame_refusal why;
    if (!frames_refused(payload, length, &why))
        return err_set(err, ERR_INTERNAL, "extractor: damaged refusal");
    if (why == REFUSED_ENCRYPTED)
        return err_say(err, ERR_INVALID_PARAMS,
                       "This PDF is locked with a password. Please upload a copy that opens without one.");
    if (why == REFUSED_PAGELESS)
        return err_say(err, ERR_INVALID_PARAMS, "This PDF has no pages: the file is damaged. Please export it again.");
    return err_say(err, ERR_INVALID_PARAMS, "This file is too damaged to be read as a PDF. Please export it again.");
}

/* One frame; false with err for a final answer, false with run->lied for what ours would not say. */
static bool take_frame(struct run *run, int type, const unsigned char *payload, size_t length, struct err *err)
{
    uint32_t pages;
    switch (type) {
    case FRAME_DOCUMENT:
        if (run->document || !frames_document(payload, length, &pages))
            break;
        if (pages > PAGES_MOST)
            return err_say(err, ERR_INVALID_PARAMS, "This PDF has %u pages; %d are the most. Please split it.", pages,
                           PAGES_MOST);
        run->document = document_new(pages);
        return true;
    case FRAME_OUTLINE:
        if (!run->document || run->outlined)
            break;
        take_outline(run, payload, length);
        return true;
    case FRAME_PAGE:
        if (!run->document || !take_page(run, payload, length))
            break;
        run->full = run->bytes > TEXT_MOST;
        return true;
    case FRAME_REFUSED:
        if (run->document)
            break;
        return refused(payload, length, err);
    case FRAME_END:
        if (!run->document || run->next <= run->document->page_count)
            break;
        run->ended = true;
        return true;
    default: break;
    }
    run->lied = true;
    return false;
}

static bool take_frames(struct run *run, struct child *child, struct err *err)
{
    size_t at = 0;
    bool fine = true;
    while (fine && !run->ended && !run->full) {
        int type = 0;
        const unsigned char *payload = NULL;
        size_t length = 0, taken = 0;
        if (!frames_next((const unsigned char *)child->in.data + at, child->in.length - at, &type, &payload, &length,
                         &taken)) {
            run->lied = true;
            fine = false;
        } else if (taken) {
            fine = take_frame(run, type, payload, length, err);
            at += taken;
        } else {
            break;
        }
    }
    memmove(child->in.data, child->in.data + at, child->in.length - at);
    child->in.length -= at;
    return fine;
}

/* Reads what one process says until it ends, lies or is stopped; false with err for a final answer. */
static bool listen_to(struct run *run, struct child *child, struct err *err)
{
    char piece[65536];
    int64_t stall = wait_now() + STALL_MS;
    while (!run->ended && !run->full) {
        if (run->watch && run->watch->stop && run->watch->stop(run->watch->context))
            return err_set(err, ERR_CANCELLED, "extraction stopped");
        int64_t now = wait_now();
        if (now > stall || now > run->deadline) {
            run->stalled = true;
            return true;
        }
        struct pollfd ends[] = {{.fd = child->out, .events = POLLIN}, {.fd = child->complaints, .events = POLLIN}};
        if (poll(ends, ends[1].fd < 0 ? 1 : 2, 200) <= 0)
            continue;
        hear_complaints(run, child);
        if (!ends[0].revents) {
            /* It may close its complaints and go on: then poll would spin. */
            if (ends[1].revents & (POLLHUP | POLLERR))
                nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
            continue;
        }
        ssize_t n = read(child->out, piece, sizeof piece);
        if (n <= 0)
            return true;
        buf_bytes(&child->in, piece, (size_t)n);
        size_t next = run->next;
        if (!take_frames(run, child, err))
            return err->code == ERR_NONE;
        if (run->next != next)
            stall = wait_now() + STALL_MS;
    }
    return true;
}

/* The page at which the process ended is set aside where it was the first that it tried. */
static bool after_death(struct run *run, size_t first, int status, struct err *err)
{
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !run->stalled && !run->lied;
    bool timed_out = run->stalled || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU);
    if (!run->document) {
        if (killed)
            return err_set(err, ERR_BUSY, "the extractor was killed from outside");
        return err_say(err, ERR_INVALID_PARAMS,
                       run->memory ? "Opening this PDF takes more memory than is allowed. Please export it again."
                       : timed_out ? "Opening this PDF takes more time than is allowed. Please export it again."
                                   : "This PDF could not be opened: the file is damaged. Please export it again.");
    }
    run->slow += timed_out && run->next < first + FEW;
    if (run->next > first || (killed && ++run->kills < KILLS_MOST))
        return true;
    run->failed++;
    run->without_text++;
    run->kills = 0;
    run->memory = false;
    run->next++;
    return true;
}

static bool worth_going_on(const struct run *run)
{
    return !run->ended && !run->full && run->next <= run->document->page_count && run->failed < FAILED_MOST &&
           run->slow < SLOW_MOST && wait_now() < run->deadline;
}

static bool has_text(const struct document *document, struct err *err)
{
    size_t by_status[PAGE_FAILED + 1] = {0}, pages = document->page_count;
    for (size_t i = 0; i < pages; i++)
        by_status[document->pages[i].status]++;
    if (by_status[PAGE_OK])
        return true;
    if (by_status[PAGE_GARBAGE])
        return err_say(err, ERR_INVALID_PARAMS,
                       "The fonts of this PDF do not say which letters they show, so its text cannot be read. "
                       "Please export it again, or run text recognition (OCR) on it.");
    if (by_status[PAGE_FAILED] == pages)
        return err_say(err, ERR_INVALID_PARAMS,
                       "No page of this PDF could be read: the file is damaged. Please export it again.");
    return err_say(
        err, ERR_INVALID_PARAMS,
        "%zu of %zu pages had no text: this looks like a scan. Please run text recognition (OCR) on it first.", pages,
        pages);
}

bool extract_document(int file, const struct extract_watch *watch, struct document **document, struct err *err)
{
    struct err local = {0};
    struct run run = {.watch = watch, .next = 1, .deadline = wait_now() + WHOLE_MS};
    /* What the process reads can neither change nor shrink under it. */
    fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
    bool fine = true;
    do {
        struct child child = {0};
        size_t first = run.next;
        run.stalled = run.lied = false;
        fine = child_start(&child, file, first, &local);
        if (!fine)
            break;
        fine = listen_to(&run, &child, &local);
        int status = child_end(&child, !fine || run.ended || run.full || run.stalled || run.lied);
        if (fine && !run.ended && !run.full)
            fine = after_death(&run, first, status, &local);
    } while (fine && worth_going_on(&run));
    if (fine) {
        run.document->partial = run.document->partial || run.full || run.next <= run.document->page_count;
        fine = has_text(run.document, &local);
    }
    if (!fine) {
        document_free(run.document);
        if (err)
            *err = local;
        return false;
    }
    document_finish(run.document);
    *document = run.document;
    return true;
}
