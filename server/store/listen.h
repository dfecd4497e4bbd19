/* listen.h - one connection that hears NOTIFY, on a thread of its own.
 *
 * A payload is a hint that holds ids only: whoever gets it reads the row, as the worker role, and
 * ignores what it does not find. After a lost connection `resync` is called (also once at start), so
 * that what was missed is caught up from the tables.
 */
#ifndef SERVER_STORE_LISTEN_H
#define SERVER_STORE_LISTEN_H

#include <stdbool.h>

/* Both run on the listen thread and may query; never wait for long. */
typedef void listen_hear(const char *payload, void *context);
typedef void listen_resync(void *context);

/* Before listen_start. Channels: see the head of sql/migrations/ where each is notified. */
void listen_on(const char *channel, listen_hear *hear, listen_resync *resync, void *context);
void listen_start(const char *url); /* returns at once; connects and reconnects by itself */
void listen_stop(void);
bool listen_connected(void); /* notifications arrive */
bool listen_polling(void);   /* they do not (a pooler swallows them), and resync runs every second instead */

#endif
