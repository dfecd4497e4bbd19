/* sqlstate.c - what an SQLSTATE means to a caller: the one place where they map to error codes. */
#include "server/store/sqlstate.h"

#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"

struct meaning {
    const char *prefix; /* of the SQLSTATE; the first row that fits wins */
    enum err_code code;
    bool say; /* its message was written for people */
    long retry_after_ms;
    const char *word; /* which the message must contain; NULL: any */
};

static const struct meaning meanings[] = {
    {"ER401", ERR_UNAUTHENTICATED, true, 0, NULL},
    {"ER403", ERR_FORBIDDEN, true, 0, NULL},
    {"ER404", ERR_NOT_FOUND, true, 0, NULL},
    {"ER409", ERR_CONFLICT, true, 0, NULL},
    {"ER413", ERR_TOO_LARGE, true, 0, NULL},
    {"ER422", ERR_INVALID_PARAMS, true, 0, NULL},
    {"ER429", ERR_RATE_LIMITED, true, 1000, NULL},
    {"ER503", ERR_BUSY, true, 1000, NULL},
    {"42501", ERR_FORBIDDEN, false, 0, NULL},      /* insufficient_privilege, row policy violated */
    {"23505", ERR_CONFLICT, false, 0, NULL},       /* unique_violation */
    {"23P01", ERR_CONFLICT, false, 0, NULL},       /* exclusion_violation */
    {"23503", ERR_NOT_FOUND, false, 0, NULL},      /* foreign_key_violation: what it names is gone */
    {"23514", ERR_INVALID_PARAMS, false, 0, NULL}, /* check_violation */
    {"22P02", ERR_INVALID_PARAMS, false, 0, NULL}, /* text that is no uuid, number, JSON */
    {"22023", ERR_INVALID_PARAMS, false, 0, NULL}, /* invalid_parameter_value: a cursor, mostly */
    {"22003", ERR_INVALID_PARAMS, false, 0, NULL}, /* out of range */
    {"22007", ERR_INVALID_PARAMS, false, 0, NULL}, /* not a time */
    {"22008", ERR_INVALID_PARAMS, false, 0, NULL},
    {"22021", ERR_INVALID_PARAMS, false, 0, NULL}, /* text with U+0000 */
    {"40", ERR_BUSY, false, 100, NULL},            /* serialization, deadlock */
    {"55P03", ERR_BUSY, false, 500, NULL},         /* lock_not_available */
    {"57014", ERR_BUSY, false, 1000, "timeout"},   /* query_canceled by statement_timeout */
    {"57014", ERR_CANCELLED, false, 0, NULL},
    {"57", ERR_BUSY, false, 1000, NULL},     /* shutting down, starting up, crashed */
    {"53100", ERR_BUSY, false, 30000, NULL}, /* disk_full, which sqlstate_err names as the cause */
    {"53", ERR_BUSY, false, 2000, NULL},     /* out of disk, memory, connections */
    {"08", ERR_BUSY, false, 1000, NULL},     /* connection lost */
    {"25006", ERR_BUSY, false, 2000, NULL},  /* read-only: a standby was promoted elsewhere */
    {"25P03", ERR_BUSY, false, 1000, NULL},  /* idle_in_transaction_session_timeout */
    {"", ERR_INTERNAL, false, 0, NULL},
};

static const struct meaning *find(const char *state, const char *message)
{
    const struct meaning *m = meanings;
    while (strncmp(state, m->prefix, strlen(m->prefix)) != 0 || (m->word && !strstr(message, m->word)))
        m++;
    return m;
}

static void copy(char *to, size_t size, const cJSON *detail, const char *name)
{
    const char *text = json_text(detail, name, NULL);
    if (text)
        snprintf(to, size, "%s", text);
}

static void details(struct err *err, const char *text)
{
    AUTO(json_freep) cJSON *detail = text ? json_parse(text, strlen(text), NULL) : NULL;
    copy(err->field, sizeof err->field, detail, "field");
    copy(err->existing, sizeof err->existing, detail, "existing");
    copy(err->until, sizeof err->until, detail, "until");
    copy(err->service, sizeof err->service, detail, "service");
    err->retry_after_ms = (long)json_int(detail, "retry_after_ms", err->retry_after_ms);
    err->limit = json_int(detail, "limit", err->limit);
}

bool sqlstate_is(const PGresult *result, const char *state)
{
    const char *is = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return is && !strcmp(is, state);
}

bool sqlstate_err(const PGresult *result, struct err *err)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (!message) /* libpq's own errors have no fields: the connection is gone */
        message = PQresultErrorMessage(result);
    const struct meaning *m = find(state ? state : "08006", message);
    if (m->say)
        err_say(err, m->code, "%s", message);
    else
        err_set(err, m->code, "sqlstate %s: %.*s", state ? state : "-", (int)strcspn(message, "\n"), message);
    if (err) {
        err->retry_after_ms = m->retry_after_ms;
        if (!strcmp(m->prefix, "53100"))
            snprintf(err->cause, sizeof err->cause, "disk");
        if (m->say)
            details(err, PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL));
    }
    return false;
}
