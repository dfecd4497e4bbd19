/* notify.c - notify.h, by mail to the socket thread. */
#include "server/rpc/notify.h"

#include <stdio.h>

#include "common/mem.h"
#include "server/net/mailbox.h"
#include "server/net/rooms.h"
#include "server/rpc/envelope.h"

static void post_notification(enum mail_kind kind, uint64_t session, const char *whom, int64_t seq, const char *method,
                              const char *params)
{
    struct mail *mail = mailbox_mail(kind);
    struct buf text = {0};
    mail->session = session;
    mail->seq = seq;
    snprintf(mail->whom, sizeof mail->whom, "%s", whom);
    envelope_notification(&text, method, params);
    mail->length = text.length;
    mail->text = buf_take(&text);
    mailbox_post(mail);
}

void notify_session(uint64_t session, const char *method, const char *params)
{
    post_notification(MAIL_TO_SESSION, session, "", 0, method, params);
}

void notify_user(const char *user_id, const char *method, const char *params)
{
    post_notification(MAIL_TO_USER, 0, user_id, 0, method, params);
}

void notify_watchers(const char *user_id, const char *method, const char *params)
{
    post_notification(MAIL_TO_WATCHERS, 0, user_id ? user_id : "", 0, method, params);
}

void notify_room(const char *room, int64_t seq, const char *method, const char *params)
{
    post_notification(MAIL_TO_ROOM, 0, room, seq, method, params);
}

static void post_plain(enum mail_kind kind, uint64_t session, const char *whom, const char *sid, const char *reason)
{
    struct mail *mail = mailbox_mail(kind);
    mail->session = session;
    snprintf(mail->whom, sizeof mail->whom, "%s", whom ? whom : "");
    snprintf(mail->sid, sizeof mail->sid, "%s", sid ? sid : "");
    mail->text = mem_dup(reason);
    mailbox_post(mail);
}

void notify_end_user(const char *user_id, const char *sid, const char *reason)
{
    post_plain(MAIL_END_USER, 0, user_id, sid, reason);
}

void notify_user_changed(const char *user_id)
{
    post_plain(MAIL_USER_CHANGED, 0, user_id, NULL, NULL);
}

void notify_join(uint64_t session, const char *room)
{
    post_plain(MAIL_JOIN, session, room, NULL, NULL);
}

void notify_keep_rooms(const char *user_id, const char *rooms)
{
    post_plain(MAIL_KEEP_ROOMS, 0, user_id, NULL, rooms);
}

void notify_leave(uint64_t session, const char *room)
{
    post_plain(MAIL_LEAVE, session, room, NULL, NULL);
}

void notify_watch(uint64_t session)
{
    post_plain(MAIL_WATCH, session, NULL, NULL, NULL);
}

bool notify_settle(int ms)
{
    return mailbox_settle(ms);
}

char *notify_presence(uint64_t *version)
{
    return rooms_presence(version);
}
