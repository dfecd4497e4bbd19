/* config.h - the settings, from the environment and a KEY=VALUE file: one table feeds parsing, ranges,
 * `--help`, `eduragd config`, `eduragd check` and the man page.
 *
 * Read once by main before any thread starts; constant afterwards. Empty text is "".
 */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

struct config {
    const char *name;                                         /* EDURAG_NAME */
    const char *database_url, *database_worker_url, *database_owner_url, *database_listen_url;
    const char *database_prepare;                             /* auto | off */
    const char *data_dir, *listen, *socket, *tls_cert, *tls_key;
    bool allow_insecure;                                      /* beyond loopback without TLS */
    const char *environment, *origins, *trusted_proxies;
    int64_t rate_person, rate_address;                        /* requests a minute */
    int64_t connections;                                      /* cap on sockets */
    int64_t message_bytes, upload_bytes;
    int64_t token_ttl, login_timeout, chat_ttl;               /* seconds */
    int64_t bcrypt_cost, indexers;
    const char *log, *memory, *embeddings, *generation;
    bool hindsight_enabled;
    const char *hindsight_url, *hindsight_api_key;
    int64_t hindsight_timeout;                                /* seconds */
    const char *gemini_api_key, *openai_base_url, *openai_api_key;
    bool metrics_public;
};

extern struct config config;

#endif
