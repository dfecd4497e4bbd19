/* feed.c - brings what is said in the rooms to this node's members, and says who is here. */
#include "server/chat/feed.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/wait.h"
#include "server/rpc/news.h"
#include "server/store/listen.h"
#include "server/store/tx.h"

enum { LINES_AT_ONCE = 500, SWEEP_EVERY = 60, UUID = 36 };

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
} feed = {.lock = PTHREAD_MUTEX_INITIALIZER, .stop_lock = PTHREAD_MUTEX_INITIALIZER};

static void warn(const char *what, const struct err *err)
{
    log_event(LOG_WARN, "chat", "doing=%s error=%s", what, log_quote(err->log));
}

/* Under the lock. */
static struct followed *find(const char *room)
{
    for (size_t i = 0; i < feed.count; i++)
        if (!strcmp(feed.rooms[i].room, room))
            return &feed.rooms[i];
    return NULL;
}

bool feed_follow(const char *room, struct err *err)
{
    pthread_mutex_lock(&feed.lock);
    bool known = find(room) != NULL;
    pthread_mutex_unlock(&feed.lock);
    if (known)
        return true;
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_worker(SQL_CHAT_LAST_SEQ, &rows, err, BIND_TEXT(room)))
        return false;
    if (!rows_count(rows))
        return err_say(err, ERR_NOT_FOUND, "There is no such room, or it is not one of yours.");
    pthread_mutex_lock(&feed.lock);
    if (!find(room)) {
        feed.rooms = mem_grow(feed.rooms, feed.count + 1, sizeof *feed.rooms);
        struct followed *place = &feed.rooms[feed.count++];
        *place = (struct followed){.seq = rows_int(rows, 0, 0, 0)};
        snprintf(place->room, sizeof place->room, "%s", room);
    }
    pthread_mutex_unlock(&feed.lock);
    return true;
}

/* Everything behind what was delivered last; several notifications at once are one read. Only the listen
 * thread comes here, so lines leave in order. */
static bool deliver(const char *room, int64_t *seq, struct err *err)
{
    int got;
    do {
        AUTO(rows_free) struct rows *rows = NULL;
        if (!tx_worker(SQL_CHAT_LINES, &rows, err, BIND_TEXT(room), BIND_INT(*seq), BIND_INT(LINES_AT_ONCE)))
            return false;
        got = rows_count(rows);
        for (int i = 0; i < got; i++) {
            *seq = rows_int(rows, i, 0, *seq);
            news_to_room(room, *seq, "chat.message", rows_text(rows, i, 1));
        }
    } while (got == LINES_AT_ONCE);
    return true;
}

static void catch_up(const char *room, int64_t up_to)
{
    pthread_mutex_lock(&feed.lock);
    const struct followed *followed = find(room);
    int64_t seq = followed ? followed->seq : INT64_MAX;
    pthread_mutex_unlock(&feed.lock);
    if (seq >= up_to)
        return;
    struct err err = {0};
    if (!deliver(room, &seq, &err))
        warn("deliver", &err); /* the next line, or the resync after the outage, reads on from here */
    pthread_mutex_lock(&feed.lock);
    struct followed *again = find(room);
    if (again && seq > again->seq)
        again->seq = seq;
    pthread_mutex_unlock(&feed.lock);
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

/* Ids that stand for lines which are really gone, as a JSON array; NULL where there are none. */
static char *really_gone(const char *ids)
{
    AUTO(buf_free) struct buf array = {0};
    buf_printf(&array, "{%s}", ids);
    for (char *p = array.data; *p; p++)
        if (*p == ' ')
            *p = ',';
    AUTO(rows_free) struct rows *rows = NULL;
    struct err err = {0};
    if (!tx_worker(SQL_CHAT_GONE, &rows, &err, BIND_TEXT(array.data)))
        return NULL;
    return rows_int(rows, 0, 1, 0) ? mem_dup(rows_text(rows, 0, 0)) : NULL;
}

static void tell_gone(const char *payload, const char *method, const char *member, bool one)
{
    char room[UUID + 1];
    const char *rest = split(payload, room);
    AUTO(mem_freep) char *ids = rest ? really_gone(rest) : NULL;
    if (!ids || (one && strlen(ids) < UUID + 4))
        return;
    if (one)
        ids[UUID + 3] = '\0'; /* ["id"] without its brackets */
    AUTO(buf_free) struct buf params = {0};
    buf_json_open(&params, '{');
    buf_json_member(&params, "room", room);
    buf_json_member_raw(&params, member, one ? ids + 1 : ids);
    buf_json_close(&params, '}');
    news_to_room(room, 0, method, params.data);
}

static void hear_deleted(const char *payload, void *context)
{
    (void)context;
    tell_gone(payload, "chat.deleted", "message_id", true);
}

static void hear_expired(const char *payload, void *context)
{
    (void)context;
    tell_gone(payload, "chat.expired", "message_ids", false);
}

static void hear_presence(const char *payload, void *context)
{
    (void)context;
    pthread_mutex_lock(&feed.lock);
    struct followed *followed = find(payload);
    if (followed)
        followed->counting = true;
    pthread_mutex_unlock(&feed.lock);
}

static void hear_person(const char *payload, void *context)
{
    (void)context;
    AUTO(rows_free) struct rows *rows = NULL;
    struct err err = {0};
    if (strlen(payload) == UUID && tx_worker(SQL_CHAT_ROOMS_OF, &rows, &err, BIND_TEXT(payload)) && rows_count(rows))
        news_keep_rooms(payload, rows_text(rows, 0, 0) ? rows_text(rows, 0, 0) : "");
}

/* Who has lost a room meanwhile leaves it, before anything more is said to them. */
static void check_people(void)
{
    uint64_t version = UINT64_MAX;
    AUTO(mem_freep) char *lines = news_presence(&version);
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
    for (size_t i = 0;; i++) {
        char room[UUID + 1];
        pthread_mutex_lock(&feed.lock);
        bool more = i < feed.count;
        if (more) {
            memcpy(room, feed.rooms[i].room, sizeof room);
            feed.rooms[i].counting = true;
        }
        pthread_mutex_unlock(&feed.lock);
        if (!more)
            return;
        catch_up(room, INT64_MAX - 1);
    }
}

/* ---- this node's thread ---- */

/* The list of news_presence as two array literals of the same length. */
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
    AUTO(mem_freep) char *lines = news_presence(&now);
    if (!lines)
        return true;
    AUTO(buf_free) struct buf rooms = {0}, people = {0};
    arrays(lines, &rooms, &people);
    if (!tx_worker(SQL_CHAT_PRESENT, NULL, err, BIND_TEXT(rooms.data), BIND_TEXT(people.data), BIND_TEXT(feed.node)))
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
    news_to_room(room, 0, "chat.presence", params.data);
}

static void tell_counts(void)
{
    struct err err = {0};
    for (size_t i = 0;; i++) {
        char room[UUID + 1] = "";
        pthread_mutex_lock(&feed.lock);
        bool more = i < feed.count;
        if (more && feed.rooms[i].counting) {
            feed.rooms[i].counting = false;
            memcpy(room, feed.rooms[i].room, sizeof room);
        }
        pthread_mutex_unlock(&feed.lock);
        if (!more)
            return;
        if (room[0])
            tell_online(room, &err);
    }
}

/* A second has passed; false: stop. */
static bool rest(void)
{
    pthread_mutex_lock(&feed.stop_lock);
    if (!feed.stopping)
        wait_until(&feed.wake, &feed.stop_lock, wait_now() + 1000);
    bool go = !feed.stopping;
    pthread_mutex_unlock(&feed.stop_lock);
    return go;
}

static void *run(void *unused)
{
    (void)unused;
    uint64_t version = 0;
    bool fine = true;
    for (unsigned second = 0; rest(); second++) {
        struct err err = {0};
        bool well = tx_worker(SQL_CHAT_BEAT, NULL, &err, BIND_TEXT(feed.node), BIND_TEXT(EDURAG_VERSION)) &&
                    keep_presence(&version, &err);
        if (well)
            tell_counts();
        if (well && second % SWEEP_EVERY == SWEEP_EVERY - 1)
            well = tx_worker0(SQL_CHAT_SWEEP, NULL, &err);
        if (!well && fine)
            warn("presence", &err);
        if (!well)
            version = 0; /* what the database knows of us may be gone: tell it again */
        fine = well;
    }
    return NULL;
}

bool feed_start(struct err *err)
{
    char host[40] = "";
    struct timespec now;
    gethostname(host, sizeof host - 1);
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(feed.node, sizeof feed.node, "%.32s:%d:%" PRIx64, host, (int)getpid(),
             (uint64_t)now.tv_sec << 20 ^ (uint64_t)now.tv_nsec);
    listen_on("edurag_chat", hear_line, resync, NULL);
    listen_on("edurag_chat_deleted", hear_deleted, NULL, NULL);
    listen_on("edurag_chat_expired", hear_expired, NULL, NULL);
    listen_on("edurag_presence", hear_presence, NULL, NULL);
    listen_on("edurag_user", hear_person, NULL, NULL);
    feed.stopping = false;
    pthread_cond_init(&feed.wake, NULL);
    if (pthread_create(&feed.thread, NULL, run, NULL) != 0)
        return err_set(err, ERR_INTERNAL, "no thread for chat");
    feed.started = true;
    return true;
}

void feed_stop(void)
{
    if (!feed.started)
        return;
    pthread_mutex_lock(&feed.stop_lock);
    feed.stopping = true;
    pthread_cond_signal(&feed.wake);
    pthread_mutex_unlock(&feed.stop_lock);
    pthread_join(feed.thread, NULL);
    feed.started = false;
    struct err err = {0};
    if (!tx_worker(SQL_CHAT_NODE_GONE, NULL, &err, BIND_TEXT(feed.node)))
        warn("leave", &err); /* the others notice within ten seconds */
    free(feed.rooms);
    feed.rooms = NULL;
    feed.count = 0;
}
