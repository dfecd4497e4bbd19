/* queries.c - every query of sql/queries/ is one that the migrated schema can run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "gen/queries.h"
#include "server/store/wire.h"
#include "tests/lib/pg.h"

static struct wire *wire;

/* Parsing looks every table, column and function up, and the types of the params. */
static bool prepares(const struct query_text *query)
{
    AUTO(wire_result_free) PGresult *made = PQprepare(wire->pg, "", query->text, 0, NULL);
    AUTO(wire_result_free) PGresult *described = PQdescribePrepared(wire->pg, "");
    return PQresultStatus(made) == PGRES_COMMAND_OK && PQresultStatus(described) == PGRES_COMMAND_OK &&
           PQnparams(described) == query->count;
}

static void every_query_prepares(void **context)
{
    int wrong = 0;
    (void)context;
    for (int i = 1; i < QUERY_COUNT; i++)
        if (!prepares(&query_texts[i])) {
            print_error("%s does not prepare: %s\n", query_texts[i].name, PQerrorMessage(wire->pg));
            wrong++;
        }
    assert_true(QUERY_COUNT > 1);
    assert_int_equal(wrong, 0);
}

static void a_wrong_query_is_noticed(void **context)
{
    (void)context;
    const struct query_text wrong = {"wrong", 0, {NULL}, "select no_such_column from public.users"};
    const struct query_text unbound = {"unbound", 0, {NULL}, "select $1::text"};
    assert_false(prepares(&wrong));
    assert_false(prepares(&unbound));
}

static void names_are_unique(void **context)
{
    (void)context;
    for (int i = 1; i < QUERY_COUNT; i++)
        for (int j = 1; j < i; j++)
            assert_string_not_equal(query_texts[i].name, query_texts[j].name);
}

static int start(void **context)
{
    struct err err;
    (void)context;
    pg_start();
    wire = wire_open(pg_url("edurag_owner"), "test", 5000, &err);
    if (wire)
        PQsetnonblocking(wire->pg, 0);
    return !wire;
}

static int stop(void **context)
{
    (void)context;
    wire_close(&wire);
    pg_stop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_query_prepares),
        cmocka_unit_test(a_wrong_query_is_noticed),
        cmocka_unit_test(names_are_unique),
    };
    return cmocka_run_group_tests_name("queries", tests, start, stop);
}
