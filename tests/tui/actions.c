/* actions.c - what a client does on keys, replies and notifications: what goes wrong, what is kept, what is asked before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/fake_terminal_data.h"

static void words_for_what_goes_wrong(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    fake_terminal_open(&g, "student");
    fake_terminal_enter(&g, "stone");
    fake_terminal_fail(&g, "search.query", ERR_BUSY, NULL);
    assert_true(fake_terminal_shows(&g, "The server has much to do. Trying again in 3 s, Ctrl-C stops."));
    fake_terminal_later(&g, 3100);
    fake_terminal_fail(&g, "search.query", ERR_RATE_LIMITED, NULL);
    assert_true(fake_terminal_shows(&g, "Next question in 3 s"));
    fake_terminal_later(&g, 3100);
    assert_false(fake_terminal_shows(&g, "Next question"));
    fake_terminal_key(&g, "Enter");
    fake_terminal_fail(&g, "search.query", ERR_UNAUTHENTICATED, NULL);
    assert_true(fake_terminal_shows(&g, "You have been logged out. What you typed is kept."));
    assert_string_equal(g.token, "");
    fake_terminal_key(&g, "Esc");
    fake_terminal_enter(&g, "secret");
    assert_false(fake_terminal_shows(&g, "secret"));
    assert_true(fake_terminal_shows(&g, "******"));
    fake_terminal_answer(&g, "auth.login",
                         "{\"token\":\"new\",\"expires_at\":\"x\",\"user\":{\"user_id\":\"u-maria\",\"name\":\"Maria "
                         "Okafor\",\"role\":\"student\",\"institution_id\":\"s1024\"}}");
    assert_string_equal(g.token, "new");
    assert_true(fake_terminal_shows(&g, "Search: stone"));
    fake_terminal_key(&g, "Ctrl-C");
    assert_true(fake_terminal_shows(&g, "Nothing is running. q leaves."));
}

static void a_service_that_is_away_is_a_sentence_and_no_failed_search(void **state)
{
    (void)state;
    static const struct {
        const char *reply;
        bool told;
    } cases[] = {
        {"{\"query\":\"stone\",\"took_ms\":3,\"embeddings_degraded\":true,\"results\":[]}", true},
        {"{\"query\":\"stone\",\"took_ms\":3,\"embeddings_degraded\":false,\"results\":[]}", false},
        {"{\"query\":\"stone\",\"took_ms\":3,\"results\":[]}", false}, /* an older server */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(fake_terminal_stop) struct fake_terminal g;
        fake_terminal_open(&g, "student");
        fake_terminal_enter(&g, "stone");
        fake_terminal_answer(&g, "search.query", cases[i].reply);
        assert_int_equal(
            fake_terminal_shows(&g, "The embedding service does not answer. The built-in one searched instead."),
            cases[i].told);
    }
}

static void what_the_server_has_not_is_not_shown(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    fake_terminal_open(&g, "student");
    assert_true(fake_terminal_shows(&g, "Memory"));
    fake_terminal_answer(
        &g, "rpc.discover",
        "{\"methods\":[{\"name\":\"search.query\"},{\"name\":\"library.list\"},{\"name\":\"library.page\"}]}");
    assert_false(fake_terminal_shows(&g, "Memory"));
    assert_false(fake_terminal_shows(&g, "Chat"));
    fake_terminal_key(&g, "Esc g m");
    assert_int_equal(g.ui.open, PANE_SEARCH);
    fake_terminal_key(&g, "?");
    assert_false(fake_terminal_shows(&g, "choose a course"));
}

static void an_answer_outlives_the_connection(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    fake_terminal_open(&g, "student");
    fake_terminal_enter(&g, "why?");
    fake_terminal_answer(&g, "search.query",
                         "{\"query\":\"why?\",\"results\":[{\"chunk_id\":\"c\",\"pdf_id\":\"d\",\"title\":\"T\","
                         "\"page\":1,\"snippet\":\"s\"}]}");
    fake_terminal_notification(&g, "search.sources", "{\"id\":9,\"thread_id\":\"t7\",\"citations\":[]}");
    fake_terminal_notification(&g, "search.delta", "{\"id\":9,\"queue_position\":2}");
    assert_true(fake_terminal_shows(&g, "2 before you"));
    fake_terminal_notification(&g, "search.delta", "{\"id\":9,\"text\":\"Half of\"}");
    ui_link(&g.ui, UI_LOST, NULL);
    fake_terminal_fail(&g, "search.ask", ERR_UNREACHABLE, NULL);
    assert_true(fake_terminal_shows(&g, "Half of"));
    ui_link(&g.ui, UI_ONLINE, NULL);
    fake_terminal_answer(&g, "auth.whoami", "{\"user_id\":\"u-maria\",\"name\":\"Maria Okafor\",\"role\":\"student\"}");
    assert_string_equal(fake_terminal_params(&g, "search.thread"), "{\"thread_id\":\"t7\"}");
    fake_terminal_answer(&g, "search.thread",
                         "{\"turns\":[{\"search_id\":\"s\",\"query\":\"why?\",\"answer\":\"All of the "
                         "answer.\",\"citations\":[],\"at\":\"2026-11-23T14:00:00Z\"}]}");
    assert_true(fake_terminal_shows(&g, "All of the answer."));
    assert_false(fake_terminal_shows(&g, "Half of"));
}

static void earlier_searches_are_a_list(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    fake_terminal_open(&g, "student");
    fake_terminal_answer(&g, "search.history", "{\"items\":[]}");
    fake_terminal_key(&g, "Esc :");
    fake_terminal_enter(&g, "history");
    fake_terminal_answer(&g, "search.history",
                         "{\"items\":[{\"search_id\":\"s2\",\"thread_id\":null,\"query\":\"stone "
                         "age\",\"results\":3,\"at\":\"2026-11-20T14:00:00Z\"},"
                         "{\"search_id\":\"s1\",\"thread_id\":\"t7\",\"query\":\"why "
                         "iron?\",\"results\":4,\"at\":\"2026-11-19T14:00:00Z\"}]}");
    assert_true(fake_terminal_shows(&g, "Your earlier searches"));
    assert_true(fake_terminal_shows(&g, "stone age"));
    fake_terminal_key(&g, "Down Enter");
    assert_true(fake_terminal_shows(&g, "Search: why iron?"));
    assert_non_null(strstr(fake_terminal_params(&g, "search.query"), "why iron?"));
    assert_string_equal(fake_terminal_params(&g, "search.thread"), "{\"thread_id\":\"t7\"}");
    fake_terminal_answer(
        &g, "search.query",
        "{\"query\":\"why "
        "iron?\",\"results\":[{\"chunk_id\":\"c\",\"pdf_id\":\"d\",\"title\":\"T\",\"page\":1,\"snippet\":\"s\"}]}");
    fake_terminal_answer(&g, "search.thread",
                         "{\"turns\":[{\"search_id\":\"s1\",\"query\":\"why iron?\",\"answer\":\"It was "
                         "kept.\",\"citations\":[],\"at\":\"2026-11-19T14:00:00Z\"}]}");
    fake_terminal_key(&g, "Tab");
    assert_true(fake_terminal_shows(&g, "It was kept."));
    assert_false(fake_terminal_asked(&g, "search.ask"));
    fake_terminal_key(&g, "f");
    fake_terminal_enter(&g, "and steel");
    assert_non_null(strstr(fake_terminal_params(&g, "search.ask"), "\"thread_id\":\"t7\""));
}

static void the_longer_command_is_not_taken_for_the_shorter(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    fake_terminal_open(&g, "student");
    fake_terminal_key(&g, "Esc :");
    fake_terminal_enter(&g, "history clear");
    assert_true(fake_terminal_shows(&g, "Clear your search history?"));
    fake_terminal_key(&g, "Esc :");
    fake_terminal_enter(&g, "logout everywhere");
    assert_string_equal(fake_terminal_params(&g, "auth.logout"), "{\"everywhere\":true}");
}

/* What Enter does behind a Tab is what it would have done without. */
static void completing_changes_no_meaning(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    fake_terminal_open(&g, "student");
    fake_terminal_key(&g, "Esc :");
    fake_terminal_type(&g, "pass");
    fake_terminal_key(&g, "Tab Enter");
    assert_true(fake_terminal_shows(&g, "password"));
    fake_terminal_key(&g, "Esc Esc :");
    fake_terminal_type(&g, "logo");
    fake_terminal_key(&g, "Tab Enter");
    assert_true(fake_terminal_asked(&g, "auth.logout"));
    assert_null(strstr(fake_terminal_params(&g, "auth.logout"), "true"));
}

static void names_become_ids_after_a_colon(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    fake_terminal_open(&g, "admin");
    cJSON_Delete(g.ui.methods);
    g.ui.methods = cJSON_Parse("{\"methods\":[{\"name\":\"search.query\"},{\"name\":\"courses.list\"},{\"name\":"
                               "\"users.list\"},{\"name\":\"library.list\"},"
                               "{\"name\":\"library.outline\",\"params\":[{\"name\":\"pdf_id\",\"required\":true,"
                               "\"schema\":{\"type\":\"string\"}}]},"
                               "{\"name\":\"courses.unenrol\",\"params\":[{\"name\":\"course_id\",\"required\":true,"
                               "\"schema\":{\"type\":\"string\"}},"
                               "{\"name\":\"institution_ids\",\"required\":true,\"schema\":{\"type\":\"array\"}}]}]}");
    fake_terminal_key(&g, "Esc :");
    fake_terminal_type(&g, "courses.unenrol bio");
    fake_terminal_key(&g, "Tab");
    fake_terminal_answer(&g, "courses.list",
                         "{\"items\":[{\"course_id\":\"c-1\",\"code\":\"BIO101\",\"title\":\"Enzymes\"},"
                         "{\"course_id\":\"c-2\",\"code\":\"BIO102\",\"title\":\"Cells\"},{\"course_id\":\"c-3\","
                         "\"code\":\"HIS1\",\"title\":\"Iron\"}],\"next_cursor\":null}");
    assert_true(fake_terminal_shows(&g, "BIO101 Enzymes, BIO102 Cells"));
    fake_terminal_key(&g, "Tab");
    assert_true(fake_terminal_shows(&g, ":courses.unenrol bio"));
    fake_terminal_type(&g, "102");
    fake_terminal_key(&g, "Tab");
    assert_true(fake_terminal_shows(&g, ":courses.unenrol c-2"));
    fake_terminal_type(&g, " s7 okaf");
    fake_terminal_key(&g, "Tab");
    fake_terminal_answer(
        &g, "users.list",
        "{\"items\":[{\"user_id\":\"u1\",\"institution_id\":\"s1\",\"name\":\"Maria Okafor\"}],\"next_cursor\":null}");
    fake_terminal_key(&g, "Tab Enter");
    assert_string_equal(fake_terminal_params(&g, "courses.unenrol"),
                        "{\"course_id\":\"c-2\",\"institution_ids\":[\"s7\",\"s1\"]}");
    fake_terminal_key(&g, ":");
    fake_terminal_type(&g, "library.outline iron age");
    fake_terminal_key(&g, "Tab");
    fake_terminal_answer(
        &g, "library.list",
        "{\"items\":[{\"pdf_id\":\"d-9\",\"title\":\"The Iron Age\",\"course_id\":\"c-3\"}],\"next_cursor\":null}");
    fake_terminal_key(&g, "Tab Enter");
    assert_string_equal(fake_terminal_params(&g, "library.outline"), "{\"pdf_id\":\"d-9\"}");
}

static void who_is_put_into_a_course_is_told(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    fake_terminal_open(&g, "student");
    fake_terminal_notification(&g, "courses.changed",
                               "{\"course_id\":\"c-1\",\"enrolled_by\":\"Tim \\u001b[31mTeacher\"}");
    assert_true(fake_terminal_shows(&g, "Teacher has put you into a course. :courses.leave takes you out again."));
}

static void a_teacher_keeps_the_courses(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    fake_terminal_open(&g, "teacher");
    fake_terminal_key(&g, "Esc g t Alt-Right");
    fake_terminal_answer(&g, "courses.list",
                         "{\"items\":[{\"course_id\":\"c-1\",\"code\":\"BIO101\",\"title\":\"Enzymes\",\"teacher\":"
                         "\"Ada\",\"members\":3,\"documents\":1}],\"next_cursor\":null}");
    assert_true(fake_terminal_shows(&g, "[Courses]"));
    assert_true(fake_terminal_shows(&g, "BIO101"));
    assert_false(fake_terminal_asked(&g, "users.list"));
    fake_terminal_key(&g, "U");
    fake_terminal_enter(&g, "s1, s2");
    assert_string_equal(fake_terminal_params(&g, "courses.unenrol"),
                        "{\"course_id\":\"c-1\",\"institution_ids\":[\"s1\",\"s2\"]}");
    fake_terminal_answer(&g, "courses.unenrol", "{\"changed\":1,\"unknown\":[\"s2\"]}");
    assert_true(fake_terminal_shows(&g, "1 taken out, 1 not known."));
    fake_terminal_key(&g, "E");
    fake_terminal_enter(&g, "s3");
    assert_non_null(strstr(fake_terminal_params(&g, "courses.enrol"), "[\"s3\"]"));
    fake_terminal_key(&g, "a");
    fake_terminal_enter(&g, "HIS1");
    fake_terminal_enter(&g, "Iron");
    assert_string_equal(fake_terminal_params(&g, "courses.create"), "{\"code\":\"HIS1\",\"title\":\"Iron\"}");
    fake_terminal_key(&g, "R Ctrl-U");
    fake_terminal_enter(&g, "Cells");
    assert_string_equal(fake_terminal_params(&g, "courses.update"), "{\"course_id\":\"c-1\",\"title\":\"Cells\"}");
    fake_terminal_key(&g, "Alt-Left");
    assert_true(fake_terminal_shows(&g, "Choose a student"));
}

static void a_list_of_people_is_shown_before_it_is_sent(void **state)
{
    (void)state;
    char path[] = "/tmp/edurag-people-XXXXXX";
    static const char list[] = "institution_id,name,role\ns1,Maria Okafor,student\ns2,\"Okada, "
                               "Ben\",student\r\ns3,Amira,pupil\ns4,Jonas\n\n,x,student\n";
    int file = mkstemp(path);
    assert_true(file >= 0 && write(file, list, sizeof list - 1) == (ssize_t)sizeof list - 1);
    close(file);
    AUTO(fake_terminal_stop) struct fake_terminal g;
    fake_terminal_open(&g, "admin");
    fake_terminal_key(&g, "Esc g a");
    fake_terminal_answer(&g, "users.list",
                         "{\"items\":[{\"user_id\":\"u1\",\"institution_id\":\"s1\",\"name\":\"Maria "
                         "Okafor\",\"role\":\"student\"}],\"next_cursor\":null}");
    fake_terminal_key(&g, "i Ctrl-U");
    fake_terminal_enter(&g, path);
    assert_true(fake_terminal_shows(&g, "1 new, 1 known, 3 wrong (line 4: no such role). Enter adds, Esc stops."));
    fake_terminal_key(&g, "Esc");
    assert_false(fake_terminal_asked(&g, "users.import"));
    fake_terminal_key(&g, "i Ctrl-U");
    fake_terminal_enter(&g, path);
    fake_terminal_key(&g, "Enter");
    assert_non_null(strstr(fake_terminal_params(&g, "users.import"), "\"partial\":true"));
    fake_terminal_notification(&g, "users.progress", "{\"done\":8,\"total\":40,\"id\":3}");
    assert_true(fake_terminal_shows(&g, "8 of 40"));
    fake_terminal_answer(&g, "users.import",
                         "{\"created\":[{\"institution_id\":\"s2\",\"password\":\"tulip-94\"}],\"skipped\":1,"
                         "\"errors\":[{\"line\":4,\"message\":\"no such role\"}]}");
    assert_true(fake_terminal_shows(&g, "tulip-94"));
    assert_true(fake_terminal_shows(&g, "1 had an account already."));
    fake_terminal_key(&g, "e Esc");
    assert_true(fake_terminal_shows(&g, "tulip-94"));
    fake_terminal_key(&g, "e");
    fake_terminal_enter(&g, "new-people.txt");
    assert_true(fake_terminal_shows(&g, "tulip-94"));
    assert_non_null(strstr(g.written, "tulip-94"));
    fake_terminal_key(&g, "Esc");
    assert_false(fake_terminal_shows(&g, "tulip-94"));
    fake_terminal_answer(&g, "users.list",
                         "{\"items\":[{\"user_id\":\"u1\",\"institution_id\":\"s1\",\"name\":\"Maria "
                         "Okafor\",\"role\":\"student\"}],\"next_cursor\":\"more\"}");
    fake_terminal_key(&g, "i Ctrl-U");
    fake_terminal_enter(&g, path);
    assert_true(fake_terminal_shows(&g, "up to 1 new, 1 or more known, 3 wrong"));
    unlink(path);
}

static void many_pasted_lines_ask_before_they_are_sent(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    fake_terminal_open(&g, "student");
    fake_terminal_answer(&g, "chat.join",
                         "{\"room\":\"r0\",\"ttl_seconds\":3600,\"messages\":[],\"more\":false,\"online\":1}");
    fake_terminal_key(&g, "Alt-5");
    fake_terminal_paste(&g, "one\r\ntwo\r\nthree");
    fake_terminal_key(&g, "Enter");
    assert_true(fake_terminal_shows(&g, "Send 3 lines as one message?"));
    fake_terminal_key(&g, "Enter"); /* the harmless answer */
    assert_false(fake_terminal_asked(&g, "chat.send"));
    fake_terminal_key(&g, "Enter y");
    assert_non_null(strstr(fake_terminal_params(&g, "chat.send"), "one\\ntwo\\nthree"));
    g.ui.chat_most = 5;
    fake_terminal_enter(&g, "eight ch");
    assert_true(fake_terminal_shows(&g, "3 characters too long"));
    assert_true(fake_terminal_shows(&g, "eight ch"));
    assert_true(ui_unsent(&g.ui));
    fake_terminal_key(&g, "Esc q");
    assert_true(fake_terminal_shows(&g, "Leave anyway?"));
    fake_terminal_key(&g, "n");
    assert_false(g.left);
}

static void a_login_is_renewed_before_it_ends(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    fake_terminal_open(&g, "student");
    fake_terminal_notification(&g, "auth.expiring", "{\"expires_at\":\"2026-11-23T14:11:00Z\"}");
    fake_terminal_answer(&g, "auth.refresh", "{\"token\":\"longer\",\"expires_at\":\"2026-11-24T14:11:00Z\"}");
    assert_string_equal(g.token, "longer");
}

static void files_are_picked_from_a_list(void **state)
{
    (void)state;
    char folder[] = "/tmp/edurag-picked-XXXXXX", path[100];
    static const char *const names[] = {"inner/", "inner/Lecture 9.pdf", "Lecture 7.pdf", "Lecture 8.pdf"};
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        FILE *file = path[strlen(path) - 1] == '/' ? NULL : fopen(path, "w");
        if (file) {
            fputs("%PDF-1.7", file);
            fclose(file);
        } else {
            assert_int_equal(mkdir(path, 0700), 0);
        }
    }
    AUTO(fake_terminal_stop) struct fake_terminal g;
    fake_terminal_open(&g, "teacher");
    fake_terminal_key(&g, "Esc g l");
    fake_terminal_answer(
        &g, "courses.list",
        "{\"items\":[{\"course_id\":\"k\",\"code\":\"BIO\",\"title\":\"Cells\"}],\"next_cursor\":null}");
    fake_terminal_key(&g, "a Ctrl-U");
    fake_terminal_type(&g, folder);
    fake_terminal_type(&g, "/");
    assert_true(fake_terminal_shows(&g, "3 fit"));
    assert_true(fake_terminal_shows(&g, "  Lecture 8.pdf"));
    fake_terminal_type(&g, "L");
    assert_true(fake_terminal_shows(&g, "2 fit"));
    fake_terminal_key(&g, "Backspace Down Down Down");
    assert_true(fake_terminal_shows(&g, "▸ inner/"));
    fake_terminal_key(&g, "Enter");
    assert_true(fake_terminal_shows(&g, "  Lecture 9.pdf"));
    fake_terminal_key(&g, "Down Enter Enter");
    for (int i = 0; i < 5; i++)
        ui_tick(&g.ui);
    assert_non_null(strstr(fake_terminal_params(&g, "library.upload_begin"), "Lecture 9.pdf"));
    for (size_t i = COUNT_OF(names); i-- > 0;) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
    rmdir(folder);
}

static void admin_speaks_as_people_do(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    fake_terminal_open(&g, "admin");
    fake_terminal_key(&g, "Esc g a");
    fake_terminal_answer(&g, "users.list",
                         "{\"items\":[{\"user_id\":\"u1\",\"institution_id\":\"a1\",\"name\":\"L. "
                         "Oka\",\"role\":\"admin\"}],\"next_cursor\":null}");
    assert_true(fake_terminal_shows(&g, "What Oka asks"));
    fake_terminal_key(&g, "Alt-Right");
    fake_terminal_answer(&g, "courses.list",
                         "{\"items\":[{\"course_id\":\"k1\",\"code\":\"BIO\",\"title\":\"Cells\",\"members\":1,"
                         "\"documents\":1}],\"next_cursor\":null}");
    assert_true(fake_terminal_shows(&g, "   1 person"));
    assert_true(fake_terminal_shows(&g, "    1 document"));
    assert_false(fake_terminal_shows(&g, "1 documents"));
    fake_terminal_key(&g, "Alt-Right");
    fake_terminal_answer(&g, "library.jobs",
                         "{\"items\":[{\"job_id\":\"j1\",\"pdf_id\":\"d1\",\"title\":\"Cells\",\"state\":\"failed\"}],"
                         "\"next_cursor\":null}");
    fake_terminal_key(&g, "w");
    fake_terminal_answer(&g, "library.job",
                         "{\"job_id\":\"j1\",\"title\":\"Cells\",\"state\":\"failed\",\"queued_at\":\"2026-11-23T13:22:"
                         "00.193Z\",\"started_at\":null}");
    assert_true(fake_terminal_shows(&g, "queued at                    today 13:22"));
}

static void long_news_takes_the_whole_row(void **state)
{
    (void)state;
    AUTO(fake_terminal_stop) struct fake_terminal g;
    fake_terminal_open(&g, "student");
    fake_terminal_enter(&g, "stone");
    fake_terminal_answer(&g, "search.query",
                         "{\"query\":\"stone\",\"results\":[{\"chunk_id\":\"c\",\"pdf_id\":\"d\",\"title\":\"T\","
                         "\"page\":1,\"snippet\":\"s\"}]}");
    assert_true(fake_terminal_shows(&g, "1 of 1"));
    fake_terminal_key(&g, "y");
    assert_true(fake_terminal_shows(&g, "If pasting shows nothing: v shows the bare text to"));
    assert_false(fake_terminal_shows(&g, "1 of 1"));
    fake_terminal_key(&g, "Up");
    assert_true(fake_terminal_shows(&g, "1 of 1"));
}

/* Nothing on the screen counts, so nothing wakes: in every pane, once all has come and the last notifications is gone. Chat's
 * first wait is for the line that gets a countdown. */
static void at_rest_nothing_ticks(void **state)
{
    (void)state;
    static const char *const roles[] = {"student", "teacher", "admin"};
    for (size_t r = 0; r < COUNT_OF(roles); r++) {
        AUTO(fake_terminal_stop) struct fake_terminal g;
        fake_terminal_start(&g, 24, 80);
        fake_terminal_data_fill(&g, roles[r], "text");
        for (int pane = PANE_SEARCH; pane < PANE_COUNT; pane++) {
            if (!ui_visible(&g.ui, (enum pane)pane))
                continue;
            ui_open(&g.ui, (enum pane)pane);
            fake_terminal_data_answer(&g, "text");
            fake_terminal_later(&g, 9000);
            fake_terminal_later(&g, 9000);
            int next = ui_tick(&g.ui);
            if (pane == PANE_CHAT ? next >= 0 && next < 1000 : next != -1)
                fail_msg("%s, pane %d: wakes after %d ms", roles[r], pane, next);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_for_what_goes_wrong),
        cmocka_unit_test(a_service_that_is_away_is_a_sentence_and_no_failed_search),
        cmocka_unit_test(what_the_server_has_not_is_not_shown),
        cmocka_unit_test(an_answer_outlives_the_connection),
        cmocka_unit_test(earlier_searches_are_a_list),
        cmocka_unit_test(the_longer_command_is_not_taken_for_the_shorter),
        cmocka_unit_test(completing_changes_no_meaning),
        cmocka_unit_test(names_become_ids_after_a_colon),
        cmocka_unit_test(who_is_put_into_a_course_is_told),
        cmocka_unit_test(a_teacher_keeps_the_courses),
        cmocka_unit_test(a_list_of_people_is_shown_before_it_is_sent),
        cmocka_unit_test(many_pasted_lines_ask_before_they_are_sent),
        cmocka_unit_test(a_login_is_renewed_before_it_ends),
        cmocka_unit_test(files_are_picked_from_a_list),
        cmocka_unit_test(admin_speaks_as_people_do),
        cmocka_unit_test(long_news_takes_the_whole_row),
        cmocka_unit_test(at_rest_nothing_ticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
