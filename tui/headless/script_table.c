/* script_table.c - every command: its words, its arguments, the method behind it, how its result is shown. */
#include "tui/headless/script.h"

#include "tui/headless/script_ask.h"
#include "tui/headless/script_chat.h"
#include "tui/headless/script_help.h"
#include "tui/headless/script_import.h"
#include "tui/headless/script_list.h"
#include "tui/headless/script_pipe.h"
#include "tui/headless/script_print.h"
#include "tui/headless/script_session.h"
#include "tui/headless/script_upload.h"

#define ARGS(...)                       \
    .args = (const struct script_arg[]) \
    {                                   \
        __VA_ARGS__,                    \
        {                               \
            0                           \
        }                               \
    }
#define PLACE(kind_, name_, shown_)                   \
    {                                                 \
        .kind = kind_, .name = name_, .shown = shown_ \
    }
#define MAYBE(kind_, name_, shown_)                                     \
    {                                                                   \
        .kind = kind_, .name = name_, .shown = shown_, .optional = true \
    }
#define OPTION(kind_, name_, flag_, shown_)                                            \
    {                                                                                  \
        .kind = kind_, .name = name_, .flag = flag_, .shown = shown_, .optional = true \
    }
#define ONE_OF(name_, flag_, shown_, words_)                                                                  \
    {                                                                                                         \
        .kind = SCRIPT_TEXT, .name = name_, .flag = flag_, .shown = shown_, .optional = true, .words = words_ \
    }
#define COURSE OPTION(SCRIPT_COURSE, "course_id", "--course", "COURSE")
#define ROOM OPTION(SCRIPT_ROOM, "room", "--room", "COURSE")
#define PDF PLACE(SCRIPT_PDF, "pdf_id", "PDF")
#define WAIT OPTION(SCRIPT_SWITCH, ".wait", "--wait", "")
#define ROLES "student|teacher|admin"
#define STATES "queued|extracting|embedding|storing|indexed|failed"

/* Commands with the same first word stand together: completions rely on it. */
const struct script_command script_table[] = {
    {"search", "find passages", "search.query",
     ARGS(PLACE(SCRIPT_REST, "query", "WORDS"), COURSE, OPTION(SCRIPT_INT, "limit", "--limit", "N"),
          OPTION(SCRIPT_SWITCH, "preview", "--preview", "")),
     script_print_search},
    {"ask", "an answer with its sources, as it is written", "search.ask",
     ARGS(PLACE(SCRIPT_REST, "query", "QUESTION"), COURSE, OPTION(SCRIPT_TEXT, "thread_id", "--thread", "THREAD")),
     .run = script_ask_run},
    {"thread", "an earlier conversation", "search.thread", ARGS(PLACE(SCRIPT_TEXT, "thread_id", "THREAD")),
     script_print_thread},
    {"history", "your earlier searches", "search.history", .print = script_list_history, .list = true},
    {"history clear", "erase your earlier searches", "search.clear_history", .done = "Erased."},
    {"trending", "what others search for", "trending.list", ARGS(OPTION(SCRIPT_INT, "limit", "--limit", "N")),
     script_list_trending},
    {"recommend", "what fits you", "recommend.list", ARGS(OPTION(SCRIPT_INT, "limit", "--limit", "N")),
     script_print_recommend},
    {"read", "a page of a document", "library.page", ARGS(PDF, PLACE(SCRIPT_INT, "page", "PAGE")), script_print_page},
    {"outline", "the contents of a document", "library.outline", ARGS(PDF), script_print_outline},
    {"library", "the documents", "library.list", ARGS(MAYBE(SCRIPT_REST, "query", "WORDS"), COURSE),
     script_list_library, .list = true},
    {"library rename", "another title", "library.update", ARGS(PDF, PLACE(SCRIPT_REST, "title", "TITLE")),
     .done = "Renamed."},
    {"library move", "into a course, or the open library", "library.update",
     ARGS(PDF, PLACE(SCRIPT_SHELF, "course_id", "COURSE|open")), .done = "Moved."},
    {"library quota", "your share of the library's disk", "library.quota", .print = script_print_members},
    {"library delete", "remove a document for everybody", "library.delete", ARGS(PDF), .done = "Deleted."},
    {"library retry", "try a failed document again", "library.retry", ARGS(PDF), script_print_id},
    {"upload", "add PDFs", "library.upload_begin",
     ARGS(PLACE(SCRIPT_WORDS, ".files", "FILE"), COURSE, OPTION(SCRIPT_TEXT, "title", "--title", "TITLE"), WAIT),
     .run = script_upload_run, .also = "library.upload_chunk library.upload_commit"},
    {"uploads abort", "give an unfinished upload up", "library.upload_abort",
     ARGS(PLACE(SCRIPT_TEXT, "upload_id", "UPLOAD")), .done = "Given up."},
    {"jobs", "what becomes of your files", "library.jobs", ARGS(ONE_OF("state", "--state", "STATE", STATES)),
     script_list_jobs, .list = true},
    {"job", "one of them", "library.job", ARGS(PLACE(SCRIPT_TEXT, "job_id", "JOB"), WAIT), .run = script_upload_job},
    {"memory", "what EduRag remembers about you", "memory.list", ARGS(OPTION(SCRIPT_TEXT, "query", "--query", "WORDS")),
     script_list_facts, .list = true},
    {"memory list", "the same", "memory.list", ARGS(OPTION(SCRIPT_TEXT, "query", "--query", "WORDS")),
     script_list_facts, .list = true},
    {"memory add", "tell EduRag something to remember", "memory.retain", ARGS(PLACE(SCRIPT_REST, "fact", "FACT")),
     script_print_retained},
    {"memory recall", "find facts by meaning", "memory.recall",
     ARGS(PLACE(SCRIPT_REST, "query", "WORDS"), OPTION(SCRIPT_INT, "limit", "--limit", "N")), script_list_recalled},
    {"memory forget", "erase one fact", "memory.forget", ARGS(PLACE(SCRIPT_TEXT, "fact_id", "FACT-ID")),
     script_print_forgotten},
    {"memory forget-all", "erase everything that is kept about you", "memory.forget",
     ARGS({.kind = SCRIPT_SWITCH, .name = "all", .flag = "--yes", .shown = ""}), script_print_forgotten},
    {"memory export", "all that is kept about you, as JSON", "memory.export", .print = script_print_json},
    {"memory status", "is memory on, and does it answer", "memory.status", .print = script_print_members},
    {"memory log", "who looked at your memory", "memory.access_log", .print = script_list_access, .list = true},
    {"reflect", "what the searches say about you, or a student of yours", "memory.reflect",
     ARGS(MAYBE(SCRIPT_STUDENT, "user_id", "STUDENT")), script_print_reflect, .timeout_ms = 150000},
    {"chat", "follow a room, and say each line of standard input", "chat.join", ARGS(ROOM), .run = script_chat_run,
     .also = "chat.send chat.leave"},
    {"chat tail", "follow a room", "chat.join",
     ARGS(ROOM, OPTION(SCRIPT_INT, ".count", "--count", "N"), OPTION(SCRIPT_INT, ".seconds", "--seconds", "N")),
     .run = script_chat_tail},
    {"chat read", "what stands there now", "chat.join", ARGS(ROOM, OPTION(SCRIPT_INT, "after_seq", "--after", "SEQ")),
     .run = script_chat_read},
    {"chat send", "say something", "chat.send",
     ARGS(PLACE(SCRIPT_REST, "text", "TEXT"), ROOM, OPTION(SCRIPT_TEXT, "client_id", "--id", "ID")), script_print_id},
    {"chat delete", "remove a line", "chat.delete", ARGS(PLACE(SCRIPT_TEXT, "message_id", "MESSAGE")),
     .done = "Removed."},
    {"chat mute", "silence somebody for a while", "chat.mute",
     ARGS(PLACE(SCRIPT_STUDENT, "user_id", "STUDENT"), PLACE(SCRIPT_INT, "seconds", "SECONDS"), ROOM), .done = "Done."},
    {"courses", "the courses", "courses.list", .print = script_list_courses, .list = true},
    {"courses members", "who is in a course", "courses.members", ARGS(PLACE(SCRIPT_COURSE, "course_id", "COURSE")),
     script_list_users, .list = true},
    {"courses create", "a new course", "courses.create",
     ARGS(PLACE(SCRIPT_TEXT, "code", "CODE"), PLACE(SCRIPT_REST, "title", "TITLE")), script_print_id},
    {"courses update", "change a course", "courses.update",
     ARGS(PLACE(SCRIPT_COURSE, "course_id", "COURSE"), OPTION(SCRIPT_TEXT, "code", "--code", "CODE"),
          OPTION(SCRIPT_TEXT, "title", "--title", "TITLE"),
          OPTION(SCRIPT_INT, "chat_ttl_seconds", "--chat-ttl", "SECONDS")),
     .done = "Changed."},
    {"courses delete", "end a course", "courses.delete", ARGS(PLACE(SCRIPT_COURSE, "course_id", "COURSE")),
     .done = "Deleted."},
    {"courses enrol", "put people into a course", "courses.enrol",
     ARGS(PLACE(SCRIPT_COURSE, "course_id", "COURSE"), PLACE(SCRIPT_WORDS, "institution_ids", "NUMBER")),
     script_print_enrolled},
    {"courses unenrol", "take people out of a course", "courses.unenrol",
     ARGS(PLACE(SCRIPT_COURSE, "course_id", "COURSE"), PLACE(SCRIPT_WORDS, "institution_ids", "NUMBER")),
     script_print_enrolled},
    {"courses leave", "leave a course that no admin has put you into", "courses.leave",
     ARGS(PLACE(SCRIPT_COURSE, "course_id", "COURSE")), .done = "You are out of this course."},
    {"students", "your students and what they did", "admin.students", ARGS(MAYBE(SCRIPT_REST, "query", "WORDS")),
     script_list_students, .list = true},
    {"users", "the people of the school", "users.list",
     ARGS(MAYBE(SCRIPT_REST, "query", "WORDS"), ONE_OF("role", "--role", "ROLE", ROLES)), script_list_users,
     .list = true},
    {"users create", "a new person; prints the password", "users.create",
     ARGS({.kind = SCRIPT_TEXT, .name = "role", .shown = "ROLE", .words = ROLES},
          PLACE(SCRIPT_TEXT, "institution_id", "NUMBER"), PLACE(SCRIPT_REST, "name", "NAME"),
          OPTION(SCRIPT_CONTENT, "password", "--password-file", "FILE")),
     script_print_created},
    {"users import", "many people, from lines NUMBER,NAME,ROLE", "users.import",
     ARGS(PLACE(SCRIPT_CONTENT, "csv", "FILE"), OPTION(SCRIPT_SWITCH, "partial", "--partial", "")),
     script_print_imported, .run = script_import_run, .timeout_ms = 1800000},
    {"users update", "change a person", "users.update",
     ARGS(PLACE(SCRIPT_PERSON, "user_id", "NUMBER"), OPTION(SCRIPT_TEXT, "name", "--name", "NAME"),
          ONE_OF("role", "--role", "ROLE", ROLES), OPTION(SCRIPT_SWITCH, "disabled", "--disable", ""),
          OPTION(SCRIPT_NOT, "disabled", "--enable", "")),
     .done = "Changed."},
    {"users reset", "a new password for somebody", "users.reset_password",
     ARGS(PLACE(SCRIPT_PERSON, "user_id", "NUMBER")), script_print_password},
    {"users quota", "give a person another share of the library's disk", "users.quota",
     ARGS(PLACE(SCRIPT_PERSON, "user_id", "NUMBER"), PLACE(SCRIPT_INT, "bytes", "BYTES")), .done = "Changed."},
    {"users delete", "remove a person and all that is kept on them", "users.delete",
     ARGS(PLACE(SCRIPT_PERSON, "user_id", "NUMBER")), .done = "Deleted."},
    {"stats", "the school in numbers", "admin.stats", .print = script_print_members},
    {"audit", "who changed what", "admin.audit", .print = script_list_audit, .list = true},
    {"profile", "your avatar, and lines instead of a screen", "profile.update",
     ARGS(OPTION(SCRIPT_TEXT, "avatar", "--avatar", "TEXT"), OPTION(SCRIPT_SWITCH, "plain", "--plain-on", ""),
          OPTION(SCRIPT_NOT, "plain", "--plain-off", "")),
     script_print_user},
    {"login", "log in; the password comes from the terminal or standard input", "auth.login",
     ARGS(MAYBE(SCRIPT_TEXT, ".id", "NUMBER")), script_print_user, .run = script_session_login, .offline = true},
    {"logout", "end this session, or all of yours", "auth.logout",
     ARGS(OPTION(SCRIPT_SWITCH, "everywhere", "--everywhere", "")), .run = script_session_logout, .offline = true},
    {"devices", "where you have logged in before", "auth.devices", .print = script_list_devices},
    {"devices forget", "know one of them no more", "auth.forget_device",
     ARGS(PLACE(SCRIPT_TEXT, "device_id", "DEVICE")), .done = "Forgotten."},
    {"whoami", "who you are here", "auth.whoami", .print = script_print_user},
    {"password", "change your password", "auth.change_password", .run = script_session_password},
    {"refresh", "stay logged in for another while", "auth.refresh", .run = script_session_refresh},
    {"trust", "show the code of a server, or accept it", NULL, ARGS(MAYBE(SCRIPT_TEXT, ".code", "CODE")),
     .run = script_session_trust, .offline = true},
    {"info", "what this server is and offers", "server.info", .print = script_print_info},
    {"ping", "does the server answer", "server.ping", .print = script_print_members},
    {"methods", "every method of the server", "rpc.discover", .print = script_print_methods},
    {"call", "any method; params as one JSON object, or - for standard input", NULL,
     ARGS(PLACE(SCRIPT_TEXT, ".method", "METHOD"), MAYBE(SCRIPT_REST, ".params", "JSON")), .run = script_pipe_call,
     .also = "auth.resume rpc.cancel"},
    {"pipe", "JSON-RPC, one message a line, both ways over one socket", NULL,
     ARGS(OPTION(SCRIPT_INT, ".linger", "--linger", "SECONDS")), .run = script_pipe_run, .offline = true},
    {"completions", "for a shell: edurag completions bash", NULL,
     ARGS({.kind = SCRIPT_TEXT, .name = ".shell", .shown = "SHELL", .words = "bash|fish"}),
     .run = script_help_completions, .offline = true},
    {"help", "how a command goes", NULL, ARGS(MAYBE(SCRIPT_WORDS, ".words", "COMMAND")), .run = script_help_run,
     .offline = true},
    {0},
};
