/* client_call.c - for scripts: connect and wait for it; ask and wait for the reply. */
#include "common/client.h"

struct waiting {
    bool done;
    cJSON *result;
    struct err err;
};

static void waited(void *user, const cJSON *result, const struct err *err)
{
    struct waiting *w = user;
    w->done = true;
    if (result)
        w->result = cJSON_Duplicate(result, true);
    else
        w->err = *err;
}

bool client_call(struct client *c, const char *method, const char *params, int timeout_ms, cJSON **result,
                 struct err *err)
{
    struct waiting w = {0};
    client_request(c, method, params, timeout_ms, waited, &w);
    while (!w.done)
        client_service(c, -1);
    if (!w.result) {
        if (err)
            *err = w.err;
        return false;
    }
    if (result)
        *result = w.result;
    else
        cJSON_Delete(w.result);
    return true;
}

bool client_open(struct client *c, struct err *err)
{
    client_connect(c);
    while (client_state(c) != CLIENT_ONLINE) {
        client_service(c, -1);
        if (client_state(c) != CLIENT_CONNECTING && client_state(c) != CLIENT_ONLINE) {
            if (err)
                *err = *client_why(c);
            return false;
        }
    }
    return true;
}
