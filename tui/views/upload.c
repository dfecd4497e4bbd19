/* upload.c - one file on its way to the server: its sum, its pieces, and going on after an interruption. */
#include "tui/views/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/state.h"

enum { SUM_STEP = 1 << 20, CHUNK_LEAST = 4096, CHUNK_MOST = 700000 };

bool upload_open(struct upload *u, const char *path, const char *course_id, int64_t most, struct err *err)
{
    struct stat info;
    const char *slash = strrchr(path, '/');
    char start[4] = "";
    if (!state_may_use_files(err))
        return false;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return err_say(err, ERR_NOT_FOUND, errno == EACCES ? "You may not read this file." : "There is no such file.");
    if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(file);
        return err_say(err, ERR_INVALID_PARAMS, "This is not a file.");
    }
    if (pread(file, start, 4, 0) != 4 || memcmp(start, "%PDF", 4) != 0) {
        close(file);
        return err_say(err, ERR_INVALID_PARAMS, "This is not a PDF. Only PDF files can be added.");
    }
    if (info.st_size > most) {
        close(file);
        return err_say(err, ERR_TOO_LARGE, "This file is too large: %lld MB of at most %lld MB.",
                       (long long)(info.st_size / 1000000), (long long)(most / 1000000));
    }
    *u = (struct upload){.state = UPLOAD_SUMMING, .file = file, .size = info.st_size, .sum = EVP_MD_CTX_new()};
    EVP_DigestInit_ex(u->sum, EVP_sha256(), NULL);
    snprintf(u->name, sizeof u->name, "%s", slash ? slash + 1 : path);
    snprintf(u->course_id, sizeof u->course_id, "%s", course_id ? course_id : "");
    return true;
}

void upload_close(struct upload *u)
{
    EVP_MD_CTX_free(u->sum);
    u->sum = NULL;
    if (u->state != UPLOAD_NONE && u->file >= 0)
        close(u->file);
    u->file = -1;
}

static void fail(struct upload *u, struct view *view, const char *why)
{
    upload_close(u);
    u->state = UPLOAD_FAILED;
    u->failed_at = view->ui->wall;
    snprintf(u->why, sizeof u->why, "%s", why);
}

static void begin(struct upload *u, struct view *view)
{
    u->state = UPLOAD_BEGIN;
    ui_callf(view, UPLOAD_CALL_BEGIN, "library.upload_begin", NULL, "filename:s size:i sha256:s course_id:s", u->name,
             u->size, u->sha256, *u->course_id ? u->course_id : NULL);
}

static int sum(struct upload *u, struct view *view)
{
    static unsigned char block[SUM_STEP];
    ssize_t n = pread(u->file, block, sizeof block, u->summed);
    if (n < 0) {
        fail(u, view, "This file could not be read.");
        return -1;
    }
    if (n > 0) {
        EVP_DigestUpdate(u->sum, block, (size_t)n);
        u->summed += n;
        return 0;
    }
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_DigestFinal_ex(u->sum, digest, &length);
    for (unsigned i = 0; i < length && i < 32; i++)
        snprintf(u->sha256 + (size_t)i * 2, 3, "%02x", digest[i]);
    u->size = u->summed;
    begin(u, view);
    return -1;
}

static void send_chunk(struct upload *u, struct view *view)
{
    size_t most = (size_t)(u->chunk < CHUNK_LEAST ? CHUNK_LEAST : u->chunk > CHUNK_MOST ? CHUNK_MOST : u->chunk);
    AUTO(mem_freep) unsigned char *bytes = mem_alloc(most);
    ssize_t n = pread(u->file, bytes, most, u->offset);
    if (n <= 0) {
        fail(u, view, "This file changed while it was being sent.");
        return;
    }
    AUTO(mem_freep) char *text = mem_alloc((size_t)n * 4 / 3 + 8);
    EVP_EncodeBlock((unsigned char *)text, bytes, (int)n);
    ui_callf(view, UPLOAD_CALL_CHUNK, "library.upload_chunk", NULL, "upload_id:s offset:i data:s", u->upload_id,
             u->offset, text);
}

static void next(struct upload *u, struct view *view)
{
    u->state = u->offset >= u->size ? UPLOAD_COMMIT : UPLOAD_SENDING;
    if (u->state == UPLOAD_COMMIT)
        ui_callf(view, UPLOAD_CALL_COMMIT, "library.upload_commit", NULL, "upload_id:s", u->upload_id);
    else
        send_chunk(u, view);
}

int upload_step(struct upload *u, struct view *view)
{
    int64_t now = view->ui->now;
    if (u->state == UPLOAD_SUMMING)
        return sum(u, view);
    if (!u->again_at)
        return -1;
    if (now < u->again_at)
        return (int)(u->again_at - now);
    u->again_at = 0;
    if (u->state == UPLOAD_WAITING)
        begin(u, view);
    else
        next(u, view);
    return -1;
}

static void failed(struct upload *u, struct view *view, const struct err *err)
{
    if (err->code == ERR_RATE_LIMITED || err->code == ERR_BUSY) {
        u->again_at = view->ui->now + (err->retry_after_ms > 0 ? err->retry_after_ms : 1000);
        if (u->state == UPLOAD_BEGIN)
            u->state = UPLOAD_WAITING;
    } else if (view->ui->link != UI_ONLINE || err->code == ERR_UNREACHABLE || err->code == ERR_TIMEOUT) {
        u->state = UPLOAD_WAITING;
        if (view->ui->link == UI_ONLINE)
            u->again_at = view->ui->now + 1000;
    } else {
        fail(u, view,
             err->code == ERR_CONFLICT && *err->existing ? "This file is in the library already." : err_sentence(err));
    }
}

bool upload_reply(struct upload *u, struct view *view, const struct reply *r)
{
    if (r->err) {
        if (r->tag != UPLOAD_CALL_ABORT)
            failed(u, view, r->err);
        return false;
    }
    if (r->tag == UPLOAD_CALL_BEGIN) {
        snprintf(u->upload_id, sizeof u->upload_id, "%s", json_text(r->result, "upload_id", ""));
        u->offset = json_int(r->result, "offset", 0);
        u->chunk = json_int(r->result, "chunk_size", 262144);
        next(u, view);
    } else if (r->tag == UPLOAD_CALL_CHUNK) {
        u->offset = json_int(r->result, "offset", u->offset);
        next(u, view);
    } else if (r->tag == UPLOAD_CALL_COMMIT) {
        upload_close(u);
        u->state = UPLOAD_NONE;
        return true;
    }
    return false;
}

void upload_stop(struct upload *u, struct view *view)
{
    if (*u->upload_id && (u->state == UPLOAD_SENDING || u->state == UPLOAD_WAITING))
        ui_callf(view, UPLOAD_CALL_ABORT, "library.upload_abort", NULL, "upload_id:s", u->upload_id);
    ui_forget(view, UPLOAD_CALL_CHUNK);
    upload_close(u);
    *u = (struct upload){.file = -1};
}

void upload_online(struct upload *u)
{
    if (u->state == UPLOAD_WAITING)
        u->again_at = 1;
}
