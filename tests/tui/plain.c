/* plain.c - the dialogue in lines, against a peer that plays the school of the design's example. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/mem.h"
#include "common/text.h"
#include "tests/lib/harmful.h"
#include "tests/lib/peer.h"
#include "tui/headless/plain.h"

#define COURSE_ID "11111111-1111-4111-8111-111111111111"

static char home[] = "/tmp/edurag-plain-XXXXXX";
static char last_params[2000];
static const char *everything; /* the answer to whatever is asked; NULL: the school of the example */

static const char results[] =
    "{\"query\":\"q\",\"corrected\":null,\"took_ms\":38,\"results\":["
    "{\"chunk_id\":\"c1\",\"pdf_id\":\"p1\",\"title\":\"Principles of "
    "Biochemistry\",\"page\":230,\"page_label\":\"212\",\"heading\":\"8.4 Reversible inhibition\","
    "\"snippet\":\"A competitive inhibitor resembles the substrate and occupies the active site of the enzyme, so that "
    "inhibition falls as more substrate is added.\",\"highlights\":[[84,90],[100,110]]},"
    "{\"chunk_id\":\"c2\",\"pdf_id\":\"p2\",\"title\":\"Lecture 6: How enzymes are switched "
    "off\",\"page\":11,\"page_label\":\"11\",\"heading\":\"Three mechanisms\","
    "\"snippet\":\"Inhibition can be competitive, uncompetitive or mixed; the mechanism shows in the slope and the "
    "intercept of the double reciprocal plot.\",\"highlights\":[[0,10],[59,68]]},"
    "{\"chunk_id\":\"c3\",\"pdf_id\":\"p3\",\"title\":\"Third\",\"page\":1,\"snippet\":\"Third.\",\"highlights\":[]},"
    "{\"chunk_id\":\"c4\",\"pdf_id\":\"p3\",\"title\":\"Fourth\",\"page\":1,\"snippet\":\"Fourth.\",\"highlights\":[]},"
    "{\"chunk_id\":\"c5\",\"pdf_id\":\"p3\",\"title\":\"Fifth\",\"page\":1,\"snippet\":\"Fifth.\",\"highlights\":[]},"
    "{\"chunk_id\":\"c6\",\"pdf_id\":\"p3\",\"title\":\"Sixth\",\"page\":1,\"snippet\":\"Sixth.\",\"highlights\":[]},"
    "{\"chunk_id\":\"c7\",\"pdf_id\":\"p3\",\"title\":\"Seventh\",\"page\":1,\"snippet\":\"Seventh.\",\"highlights\":[]"
    "},"
    "{\"chunk_id\":\"c8\",\"pdf_id\":\"p3\",\"title\":\"Eighth\",\"page\":1,\"snippet\":\"Eighth.\",\"highlights\":[]},"
    "{\"chunk_id\":\"c9\",\"pdf_id\":\"p3\",\"title\":\"Ninth\",\"page\":1,\"snippet\":\"Ninth.\",\"highlights\":[]},"
    "{\"chunk_id\":\"c10\",\"pdf_id\":\"p3\",\"title\":\"Tenth\",\"page\":1,\"snippet\":\"Tenth.\",\"highlights\":[]}]"
    "}";

static const char answer[] =
    "{\"search_id\":\"s\",\"thread_id\":\"t\",\"answer\":\"Malonate is a competitive inhibitor of succinate "
    "dehydrogenase. [1] Its shape is close to that of succinate, so it sits in the active site but cannot be changed "
    "there, and the cycle waits at that step. [1][3] In living cells the effect is usually small.\","
    "\"citations\":[{\"n\":1,\"chunk_id\":\"c1\",\"pdf_id\":\"p1\",\"title\":\"Principles of "
    "Biochemistry\",\"page\":230,\"page_label\":\"212\"},"
    "{\"n\":2,\"chunk_id\":\"c5\",\"pdf_id\":\"p4\",\"title\":\"Practical "
    "handbook\",\"page\":14,\"page_label\":\"xiv\"},"
    "{\"n\":3,\"chunk_id\":\"c6\",\"pdf_id\":\"p5\",\"title\":\"Metabolism in one "
    "term\",\"page\":61,\"page_label\":\"61\"}],"
    "\"sentences\":[{\"support\":\"quoted\"},{\"support\":\"close\"},{\"support\":\"none\"}],\"grounded\":true,"
    "\"memory_used\":2,\"memory_degraded\":false,\"took_ms\":2100}";

static const char page[] =
    "{\"title\":\"Principles of Biochemistry\",\"page\":230,\"page_label\":\"212\",\"pages\":640,"
    "\"text\":\"Before it.\\nA competitive inhibitor resembles the substrate and occupies\\nthe active site of the "
    "enzyme, ...\\nBehind it.\",\"passages\":[{\"chunk_id\":\"c1\",\"start\":11,\"end\":106}]}";

static const struct {
    const char *method, *result;
} replies[] = {
    {"auth.whoami", "{\"name\":\"Maria Okafor\",\"role\":\"student\",\"institution_id\":\"s1024\"}"},
    {"server.info", "{\"name\":\"Linden School\",\"memory\":\"builtin\"}"},
    {"courses.list", "{\"items\":[{\"course_id\":\"" COURSE_ID
                     "\",\"code\":\"BIO101\",\"title\":\"Biochemistry 101\"}],\"next_cursor\":null}"},
    {"search.query", results},
    {"search.ask", answer},
    {"library.page", page},
    {"library.list", "{\"items\":[],\"next_cursor\":null}"},
    {"recommend.list", "{\"source\":\"memory\",\"items\":[{\"topic\":\"Enzyme kinetics\",\"query\":\"enzyme "
                       "kinetics\",\"reason\":\"You searched for it.\",\"documents\":[]}]}"},
    {"memory.list", "{\"items\":[{\"fact_id\":\"11111111-2222-4333-8444-555555555555\",\"fact\":\"searched for the "
                    "double reciprocal plot of enzymes and for what else it shows\","
                    "\"source\":\"search\",\"count\":2,\"at\":\"2020-11-23T14:05:00Z\"}],\"next_cursor\":null}"},
    {"chat.send", "{\"message_id\":\"m\",\"seq\":9}"},
    {"rpc.discover", "{\"methods\":[{\"name\":\"courses.list\",\"x-access\":\"user\"},{\"name\":\"users.list\",\"x-"
                     "access\":\"admin\"}]}"},
};

static void on_message(struct peer_line *line, const char *text, size_t length, void *user)
{
    (void)user;
    AUTO(json_freep) cJSON *request = json_parse(text, length, NULL);
    const char *method = json_text(request, "method", "");
    if (everything) {
        peer_result(line, text, everything);
        return;
    }
    if (!strcmp(method, "chat.join")) {
        bool course = json_text(json_get(request, "params"), "room", NULL) != NULL;
        bool after = json_int(json_get(request, "params"), "after_seq", 0) > 0;
        peer_result(line, text,
                    !course ? "{\"room\":\"everyone\",\"messages\":[],\"online\":1}"
                    : after ? "{\"messages\":[]}"
                            : "{\"messages\":[{\"seq\":4,\"name\":\"Lena\",\"role\":\"student\",\"text\":\"so "
                              "competitive\",\"at\":\"2026-11-23T14:05:00Z\"}]}");
        return;
    }
    AUTO(buf_free) struct buf params = {0};
    if (json_get(request, "params"))
        json_write(&params, json_get(request, "params"));
    snprintf(last_params, sizeof last_params, "%s", params.data ? params.data : "");
    if (!strcmp(method, "library.page") ||
        strstr(params.data ? params.data : "", "\"query\":\"a\"")) /* a line of chat meanwhile */
        peer_send(line, "{\"jsonrpc\":\"2.0\",\"method\":\"chat.message\",\"params\":{\"seq\":5,\"room\":\"" COURSE_ID
                        "\",\"name\":\"Lena\",\"text\":\"x\"}}");
    for (size_t i = 0; i < COUNT_OF(replies); i++)
        if (!strcmp(method, replies[i].method)) {
            peer_result(line, text, replies[i].result);
            return;
        }
    peer_error(
        line, text,
        "{\"code\":-32601,\"message\":\"This server has no such method.\",\"data\":{\"reason\":\"unknown_method\"}}");
}

/* The whole dialogue for these lines of input. The caller frees. */
static char *dialogue(const char *input)
{
    struct peer *p = peer_start(&(struct peer_options){.on_message = on_message});
    int fds[2], before = dup(STDIN_FILENO);
    char *out = NULL;
    size_t length = 0;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], input, strlen(input)), strlen(input));
    close(fds[1]);
    dup2(fds[0], STDIN_FILENO);
    close(fds[0]);
    struct script script = {.server = peer_url(p), .width = 78, .out = open_memstream(&out, &length)};
    assert_int_equal(plain_run(&script), SCRIPT_FINE);
    script_say_to(NULL);
    fclose(script.out);
    dup2(before, STDIN_FILENO);
    close(before);
    peer_stop(p);
    return out;
}

/* The drawing begins with a course that somebody must have chosen, has one line of 79 columns where 78 are the most, and
 * leaves out the blank before the last prompt. */
static void the_design_s_dialogue_comes_out_word_for_word(void **state)
{
    (void)state;
    AUTO(mem_freep)
    char *out = dialogue(
        "course BIO101\nenzyme inhibition mechanisms\nask why does malonate slow the citric acid cycle?\n1\nquit\n");
    char drawn[4096] = "";
    FILE *file = fopen("tests/tui/screens/plain.txt", "re");
    assert_non_null(file);
    drawn[fread(drawn, 1, sizeof drawn - 1, file)] = 0;
    fclose(file);
    assert_string_equal(out, drawn);
    for (const char *line = out; *line; line += strcspn(line, "\n"), line += *line == '\n')
        assert_in_range(text_cells(line, strcspn(line, "\n")), 0, 78);
}

static void words_do_what_they_say(void **state)
{
    (void)state;
    static const struct {
        const char *input, *part, *params;
    } cases[] = {
        {"more\n", "That is all.", NULL},
        {"x\nmore\n", "3. Third, page 1.", NULL},
        {"x\n99\n", "There is no number 99", NULL},
        {"x\n2\npage\n", "Behind it.", NULL},
        {"page\n", "Choose a passage or a document by its number first.", NULL},
        {"x\n1\nnext\n", "PDF page 230 of 640", "\"page\":231"},
        {"x\n1\nback\n", "PDF page 230 of 640", "\"page\":229"},
        {"x\n1\npage 12\n", "Before it.", "\"page\":12"},
        {"course nope\n", "There is no course “nope”.", NULL},
        {"course BIO101\nx\n", "passages in Biochemistry 101", "\"course_id\":\"" COURSE_ID "\""},
        {"chat BIO101\n", "Lena: so competitive", NULL},
        {"chat BIO101\nsay hello there\n", "Said in Biochemistry 101.",
         "{\"room\":\"" COURSE_ID "\",\"text\":\"hello there\"}"},
        {"ask a\nchat\n", "Lena: so competitive", NULL},
        {"chat nowhere\n", "There is no room “nowhere”.", NULL},
        {"recommend\n1\n", "10 passages in the library.", "{\"query\":\"enzyme kinetics\"}"},
        {"library\n", "There are no documents yet.", NULL},
        {"ask a\non b\n", "Answer complete", "\"thread_id\":\"t\""},
        {"help\n", "courses           the courses", NULL},
        {"more about enzymes\n", "10 passages", "{\"query\":\"more about enzymes\"}"},
        {"history of rome\n", "10 passages", "{\"query\":\"history of rome\"}"},
        {"read the chapter on enzymes\n", "10 passages", "{\"query\":\"read the chapter on enzymes\"}"},
        {"search chat\n", "10 passages", "{\"query\":\"chat\"}"},
        {"memory\n", "times 2, search, searched for the double reciprocal\n   plot of enzymes", NULL},
        {"whoami\n", "Maria Okafor, student, school number s1024.", NULL},
        {":memory status\n", "This server has no such method.", NULL},
        {"", "search> ", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(mem_freep) char *out = dialogue(cases[i].input);
        if (!strstr(out, cases[i].part) || (cases[i].params && !strstr(last_params, cases[i].params)))
            fail_msg("%s\nexpected %s\nin: %s\nlast params: %s", cases[i].input, cases[i].part, out, last_params);
        for (const char *line = out; *line; line += strcspn(line, "\n"), line += *line == '\n')
            if (text_cells(line, strcspn(line, "\n")) > 78)
                fail_msg("%s: a line is too long: %.*s", cases[i].input, (int)strcspn(line, "\n"), line);
    }
    AUTO(mem_freep) char *help = dialogue("help\n");
    assert_null(strstr(help, "users  ")); /* what a student may not do is not offered */
}

#define EVIL "\\u001b]x\\u0007\\u009bm\\u202e\\u2066\\u200b\\u00ade\\u0301\\u0302\\u0303\\u0304\\ue000\\u007f\\r"
static const char hostile[] =
    "{\"name\":\"" EVIL "\",\"role\":\"" EVIL "\",\"memory\":\"" EVIL "\",\"corrected\":\"" EVIL
    "\",\"source\":\"memory\",\"title\":\"" EVIL "\","
    "\"text\":\"" EVIL "\",\"page_label\":\"" EVIL "\",\"pages\":3,\"answer\":\"" EVIL "\",\"summary\":\"" EVIL
    "\",\"fact\":\"" EVIL "\",\"" EVIL "\":\"" EVIL "\","
    "\"citations\":[{\"n\":1,\"pdf_id\":\"d\",\"title\":\"" EVIL "\",\"page_label\":\"" EVIL
    "\"}],\"sentences\":[{\"support\":\"" EVIL "\"}],"
    "\"results\":[{\"pdf_id\":\"d\",\"title\":\"" EVIL "\",\"heading\":\"" EVIL "\",\"snippet\":\"" EVIL
    "\",\"page_label\":\"" EVIL "\",\"highlights\":[[0,9]]}],"
    "\"messages\":[{\"seq\":4,\"name\":\"" EVIL "\",\"text\":\"" EVIL "\"}],\"methods\":[{\"name\":\"" EVIL
    "\",\"summary\":\"" EVIL "\"}],"
    "\"items\":[{\"course_id\":\"k\",\"code\":\"" EVIL "\",\"title\":\"" EVIL "\",\"topic\":\"" EVIL
    "\",\"reason\":\"" EVIL "\",\"query\":\"" EVIL "\",\"fact\":\"" EVIL "\","
    "\"documents\":[{\"title\":\"" EVIL "\"}]}],\"next_cursor\":null}";

/* Whatever the school says, the dialogue stays in its lines; so does a line of one's own that comes from a file. */
static void hostile_text_stays_in_its_lines(void **state)
{
    (void)state;
    static const char *const lines[] = {"x\n1\npage\n",   "ask x\n1\non y\n", "recommend\n1\n",
                                        "library\n1\n",   "history\n",        "chat\nsay x\n",
                                        "help\n",         "courses\n",        "course \033]0;x\007\n",
                                        "chat \033[2J\n", "whoami\n",         "info\n",
                                        "memory\n",       "reflect\n",        "\xff\xfe\xe2\x80\xae\033c\n"};
    everything = hostile;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        AUTO(mem_freep) char *out = dialogue(lines[i]);
        const char *wrong = harmful_in(out, strlen(out));
        if (wrong)
            fail_msg("%s: %s in %s", lines[i], wrong, out);
    }
    everything = NULL;
}

static int set_up(void **state)
{
    (void)state;
    unsetenv("EDURAG_TOKEN");
    return !mkdtemp(home) || setenv("XDG_STATE_HOME", home, 1);
}

static int tear_down(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", home);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_design_s_dialogue_comes_out_word_for_word),
        cmocka_unit_test(words_do_what_they_say),
        cmocka_unit_test(hostile_text_stays_in_its_lines),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
