/* delivery.c - brings the mailbox's letters to the sessions they are for. */
#include "server/net/delivery.h"

#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "server/net/mailbox.h"
#include "server/net/outbox.h"
#include "server/net/rooms.h"
#include "server/net/session.h"
#include "server/rpc/job.h"
#include "server/rpc/notify.h"
#include "server/store/listen.h"

static struct frame *frame_of(struct mail *mail)
{
    return frame_take(TAKE(mail->text), mail->length);
}

static void to_user(struct mail *mail, bool watchers)
{
    struct frame *frame = frame_of(mail);
    for (struct session *at = session_of_user(mail->whom); at; at = session_of_user_next(at))
        if (!watchers || !session_watches(at))
            session_put(at, frame, NULL);
    for (struct session *at = watchers ? session_next(NULL) : NULL; at; at = session_next(at))
        if (session_watches(at))
            session_put(at, frame, NULL);
    frame_unref(frame);
}

static void to_room(struct mail *mail)
{
    struct membership *const *members;
    struct frame *frame = frame_of(mail);
    size_t count = rooms_members(mail->whom, &members);
    frame->line = mail->seq != 0;
    rooms_remember(mail->whom, frame, mail->seq);
    for (size_t i = 0; i < count; i++)
        if (!members[i]->held && (!mail->seq || mail->seq > members[i]->after))
            session_put(members[i]->session, frame, members[i]);
    frame_unref(frame);
}

static void end_user(const struct mail *mail)
{
    for (struct session *at = session_of_user(mail->whom); at; at = session_of_user_next(at))
        if (!mail->sid[0] || !strcmp(mail->sid, session_sid(at)))
            session_close(at, CLOSE_TOKEN, mail->text, false);
}

/* Whoever is on the way in may be that person, with a token that was given out before it ended. */
static void reread(const struct mail *mail)
{
    for (struct session *at = session_next(NULL); at; at = session_next(at))
        if (session_entering(at) || (mail->sid[0] && !strcmp(mail->sid, session_sid(at))))
            session_reread(at);
    for (struct session *at = session_of_user(mail->whom); at; at = session_of_user_next(at))
        session_reread(at);
}

static void finished(struct job *job)
{
    uint64_t number = job->call.caller.session;
    char room[sizeof job->live_room];
    int64_t seq = job->live_seq;
    snprintf(room, sizeof room, "%s", job->ok ? job->live_room : "");
    rpc_finished(job);
    struct session *session = room[0] ? session_find(number) : NULL;
    if (session) /* behind the reply, so that what a client hears is in order */
        rooms_live(*session_rooms(session), room, seq);
    session_settle(number);
}

void delivery_receive(struct mail *mail)
{
    struct session *session = mail->session ? session_find(mail->session) : NULL;
    switch (mail->kind) {
    case MAIL_FINISHED: finished(TAKE(mail->job)); break;
    case MAIL_TO_USER: to_user(mail, false); break;
    case MAIL_TO_WATCHERS: to_user(mail, true); break;
    case MAIL_TO_ROOM: to_room(mail); break;
    case MAIL_END_USER: end_user(mail); break;
    case MAIL_USER_CHANGED: reread(mail); break;
    case MAIL_CHECK_ALL:
        for (struct session *at = session_next(NULL); at; at = session_next(at))
            session_reread(at);
        break;
    case MAIL_TO_SESSION:
        if (session) {
            struct frame *frame = frame_of(mail);
            session_put(session, frame, NULL);
            frame_unref(frame);
        }
        break;
    case MAIL_JOIN:
        if (session)
            rooms_join(session_rooms(session), session, mail->whom);
        break;
    case MAIL_KEEP_ROOMS:
        for (struct session *at = session_of_user(mail->whom); at; at = session_of_user_next(at))
            rooms_keep(session_rooms(at), mail->text);
        break;
    case MAIL_LEAVE:
        if (session)
            rooms_leave(session_rooms(session), mail->whom);
        break;
    case MAIL_WATCH:
        if (session)
            session_watch(session);
        break;
    }
}

/* A payload may be forged, so it only makes us ask the database again. */
static void hear_person(const char *payload, void *context)
{
    (void)context;
    notify_user_changed(payload);
}

/* "sid UUID" or "user UUID" */
static void hear_session(const char *payload, void *context)
{
    (void)context;
    if (!strncmp(payload, "sid ", 4))
        mailbox_reread_sid(payload + 4);
    if (!strncmp(payload, "user ", 5))
        notify_user_changed(payload + 5);
}

static void resync(void *context)
{
    (void)context;
    mailbox_check_all();
}

void delivery_listen(void)
{
    listen_on("edurag_user", hear_person, resync, NULL);
    listen_on("edurag_session", hear_session, NULL, NULL);
}
