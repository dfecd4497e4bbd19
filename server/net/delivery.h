/* delivery.h - brings the mailbox's letters to the sessions they are for. Socket thread only. */
#ifndef SERVER_NET_DELIVERY_H
#define SERVER_NET_DELIVERY_H

struct mail;

void delivery_receive(struct mail *mail);
/* Listens for ended sessions and changed people on every node. Before listen_start. */
void delivery_listen(void);

#endif
