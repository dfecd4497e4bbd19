/* script.c - the commands for scripts, against a peer that writes down what it was asked. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/harmful.h"
#include "tests/lib/peer.h"
#include "tui/headless/script.h"
#include "tui/headless/script_args.h"

#define COURSE_ID "11111111-1111-4111-8111-111111111111"
#define PDF_ID "22222222-2222-4222-8222-222222222222"
#define USER_ID "33333333-3333-4333-8333-333333333333"

static char home[] = "/tmp/edurag-script-XXXXXX";

/* What the peer saw, and how it answers. */
static struct {
    char method[64], params[2000];
    int calls;
    const char *result, *error;
    struct buf uploaded; /* the file as it has arrived */
    int cuts;            /* connections to cut in the middle of an upload */
    int looks;           /* how often the job was asked for */
} seen;

static void lookups(struct peer_line *line, const char *text, const char *method)
{
    if (!strcmp(method, "courses.list"))
        peer_result(line, text,
                    "{\"items\":[{\"course_id\":\"0\",\"code\":\"BIO\"},{\"course_id\":\"" COURSE_ID
                    "\",\"code\":\"BIO101\"}],\"next_cursor\":null}");
    else if (!strcmp(method, "users.list") || !strcmp(method, "admin.students"))
        peer_result(line, text,
                    "{\"items\":[{\"user_id\":\"" USER_ID "\",\"institution_id\":\"s1001\"}],\"next_cursor\":null}");
    else
        peer_result(line, text,
                    "{\"items\":[{\"pdf_id\":\"" PDF_ID
                    "\",\"title\":\"Principles of Biochemistry\"}],\"next_cursor\":null}");
}

static void uploads(struct peer_line *line, const char *text, const char *method, const cJSON *params)
{
    AUTO(mem_freep) char *offset = NULL;
    if (!strcmp(method, "library.upload_begin")) {
        offset = mem_printf("{\"upload_id\":\"u\",\"offset\":%zu,\"chunk_size\":4000}", seen.uploaded.length);
        peer_result(line, text, offset);
    } else if (!strcmp(method, "library.upload_chunk")) {
        const char *data = json_text(params, "data", "");
        assert_int_equal(json_int(params, "offset", -1), seen.uploaded.length);
        FILE *pipe = popen("base64 -d >$XDG_STATE_HOME/chunk", "we");
        assert_non_null(pipe);
        fputs(data, pipe);
        assert_int_equal(pclose(pipe), 0);
        AUTO(mem_freep) char *path = mem_printf("%s/chunk", home);
        FILE *file = fopen(path, "re");
        char bytes[8192];
        size_t n = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        buf_bytes(&seen.uploaded, bytes, n);
        if (seen.cuts-- > 0) {
            peer_cut(line);
            return;
        }
        offset = mem_printf("{\"offset\":%zu}", seen.uploaded.length);
        peer_result(line, text, offset);
    } else if (!strcmp(method, "library.upload_commit")) {
        peer_result(line, text, "{\"pdf_id\":\"" PDF_ID "\",\"job_id\":\"j\",\"status\":\"accepted\"}");
    } else {
        bool first = seen.looks++ == 0;
        peer_result(
            line, text,
            first ? "{\"job_id\":\"j\",\"title\":\"T\",\"state\":\"extracting\",\"pages_total\":10,\"pages_done\":5}"
                  : "{\"job_id\":\"j\",\"title\":\"T\",\"state\":\"failed\",\"pages_total\":10,\"pages_done\":10,"
                    "\"error_message\":\"This PDF is password-protected.\"}");
    }
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards seen: lines have threads of their own */

/* Whatever the test before left behind when it failed; a test that waits for ever ends here too. */
enum { BOUND_S = 60 };
static int fresh(void **state)
{
    (void)state;
    pthread_mutex_lock(&lock);
    buf_free(&seen.uploaded);
    memset(&seen, 0, sizeof seen);
    pthread_mutex_unlock(&lock);
    alarm(BOUND_S);
    return 0;
}

static void answer(struct peer_line *line, const char *text, size_t length)
{
    AUTO(json_freep) cJSON *request = json_parse(text, length, NULL);
    const char *method = json_text(request, "method", "");
    const cJSON *params = json_get(request, "params");
    AUTO(buf_free) struct buf written = {0};
    if (params)
        json_write(&written, params);
    bool plain = strcmp(method, "courses.list") != 0 && strcmp(method, "users.list") != 0 &&
                 strcmp(method, "admin.students") != 0 && strcmp(method, "library.list") != 0;
    if (!plain && !seen.result) {
        lookups(line, text, method);
        return;
    }
    snprintf(seen.method, sizeof seen.method, "%s", method);
    snprintf(seen.params, sizeof seen.params, "%s", written.data ? written.data : "");
    seen.calls++;
    if (seen.error) {
        peer_error(line, text, seen.error);
    } else if (seen.result) {
        peer_result(line, text, seen.result);
    } else if (!strncmp(method, "library.upload", 14) || !strcmp(method, "library.job")) {
        uploads(line, text, method, params);
    } else if (!strcmp(method, "search.ask")) {
        AUTO(mem_freep)
        char *notification = mem_printf("{\"jsonrpc\":\"2.0\",\"method\":\"search.delta\",\"params\":{\"id\":%lld,"
                                        "\"text\":\"One \\u001b[31mtwo.\"}}",
                                        (long long)json_int(request, "id", 0));
        peer_send(line,
                  "{\"jsonrpc\":\"2.0\",\"method\":\"search.delta\",\"params\":{\"id\":999,\"text\":\"not mine\"}}");
        peer_send(line, notification);
        peer_result(line, text,
                    "{\"answer\":\"One "
                    "two.\",\"thread_id\":\"t\",\"grounded\":true,\"took_ms\":2100,\"citations\":[],\"sentences\":[]}");
    } else {
        peer_result(line, text, "{}");
    }
}

static void on_message(struct peer_line *line, const char *text, size_t length, void *user)
{
    (void)user;
    pthread_mutex_lock(&lock);
    answer(line, text, length);
    pthread_mutex_unlock(&lock);
}

/* Runs a command line against the peer; the exit code. Standard output and what was said are copied. */
static char output[65536], said[4096];

static int run(struct peer *peer, const char *line)
{
    AUTO(mem_freep) char *copy = mem_dup(line);
    char *argv[32], *out = NULL, *err = NULL;
    size_t out_length = 0, err_length = 0;
    int argc = 0;
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    struct script script = {.server = peer_url(peer), .width = 78, .out = open_memstream(&out, &out_length)};
    FILE *say = open_memstream(&err, &err_length);
    script_say_to(say);
    int code = script_main(&script, argc, argv);
    pthread_mutex_lock(&lock); /* until the peer has done with the last message */
    pthread_mutex_unlock(&lock);
    fclose(script.out);
    fclose(say);
    script_say_to(NULL);
    snprintf(output, sizeof output, "%s", out);
    snprintf(said, sizeof said, "%s", err);
    free(out);
    free(err);
    return code;
}

/* As the protocol names them. */
static const char *const protocol_methods[] = {
    "rpc.discover",
    "rpc.cancel",
    "server.ping",
    "server.info",
    "auth.login",
    "auth.resume",
    "auth.refresh",
    "auth.logout",
    "auth.whoami",
    "auth.change_password",
    "auth.devices",
    "auth.forget_device",
    "profile.update",
    "users.list",
    "users.create",
    "users.import",
    "users.update",
    "users.reset_password",
    "users.delete",
    "courses.list",
    "courses.members",
    "courses.create",
    "courses.update",
    "courses.delete",
    "courses.enrol",
    "courses.unenrol",
    "courses.leave",
    "library.upload_begin",
    "library.upload_chunk",
    "library.upload_commit",
    "library.upload_abort",
    "library.job",
    "library.jobs",
    "library.retry",
    "library.list",
    "library.outline",
    "library.page",
    "library.update",
    "library.delete",
    "search.query",
    "search.ask",
    "search.thread",
    "search.history",
    "search.clear_history",
    "trending.list",
    "recommend.list",
    "memory.status",
    "memory.retain",
    "memory.recall",
    "memory.list",
    "memory.forget",
    "memory.export",
    "memory.access_log",
    "memory.reflect",
    "chat.join",
    "chat.send",
    "chat.leave",
    "chat.delete",
    "chat.mute",
    "admin.students",
    "admin.stats",
    "admin.audit",
};

static void every_method_of_the_protocol_has_a_command(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(protocol_methods); i++) {
        bool found = false;
        for (const struct script_command *c = script_table; c->words && !found; c++)
            found = (c->method && !strcmp(c->method, protocol_methods[i])) ||
                    (c->also && strstr(c->also, protocol_methods[i]));
        if (!found)
            fail_msg("%s", protocol_methods[i]);
    }
}

static void the_table_holds_together(void **state)
{
    (void)state;
    for (const struct script_command *c = script_table; c->words; c++) {
        bool optional = false, last = false;
        assert_true(c->run || c->method);
        assert_true(c->run || c->print || c->done);
        for (const struct script_arg *a = c->args; a && a->kind; a++) {
            assert_non_null(a->name);
            assert_non_null(a->shown);
            assert_false(!a->flag && last); /* nothing by its place behind one that takes the rest */
            assert_false(!a->flag && optional && !a->optional);
            optional = optional || (!a->flag && a->optional);
            last = last || (!a->flag && (a->kind == SCRIPT_REST || a->kind == SCRIPT_WORDS));
            if (a->flag)
                assert_memory_equal(a->flag, "--", 2);
        }
        for (const struct script_command *d = c + 1; d->words; d++)
            assert_string_not_equal(c->words, d->words);
    }
}

static void words_become_params(void **state)
{
    (void)state;
    static const struct {
        const char *line, *method, *params;
    } cases[] = {
        {"search enzyme inhibition", "search.query", "{\"query\":\"enzyme inhibition\"}"},
        {"search --limit 3 --course BIO101 a --preview b", "search.query",
         "{\"limit\":3,\"course_id\":\"" COURSE_ID "\",\"preview\":true,\"query\":\"a b\"}"},
        {"search -- --odd", "search.query", "{\"query\":\"--odd\"}"},
        {"read " PDF_ID " 12", "library.page", "{\"pdf_id\":\"" PDF_ID "\",\"page\":12}"},
        {"read biochemistry 12", "library.page", "{\"pdf_id\":\"" PDF_ID "\",\"page\":12}"},
        {"library move biochemistry open", "library.update", "{\"pdf_id\":\"" PDF_ID "\",\"course_id\":null}"},
        {"courses enrol bio101 s1 s2", "courses.enrol",
         "{\"course_id\":\"" COURSE_ID "\",\"institution_ids\":[\"s1\",\"s2\"]}"},
        {"courses leave bio101", "courses.leave", "{\"course_id\":\"" COURSE_ID "\"}"},
        {"users create student s9 Ana Silva", "users.create",
         "{\"role\":\"student\",\"institution_id\":\"s9\",\"name\":\"Ana Silva\"}"},
        {"users update s1001 --disable", "users.update", "{\"disabled\":true,\"user_id\":\"" USER_ID "\"}"},
        {"users update s1001 --enable --name=X", "users.update",
         "{\"disabled\":false,\"name\":\"X\",\"user_id\":\"" USER_ID "\"}"},
        {"memory forget-all --yes", "memory.forget", "{\"all\":true}"},
        {"memory add likes short answers", "memory.retain", "{\"fact\":\"likes short answers\"}"},
        {"reflect s1001", "memory.reflect", "{\"user_id\":\"" USER_ID "\"}"},
        {"reflect", "memory.reflect", "{}"},
        {"jobs --state failed --limit 5", "library.jobs", "{\"state\":\"failed\",\"limit\":5}"},
        {"chat send --room BIO101 hello you", "chat.send", "{\"room\":\"" COURSE_ID "\",\"text\":\"hello you\"}"},
        {"profile --plain-on", "profile.update", "{\"plain\":true}"},
        {"call any.method {\"a\":[1]}", "any.method", "{\"a\":[1]}"},
        {"logout --everywhere", "auth.logout", "{\"everywhere\":true}"},
    };
    struct peer *p = peer_start(&(struct peer_options){.on_message = on_message});
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int code = run(p, cases[i].line);
        if (code != SCRIPT_FINE || strcmp(seen.method, cases[i].method) != 0 ||
            strcmp(seen.params, cases[i].params) != 0)
            fail_msg("%s: exit %d, %s %s; %s", cases[i].line, code, seen.method, seen.params, said);
    }
    peer_stop(p);
}

static void what_cannot_be_meant_is_usage_and_sends_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *line, *part;
    } cases[] = {
        {"nonsense", "There is no command"},
        {"search", "WORDS is missing"},
        {"read a", "PAGE is missing"},
        {"read a b", "PAGE must be a whole number"},
        {"read a 1 2", "more than this command takes"},
        {"search --limit x y", "--limit must be a whole number"},
        {"search x --limit", "--limit needs a value"},
        {"search x --colour", "no option --colour"},
        {"users create boss x y", "must be one of"},
        {"users update a --disable --enable", "against another option"},
        {"search --preview=yes x", "takes no value"},
        {"memory forget-all", "--yes is missing"},
        {"call x {", "one JSON object"},
        {"call x [1]", "one JSON object"},
        {"upload", "FILE is missing"},
        {"search x --all", "no option --all"},
        {"whoami now", "more than this command takes"},
    };
    struct peer *p = peer_start(&(struct peer_options){.on_message = on_message});
    seen.calls = 0;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int code = run(p, cases[i].line);
        if (code != SCRIPT_USAGE || !strstr(said, cases[i].part))
            fail_msg("%s: exit %d, %s", cases[i].line, code, said);
        assert_string_equal(output, "");
    }
    assert_int_equal(seen.calls, 0);
    peer_stop(p);
}

static void each_failure_has_its_exit_code(void **state)
{
    (void)state;
    static const struct {
        const char *reason;
        int code;
    } cases[] = {
        {"unauthenticated", SCRIPT_LOGIN}, {"forbidden", SCRIPT_OTHER},      {"not_found", SCRIPT_OTHER},
        {"conflict", SCRIPT_OTHER},        {"rate_limited", SCRIPT_LIMITED}, {"busy", SCRIPT_SERVER},
        {"internal", SCRIPT_SERVER},       {"upstream", SCRIPT_UNAVAILABLE}, {"unknown_method", SCRIPT_UNAVAILABLE},
        {"invalid_params", SCRIPT_USAGE},  {"too_large", SCRIPT_OTHER},      {"cancelled", SCRIPT_OTHER},
    };
    struct peer *p = peer_start(&(struct peer_options){.on_message = on_message});
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(mem_freep)
        char *error = mem_printf(
            "{\"code\":-1,\"message\":\"Said \\u001b[1mkindly.\",\"data\":{\"reason\":\"%s\",\"field\":\"query\"}}",
            cases[i].reason);
        seen.error = error;
        assert_int_equal(run(p, "search x"), cases[i].code);
        assert_non_null(strstr(said, "Said kindly."));
        assert_int_equal(run(p, "search x --json"), cases[i].code);
        AUTO(json_freep) cJSON *line = json_parse(said, strlen(said), NULL);
        assert_string_equal(json_text(line, "reason", ""), cases[i].reason);
        assert_string_equal(json_text(line, "field", ""), "query");
    }
    seen.error = NULL;
    peer_stop(p);
    struct script script = {.server = "unix:/nowhere/at/all", .out = stdout};
    script_say_to(stdout);
    assert_int_equal(script_main(&script, 1, (char *[]){"ping"}), SCRIPT_UNREACHABLE);
    script.server = "gopher://x";
    assert_int_equal(script_main(&script, 1, (char *[]){"ping"}), SCRIPT_SETUP);
    script_say_to(NULL);
}

#define EVIL "\\u001b]x\\u0007\\u009bm\\u202e\\u2066\\u200b\\u00ade\\u0301\\u0302\\u0303\\u0304\\ue000\\u007f\\r"
static const char hostile[] =
    "{\"" EVIL "\":1,\"items\":[{\"" EVIL "\":2,\"title\":\"" EVIL "\",\"name\":\"" EVIL "\",\"fact\":\"" EVIL
    "\",\"topic\":\"" EVIL "\",\"query\":\"" EVIL "\",\"reason\":\"" EVIL "\",\"error_message\":\"" EVIL
    "\",\"institution_id\":\"" EVIL "\",\"code\":\"" EVIL "\",\"by\":\"" EVIL "\",\"actor\":\"" EVIL
    "\",\"documents\":[{\"title\":\"" EVIL "\"}]}],"
    "\"results\":[{\"title\":\"" EVIL "\",\"heading\":\"" EVIL "\",\"snippet\":\"" EVIL
    "\",\"highlights\":[[0,99],[3,1],[-1,2]]}],\"corrected\":\"" EVIL "\",\"text\":\"" EVIL "\",\"title\":\"" EVIL
    "\",\"summary\":\"" EVIL "\","
    "\"topics\":[{\"topic\":\"" EVIL "\"}],\"turns\":[{\"query\":\"" EVIL "\",\"answer\":\"" EVIL
    "\",\"citations\":[{\"title\":\"" EVIL "\"}]}],\"messages\":[{\"name\":\"" EVIL "\",\"text\":\"" EVIL
    "\"}],\"name\":\"" EVIL "\",\"memory\":\"" EVIL "\","
    "\"unknown\":[\"" EVIL "\"],\"created\":[{\"institution_id\":\"" EVIL "\",\"password\":\"" EVIL
    "\"}],\"errors\":[{\"message\":\"" EVIL "\"}],\"password\":\"" EVIL "\",\"fact_id\":\"" EVIL "\",\"job_id\":\"" EVIL
    "\",\"state\":\"" EVIL "\","
    "\"methods\":[{\"name\":\"" EVIL "\",\"summary\":\"" EVIL "\"}],\"user\":{\"name\":\"" EVIL
    "\"},\"next_cursor\":null}";
static const char *const hostile_lines[] = {
    "search x",
    "thread x",
    "history",
    "trending",
    "recommend",
    "read " PDF_ID " 1",
    "outline " PDF_ID,
    "library",
    "jobs",
    "job x",
    "memory",
    "memory add x",
    "memory recall x",
    "memory status",
    "memory log",
    "devices",
    "reflect",
    "chat read",
    "chat send x",
    "courses",
    "courses members " COURSE_ID,
    "courses create a b",
    "courses enrol " COURSE_ID " x",
    "users",
    "users create student a b",
    "users reset " USER_ID,
    "students",
    "stats",
    "audit",
    "whoami",
    "info",
    "ping",
    "methods",
    "ask x",
};

/* --json gives the server's own words; a terminal gets them without what it would obey, names of members too. */
static void shown_on_a_terminal(struct peer *peer, const char *line)
{
    AUTO(mem_freep) char *copy = mem_dup(line);
    char *argv[32], *err = NULL;
    size_t err_length = 0, length = 0;
    int argc = 0, master, slave;
    struct termios raw;
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    tcgetattr(slave, &raw);
    cfmakeraw(&raw);
    tcsetattr(slave, TCSANOW, &raw);
    assert_true(fcntl(slave, F_SETFL, O_NONBLOCK) == 0);
    struct script script = {.server = peer_url(peer), .width = 78, .json = true, .out = fdopen(slave, "w")};
    FILE *say = open_memstream(&err, &err_length);
    script_say_to(say);
    int code = script_main(&script, argc, argv);
    script_say_to(NULL);
    fclose(say);
    free(err);
    fflush(script.out);
    while (length < sizeof output - 1 && !memchr(output, '\n', length)) { /* a line of JSON */
        struct pollfd p = {.fd = master, .events = POLLIN};
        ssize_t n = poll(&p, 1, 20000) > 0 ? read(master, output + length, sizeof output - 1 - length) : 0;
        if (n <= 0)
            break;
        length += (size_t)n;
    }
    fclose(script.out);
    close(master);
    const char *wrong = harmful_in(output, length);
    if (code != SCRIPT_FINE || wrong || !length)
        fail_msg("%s --json on a terminal: exit %d, %s", line, code, wrong ? wrong : length ? "" : "nothing");
}

/* In a pipe JSON is what the server said, and yet nothing in it acts on the screen where it ends up. */
static void json_hides_nothing_and_obeys_nothing(void **state)
{
    (void)state;
    seen.result = "{\"a\":\"c1 \\u009b31m bidi \\u202e zero \\u200b\\ufeff soft \\u00ad plain \xc3\xa9\"}";
    struct peer *p = peer_start(&(struct peer_options){.on_message = on_message});
    assert_int_equal(run(p, "call library.list --json"), SCRIPT_FINE);
    assert_non_null(strstr(output, "\\u009b31m bidi \\u202e zero \\u200b\\ufeff soft \\u00ad plain \xc3\xa9"));
    assert_null(strstr(output, "\xc2\x9b"));
    assert_null(strstr(output, "\xe2\x80\xae"));
    peer_stop(p);
    seen.result = NULL;
}

/* Whatever a result holds, no command prints a byte that a terminal obeys. */
static void hostile_text_reaches_no_terminal(void **state)
{
    (void)state;
    seen.result = hostile;
    for (size_t i = 0; i < COUNT_OF(hostile_lines); i++) {
        struct peer *p = peer_start(&(struct peer_options){.on_message = on_message});
        int code = run(p, hostile_lines[i]);
        if (code != SCRIPT_FINE)
            fail_msg("%s: exit %d %s", hostile_lines[i], code, said);
        const char *wrong = harmful_in(output, strlen(output));
        wrong = wrong ? wrong : harmful_in(said, strlen(said));
        if (wrong)
            fail_msg("%s: %s", hostile_lines[i], wrong);
        shown_on_a_terminal(p, hostile_lines[i]);
        peer_stop(p);
    }
    seen.result = NULL;
}

static void an_answer_is_written_as_it_comes(void **state)
{
    (void)state;
    struct peer *p = peer_start(&(struct peer_options){.on_message = on_message});
    assert_int_equal(run(p, "ask why is it so"), SCRIPT_FINE);
    assert_string_equal(seen.params, "{\"query\":\"why is it so\",\"stream\":true}");
    assert_string_equal(output, "One two.\n");
    assert_non_null(strstr(said, "Answer complete, 2.1 seconds."));
    assert_int_equal(run(p, "ask why --json"), SCRIPT_FINE);
    assert_memory_equal(output, "{\"method\":\"search.delta\",", 25);
    assert_non_null(strstr(output, "\n{\"answer\":\"One two.\""));
    peer_stop(p);
}

static void an_interrupted_upload_goes_on_where_it_was(void **state)
{
    (void)state;
    AUTO(mem_freep) char *path = mem_printf("%s/lesson.pdf", home), *line = mem_printf("upload %s --wait", path);
    FILE *file = fopen(path, "we");
    for (int i = 0; i < 10000; i++)
        fputc(i * 7 % 251, file);
    fclose(file);
    struct peer *p = peer_start(&(struct peer_options){.on_message = on_message});
    seen.cuts = 1;
    seen.looks = 0;
    buf_clear(&seen.uploaded);
    assert_int_equal(run(p, line), SCRIPT_OTHER); /* the job fails, and says why */
    assert_non_null(strstr(said, "going on at 4000 of 10000 bytes"));
    assert_non_null(strstr(output, "This PDF is password-protected."));
    assert_int_equal(seen.uploaded.length, 10000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal((unsigned char)seen.uploaded.data[i], i * 7 % 251);
    seen.error =
        "{\"code\":-32004,\"message\":\"Here already.\",\"data\":{\"reason\":\"conflict\",\"existing\":\"" PDF_ID
        "\"}}";
    line[strlen(line) - strlen(" --wait")] = '\0';
    assert_int_equal(run(p, line), SCRIPT_FINE);
    assert_non_null(strstr(said, "in the library already"));
    seen.error = NULL;
    assert_int_equal(run(p, "upload /nowhere.pdf"), SCRIPT_OTHER);
    peer_stop(p);
    buf_free(&seen.uploaded);
}

static int set_up(void **state)
{
    (void)state;
    unsetenv("EDURAG_TOKEN");
    return !mkdtemp(home) || setenv("XDG_STATE_HOME", home, 1) || setenv("LC_ALL", "C.UTF-8", 1);
}

static int tear_down(void **state)
{
    (void)state;
    AUTO(mem_freep) char *command = mem_printf("rm -rf %s", home);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_method_of_the_protocol_has_a_command, fresh),
        cmocka_unit_test_setup(the_table_holds_together, fresh),
        cmocka_unit_test_setup(words_become_params, fresh),
        cmocka_unit_test_setup(what_cannot_be_meant_is_usage_and_sends_nothing, fresh),
        cmocka_unit_test_setup(each_failure_has_its_exit_code, fresh),
        cmocka_unit_test_setup(hostile_text_reaches_no_terminal, fresh),
        cmocka_unit_test_setup(json_hides_nothing_and_obeys_nothing, fresh),
        cmocka_unit_test_setup(an_answer_is_written_as_it_comes, fresh),
        cmocka_unit_test_setup(an_interrupted_upload_goes_on_where_it_was, fresh),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
