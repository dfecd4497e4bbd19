/* certificate.h - the certificate that TLS handshakes are answered with, and that can be read again. Socket thread only.
 *
 * An SSL_CTX keeps one certificate of each kind of key, and goes on showing the old one after a change from an
 * elliptic key to an RSA key. So each handshake is given the certificate that was read last, and no other.
 */
#ifndef SERVER_NET_CERTIFICATE_H
#define SERVER_NET_CERTIFICATE_H

#include <stdbool.h>

#include <openssl/ssl.h>

/* Both files in PEM. False, and the one from before goes on, where they can't be served. */
bool certificate_read(const char *chain, const char *key);
/* Handshakes of this context show what was read last; before the first reading, what the context has itself. */
void certificate_serve(SSL_CTX *context);
void certificate_drop(void);

#endif
