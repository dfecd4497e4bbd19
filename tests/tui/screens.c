/* screens.c - the drawings of the screens, cell by cell, fed with the data they show. */
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
#include "tests/lib/fake_terminal.h"

static const char results[] =
    "{\"search_id\":\"q1\",\"query\":\"enzyme inhibition mechanisms\",\"corrected\":null,\"took_ms\":38,\"results\":["
    "{\"chunk_id\":\"c1\",\"pdf_id\":\"d1\",\"title\":\"Principles of "
    "Biochemistry\",\"page\":230,\"page_label\":\"212\",\"heading\":\"8.4 Reversible inhibition\","
    "\"snippet\":\"A competitive inhibitor resembles the substrate and occupies the active site of the enzyme, so that "
    "inhibition falls as more substrate is added.\",\"highlights\":[[14,23],[90,96]],\"score\":1},"
    "{\"chunk_id\":\"c2\",\"pdf_id\":\"d2\",\"title\":\"Lecture 6: How enzymes are switched "
    "off\",\"page\":11,\"page_label\":\"11\",\"heading\":\"Three mechanisms\","
    "\"snippet\":\"Inhibition can be competitive, uncompetitive or mixed; the mechanism shows in the slope and the "
    "intercept of the double reciprocal plot.\",\"highlights\":[[0,10]],\"score\":0.9},"
    "{\"chunk_id\":\"c3\",\"pdf_id\":\"d1\",\"title\":\"Principles of "
    "Biochemistry\",\"page\":237,\"page_label\":\"219\",\"heading\":\"8.6 Irreversible inhibition\","
    "\"snippet\":\"Suicide inactivators are harmless until the enzyme itself begins to convert them; the first step of "
    "the mechanism is the normal one.\",\"highlights\":[],\"score\":0.8},"
    "{\"chunk_id\":\"c4\",\"pdf_id\":\"d3\",\"title\":\"Practical "
    "handbook\",\"page\":14,\"page_label\":\"xiv\",\"heading\":\"Experiment 4, malonate\","
    "\"snippet\":\"Measure the rate with and without malonate. State which mechanism your data support and how sure "
    "you are.\",\"highlights\":[],\"score\":0.7},"
    "{\"chunk_id\":\"c5\",\"pdf_id\":\"d4\",\"title\":\"Metabolism in one "
    "term\",\"page\":88,\"page_label\":\"88\",\"heading\":\"Regulation\","
    "\"snippet\":\"Feedback inhibition lets the last product slow the first enzyme of its "
    "path.\",\"highlights\":[],\"score\":0.6},"
    "{\"chunk_id\":\"c6\",\"pdf_id\":\"d4\",\"title\":\"Metabolism in one "
    "term\",\"page\":61,\"page_label\":\"61\",\"heading\":\"The citric acid "
    "cycle\",\"snippet\":\"x\",\"highlights\":[],\"score\":0.5},"
    "{\"chunk_id\":\"c7\",\"pdf_id\":\"d4\",\"title\":\"Seven\",\"page\":1,\"page_label\":null,\"heading\":\"\","
    "\"snippet\":\"x\",\"highlights\":[],\"score\":0.5},"
    "{\"chunk_id\":\"c8\",\"pdf_id\":\"d4\",\"title\":\"Eight\",\"page\":1,\"page_label\":null,\"heading\":\"\","
    "\"snippet\":\"x\",\"highlights\":[],\"score\":0.5},"
    "{\"chunk_id\":\"c9\",\"pdf_id\":\"d4\",\"title\":\"Nine\",\"page\":1,\"page_label\":null,\"heading\":\"\","
    "\"snippet\":\"x\",\"highlights\":[],\"score\":0.5},"
    "{\"chunk_id\":\"c10\",\"pdf_id\":\"d4\",\"title\":\"Ten\",\"page\":1,\"page_label\":null,\"heading\":\"\","
    "\"snippet\":\"x\",\"highlights\":[],\"score\":0.5}]}";
static const char courses[] =
    "{\"items\":[{\"course_id\":\"k1\",\"code\":\"BIO101\",\"title\":\"Biochemistry "
    "101\"},{\"course_id\":\"k2\",\"code\":\"CHESS\",\"title\":\"Chess club\"}],\"next_cursor\":null}";
static const char citations[] =
    "[{\"n\":1,\"chunk_id\":\"c1\",\"pdf_id\":\"d1\",\"title\":\"Principles of "
    "Biochemistry\",\"page\":230,\"page_label\":\"212\",\"quote\":\"q\",\"support\":\"quoted\"},"
    "{\"n\":2,\"chunk_id\":\"c4\",\"pdf_id\":\"d3\",\"title\":\"Practical "
    "handbook\",\"page\":14,\"page_label\":\"xiv\",\"quote\":\"q\",\"support\":\"close\"},"
    "{\"n\":3,\"chunk_id\":\"c6\",\"pdf_id\":\"d4\",\"title\":\"Metabolism in one "
    "term\",\"page\":61,\"page_label\":\"61\",\"quote\":\"q\",\"support\":\"close\"}]";

/* Three lines are waiting in a room that is not open. */
static void unread(struct fake_terminal *g)
{
    fake_terminal_answer(g, "chat.join",
                         "{\"room\":null,\"ttl_seconds\":3600,\"messages\":[],\"more\":false,\"online\":11}");
    for (int i = 1; i <= 3; i++) {
        char line[300];
        snprintf(line, sizeof line,
                 "{\"message_id\":\"m%d\",\"seq\":%d,\"room\":null,\"user_id\":\"u2\",\"name\":\"Lena\",\"text\":"
                 "\"hello\",\"at\":"
                 "\"2026-11-23T14:05:00Z\",\"expires_at\":\"2026-11-23T15:05:00Z\"}",
                 i, i);
        fake_terminal_notification(g, "chat.message", line);
    }
}

static void in_course(struct fake_terminal *g)
{
    fake_terminal_key(g, "c");
    fake_terminal_answer(g, "courses.list", courses);
    fake_terminal_key(g, "Down Enter");
}

static void searched(struct fake_terminal *g, int rows, int cols, const char *query)
{
    fake_terminal_start(g, rows, cols);
    fake_terminal_login(g, "student");
    unread(g);
    fake_terminal_enter(g, "x");
    fake_terminal_answer(g, "search.query", results);
    in_course(g);
    fake_terminal_key(g, "s");
    fake_terminal_enter(g, query);
    fake_terminal_answer(g, "search.query", results);
}

static void login_on_first_use(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    fake_terminal_start(&g, 24, 80);
    snprintf(g.ui.server, sizeof g.ui.server, "Linden School");
    snprintf(g.ui.address, sizeof g.ui.address, "lab.linden.example:7443");
    snprintf(g.ui.fingerprint, sizeof g.ui.fingerprint,
             "3f9a0277c15e8bd044a91c63f20b97e85d12bb700ec46a39d841a72f901d66fb");
    g.ui.secure = true;
    ui_link(&g.ui, UI_UNTRUSTED, NULL);
    fake_terminal_is(&g, "login");
    fake_terminal_key(&g, "Enter");
    assert_true(g.trusted);
}

static void search_results(void **state)
{
    (void)state;
    struct fake_terminal g;
    searched(&g, 24, 80, "enzyme inhibition mechanisms");
    fake_terminal_is(&g, "search");
    fake_terminal_stop(&g);
    searched(&g, 10, 40, "enzyme inhibition mechanisms");
    fake_terminal_key(&g, "Enter"); /* an answer, so that Tab has one to go to */
    fake_terminal_key(&g, "Tab Tab");
    fake_terminal_is(&g, "search-40");
    fake_terminal_stop(&g);
}

static const char question[] = "why does malonate slow the citric acid cycle";

static void answered(struct fake_terminal *g, int rows, int cols)
{
    char json[4000];
    searched(g, rows, cols, question);
    fake_terminal_key(g, "s End");
    fake_terminal_type(g, "?");
    struct field *f = g->ui.views[PANE_SEARCH]->class->field(g->ui.views[PANE_SEARCH]);
    field_set(f, "why does malonate slow the citric acid cycle?");
    fake_terminal_key(g, "Enter");
    fake_terminal_answer(g, "search.query", results);
    snprintf(json, sizeof json, "{\"id\":1,\"search_id\":\"s\",\"thread_id\":\"t1\",\"citations\":%s}", citations);
    fake_terminal_notification(g, "search.sources", json);
    fake_terminal_later(g, 2100);
    snprintf(json, sizeof json,
             "{\"search_id\":\"s\",\"thread_id\":\"t1\",\"answer\":\"Malonate is a competitive inhibitor of succinate "
             "dehydrogenase. [1] "
             "Its shape is close to that of succinate, so it sits in the active site but cannot be changed there, and "
             "the cycle waits at that step. [1][3] "
             "In living cells the effect is usually "
             "small.\",\"citations\":%s,\"sentences\":[{\"start\":0,\"end\":67,\"n\":1,\"support\":\"quoted\"},"
             "{\"start\":68,\"end\":208,\"n\":1,\"support\":\"close\"},{\"start\":209,\"end\":253,\"support\":\"none\"}"
             "],\"grounded\":true,\"memory_used\":2,"
             "\"memory_degraded\":false,\"generation\":\"openai\",\"took_ms\":2100}",
             citations);
    fake_terminal_answer(g, "search.ask", json);
}

static void the_answer_while_it_is_written(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    answered(&g, 24, 80);
    fake_terminal_key(&g, "f");
    fake_terminal_enter(&g, "how would I see that in my data?");
    assert_non_null(strstr(fake_terminal_params(&g, "search.ask"), "\"thread_id\":\"t1\""));
    char json[2000];
    snprintf(json, sizeof json, "{\"id\":2,\"search_id\":\"s\",\"thread_id\":\"t1\",\"citations\":%s}", citations);
    fake_terminal_notification(&g, "search.sources", json);
    fake_terminal_notification(
        &g, "search.delta",
        "{\"id\":2,\"text\":\"Plot 1/v against 1/[S] with and without malonate. Both lines meet on the \"}");
    fake_terminal_notification(&g, "search.delta",
                               "{\"id\":2,\"text\":\"vertical axis, because the highest rate does not change [2], "
                               "while the slope grows with the amount of inhib\"}");
    fake_terminal_later(&g, 3200);
    fake_terminal_is(&g, "answer");
}

/* The drawing shows its first rows and the last two. It cuts two titles of different length to the same word, and one
 * snippet after two lines without a mark and another after one; here each has two, and a mark where it goes on. */
static void side_by_side_when_wide(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    answered(&g, 50, 160);
    g.ui.tokens = g.ui.tokens_most;
    fake_terminal_key(&g, "Tab Tab");
    fake_terminal_is(&g, "search-160");
}

/* The drawing has two blanks after [Reader], where after every other open pane there is one. */
static void reader(void **state)
{
    (void)state;
    static const char page[] = "{\"text\":\"Enzymes are the points at which a cell steers its chemistry, and most of "
                               "the poisons and many of the medicines that we know act on them.\\n\\n"
                               "A competitive inhibitor resembles the substrate and occupies the active site of the "
                               "enzyme, so that inhibition falls as more substrate is added. "
                               "Malonate is a competitive inhibitor of succinate dehydrogenase: it has the two acid "
                               "groups of succinate, but one carbon less between them.\\n\\n"
                               "An uncompetitive inhibitor binds only where the substrate is already in place. Both "
                               "the highest rate and the apparent affinity change, and by the same factor, "
                               "so that the lines of the double reciprocal plot run parallel.\\n\\nMixed inhibitors "
                               "bind in either case but not equally well. Where the two are equal, the inhibitor is "
                               "called noncompetitive; this is rarer than older books suggest.\\n\\nProblem 8.4 gives "
                               "rates for three inhibitors. Decide for each which kind it is before you read on.\\n\\n"
                               "1.\\n2.\\n3.\\n4.\\n5.\\n6.\\n7.\\n8.\\n9.\\n10.\\n11.\\n12.\\n13.\\n14.\\n15.\\n16."
                               "\\n17.\\n18.\\n19.\",\"page\":230,\"page_label\":\"212\",\"pages\":640,"
                               "\"title\":\"Principles of "
                               "Biochemistry\",\"passages\":[{\"chunk_id\":\"c1\",\"start\":139,\"end\":422},{\"chunk_"
                               "id\":\"c3\",\"start\":2000,\"end\":2005}]}";
    AUTO(fake_terminal_stop) struct fake_terminal g;
    answered(&g, 24, 80);
    fake_terminal_key(&g, "1");
    fake_terminal_answer(&g, "library.outline",
                         "{\"items\":[{\"title\":\"8 Enzymes\",\"page\":220,\"level\":0},{\"title\":\"8.4 Reversible "
                         "inhibition\",\"page\":230,\"level\":1},"
                         "{\"title\":\"8.6 Irreversible inhibition\",\"page\":236,\"level\":1}]}");
    fake_terminal_answer(&g, "library.page", page);
    fake_terminal_is(&g, "reader");
    fake_terminal_key(&g, "Esc");
    assert_true(g.ui.open == PANE_SEARCH);
}

static void for_you(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    fake_terminal_open(&g, "student");
    unread(&g);
    fake_terminal_key(&g, "Esc g f");
    fake_terminal_key(&g, "Alt-3");
    fake_terminal_answer(&g, "recommend.list",
                         "{\"source\":\"memory\",\"items\":["
                         "{\"topic\":\"Enzyme kinetics in practice\",\"query\":\"enzyme kinetics\",\"reason\":\"You "
                         "searched for enzyme inhibition four times this week.\",\"documents\":["
                         "{\"pdf_id\":\"d3\",\"title\":\"Practical "
                         "handbook\",\"page\":14,\"page_label\":\"xiv\"},{\"pdf_id\":\"d5\",\"title\":\"Lecture 7: "
                         "Reading a rate plot\",\"page\":3}]},"
                         "{\"topic\":\"Succinate dehydrogenase\",\"query\":\"succinate dehydrogenase\",\"reason\":\"It "
                         "came up in your last two answers and you have not opened its chapter.\",\"documents\":["
                         "{\"pdf_id\":\"d1\",\"title\":\"Principles of Biochemistry\",\"page\":601}]},"
                         "{\"topic\":\"Reaction mechanisms in organic chemistry\",\"query\":\"reaction "
                         "mechanisms\",\"reason\":\"You come back to organic chemistry most Mondays.\",\"documents\":["
                         "{\"pdf_id\":\"d6\",\"title\":\"Organic Chemistry "
                         "I\",\"page\":44},{\"pdf_id\":\"d7\",\"title\":\"Exercises with solutions\",\"page\":9}]}]}");
    fake_terminal_answer(
        &g, "trending.list",
        "{\"items\":[{\"topic\":\"Michaelis-Menten equation\",\"searches\":20,\"searchers\":20},"
        "{\"topic\":\"Feedback inhibition\",\"searches\":10,\"searchers\":10},{\"topic\":\"Buffers and "
        "pH\",\"searches\":5,\"searchers\":5}]}");
    fake_terminal_is(&g, "recommend");
    fake_terminal_key(&g, "Enter");
    assert_non_null(strstr(fake_terminal_params(&g, "search.query"), "enzyme kinetics"));
}

static void memory_load(struct fake_terminal *g, const char *status, const char *facts, const char *looked)
{
    fake_terminal_key(g, "Alt-4");
    fake_terminal_answer(g, "memory.status", status);
    fake_terminal_answer(g, "memory.list", facts);
    fake_terminal_answer(g, "memory.access_log", looked);
}

static void memory(void **state)
{
    (void)state;
    static const char none[] = "{\"items\":[],\"next_cursor\":null}";
    struct fake_terminal g;
    fake_terminal_open(&g, "student");
    unread(&g);
    memory_load(&g,
                "{\"enabled\":true,\"provider\":\"builtin\",\"reachable\":true,\"facts\":37,\"pending_sync\":0,"
                "\"failed_sync\":0,\"last_error\":null}",
                "{\"items\":["
                "{\"fact_id\":\"f1\",\"fact\":\"searched for enzyme inhibition mechanisms in Biochemistry "
                "101\",\"source\":\"search\",\"count\":1,\"at\":\"2026-11-23T14:02:00Z\"},"
                "{\"fact_id\":\"f2\",\"fact\":\"asked why malonate slows the citric acid "
                "cycle\",\"source\":\"ask\",\"count\":1,\"at\":\"2026-11-23T13:40:00Z\"},"
                "{\"fact_id\":\"f3\",\"fact\":\"prefers short "
                "answers\",\"source\":\"client\",\"count\":1,\"at\":\"2026-11-23T09:15:00Z\"},"
                "{\"fact_id\":\"f4\",\"fact\":\"searched for competitive inhibition in Biochemistry "
                "101\",\"source\":\"search\",\"count\":4,\"at\":\"2026-11-22T15:00:00Z\"},"
                "{\"fact_id\":\"f5\",\"fact\":\"read Principles of Biochemistry, chapter "
                "8\",\"source\":\"reading\",\"count\":1,\"at\":\"2026-11-22T14:00:00Z\"},"
                "{\"fact_id\":\"f6\",\"fact\":\"searched for double reciprocal "
                "plot\",\"source\":\"search\",\"count\":1,\"at\":\"2026-11-19T14:00:00Z\"},"
                "{\"fact_id\":\"f7\",\"fact\":\"asked what a transition state "
                "is\",\"source\":\"ask\",\"count\":1,\"at\":\"2026-11-19T13:00:00Z\"},"
                "{\"fact_id\":\"f8\",\"fact\":\"searched for aldol addition in Organic Chemistry "
                "I\",\"source\":\"search\",\"count\":3,\"at\":\"2026-11-18T13:00:00Z\"},"
                "{\"fact_id\":\"f9\",\"fact\":\"exam in Biochemistry 101 on 4 "
                "December\",\"source\":\"client\",\"count\":1,\"at\":\"2026-11-17T13:00:00Z\"},"
                "{\"fact_id\":\"f10\",\"fact\":\"searched for buffers and "
                "pH\",\"source\":\"search\",\"count\":1,\"at\":\"2026-11-16T13:00:00Z\"}],\"next_cursor\":null}",
                "{\"items\":[{\"at\":\"2026-11-20T11:32:00Z\",\"by\":\"D. "
                "Novak\",\"role\":\"teacher\",\"action\":\"memory.reflect\"},"
                "{\"at\":\"2026-11-16T08:01:00Z\",\"by\":\"Maria "
                "Okafor\",\"role\":\"student\",\"action\":\"memory.export\"}],\"next_cursor\":null}");
    fake_terminal_is(&g, "memory");
    fake_terminal_stop(&g);
    fake_terminal_start(&g, 10, 40);
    fake_terminal_login(&g, "student");
    unread(&g);
    memory_load(&g,
                "{\"enabled\":true,\"provider\":\"builtin\",\"reachable\":true,\"facts\":0,\"pending_sync\":0,\"failed_"
                "sync\":0}",
                none, none);
    fake_terminal_is(&g, "memory-empty-40");
    snprintf(g.ui.memory, sizeof g.ui.memory, "off");
    fake_terminal_key(&g, "Ctrl-R");
    fake_terminal_answer(&g, "memory.status",
                         "{\"enabled\":false,\"provider\":\"off\",\"reachable\":false,\"facts\":0,\"pending_sync\":0,"
                         "\"failed_sync\":0}");
    fake_terminal_answer(&g, "memory.list", none);
    fake_terminal_is(&g, "memory-off-40");
    fake_terminal_stop(&g);
}

static void say(struct fake_terminal *g, int seq, const char *user, const char *name, const char *text, int hour,
                int minute, int left)
{
    char json[600], expires[40];
    time_t end = g->ui.wall + left;
    struct tm tm;
    gmtime_r(&end, &tm);
    strftime(expires, sizeof expires, "%Y-%m-%dT%H:%M:%SZ", &tm);
    snprintf(json, sizeof json,
             "{\"message_id\":\"x%d\",\"seq\":%d,\"room\":\"k1\",\"user_id\":\"%s\",\"name\":\"%s\",\"text\":\"%s\","
             "\"at\":\"2026-11-23T%02d:%02d:00Z\",\"expires_at\":\"%s\"}",
             seq, seq, user, name, text, hour, minute, expires);
    fake_terminal_notification(g, "chat.message", json);
}

static void chat_rooms(struct fake_terminal *g, int rows, int cols)
{
    fake_terminal_start(g, rows, cols);
    fake_terminal_login(g, "student");
    snprintf(g->ui.name, sizeof g->ui.name, "Maria");
    unread(g);
    fake_terminal_answer(g, "courses.list", courses);
    fake_terminal_answer(g, "chat.join",
                         "{\"room\":\"k2\",\"ttl_seconds\":3600,\"messages\":[],\"more\":false,\"online\":2}");
    fake_terminal_answer(g, "chat.join",
                         "{\"room\":\"k1\",\"ttl_seconds\":3600,\"messages\":[],\"more\":false,\"online\":11}");
}

/* The drawing has "bottom" two columns further left than that of the lost connection. */
static void chat(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    chat_rooms(&g, 24, 80);
    say(&g, 4, "u3", "Jonas", "has anyone done 8.4 yet?", 13, 7, 40);
    say(&g, 5, "u2", "Lena", "the second inhibitor is the odd one", 13, 9, 170);
    say(&g, 6, "u4", "Amira", "I get parallel lines for it", 13, 11, 290);
    say(&g, 7, "u4", "Amira", "so uncompetitive?", 13, 12, 340);
    say(&g, 8, "u3", "Jonas", "that is what I have", 13, 16, 590);
    say(&g, 9, "u5", "D. Novak", "Remember the units on the horizontal axis.", 13, 31, 1500);
    say(&g, 10, "u2", "Lena", "@maria can you post your plot numbers", 13, 48, 2500);
    say(&g, 11, "u-maria", "Maria", "0.12 0.19 0.31 0.40, without malonate", 13, 52, 2700);
    say(&g, 12, "u-maria", "Maria", "0.07 0.12 0.22 0.31 with", 13, 52, 2700);
    say(&g, 13, "u3", "Jonas", "thanks, the highest rate is the same then", 14, 1, 3300);
    fake_terminal_key(&g, "Alt-5 Alt-Right Alt-Left");
    g.ui.open = PANE_SEARCH;
    fake_terminal_key(&g, "Alt-5 Alt-Right");
    fake_terminal_key(&g, "Alt-1");
    say(&g, 14, "u2", "Lena", "so competitive", 14, 5, 3550);
    say(&g, 15, "u4", "Amira", "אני מסכימה", 14, 5, 3550);
    fake_terminal_key(&g, "Alt-5");
    snprintf(g.ui.name, sizeof g.ui.name, "Maria");
    fake_terminal_enter(&g, "yes, and the slope doubles");
    assert_true(fake_terminal_asked(&g, "chat.send"));
    fake_terminal_type(&g, "see page 212, the passage on malonate");
    for (int i = 1; i <= 3; i++) {
        char line[300];
        snprintf(line, sizeof line,
                 "{\"message_id\":\"n%d\",\"seq\":%d,\"room\":null,\"user_id\":\"u2\",\"name\":\"Lena\",\"text\":"
                 "\"hello\",\"at\":"
                 "\"2026-11-23T14:05:00Z\",\"expires_at\":\"2026-11-23T15:05:00Z\"}",
                 i, 20 + i);
        fake_terminal_notification(&g, "chat.message", line);
    }
    snprintf(g.ui.name, sizeof g.ui.name, "Maria Okafor");
    fake_terminal_is(&g, "chat");
}

/* The drawing leaves out the * before the line that names Maria, which that of the chat has. */
static void connection_lost(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    chat_rooms(&g, 24, 80);
    fake_terminal_key(&g, "Alt-5 Alt-Right");
    say(&g, 10, "u2", "Lena", "@maria can you post your plot numbers", 13, 48, 2500);
    say(&g, 11, "u-maria", "Maria", "0.12 0.19 0.31 0.40, without malonate", 13, 52, 2700);
    say(&g, 12, "u-maria", "Maria", "0.07 0.12 0.22 0.31 with", 13, 52, 2700);
    say(&g, 13, "u3", "Jonas", "thanks, the highest rate is the same then", 14, 1, 3300);
    say(&g, 14, "u2", "Lena", "so competitive", 14, 5, 3550);
    fake_terminal_enter(&g, "yes, and the slope doubles");
    ui_link(&g.ui, UI_LOST, NULL);
    fake_terminal_fail(&g, "chat.send", ERR_UNREACHABLE, NULL);
    g.ui.retry_at = g.ui.now + 8000;
    g.ui.tries = 4;
    fake_terminal_type(&g, "the units are per minute");
    fake_terminal_is(&g, "lost");
    /* Back again: the room is joined from where it was, and the line goes out once. */
    ui_link(&g.ui, UI_ONLINE, NULL);
    fake_terminal_answer(
        &g, "auth.whoami",
        "{\"user_id\":\"u-maria\",\"institution_id\":\"s1024\",\"name\":\"Maria Okafor\",\"role\":\"student\"}");
    assert_false(fake_terminal_asked(&g, "chat.send"));
    fake_terminal_answer(&g, "chat.join",
                         "{\"room\":\"k2\",\"ttl_seconds\":3600,\"messages\":[],\"more\":false,\"online\":2}");
    assert_non_null(strstr(fake_terminal_params(&g, "chat.join"), "\"after_seq\":14"));
    fake_terminal_answer(&g, "chat.join",
                         "{\"room\":\"k1\",\"ttl_seconds\":3600,\"messages\":[],\"more\":false,\"online\":2}");
    assert_true(fake_terminal_asked(&g, "chat.send"));
    fake_terminal_answer(&g, "chat.send", "{\"message_id\":\"x20\",\"seq\":20,\"at\":\"2026-11-23T14:06:00Z\"}");
    assert_false(fake_terminal_asked(&g, "chat.send"));
    assert_true(fake_terminal_shows(&g, "the units are per minute"));
    /* Again, before the line itself was heard: what others said before it is still to come, and it comes once. */
    ui_link(&g.ui, UI_LOST, NULL);
    ui_link(&g.ui, UI_ONLINE, NULL);
    fake_terminal_answer(
        &g, "auth.whoami",
        "{\"user_id\":\"u-maria\",\"institution_id\":\"s1024\",\"name\":\"Maria Okafor\",\"role\":\"student\"}");
    fake_terminal_answer(&g, "chat.join",
                         "{\"room\":\"k2\",\"ttl_seconds\":3600,\"messages\":[],\"more\":false,\"online\":2}");
    assert_non_null(strstr(fake_terminal_params(&g, "chat.join"), "\"after_seq\":14"));
}

static void chat_small(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    fake_terminal_start(&g, 10, 40);
    fake_terminal_login(&g, "student");
    snprintf(g.ui.name, sizeof g.ui.name, "Maria");
    fake_terminal_answer(&g, "chat.join",
                         "{\"room\":null,\"ttl_seconds\":3600,\"messages\":[],\"more\":false,\"online\":11}");
    fake_terminal_answer(&g, "courses.list", courses);
    fake_terminal_answer(&g, "chat.join",
                         "{\"room\":\"k2\",\"ttl_seconds\":3600,\"messages\":[],\"more\":false,\"online\":11}");
    fake_terminal_answer(&g, "chat.join",
                         "{\"room\":\"k1\",\"ttl_seconds\":3600,\"messages\":[],\"more\":false,\"online\":11}");
    fake_terminal_key(&g, "Alt-5 Alt-Right");
    say(&g, 13, "u3", "Jonas", "thanks, the highest rate is the same then", 14, 1, 3300);
    say(&g, 14, "u2", "Lena", "so competitive", 14, 5, 3550);
    say(&g, 15, "u4", "Amira", "@maria which axis?", 13, 7, 40);
    fake_terminal_enter(&g, "yes, and the slope doubles");
    fake_terminal_type(&g, "see page 212, the pass");
    fake_terminal_is(&g, "chat-40");
}

/* A file of 44 MB of which 18 have arrived. */
static void upload(struct fake_terminal *g)
{
    char folder[] = "/tmp/edurag-screens-XXXXXX", path[100];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/Organic Chemistry II.pdf", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("%PDF-1.7", file);
    assert_int_equal(ftruncate(fileno(file), 44000000), 0);
    fclose(file);
    fake_terminal_key(g, "a Ctrl-U");
    fake_terminal_enter(g, path);
    fake_terminal_key(g, "Enter");
    for (int i = 0; i < 60; i++)
        ui_tick(&g->ui);
    assert_non_null(strstr(fake_terminal_params(g, "library.upload_begin"), "\"size\":44000000,\"sha256\":\""));
    fake_terminal_answer(g, "library.upload_begin", "{\"upload_id\":\"up1\",\"offset\":18000000,\"chunk_size\":65536}");
    assert_true(fake_terminal_asked(g, "library.upload_chunk"));
    unlink(path);
    rmdir(folder);
}

static void library_load(struct fake_terminal *g)
{
    /* The eight of the drawing, and more below, so that there are fifty. */
    char list[12000] = "{\"items\":["
                       "{\"pdf_id\":\"d1\",\"title\":\"Principles of "
                       "Biochemistry\",\"pages\":640,\"course_id\":\"k1\",\"created_at\":\"2026-09-12T08:00:00Z\","
                       "\"indexed_at\":\"2026-09-12T08:00:00Z\"},"
                       "{\"pdf_id\":\"d3\",\"title\":\"Practical "
                       "handbook\",\"pages\":96,\"course_id\":\"k1\",\"created_at\":\"2026-09-12T08:00:00Z\",\"indexed_"
                       "at\":\"2026-09-12T08:00:00Z\"},"
                       "{\"pdf_id\":\"d2\",\"title\":\"Lecture 6: How enzymes are switched "
                       "off\",\"pages\":24,\"course_id\":\"k1\",\"created_at\":\"2026-11-02T08:00:00Z\",\"indexed_at\":"
                       "\"2026-11-02T08:00:00Z\"},"
                       "{\"pdf_id\":\"d5\",\"title\":\"Lecture 7: Reading a rate "
                       "plot\",\"pages\":31,\"course_id\":\"k1\",\"created_at\":\"2026-11-09T08:00:00Z\",\"indexed_"
                       "at\":\"2026-11-09T08:00:00Z\"},"
                       "{\"pdf_id\":\"d4\",\"title\":\"Metabolism in one "
                       "term\",\"pages\":212,\"course_id\":null,\"created_at\":\"2026-09-20T08:00:00Z\",\"indexed_at\":"
                       "\"2026-09-20T08:00:00Z\"},"
                       "{\"pdf_id\":\"d6\",\"title\":\"Organic Chemistry "
                       "I\",\"pages\":488,\"course_id\":\"k3\",\"created_at\":\"2026-09-14T08:00:00Z\",\"indexed_at\":"
                       "\"2026-09-14T08:00:00Z\"},"
                       "{\"pdf_id\":\"d7\",\"title\":\"Exercises with "
                       "solutions\",\"pages\":120,\"course_id\":\"k3\",\"created_at\":\"2026-09-14T08:00:00Z\","
                       "\"indexed_at\":\"2026-09-14T08:00:00Z\"},"
                       "{\"pdf_id\":\"d8\",\"title\":\"Buffers, a short "
                       "course\",\"pages\":40,\"course_id\":null,\"created_at\":\"2026-10-03T08:00:00Z\",\"indexed_"
                       "at\":\"2026-10-03T08:00:00Z\"}";
    for (int i = 9; i <= 50; i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used,
                 ",{\"pdf_id\":\"d%d\",\"title\":\"Worksheet %d\",\"pages\":%d,\"created_at\":\"2026-08-03T08:00:00Z\","
                 "\"indexed_at\":\"2026-08-03T08:00:00Z\"}",
                 i, i, i);
    }
    strcat(list, "],\"next_cursor\":\"more\"}");
    fake_terminal_answer(g, "library.list", list);
    fake_terminal_answer(g, "library.jobs",
                         "{\"items\":["
                         "{\"job_id\":\"j1\",\"pdf_id\":\"p1\",\"title\":\"Lecture "
                         "8.pdf\",\"state\":\"extracting\",\"pages_done\":21,\"pages_total\":30},"
                         "{\"job_id\":\"j2\",\"pdf_id\":\"p2\",\"title\":\"Old exams "
                         "1998.pdf\",\"state\":\"failed\",\"failed_at\":\"2026-11-23T13:22:00Z\",\"error_message\":"
                         "\"This file holds pictures of pages and no text. Scan it again with text recognition "
                         "switched on, then press a and send the new file.\"},"
                         "{\"job_id\":\"j3\",\"pdf_id\":\"p3\",\"title\":\"Lecture "
                         "7\",\"state\":\"storing\",\"pages_done\":31,\"pages_total\":31}],\"next_cursor\":null}");
    fake_terminal_answer(
        g, "courses.list",
        "{\"items\":[{\"course_id\":\"k1\",\"code\":\"BIO101\",\"title\":\"Biochemistry "
        "101\"},{\"course_id\":\"k3\",\"code\":\"CHEM110\",\"title\":\"Chemistry 110\"}],\"next_cursor\":null}");
    upload(g);
    fake_terminal_key(g, "Home Down Down");
    fake_terminal_notification(
        g, "library.progress",
        "{\"job_id\":\"j3\",\"pdf_id\":\"p3\",\"title\":\"Lecture "
        "7\",\"state\":\"indexed\",\"pages_done\":31,\"pages_total\":31,\"pages_without_text\":0}");
}

/* The drawing leaves six rows blank under fifty documents, and counts fifty rows where fifty documents and three files
 * stand; its second heading is one column longer than all others. */
static void library(void **state)
{
    (void)state;
    struct fake_terminal g;
    fake_terminal_open(&g, "teacher");
    fake_terminal_key(&g, "Alt-6");
    library_load(&g);
    fake_terminal_is(&g, "library");
    fake_terminal_stop(&g);
    fake_terminal_start(&g, 10, 40);
    fake_terminal_login(&g, "teacher");
    fake_terminal_key(&g, "Alt-6");
    library_load(&g);
    fake_terminal_is(&g, "library-40");
    fake_terminal_stop(&g);
}

static void a_large_file_shows_its_figures_whole(void **state)
{
    (void)state;
    struct fake_terminal g;
    fake_terminal_start(&g, 24, 80);
    fake_terminal_login(&g, "teacher");
    fake_terminal_key(&g, "Alt-6");
    fake_terminal_answer(&g, "library.list", "{\"items\":[],\"next_cursor\":null}");
    fake_terminal_answer(
        &g, "library.jobs",
        "{\"items\":[{\"job_id\":\"j1\",\"pdf_id\":\"p1\",\"title\":\"Atlas.pdf\",\"state\":\"sending\","
        "\"sent\":113000000,\"size\":120000000}],\"next_cursor\":null}");
    assert_true(fake_terminal_shows(&g, "94%  113 of 120 MB"));
    fake_terminal_stop(&g);
}

static void people(void **state)
{
    (void)state;
    static const char found[] = "{\"items\":[{\"user_id\":\"u1\",\"institution_id\":\"s1024\",\"name\":\"Maria "
                                "Okafor\",\"role\":\"student\",\"disabled\":false},"
                                "{\"user_id\":\"u2\",\"institution_id\":\"s0877\",\"name\":\"Ben "
                                "Okada\",\"role\":\"student\",\"disabled\":false},"
                                "{\"user_id\":\"u3\",\"institution_id\":\"s1190\",\"name\":\"Ifeoma "
                                "Okafor\",\"role\":\"student\",\"disabled\":true},"
                                "{\"user_id\":\"u4\",\"institution_id\":\"t0031\",\"name\":\"Dr. P. "
                                "Okamoto\",\"role\":\"teacher\",\"disabled\":false},"
                                "{\"user_id\":\"u5\",\"institution_id\":\"a0002\",\"name\":\"L. "
                                "Oka\",\"role\":\"admin\",\"disabled\":false}],\"next_cursor\":null}";
    AUTO(fake_terminal_stop) struct fake_terminal g;
    fake_terminal_open(&g, "admin");
    fake_terminal_key(&g, "Alt-7");
    fake_terminal_answer(&g, "users.list", found);
    fake_terminal_key(&g, "/");
    fake_terminal_enter(&g, "oka");
    assert_non_null(strstr(fake_terminal_params(&g, "users.list"), "\"query\":\"oka\""));
    fake_terminal_answer(&g, "users.list", found);
    fake_terminal_key(&g, "r y");
    fake_terminal_answer(&g, "users.reset_password", "{\"password\":\"tulip-94-harbor\"}");
    fake_terminal_is(&g, "people");
    fake_terminal_key(&g, "y");
    assert_string_equal(g.copied, "tulip-94-harbor");
    fake_terminal_key(&g, "Down y");
    assert_false(fake_terminal_shows(&g, "tulip"));
}

/* The drawing's dates stand left of the weeks that its bars show, and its right edge is a column off above, below. */
static void reflection(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    fake_terminal_open(&g, "admin");
    fake_terminal_key(&g, "Alt-7 Alt-Left");
    fake_terminal_answer(
        &g, "admin.students",
        "{\"items\":[{\"user_id\":\"u2\",\"institution_id\":\"s0877\",\"name\":\"Ben "
        "Okada\",\"searches\":53,\"facts\":12,\"last_active_at\":\"2026-11-12T16:40:00Z\"}],\"next_cursor\":null}");
    fake_terminal_key(&g, "Enter");
    assert_true(fake_terminal_shows(&g, "Ben sees that you looked"));
    g.ui.now += 400;
    fake_terminal_answer(
        &g, "memory.reflect",
        "{\"summary\":\"Ben read organic chemistry all through October. From the end of October enzyme inhibition "
        "became the main topic and organic chemistry faded out. Nothing was searched or asked after 12 November.\","
        "\"topics\":[{\"topic\":\"Enzyme "
        "inhibition\",\"searches\":23,\"first_at\":\"2026-10-25T00:00:00Z\",\"last_at\":\"2026-11-12T00:00:00Z\"},"
        "{\"topic\":\"Organic "
        "chemistry\",\"searches\":17,\"first_at\":\"2026-10-05T08:00:00Z\",\"last_at\":\"2026-11-05T12:00:00Z\"},"
        "{\"topic\":\"Buffers and "
        "pH\",\"searches\":6,\"first_at\":\"2026-10-19T00:00:00Z\",\"last_at\":\"2026-10-24T06:00:00Z\"},"
        "{\"topic\":\"Citric acid "
        "cycle\",\"searches\":4,\"first_at\":\"2026-11-09T00:00:00Z\",\"last_at\":\"2026-11-12T00:00:00Z\"},"
        "{\"topic\":\"Aldol "
        "addition\",\"searches\":3,\"first_at\":\"2026-10-12T00:00:00Z\",\"last_at\":\"2026-10-15T12:00:00Z\"}],"
        "\"active_days\":19,\"last_active_at\":\"2026-11-12T16:40:00Z\",\"quiet_since\":\"2026-11-13T00:00:00Z\","
        "\"provider\":\"builtin\"}");
    fake_terminal_is(&g, "reflection");
}

/* h is younger than the drawing. */
static void help(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    searched(&g, 24, 80, "enzyme");
    fake_terminal_key(&g, "?");
    fake_terminal_is(&g, "help");
}

static void command_line(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    searched(&g, 24, 80, "enzyme inhibition mechanisms");
    ui_reply(&g.ui, 0, NULL, NULL);
    g.ui.methods = cJSON_Parse(
        "{\"methods\":[{\"name\":\"search.query\"},{\"name\":\"library.page\"},{\"name\":\"recommend.list\"},{\"name\":"
        "\"memory.list\"},{\"name\":\"chat.join\"},{\"name\":\"library.list\"},"
        "{\"name\":\"memory.retain\",\"summary\":\"s\",\"x-access\":\"user\",\"params\":[{\"name\":\"fact\","
        "\"required\":true,\"schema\":{\"type\":\"string\"}}]},"
        "{\"name\":\"memory.export\",\"x-access\":\"user\"},{\"name\":\"memory.forget\",\"x-access\":\"user\"},"
        "{\"name\":\"memory.recall\",\"summary\":\"find facts by "
        "meaning\",\"x-access\":\"user\",\"params\":[{\"name\":\"query\",\"required\":true,\"schema\":{\"type\":"
        "\"string\"}},{\"name\":\"limit\",\"schema\":{\"type\":\"integer\"}}]},"
        "{\"name\":\"memory.status\",\"summary\":\"is memory on, and does it answer\",\"x-access\":\"user\"}]}");
    fake_terminal_key(&g, ":");
    fake_terminal_type(&g, "mem");
    fake_terminal_is(&g, "command");
    fake_terminal_key(&g, "Down Down Down Tab");
    fake_terminal_enter(&g, "malonate and time");
    assert_string_equal(fake_terminal_params(&g, "memory.recall"), "{\"query\":\"malonate and time\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(login_on_first_use),
        cmocka_unit_test(search_results),
        cmocka_unit_test(the_answer_while_it_is_written),
        cmocka_unit_test(side_by_side_when_wide),
        cmocka_unit_test(reader),
        cmocka_unit_test(for_you),
        cmocka_unit_test(memory),
        cmocka_unit_test(chat),
        cmocka_unit_test(connection_lost),
        cmocka_unit_test(chat_small),
        cmocka_unit_test(library),
        cmocka_unit_test(a_large_file_shows_its_figures_whole),
        cmocka_unit_test(people),
        cmocka_unit_test(reflection),
        cmocka_unit_test(help),
        cmocka_unit_test(command_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
