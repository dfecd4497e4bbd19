/* ledger.c - what the server has acknowledged. */
#include "tests/lib/ledger.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/buf.h"
#include "common/mem.h"
#include "tests/lib/faults.h"
#include "tests/lib/pg.h"

static const struct {
    const char *name, *table, *key;
} kinds[LEDGER_KINDS] = {
    {"documents", "pdfs", "pdf_id"},      {"chat lines", "chat_messages", "message_id"},
    {"facts", "memory_facts", "fact_id"}, {"searches", "search_history", "search_id"},
    {"accounts", "users", "user_id"},
};

static struct {
    pthread_mutex_t lock;
    struct buf ids[LEDGER_KINDS]; /* with a comma behind each */
    int count[LEDGER_KINDS];
} ledger = {.lock = PTHREAD_MUTEX_INITIALIZER};

void ledger_note(enum ledger_kind kind, const char *id)
{
    pthread_mutex_lock(&ledger.lock);
    buf_printf(&ledger.ids[kind], "%s,", id);
    ledger.count[kind]++;
    pthread_mutex_unlock(&ledger.lock);
}

int ledger_count(enum ledger_kind kind)
{
    pthread_mutex_lock(&ledger.lock);
    int count = ledger.count[kind];
    pthread_mutex_unlock(&ledger.lock);
    return count;
}

void ledger_check(const char *url)
{
    char error[400];
    pthread_mutex_lock(&ledger.lock);
    for (int kind = 0; kind < LEDGER_KINDS; kind++) {
        AUTO(mem_freep)
        char *sql = mem_printf("select count(*) from unnest(string_to_array(rtrim('%s', ','), ',')) as k(id) where "
                               "(select count(*) from public.%s t where t.%s = k.id::uuid) <> 1",
                               ledger.count[kind] ? ledger.ids[kind].data : "", kinds[kind].table, kinds[kind].key);
        AUTO(mem_freep) char *lost = pg_try(url, sql, error, sizeof error);
        if (!lost || strcmp(lost, "0") != 0) {
            pthread_mutex_unlock(&ledger.lock);
            fail_msg("%s of %d acknowledged %s are not there once %s", lost ? lost : "?", ledger.count[kind],
                     kinds[kind].name, error);
        }
    }
    pthread_mutex_unlock(&ledger.lock);
}

void ledger_print(void)
{
    for (int kind = 0; kind < LEDGER_KINDS; kind++)
        print_message("%s%d %s", kind ? ", " : "acknowledged: ", ledger.count[kind], kinds[kind].name);
    print_message("\n");
}
