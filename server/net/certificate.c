/* certificate.c - the certificate that TLS handshakes are answered with, and that can be read again. */
#include "server/net/certificate.h"

#include <openssl/err.h>

static SSL_CTX *current; /* serves nobody itself: it holds the chain and the key */

bool certificate_read(const char *chain, const char *key)
{
    SSL_CTX *fresh = SSL_CTX_new(TLS_server_method());
    if (!fresh || SSL_CTX_use_certificate_chain_file(fresh, chain) != 1 ||
        SSL_CTX_use_PrivateKey_file(fresh, key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(fresh) != 1) {
        ERR_clear_error();
        SSL_CTX_free(fresh);
        return false;
    }
    SSL_CTX_free(current);
    current = fresh;
    return true;
}

static int give(SSL *handshake, void *context)
{
    STACK_OF(X509) *chain = NULL;
    (void)context;
    if (!current)
        return 1;
    SSL_certs_clear(handshake);
    SSL_CTX_get0_chain_certs(current, &chain);
    return SSL_use_cert_and_key(handshake, SSL_CTX_get0_certificate(current), SSL_CTX_get0_privatekey(current), chain,
                                1);
}

void certificate_serve(SSL_CTX *context)
{
    SSL_CTX_set_cert_cb(context, give, NULL);
}

void certificate_drop(void)
{
    SSL_CTX_free(current);
    current = NULL;
}
