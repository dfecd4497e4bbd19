/* busy.c - a school at work. */
#include "tests/lib/busy.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/faults.h"
#include "tests/lib/harness.h"
#include "tests/lib/ledger.h"
#include "tests/lib/pg.h"
#include "tests/lib/uploads.h"

enum { END_MS = 60000, SLOW_MS = 19000, PAGES = 12 };

struct person {
    const char *id;
    long pause_ms; /* between two acts */
    const char *(*act)(struct ws *ws, const struct person *person,
                       int number); /* the reason word; "ok": acknowledged */
};

static char target[128];
static char logs[200];
static atomic_bool on, over;
static atomic_int unanswered, wrong;
static char wrong_reason[300];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* wrong_reason's */

struct buf busy_book(uint32_t number, int pages)
{
    struct buf pdf = {0};
    char **text = mem_array((size_t)pages + 1, sizeof *text);
    for (int i = 0; i < pages; i++) {
        struct buf page = {0};
        for (uint32_t k = 0; k < 60; k++)
            buf_printf(&page, "Book%u says w%u of page%d. ", number, k * 7 + number, i);
        text[i] = buf_take(&page);
    }
    uploads_pdf(&pdf, (const char *const *)text);
    for (int i = 0; i < pages; i++)
        free(text[i]);
    free(text);
    return pdf;
}

static void complain(const char *who, const char *method, const char *reason, const char *message)
{
    static const char *const fine[] = {"ok", "closed", "busy", "conflict"};
    for (size_t i = 0; i < COUNT_OF(fine); i++)
        if (!strcmp(reason, fine[i]))
            return;
    pthread_mutex_lock(&lock);
    if (!atomic_fetch_add(&wrong, 1))
        snprintf(wrong_reason, sizeof wrong_reason, "%s, %s: %s (%s)", who, method, reason, message);
    pthread_mutex_unlock(&lock);
}

/* A call whose acknowledged result's `key` goes into the ledger. */
static const char *call(struct ws *ws, const struct person *person, const char *method, const char *params,
                        enum ledger_kind kind, const char *in, const char *key)
{
    static _Thread_local char reason[40];
    int64_t began = faults_now();
    AUTO(json_freep) cJSON *reply = harness_call(ws, method, params);
    const cJSON *result = json_get(reply, "result"), *error = json_get(reply, "error");
    if (!reply && faults_now() - began > SLOW_MS)
        atomic_fetch_add(&unanswered, 1);
    snprintf(reason, sizeof reason, "%s",
             !reply  ? "closed"
             : error ? json_text(json_get(error, "data"), "reason", "?")
                     : "ok");
    complain(person->id, method, reason, json_text(error, "message", ""));
    const char *id = json_text(in ? json_get(result, in) : result, key, NULL);
    if (id)
        ledger_note(kind, id);
    return reason;
}

static const char *teach(struct ws *ws, const struct person *person, int number)
{
    static _Thread_local char reason[40];
    char filename[60];
    snprintf(filename, sizeof filename, "%s-%d.pdf", person->id, number);
    AUTO(buf_free) struct buf pdf = busy_book((uint32_t)number * 10 + (uint32_t)person->id[1], PAGES);
    struct upload up = uploads_send(ws, filename, pdf.data, pdf.length, 6000, NULL);
    complain(person->id, "upload", up.reason, up.message);
    if (!strcmp(up.reason, "ok"))
        ledger_note(LEDGER_DOCUMENT, up.pdf_id);
    snprintf(reason, sizeof reason, "%s", up.reason);
    return reason;
}

static const char *talk(struct ws *ws, const struct person *person, int number)
{
    char params[160];
    snprintf(params, sizeof params, "{\"text\":\"line %d\",\"client_id\":\"%s-%d\"}", number, person->id, number);
    return call(ws, person, "chat.send", params, LEDGER_LINE, NULL, "message_id");
}

static const char *remember(struct ws *ws, const struct person *person, int number)
{
    char params[160];
    snprintf(params, sizeof params, "{\"fact\":\"I have learnt chapter w%d of biology\"}", number);
    return call(ws, person, "memory.retain", params, LEDGER_FACT, NULL, "fact_id");
}

static const char *look(struct ws *ws, const struct person *person, int number)
{
    char params[160];
    snprintf(params, sizeof params, "{\"query\":\"w%d of page%d\"}", number * 7 % 400, number % PAGES);
    return call(ws, person, number % 2 ? "search.query" : "search.ask", params, LEDGER_SEARCH, NULL, "search_id");
}

static const char *enrol(struct ws *ws, const struct person *person, int number)
{
    char params[160];
    snprintf(params, sizeof params,
             "{\"institution_id\":\"new-%d\",\"name\":\"New %d\",\"role\":\"student\",\"password\":\"%d-password\"}",
             number, number, number);
    return call(ws, person, "users.create", params, LEDGER_PERSON, "user", "user_id");
}

static const struct person people[] = {
    {"tim", 100, teach},   {"tom", 130, teach}, {"sue", 25, talk},  {"sam", 40, talk},
    {"mia", 35, remember}, {"max", 30, look},   {"ada", 50, enrol},
};
static pthread_t threads[COUNT_OF(people)];

static bool come_in(struct ws *ws, const struct person *person)
{
    struct err err = {0};
    if (!ws_open(ws, target, NULL, NULL, &err))
        return false;
    AUTO(mem_freep)
    char *params = mem_printf("{\"institution_id\":\"%s\",\"password\":\"%s-password\"}", person->id, person->id);
    AUTO(json_freep) cJSON *reply = harness_call(ws, "auth.login", params);
    if (json_get(reply, "result"))
        return true;
    if (reply)
        complain(person->id, "auth.login", json_text(json_get(json_get(reply, "error"), "data"), "reason", "?"),
                 json_text(json_get(reply, "error"), "message", ""));
    ws_close(ws);
    return false;
}

/* What was not acknowledged is done again: by then it may have been done, which is a conflict, or the same again. */
static void *live(void *argument)
{
    const struct person *person = argument;
    struct ws ws = {.fd = -1};
    bool begun = false;
    static atomic_int acts; /* numbers are never used twice, not by another round either */
    for (int number = 0; (atomic_load(&on) || begun) && !atomic_load(&over);) {
        if (ws.fd < 0 && !come_in(&ws, person)) {
            faults_pause(20);
            continue;
        }
        number = begun ? number : atomic_fetch_add(&acts, 1);
        const char *reason = person->act(&ws, person, number);
        begun = strcmp(reason, "ok") != 0 && strcmp(reason, "conflict") != 0;
        if (!strcmp(reason, "closed"))
            ws_close(&ws);
        faults_pause(begun ? 20 : person->pause_ms);
    }
    ws_close(&ws);
    return begun ? argument : NULL;
}

/* What the servers wrote on it, before it is removed. */
static void print_causes(void)
{
    AUTO(mem_freep) char *command = mem_printf("grep -h 'incident=' %s | tail -n 5", logs);
    fflush(stdout);
    if (system(command) != 0)
        printf("and the log says nothing of it\n");
}

void busy_people(const char *owner_url, const char *pattern)
{
    static const char *const roles[] = {"teacher", "teacher", "student", "student", "student", "student", "admin"};
    snprintf(logs, sizeof logs, "%s", pattern);
    for (size_t i = 0; i < COUNT_OF(people); i++) {
        char error[400];
        AUTO(mem_freep)
        char *sql = mem_printf("select auth.user_add(null, '%s', '%s', '%s', '%s-password')", people[i].id,
                               people[i].id, roles[i], people[i].id);
        free(pg_try(owner_url, sql, error, sizeof error));
        assert_string_equal(error, "");
    }
}

void busy_start(const char *where)
{
    snprintf(target, sizeof target, "%s", where);
    atomic_store(&over, false);
    atomic_store(&on, true);
    for (size_t i = 0; i < COUNT_OF(people); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, live, (void *)(uintptr_t)&people[i]), 0);
}

void busy_stop(void)
{
    const char *stuck = NULL;
    int64_t end = faults_now() + END_MS;
    atomic_store(&on, false);
    for (size_t i = 0; i < COUNT_OF(people); i++) {
        void *begun = NULL;
        while (pthread_tryjoin_np(threads[i], &begun) != 0) {
            if (faults_now() > end)
                atomic_store(&over, true);
            faults_pause(10);
        }
        stuck = begun ? people[i].id : stuck;
    }
    if (stuck)
        fail_msg("what %s had begun was never acknowledged", stuck);
    if (atomic_load(&wrong))
        print_causes();
    if (atomic_load(&wrong))
        fail_msg("%d replies that nobody should get; the first: %s", atomic_load(&wrong), wrong_reason);
    if (atomic_load(&unanswered))
        fail_msg("%d requests had no answer within 20 s, on a socket that stayed open", atomic_load(&unanswered));
}
