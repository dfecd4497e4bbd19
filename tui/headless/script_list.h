/* script_list.h - the lists among the results: which members, in which columns. */
#ifndef TUI_HEADLESS_SCRIPT_LIST_H
#define TUI_HEADLESS_SCRIPT_LIST_H

#include "tui/headless/script.h"

void script_list_history(struct script *script, const cJSON *result);
void script_list_trending(struct script *script, const cJSON *result);
void script_list_library(struct script *script, const cJSON *result);
void script_list_jobs(struct script *script, const cJSON *result);
void script_list_courses(struct script *script, const cJSON *result);
void script_list_users(struct script *script, const cJSON *result);
void script_list_facts(struct script *script, const cJSON *result);
void script_list_recalled(struct script *script, const cJSON *result);
void script_list_access(struct script *script, const cJSON *result);
void script_list_devices(struct script *script, const cJSON *result);
void script_list_students(struct script *script, const cJSON *result);
void script_list_audit(struct script *script, const cJSON *result);

#endif
