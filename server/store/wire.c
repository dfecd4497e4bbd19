/* wire.c - one libpq connection whose every wait has an end; for store/ alone. */
#include "server/store/wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "server/store/sqlstate.h"

int64_t wire_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void wire_result_free(PGresult **result)
{
    PQclear(*result);
    *result = NULL;
}

static int left(int64_t until)
{
    int64_t ms = until - wire_now();
    return ms < 0 ? 0 : ms > 1000000 ? 1000000 : (int)ms;
}

/* libpq's message, in one line. */
static bool lost(struct wire *wire, struct err *err, const char *what)
{
    wire->broken = true;
    const char *text = PQerrorMessage(wire->pg);
    err_set(err, ERR_BUSY, "database: %s: %.*s", what, (int)strcspn(text, "\n"), text);
    if (err)
        err->retry_after_ms = 1000;
    return false;
}

/* A dead peer must show within seconds, whatever the network does with it. */
static PGconn *connect_begin(const char *url, const char *program)
{
    const char *keys[] = {"dbname",           "fallback_application_name", "keepalives_idle", "keepalives_interval",
                          "keepalives_count", "tcp_user_timeout",          "client_encoding", NULL};
    const char *values[] = {url, program, "5", "2", "2", "9000", "UTF8", NULL};
    return PQconnectStartParams(keys, values, 1);
}

/* libpq would print them. */
static void ignore_notice(void *unused, const char *message)
{
    (void)unused;
    (void)message;
}

struct wire *wire_open(const char *url, const char *program, int timeout_ms, struct err *err)
{
    struct wire *wire = mem_alloc(sizeof *wire);
    int64_t until = wire_now() + timeout_ms;
    wire->pg = connect_begin(url, program);
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (wire->pg && PQstatus(wire->pg) != CONNECTION_BAD && state != PGRES_POLLING_OK) {
        struct pollfd fd = {.fd = PQsocket(wire->pg), .events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT};
        int ready = poll(&fd, 1, left(until));
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0) {
            lost(wire, err, "no answer while connecting");
            wire_close(&wire);
            return NULL;
        }
        state = PQconnectPoll(wire->pg);
        if (state == PGRES_POLLING_FAILED)
            break;
    }
    if (!wire->pg || PQstatus(wire->pg) != CONNECTION_OK) {
        lost(wire, err, "no connection");
        wire_close(&wire);
        return NULL;
    }
    PQsetnonblocking(wire->pg, 1);
    PQsetNoticeProcessor(wire->pg, ignore_notice, NULL);
    return wire;
}

void wire_close(struct wire **wire)
{
    if (!*wire)
        return;
    PQfinish((*wire)->pg);
    mem_freep(wire);
}

bool wire_ping(const char *url)
{
    return PQping(url) == PQPING_OK;
}

bool wire_usable(const struct wire *wire)
{
    return !wire->broken && PQstatus(wire->pg) == CONNECTION_OK;
}

bool wire_idle(const struct wire *wire)
{
    struct pollfd fd = {.fd = PQsocket(wire->pg), .events = POLLIN};
    return wire_usable(wire) && poll(&fd, 1, 0) == 0;
}

bool wire_wait(struct wire *wire, int also, int timeout_ms)
{
    struct pollfd fds[] = {{.fd = PQsocket(wire->pg), .events = POLLIN}, {.fd = also, .events = POLLIN}};
    if (poll(fds, 2, timeout_ms) < 0)
        return errno == EINTR;
    if (fds[0].revents && !PQconsumeInput(wire->pg))
        wire->broken = true;
    return !wire->broken;
}

void wire_nap(int also, int timeout_ms)
{
    struct pollfd fd = {.fd = also, .events = POLLIN};
    poll(&fd, 1, timeout_ms);
}

/* Both directions at once: with a large value under way each side may wait for the other to read. */
static bool pump(struct wire *wire, int64_t until, struct err *err)
{
    int unsent = PQflush(wire->pg);
    while (unsent > 0 || PQisBusy(wire->pg)) {
        struct pollfd fd = {.fd = PQsocket(wire->pg), .events = (short)(POLLIN | (unsent > 0 ? POLLOUT : 0))};
        int ready = poll(&fd, 1, left(until));
        if (ready < 0 && errno != EINTR)
            return lost(wire, err, strerror(errno));
        if (!ready)
            return lost(wire, err, "no answer in time");
        if (ready > 0 && (fd.revents & ~POLLOUT) && !PQconsumeInput(wire->pg))
            return lost(wire, err, "connection lost");
        if (unsent > 0)
            unsent = PQflush(wire->pg);
    }
    return unsent < 0 ? lost(wire, err, "connection lost") : true;
}

bool wire_result(struct wire *wire, int64_t until, PGresult **result, struct err *err)
{
    if (!pump(wire, until, err))
        return false;
    *result = PQgetResult(wire->pg);
    return PQstatus(wire->pg) == CONNECTION_OK || *result ? true : lost(wire, err, "connection lost");
}

/* Reads every result of what was sent; the last one stays, or the first that failed. */
static bool gather(struct wire *wire, int timeout_ms, PGresult **result, struct err *err)
{
    AUTO(wire_result_free) PGresult *kept = NULL;
    int64_t until = wire_now() + timeout_ms;
    for (bool failed = false;;) {
        PGresult *next;
        if (!wire_result(wire, until, &next, err))
            return false;
        if (!next)
            break;
        if (failed) {
            PQclear(next);
            continue;
        }
        PQclear(kept);
        kept = next;
        failed = PQresultStatus(next) == PGRES_FATAL_ERROR;
    }
    if (!kept || PQresultStatus(kept) == PGRES_FATAL_ERROR)
        return sqlstate_err(kept, err);
    if (result)
        *result = TAKE(kept);
    return true;
}

bool wire_exec(struct wire *wire, const char *sql, const char *const *values, int count, int timeout_ms,
               PGresult **result, struct err *err)
{
    if (!PQsendQueryParams(wire->pg, sql, count, NULL, values, NULL, NULL, 0))
        return lost(wire, err, "nothing could be sent");
    return gather(wire, timeout_ms, result, err);
}

bool wire_script(struct wire *wire, const char *sql, int timeout_ms, struct err *err)
{
    if (!PQsendQuery(wire->pg, sql))
        return lost(wire, err, "nothing could be sent");
    return gather(wire, timeout_ms, NULL, err);
}
