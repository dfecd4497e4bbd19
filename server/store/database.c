/* database.c - the database as config.h says: the embedded one or a server, brought up to date, with pools. */
#include "server/store/database.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "server/config.h"
#include "server/store/embedded.h"
#include "server/store/migrate.h"
#include "server/store/pool.h"

enum { APP_WAIT_MS = 2000, WORKER_WAIT_MS = 10000, WORKER_STATEMENT_MS = 600000, WORKER_SIZE = 8 };

static bool own_server(void)
{
    return *config.database_url != '\0';
}

bool database_start(const struct account *account, bool command, struct err *err)
{
    struct embedded_settings settings = {.data_dir = config.data_dir,
                                         .account = *account,
                                         .unsafe = getenv("EDURAG_TEST_UNSAFE_DATABASE") != NULL};
    if (own_server())
        return true;
    return command ? embedded_attach(&settings, err) : embedded_start(&settings, err);
}

void database_stop(void)
{
    if (!own_server())
        embedded_stop();
}

const char *database_url(const char *role)
{
    if (!own_server())
        return embedded_url(strcmp(role, "listen") != 0 ? role : "edurag_worker");
    if (!strcmp(role, "edurag_owner"))
        return config.database_owner_url;
    if (!strcmp(role, "edurag_app"))
        return config.database_url;
    if (!strcmp(role, "listen") && *config.database_listen_url)
        return config.database_listen_url;
    return config.database_worker_url;
}

bool database_migrate(int *applied, struct err *err)
{
    *applied = 0;
    if (*database_url("edurag_owner"))
        return migrate_run(database_url("edurag_owner"), applied, err);
    log_event(LOG_INFO, "migrate_skipped", "note=\"EDURAG_DATABASE_OWNER_URL is not set\"");
    return true;
}

/* As many as a lab machine can keep busy: a few a core, since most of a statement is PostgreSQL's work. */
static int app_size(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 2 ? 8 : cores > 8 ? 32 : (int)cores * 4;
}

bool database_open_pools(struct err *err)
{
    bool prepare = strcmp(config.database_prepare, "off") != 0;
    struct pool_settings app = {.url = database_url("edurag_app"), .name = "app", .size = app_size(),
                                .wait_ms = APP_WAIT_MS, .prepare = prepare};
    struct pool_settings worker = {.url = database_url("edurag_worker"), .name = "worker", .size = WORKER_SIZE,
                                   .wait_ms = WORKER_WAIT_MS, .prepare = prepare, .statement_ms = WORKER_STATEMENT_MS};
    pool_set(pool_open(&app), pool_open(&worker));
    return pool_check(pool_app(), err) && pool_check(pool_worker(), err);
}

void database_close_pools(void)
{
    struct pool *app = pool_app(), *worker = pool_worker();
    pool_set(NULL, NULL);
    pool_close(app);
    pool_close(worker);
}
