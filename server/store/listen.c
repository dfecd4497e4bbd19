/* listen.c - one connection that hears NOTIFY, on a thread of its own. */
#include "server/store/listen.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "server/store/wire.h"

enum {
    CHANNELS_MOST = 32,
    CONNECT_MS = 3000,
    ANSWER_MS = 4000,
    GATHER_MS = 10,  /* of notifications on the heels of others */
    QUIET_MS = 5000, /* then the connection is asked whether it is still there */
    POLL_MS = 1000,  /* behind a pooler that swallows LISTEN */
    PROBE_MS = 2000,
    BACKOFF_FIRST_MS = 50,
    BACKOFF_MOST_MS = 1000,
};

struct channel {
    char *name;
    listen_hear *hear;
    listen_resync *resync;
    void *context;
};

static const char probe_channel[] = "edurag_probe";

static struct {
    struct channel channels[CHANNELS_MOST];
    int count;
    char *url;
    pthread_t thread;
    bool started;
    int wake; /* an eventfd: something is there once we are to stop */
    char probe[40];
    bool heard; /* the probe came back */
    _Atomic bool stopping, connected, polling;
} state = {.wake = -1};

void listen_on(const char *channel, listen_hear *hear, listen_resync *resync, void *context)
{
    if (state.count < CHANNELS_MOST)
        state.channels[state.count++] = (struct channel){mem_dup(channel), hear, resync, context};
}

bool listen_connected(void)
{
    return state.connected;
}

bool listen_polling(void)
{
    return state.polling;
}

static void resync_all(void)
{
    for (int i = 0; i < state.count && !state.stopping; i++)
        if (state.channels[i].resync)
            state.channels[i].resync(state.channels[i].context);
}

static void deliver(const PGnotify *note)
{
    if (!strcmp(note->relname, probe_channel) && !strcmp(note->extra, state.probe))
        state.heard = true;
    for (int i = 0; i < state.count; i++)
        if (!strcmp(state.channels[i].name, note->relname))
            state.channels[i].hear(note->extra, state.channels[i].context);
}

/* Whether there was anything. */
static bool deliver_all(struct wire *wire)
{
    bool any = false;
    for (PGnotify *note; !state.stopping && (note = PQnotifies(wire->pg)); PQfreemem(note), any = true)
        deliver(note);
    return any;
}

/* Waits for the server's notifications, or for the end. */
static bool pause_on(struct wire *wire, int ms)
{
    return wire_wait(wire, state.wake, ms) && !state.stopping;
}

/* The first after a silence is heard at once; those that follow on its heels together, because their hearers
 * then read the tables once for all of them. */
static bool gather(struct wire *wire, int64_t heard_at)
{
    int64_t left = heard_at + GATHER_MS - wire_now();
    if (left <= 0)
        return true;
    wire_nap(state.wake, (int)left);
    return pause_on(wire, 0);
}

static bool listen_to(struct wire *wire, const char *channel, struct err *err)
{
    AUTO(mem_freep) char *name = PQescapeIdentifier(wire->pg, channel, strlen(channel));
    AUTO(mem_freep) char *sql = mem_printf("listen %s", name ? name : "");
    return wire_exec(wire, sql, NULL, 0, ANSWER_MS, NULL, err);
}

static bool listen_to_all(struct wire *wire, struct err *err)
{
    for (int i = 0; i < state.count; i++)
        if (!listen_to(wire, state.channels[i].name, err))
            return false;
    return listen_to(wire, probe_channel, err);
}

/* A pooler in transaction mode says yes to LISTEN and passes on only what comes while we talk: so somebody
 * else must say something to us. */
static bool say_from_elsewhere(struct err *err)
{
    const char *values[] = {probe_channel, state.probe};
    AUTO(wire_close) struct wire *other = wire_open(state.url, "eduragd probe", CONNECT_MS, err);
    return other && wire_exec(other, "select pg_catalog.pg_notify($1, $2)", values, 2, ANSWER_MS, NULL, err);
}

static bool probe(struct wire *wire, struct err *err)
{
    snprintf(state.probe, sizeof state.probe, "%d %lld", getpid(), (long long)wire_now());
    state.heard = false;
    if (!say_from_elsewhere(err))
        return false;
    int64_t until = wire_now() + PROBE_MS;
    for (deliver_all(wire); !state.heard && wire_now() < until; deliver_all(wire))
        if (!pause_on(wire, 100))
            return err_set(err, ERR_BUSY, "connection lost");
    return true;
}

static void hear_until_lost(struct wire *wire, struct err *err)
{
    int64_t quiet_at = wire_now() + QUIET_MS, heard_at = 0;
    while (wire_usable(wire) && !state.stopping) {
        if (deliver_all(wire))
            heard_at = wire_now();
        int64_t left = quiet_at - wire_now();
        if (left <= 0 && !wire_exec(wire, "select 1", NULL, 0, ANSWER_MS, NULL, err))
            return;
        if (left <= 0)
            quiet_at = wire_now() + QUIET_MS;
        else if (!(pause_on(wire, (int)left) && gather(wire, heard_at)) && !state.stopping)
            err_set(err, ERR_BUSY, "connection lost");
    }
}

static void poll_instead(struct wire *wire, struct err *err)
{
    log_event(LOG_WARN, "listen_deaf",
              "note=\"notifications do not pass the pooler: asking every second. Set EDURAG_DATABASE_LISTEN_URL "
              "to a direct connection\"");
    state.polling = true;
    while (!state.stopping && wire_exec(wire, "select 1", NULL, 0, ANSWER_MS, NULL, err)) {
        resync_all();
        pause_on(wire, POLL_MS);
    }
    state.polling = false;
}

static void one_connection(int *backoff)
{
    struct err err = {0};
    AUTO(wire_close) struct wire *wire = wire_open(state.url, "eduragd listen", CONNECT_MS, &err);
    if (wire && listen_to_all(wire, &err) && probe(wire, &err) && !state.stopping) {
        *backoff = 0;
        if (!state.heard) {
            poll_instead(wire, &err);
        } else {
            state.connected = true;
            log_event(LOG_INFO, "listening_to_database", "channels=%d", state.count);
            resync_all();
            hear_until_lost(wire, &err);
        }
    }
    if (!state.stopping && (state.connected || !*backoff))
        log_event(LOG_WARN, "listen_lost", "reason=%s", log_quote(err.log));
    state.connected = false;
}

static void *work(void *unused)
{
    (void)unused;
    for (int backoff = 0; !state.stopping;) {
        one_connection(&backoff);
        backoff = !backoff ? BACKOFF_FIRST_MS : backoff * 2 > BACKOFF_MOST_MS ? BACKOFF_MOST_MS : backoff * 2;
        if (!state.stopping)
            wire_nap(state.wake, backoff);
    }
    return NULL;
}

void listen_start(const char *url)
{
    state.url = mem_dup(url);
    state.wake = eventfd(0, EFD_CLOEXEC);
    state.stopping = false;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    state.started = pthread_create(&state.thread, NULL, work, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (state.started)
        pthread_setname_np(state.thread, "listen");
}

void listen_stop(void)
{
    if (!state.started)
        return;
    state.stopping = true;
    if (eventfd_write(state.wake, 1) == 0)
        pthread_join(state.thread, NULL);
    close(state.wake);
    state.wake = -1;
    state.started = false;
    mem_wipe(state.url, strlen(state.url));
    mem_freep(&state.url);
    while (state.count)
        mem_freep(&state.channels[--state.count].name);
}
