/* chat.c - what a class says reaches everybody, once and in order, whatever breaks on the way. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/text.h"
#include "server/chat/feed.h"
#include "server/store/embedded.h"
#include "tests/lib/harness.h"
#include "tests/lib/pg.h"

enum { LINES_MOST = 3000, WAIT_MS = 15000 };

static struct harness nodes[3];
static char *maria, *jonas, *novak; /* their tokens */

/* One member: the lines it has got, from the reply to chat.join and from the stream alike. */
struct member {
    struct ws ws;
    int calls;
    int64_t seqs[LINES_MOST];
    int count;
};

/* A person of the school, and a token of theirs. */
static char *person(const char *id, const char *name, const char *role)
{
    harness_user(&nodes[0], role, id, name);
    return harness_token(&nodes[0], id);
}

static char *user_id(const char *id)
{
    AUTO(mem_freep) char *sql = mem_printf("select user_id from public.users where institution_id = '%s'", id);
    return pg_sql("edurag_owner", sql);
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void take_line(struct member *m, const cJSON *line)
{
    assert_true(m->count < LINES_MOST);
    m->seqs[m->count++] = json_int(line, "seq", -1);
}

static void hear(struct ws *ws, const char *text, size_t length, void *context)
{
    (void)ws;
    AUTO(json_freep) cJSON *json = json_parse(text, length, NULL);
    assert_non_null(json);
    if (!strcmp(json_text(json, "method", ""), "chat.message"))
        take_line(context, json_get(json, "params"));
}

/* A call; lines that arrive meanwhile count. The reply is the caller's to delete. */
struct awaited {
    struct member *member;
    int id;
    cJSON *reply;
};

static void hear_reply(struct ws *ws, const char *text, size_t length, void *context)
{
    struct awaited *a = context;
    cJSON *json = json_parse(text, length, NULL);
    if (json && json_int(json, "id", -1) == a->id) {
        a->reply = json;
        return;
    }
    cJSON_Delete(json);
    hear(ws, text, length, a->member);
}

static cJSON *call(struct member *m, const char *method, const char *params)
{
    struct awaited a = {.member = m, .id = ++m->calls};
    AUTO(mem_freep) char *text = mem_printf("{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\",\"params\":%s}", a.id, method, params);
    assert_true(ws_send(&m->ws, text, strlen(text)));
    int64_t end = now_ms() + WAIT_MS;
    while (!a.reply && now_ms() < end && ws_read(&m->ws, hear_reply, &a))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_non_null(a.reply);
    return a.reply;
}

static const char *reason(const cJSON *reply)
{
    return json_text(json_get(json_get(reply, "error"), "data"), "reason", "none");
}

static void expect(struct member *m, const char *method, const char *params, const char *want)
{
    AUTO(json_freep) cJSON *reply = call(m, method, params);
    if (strcmp(reason(reply), want) != 0)
        fail_msg("%s %s: %s", method, params, reason(reply));
}

static void enter(struct member *m, const struct harness *node, const char *token)
{
    struct err err = {0};
    m->calls = 0;
    if (!ws_open(&m->ws, node->socket, NULL, token, &err))
        fail_msg("%s", err.log);
}

/* Joins behind what this member already has; pages until there is no more. */
static void join(struct member *m, const char *room)
{
    for (bool more = true; more;) {
        char params[160];
        snprintf(params, sizeof params, "{\"room\":\"%s\",\"after_seq\":%lld}", room,
                 (long long)(m->count ? m->seqs[m->count - 1] : 0));
        AUTO(json_freep) cJSON *reply = call(m, "chat.join", params);
        const cJSON *result = json_get(reply, "result"), *line;
        assert_non_null(result);
        cJSON_ArrayForEach(line, json_get(result, "messages"))
            take_line(m, line);
        more = json_bool(result, "more", false);
    }
}

static void say(struct member *m, const char *room, int n)
{
    char params[160];
    snprintf(params, sizeof params, "{\"room\":\"%s\",\"text\":\"line %d\",\"client_id\":\"%p-%d\"}", room, n, (void *)m, n);
    cJSON_Delete(call(m, "chat.send", params));
}

static void wait_for(struct member *m, int count)
{
    int64_t end = now_ms() + WAIT_MS;
    while (m->count < count && now_ms() < end) {
        if (!ws_read(&m->ws, hear, m))
            break;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    assert_int_equal(m->count, count);
}

static void in_order_and_once(const struct member *m)
{
    for (int i = 1; i < m->count; i++)
        if (m->seqs[i] != m->seqs[i - 1] + 1)
            fail_msg("line %lld follows line %lld", (long long)m->seqs[i], (long long)m->seqs[i - 1]);
}

static void new_course(char id[40], const char *code)
{
    struct member t = {0};
    enter(&t, &nodes[0], novak);
    char params[200];
    snprintf(params, sizeof params, "{\"code\":\"%s\",\"title\":\"A course\"}", code);
    AUTO(json_freep) cJSON *made = call(&t, "courses.create", params);
    snprintf(id, 40, "%s", json_text(json_get(made, "result"), "course_id", ""));
    snprintf(params, sizeof params, "{\"course_id\":\"%s\",\"institution_ids\":[\"s1\",\"s2\"]}", id);
    expect(&t, "courses.enrol", params, "none");
    ws_close(&t.ws);
}

static void lines_reach_every_node_in_one_order(void **state)
{
    (void)state;
    char room[40];
    new_course(room, "ORDER");
    static struct member a, b, c;
    memset(&a, 0, sizeof a), memset(&b, 0, sizeof b), memset(&c, 0, sizeof c);
    enter(&a, &nodes[0], maria);
    enter(&b, &nodes[1], jonas);
    enter(&c, &nodes[2], novak);
    join(&a, room);
    join(&b, room);
    for (int i = 0; i < 40; i++) {
        say(&a, room, i);
        say(&b, room, i);
        if (i == 20)
            join(&c, room); /* in the middle of it */
        if (i > 20)
            say(&c, room, i);
    }
    struct member *all[] = {&a, &b, &c};
    for (size_t i = 0; i < 3; i++) {
        wait_for(all[i], 40 * 2 + 19);
        in_order_and_once(all[i]);
        ws_close(&all[i]->ws);
    }
}

static void a_killed_node_costs_its_members_nothing(void **state)
{
    (void)state;
    char room[40];
    new_course(room, "KILL");
    static struct member a, b;
    memset(&a, 0, sizeof a), memset(&b, 0, sizeof b);
    enter(&a, &nodes[0], maria);
    enter(&b, &nodes[2], jonas);
    join(&a, room);
    join(&b, room);
    for (int i = 0; i < 60; i++) {
        say(&a, room, i);
        if (i == 30)
            harness_kill(&nodes[2]);
    }
    while (ws_read(&b.ws, hear, &b))
        ;
    enter(&b, &nodes[1], jonas);
    join(&b, room);
    wait_for(&a, 60);
    wait_for(&b, 60);
    in_order_and_once(&a);
    in_order_and_once(&b);
    ws_close(&a.ws);
    ws_close(&b.ws);
    harness_node(&nodes[2], NULL);
}

static void cut_listen(void)
{
    free(pg_sql("postgres", "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity where application_name = 'eduragd listen'"));
}

static void a_cut_listen_connection_is_caught_up(void **state)
{
    (void)state;
    char room[40];
    new_course(room, "CUT");
    static struct member a, b;
    memset(&a, 0, sizeof a), memset(&b, 0, sizeof b);
    enter(&a, &nodes[0], maria);
    enter(&b, &nodes[1], jonas);
    join(&a, room);
    join(&b, room);
    for (int i = 0; i < 30; i++) {
        say(&a, room, i);
        if (i % 10 == 5)
            free(pg_sql("postgres", "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'eduragd listen'"));
    }
    wait_for(&a, 30);
    wait_for(&b, 30);
    in_order_and_once(&a);
    in_order_and_once(&b);
    ws_close(&a.ws);
    ws_close(&b.ws);
}

/* Says n lines and returns the id of the last one, in `id`. */
static void say_some(struct member *m, const char *room, int n, char id[40])
{
    for (int i = 0; i < n; i++) {
        char params[160];
        snprintf(params, sizeof params, "{\"room\":\"%s\",\"text\":\"line %d\"}", room, i);
        AUTO(json_freep) cJSON *reply = call(m, "chat.send", params);
        snprintf(id, 40, "%s", json_text(json_get(reply, "result"), "message_id", ""));
    }
}

static void hears(struct member *m, const char *method, const char *id)
{
    AUTO(mem_freep) char *news = ws_wait(&m->ws, method, WAIT_MS);
    if (!news || !strstr(news, id))
        fail_msg("%s of %s: %s", method, id, news ? news : "nothing");
}

static void what_goes_unheard_is_told_afterwards(void **state)
{
    (void)state;
    char room[40], id[40], params[160];
    new_course(room, "GONE");
    static struct member a, b, t;
    memset(&a, 0, sizeof a), memset(&b, 0, sizeof b), memset(&t, 0, sizeof t);
    enter(&a, &nodes[0], maria);
    enter(&b, &nodes[1], jonas);
    enter(&t, &nodes[1], novak);
    join(&a, room);
    join(&b, room);
    say_some(&b, room, 3, id);
    wait_for(&a, 3);
    wait_for(&b, 3);
    snprintf(params, sizeof params, "{\"message_id\":\"%s\"}", id);
    cut_listen();
    expect(&t, "chat.delete", params, "none");
    hears(&a, "chat.deleted", id);
    hears(&b, "chat.deleted", id);
    say_some(&b, room, 1, id);
    wait_for(&a, 4);
    wait_for(&b, 4);
    AUTO(mem_freep) char *sweep = mem_printf("update public.chat_messages set expires_at = now() where message_id = '%s'", id);
    free(pg_sql("edurag_owner", sweep));
    cut_listen();
    AUTO(mem_freep) char *swept = pg_sql("edurag_worker", "select worker.sweep_chat(20000)");
    assert_string_equal(swept, "1");
    hears(&a, "chat.expired", id);
    AUTO(mem_freep) char *twice = ws_wait(&a.ws, id, 300);
    assert_null(twice);
    ws_close(&a.ws), ws_close(&b.ws), ws_close(&t.ws);
}

static void who_was_away_learns_what_was_taken_back(void **state)
{
    (void)state;
    char room[40], id[40], params[160];
    new_course(room, "AWAY");
    static struct member a, t;
    memset(&a, 0, sizeof a), memset(&t, 0, sizeof t);
    enter(&a, &nodes[0], maria);
    enter(&t, &nodes[1], novak);
    join(&a, room);
    say_some(&t, room, 2, id);
    wait_for(&a, 2);
    ws_close(&a.ws);
    snprintf(params, sizeof params, "{\"message_id\":\"%s\"}", id);
    expect(&t, "chat.delete", params, "none");
    enter(&a, &nodes[2], maria);
    snprintf(params, sizeof params, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"chat.join\",\"params\":{\"room\":\"%s\",\"after_seq\":2}}", room);
    ws_send(&a.ws, params, strlen(params));
    hears(&a, "chat.deleted", id);
    ws_close(&a.ws), ws_close(&t.ws);
}

/* Lines of the longest kind that a node reads all at once: its members are not slow. */
static void much_at_once_makes_nobody_slow(void **state)
{
    (void)state;
    enum { MUCH = 120 }; /* 276 KB: more than may wait, and the rest fits into a socket whose reader gets no turn at all */
    char room[40];
    new_course(room, "MUCH");
    static struct member a, b;
    memset(&a, 0, sizeof a), memset(&b, 0, sizeof b);
    enter(&a, &nodes[0], maria);
    enter(&b, &nodes[1], jonas);
    join(&a, room);
    join(&b, room);
    AUTO(mem_freep) char *sender = user_id("s1");
    AUTO(mem_freep) char *fill = mem_printf(
        "with n as (update public.chat_rooms set last_seq = last_seq + %d where room_id = '%s' returning 1) "
        "insert into public.chat_messages (room_id, seq, user_id, text, expires_at) "
        "select '%s', s, '%s', repeat('x', 2000), now() + interval '1 hour' from generate_series(1, %d) s, n",
        MUCH, room, room, sender, MUCH);
    free(pg_sql("edurag_owner", fill));
    AUTO(mem_freep) char *hint = mem_printf("select pg_notify('edurag_chat', '%s %d')", room, MUCH);
    free(pg_sql("edurag_worker", hint));
    for (int64_t end = now_ms() + WAIT_MS; (a.count < MUCH || b.count < MUCH) && now_ms() < end;) {
        assert_true(ws_read(&a.ws, hear, &a) && ws_read(&b.ws, hear, &b));
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    assert_int_equal(a.count, MUCH);
    assert_int_equal(b.count, MUCH);
    in_order_and_once(&a);
    in_order_and_once(&b);
    AUTO(mem_freep) char *lagged = ws_wait(&a.ws, "chat.lagged", 200);
    assert_null(lagged);
    ws_close(&a.ws), ws_close(&b.ws);
}

/* Until the tables say that so many are in the room, each on one node. */
static void wait_present(const char *room, const char *count)
{
    AUTO(mem_freep) char *sql = mem_printf("select count(*) from public.presence where room_id = '%s'", room);
    for (int64_t end = now_ms() + WAIT_MS;;) {
        AUTO(mem_freep) char *here = pg_sql("edurag_worker", sql);
        if (!strcmp(here, count))
            return;
        assert_true(now_ms() < end);
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
}

/* Sent without waiting, as a script does. */
static void what_one_person_sends_keeps_its_order(void **state)
{
    (void)state;
    enum { SENT = 120 };
    char room[40], text[200];
    new_course(room, "PIPE");
    static struct member a, b;
    memset(&a, 0, sizeof a), memset(&b, 0, sizeof b);
    enter(&a, &nodes[0], maria);
    enter(&b, &nodes[1], jonas);
    join(&b, room);
    for (int i = 0; i < SENT; i++) {
        snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"chat.send\",\"params\":{\"room\":\"%s\",\"text\":\"piped %d\"}}", i, room, i);
        assert_true(ws_send(&a.ws, text, strlen(text)));
        if (i % 20 == 19) { /* no more than may wait */
            snprintf(text, sizeof text, "\"id\":%d,", i);
            free(ws_wait(&a.ws, text, WAIT_MS));
        }
    }
    wait_for(&b, SENT);
    AUTO(mem_freep) char *sql = mem_printf("select count(*) from public.chat_messages where room_id = '%s' and text <> 'piped ' || seq - 1", room);
    AUTO(mem_freep) char *disorder = pg_sql("edurag_owner", sql);
    assert_string_equal(disorder, "0");
    ws_close(&a.ws), ws_close(&b.ws);
}

/* No news comes of his leaving the course, as where it was sent while the connection was away. */
static void who_left_a_course_unheard_is_out_of_its_room(void **state)
{
    (void)state;
    char room[40];
    new_course(room, "OUT");
    static struct member a, b;
    memset(&a, 0, sizeof a), memset(&b, 0, sizeof b);
    enter(&a, &nodes[0], maria);
    enter(&b, &nodes[1], jonas);
    join(&a, room);
    join(&b, room);
    wait_present(room, "2");
    AUTO(mem_freep) char *sql = mem_printf(
        "do $$ begin alter table public.enrolments disable trigger user; delete from public.enrolments where course_id = '%s' "
        "and user_id = (select user_id from public.users where institution_id = 's2'); alter table public.enrolments enable trigger user; end $$", room);
    free(pg_sql("edurag_owner", sql));
    cut_listen();
    wait_present(room, "1");
    say(&a, room, 1);
    wait_for(&a, 1);
    AUTO(mem_freep) char *heard = ws_wait(&b.ws, "chat.message", 1000);
    assert_null(heard);
    ws_close(&a.ws);
    ws_close(&b.ws);
}

static void a_database_that_restarts_loses_no_line(void **state)
{
    (void)state;
    char room[40];
    new_course(room, "RESTART");
    static struct member a, b;
    memset(&a, 0, sizeof a), memset(&b, 0, sizeof b);
    enter(&a, &nodes[0], maria);
    enter(&b, &nodes[1], jonas);
    join(&a, room);
    join(&b, room);
    for (int i = 0; i < 10; i++)
        say(&a, room, i);
    kill(embedded_pid(), SIGKILL); /* its watcher starts it again */
    int64_t end = now_ms() + WAIT_MS;
    for (int i = 10; i < 20;) { /* again until it is stored; the client_id keeps it one line */
        char params[160];
        snprintf(params, sizeof params, "{\"room\":\"%s\",\"text\":\"line %d\",\"client_id\":\"again-%d\"}", room, i, i);
        AUTO(json_freep) cJSON *reply = call(&a, "chat.send", params);
        assert_true(now_ms() < end);
        if (json_get(reply, "result"))
            i++;
        else
            nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    wait_for(&a, 20);
    wait_for(&b, 20);
    in_order_and_once(&a);
    in_order_and_once(&b);
    ws_close(&a.ws);
    ws_close(&b.ws);
}

static void a_long_log_comes_in_pages(void **state)
{
    (void)state;
    char room[40];
    new_course(room, "PAGES");
    AUTO(mem_freep) char *sender = user_id("s1");
    AUTO(mem_freep) char *fill = mem_printf(
        "with said as (insert into public.chat_messages (room_id, seq, user_id, text, expires_at) "
        "select '%s', n, '%s', 'line ' || n, now() + interval '1 hour' from generate_series(1, 2300) n returning seq) "
        "update public.chat_rooms set last_seq = 2300 where room_id = '%s' returning last_seq",
        room, sender, room);
    free(pg_sql("edurag_owner", fill));
    static struct member a;
    memset(&a, 0, sizeof a);
    enter(&a, &nodes[0], maria);
    join(&a, room);
    assert_int_equal(a.count, 2300);
    say(&a, room, 1);
    wait_for(&a, 2301);
    in_order_and_once(&a);
    ws_close(&a.ws);
}

static void every_kind_of_text_arrives_as_it_was_said(void **state)
{
    (void)state;
    static const uint32_t kinds[] = {'a', 0xE9, 0x5D0, 0x633, 0x4E2D, 0x0E01, 0x0939, 0x1F600, 0x10348, 0xFFFD, 0x200D, 0xFE0F, 0x301, '\n', '"', '\\', 0xE000};
    AUTO(buf_free) struct buf text = {0}, params = {0};
    for (size_t i = 0; i < 2000; i++)
        text_append(&text, kinds[i % COUNT_OF(kinds)]);
    buf_json_open(&params, '{');
    buf_json_member(&params, "text", text.data);
    buf_json_close(&params, '}');
    static struct member a, b;
    memset(&a, 0, sizeof a), memset(&b, 0, sizeof b);
    enter(&a, &nodes[0], maria);
    enter(&b, &nodes[1], jonas);
    cJSON_Delete(call(&b, "chat.join", "{}"));
    cJSON_Delete(call(&a, "chat.send", params.data));
    AUTO(mem_freep) char *news = ws_wait(&b.ws, "chat.message", WAIT_MS);
    assert_non_null(news);
    AUTO(json_freep) cJSON *json = json_parse(news, strlen(news), NULL);
    assert_string_equal(json_text(json_get(json, "params"), "text", ""), text.data);
    /* but not what could move the cursor or turn the line round */
    cJSON_Delete(call(&a, "chat.send", "{\"text\":\"a\\u001b[2Jb\\u202ec\\td\"}"));
    AUTO(mem_freep) char *cleaned = ws_wait(&b.ws, "a[2Jbc d", WAIT_MS);
    assert_non_null(cleaned);
    expect(&a, "chat.send", "{\"text\":\"\\u202e \\n\"}", "invalid_params");
    AUTO(buf_free) struct buf long_one = {0};
    buf_text(&long_one, "{\"text\":\"");
    for (int i = 0; i < 2001; i++)
        buf_char(&long_one, 'x');
    buf_text(&long_one, "\"}");
    expect(&a, "chat.send", long_one.data, "invalid_params");
    ws_close(&a.ws);
    ws_close(&b.ws);
}

static void the_same_client_id_is_one_line(void **state)
{
    (void)state;
    struct member *a = mem_alloc(sizeof *a);
    enter(a, &nodes[0], maria);
    AUTO(json_freep) cJSON *one = call(a, "chat.send", "{\"text\":\"once\",\"client_id\":\"twice\"}");
    AUTO(json_freep) cJSON *two = call(a, "chat.send", "{\"text\":\"once\",\"client_id\":\"twice\"}");
    assert_string_equal(json_text(json_get(one, "result"), "message_id", "1"), json_text(json_get(two, "result"), "message_id", "2"));
    char room[40], params[160];
    new_course(room, "ONCE");
    snprintf(params, sizeof params, "{\"room\":\"%s\",\"text\":\"once\",\"client_id\":\"twice\"}", room);
    AUTO(json_freep) cJSON *elsewhere = call(a, "chat.send", params);
    assert_string_not_equal(json_text(json_get(elsewhere, "result"), "message_id", "1"), json_text(json_get(one, "result"), "message_id", "1"));
    assert_int_equal(json_int(json_get(elsewhere, "result"), "seq", 0), 1);
    ws_close(&a->ws);
    free(a);
}

static void lines_expire_for_everybody(void **state)
{
    (void)state;
    char room[40], params[200];
    new_course(room, "EXPIRE");
    static struct member a, t;
    memset(&a, 0, sizeof a), memset(&t, 0, sizeof t);
    enter(&a, &nodes[1], maria);
    enter(&t, &nodes[0], novak);
    snprintf(params, sizeof params, "{\"course_id\":\"%s\",\"chat_ttl_seconds\":1}", room);
    expect(&t, "courses.update", params, "none");
    join(&a, room);
    say(&t, room, 1);
    wait_for(&a, 1);
    nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 100000000}, NULL);
    static struct member late;
    memset(&late, 0, sizeof late);
    enter(&late, &nodes[0], jonas);
    join(&late, room); /* not swept yet, and yet not there */
    assert_int_equal(late.count, 0);
    AUTO(mem_freep) char *swept = pg_sql("edurag_worker", "select worker.sweep_chat(20000)");
    assert_string_equal(swept, "1");
    AUTO(mem_freep) char *news = ws_wait(&a.ws, "chat.expired", WAIT_MS);
    assert_non_null(news);
    ws_close(&a.ws);
    ws_close(&t.ws);
    ws_close(&late.ws);
}

static void teachers_keep_order_and_others_do_not(void **state)
{
    (void)state;
    char room[40], params[240];
    new_course(room, "MUTE");
    static struct member a, b, t, stranger;
    memset(&a, 0, sizeof a), memset(&b, 0, sizeof b), memset(&t, 0, sizeof t), memset(&stranger, 0, sizeof stranger);
    enter(&a, &nodes[0], maria);
    enter(&b, &nodes[1], jonas);
    enter(&t, &nodes[2], novak);
    AUTO(mem_freep) char *token = person("s3", "Stranger", "student"), *muted = user_id("s1");
    enter(&stranger, &nodes[0], token);
    join(&b, room);
    snprintf(params, sizeof params, "{\"room\":\"%s\"}", room);
    expect(&stranger, "chat.join", params, "not_found");
    snprintf(params, sizeof params, "{\"room\":\"%s\",\"text\":\"hello\"}", room);
    expect(&stranger, "chat.send", params, "not_found");
    AUTO(json_freep) cJSON *said = call(&a, "chat.send", params);
    const char *id = json_text(json_get(said, "result"), "message_id", "");
    snprintf(params, sizeof params, "{\"message_id\":\"%s\"}", id);
    expect(&b, "chat.delete", params, "forbidden");
    expect(&t, "chat.delete", params, "none");
    AUTO(mem_freep) char *news = ws_wait(&b.ws, "chat.deleted", WAIT_MS);
    assert_non_null(news);
    assert_non_null(strstr(news, id));
    snprintf(params, sizeof params, "{\"room\":\"%s\",\"user_id\":\"%s\",\"seconds\":60}", room, muted);
    expect(&t, "chat.mute", params, "none");
    snprintf(params, sizeof params, "{\"room\":\"%s\",\"text\":\"still here\"}", room);
    AUTO(json_freep) cJSON *refused = call(&a, "chat.send", params);
    assert_string_equal(reason(refused), "forbidden");
    assert_non_null(json_get(json_get(json_get(refused, "error"), "data"), "until"));
    AUTO(mem_freep) char *count = mem_printf("select count(*) from public.audit_log where action in ('chat.delete', 'chat.mute') and detail ->> 'room' = '%s'", room);
    AUTO(mem_freep) char *audited = pg_sql("edurag_owner", count);
    assert_string_equal(audited, "2");
    ws_close(&a.ws), ws_close(&b.ws), ws_close(&t.ws), ws_close(&stranger.ws);
}

static void presence_counts_people_over_all_nodes(void **state)
{
    (void)state;
    char room[40], params[200];
    new_course(room, "HERE");
    static struct member a, b, c;
    memset(&a, 0, sizeof a), memset(&b, 0, sizeof b), memset(&c, 0, sizeof c);
    enter(&a, &nodes[0], maria);
    enter(&b, &nodes[2], jonas);
    enter(&c, &nodes[1], jonas); /* one person on two nodes is one person */
    join(&a, room);
    join(&b, room);
    join(&c, room);
    AUTO(mem_freep) char *two = ws_wait(&a.ws, "\"online\":2", WAIT_MS);
    assert_non_null(two);
    int64_t began = now_ms();
    ws_close(&c.ws);
    harness_kill(&nodes[2]);
    AUTO(mem_freep) char *one = ws_wait(&a.ws, "\"online\":1", WAIT_MS);
    assert_non_null(one);
    assert_true(now_ms() - began < 11000);
    harness_node(&nodes[2], NULL);
    /* a node that was taken for dead says again who is with it */
    free(pg_sql("edurag_worker", "with d as (delete from public.nodes returning 1) select count(*) from d"));
    wait_present(room, "1");
    /* who leaves the course leaves its room */
    static struct member t, d;
    memset(&t, 0, sizeof t), memset(&d, 0, sizeof d);
    enter(&t, &nodes[1], novak);
    enter(&d, &nodes[0], jonas);
    join(&d, room);
    AUTO(mem_freep) char *back = ws_wait(&a.ws, "\"online\":2", WAIT_MS);
    assert_non_null(back);
    snprintf(params, sizeof params, "{\"course_id\":\"%s\",\"institution_ids\":[\"s2\"]}", room);
    expect(&t, "courses.unenrol", params, "none");
    AUTO(mem_freep) char *left = ws_wait(&a.ws, "\"online\":1", WAIT_MS);
    assert_non_null(left);
    d.count = 0;
    say(&a, room, 1);
    wait_for(&a, 1);
    AUTO(mem_freep) char *nothing = ws_wait(&d.ws, "chat.message", 300);
    assert_null(nothing);
    ws_close(&a.ws), ws_close(&b.ws), ws_close(&t.ws), ws_close(&d.ws);
    ws_close(&b.ws);
}

static void forged_notifications_say_nothing(void **state)
{
    (void)state;
    static struct member a;
    memset(&a, 0, sizeof a);
    enter(&a, &nodes[0], maria);
    cJSON_Delete(call(&a, "chat.join", "{}"));
    AUTO(json_freep) cJSON *said = call(&a, "chat.send", "{\"text\":\"stays\"}");
    free(ws_wait(&a.ws, "stays", WAIT_MS));
    const char *forged[] = {FEED_COMMON_ROOM " 999999999", "nonsense", "", FEED_COMMON_ROOM, "00000000-0000-0000-0000-000000000000 -5"};
    for (size_t i = 0; i < COUNT_OF(forged); i++) {
        AUTO(mem_freep) char *sql = mem_printf("select pg_notify(c, '%s') from unnest(array['edurag_chat','edurag_chat_deleted','edurag_chat_expired','edurag_presence','edurag_user','edurag_mute']) c", forged[i]);
        free(pg_sql("edurag_app", sql));
    }
    AUTO(mem_freep) char *gone = mem_printf("select pg_notify('edurag_chat_deleted', '%s %s')", FEED_COMMON_ROOM, json_text(json_get(said, "result"), "message_id", ""));
    free(pg_sql("edurag_app", gone));
    AUTO(mem_freep) char *news = ws_wait(&a.ws, "chat.", 500);
    assert_null(news);
    expect(&a, "server.ping", "{}", "none");
    ws_close(&a.ws);
}

static int start(void **state)
{
    (void)state;
    pg_start();
    for (size_t i = 0; i < COUNT_OF(nodes); i++)
        harness_node(&nodes[i], NULL);
    maria = person("s1", "Maria", "student");
    jonas = person("s2", "Jonas", "student");
    novak = person("t1", "D. Novak", "teacher");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(nodes); i++)
        harness_stop(&nodes[i]);
    pg_stop();
    free(maria), free(jonas), free(novak);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_reach_every_node_in_one_order),
        cmocka_unit_test(a_killed_node_costs_its_members_nothing),
        cmocka_unit_test(a_cut_listen_connection_is_caught_up),
        cmocka_unit_test(who_left_a_course_unheard_is_out_of_its_room),
        cmocka_unit_test(what_goes_unheard_is_told_afterwards),
        cmocka_unit_test(who_was_away_learns_what_was_taken_back),
        cmocka_unit_test(much_at_once_makes_nobody_slow),
        cmocka_unit_test(what_one_person_sends_keeps_its_order),
        cmocka_unit_test(a_long_log_comes_in_pages),
        cmocka_unit_test(every_kind_of_text_arrives_as_it_was_said),
        cmocka_unit_test(the_same_client_id_is_one_line),
        cmocka_unit_test(lines_expire_for_everybody),
        cmocka_unit_test(teachers_keep_order_and_others_do_not),
        cmocka_unit_test(presence_counts_people_over_all_nodes),
        cmocka_unit_test(forged_notifications_say_nothing),
        cmocka_unit_test(a_database_that_restarts_loses_no_line),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
