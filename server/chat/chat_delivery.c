/* chat_delivery.c - brings what is said in the rooms to this node's members, and says who is here. */
#include "server/chat/chat_delivery.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/wait.h"
#include "server/rpc/notify.h"
#include "server/store/listen.h"
#include "server/store/tx.h"

enum {
    LINES_AT_ONCE = 500,
    SWEEP_EVERY = 60,
    SWEEP_MOST = 20000,
    UUID = 36,
    GONE_AT_ONCE = 200,
    TOLD = 1024,
    BYTES_AT_ONCE = 64 * 1024, /* of lines, before the sockets have their turn */
    TURN_MS = 5,
    SETTLE_MS = 2000,
};

struct followed {
    char room[UUID + 1];
    int64_t seq;   /* delivered so far */
    bool counting; /* presence changed: tell its members soon */
};

static struct {
    pthread_mutex_t lock; /* guards `rooms` */
    struct followed *rooms;
    size_t count;
    pthread_t thread;
    pthread_mutex_t stop_lock; /* guards `stopping` */
    pthread_cond_t wake;
    bool started, stopping;
    char node[80];
    /* the listen thread's own: which lines have gone was read up to here, and told of those */
    char gone_at[40];
    char told[TOLD][UUID + 1]; /* by the first id of each row, the latest at told_count % TOLD */
    size_t told_count;
    pthread_mutex_t
        turn; /* who delivers; taken before `lock`, and the only lock that is held while the database is asked */
    _Atomic bool behind;    /* lines could not be read: whoever comes next reads on */
    _Atomic bool unchecked; /* nor who has lost a room */
} delivery = {
    .lock = PTHREAD_MUTEX_INITIALIZER, .stop_lock = PTHREAD_MUTEX_INITIALIZER, .turn = PTHREAD_MUTEX_INITIALIZER};

static void warn(const char *what, const struct err *err)
{
    log_event(LOG_WARN, "chat", "doing=%s error=%s", what, log_quote(err->log));
}

/* Under the lock. */
static struct followed *find(const char *room)
{
    for (size_t i = 0; i < delivery.count; i++)
        if (!strcmp(delivery.rooms[i].room, room))
            return &delivery.rooms[i];
    return NULL;
}

bool chat_delivery_follow(const char *room, struct err *err)
{
    pthread_mutex_lock(&delivery.lock);
    bool known = find(room) != NULL;
    pthread_mutex_unlock(&delivery.lock);
    if (known)
        return true;
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_worker(SQL_CHAT_LAST_SEQ, &rows, err, BIND_TEXT(room)))
        return false;
    if (!rows_count(rows))
        return err_say(err, ERR_NOT_FOUND, "There is no such room, or it is not one of yours.");
    pthread_mutex_lock(&delivery.lock);
    if (!find(room)) {
        delivery.rooms = mem_grow(delivery.rooms, delivery.count + 1, sizeof *delivery.rooms);
        struct followed *place = &delivery.rooms[delivery.count++];
        *place = (struct followed){.seq = rows_int(rows, 0, 0, 0)};
        snprintf(place->room, sizeof place->room, "%s", room);
    }
    pthread_mutex_unlock(&delivery.lock);
    return true;
}

/* Lets the sockets send what they have, so that many lines at once make nobody a slow reader, and those still
 * to come wait in the table. */
static void give_a_turn(void)
{
    notify_settle(SETTLE_MS);
    nanosleep(&(struct timespec){.tv_nsec = TURN_MS * 1000000L}, NULL);
}

/* Everything behind what was delivered last; several notifications at once are one read. In our
 * turn only, so lines leave in order. */
static bool deliver(const char *room, int64_t *seq, struct err *err)
{
    int got;
    size_t bytes = 0;
    do {
        AUTO(rows_free) struct rows *rows = NULL;
        notify_settle(SETTLE_MS);
        if (!tx_worker(SQL_CHAT_LINES, &rows, err, BIND_TEXT(room), BIND_INT(*seq), BIND_INT(LINES_AT_ONCE)))
            return false;
        got = rows_count(rows);
        for (int i = 0; i < got; i++) {
            *seq = rows_int(rows, i, 0, *seq);
            notify_room(room, *seq, "chat.message", rows_text(rows, i, 1));
            bytes += strlen(rows_text(rows, i, 1));
            if (bytes < BYTES_AT_ONCE)
                continue;
            give_a_turn();
            bytes = 0;
        }
    } while (got == LINES_AT_ONCE);
    return true;
}

static void catch_up_in_turn(const char *room, int64_t up_to)
{
    pthread_mutex_lock(&delivery.lock);
    const struct followed *followed = find(room);
    int64_t seq = followed ? followed->seq : INT64_MAX;
    pthread_mutex_unlock(&delivery.lock);
    if (seq >= up_to)
        return;
    struct err err = {0};
    if (!deliver(room, &seq, &err)) {
        warn("deliver", &err); /* the next line, or the next second, reads on from here */
        delivery.behind = true;
    }
    pthread_mutex_lock(&delivery.lock);
    struct followed *again = find(room);
    if (again && seq > again->seq)
        again->seq = seq;
    pthread_mutex_unlock(&delivery.lock);
}

static void catch_up(const char *room, int64_t up_to)
{
    pthread_mutex_lock(&delivery.turn);
    catch_up_in_turn(room, up_to);
    pthread_mutex_unlock(&delivery.turn);
}

/* In each room that somebody of ours is in; its members may have to be counted again, too. */
static void catch_up_everywhere(bool count)
{
    for (size_t i = 0;; i++) {
        char room[UUID + 1];
        pthread_mutex_lock(&delivery.lock);
        bool more = i < delivery.count;
        if (more) {
            memcpy(room, delivery.rooms[i].room, sizeof room);
            delivery.rooms[i].counting = delivery.rooms[i].counting || count;
        }
        pthread_mutex_unlock(&delivery.lock);
        if (!more)
            return;
        catch_up(room, INT64_MAX - 1);
    }
}

/* "ROOM rest": the room, and where the rest begins; NULL where the payload is something else. */
static const char *split(const char *payload, char room[UUID + 1])
{
    if (strlen(payload) < UUID + 2 || payload[UUID] != ' ')
        return NULL;
    memcpy(room, payload, UUID);
    room[UUID] = '\0';
    return payload + UUID + 1;
}

static void hear_line(const char *payload, void *context)
{
    (void)context;
    char room[UUID + 1];
    const char *rest = split(payload, room);
    if (rest)
        catch_up(room, strtoll(rest, NULL, 10));
}

static bool was_told(const char *id)
{
    for (size_t i = 0; i < TOLD && i < delivery.told_count; i++)
        if (!strncmp(delivery.told[i], id, UUID))
            return true;
    return false;
}

/* One row of SQL_CHAT_GONE to the room's members: lines taken back one by one, expired ones together. */
static void tell_gone(const char *room, bool taken_back, const char *ids)
{
    const char *const method = taken_back ? "chat.deleted" : "chat.expired";
    AUTO(buf_free) struct buf params = {0};
    buf_json_open(&params, '{');
    buf_json_member(&params, "room", room);
    if (taken_back)
        buf_json_key(&params, "message_id"), buf_json_stringn(&params, ids + 2, UUID); /* of ["id"] */
    else
        buf_json_member_raw(&params, "message_ids", ids);
    buf_json_close(&params, '}');
    notify_room(room, 0, method, params.data);
}

static void tell_row(const struct rows *rows, int row)
{
    const char *room = rows_text(rows, row, 2), *ids = rows_text(rows, row, 4);
    if (strlen(ids) < UUID + 4 || was_told(ids + 2))
        return;
    snprintf(delivery.told[delivery.told_count++ % TOLD], UUID + 1, "%.*s", UUID, ids + 2);
    pthread_mutex_lock(&delivery.lock);
    bool followed = find(room) != NULL;
    pthread_mutex_unlock(&delivery.lock);
    if (followed)
        tell_gone(room, rows_bool(rows, row, 3), ids);
}

/* Tells everything that has gone since the last time, whether a notification brought us here or the
 * connection was away. */
static void catch_up_gone(void)
{
    struct err err = {0};
    int64_t behind = 0;
    int got = GONE_AT_ONCE;
    while (got == GONE_AT_ONCE) {
        AUTO(rows_free) struct rows *rows = NULL;
        bool ok = delivery.gone_at[0] ? tx_worker(SQL_CHAT_GONE, &rows, &err, BIND_TEXT(delivery.gone_at),
                                                  BIND_INT(behind), BIND_INT(GONE_AT_ONCE))
                                      : tx_worker0(SQL_CHAT_GONE_LAST, &rows, &err);
        if (!ok) {
            warn("gone", &err); /* the next one that goes, or the resync, reads on from here */
            return;
        }
        bool first = !delivery.gone_at[0];
        got = rows_count(rows);
        for (int i = 0; i < got && !first; i++)
            tell_row(rows, i);
        if (!got)
            return;
        behind = first ? 0 : rows_int(rows, got - 1, 1, 0);
        snprintf(delivery.gone_at, sizeof delivery.gone_at, "%s", rows_text(rows, got - 1, 0));
        if (got == GONE_AT_ONCE)
            give_a_turn();
    }
}

static void hear_gone(const char *payload, void *context)
{
    (void)context;
    char room[UUID + 1];
    const char *rest = split(payload, room);
    if (rest && !was_told(rest))
        catch_up_gone();
}

static void hear_presence(const char *payload, void *context)
{
    (void)context;
    pthread_mutex_lock(&delivery.lock);
    struct followed *followed = find(payload);
    if (followed)
        followed->counting = true;
    pthread_mutex_unlock(&delivery.lock);
}

static void hear_person(const char *payload, void *context)
{
    (void)context;
    AUTO(rows_free) struct rows *rows = NULL;
    struct err err = {0};
    if (strlen(payload) != UUID)
        return;
    if (!tx_worker(SQL_CHAT_ROOMS_OF, &rows, &err, BIND_TEXT(payload))) {
        warn("rooms of a person", &err);
        delivery.unchecked = true; /* within a second, all are asked for again */
    } else if (rows_count(rows)) {
        notify_keep_rooms(payload, rows_text(rows, 0, 0) ? rows_text(rows, 0, 0) : "");
    }
}

/* "user_id course_id": somebody was put into a course, and is told so wherever they are. */
static void hear_enrolled(const char *payload, void *context)
{
    (void)context;
    AUTO(rows_free) struct rows *rows = NULL;
    struct err err = {0};
    char person[UUID + 1] = "";
    if (strlen(payload) != 2 * UUID + 1)
        return;
    memcpy(person, payload, UUID);
    if (!tx_worker(SQL_COURSES_ENROLMENT, &rows, &err, BIND_TEXT(person), BIND_TEXT(payload + UUID + 1)))
        warn("enrolment", &err); /* it stands in their access log all the same */
    else if (rows_count(rows) && rows_text(rows, 0, 0))
        notify_user(person, "courses.changed", rows_text(rows, 0, 0));
}

/* Who has lost a room meanwhile leaves it, before anything more is said to them. */
static void check_people(void)
{
    uint64_t version = UINT64_MAX;
    AUTO(mem_freep) char *lines = notify_presence(&version);
    char before[UUID + 1] = "";
    for (const char *p = lines ? lines : ""; *p; p += 2 * UUID + 2) {
        char person[UUID + 1] = "";
        memcpy(person, p + UUID + 1, UUID);
        if (strcmp(person, before) != 0)
            hear_person(person, NULL);
        memcpy(before, person, sizeof before);
    }
}

/* After the connection was away: every room is read on from its last line, every count told again. */
static void resync(void *context)
{
    (void)context;
    check_people();
    catch_up_everywhere(true);
    catch_up_gone();
}

/* ---- this node's thread ---- */

/* The list of notify_presence as two array literals of the same length. */
static void arrays(const char *lines, struct buf *rooms, struct buf *people)
{
    buf_char(rooms, '{');
    buf_char(people, '{');
    for (const char *p = lines; *p; p += 2 * UUID + 2) {
        if (p != lines) {
            buf_char(rooms, ',');
            buf_char(people, ',');
        }
        buf_bytes(rooms, p, UUID);
        buf_bytes(people, p + UUID + 1, UUID);
    }
    buf_char(rooms, '}');
    buf_char(people, '}');
}

static bool keep_presence(uint64_t *version, struct err *err)
{
    uint64_t now = *version;
    AUTO(mem_freep) char *lines = notify_presence(&now);
    if (!lines)
        return true;
    AUTO(buf_free) struct buf rooms = {0}, people = {0};
    arrays(lines, &rooms, &people);
    if (!tx_worker(SQL_CHAT_PRESENT, NULL, err, BIND_TEXT(rooms.data), BIND_TEXT(people.data),
                   BIND_TEXT(delivery.node)))
        return false;
    *version = now;
    return true;
}

static void tell_online(const char *room, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_worker(SQL_CHAT_ONLINE, &rows, err, BIND_TEXT(room)))
        return;
    AUTO(buf_free) struct buf params = {0};
    buf_json_open(&params, '{');
    buf_json_member(&params, "room", room);
    buf_json_member_int(&params, "online", rows_int(rows, 0, 0, 0));
    buf_json_close(&params, '}');
    notify_room(room, 0, "chat.presence", params.data);
}

static void tell_counts(void)
{
    struct err err = {0};
    for (size_t i = 0;; i++) {
        char room[UUID + 1] = "";
        pthread_mutex_lock(&delivery.lock);
        bool more = i < delivery.count;
        if (more && delivery.rooms[i].counting) {
            delivery.rooms[i].counting = false;
            memcpy(room, delivery.rooms[i].room, sizeof room);
        }
        pthread_mutex_unlock(&delivery.lock);
        if (!more)
            return;
        if (room[0])
            tell_online(room, &err);
    }
}

/* Says that we live. Where the others took us for dead they forgot who is with us: it is said again. */
static bool beat(uint64_t *version, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_worker(SQL_CHAT_BEAT, &rows, err, BIND_TEXT(delivery.node), BIND_TEXT(EDURAG_VERSION)))
        return false;
    if (rows_bool(rows, 0, 0))
        *version = 0;
    return true;
}

static bool sweep(struct err *err)
{
    for (int64_t swept = SWEEP_MOST; swept == SWEEP_MOST;) {
        AUTO(rows_free) struct rows *rows = NULL;
        if (!tx_worker(SQL_CHAT_SWEEP, &rows, err, BIND_INT(SWEEP_MOST)))
            return false;
        swept = rows_int(rows, 0, 0, 0);
    }
    return true;
}

/* A second has passed; false: stop. */
static bool rest(void)
{
    pthread_mutex_lock(&delivery.stop_lock);
    if (!delivery.stopping)
        wait_until(&delivery.wake, &delivery.stop_lock, wait_now() + 1000);
    bool go = !delivery.stopping;
    pthread_mutex_unlock(&delivery.stop_lock);
    return go;
}

static void *run(void *unused)
{
    (void)unused;
    uint64_t version = 0;
    bool fine = true;
    for (unsigned second = 0; rest(); second++) {
        struct err err = {0};
        bool well = beat(&version, &err) && keep_presence(&version, &err);
        if (well)
            tell_counts();
        if (well && atomic_exchange(&delivery.unchecked, false))
            check_people();
        if (well && atomic_exchange(&delivery.behind, false))
            catch_up_everywhere(false);
        if (well && second % SWEEP_EVERY == SWEEP_EVERY - 1)
            well = sweep(&err);
        if (!well && fine)
            warn("presence", &err);
        if (!well)
            version = 0; /* what the database knows of us may be gone: tell it again */
        fine = well;
    }
    return NULL;
}

bool chat_delivery_start(struct err *err)
{
    char host[40] = "";
    struct timespec now;
    gethostname(host, sizeof host - 1);
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(delivery.node, sizeof delivery.node, "%.32s:%d:%" PRIx64, host, (int)getpid(),
             (uint64_t)now.tv_sec << 20 ^ (uint64_t)now.tv_nsec);
    listen_on("edurag_chat", hear_line, resync, NULL);
    listen_on("edurag_chat_deleted", hear_gone, NULL, NULL);
    listen_on("edurag_chat_expired", hear_gone, NULL, NULL);
    listen_on("edurag_presence", hear_presence, NULL, NULL);
    listen_on("edurag_user", hear_person, NULL, NULL);
    listen_on("edurag_enrolled", hear_enrolled, NULL, NULL);
    delivery.stopping = false;
    delivery.gone_at[0] = '\0';
    delivery.told_count = 0;
    pthread_cond_init(&delivery.wake, NULL);
    if (pthread_create(&delivery.thread, NULL, run, NULL) != 0)
        return err_set(err, ERR_INTERNAL, "no thread for chat");
    pthread_setname_np(delivery.thread, "chat");
    delivery.started = true;
    return true;
}

void chat_delivery_stop(void)
{
    if (!delivery.started)
        return;
    pthread_mutex_lock(&delivery.stop_lock);
    delivery.stopping = true;
    pthread_cond_signal(&delivery.wake);
    pthread_mutex_unlock(&delivery.stop_lock);
    pthread_join(delivery.thread, NULL);
    delivery.started = false;
    struct err err = {0};
    if (!tx_worker(SQL_CHAT_NODE_GONE, NULL, &err, BIND_TEXT(delivery.node)))
        warn("leave", &err); /* the others notice within ten seconds */
    free(delivery.rooms);
    delivery.rooms = NULL;
    delivery.count = 0;
}
