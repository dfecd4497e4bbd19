/* migrate.c - bringing a database up to date, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "server/store/migrate.h"
#include "tests/lib/pg.h"

static const struct migration first = {"001_a", "create table public.a (n int); insert into public.a values (1);"};
static const struct migration second = {"002_b", "create table public.b (n int); insert into public.a values (2);"};

/* An empty database of the owner's, as a connection string. */
static char *empty_database(const char *name)
{
    free(pg_sqlf("postgres", "create database %s owner edurag_owner template template0", name));
    return mem_printf("%s dbname=%s", pg_url("edurag_owner"), name);
}

static void holds(const char *url, const char *sql, const char *expected)
{
    char error[400];
    AUTO(mem_freep) char *value = pg_try(url, sql, error, sizeof error);
    assert_string_equal(error, "");
    assert_string_equal(value ? value : "null", expected);
}

static void each_is_applied_once_in_order(void **context)
{
    (void)context;
    struct err err = {0};
    int applied = -1;
    AUTO(mem_freep) char *url = empty_database("in_order");
    const struct migration one[] = {first, {0}}, both[] = {first, second, {0}};
    assert_true(migrate_list(url, one, &applied, &err));
    assert_int_equal(applied, 1);
    assert_true(migrate_list(url, both, &applied, &err));
    assert_int_equal(applied, 1);
    assert_true(migrate_list(url, both, &applied, &err));
    assert_int_equal(applied, 0);
    holds(url, "select string_agg(n::text, ',' order by n) from public.a", "1,2");
    holds(url, "select string_agg(name, ',' order by applied_at) from public.schema_migrations", "001_a,002_b");
}

static void what_does_not_fit_is_refused(void **context)
{
    (void)context;
    AUTO(mem_freep) char *url = empty_database("refusals");
    const struct migration both[] = {first, second, {0}};
    const struct migration changed[] = {
        first, {"002_b", "create table public.b (n bigint)"}, {"003_c", "select 1"}, {0}};
    const struct migration older[] = {first, {0}};
    const struct {
        const struct migration *list;
        const char *names, *tells;
    } rows[] = {
        {changed, "002_b", "has been changed"},
        {older, "002_b", "newer version"},
    };
    struct err err = {0};
    assert_true(migrate_list(url, both, NULL, &err));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int applied = -1;
        assert_false(migrate_list(url, rows[i].list, &applied, &err));
        assert_int_equal(err.code, ERR_CONFLICT);
        assert_non_null(strstr(err.say, rows[i].names));
        assert_non_null(strstr(err.say, rows[i].tells));
        assert_int_equal(applied, -1);
    }
    holds(url, "select count(*) from public.schema_migrations", "2");
}

static void a_failure_undoes_its_own_migration_alone(void **context)
{
    (void)context;
    struct err err = {0};
    AUTO(mem_freep) char *url = empty_database("failure");
    const struct migration wrong[] = {
        first, {"002_b", "insert into public.a values (9); select no_such_thing;"}, second, {0}};
    assert_false(migrate_list(url, wrong, NULL, &err));
    assert_non_null(strstr(err.log, "002_b"));
    assert_string_equal(err.say, "");
    holds(url, "select string_agg(n::text, ',') from public.a", "1");
    holds(url, "select string_agg(name, ',') from public.schema_migrations", "001_a");
}

struct runner {
    const char *url;
    const struct migration *list;
    int applied;
    bool ok;
};

static void *run(void *runner)
{
    struct runner *r = runner;
    struct err err;
    r->ok = migrate_list(r->url, r->list, &r->applied, &err);
    return NULL;
}

static void nodes_that_start_together_apply_once(void **context)
{
    (void)context;
    AUTO(mem_freep) char *url = empty_database("together");
    const struct migration slow[] = {{"001_a", "select pg_sleep(0.2); create table public.a (n int); "}, second, {0}};
    struct runner runners[3];
    pthread_t threads[3];
    int applied = 0;
    for (int i = 0; i < 3; i++) {
        runners[i] = (struct runner){url, slow, 0, false};
        pthread_create(&threads[i], NULL, run, &runners[i]);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_true(runners[i].ok);
        applied += runners[i].applied;
    }
    assert_int_equal(applied, 2);
}

static void nobody_there_is_an_error(void **context)
{
    (void)context;
    struct err err = {0};
    assert_false(migrate_run("host=/nonexistent user=x dbname=y", NULL, &err));
    assert_int_equal(err.code, ERR_BUSY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_applied_once_in_order),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(a_failure_undoes_its_own_migration_alone),
        cmocka_unit_test(nodes_that_start_together_apply_once),
        cmocka_unit_test(nobody_there_is_an_error),
    };
    return cmocka_run_group_tests_name("migrate", tests, pg_setup, pg_teardown);
}
