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
    const char *name; /* EDURAG_NAME */
    const char *database_url, *database_worker_url, *database_owner_url, *database_listen_url;
    const char *database_prepare; /* auto | off */
    const char *data_dir, *listen, *socket, *tls_cert, *tls_key;
    bool allow_insecure; /* beyond loopback without TLS */
    const char *environment, *origins, *trusted_proxies;
    int64_t rate_person, rate_address;       /* requests a minute */
    int64_t connections, connections_person; /* cap on sockets */
    int64_t message_bytes, message_seconds, upload_bytes, person_bytes, unfinished_bytes, disk_floor, ballast_bytes;
    int64_t token_ttl, login_timeout, chat_ttl, ping; /* seconds */
    int64_t bcrypt_cost, indexers;
    const char *log, *memory, *embeddings, *generation; /* the last three as they come out: never "" */
    bool hindsight_enabled;
    const char *hindsight_url, *hindsight_api_key;
    int64_t hindsight_timeout; /* seconds */
    const char *gemini_api_key, *openai_base_url, *openai_api_key;
    const char *gemini_base_url, *gemini_model, *gemini_embedding_model, *gemini_thinking;
    const char *openai_chat_model, *openai_embedding_model, *openai_embeddings_base_url, *openai_embeddings_api_key;
    bool openai_reasoning, models_insecure;
    const char *query_prefix, *passage_prefix;            /* of texts to embed */
    int64_t embedding_dimensions, embedding_weight;       /* weight in hundredths of BM25's */
    int64_t generations, model_first_byte, model_silence; /* at once; seconds */
    int64_t trending_interval;                            /* seconds */
    int64_t trending_people;
    int64_t audit_days, address_days; /* kept for */
    bool metrics_public;
};

extern struct config config;

enum setting_type { SETTING_TEXT, SETTING_INT, SETTING_BOOL };

/* One row of the table. */
struct setting {
    const char *name;
    enum setting_type type;
    size_t offset;        /* in struct config */
    const char *fallback; /* as it would be written; "" where there is none */
    int64_t min, max;     /* INT: values; TEXT: bytes, 0 for 4000 */
    const char *one_of;   /* TEXT: the allowed words, separated by '|' */
    bool secret;          /* shown as set or not; NAME_FILE may name a file that holds it */
    const char *help;
};

extern const struct setting config_settings[]; /* ended by a row with name NULL */

/* Reads the defaults, then `file` (NULL: none; systemd's EnvironmentFile syntax), then the environment, which
 * wins. Appends one sentence a line to `problems` and returns how many there are. */
int config_read(const char *file, struct buf *problems);
/* What no row can see alone, and the files that settings name; the same form. May open files. */
int config_check(struct buf *problems);
bool config_is_given(const char *name); /* somebody set it, to more than "" */
/* The settings in force as KEY=VALUE lines, secrets masked; and what each is for. */
void config_print(struct buf *out);
void config_help(struct buf *out);
void config_free(void);

#endif
