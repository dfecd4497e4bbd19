/* migrating.c - `eduragd migrate` or its PostgreSQL is killed at random moments, also with two at it at once: the next
 * run brings the database to exactly what an undisturbed one makes.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/mem.h"
#include "server/store/embedded.h"
#include "tests/lib/faults.h"
#include "tests/lib/pg.h"

enum { ROUNDS = 5, END_MS = 30000, BACK_MS = 20000, UNDISTURBED = 1000000 };

/* Everything that migrations make, with its text, rights and policies; and which were applied, once each. */
static const char fingerprint[] =
    "select md5(string_agg(x, e'\\n' order by x collate \"C\")) from ("
    "select 'migration ' || name from public.schema_migrations union all "
    "select 'function ' || p.oid::regprocedure || md5(pg_get_functiondef(p.oid)) || coalesce(p.proacl::text, '') "
    "  from pg_proc p join pg_namespace n on n.oid = pronamespace where n.nspname in ('public', 'auth', 'api', "
    "'worker') and prokind <> 'a' union all "
    "select 'column ' || c.oid::regclass || a.attname || format_type(a.atttypid, a.atttypmod) || a.attnotnull || "
    "coalesce(c.relacl::text, '') "
    "  || c.relrowsecurity || c.relforcerowsecurity from pg_class c join pg_namespace n on n.oid = relnamespace join "
    "pg_attribute a on a.attrelid = c.oid "
    "  where n.nspname in ('public', 'auth', 'api', 'worker') and attnum > 0 and not attisdropped union all "
    "select 'policy ' || tablename || policyname || cmd || roles::text || coalesce(qual, '') || coalesce(with_check, "
    "'') from pg_policies union all "
    "select 'constraint ' || conrelid::regclass || conname || pg_get_constraintdef(c.oid) from pg_constraint c join "
    "pg_namespace n on n.oid = connamespace "
    "  where n.nspname in ('public', 'auth') union all "
    "select 'index ' || indexdef from pg_indexes where schemaname in ('public', 'auth') union all "
    "select 'trigger ' || pg_get_triggerdef(oid) from pg_trigger where not tgisinternal) as made(x)";

static int64_t whole_ms; /* what an undisturbed run takes */
static char wanted[64];

static char *database_url(int number)
{
    return mem_printf("%s dbname=migrating_%d", pg_url("edurag_owner"), number);
}

static void make_database(int number)
{
    free(pg_sqlf("postgres", "create database migrating_%d owner edurag_owner template template0", number));
}

static pid_t migrate(int number)
{
    AUTO(mem_freep) char *program = mem_printf("%s/eduragd", pg_build());
    AUTO(mem_freep) char *url = database_url(number);
    pid_t pid = fork();
    if (pid)
        return pid;
    static const char *const names[] = {"EDURAG_DATABASE_URL", "EDURAG_DATABASE_WORKER_URL",
                                        "EDURAG_DATABASE_OWNER_URL"};
    static const char *const roles[] = {"edurag_app", "edurag_worker", "edurag_owner"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        AUTO(mem_freep) char *one = mem_printf("%s dbname=migrating_%d", pg_url(roles[i]), number);
        setenv(names[i], one, 1);
    }
    if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
        _exit(126);
    execl(program, "eduragd", "migrate", (char *)NULL);
    _exit(127);
}

/* Its exit code; the test fails where it does not end. */
static int reap(pid_t pid)
{
    int status = 0;
    for (int64_t end = faults_now() + END_MS; waitpid(pid, &status, WNOHANG) == 0; faults_pause(2))
        if (faults_now() > end) {
            kill(pid, SIGKILL);
            fail_msg("eduragd migrate does not end");
        }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static char *read_fingerprint(int number, char error[400])
{
    AUTO(mem_freep) char *url = database_url(number);
    return pg_try(url, fingerprint, error, 400);
}

static void kill_database(void)
{
    int before = embedded_pid();
    int64_t end = faults_now() + BACK_MS;
    char error[400] = "away";
    if (before)
        kill(before, SIGKILL);
    for (; *error || embedded_pid() == before; faults_pause(10)) {
        free(pg_try(pg_url("postgres"), "select 1", error, sizeof error));
        assert_true(faults_now() < end);
    }
}

/* One run that is disturbed at some moment of it, alone or beside another. */
static void disturb(int number)
{
    bool two = faults_pick(3) == 0, database = faults_pick(3) == 0;
    pid_t first = migrate(number), second = two ? migrate(number) : 0;
    faults_pause((long)faults_pick((uint32_t)whole_ms));
    if (database)
        kill_database();
    else
        kill(first, SIGKILL);
    reap(first);
    if (second)
        reap(second);
}

static void every_kill_is_made_good_by_the_next_run(void **state)
{
    (void)state;
    int halves = 0;
    char error[400];
    for (int round = 0; faults_more(round, ROUNDS); round++) {
        make_database(round);
        for (int run = 1 + (int)faults_pick(2); run; run--) {
            disturb(round);
            AUTO(mem_freep) char *half = read_fingerprint(round, error);
            halves += !half || strcmp(half, wanted) != 0;
        }
        assert_int_equal(reap(migrate(round)), 0);
        AUTO(mem_freep) char *made = read_fingerprint(round, error);
        if (!made || strcmp(made, wanted) != 0)
            fail_msg("round %d: what was made is not what should be %s", round, error);
        free(pg_sqlf("postgres", "drop database migrating_%d", round));
    }
    print_message("%d runs were ended halfway; one takes %lld ms\n", halves, (long long)whole_ms);
    assert_true(halves > 0); /* or the fault was none */
}

static int set_up(void **state)
{
    (void)state;
    char error[400];
    faults_begin("migrating", 13);
    pg_start();
    make_database(UNDISTURBED);
    int64_t began = faults_now();
    if (reap(migrate(UNDISTURBED)) != 0)
        return -1;
    whole_ms = faults_now() - began;
    AUTO(mem_freep) char *made = read_fingerprint(UNDISTURBED, error);
    if (!made)
        fprintf(stderr, "%s\n", error);
    snprintf(wanted, sizeof wanted, "%.60s", made ? made : "");
    return made ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_kill_is_made_good_by_the_next_run)};
    return cmocka_run_group_tests_name("migrating", tests, set_up, pg_teardown);
}
