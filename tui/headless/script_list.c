/* script_list.c - the lists among the results: which members, in which columns. */
#include "tui/headless/script_list.h"

#include "tui/headless/script_out.h"

#define TEXT(member_, heading_, most_)                        \
    {                                                         \
        .member = member_, .heading = heading_, .most = most_ \
    }
#define WHEN(member_, heading_)                                         \
    {                                                                   \
        .member = member_, .kind = SCRIPT_OUT_WHEN, .heading = heading_ \
    }
#define NUMBER(member_, heading_)                                         \
    {                                                                     \
        .member = member_, .kind = SCRIPT_OUT_NUMBER, .heading = heading_ \
    }
#define YES(member_, word_)                                         \
    {                                                               \
        .member = member_, .kind = SCRIPT_OUT_YES, .heading = word_ \
    }

#define LIST(name_, ...)                                                      \
    void name_(struct script *script, const cJSON *result)                    \
    {                                                                         \
        static const struct script_out_column columns[] = {__VA_ARGS__, {0}}; \
        script_out_table(script, result, columns);                            \
    }

LIST(script_list_history, WHEN("at", "when"), NUMBER("results", "found"), TEXT("query", "searched", 60))
LIST(script_list_trending, NUMBER("searchers", "people"), TEXT("topic", "topic", 60))
LIST(script_list_library, TEXT("title", "title", 44), NUMBER("pages", "pages"), WHEN("indexed_at", "ready"),
     TEXT("pdf_id", "id", 36), TEXT("error_message", "", 60))
LIST(script_list_jobs, TEXT("title", "document", 40), TEXT("state", "state", 12), NUMBER("pages_done", "read"),
     NUMBER("pages_total", "of"), WHEN("queued_at", "sent"), TEXT("job_id", "id", 36), TEXT("error_message", "", 80))
LIST(script_list_courses, TEXT("code", "code", 16), TEXT("title", "title", 40), TEXT("teacher", "teacher", 24),
     NUMBER("members", "people"), NUMBER("documents", "documents"), TEXT("course_id", "id", 36))
LIST(script_list_users, TEXT("institution_id", "number", 20), TEXT("name", "name", 32), TEXT("role", "role", 8),
     YES("disabled", "switched off"), WHEN("last_active_at", "last here"))
LIST(script_list_facts, WHEN("at", "when"), NUMBER("count", "times"), TEXT("source", "from", 12),
     TEXT("fact", "what", 100), TEXT("fact_id", "id", 36))
LIST(script_list_recalled, WHEN("at", "when"), TEXT("fact", "what", 100), TEXT("fact_id", "id", 36))
LIST(script_list_access, WHEN("at", "when"), TEXT("by", "who", 32), TEXT("role", "role", 8), TEXT("action", "what", 40))
LIST(script_list_devices, TEXT("name", "device", 32), WHEN("last_used_at", "last used"), TEXT("address", "from", 40),
     TEXT("device_id", "id", 36))
LIST(script_list_students, TEXT("institution_id", "number", 20), TEXT("name", "name", 32),
     NUMBER("searches", "searches"), NUMBER("facts", "facts"), WHEN("last_active_at", "last here"))
LIST(script_list_audit, WHEN("at", "when"), TEXT("actor", "who", 32), TEXT("action", "what", 32),
     TEXT("target", "whom", 40))
