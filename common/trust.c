/* trust.c - whether a TLS server is the one it was. */
#include "common/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fingerprint_of(X509 *certificate, char out[STATE_FINGERPRINT])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    out[0] = '\0';
    if (!certificate || !X509_digest(certificate, EVP_sha256(), digest, &length))
        return;
    for (unsigned i = 0; i < length; i++)
        snprintf(out + 2 * i, 3, "%02X", digest[i]);
}

static int verify(X509_STORE_CTX *store, void *user)
{
    struct trust *t = user;
    fingerprint_of(X509_STORE_CTX_get0_cert(store), t->fingerprint);
    t->verified = X509_verify_cert(store) == 1;
    t->refused = false;
    if (t->verified)
        return 1;
    t->pinned[0] = '\0';
    bool known = state_get("servers", t->server, t->pinned, sizeof t->pinned);
    t->refused = !t->fingerprint[0] || !known || strcmp(t->pinned, t->fingerprint) != 0;
    if (!t->refused)
        X509_STORE_CTX_set_error(store, X509_V_OK);
    return !t->refused;
}

/* By hashed directory, which reads the one issuer that is needed; the bundle costs 2 MB a client. */
SSL_CTX *trust_tls(struct trust *t)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    if (!tls)
        return NULL;
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_default_verify_dir(tls);
    const char *file = getenv("SSL_CERT_FILE");
    if (file && *file)
        SSL_CTX_load_verify_file(tls, file);
    SSL_CTX_set_cert_verify_callback(tls, verify, t);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
    return tls;
}

bool trust_keep(const struct trust *t, struct err *err)
{
    if (!t->fingerprint[0])
        return err_say(err, ERR_CONFLICT, "The server has not shown its certificate yet.");
    return state_set("servers", t->server, t->fingerprint, err);
}
