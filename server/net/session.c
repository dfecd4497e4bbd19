/* session.c - one connection each: who it is, what it asked, what it is owed, and when it must end. */
#include "server/net/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/wait.h"
#include "server/config.h"
#include "server/net/limits.h"
#include "server/net/mailbox.h"
#include "server/net/outbox.h"
#include "server/net/rooms.h"
#include "server/net/socket.h"
#include "server/net/table.h"
#include "server/rpc/envelope.h"
#include "server/rpc/job.h"

enum {
    EXPIRING = 300,
    VERIFY_TRIES = 10,
    CLOSE_WITHIN = 5,
    SLOT_BITS = 20,
    MESSAGE_FREE = 16 * 1024, /* of an unfinished message: not held against the node's budget */
    LINES_A_SECOND = 50       /* of the log, for connections that come and go */
};

struct session {
    struct rpc_peer peer;      /* first */
    struct table_item by_user; /* in `people` while somebody is logged in */
    struct lws *wsi;
    struct outbox outbox;
    struct buf message; /* a message that came in pieces, so far */
    struct membership *rooms;
    char *handshake_token; /* until it is verified */
    char *close_reason;
    char *end_reason;           /* it must end once the replies it is owed are out */
    int64_t login_by, close_by; /* seconds of the monotonic clock; close_by 0: not closing */
    time_t expires;
    int64_t opened, message_since;
    int close_code;
    uint8_t tries;
    bool held, stale, warned, watches, lagged, discarding, settled;
};

static struct {
    struct session **slots; /* by the low bits of the number */
    size_t size, high, count;
    uint32_t serial;
    struct table *people; /* sessions by user_id */
    bool draining, delivering;
    uint64_t *due; /* numbers of those with something to send since the mail began */
    size_t due_count, due_size;
    size_t unfinished;      /* bytes of messages that are not whole */
    unsigned lines, unsaid; /* of the log in this second: written, and left out */
} sessions;

static int64_t clock_s(void)
{
    return wait_now() / 1000;
}

void session_start(void)
{
    sessions.people = table_new();
    sessions.draining = false;
    rooms_start();
}

void session_stop(void)
{
    rooms_stop();
    table_free(sessions.people, NULL);
    free(sessions.slots);
    free(sessions.due);
    sessions.due = NULL;
    sessions.due_size = 0;
    sessions.slots = NULL;
    sessions.people = NULL;
    sessions.size = sessions.high = 0;
}

size_t session_unfinished(void)
{
    return sessions.unfinished;
}

size_t session_count(void)
{
    return sessions.count;
}

struct session *session_find(uint64_t number)
{
    size_t slot = (size_t)(number & ((1u << SLOT_BITS) - 1));
    struct session *session = slot < sessions.high ? sessions.slots[slot] : NULL;
    return session && session->peer.caller.session == number ? session : NULL;
}

struct session *session_next(const struct session *after)
{
    size_t slot = after ? (size_t)(after->peer.caller.session & ((1u << SLOT_BITS) - 1)) + 1 : 0;
    while (slot < sessions.high && !sessions.slots[slot])
        slot++;
    return slot < sessions.high ? sessions.slots[slot] : NULL;
}

static struct session *of_item(struct table_item *item)
{
    return item ? (struct session *)((char *)item - offsetof(struct session, by_user)) : NULL;
}

struct session *session_of_user(const char *user_id)
{
    return of_item(table_find(sessions.people, user_id));
}

struct session *session_of_user_next(const struct session *session)
{
    return of_item(table_next(&session->by_user));
}

const char *session_sid(const struct session *session)
{
    return session->peer.caller.sid;
}

const char *session_place(const struct session *session)
{
    return session->settled ? session->peer.caller.user_id : "";
}

const char *session_user(const struct session *session)
{
    return session->peer.caller.user_id;
}

struct membership **session_rooms(struct session *session)
{
    return &session->rooms;
}

void session_watch(struct session *session)
{
    session->watches = true;
}

bool session_watches(const struct session *session)
{
    return session->watches && !strcmp(session->peer.caller.role, "admin");
}

/* The number's low bits are a free slot, the rest counts up: never the same twice. */
static void register_session(struct session *session)
{
    size_t slot = 0;
    if (sessions.count == sessions.high)
        slot = sessions.high++;
    else
        while (sessions.slots[slot])
            slot++;
    if (sessions.high > sessions.size) {
        sessions.size = sessions.size ? sessions.size * 2 : 256;
        sessions.slots = mem_grow(sessions.slots, sessions.size, sizeof *sessions.slots);
    }
    sessions.slots[slot] = session;
    sessions.count++;
    session->peer.caller.session = (uint64_t)++sessions.serial << SLOT_BITS | slot;
}

static void hold(struct session *session, bool held)
{
    if (session->held != held)
        socket_hold(session->wsi, held);
    session->held = held;
}

static void verify(struct session *session)
{
    const char *token = session->handshake_token ? session->handshake_token : session->peer.token;
    session->stale = token && !rpc_verify(&session->peer, token);
}

/* Whoever connects again and again writes no log of it. */
static enum log_level line_level(void)
{
    if (sessions.lines++ < LINES_A_SECOND)
        return LOG_INFO;
    sessions.unsaid++;
    return LOG_DEBUG;
}

static void drop_message(struct session *session)
{
    sessions.unfinished -= session->message.length;
    if (session->message.data)
        mem_wipe(session->message.data, session->message.length);
    buf_free(&session->message);
}

struct session *session_new(struct lws *wsi, const char *address, const char *token)
{
    struct session *session = mem_alloc(sizeof *session);
    session->wsi = wsi;
    session->opened = clock_s();
    session->login_by = session->opened + config.login_timeout;
    snprintf(session->peer.caller.address, sizeof session->peer.caller.address, "%s", address);
    register_session(session);
    log_event(line_level(), "open", "session=%llx address=%s", (unsigned long long)session->peer.caller.session,
              address);
    if (sessions.draining) {
        session_close(session, CLOSE_GOING_AWAY, "server shutting down", true);
    } else if (*token) {
        session->handshake_token = mem_dup(token);
        hold(session, true);
        verify(session);
    }
    return session;
}

static void forget_token(struct session *session)
{
    if (session->handshake_token)
        mem_wipe(session->handshake_token, strlen(session->handshake_token));
    free(session->handshake_token);
    session->handshake_token = NULL;
}

void session_ended(struct session *session)
{
    const struct caller *caller = &session->peer.caller;
    log_event(line_level(), "close", "session=%llx user=%s code=%d seconds=%lld", (unsigned long long)caller->session,
              caller->user_id[0] ? caller->user_id : "-", session->close_code,
              (long long)(clock_s() - session->opened));
    rpc_gone(&session->peer);
    rooms_leave(&session->rooms, NULL);
    if (caller->user_id[0])
        table_remove(sessions.people, &session->by_user);
    size_t slot = (size_t)(caller->session & ((1u << SLOT_BITS) - 1));
    sessions.slots[slot] = NULL;
    sessions.count--;
    while (sessions.high && !sessions.slots[sessions.high - 1])
        sessions.high--;
    outbox_clear(&session->outbox);
    drop_message(session);
    forget_token(session);
    free(session->close_reason);
    free(session->end_reason);
    free(session);
}

void session_receive(struct session *session, const char *piece, size_t length, size_t rest, bool last)
{
    if (session->discarding || session->close_by)
        return;
    if (session->message.length + length + rest > (size_t)config.message_bytes) {
        session->discarding = true;
        drop_message(session);
        session_close(session, CLOSE_TOO_BIG, "message too big", true);
        return;
    }
    if (last && !session->message.length) {
        rpc_receive(&session->peer, mem_dupn(piece, length), length);
        return;
    }
    if (session->message.length + length > MESSAGE_FREE && sessions.unfinished + length > LIMITS_UNFINISHED) {
        session->discarding = true;
        drop_message(session);
        session_close(session, CLOSE_TRY_AGAIN, "too many unfinished messages here", true);
        return;
    }
    if (!session->message.length)
        session->message_since = clock_s();
    buf_bytes(&session->message, piece, length);
    sessions.unfinished += length;
    if (!last)
        return;
    length = session->message.length;
    sessions.unfinished -= length;
    rpc_receive(&session->peer, buf_take(&session->message), length);
}

void session_close(struct session *session, int code, const char *reason, bool at_once)
{
    if (session->close_by)
        return;
    session->close_by = clock_s() + CLOSE_WITHIN;
    session->close_code = code;
    session->close_reason = mem_dup(reason ? reason : "");
    session->peer.closing = true;
    if (at_once)
        outbox_clear(&session->outbox);
    hold(session, false);
    socket_want_write(session->wsi);
}

int session_closing(const struct session *session, const char **reason)
{
    *reason = session->close_reason;
    return session->close_by ? session->close_code : 0;
}

void session_missed(struct session *session, struct membership *chat, uint32_t count)
{
    chat->dropped += count;
    chat->gap = session->lagged = true;
    if (outbox_empty(&session->outbox))
        socket_want_write(session->wsi);
}

static void want_send(struct session *session)
{
    if (!sessions.delivering) {
        socket_want_write(session->wsi);
        return;
    }
    if (sessions.due_count == sessions.due_size) {
        sessions.due_size = sessions.due_size ? sessions.due_size * 2 : 256;
        sessions.due = mem_grow(sessions.due, sessions.due_size, sizeof *sessions.due);
    }
    sessions.due[sessions.due_count++] = session->peer.caller.session;
}

void session_hold_sends(void)
{
    sessions.delivering = true;
}

/* Without waiting for a turn of the loop to hear that the socket is writable, which it nearly always is. */
void session_send_due(void)
{
    sessions.delivering = false;
    for (size_t i = 0; i < sessions.due_count; i++) {
        struct session *session = session_find(sessions.due[i]);
        if (session && (session->close_by || socket_backed_up(session->wsi) || !session_writable(session)))
            socket_want_write(session->wsi);
    }
    sessions.due_count = 0;
}

void session_put(struct session *session, struct frame *frame, struct membership *chat)
{
    if (session->close_by)
        return;
    if (chat && chat->gap) { /* until it has been told, so that what it lacks is one piece */
        session_missed(session, chat, frame->line);
        return;
    }
    if (chat && session->outbox.bytes + frame->length > OUTBOX_SEND && !socket_backed_up(session->wsi) &&
        !session_writable(session))
        socket_want_write(session->wsi); /* many at once are not a slow reader yet */
    bool empty = outbox_empty(&session->outbox);
    switch (outbox_put(&session->outbox, frame, chat != NULL)) {
    case OUTBOX_PUT:
        if (empty)
            want_send(session);
        break;
    case OUTBOX_DROPPED: session_missed(session, chat, frame->line); break;
    case OUTBOX_OVER: session_close(session, CLOSE_TOO_SLOW, "too slow", true); break;
    }
}

/* Once a slow reader has caught up, it learns what it missed. */
static void report_lag(struct session *session)
{
    session->lagged = false;
    for (struct membership *at = session->rooms; at; at = at->next) {
        AUTO(buf_free) struct buf params = {0}, text = {0};
        if (!at->gap)
            continue;
        buf_json_open(&params, '{');
        buf_json_member(&params, "room", rooms_name(at));
        buf_json_member_int(&params, "dropped", at->dropped);
        buf_json_close(&params, '}');
        envelope_notification(&text, "chat.lagged", params.data);
        at->dropped = 0;
        at->gap = false;
        struct frame *frame = frame_new(text.data, text.length);
        session_put(session, frame, NULL);
        frame_unref(frame);
    }
}

bool session_writable(struct session *session)
{
    size_t length = outbox_gather(&session->outbox, socket_space(), OUTBOX_SEND);
    if (length && !socket_send(session->wsi, socket_space(), length))
        return false;
    if (session->lagged && session->outbox.bytes < OUTBOX_CHAT / 2)
        report_lag(session);
    if (!outbox_empty(&session->outbox)) {
        socket_want_write(session->wsi);
        return true;
    }
    if (session->close_by && length)
        socket_want_write(session->wsi); /* what has just been sent leaves first */
    return !session->close_by || length;
}

static void notify(struct session *session, const char *method, const char *name, const char *value)
{
    AUTO(buf_free) struct buf params = {0}, text = {0};
    buf_json_open(&params, '{');
    buf_json_member(&params, name, value);
    buf_json_close(&params, '}');
    envelope_notification(&text, method, params.data);
    struct frame *frame = frame_new(text.data, text.length);
    session_put(session, frame, NULL);
    frame_unref(frame);
}

bool session_entering(const struct session *session)
{
    return session->peer.exclusive;
}

void session_reread(struct session *session)
{
    if (session->close_by || (!session->peer.token && !session->peer.exclusive))
        return;
    session->stale = true;
    if (!session->peer.exclusive)
        verify(session);
}

static void tick_one(struct session *session, int64_t now, time_t today)
{
    if (session->close_by) {
        if (now >= session->close_by)
            socket_kill(session->wsi);
        return;
    }
    if (session->message.length && now - session->message_since >= config.message_seconds) {
        drop_message(session);
        session->discarding = true;
        session_close(session, CLOSE_TOO_SLOW, "a message took too long", true);
        return;
    }
    if (session->stale && (!session->peer.exclusive || session->handshake_token))
        verify(session);
    if (!session->peer.caller.user_id[0]) {
        if (session->peer.exclusive || session->peer.login_tried || session->handshake_token)
            session->login_by = now + config.login_timeout;
        else if (now >= session->login_by)
            session_close(session, CLOSE_TOKEN, "no login in time", false);
        session->peer.login_tried = false;
        return;
    }
    if (session->expires && today >= session->expires) {
        session_close(session, CLOSE_TOKEN, "token expired", false);
    } else if (session->expires && !session->warned && today + EXPIRING >= session->expires) {
        struct tm utc;
        char at[32];
        session->warned = true;
        gmtime_r(&session->expires, &utc);
        strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", &utc);
        notify(session, "auth.expiring", "expires_at", at);
    }
}

void session_tick(void)
{
    int64_t now = clock_s();
    time_t today = time(NULL);
    for (struct session *at = session_next(NULL); at; at = session_next(at))
        tick_one(at, now, today);
    if (sessions.unsaid)
        log_event(LOG_INFO, "more_connections", "opened_or_closed=%u", sessions.unsaid);
    sessions.lines = sessions.unsaid = 0;
    rooms_publish();
    if (sessions.draining)
        session_drain(false);
}

void session_drain(bool force)
{
    bool first = !sessions.draining;
    sessions.draining = true;
    for (struct session *at = session_next(NULL); at; at = session_next(at)) {
        if (first)
            notify(at, "server.closing", "reason", "shutdown");
        if (force || !rpc_busy(&at->peer))
            session_close(at, CLOSE_GOING_AWAY, "server shutting down", false);
    }
}

static struct rpc_peer *door_find(uint64_t number)
{
    struct session *session = session_find(number);
    return session ? &session->peer : NULL;
}

static void door_send(struct rpc_peer *peer, char *text, size_t length)
{
    struct frame *frame = frame_take(text, length);
    session_put((struct session *)peer, frame, NULL);
    frame_unref(frame);
}

static time_t parse_time(const char *text)
{
    struct tm utc = {0};
    return text && strptime(text, "%Y-%m-%dT%H:%M:%S", &utc) ? timegm(&utc) : 0;
}

static void door_authenticated(struct rpc_peer *peer, const struct rpc_login *login)
{
    struct session *session = (struct session *)peer;
    struct caller *caller = &peer->caller;
    if (caller->user_id[0])
        table_remove(sessions.people, &session->by_user);
    snprintf(caller->user_id, sizeof caller->user_id, "%s", login->user_id);
    snprintf(caller->sid, sizeof caller->sid, "%s", login->sid ? login->sid : "");
    snprintf(caller->role, sizeof caller->role, "%s", login->role);
    snprintf(caller->name, sizeof caller->name, "%s", login->name);
    snprintf(caller->institution_id, sizeof caller->institution_id, "%s", login->institution_id);
    table_add(sessions.people, &session->by_user, caller->user_id);
    if (!session->settled && !(session->settled = limits_settle(caller->address, caller->user_id, wait_now())))
        session_close(session, CLOSE_REFUSED, "you have too many connections open already", false);
    if (login->token) {
        free(peer->token);
        peer->token = mem_dup(login->token);
    }
    time_t expires = parse_time(login->expires_at);
    if (expires != session->expires)
        session->warned = false;
    session->expires = expires;
    session->tries = 0;
    forget_token(session);
    hold(session, false);
}

/* What revoked the token may be this very session's logout, whose reply is on its way: replies from the
 * database come first, those that wait for outside services do not count. */
static void end_after_replies(struct session *session, const char *reason)
{
    session->peer.closing = true;
    free(session->end_reason);
    session->end_reason = mem_dup(reason);
    session_settle(session->peer.caller.session);
}

void session_settle(uint64_t number)
{
    struct session *session = session_find(number);
    if (session && session->end_reason && !session->peer.in_flight[LANE_QUICK] &&
        !session->peer.in_flight[LANE_LOGIN] && !session->peer.in_flight[LANE_CHAT])
        session_close(session, CLOSE_TOKEN, session->end_reason, false);
}

static void door_refused(struct rpc_peer *peer, const struct err *err)
{
    struct session *session = (struct session *)peer;
    bool away = err->code == ERR_BUSY || err->code == ERR_INTERNAL;
    if (away && peer->caller.user_id[0]) {
        session->stale = true;
    } else if (away && ++session->tries < VERIFY_TRIES) {
        session->stale = peer->exclusive = true; /* requests go on waiting */
    } else {
        forget_token(session);
        if (away)
            session_close(session, CLOSE_TRY_AGAIN, "the token could not be verified", false);
        else
            end_after_replies(session, err_sentence(err));
    }
}

static void door_close(struct rpc_peer *peer, const char *reason)
{
    session_close((struct session *)peer, CLOSE_TOKEN, reason, false);
}

static bool door_charge(struct rpc_peer *peer, enum rpc_bucket bucket, int64_t cost, long *wait_ms)
{
    const struct caller *caller = &peer->caller;
    bool known = caller->user_id[0] != '\0';
    enum limits_kind kind = !known                        ? bucket == RPC_BUCKET_LOGINS ? LIMITS_LOGIN : LIMITS_ADDRESS
                            : bucket == RPC_BUCKET_UPLOAD ? LIMITS_UPLOAD
                                                          : LIMITS_PERSON;
    return limits_take(kind, known ? caller->user_id : caller->address, cost, wait_now(), wait_ms);
}

static void door_shown_out(struct rpc_peer *peer)
{
    session_close((struct session *)peer, CLOSE_REFUSED, "too many requests after having been refused", true);
}

const struct rpc_doors session_doors = {
    .find = door_find,
    .send = door_send,
    .authenticated = door_authenticated,
    .refused = door_refused,
    .close = door_close,
    .charge = door_charge,
    .shown_out = door_shown_out,
    .finished = mailbox_finished,
};
