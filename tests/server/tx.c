/* tx.c - transactions: whose they are, what errors mean, and what a database that goes away does to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json.h"
#include "common/mem.h"
#include "server/store/borrow.h"
#include "server/store/embedded.h"
#include "server/store/tx.h"
#include "tests/lib/pg.h"

static struct pool *open_pool(const char *role, int size, bool prepare)
{
    struct pool_settings settings = {
        .url = pg_url(role), .name = "app", .size = size, .wait_ms = 20000, .prepare = prepare};
    return pool_open(&settings);
}

/* One that soon gives up. */
static struct pool *open_hasty_pool(const char *role, int size)
{
    struct pool_settings settings = {
        .url = pg_url(role), .name = "app", .size = size, .wait_ms = 100, .prepare = true, .statement_ms = 300};
    return pool_open(&settings);
}

static void close_pool(struct pool **pool)
{
    pool_close(*pool);
}

static bool ping(struct pool *pool, struct err *err)
{
    struct tx *tx;
    AUTO(rows_free) struct rows *rows = NULL;
    return tx_begin(pool, NULL, &tx, err) && tx_query_commit(&tx, SQL_PING, NULL, 0, &rows, err) &&
           rows_int(rows, 0, 0, -1) == 1;
}

/* With a connection that has served. */
static struct pool *used_pool(void)
{
    struct err err = {0};
    struct pool *app = open_pool("edurag_app", 1, true);
    assert_true(ping(app, &err));
    return app;
}

/* The values of a new one without a password. */
enum { USER_VALUES = 6 };
#define USER(id)                                                                                               \
    {                                                                                                          \
        BIND_TEXT(id), BIND_TEXT("N"), BIND_TEXT("student"), BIND_TEXT(NULL), BIND_TEXT(NULL), BIND_TEXT(NULL) \
    }

static void make_user(struct pool *owner, const char *id, const char *password)
{
    struct err err;
    struct tx *tx;
    assert_true(tx_begin(owner, NULL, &tx, &err));
    assert_true(tx_run(tx, SQL_OWNER_USER_ADD, NULL, &err, BIND_TEXT(id), BIND_TEXT("Somebody"), BIND_TEXT("student"),
                       BIND_TEXT(password), BIND_TEXT(NULL), BIND_TEXT(NULL)));
    assert_true(tx_commit(&tx, &err));
}

static char *log_in(struct pool *app, const char *id, const char *password)
{
    struct err err;
    struct tx *tx;
    AUTO(rows_free) struct rows *rows = NULL;
    struct bind values[] = {BIND_TEXT(id), BIND_TEXT(password), BIND_TEXT("test"), BIND_TEXT(NULL), BIND_TEXT(NULL)};
    assert_true(tx_begin(app, NULL, &tx, &err));
    assert_true(tx_query_commit(&tx, SQL_AUTH_LOGIN, values, COUNT_OF(values), &rows, &err));
    AUTO(json_freep) cJSON *reply = json_parse(rows_text(rows, 0, 0), strlen(rows_text(rows, 0, 0)), &err);
    char *token = mem_dup(json_text(reply, "token", NULL));
    assert_non_null(token);
    return token;
}

static enum err_code whoami(struct pool *app, const char *token)
{
    struct err err = {0};
    struct tx *tx;
    assert_true(tx_begin(app, token, &tx, &err));
    return tx_query_commit(&tx, SQL_AUTH_WHOAMI, NULL, 0, NULL, &err) ? ERR_NONE : err.code;
}

/* One connection, so that everybody follows somebody else on it. */
static void a_token_lasts_for_its_own_transaction(void **context)
{
    bool prepare = *(const bool *)*context;
    const char *id = prepare ? "tok1" : "tok0";
    struct err err = {0};
    AUTO(close_pool)
    struct pool *owner = open_pool("edurag_owner", 1, prepare), *app = open_pool("edurag_app", 1, prepare);
    make_user(owner, id, "a good password");
    AUTO(mem_freep) char *token = log_in(app, id, "a good password");
    for (int i = 0; i < 3; i++) {
        struct tx *tx;
        assert_int_equal(whoami(app, NULL), ERR_UNAUTHENTICATED);
        assert_int_equal(whoami(app, token), ERR_NONE);
        assert_int_equal(whoami(app, "forged.forged.forged"), ERR_UNAUTHENTICATED);
        assert_true(tx_begin(app, token, &tx, &err));
        assert_true(tx_run0(tx, SQL_AUTH_WHOAMI, NULL, &err));
        assert_true(tx_run0(tx, SQL_PING, NULL, &err));
        assert_true(tx_run0(tx, SQL_AUTH_WHOAMI, NULL, &err));
        i % 2 ? tx_free(&tx) : (void)assert_true(tx_commit(&tx, &err));
        assert_null(tx);
    }
    assert_int_equal(whoami(app, NULL), ERR_UNAUTHENTICATED);
}

static int users(struct pool *owner, const char *id)
{
    struct err err;
    struct tx *tx;
    AUTO(rows_free) struct rows *rows = NULL;
    int count = 0;
    assert_true(tx_begin(owner, NULL, &tx, &err));
    assert_true(tx_query_commit(&tx, SQL_OWNER_USER_LIST, NULL, 0, &rows, &err));
    for (int i = 0; i < rows_count(rows); i++)
        count += !strcmp(rows_text(rows, i, 0), id);
    return count;
}

static bool add_last(struct pool *owner, const char *first, const char *last, bool receive, struct err *err)
{
    struct tx *tx;
    AUTO(rows_free) struct rows *rows = NULL;
    struct bind values[] = USER(first);
    assert_true(tx_begin(owner, NULL, &tx, err));
    if (first)
        assert_true(tx_query(tx, SQL_OWNER_USER_ADD, values, USER_VALUES, NULL, err));
    values[0].data = last;
    assert_true(tx_send_last(tx, last ? SQL_OWNER_USER_ADD : QUERY_NONE, values, last ? USER_VALUES : 0, err));
    if (!receive) {
        tx_free(&tx);
        return true;
    }
    bool ok = tx_receive(tx, &rows, err);
    assert_true(!ok || !last || rows_count(rows) == 1);
    struct err again = {0};
    assert_true(tx_commit(&tx, &again) == ok && again.code == err->code);
    return ok;
}

static void the_last_query_goes_with_the_commit(void **context)
{
    (void)context;
    struct err err = {0};
    AUTO(close_pool) struct pool *owner = open_pool("edurag_owner", 1, true);
    static const struct {
        const char *first, *last;
        bool receive, fine;
    } cases[] = {
        {"l1", "l2", true, true}, {"l3", "l4", false, true}, {NULL, "l5", true, true},  {"l6", NULL, true, true},
        {NULL, NULL, true, true}, {"l7", "l1", true, false}, {NULL, "l1", true, false}, {"l8", "l9", true, true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(add_last(owner, cases[i].first, cases[i].last, cases[i].receive, &err) == cases[i].fine);
        assert_int_equal(err.code, cases[i].fine ? ERR_NONE : ERR_CONFLICT);
        err = (struct err){0};
        if (cases[i].first)
            assert_int_equal(users(owner, cases[i].first), cases[i].fine);
        if (cases[i].last)
            assert_int_equal(users(owner, cases[i].last), 1);
    }
}

/* Two people and the commit on their way at once; `taken`: which of them there is already, 2: neither. How many answers
 * are waited for differs. */
static void send_three(struct pool *owner, int round, int taken, int answers)
{
    struct err err = {0};
    struct tx *tx;
    char ids[2][16];
    for (int i = 0; i < 2; i++)
        snprintf(ids[i], sizeof ids[i], i == taken ? "s0-0" : "s%d-%d", round, i);
    assert_true(tx_begin(owner, NULL, &tx, &err));
    for (int i = 0; i < 2; i++) {
        struct bind values[] = USER(ids[i]);
        assert_true(tx_send(tx, SQL_OWNER_USER_ADD, values, USER_VALUES, &err));
    }
    assert_true(tx_send_last(tx, QUERY_NONE, NULL, 0, &err));
    for (int i = 0; i < answers; i++) {
        AUTO(rows_free) struct rows *rows = NULL;
        bool fine = taken == 2 || i < taken;
        assert_true(tx_receive(tx, &rows, &err) == fine);
        assert_int_equal(rows ? rows_count(rows) : 0, fine && i < 2);
        assert_int_equal(err.code, fine ? ERR_NONE : ERR_CONFLICT);
    }
    tx_free(&tx);
    for (int i = 0; i < 2; i++)
        assert_int_equal(users(owner, ids[i]), i == taken || taken == 2);
}

/* The process that the pool's one connection speaks to. */
static pid_t backend(const char *role)
{
    AUTO(mem_freep)
    char *pid = pg_sqlf("postgres",
                        "select pid::text from pg_stat_activity where usename = '%s' "
                        "and application_name = 'eduragd' order by backend_start desc",
                        role);
    return atoi(pid ? pid : "");
}

static void what_is_sent_behind_a_failure_fails_too(void **context)
{
    (void)context;
    AUTO(close_pool) struct pool *owner = open_pool("edurag_owner", 1, true);
    send_three(owner, 0, 2, 3); /* knows no names yet, and nobody is there */
    pid_t before = backend("edurag_owner");
    for (int round = 1; round < 9; round++)
        send_three(owner, round, 2 - round % 3, 3 - round / 3);
    assert_int_equal(backend("edurag_owner"), before); /* the connection was left clean each time, and used again */
}

static void what_is_not_committed_is_gone(void **context)
{
    (void)context;
    struct err err = {0};
    struct tx *tx;
    AUTO(close_pool) struct pool *owner = open_pool("edurag_owner", 1, true);
    struct bind values[] = USER("undone");
    assert_true(tx_begin(owner, NULL, &tx, &err));
    assert_true(tx_query(tx, SQL_OWNER_USER_ADD, values, USER_VALUES, NULL, &err));
    tx_free(&tx);
    assert_int_equal(users(owner, "undone"), 0);

    /* a failure spends the transaction: what came before goes too, and nothing more is done */
    assert_true(tx_begin(owner, NULL, &tx, &err));
    assert_true(tx_query(tx, SQL_OWNER_USER_ADD, values, USER_VALUES, NULL, &err));
    assert_false(tx_query(tx, SQL_OWNER_USER_ADD, values, USER_VALUES, NULL, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_int_equal(strlen(err.existing), 36);
    for (int i = 0; i < 2; i++) { /* whoever goes on all the same is told why it can't */
        err = (struct err){0};
        assert_false(i ? tx_commit(&tx, &err) : tx_run0(tx, SQL_PING, NULL, &err));
        assert_int_equal(err.code, ERR_CONFLICT);
    }
    assert_null(tx);
    assert_int_equal(users(owner, "undone"), 0);

    /* the last statement and the commit in one go */
    assert_true(tx_begin(owner, NULL, &tx, &err));
    assert_true(tx_run0(tx, SQL_PING, NULL, &err));
    assert_true(tx_query_commit(&tx, SQL_OWNER_USER_ADD, values, USER_VALUES, NULL, &err));
    assert_int_equal(users(owner, "undone"), 1);
}

static void results_in_both_formats(void **context)
{
    (void)context;
    struct err err = {0};
    struct tx *tx;
    AUTO(close_pool) struct pool *app = open_pool("edurag_app", 1, true);
    AUTO(rows_free) struct rows *text = NULL;
    AUTO(rows_free) struct rows *binary = NULL;
    size_t length;
    assert_true(tx_begin(app, NULL, &tx, &err));
    assert_true(tx_run0(tx, SQL_PING, &text, &err));
    assert_true(tx_query_binary(tx, SQL_PING, NULL, 0, &binary, &err));
    assert_true(tx_commit(&tx, &err));
    assert_string_equal(rows_text(text, 0, 0), "1");
    assert_int_equal(rows_int(text, 0, 0, -1), 1);
    assert_memory_equal(rows_bytes(binary, 0, 0, &length), "\0\0\0\1", 4);
    assert_int_equal(length, 4);
    assert_int_equal(rows_int(binary, 0, 0, -1), 1);
}

static const struct mapping {
    const char *state, *message, *detail;
    enum err_code code;
    const char *say, *field;
    long retry_after_ms;
} mappings[] = {
    {"ER401", "Log in.", "{}", ERR_UNAUTHENTICATED, "Log in.", "", 0},
    {"ER403", "Muted.", "{\"until\": \"2026-01-01T00:00:00Z\"}", ERR_FORBIDDEN, "Muted.", "", 0},
    {"ER404", "Gone.", "", ERR_NOT_FOUND, "Gone.", "", 0},
    {"ER409", "Twice.", "{\"existing\": \"x\"}", ERR_CONFLICT, "Twice.", "", 0},
    {"ER413", "Big.", "{\"limit\": 7}", ERR_TOO_LARGE, "Big.", "", 0},
    {"ER422", "cursor is bad.", "{\"field\": \"cursor\"}", ERR_INVALID_PARAMS, "cursor is bad.", "cursor", 0},
    {"ER429", "Wait.", "{\"retry_after_ms\": 2000}", ERR_RATE_LIMITED, "Wait.", "", 2000},
    {"ER503", "Busy.", "not json", ERR_BUSY, "Busy.", "", 1000},
    {"42501", "permission denied for table users", "", ERR_FORBIDDEN, "", "", 0},
    {"23505", "duplicate key", "Key (a)=(secret) exists.", ERR_CONFLICT, "", "", 0},
    {"23514", "violates check", "", ERR_INVALID_PARAMS, "", "", 0},
    {"22P02", "invalid input syntax", "", ERR_INVALID_PARAMS, "", "", 0},
    {"22023", "bad value", "", ERR_INVALID_PARAMS, "", "", 0},
    {"22012", "division by zero", "", ERR_INTERNAL, "", "", 0},
    {"23502", "null value in column", "", ERR_INTERNAL, "", "", 0},
    {"40001", "could not serialize", "", ERR_BUSY, "", "", 100},
    {"40P01", "deadlock", "", ERR_BUSY, "", "", 100},
    {"53300", "too many connections", "", ERR_BUSY, "", "", 2000},
    {"57P01", "terminating", "", ERR_BUSY, "", "", 1000},
    {"08006", "gone", "", ERR_BUSY, "", "", 1000},
    {"57014", "canceling statement due to user request", "", ERR_CANCELLED, "", "", 0},
    {"57014", "canceling statement due to statement timeout", "", ERR_BUSY, "", "", 1000},
    {"42P01", "relation \"secret\" does not exist", "", ERR_INTERNAL, "", "", 0},
    {"P0001", "raised", "", ERR_INTERNAL, "", "", 0},
};

static void sqlstates_become_errors(void **context)
{
    (void)context;
    struct err err = {0};
    AUTO(wire_close) struct wire *wire = wire_open(pg_url("edurag_app"), "test", 3000, &err);
    for (size_t i = 0; i < COUNT_OF(mappings); i++) {
        const struct mapping *m = &mappings[i];
        AUTO(mem_freep)
        char *sql =
            mem_printf("do $$ begin raise exception using errcode = '%s', message = '%s', detail = '%s'; end $$",
                       m->state, m->message, m->detail);
        assert_false(wire_exec(wire, sql, NULL, 0, 3000, NULL, &err));
        if (err.code != m->code || strcmp(err.say, m->say) != 0)
            fail_msg("%s became %s \"%s\"", m->state, err_reason(err.code), err.say);
        assert_string_equal(err.field, m->field);
        assert_int_equal(err.retry_after_ms, m->retry_after_ms);
        if (m->code == ERR_FORBIDDEN && *m->say)
            assert_string_equal(err.until, "2026-01-01T00:00:00Z");
        assert_int_equal(err.limit, m->code == ERR_TOO_LARGE ? 7 : 0);
        assert_null(strstr(err_sentence(&err), "secret"));
    }
}

static void roles_that_may_too_much_are_refused(void **context)
{
    (void)context;
    static const struct {
        const char *role;
        bool fine;
    } rows[] = {{"edurag_app", true}, {"edurag_worker", true}, {"edurag_owner", false}, {"postgres", false}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct err err = {0};
        AUTO(close_pool) struct pool *pool = open_pool(rows[i].role, 1, true);
        assert_int_equal(pool_check(pool, &err), rows[i].fine);
        assert_int_equal(err.code, rows[i].fine ? ERR_NONE : ERR_FORBIDDEN);
    }
    struct err err = {0};
    AUTO(close_pool) struct pool *pool = open_pool("edurag_worker", 1, true);
    free(pg_sql("postgres", "alter role edurag_worker bypassrls"));
    assert_false(pool_check(pool, &err));
    free(pg_sql("postgres", "alter role edurag_worker nobypassrls"));
    free(pg_sql("postgres", "grant edurag_owner to edurag_worker"));
    assert_false(pool_check(pool, &err));
    free(pg_sql("postgres", "revoke edurag_owner from edurag_worker"));
    assert_true(pool_check(pool, &err));
}

/* What the role's own settings say does not reach our sessions. */
static void settings_of_the_role_do_not_bend_a_session(void **context)
{
    (void)context;
    AUTO(close_pool) struct pool *owner = open_pool("edurag_owner", 1, true);
    /* Long enough for what every new connection says first, on a busy machine too, and far shorter than this hash. */
    free(pg_sql("postgres", "alter role edurag_app set statement_timeout = 30"));
    free(pg_sql("edurag_owner", "select auth.configure('{\"bcrypt_cost\": 10}')"));
    free(pg_sql("postgres", "alter role edurag_app set default_transaction_read_only = on"));
    make_user(owner, "bent", "a good password");
    AUTO(close_pool) struct pool *app = open_pool("edurag_app", 1, true);
    AUTO(mem_freep) char *token = log_in(app, "bent", "a good password"); /* it writes */
    free(pg_sql("edurag_owner", "select auth.configure('{\"bcrypt_cost\": 4}')"));
    free(pg_sql("postgres", "alter role edurag_app reset all"));
}

static void a_full_pool_is_busy_soon(void **context)
{
    (void)context;
    struct err err = {0};
    struct tx *first, *second;
    int in_use, open, waiting;
    AUTO(close_pool) struct pool *app = open_hasty_pool("edurag_app", 1);
    assert_true(tx_begin(app, NULL, &first, &err));
    int64_t began = wire_now();
    assert_false(tx_begin(app, NULL, &second, &err));
    assert_in_range(wire_now() - began, 90, 2000);
    assert_int_equal(err.code, ERR_BUSY);
    assert_true(err.retry_after_ms > 0);
    pool_stats(app, &in_use, &open, &waiting);
    assert_int_equal(in_use * 100 + open * 10 + waiting, 110);
    tx_free(&first);
    assert_true(ping(app, &err));
}

static void a_lock_is_not_waited_for_for_ever(void **context)
{
    (void)context;
    struct err err = {0};
    struct tx *tx;
    AUTO(close_pool) struct pool *owner = open_hasty_pool("edurag_owner", 1);
    AUTO(wire_close) struct wire *other = wire_open(pg_url("edurag_owner"), "test", 3000, &err);
    assert_true(wire_script(other, "begin; lock table public.users", 3000, &err));
    assert_true(tx_begin(owner, NULL, &tx, &err));
    assert_false(tx_query_commit(&tx, SQL_OWNER_USER_LIST, NULL, 0, NULL, &err));
    assert_int_equal(err.code, ERR_BUSY);
    assert_true(ping(owner, &err));
}

/* ------------------------------------------------------------------ names of statements */

static void on_its_connection(struct pool *pool, const char *sql)
{
    struct err err;
    struct wire *wire;
    PGresult *result;
    assert_true(pool_take(pool, &wire, &err));
    assert_true(PQsendQueryParams(wire->pg, sql, 0, NULL, NULL, NULL, NULL, 0) && PQpipelineSync(wire->pg));
    for (int i = 0; i < 3; i++) {
        assert_true(wire_result(wire, wire_now() + 3000, &result, &err));
        PQclear(result);
    }
    pool_give(pool, wire);
}

static void a_dirty_connection_is_not_used_again(void **context)
{
    (void)context;
    struct err err = {0};
    struct wire *wire;
    AUTO(close_pool) struct pool *owner = open_pool("edurag_owner", 1, true);
    on_its_connection(owner, "begin"); /* left open */
    assert_true(pool_take(owner, &wire, &err));
    assert_int_equal(PQtransactionStatus(wire->pg), PQTRANS_IDLE);
    assert_true(PQsendQueryParams(wire->pg, "select 1", 0, NULL, NULL, NULL, NULL, 0)); /* and never read */
    wire->broken = true;
    pool_give(owner, wire);
    assert_true(ping(owner, &err));
}

/* As a pooler does when it gives us another backend: our names are gone, or stand there already. */
static void names_that_went_or_came_are_met(void **context)
{
    (void)context;
    struct err err = {0};
    struct tx *tx;
    struct wire *wire;
    AUTO(close_pool) struct pool *gone = used_pool(), *ahead = used_pool(), *kept = used_pool();
    on_its_connection(gone, "deallocate all");
    assert_true(ping(gone, &err));
    on_its_connection(gone, "deallocate all");
    assert_true(tx_begin(gone, NULL, &tx, &err));
    assert_true(tx_run0(tx, SQL_PING, NULL, &err));
    assert_true(tx_commit(&tx, &err));

    on_its_connection(ahead, "deallocate all");
    assert_true(tx_begin(ahead, NULL, &tx, &err));
    assert_true(tx_send(tx, SQL_PING, NULL, 0, &err)); /* what is sent ahead is asked again too */
    assert_true(tx_receive(tx, NULL, &err));
    assert_true(tx_commit(&tx, &err));

    assert_true(pool_take(kept, &wire, &err));
    memset(wire->prepared, 0, sizeof wire->prepared); /* we forget, it does not */
    pool_give(kept, wire);
    assert_true(ping(kept, &err));
}

/* ------------------------------------------------------------------ a database that goes away */

static void a_connection_that_died_idle_is_replaced(void **context)
{
    (void)context;
    struct err err = {0};
    AUTO(close_pool) struct pool *app = used_pool();
    kill(backend("edurag_app"), SIGTERM);
    usleep(50000);
    assert_true(ping(app, &err));
}

static void a_connection_that_dies_in_a_transaction_is_busy_once(void **context)
{
    (void)context;
    struct err err = {0};
    struct tx *tx;
    AUTO(close_pool) struct pool *app = open_pool("edurag_app", 1, true);
    assert_true(tx_begin(app, NULL, &tx, &err));
    assert_true(tx_run0(tx, SQL_PING, NULL, &err));
    kill(backend("edurag_app"), SIGTERM);
    assert_false(tx_run0(tx, SQL_PING, NULL, &err));
    assert_int_equal(err.code, ERR_BUSY);
    assert_true(err.retry_after_ms > 0);
    tx_free(&tx);
    assert_true(ping(app, &err));
}

static void a_server_that_says_nothing_is_given_up(void **context)
{
    (void)context;
    struct err err = {0};
    struct tx *tx;
    AUTO(close_pool) struct pool *app = open_hasty_pool("edurag_app", 1);
    assert_true(ping(app, &err));
    assert_true(tx_begin(app, NULL, &tx, &err));
    pid_t pid = backend("edurag_app");
    kill(pid, SIGSTOP);
    int64_t began = wire_now();
    assert_false(tx_query_commit(&tx, SQL_PING, NULL, 0, NULL, &err));
    assert_in_range(wire_now() - began, 2000, 15000);
    assert_int_equal(err.code, ERR_BUSY);
    kill(pid, SIGCONT);
    assert_true(ping(app, &err));
}

static void nobody_there_is_busy_at_once(void **context)
{
    (void)context;
    struct err err = {0};
    struct tx *tx;
    struct pool_settings settings = {
        .url = "host=/nonexistent user=x dbname=y", .name = "app", .size = 2, .prepare = true};
    AUTO(close_pool) struct pool *pool = pool_open(&settings);
    int64_t began = wire_now();
    for (int i = 0; i < 20; i++) {
        assert_false(tx_begin(pool, NULL, &tx, &err));
        assert_int_equal(err.code, ERR_BUSY);
        assert_in_range(err.retry_after_ms, 1, 2000);
        assert_false(pool_reachable(pool));
    }
    assert_in_range(wire_now() - began, 0, 1500);
}

static void the_database_is_killed_and_comes_back(void **context)
{
    (void)context;
    struct err err = {0};
    AUTO(close_pool) struct pool *app = open_hasty_pool("edurag_app", 2);
    assert_true(ping(app, &err));
    int before = embedded_pid();
    kill(before, SIGKILL);
    int64_t began = wire_now();
    bool back = false;
    while (!back && wire_now() - began < 5000) {
        int64_t asked = wire_now();
        back = ping(app, &err) && embedded_pid() != before && embedded_pid();
        assert_true(back || err.code == ERR_BUSY || err.code == ERR_NONE);
        assert_in_range(wire_now() - asked, 0, 10000);
        usleep(10000);
    }
    assert_true(back);
    assert_true(pool_reachable(app));
}

/* ------------------------------------------------------------------ many threads */

enum { THREADS = 8, ROUNDS = 100 };

static void *hammer(void *pool)
{
    intptr_t good = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct err err = {0};
        struct tx *tx;
        if (i % 3)
            good += ping(pool, &err);
        else if (tx_begin(pool, NULL, &tx, &err) && tx_run0(tx, SQL_PING, NULL, &err) && tx_commit(&tx, &err))
            good++;
    }
    return (void *)good;
}

static void threads_share_a_pool(void **context)
{
    (void)context;
    pthread_t threads[THREADS];
    intptr_t good = 0;
    int in_use, open, waiting;
    AUTO(close_pool) struct pool *pool = open_pool("edurag_app", 3, true);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, pool), 0);
    for (int i = 0; i < THREADS; i++) {
        void *mine;
        pthread_join(threads[i], &mine);
        good += (intptr_t)mine;
    }
    assert_int_equal(good, THREADS * ROUNDS);
    pool_stats(pool, &in_use, &open, &waiting);
    assert_int_equal(in_use, 0);
    assert_in_range(open, 1, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"tokens_with_prepared_statements", a_token_lasts_for_its_own_transaction, NULL, NULL, &(bool){true}},
        {"tokens_without_prepared_statements", a_token_lasts_for_its_own_transaction, NULL, NULL, &(bool){false}},
        cmocka_unit_test(the_last_query_goes_with_the_commit),
        cmocka_unit_test(what_is_sent_behind_a_failure_fails_too),
        cmocka_unit_test(what_is_not_committed_is_gone),
        cmocka_unit_test(results_in_both_formats),
        cmocka_unit_test(sqlstates_become_errors),
        cmocka_unit_test(roles_that_may_too_much_are_refused),
        cmocka_unit_test(settings_of_the_role_do_not_bend_a_session),
        cmocka_unit_test(a_full_pool_is_busy_soon),
        cmocka_unit_test(a_lock_is_not_waited_for_for_ever),
        cmocka_unit_test(a_dirty_connection_is_not_used_again),
        cmocka_unit_test(names_that_went_or_came_are_met),
        cmocka_unit_test(a_connection_that_died_idle_is_replaced),
        cmocka_unit_test(a_connection_that_dies_in_a_transaction_is_busy_once),
        cmocka_unit_test(a_server_that_says_nothing_is_given_up),
        cmocka_unit_test(nobody_there_is_busy_at_once),
        cmocka_unit_test(the_database_is_killed_and_comes_back),
        cmocka_unit_test(threads_share_a_pool),
    };
    return cmocka_run_group_tests_name("tx", tests, pg_setup, pg_teardown);
}
