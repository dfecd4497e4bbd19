/* script_print.h - results as people read them. Each takes a result that sanitize_copy has cleaned. */
#ifndef TUI_HEADLESS_SCRIPT_PRINT_H
#define TUI_HEADLESS_SCRIPT_PRINT_H

#include "tui/headless/script.h"

void script_print_json(struct script *script, const cJSON *result); /* as it is, one line */
void script_print_user(struct script *script, const cJSON *result);
void script_print_info(struct script *script, const cJSON *result);
void script_print_members(struct script *script, const cJSON *result); /* every member of an object, one a line */
void script_print_methods(struct script *script, const cJSON *result); /* the OpenRPC document */
void script_print_search(struct script *script, const cJSON *result);
void script_print_thread(struct script *script, const cJSON *result);
void script_print_page(struct script *script, const cJSON *result);
void script_print_outline(struct script *script, const cJSON *result);
void script_print_recommend(struct script *script, const cJSON *result);
void script_print_reflect(struct script *script, const cJSON *result);
void script_print_retained(struct script *script, const cJSON *result);
void script_print_forgotten(struct script *script, const cJSON *result);
void script_print_enrolled(struct script *script, const cJSON *result);
void script_print_created(struct script *script, const cJSON *result); /* users.create: the password, alone */
void script_print_password(struct script *script, const cJSON *result);
void script_print_imported(struct script *script, const cJSON *result);
void script_print_job(struct script *script, const cJSON *result);
void script_print_id(struct script *script, const cJSON *result); /* the first member that is an id */
/* One passage of a search, numbered; words that matched stand between stars. */
void script_print_passage(struct script *script, const cJSON *item, int number);

#endif
