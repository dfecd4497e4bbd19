/* serve.c - eduragd at work: everything started in order, and stopped in the opposite one. */
#include "server/serve.h"

#include <pthread.h>
#include <signal.h>

#include "common/log.h"
#include "common/mem.h"
#include "server/store/database.h"
#include "server/store/listen.h"

struct room {
    const char *name;
    bool (*start)(struct err *err);
    void (*stop)(void);
};

static struct account worker_account;

static void signals(sigset_t *ends)
{
    sigemptyset(ends);
    sigaddset(ends, SIGTERM);
    sigaddset(ends, SIGINT);
}

/* Until the database is ours a signal just ends us; from here on we stop in order. */
static bool database_up(struct err *err)
{
    sigset_t ends;
    if (!database_start(&worker_account, false, err))
        return false;
    signals(&ends);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    return true;
}

static bool schema_up(struct err *err)
{
    int applied;
    if (!database_migrate(&applied, err))
        return false;
    if (applied)
        log_event(LOG_INFO, "migrated", "migrations=%d", applied);
    return database_configure(err);
}

static bool listen_up(struct err *err)
{
    (void)err;
    listen_start(database_url("listen"));
    return true;
}

/* In the order of starting. Rooms that hear notifications stand before "listen". */
static const struct room rooms[] = {
    {"database", database_up, database_stop},
    {"schema", schema_up, NULL},
    {"pools", database_open_pools, database_close_pools},
    {"listen", listen_up, listen_stop},
};

static int start_all(struct err *err)
{
    for (size_t i = 0; i < COUNT_OF(rooms); i++)
        if (!rooms[i].start(err)) {
            log_event(LOG_ERROR, "start_failed", "room=%s reason=%s", rooms[i].name, log_quote(err->log));
            return (int)i;
        }
    return COUNT_OF(rooms);
}

static void wait_for_signal(void)
{
    sigset_t ends;
    int which;
    signals(&ends);
    sigwait(&ends, &which);
    log_event(LOG_INFO, "stopping", "signal=%d", which);
}

int serve_run(const struct account *account)
{
    struct err err = {0};
    worker_account = *account;
    int started = start_all(&err);
    bool whole = started == (int)COUNT_OF(rooms);
    if (whole) {
        log_event(LOG_INFO, "serving", "version=%s account=%s", EDURAG_VERSION, account->name);
        wait_for_signal();
    }
    while (started-- > 0)
        if (rooms[started].stop)
            rooms[started].stop();
    log_event(LOG_INFO, "stopped", "%s", "");
    return whole ? 0 : 1;
}
