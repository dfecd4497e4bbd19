/* mailbox.h - what other threads hand to the socket thread: finished jobs and notifications.
 *
 * Posting queues, wakes the loop and never waits for it; order is kept. mailbox_deliver runs on the socket
 * thread and calls the receiver for each in turn.
 */
#ifndef SERVER_NET_MAILBOX_H
#define SERVER_NET_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

struct job;

enum mail_kind {
    MAIL_FINISHED,
    MAIL_TO_SESSION,
    MAIL_TO_USER,
    MAIL_TO_WATCHERS,
    MAIL_TO_ROOM,
    MAIL_END_USER,
    MAIL_USER_CHANGED,
    MAIL_CHECK_ALL,
    MAIL_JOIN,
    MAIL_LEAVE,
    MAIL_KEEP_ROOMS,
    MAIL_WATCH,
};

struct mail {
    struct mail *next;
    enum mail_kind kind;
    struct job *job;
    uint64_t session;
    int64_t seq;   /* of a chat line */
    char whom[64]; /* user id or room */
    char sid[40];
    char *text; /* an encoded notification, or a reason; owned */
    size_t length;
};

void mailbox_start(void (*wake)(void));
void mailbox_stop(void);
struct mail *mailbox_mail(enum mail_kind kind); /* empty, for mailbox_post */
void mailbox_post(struct mail *mail);           /* any thread; takes it */
void mailbox_finished(struct job *job);         /* any thread */
void mailbox_check_all(void);                   /* any thread: every session reads itself again */
void mailbox_reread_sid(const char *sid);       /* any thread: those with this token do */
/* Any thread but the socket thread: waits until what was posted so far has been delivered, at most `ms`. */
bool mailbox_settle(int ms);
void mailbox_deliver(void (*receive)(struct mail *mail)); /* `receive` may take mail->text and mail->job */

#endif
