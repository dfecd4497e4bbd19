/* migrate.c - brings a database to this program's schema: sql/migrations/, compiled in. */
#include "server/store/migrate.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "server/store/wire.h"

enum { CONNECT_MS = 5000, LOCK_MS = 300000, STATEMENT_MS = 3600000, SHA_TEXT = 65 };

/* A number that nothing else locks: "edurag" in ASCII. */
static const char lock_sql[] = "select pg_catalog.pg_advisory_lock(111477680808295)";
static const char session_sql[] = "set client_min_messages = warning; set statement_timeout = 0; set row_security = on;"
                                  "set search_path = pg_catalog, public, pg_temp; set lock_timeout = '300s'";
/* 001_identity.sql finds it made, and protects it. */
static const char table_sql[] =
    "create table if not exists public.schema_migrations ("
    " name text primary key, sha256 text not null, applied_at timestamptz not null default now())";

static const char *sha256_text(const char *text, char out[SHA_TEXT])
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)text, strlen(text), hash);
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(out + 2 * i, 3, "%02x", hash[i]);
    return out;
}

static const struct migration *find(const struct migration *list, const char *name)
{
    for (; list->name; list++)
        if (!strcmp(list->name, name))
            return list;
    return NULL;
}

static bool is_applied(const PGresult *applied, const char *name)
{
    for (int i = 0; i < PQntuples(applied); i++)
        if (!strcmp(PQgetvalue(applied, i, 0), name))
            return true;
    return false;
}

static bool agree(const struct migration *list, const PGresult *applied, struct err *err)
{
    for (int i = 0; i < PQntuples(applied); i++) {
        const char *name = PQgetvalue(applied, i, 0);
        const struct migration *mine = find(list, name);
        char sha[SHA_TEXT];
        if (!mine)
            return err_say(err, ERR_CONFLICT,
                           "The database has the migration %s, which this eduragd does not know: it was brought up "
                           "to date by a newer version. Start that version, or restore an older backup.",
                           name);
        if (strcmp(sha256_text(mine->text, sha), PQgetvalue(applied, i, 1)) != 0)
            return err_say(err, ERR_CONFLICT,
                           "The migration %s has been changed since this database was made with it. Use the eduragd "
                           "that was released with it; a change to the schema belongs into a new migration.",
                           name);
    }
    return true;
}

static bool apply(struct wire *wire, const struct migration *m, struct err *err)
{
    char sha[SHA_TEXT];
    const char *values[] = {m->name, sha256_text(m->text, sha)};
    struct err why = {0};
    if (wire_script(wire, "begin", CONNECT_MS, &why) && wire_script(wire, m->text, STATEMENT_MS, &why) &&
        wire_exec(wire, "insert into public.schema_migrations (name, sha256) values ($1, $2)", values, 2, CONNECT_MS,
                  NULL, &why) &&
        wire_script(wire, "commit", STATEMENT_MS, &why))
        return true;
    return err_set(err, why.code == ERR_BUSY ? ERR_BUSY : ERR_INTERNAL, "migration %s: %.300s", m->name, why.log);
}

bool migrate_list(const char *owner_url, const struct migration *list, int *applied, struct err *err)
{
    AUTO(wire_close) struct wire *wire = wire_open(owner_url, "eduragd migrate", CONNECT_MS, err);
    AUTO(wire_result_free) PGresult *have = NULL;
    /* The lock goes with the connection, however this ends. */
    if (!wire || !wire_script(wire, session_sql, CONNECT_MS, err) ||
        !wire_exec(wire, lock_sql, NULL, 0, LOCK_MS, NULL, err) || !wire_script(wire, table_sql, CONNECT_MS, err) ||
        !wire_exec(wire, "select name, sha256 from public.schema_migrations order by name", NULL, 0, CONNECT_MS, &have,
                   err))
        return false;
    int count = 0;
    if (!agree(list, have, err))
        return false;
    for (; list->name; list++) {
        if (is_applied(have, list->name))
            continue;
        if (!apply(wire, list, err))
            return false;
        count++;
    }
    if (applied)
        *applied = count;
    return true;
}

bool migrate_run(const char *owner_url, int *applied, struct err *err)
{
    return migrate_list(owner_url, migrations, applied, err);
}
