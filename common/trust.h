/* trust.h - whether a TLS server is the one it was: the system's certificate store first, and for what the
 * store does not vouch for, the fingerprint kept from the first visit, as SSH does.
 */
#ifndef COMMON_TRUST_H
#define COMMON_TRUST_H

#include <openssl/ssl.h>

#include "common/state.h"

struct trust {
    const char *server;                  /* "host:port", the key among the kept ones; lent */
    char fingerprint[STATE_FINGERPRINT]; /* SHA-256 of the certificate shown last, hex; "" before any */
    char pinned[STATE_FINGERPRINT];      /* the one kept, "" where there is none */
    bool verified;                       /* the store vouches for it */
    bool refused;                        /* neither does; the handshake was broken off */
};

/* A client's context whose handshakes are judged by `t`, which must outlive it; NULL on failure.
 * SSL_CTX_free it. */
SSL_CTX *trust_tls(struct trust *t);
/* Keeps the fingerprint shown last. */
bool trust_keep(const struct trust *t, struct err *err) MUST_CHECK;

#endif
