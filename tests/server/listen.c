/* listen.c - hearing NOTIFY, catching up after what was missed, and a pooler that swallows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/mem.h"
#include "server/store/listen.h"
#include "server/store/wire.h"
#include "tests/lib/pg.h"

static _Atomic int heard, resyncs;
static char last[64];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void hear(const char *payload, void *context)
{
    assert_ptr_equal(context, &heard);
    pthread_mutex_lock(&lock);
    snprintf(last, sizeof last, "%s", payload);
    pthread_mutex_unlock(&lock);
    heard++;
}

static void resync(void *context)
{
    (void)context;
    resyncs++;
}

static bool reaches(const _Atomic int *counter, int value, int ms)
{
    for (int64_t until = wire_now() + ms; *counter < value && wire_now() < until;)
        usleep(5000);
    return *counter >= value;
}

static void notify(const char *payload)
{
    free(pg_sqlf("edurag_app", "select pg_notify('test_news', '%s')", payload));
}

static void begin(const char *url)
{
    heard = resyncs = 0;
    listen_on("test_news", hear, resync, &heard);
    listen_start(url);
}

static char *listener_pid(void)
{
    return pg_sql("postgres", "select pid::text from pg_stat_activity where application_name = 'eduragd listen'");
}

static void what_is_notified_is_heard(void **context)
{
    (void)context;
    begin(pg_url("edurag_worker"));
    assert_true(reaches(&resyncs, 1, 3000));
    assert_true(listen_connected());
    notify("one");
    notify("two");
    assert_true(reaches(&heard, 2, 3000));
    pthread_mutex_lock(&lock);
    assert_string_equal(last, "two");
    pthread_mutex_unlock(&lock);
    free(pg_sql("edurag_app", "select pg_notify('other_notification', 'x')"));
    notify("three");
    assert_true(reaches(&heard, 3, 3000));
    assert_int_equal(heard, 3);
    listen_stop();
    assert_false(listen_connected());
}

static void a_lost_connection_is_made_again_and_caught_up(void **context)
{
    (void)context;
    begin(pg_url("edurag_worker"));
    assert_true(reaches(&resyncs, 1, 3000));
    for (int round = 2; round < 4; round++) {
        free(pg_sql("postgres", "select count(pg_terminate_backend(pid)) from pg_stat_activity"
                                " where application_name = 'eduragd listen'"));
        assert_true(reaches(&resyncs, round, 3000));
        notify("again");
        assert_true(reaches(&heard, round - 1, 3000));
    }
    listen_stop();
}

/* A peer that is gone without a word, as behind a cut cable. */
static void a_silent_server_is_noticed_within_ten_seconds(void **context)
{
    (void)context;
    begin(pg_url("edurag_worker"));
    assert_true(reaches(&resyncs, 1, 3000));
    AUTO(mem_freep) char *pid = listener_pid();
    assert_non_null(pid);
    kill(atoi(pid), SIGSTOP);
    assert_true(reaches(&resyncs, 2, 10000));
    kill(atoi(pid), SIGCONT);
    listen_stop();
}

/* ------------------------------------------------------------------ a pooler that swallows notifications */

static struct {
    char directory[40], path[80], server[100];
    _Atomic int open;
    int listener;
    pthread_t thread;
} pooler;

static bool copy_whole(int from, int to)
{
    char bytes[8192];
    ssize_t n = read(from, bytes, sizeof bytes);
    return n > 0 && write(to, bytes, (size_t)n) == n;
}

static bool read_whole(int fd, unsigned char *to, size_t size)
{
    for (ssize_t n; size; to += n, size -= (size_t)n)
        if ((n = read(fd, to, size)) <= 0)
            return false;
    return true;
}

/* One message of the server: a letter, a length that counts itself. A notification ('A') is passed on only
 * while an answer is under way, which 'Z' ends: outside of it the server's connection is nobody's. */
static bool copy_message(int from, int to, bool *talking)
{
    unsigned char head[5], body[65536];
    if (!read_whole(from, head, 5))
        return false;
    size_t length = ((size_t)head[1] << 24 | (size_t)head[2] << 16 | (size_t)head[3] << 8 | head[4]) - 4;
    if (length > sizeof body || !read_whole(from, body, length))
        return false;
    if (head[0] == 'A' && !*talking)
        return true;
    *talking = head[0] != 'Z';
    return write(to, head, 5) == 5 && write(to, body, length) == (ssize_t)length;
}

static void *pool_one(void *context)
{
    int client = (int)(intptr_t)context, server = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", pooler.server);
    bool ok = connect(server, (struct sockaddr *)&at, sizeof at) == 0, talking = true;
    while (ok) {
        struct pollfd fds[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
        poll(fds, 2, -1);
        talking = talking || fds[0].revents;
        ok = fds[0].revents ? copy_whole(client, server) : copy_message(server, client, &talking);
    }
    close(server);
    close(client);
    pooler.open--;
    return NULL;
}

static void *pool_connections(void *unused)
{
    (void)unused;
    for (int client; (client = accept(pooler.listener, NULL, NULL)) >= 0;) {
        pthread_t thread;
        pooler.open++;
        pthread_create(&thread, NULL, pool_one, (void *)(intptr_t)client);
        pthread_detach(thread);
    }
    return NULL;
}

static void pooler_start(const char *server_path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(pooler.directory, sizeof pooler.directory, "/tmp/edurag-pooler-XXXXXX");
    assert_non_null(mkdtemp(pooler.directory));
    snprintf(pooler.path, sizeof pooler.path, "%s/.s.PGSQL.5432", pooler.directory);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", pooler.path);
    pooler.listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(pooler.listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(pooler.listener, 4), 0);
    snprintf(pooler.server, sizeof pooler.server, "%s", server_path);
    assert_int_equal(pthread_create(&pooler.thread, NULL, pool_connections, NULL), 0);
}

static void pooler_stop(void)
{
    shutdown(pooler.listener, SHUT_RDWR);
    pthread_join(pooler.thread, NULL);
    for (int i = 0; pooler.open && i < 200; i++)
        usleep(10000);
    close(pooler.listener);
    unlink(pooler.path);
    rmdir(pooler.directory);
}

static void behind_a_deaf_pooler_it_asks_every_second(void **context)
{
    (void)context;
    char server[200];
    assert_int_equal(sscanf(pg_url("edurag_worker"), "host='%150[^']'", server), 1);
    snprintf(server + strlen(server), sizeof server - strlen(server), "/.s.PGSQL.5432");
    pooler_start(server);
    AUTO(mem_freep) char *url = mem_printf("host=%s port=5432 user=edurag_worker dbname=edurag", pooler.directory);
    begin(url);
    assert_true(reaches(&resyncs, 3, 6000));
    notify("unheard");
    assert_int_equal(heard, 0);
    assert_false(listen_connected());
    assert_true(listen_polling());
    listen_stop();
    assert_false(listen_polling());
    pooler_stop();
}

static void stopping_does_not_wait(void **context)
{
    (void)context;
    static const char *const urls[] = {"host=/nonexistent user=x dbname=y", NULL};
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        begin(urls[i] ? urls[i] : pg_url("edurag_worker"));
        usleep(300000);
        int64_t asked = wire_now();
        listen_stop();
        assert_in_range(wire_now() - asked, 0, 900);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_notified_is_heard),
        cmocka_unit_test(a_lost_connection_is_made_again_and_caught_up),
        cmocka_unit_test(a_silent_server_is_noticed_within_ten_seconds),
        cmocka_unit_test(behind_a_deaf_pooler_it_asks_every_second),
        cmocka_unit_test(stopping_does_not_wait),
    };
    return cmocka_run_group_tests_name("listen", tests, pg_setup, pg_teardown);
}
