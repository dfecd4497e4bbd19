/* database.c - the database as config.h says: the embedded one or a server, brought up to date, with pools. */
#include "server/store/database.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "server/config.h"
#include "server/store/embedded.h"
#include "server/store/migrate.h"
#include "server/store/pool.h"

enum {
    OWNER_WAIT_MS = 5000,
    APP_WAIT_MS = 2000,
    WORKER_WAIT_MS = 10000,
    WORKER_STATEMENT_MS = 600000,
    WORKER_SIZE = 8
};

static bool own_server(void)
{
    return *config.database_url != '\0';
}

bool database_start(const struct account *account, bool command, struct err *err)
{
    struct embedded_settings settings = {.data_dir = config.data_dir,
                                         .account = *account,
                                         /* no setting: only tests may ask for this */
                                         .unsafe = getenv("EDURAG_TEST_UNSAFE_DATABASE") != NULL};
    if (own_server())
        return true;
    return command ? embedded_attach(&settings, err) : embedded_start(&settings, err);
}

/* One login: it answers, and may do no more than it should. */
static int check_login(const char *setting, const char *name, struct buf *problems)
{
    struct pool_settings settings = {.url = database_url(name), .name = name + strlen("edurag_"), .size = 1};
    struct pool *pool = pool_open(&settings);
    struct err err = {0};
    bool fine = pool_check(pool, &err);
    if (!fine)
        buf_printf(problems, "%s: %s\n", setting, err.say[0] ? err.say : err.log);
    pool_close(pool);
    return !fine;
}

int database_check(struct buf *problems)
{
    struct err err = {0};
    if (own_server())
        return check_login("EDURAG_DATABASE_URL", "edurag_app", problems) +
               check_login("EDURAG_DATABASE_WORKER_URL", "edurag_worker", problems);
    if (embedded_check(config.data_dir, &err))
        return 0;
    buf_printf(problems, "%s\n", err.say);
    return 1;
}

bool database_is_made(void)
{
    AUTO(mem_freep) char *path = mem_printf("%s/postgres/PG_VERSION", config.data_dir);
    return own_server() || access(path, R_OK) == 0;
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

bool database_as_owner(enum query query, const struct bind *values, size_t count, struct rows **rows, struct err *err)
{
    struct pool_settings settings = {
        .url = database_url("edurag_owner"), .name = "owner", .size = 1, .wait_ms = OWNER_WAIT_MS};
    if (!*settings.url)
        return err_say(err, ERR_INVALID_PARAMS,
                       "EDURAG_DATABASE_OWNER_URL is not set, and this is done as edurag_owner.");
    struct pool *pool = pool_open(&settings);
    struct tx *tx;
    bool ok = tx_begin(pool, NULL, &tx, err) && tx_query_commit(&tx, query, values, count, rows, err);
    pool_close(pool);
    return ok;
}

bool database_configure(struct err *err)
{
    AUTO(buf_free) struct buf settings = {0};
    if (!*database_url("edurag_owner"))
        return true;
    buf_json_open(&settings, '{');
    buf_json_member_int(&settings, "bcrypt_cost", config.bcrypt_cost);
    buf_json_member_int(&settings, "token_ttl", config.token_ttl);
    buf_json_member_int(&settings, "chat_ttl", config.chat_ttl);
    buf_json_member_int(&settings, "upload_bytes", config.upload_bytes);
    buf_json_member_int(&settings, "person_bytes", config.person_bytes);
    buf_json_member_int(&settings, "unfinished_bytes", config.unfinished_bytes);
    buf_json_close(&settings, '}');
    return database_as_owner(SQL_OWNER_CONFIGURE, &BIND_TEXT(settings.data), 1, NULL, err);
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
    struct pool_settings app = {.url = database_url("edurag_app"),
                                .name = "app",
                                .size = app_size(),
                                .wait_ms = APP_WAIT_MS,
                                .prepare = prepare};
    struct pool_settings worker = {.url = database_url("edurag_worker"),
                                   .name = "worker",
                                   .size = WORKER_SIZE,
                                   .wait_ms = WORKER_WAIT_MS,
                                   .prepare = prepare,
                                   .statement_ms = WORKER_STATEMENT_MS};
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
