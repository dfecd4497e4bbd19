/* plain_greet.c - how the dialogue in lines begins: who are you, and where you are. */
#include "tui/headless/plain_greet.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "tui/headless/script_out.h"
#include "tui/headless/script_session.h"

enum { LOGINS = 3 };

int plain_greet_login(struct script *script, cJSON **user)
{
    struct err err = {0};
    if (client_call(script->client, "auth.whoami", NULL, 20000, user, &err))
        return SCRIPT_FINE;
    for (int i = 0; i < LOGINS && err.code == ERR_UNAUTHENTICATED; i++) {
        AUTO(mem_freep) char *id = script_session_ask("School number: ", false);
        AUTO(mem_freep) char *password = id ? script_session_ask("Password: ", true) : NULL;
        if (!password)
            break;
        bool fine = script_session_enter(script, id, password, false, user, &err);
        mem_wipe(password, strlen(password));
        if (fine)
            return SCRIPT_FINE;
        if (err.code == ERR_UNAUTHENTICATED)
            script_say("School number or password is not right. Check both and try again.");
    }
    return script_fail(script, &err);
}

void plain_greet(struct script *script, const cJSON *user)
{
    AUTO(json_freep) cJSON *info = NULL;
    struct err err = {0};
    if (!client_call(script->client, "server.info", NULL, 20000, &info, &err))
        return;
    script_out_printf(script, 0, "%s. Logged in as %s, %s. Memory is %s.", json_text(info, "name", "EduRag"),
                      json_text(user, "name", "?"), json_text(user, "role", "?"),
                      strcmp(json_text(info, "memory", "off"), "off") ? "on" : "off");
    script_out_printf(script, 0, "Type a question to search, a number to choose, \"help\" for all words.");
    fputc('\n', script->out);
}
