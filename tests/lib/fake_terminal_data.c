/* fake_terminal_data.c - every pane with something in it. */
#include "tests/lib/fake_terminal_data.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

static const char *filling;
static int one_place = -1; /* only that @ of a template gets the text, the others an x; -1: all of them */

/* The template with @ replaced; quotes and backslashes of the text are escaped, the rest is as raw as it is. */
static char *fill(const char *template)
{
    struct buf out = {0};
    int place = 0, places = 0;
    for (const char *p = template; *p; p++)
        places += *p == '@';
    for (; *template; template ++) {
        if (*template != '@' || (one_place >= 0 && place++ != one_place % (places ? places : 1))) {
            buf_char(&out, *template == '@' ? 'x' : *template);
            continue;
        }
        for (const char *p = filling; *p; p++) {
            if (*p == '"' || *p == '\\')
                buf_char(&out, '\\');
            buf_char(&out, *p);
        }
    }
    return buf_take(&out);
}

static const struct {
    const char *method, *template;
} replies[] = {
    {"search.history", "{\"items\":[{\"search_id\":\"h\",\"thread_id\":\"t\",\"query\":\"@\",\"results\":1,\"at\":"
                       "\"2026-11-20T14:02:00Z\"}],\"next_cursor\":null}"},
    {"search.query", "{\"search_id\":\"q\",\"query\":\"@\",\"corrected\":\"@\",\"took_ms\":3,\"results\":[{\"chunk_"
                     "id\":\"c1\",\"pdf_id\":\"d1\",\"title\":\"@\",\"page\":3,\"page_label\":\"@\","
                     "\"heading\":\"@\",\"snippet\":\"one @ two "
                     "@\",\"highlights\":[[0,3],[2,900],[5,4],[-1,2]]},{\"chunk_id\":\"c2\",\"pdf_id\":\"d1\","
                     "\"title\":\"b\",\"page\":3,"
                     "\"heading\":\"\",\"snippet\":\"\",\"highlights\":[]}]}"},
    {"search.ask", "{\"search_id\":\"s\",\"thread_id\":\"t\",\"answer\":\"First @. [1] Second "
                   "@.\",\"citations\":[{\"n\":1,\"chunk_id\":\"c1\",\"pdf_id\":\"d1\",\"title\":\"@\",\"page\":1,"
                   "\"page_label\":\"@\",\"quote\":\"@\",\"support\":\"quoted\"}],\"sentences\":[{\"start\":0,\"end\":"
                   "9,\"n\":1,\"support\":\"quoted\"},{\"start\":9,\"end\":99999,\"support\":\"@\"}],"
                   "\"grounded\":true,\"memory_used\":1,\"generation\":\"extractive\",\"took_ms\":5}"},
    {"search.thread", "{\"turns\":[{\"search_id\":\"s\",\"query\":\"@\",\"answer\":\"First @. "
                      "[1]\",\"citations\":[{\"n\":1,\"chunk_id\":\"c1\",\"pdf_id\":\"d1\",\"title\":\"@\",\"page\":1,"
                      "\"quote\":\"@\"}],\"at\":\"2026-11-20T14:02:00Z\"}]}"},
    {"library.outline",
     "{\"items\":[{\"title\":\"@\",\"page\":1,\"level\":0},{\"title\":\"@\",\"page\":3,\"level\":7}]}"},
    {"library.page",
     "{\"text\":\"One.\\n\\nTwo @ and\\nthree "
     "@.\\n\",\"page\":3,\"page_label\":\"@\",\"pages\":9,\"title\":\"@\",\"passages\":"
     "[{\"chunk_id\":\"c1\",\"start\":2,\"end\":9},{\"chunk_id\":\"c2\",\"start\":12,\"end\":900000}]}"},
    {"recommend.list", "{\"source\":\"memory\",\"items\":[{\"topic\":\"@\",\"query\":\"@\",\"reason\":\"@\","
                       "\"documents\":[{\"pdf_id\":\"d\",\"title\":\"@\",\"page\":2},"
                       "{\"pdf_id\":\"d\",\"title\":\"@\",\"page\":2}]},{\"topic\":\"b\",\"query\":\"@\",\"reason\":\"@"
                       "\",\"documents\":[]}]}"},
    {"trending.list", "{\"items\":[{\"topic\":\"@\",\"searches\":3,\"searchers\":3}]}"},
    {"memory.status", "{\"enabled\":true,\"provider\":\"@\",\"reachable\":true,\"facts\":2,\"pending_sync\":1,\"failed_"
                      "sync\":0,\"last_error\":\"@\"}"},
    {"memory.list", "{\"items\":[{\"fact_id\":\"f1\",\"fact\":\"@\",\"source\":\"client\",\"count\":3,\"at\":\"2026-11-"
                    "23T14:02:00Z\"},"
                    "{\"fact_id\":\"f2\",\"fact\":\"b\",\"source\":\"@\",\"at\":\"@\"}],\"next_cursor\":\"@\"}"},
    {"memory.access_log", "{\"items\":[{\"at\":\"2026-11-20T14:02:00Z\",\"by\":\"@\",\"role\":\"@\",\"action\":\"@\"}],"
                          "\"next_cursor\":null}"},
    {"memory.reflect",
     "{\"summary\":\"@ "
     "@\",\"topics\":[{\"topic\":\"@\",\"searches\":23,\"first_at\":\"2026-10-25T00:00:00Z\",\"last_at\":\"2026-11-"
     "12T00:00:00Z\",\"weeks\":["
     "{\"from\":\"2026-10-19\",\"searches\":3},{\"from\":\"2026-11-02\",\"searches\":1}]},{\"topic\":\"@\","
     "\"searches\":1,\"first_at\":\"@\",\"last_at\":\"@\"}],\"active_days\":3,"
     "\"last_active_at\":\"2026-11-12T16:40:00Z\",\"quiet_since\":\"2026-11-13T00:00:00Z\",\"provider\":\"@\"}"},
    {"chat.join",
     "{\"room\":null,\"ttl_seconds\":3600,\"more\":false,\"online\":3,\"messages\":[{\"message_id\":\"m1\",\"seq\":1,"
     "\"room\":null,\"user_id\":\"u2\","
     "\"name\":\"@\",\"text\":\"@\",\"at\":\"2026-11-23T14:00:00Z\",\"expires_at\":\"2026-11-23T14:08:00Z\"}]}"},
    {"courses.list", "{\"items\":[{\"course_id\":\"k1\",\"code\":\"@\",\"title\":\"@\",\"teacher\":\"@\",\"members\":3,"
                     "\"documents\":4}],\"next_cursor\":null}"},
    {"courses.members",
     "{\"items\":[{\"user_id\":\"u2\",\"institution_id\":\"@\",\"name\":\"@\",\"role\":\"@\"}],\"next_cursor\":null}"},
    {"library.list", "{\"items\":[{\"pdf_id\":\"d1\",\"title\":\"@\",\"filename\":\"@\",\"pages\":12,\"course_id\":"
                     "\"k1\",\"created_at\":\"2026-09-12T08:00:00Z\",\"indexed_at\":\"2026-09-12T08:00:00Z\"},"
                     "{\"pdf_id\":\"d2\",\"title\":\"@\",\"pages\":1,\"course_id\":null,\"created_at\":\"@\",\"failed_"
                     "at\":\"@\",\"error_message\":\"@\"}],\"next_cursor\":\"x\"}"},
    {"library.jobs", "{\"items\":[{\"job_id\":\"j1\",\"pdf_id\":\"d3\",\"title\":\"@\",\"state\":\"failed\",\"queued_"
                     "at\":\"2026-11-23T13:20:00Z\",\"failed_at\":\"2026-11-23T13:22:00Z\","
                     "\"error_message\":\"@ @ "
                     "@\"},{\"job_id\":\"j2\",\"pdf_id\":\"d4\",\"title\":\"@\",\"state\":\"extracting\",\"pages_"
                     "done\":1,\"pages_total\":3},"
                     "{\"job_id\":\"j4\",\"pdf_id\":\"d6\",\"title\":\"@\",\"state\":\"@\"}],\"next_cursor\":null}"},
    {"library.job", "{\"job_id\":\"j1\",\"pdf_id\":\"d3\",\"title\":\"@\",\"state\":\"@\",\"error_message\":\"@\"}"},
    {"admin.students", "{\"items\":[{\"user_id\":\"u2\",\"institution_id\":\"@\",\"name\":\"@\",\"searches\":3,"
                       "\"facts\":1,\"last_active_at\":\"2026-11-12T16:40:00Z\"}],\"next_cursor\":null}"},
    {"users.list",
     "{\"items\":[{\"user_id\":\"u1\",\"institution_id\":\"@\",\"name\":\"@\",\"role\":\"@\",\"disabled\":true},{"
     "\"user_id\":\"u2\",\"institution_id\":\"b\",\"name\":\"b\",\"role\":\"student\"}],"
     "\"next_cursor\":null}"},
    {"users.reset_password", "{\"password\":\"@\"}"},
    {"users.import", "{\"created\":[{\"institution_id\":\"@\",\"password\":\"@\"}],\"skipped\":1,\"errors\":[{\"line\":"
                     "1,\"message\":\"@\"}]}"},
    {"admin.stats", "{\"users\":{\"@\":3},\"jobs\":[1,\"@\",{\"a\":null}],\"provider\":\"@\"}"},
    {"admin.audit", "{\"items\":[{\"at\":\"2026-11-23T13:22:00Z\",\"actor\":\"@\",\"action\":\"@\",\"target\":\"@\","
                    "\"detail\":\"@\"}],\"next_cursor\":null}"},
};

static void answer(struct fake_terminal *g, const char *method)
{
    for (size_t i = 0; i < COUNT_OF(replies); i++) {
        if (strcmp(replies[i].method, method) != 0 || !fake_terminal_asked(g, method))
            continue;
        AUTO(mem_freep) char *json = fill(replies[i].template);
        fake_terminal_answer(g, method, json);
    }
}

void fake_terminal_data_answer(struct fake_terminal *g, const char *text)
{
    filling = text;
    for (size_t i = 0; i < COUNT_OF(replies); i++)
        while (fake_terminal_asked(g, replies[i].method))
            answer(g, replies[i].method);
}

void fake_terminal_data_one(struct fake_terminal *g, int place, const char *text)
{
    one_place = place;
    fake_terminal_data_answer(g, text);
    one_place = -1;
}

static void notification(struct fake_terminal *g, const char *method, const char *template)
{
    AUTO(mem_freep) char *json = fill(template);
    fake_terminal_notification(g, method, json);
}

static void go(struct fake_terminal *g, enum pane pane)
{
    ui_open(&g->ui, pane);
}

static void search(struct fake_terminal *g)
{
    go(g, PANE_SEARCH);
    answer(g, "search.history");
    fake_terminal_type(g, "why?");
    fake_terminal_key(g, "Enter");
    answer(g, "search.query");
    notification(g, "search.sources",
                 "{\"search_id\":\"s\",\"thread_id\":\"t\",\"citations\":[{\"n\":1,\"chunk_id\":\"c1\",\"pdf_id\":"
                 "\"d1\",\"title\":\"@\",\"page\":1,"
                 "\"page_label\":\"@\",\"quote\":\"@\",\"support\":\"quoted\"}],\"id\":1}");
    notification(g, "search.delta", "{\"id\":1,\"text\":\"@\"}");
    ui_draw(&g->ui);
    answer(g, "search.ask");
}

static void read_page(struct fake_terminal *g)
{
    const char *ids[] = {"c1"};
    reader_open(&g->ui, "d1", 3, ids, 1, "your answer");
    answer(g, "library.outline");
    answer(g, "library.page");
}

static void chat(struct fake_terminal *g)
{
    go(g, PANE_CHAT);
    while (fake_terminal_asked(g, "chat.join"))
        answer(g, "chat.join");
    answer(g, "courses.list");
    if (fake_terminal_asked(g, "chat.join"))
        fake_terminal_answer(g, "chat.join",
                             "{\"room\":\"k1\",\"ttl_seconds\":3600,\"more\":false,\"online\":3,\"messages\":[]}");
    notification(g, "chat.message",
                 "{\"message_id\":\"m2\",\"seq\":2,\"room\":null,\"user_id\":\"u2\",\"name\":\"@\",\"text\":\"hello "
                 "@maria @\\nnext\",\"at\":\"2026-11-23T14:05:00Z\","
                 "\"expires_at\":\"2026-11-23T15:05:00Z\"}");
    fake_terminal_type(g, "a line of mine");
    fake_terminal_key(g, "Enter");
    if (fake_terminal_asked(g, "chat.send"))
        fake_terminal_fail(g, "chat.send", ERR_FORBIDDEN, filling);
    fake_terminal_paste(g, filling);
}

static void library(struct fake_terminal *g)
{
    go(g, PANE_LIBRARY);
    answer(g, "library.list");
    answer(g, "library.jobs");
    answer(g, "courses.list");
    notification(g, "library.progress",
                 "{\"job_id\":\"j3\",\"pdf_id\":\"d5\",\"title\":\"@\",\"state\":\"indexed\",\"pages_total\":3}");
}

static void students(struct fake_terminal *g)
{
    answer(g, "admin.students");
    ui_draw(&g->ui);
    fake_terminal_key(g, "Enter");
    answer(g, "memory.reflect");
}

static void admin(struct fake_terminal *g)
{
    static const char *const sections[] = {"users.list", "courses.list", "library.jobs", "admin.stats", "admin.audit"};
    go(g, PANE_ADMIN);
    for (size_t i = 0; i < COUNT_OF(sections); i++) {
        answer(g, sections[i]);
        ui_draw(&g->ui);
        fake_terminal_key(g, "Alt-Right");
    }
    students(g);
    ui_draw(&g->ui);
    fake_terminal_key(g, "Alt-Right");
}

void fake_terminal_data_fill(struct fake_terminal *g, const char *role, const char *text)
{
    filling = text;
    fake_terminal_login(g, role);
    AUTO(mem_freep) char *info = fill("{\"name\":\"@\",\"memory\":\"builtin\",\"limits\":{}}");
    ui_link(&g->ui, UI_ONLINE, NULL);
    fake_terminal_answer(g, "server.info", info);
    search(g);
    read_page(g);
    go(g, PANE_RECOMMEND);
    answer(g, "recommend.list");
    answer(g, "trending.list");
    go(g, PANE_MEMORY);
    answer(g, "memory.status");
    answer(g, "memory.list");
    answer(g, "memory.access_log");
    chat(g);
    library(g);
    if (strcmp(role, "teacher") == 0) {
        go(g, PANE_STUDENTS);
        students(g);
    }
    if (strcmp(role, "admin") == 0)
        admin(g);
    ui_draw(&g->ui);
}
