/* mailbox.c - what other threads hand to the socket thread: finished jobs and notifications. */
#include "server/net/mailbox.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "common/wait.h"
#include "server/rpc/job.h"

static struct {
    pthread_mutex_t lock; /* guards all of it */
    struct mail *first, *last;
    void (*wake)(void);
    uint64_t posted, delivered;
    int settling;           /* threads that wait for `settled` */
    pthread_cond_t settled; /* delivered has moved */
} box = {.lock = PTHREAD_MUTEX_INITIALIZER, .settled = PTHREAD_COND_INITIALIZER};

void mailbox_start(void (*wake)(void))
{
    pthread_mutex_lock(&box.lock);
    box.wake = wake;
    if (wake && box.first)
        wake(); /* what came before there was anybody to wake */
    pthread_mutex_unlock(&box.lock);
}

/* Under the lock, so that nobody wakes a loop that has ended. */
void mailbox_post(struct mail *mail)
{
    pthread_mutex_lock(&box.lock);
    bool first = !box.first;
    if (box.last)
        box.last->next = mail;
    else
        box.first = mail;
    box.last = mail;
    box.posted++;
    if (first && box.wake)
        box.wake();
    pthread_mutex_unlock(&box.lock);
}

struct mail *mailbox_mail(enum mail_kind kind)
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
    uint64_t posted = box.posted;
    box.first = box.last = NULL;
    pthread_mutex_unlock(&box.lock);
    for (struct mail *next; mail; mail = next) {
        next = mail->next;
        receive(mail);
        mail_free(mail);
    }
    pthread_mutex_lock(&box.lock);
    box.delivered = posted;
    bool awaited = box.settling;
    pthread_mutex_unlock(&box.lock);
    if (awaited)
        pthread_cond_broadcast(&box.settled);
}

bool mailbox_settle(int ms)
{
    int64_t until = wait_now() + ms;
    pthread_mutex_lock(&box.lock);
    uint64_t posted = box.posted;
    box.settling++;
    bool waiting = true;
    while (box.wake && box.delivered < posted && waiting)
        waiting = wait_until(&box.settled, &box.lock, until);
    box.settling--;
    bool settled = box.delivered >= posted;
    pthread_mutex_unlock(&box.lock);
    return settled;
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
    struct mail *mail = mailbox_mail(MAIL_FINISHED);
    mail->job = job;
    mailbox_post(mail);
}

void mailbox_check_all(void)
{
    mailbox_post(mailbox_mail(MAIL_CHECK_ALL));
}

void mailbox_reread_sid(const char *sid)
{
    struct mail *mail = mailbox_mail(MAIL_USER_CHANGED);
    snprintf(mail->sid, sizeof mail->sid, "%s", sid);
    mailbox_post(mail);
}
