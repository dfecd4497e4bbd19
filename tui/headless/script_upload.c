/* script_upload.c - files into the library: in pieces, resumed where they were interrupted. */
#include "tui/headless/script_upload.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/state.h"
#include "tui/headless/script_notifications.h"
#include "tui/headless/script_print.h"
#include "tui/sanitize.h"

enum { STEP_MS = 60000, TRIES = 8, CHUNK_MOST = 512 << 10, CHUNK_LEAST = 1024, LOOK_MS = 2000, BAR = 20, NOTE_S = 10 };

struct upload {
    struct script *script;
    const char *path, *name;
    int fd;
    int64_t size, offset;
    char sha256[65], upload_id[64], job_id[64], pdf_id[64], existing[64];
    int64_t chunk;
    time_t noted;
    bool drawn;
};

/* ---- telling how far it is ---- */

/* A bar on a terminal, rewritten; elsewhere a line every ten seconds. */
static void progress(struct upload *u, const char *doing, double done, double total)
{
    double part = total > 0 ? done / total : 0;
    int cells = (int)(part * BAR);
    time_t now = time(NULL);
    char name[120];
    if (u->script->json)
        return;
    sanitize_text(u->name, name, sizeof name);
    if (u->script->terminal) {
        fprintf(stderr, "\r%.30s  %s  %.*s%.*s %3d%%  ", name, doing, cells, "####################", BAR - cells,
                "....................", (int)(part * 100));
        u->drawn = true;
    } else if (now - u->noted >= NOTE_S) {
        u->noted = now;
        script_say("%s: %s, %d%%.", u->name, doing, (int)(part * 100));
    }
    fflush(stderr);
}

static void progress_end(struct upload *u)
{
    if (u->drawn)
        fprintf(stderr, "\r\x1b[K");
    u->drawn = false;
}

static void event(struct upload *u, const char *status)
{
    AUTO(json_freep) cJSON *line = cJSON_CreateObject();
    cJSON_AddStringToObject(line, "file", u->path);
    cJSON_AddStringToObject(line, "status", status);
    if (*u->pdf_id)
        cJSON_AddStringToObject(line, "pdf_id", u->pdf_id);
    if (*u->job_id)
        cJSON_AddStringToObject(line, "job_id", u->job_id);
    if (u->script->json)
        script_line(u->script, line);
}

/* ---- the file ---- */

static bool digest(struct upload *u)
{
    unsigned char bytes[65536], sum[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    ssize_t n;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool fine = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL);
    u->size = 0;
    while (fine && (n = read(u->fd, bytes, sizeof bytes)) != 0) {
        fine = n > 0 && EVP_DigestUpdate(context, bytes, (size_t)n);
        u->size += fine ? n : 0;
    }
    fine = fine && EVP_DigestFinal_ex(context, sum, &length);
    EVP_MD_CTX_free(context);
    for (unsigned i = 0; fine && i < length; i++)
        snprintf(u->sha256 + 2 * i, 3, "%02x", sum[i]);
    return fine;
}

static bool open_file(struct upload *u, struct err *err)
{
    struct stat st;
    const char *slash = strrchr(u->path, '/');
    u->name = slash ? slash + 1 : u->path;
    if (!state_may_use_files(err))
        return false;
    u->fd = open(u->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (u->fd < 0 || fstat(u->fd, &st))
        return err_say(err, ERR_NOT_FOUND, "%s: %s.", u->path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_say(err, ERR_NOT_FOUND, "%s is not a file.", u->path);
    if (!digest(u))
        return err_say(err, ERR_NOT_FOUND, "%s could not be read.", u->path);
    return true;
}

/* ---- the steps ---- */

/* A call that waits where the server asks for patience, and comes back after a lost connection: *lost says so. */
static bool patient(struct upload *u, const char *method, const char *params, cJSON **result, bool *lost,
                    struct err *err)
{
    *lost = false;
    for (int i = 0;; i++) {
        if (client_call(u->script->client, method, params, STEP_MS, result, err))
            return true;
        bool wait = (err->code == ERR_RATE_LIMITED || err->code == ERR_BUSY) && err->retry_after_ms > 0;
        if (!wait || i >= 100)
            break;
        long ms = err->retry_after_ms < 60000 ? err->retry_after_ms : 60000;
        nanosleep(&(struct timespec){ms / 1000, (ms % 1000) * 1000000}, NULL);
    }
    *lost = err->code == ERR_UNREACHABLE || err->code == ERR_TIMEOUT;
    return false;
}

static bool begin(struct upload *u, const cJSON *params, bool *lost, struct err *err)
{
    AUTO(buf_free) struct buf text = {0};
    AUTO(json_freep) cJSON *result = NULL;
    buf_json_open(&text, '{');
    buf_json_member(&text, "filename", u->name);
    buf_json_member_int(&text, "size", u->size);
    buf_json_member(&text, "sha256", u->sha256);
    if (json_text(params, "title", NULL))
        buf_json_member(&text, "title", json_text(params, "title", NULL));
    if (json_text(params, "course_id", NULL))
        buf_json_member(&text, "course_id", json_text(params, "course_id", NULL));
    buf_json_close(&text, '}');
    if (!patient(u, "library.upload_begin", text.data, &result, lost, err))
        return false;
    snprintf(u->upload_id, sizeof u->upload_id, "%s", json_text(result, "upload_id", ""));
    u->offset = json_int(result, "offset", 0);
    u->chunk = json_int(result, "chunk_size", CHUNK_MOST);
    if (u->chunk > CHUNK_MOST || u->chunk < CHUNK_LEAST)
        u->chunk = u->chunk < CHUNK_LEAST ? CHUNK_LEAST : CHUNK_MOST;
    if (u->offset > 0 && !u->script->json)
        script_say("%s: going on at %lld of %lld bytes.", u->name, (long long)u->offset, (long long)u->size);
    return true;
}

static bool chunk(struct upload *u, bool *lost, struct err *err)
{
    AUTO(mem_freep) unsigned char *bytes = mem_alloc((size_t)u->chunk);
    ssize_t n = pread(u->fd, bytes, (size_t)u->chunk, u->offset);
    if (n <= 0)
        return err_say(err, ERR_CONFLICT, "%s has changed meanwhile.", u->path);
    AUTO(mem_freep) char *data = mem_alloc((size_t)n / 3 * 4 + 8);
    EVP_EncodeBlock((unsigned char *)data, bytes, (int)n);
    AUTO(buf_free) struct buf text = {0};
    AUTO(json_freep) cJSON *result = NULL;
    buf_json_open(&text, '{');
    buf_json_member(&text, "upload_id", u->upload_id);
    buf_json_member_int(&text, "offset", u->offset);
    buf_json_member(&text, "data", data);
    buf_json_close(&text, '}');
    if (!patient(u, "library.upload_chunk", text.data, &result, lost, err))
        return false;
    u->offset = json_int(result, "offset", u->offset + n);
    return true;
}

static bool commit(struct upload *u, bool *lost, struct err *err)
{
    AUTO(mem_freep) char *text = mem_printf("{\"upload_id\":\"%s\"}", u->upload_id);
    AUTO(json_freep) cJSON *result = NULL;
    if (!patient(u, "library.upload_commit", text, &result, lost, err))
        return false;
    snprintf(u->pdf_id, sizeof u->pdf_id, "%s", json_text(result, "pdf_id", ""));
    snprintf(u->job_id, sizeof u->job_id, "%s", json_text(result, "job_id", ""));
    return true;
}

static bool send_once(struct upload *u, const cJSON *params, bool *lost, struct err *err)
{
    if (!begin(u, params, lost, err))
        return false;
    while (u->offset < u->size) {
        if (!chunk(u, lost, err))
            return false;
        progress(u, "sending", (double)u->offset, (double)u->size);
    }
    return commit(u, lost, err);
}

/* After a lost connection the server says where to go on. */
static bool send_file(struct upload *u, const cJSON *params, struct err *err)
{
    bool lost = false;
    for (unsigned i = 0; i < TRIES; i++) {
        if (send_once(u, params, &lost, err)) {
            progress_end(u);
            return true;
        }
        if (!lost)
            break;
        progress_end(u);
        script_say("%s  Trying again.", err_sentence(err));
        nanosleep(&(struct timespec){1u << (i < 4 ? i : 4), 0}, NULL);
    }
    progress_end(u);
    snprintf(u->existing, sizeof u->existing, "%s", err->code == ERR_CONFLICT ? err->existing : "");
    return false;
}

/* ---- waiting for the job ---- */

struct waiting {
    struct upload *upload;
    cJSON *job; /* as it was last heard of */
};

static bool over(const cJSON *job)
{
    const char *state = json_text(job, "state", "");
    return !strcmp(state, "indexed") || !strcmp(state, "failed");
}

static void heard(struct waiting *w, const cJSON *job)
{
    struct upload *u = w->upload;
    const char *state = json_text(job, "state", "");
    bool chunks = !strcmp(state, "embedding") || !strcmp(state, "storing");
    cJSON *copy = cJSON_Duplicate(job, true);
    cJSON_Delete(w->job);
    w->job = copy;
    if (u->script->json)
        script_line(u->script, job);
    else if (chunks)
        progress(u, "learning", (double)json_int(job, "chunks_done", 0), (double)json_int(job, "chunks_total", 0));
    else
        progress(u, !strcmp(state, "queued") ? "waiting" : "reading", (double)json_int(job, "pages_done", 0),
                 (double)json_int(job, "pages_total", 0));
}

static void take_notification(void *user, const char *method, const cJSON *params)
{
    struct waiting *w = user;
    if (!strcmp(method, "library.progress") && !strcmp(json_text(params, "job_id", ""), w->upload->job_id))
        heard(w, params);
}

static int wait_job(struct upload *u)
{
    struct waiting w = {.upload = u};
    AUTO(mem_freep) char *text = mem_printf("{\"job_id\":\"%s\"}", u->job_id);
    int code = SCRIPT_FINE;
    script_notifications_listen(take_notification, NULL, &w);
    while (!code && !over(w.job)) {
        AUTO(json_freep) cJSON *job = NULL;
        struct err err = {0};
        bool lost;
        if (patient(u, "library.job", text, &job, &lost, &err))
            heard(&w, job);
        else if (!lost)
            code = script_fail(u->script, &err);
        for (int i = 0; !code && !over(w.job) && i < 20; i++)
            if (!client_service(u->script->client, LOOK_MS))
                break;
    }
    script_notifications_leave(&w);
    progress_end(u);
    if (!code && !u->script->json) {
        AUTO(json_freep) cJSON *clean = sanitize_copy(w.job);
        script_print_job(u->script, clean);
    }
    if (!code && strcmp(json_text(w.job, "state", ""), "indexed") != 0)
        code = SCRIPT_OTHER;
    cJSON_Delete(w.job);
    return code;
}

static int upload_one(struct script *script, const char *path, const cJSON *params)
{
    struct upload u = {.script = script, .path = path, .fd = -1, .noted = time(NULL)};
    struct err err = {0};
    int code = SCRIPT_FINE;
    if (!open_file(&u, &err)) {
        script_say("%s", err_sentence(&err));
        code = SCRIPT_OTHER;
    } else if (send_file(&u, params, &err)) {
        event(&u, "accepted");
        if (!script->json && !json_bool(params, ".wait", false))
            fprintf(script->out, "%s\n", u.job_id);
        if (!script->json)
            script_say("%s is sent.", u.name);
        if (json_bool(params, ".wait", false))
            code = wait_job(&u);
    } else if (*u.existing) {
        snprintf(u.pdf_id, sizeof u.pdf_id, "%s", u.existing);
        event(&u, "exists");
        if (!script->json)
            script_say("%s is in the library already.", u.name);
    } else {
        if (!script->json)
            script_say("%s:", u.name);
        code = script_fail(script, &err);
    }
    if (u.fd >= 0)
        close(u.fd);
    return code;
}

int script_upload_run(struct script *script, const struct script_command *command, cJSON *params)
{
    const cJSON *file;
    int worst = SCRIPT_FINE;
    (void)command;
    if (json_text(params, "title", NULL) && cJSON_GetArraySize(json_get(params, ".files")) > 1) {
        script_say("--title is for one file.");
        return SCRIPT_USAGE;
    }
    cJSON_ArrayForEach (file, json_get(params, ".files")) {
        int code = upload_one(script, file->valuestring, params);
        worst = worst ? worst : code;
        if (code == SCRIPT_LOGIN || code == SCRIPT_UNREACHABLE)
            break;
    }
    if (!cJSON_GetArraySize(json_get(params, ".files"))) {
        script_say("FILE is missing.");
        return SCRIPT_USAGE;
    }
    return worst;
}

int script_upload_job(struct script *script, const struct script_command *command, cJSON *params)
{
    AUTO(json_freep) cJSON *job = NULL;
    bool wait = json_bool(params, ".wait", false);
    cJSON_DeleteItemFromObjectCaseSensitive(params, ".wait");
    int code = script_call(script, command->method, params, STEP_MS, &job);
    if (code)
        return code;
    struct upload u = {.script = script, .path = "", .fd = -1, .noted = time(NULL)};
    AUTO(json_freep) cJSON *clean = sanitize_copy(job);
    u.name = json_text(clean, "title", "");
    snprintf(u.job_id, sizeof u.job_id, "%s", json_text(job, "job_id", ""));
    if (wait && !over(job))
        return wait_job(&u);
    if (script->json)
        script_line(script, job);
    else
        script_print_job(script, clean);
    return wait && strcmp(json_text(job, "state", ""), "indexed") != 0 ? SCRIPT_OTHER : SCRIPT_FINE;
}
