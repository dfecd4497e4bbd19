/* chat.c - what a class says reaches everybody, once and in order, whatever breaks on the way. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/text.h"
#include "common/wait.h"
#include "server/chat/chat_delivery.h"
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
    return pg_sqlf("edurag_owner", "select user_id from public.users where institution_id = '%s'", id);
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

/* A call, its params as for printf; lines that arrive meanwhile count. The reply is the caller's to delete. */
__attribute__((format(printf, 3, 4))) static cJSON *call(struct member *m, const char *method, const char *params, ...)
{
    struct awaited a = {.member = m, .id = ++m->calls};
    AUTO(mem_freep) char *filled = NULL;
    va_list args;
    va_start(args, params);
    assert_true(vasprintf(&filled, params, args) > 0);
    va_end(args);
    AUTO(mem_freep)
    char *text = mem_printf("{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\",\"params\":%s}", a.id, method, filled);
    assert_true(ws_send(&m->ws, text, strlen(text)));
    int64_t end = wait_now() + WAIT_MS;
    while (!a.reply && wait_now() < end && ws_read(&m->ws, hear_reply, &a))
        usleep(1000);
    assert_non_null(a.reply);
    return a.reply;
}

static const char *reason(const cJSON *reply)
{
    return json_text(json_get(json_get(reply, "error"), "data"), "reason", "none");
}

static void check_reply(cJSON *reply, const char *want, const char *method)
{
    if (strcmp(reason(reply), want) != 0)
        fail_msg("%s: %s, not %s", method, reason(reply), want);
    cJSON_Delete(reply);
}

#define expect(m, want, method, ...) check_reply(call(m, method, __VA_ARGS__), want, method)

static const char *message_id(const cJSON *reply)
{
    const char *id = json_text(json_get(reply, "result"), "message_id", NULL);
    assert_non_null(id);
    return id;
}

static void enter(struct member *m, size_t node, const char *token)
{
    struct err err = {0};
    m->calls = 0;
    if (!ws_open(&m->ws, nodes[node].socket, NULL, token, &err))
        fail_msg("%s", err.log);
}

/* Joins behind what this member already has; pages until there is no more. */
static void join(struct member *m, const char *room)
{
    for (bool more = true; more;) {
        long long last = m->count ? m->seqs[m->count - 1] : 0;
        AUTO(json_freep) cJSON *reply = call(m, "chat.join", "{\"room\":\"%s\",\"after_seq\":%lld}", room, last);
        const cJSON *result = json_get(reply, "result"), *line;
        assert_non_null(result);
        cJSON_ArrayForEach (line, json_get(result, "messages"))
            take_line(m, line);
        more = json_bool(result, "more", false);
    }
}

/* Somebody at that node, in that room (NULL: in none yet). */
static struct member *member_at(size_t node, const char *token, const char *room)
{
    struct member *m = mem_alloc(sizeof *m);
    enter(m, node, token);
    if (room)
        join(m, room);
    return m;
}

static void member_free(struct member **m)
{
    ws_close(&(*m)->ws);
    free(*m);
}

static void say(struct member *m, const char *room, int n)
{
    cJSON_Delete(
        call(m, "chat.send", "{\"room\":\"%s\",\"text\":\"line %d\",\"client_id\":\"%p-%d\"}", room, n, (void *)m, n));
}

/* Says n lines and returns the id of the last one, in `id`. */
static void say_some(struct member *m, const char *room, int n, char id[40])
{
    for (int i = 0; i < n; i++) {
        AUTO(json_freep) cJSON *reply = call(m, "chat.send", "{\"room\":\"%s\",\"text\":\"line %d\"}", room, i);
        snprintf(id, 40, "%s", message_id(reply));
    }
}

/* So many lines and no more, in order and once. */
static void wait_for(struct member *m, int count)
{
    int64_t end = wait_now() + WAIT_MS;
    while (m->count < count && wait_now() < end && ws_read(&m->ws, hear, m))
        usleep(1000);
    assert_int_equal(m->count, count);
    for (int i = 1; i < m->count; i++)
        if (m->seqs[i] != m->seqs[i - 1] + 1)
            fail_msg("line %lld follows line %lld", (long long)m->seqs[i], (long long)m->seqs[i - 1]);
}

/* News with this in it comes, and has that in it too. */
static void hears(struct member *m, const char *news, const char *also)
{
    AUTO(mem_freep) char *heard = ws_wait(&m->ws, news, WAIT_MS);
    if (!heard || !strstr(heard, also))
        fail_msg("%s of %s: %s", news, also, heard ? heard : "nothing");
}

static void hears_nothing(struct member *m, const char *of, int ms)
{
    AUTO(mem_freep) char *heard = ws_wait(&m->ws, of, ms);
    if (heard)
        fail_msg("%s", heard);
}

/* Until the tables say that so many are in the room, each on one node. */
static void wait_present(const char *room, const char *count)
{
    for (int64_t end = wait_now() + WAIT_MS;; usleep(50000)) {
        AUTO(mem_freep)
        char *here = pg_sqlf("edurag_worker", "select count(*) from public.presence where room_id = '%s'", room);
        if (!strcmp(here, count))
            return;
        assert_true(wait_now() < end);
    }
}

/* Ends what listens on every node, and waits for so long until it has ended; the nodes come back by themselves. */
static void cut_listen(int wait_ms)
{
    free(pg_sqlf(
        "postgres",
        "select count(pg_terminate_backend(pid, %d)) from pg_stat_activity where application_name = 'eduragd listen'",
        wait_ms));
}

static void sweep_one(void)
{
    AUTO(mem_freep) char *swept = pg_sql("edurag_worker", "select worker.sweep_chat(20000)");
    assert_string_equal(swept, "1");
}

static void new_course(char id[40], const char *code)
{
    AUTO(member_free) struct member *t = member_at(0, novak, NULL);
    AUTO(json_freep) cJSON *made = call(t, "courses.create", "{\"code\":\"%s\",\"title\":\"A course\"}", code);
    snprintf(id, 40, "%s", json_text(json_get(made, "result"), "course_id", ""));
    expect(t, "none", "courses.enrol", "{\"course_id\":\"%s\",\"institution_ids\":[\"s1\",\"s2\"]}", id);
}

static void lines_reach_every_node_in_one_order(void **state)
{
    (void)state;
    char room[40];
    new_course(room, "ORDER");
    AUTO(member_free)
    struct member *a = member_at(0, maria, room), *b = member_at(1, jonas, room), *c = member_at(2, novak, NULL);
    for (int i = 0; i < 40; i++) {
        say(a, room, i);
        say(b, room, i);
        if (i == 20)
            join(c, room); /* in the middle of it */
        if (i > 20)
            say(c, room, i);
    }
    wait_for(a, 40 * 2 + 19);
    wait_for(b, 40 * 2 + 19);
    wait_for(c, 40 * 2 + 19);
}

static void a_killed_node_costs_its_members_nothing(void **state)
{
    (void)state;
    char room[40];
    new_course(room, "KILL");
    AUTO(member_free) struct member *a = member_at(0, maria, room), *b = member_at(2, jonas, room);
    for (int i = 0; i < 60; i++) {
        say(a, room, i);
        if (i == 30)
            harness_kill(&nodes[2]);
    }
    while (ws_read(&b->ws, hear, b))
        ;
    enter(b, 1, jonas);
    join(b, room);
    wait_for(a, 60);
    wait_for(b, 60);
    harness_node(&nodes[2], NULL);
}

static void a_cut_listen_connection_is_caught_up(void **state)
{
    (void)state;
    char room[40];
    new_course(room, "CUT");
    AUTO(member_free) struct member *a = member_at(0, maria, room), *b = member_at(1, jonas, room);
    for (int i = 0; i < 30; i++) {
        say(a, room, i);
        if (i % 10 == 5)
            cut_listen(0); /* and the next lines come at once */
    }
    wait_for(a, 30);
    wait_for(b, 30);
}

static void what_goes_unheard_is_told_afterwards(void **state)
{
    (void)state;
    char room[40], id[40];
    new_course(room, "GONE");
    AUTO(member_free)
    struct member *a = member_at(0, maria, room), *b = member_at(1, jonas, room), *t = member_at(1, novak, NULL);
    say_some(b, room, 3, id);
    wait_for(a, 3);
    wait_for(b, 3);
    cut_listen(5000);
    expect(t, "none", "chat.delete", "{\"message_id\":\"%s\"}", id);
    hears(a, "chat.deleted", id);
    hears(b, "chat.deleted", id);
    say_some(b, room, 1, id);
    wait_for(a, 4);
    wait_for(b, 4);
    free(pg_sqlf("edurag_owner", "update public.chat_messages set expires_at = now() where message_id = '%s'", id));
    cut_listen(5000);
    sweep_one();
    hears(a, "chat.expired", id);
    hears_nothing(a, id, 300); /* a second time */
}

static void who_was_away_learns_what_was_taken_back(void **state)
{
    (void)state;
    char room[40], id[40];
    new_course(room, "AWAY");
    AUTO(member_free) struct member *a = member_at(0, maria, room), *t = member_at(1, novak, NULL);
    say_some(t, room, 2, id);
    wait_for(a, 2);
    ws_close(&a->ws);
    expect(t, "none", "chat.delete", "{\"message_id\":\"%s\"}", id);
    enter(a, 2, maria);
    AUTO(mem_freep)
    char *again = mem_printf(
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"chat.join\",\"params\":{\"room\":\"%s\",\"after_seq\":2}}", room);
    ws_send(&a->ws, again, strlen(again)); /* the notifications may come before the reply */
    hears(a, "chat.deleted", id);
}

/* Lines of the longest kind that a node reads all at once: its members are not slow. */
static void much_at_once_makes_nobody_slow(void **state)
{
    (void)state;
    enum {
        MUCH = 120
    }; /* 276 KB: more than may wait, and the rest fits into a socket whose reader gets no turn at all */
    char room[40];
    new_course(room, "MUCH");
    AUTO(member_free) struct member *a = member_at(0, maria, room), *b = member_at(1, jonas, room);
    AUTO(mem_freep) char *sender = user_id("s1");
    free(pg_sqlf("edurag_owner",
                 "with n as (update public.chat_rooms set last_seq = last_seq + %d where room_id = '%s' returning 1) "
                 "insert into public.chat_messages (room_id, seq, user_id, text, expires_at) "
                 "select '%s', s, '%s', repeat('x', 2000), now() + interval '1 hour' from generate_series(1, %d) s, n",
                 MUCH, room, room, sender, MUCH));
    free(pg_sqlf("edurag_worker", "select pg_notify('edurag_chat', '%s %d')", room, MUCH));
    for (int64_t end = wait_now() + WAIT_MS; (a->count < MUCH || b->count < MUCH) && wait_now() < end; usleep(1000))
        assert_true(ws_read(&a->ws, hear, a) && ws_read(&b->ws, hear, b));
    wait_for(a, MUCH);
    wait_for(b, MUCH);
    hears_nothing(a, "chat.lagged", 200);
}

/* Sent without waiting, as a script does. */
static void what_one_person_sends_keeps_its_order(void **state)
{
    (void)state;
    enum { SENT = 120 };
    char room[40], text[200];
    new_course(room, "PIPE");
    AUTO(member_free) struct member *a = member_at(0, maria, NULL), *b = member_at(1, jonas, room);
    for (int i = 0; i < SENT; i++) {
        snprintf(text, sizeof text,
                 "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"chat.send\",\"params\":{\"room\":\"%s\",\"text\":\"piped "
                 "%d\"}}",
                 i, room, i);
        assert_true(ws_send(&a->ws, text, strlen(text)));
        if (i % 20 == 19) { /* no more than may wait */
            snprintf(text, sizeof text, "\"id\":%d,", i);
            free(ws_wait(&a->ws, text, WAIT_MS));
        }
    }
    wait_for(b, SENT);
    AUTO(mem_freep)
    char *disorder =
        pg_sqlf("edurag_owner",
                "select count(*) from public.chat_messages where room_id = '%s' and text <> 'piped ' || seq - 1", room);
    assert_string_equal(disorder, "0");
}

/* No notifications comes of his leaving the course, as where it was sent while the connection was away. */
static void who_left_a_course_unheard_is_out_of_its_room(void **state)
{
    (void)state;
    char room[40];
    new_course(room, "OUT");
    AUTO(member_free) struct member *a = member_at(0, maria, room), *b = member_at(1, jonas, room);
    wait_present(room, "2");
    free(pg_sqlf("edurag_owner",
                 "do $$ begin alter table public.enrolments disable trigger user; delete from public.enrolments where "
                 "course_id = '%s' "
                 "and user_id = (select user_id from public.users where institution_id = 's2'); alter table "
                 "public.enrolments enable trigger user; end $$",
                 room));
    cut_listen(5000);
    wait_present(room, "1");
    say(a, room, 1);
    wait_for(a, 1);
    hears_nothing(b, "chat.message", 1000);
}

static void a_database_that_restarts_loses_no_line(void **state)
{
    (void)state;
    char room[40];
    new_course(room, "RESTART");
    AUTO(member_free) struct member *a = member_at(0, maria, room), *b = member_at(1, jonas, room);
    for (int i = 0; i < 10; i++)
        say(a, room, i);
    kill(embedded_pid(), SIGKILL); /* its watcher starts it again */
    int64_t end = wait_now() + WAIT_MS;
    for (int i = 10; i < 20;) { /* again until it is stored; the client_id keeps it one line */
        AUTO(json_freep)
        cJSON *reply =
            call(a, "chat.send", "{\"room\":\"%s\",\"text\":\"line %d\",\"client_id\":\"again-%d\"}", room, i, i);
        assert_true(wait_now() < end);
        if (json_get(reply, "result"))
            i++;
        else
            usleep(50000);
    }
    wait_for(a, 20);
    wait_for(b, 20);
}

static void a_long_log_comes_in_pages(void **state)
{
    (void)state;
    char room[40];
    new_course(room, "PAGES");
    AUTO(mem_freep) char *sender = user_id("s1");
    free(pg_sqlf(
        "edurag_owner",
        "with said as (insert into public.chat_messages (room_id, seq, user_id, text, expires_at) "
        "select '%s', n, '%s', 'line ' || n, now() + interval '1 hour' from generate_series(1, 2300) n returning seq) "
        "update public.chat_rooms set last_seq = 2300 where room_id = '%s' returning last_seq",
        room, sender, room));
    AUTO(member_free) struct member *a = member_at(0, maria, room);
    assert_int_equal(a->count, 2300);
    say(a, room, 1);
    wait_for(a, 2301);
}

static void every_kind_of_text_arrives_as_it_was_said(void **state)
{
    (void)state;
    static const uint32_t kinds[] = {'a',    0xE9,   0x5D0,  0x633, 0x4E2D, 0x0E01, 0x0939, 0x1F600, 0x10348,
                                     0xFFFD, 0x200D, 0xFE0F, 0x301, '\n',   '"',    '\\',   0xE000};
    AUTO(buf_free) struct buf text = {0}, params = {0};
    for (size_t i = 0; i < 2000; i++)
        text_append(&text, kinds[i % COUNT_OF(kinds)]);
    buf_json_open(&params, '{');
    buf_json_member(&params, "text", text.data);
    buf_json_close(&params, '}');
    AUTO(member_free) struct member *a = member_at(0, maria, NULL), *b = member_at(1, jonas, NULL);
    expect(b, "none", "chat.join", "{}");
    expect(a, "none", "chat.send", "%s", params.data);
    AUTO(mem_freep) char *news = ws_wait(&b->ws, "chat.message", WAIT_MS);
    assert_non_null(news);
    AUTO(json_freep) cJSON *json = json_parse(news, strlen(news), NULL);
    assert_string_equal(json_text(json_get(json, "params"), "text", ""), text.data);
    /* but not what could move the cursor or turn the line round */
    expect(a, "none", "chat.send", "{\"text\":\"a\\u001b[2Jb\\u202ec\\td\"}");
    hears(b, "a[2Jbc d", "chat.message");
    expect(a, "invalid_params", "chat.send", "{\"text\":\"\\u202e \\n\"}");
    expect(a, "invalid_params", "chat.send", "{\"text\":\"%02001d\"}", 0);
}

static void the_same_client_id_is_one_line(void **state)
{
    (void)state;
    char room[40];
    new_course(room, "ONCE");
    AUTO(member_free) struct member *a = member_at(0, maria, NULL);
    AUTO(json_freep) cJSON *one = call(a, "chat.send", "{\"text\":\"once\",\"client_id\":\"twice\"}");
    AUTO(json_freep) cJSON *two = call(a, "chat.send", "{\"text\":\"once\",\"client_id\":\"twice\"}");
    assert_string_equal(message_id(one), message_id(two));
    AUTO(json_freep)
    cJSON *elsewhere = call(a, "chat.send", "{\"room\":\"%s\",\"text\":\"once\",\"client_id\":\"twice\"}", room);
    assert_string_not_equal(message_id(elsewhere), message_id(one));
    assert_int_equal(json_int(json_get(elsewhere, "result"), "seq", 0), 1);
}

static void lines_expire_for_everybody(void **state)
{
    (void)state;
    char room[40];
    new_course(room, "EXPIRE");
    AUTO(member_free) struct member *t = member_at(0, novak, NULL);
    expect(t, "none", "courses.update", "{\"course_id\":\"%s\",\"chat_ttl_seconds\":1}", room);
    AUTO(member_free) struct member *a = member_at(1, maria, room);
    say(t, room, 1);
    wait_for(a, 1);
    usleep(1100000);
    AUTO(member_free) struct member *late = member_at(0, jonas, room); /* not swept yet, and yet not there */
    assert_int_equal(late->count, 0);
    sweep_one();
    hears(a, "chat.expired", room);
}

static void teachers_keep_order_and_others_do_not(void **state)
{
    (void)state;
    char room[40];
    new_course(room, "MUTE");
    AUTO(mem_freep) char *token = person("s3", "Stranger", "student"), *muted = user_id("s1");
    AUTO(member_free)
    struct member *a = member_at(0, maria, NULL), *b = member_at(1, jonas, room), *t = member_at(2, novak, NULL);
    AUTO(member_free) struct member *stranger = member_at(0, token, NULL);
    expect(stranger, "not_found", "chat.join", "{\"room\":\"%s\"}", room);
    expect(stranger, "not_found", "chat.send", "{\"room\":\"%s\",\"text\":\"hello\"}", room);
    AUTO(json_freep) cJSON *said = call(a, "chat.send", "{\"room\":\"%s\",\"text\":\"hello\"}", room);
    expect(b, "forbidden", "chat.delete", "{\"message_id\":\"%s\"}", message_id(said));
    expect(t, "none", "chat.delete", "{\"message_id\":\"%s\"}", message_id(said));
    hears(b, "chat.deleted", message_id(said));
    expect(t, "none", "chat.mute", "{\"room\":\"%s\",\"user_id\":\"%s\",\"seconds\":60}", room, muted);
    AUTO(json_freep) cJSON *refused = call(a, "chat.send", "{\"room\":\"%s\",\"text\":\"still here\"}", room);
    assert_string_equal(reason(refused), "forbidden");
    assert_non_null(json_get(json_get(json_get(refused, "error"), "data"), "until"));
    AUTO(mem_freep)
    char *audited = pg_sqlf("edurag_owner",
                            "select count(*) from public.audit_log where action in ('chat.delete', 'chat.mute') and "
                            "detail ->> 'room' = '%s'",
                            room);
    assert_string_equal(audited, "2");
}

static void presence_counts_people_over_all_nodes(void **state)
{
    (void)state;
    char room[40];
    new_course(room, "HERE");
    AUTO(member_free) struct member *a = member_at(0, maria, room), *b = member_at(2, jonas, room);
    AUTO(member_free) struct member *c = member_at(1, jonas, room); /* one person on two nodes is one person */
    hears(a, "\"online\":2", room);
    int64_t began = wait_now();
    ws_close(&c->ws);
    harness_kill(&nodes[2]);
    hears(a, "\"online\":1", room);
    assert_true(wait_now() - began < 11000);
    harness_node(&nodes[2], NULL);
    /* a node that was taken for dead says again who is with it */
    free(pg_sql("edurag_worker", "with d as (delete from public.nodes returning 1) select count(*) from d"));
    wait_present(room, "1");
    /* who leaves the course leaves its room */
    AUTO(member_free) struct member *t = member_at(1, novak, NULL), *d = member_at(0, jonas, room);
    hears(a, "\"online\":2", room);
    expect(t, "none", "courses.unenrol", "{\"course_id\":\"%s\",\"institution_ids\":[\"s2\"]}", room);
    hears(a, "\"online\":1", room);
    say(a, room, 1);
    wait_for(a, 1);
    hears_nothing(d, "chat.message", 300);
}

static void forged_notifications_say_nothing(void **state)
{
    (void)state;
    AUTO(member_free) struct member *a = member_at(0, maria, NULL);
    expect(a, "none", "chat.join", "{}");
    AUTO(json_freep) cJSON *said = call(a, "chat.send", "{\"text\":\"stays\"}");
    wait_for(a, 1);
    const char *forged[] = {CHAT_COMMON_ROOM " 999999999", "nonsense", "", CHAT_COMMON_ROOM,
                            "00000000-0000-0000-0000-000000000000 -5"};
    for (size_t i = 0; i < COUNT_OF(forged); i++)
        free(pg_sqlf(
            "edurag_app",
            "select pg_notify(c, '%s') from unnest(array['edurag_chat','edurag_chat_deleted','edurag_chat_expired',"
            "'edurag_presence','edurag_user','edurag_mute']) c",
            forged[i]));
    free(pg_sqlf("edurag_app", "select pg_notify('edurag_chat_deleted', '%s %s')", CHAT_COMMON_ROOM, message_id(said)));
    hears_nothing(a, "message_id", 500); /* no line comes or goes; how many are here may be counted and told again */
    expect(a, "none", "server.ping", "{}");
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
