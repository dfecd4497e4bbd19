/* mailbox.c - what other threads hand to the socket thread: finished jobs, and news.h. */
#include "server/net/mailbox.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "server/rpc/envelope.h"
#include "server/rpc/job.h"
#include "server/rpc/news.h"

static struct {
    pthread_mutex_t lock; /* guards the list and wake */
    struct mail *first, *last;
    void (*wake)(void);
} box = {.lock = PTHREAD_MUTEX_INITIALIZER};

void mailbox_start(void (*wake)(void))
{
    pthread_mutex_lock(&box.lock);
    box.wake = wake;
    if (wake && box.first)
        wake(); /* what came before there was anybody to wake */
    pthread_mutex_unlock(&box.lock);
}

/* Under the lock, so that nobody wakes a loop that has ended. */
static void post(struct mail *mail)
{
    pthread_mutex_lock(&box.lock);
    bool first = !box.first;
    if (box.last)
        box.last->next = mail;
    else
        box.first = mail;
    box.last = mail;
    if (first && box.wake)
        box.wake();
    pthread_mutex_unlock(&box.lock);
}

static struct mail *mail_new(enum mail_kind kind)
{
    struct mail *mail = mem_alloc(sizeof *mail);
    mail->kind = kind;
    return mail;
}

static void mail_free(struct mail *mail)
{
    free(mail->text);
    job_free(mail->job);
    free(mail);
}

void mailbox_deliver(void (*receive)(struct mail *mail))
{
    pthread_mutex_lock(&box.lock);
    struct mail *mail = box.first;
    box.first = box.last = NULL;
    pthread_mutex_unlock(&box.lock);
    for (struct mail *next; mail; mail = next) {
        next = mail->next;
        receive(mail);
        mail_free(mail);
    }
}

static void discard(struct mail *mail)
{
    (void)mail;
}

void mailbox_stop(void)
{
    mailbox_start(NULL);
    mailbox_deliver(discard);
}

void mailbox_finished(struct job *job)
{
    struct mail *mail = mail_new(MAIL_FINISHED);
    mail->job = job;
    post(mail);
}

void mailbox_check_all(void)
{
    post(mail_new(MAIL_CHECK_ALL));
}

static void post_news(enum mail_kind kind, uint64_t session, const char *whom, int64_t seq, const char *method,
                      const char *params)
{
    struct mail *mail = mail_new(kind);
    struct buf text = {0};
    mail->session = session;
    mail->seq = seq;
    snprintf(mail->whom, sizeof mail->whom, "%s", whom);
    envelope_notification(&text, method, params);
    mail->length = text.length;
    mail->text = buf_take(&text);
    post(mail);
}

void news_to_session(uint64_t session, const char *method, const char *params)
{
    post_news(MAIL_TO_SESSION, session, "", 0, method, params);
}

void news_to_user(const char *user_id, const char *method, const char *params)
{
    post_news(MAIL_TO_USER, 0, user_id, 0, method, params);
}

void news_to_watchers(const char *user_id, const char *method, const char *params)
{
    post_news(MAIL_TO_WATCHERS, 0, user_id ? user_id : "", 0, method, params);
}

void news_to_room(const char *room, int64_t seq, const char *method, const char *params)
{
    post_news(MAIL_TO_ROOM, 0, room, seq, method, params);
}

static void post_plain(enum mail_kind kind, uint64_t session, const char *whom, const char *sid, const char *reason)
{
    struct mail *mail = mail_new(kind);
    mail->session = session;
    snprintf(mail->whom, sizeof mail->whom, "%s", whom ? whom : "");
    snprintf(mail->sid, sizeof mail->sid, "%s", sid ? sid : "");
    mail->text = mem_dup(reason);
    post(mail);
}

void news_end_user(const char *user_id, const char *sid, const char *reason)
{
    post_plain(MAIL_END_USER, 0, user_id, sid, reason);
}

void news_user_changed(const char *user_id)
{
    post_plain(MAIL_USER_CHANGED, 0, user_id, NULL, NULL);
}

void mailbox_reread_sid(const char *sid)
{
    post_plain(MAIL_USER_CHANGED, 0, NULL, sid, NULL);
}

void news_join(uint64_t session, const char *room)
{
    post_plain(MAIL_JOIN, session, room, NULL, NULL);
}

void news_join_live(uint64_t session, const char *room, int64_t seq)
{
    struct mail *mail = mail_new(MAIL_JOIN_LIVE);
    mail->session = session;
    mail->seq = seq;
    snprintf(mail->whom, sizeof mail->whom, "%s", room);
    post(mail);
}

void news_keep_rooms(const char *user_id, const char *rooms)
{
    post_plain(MAIL_KEEP_ROOMS, 0, user_id, NULL, rooms);
}

void news_leave(uint64_t session, const char *room)
{
    post_plain(MAIL_LEAVE, session, room, NULL, NULL);
}

void news_watch(uint64_t session)
{
    post_plain(MAIL_WATCH, session, NULL, NULL, NULL);
}
