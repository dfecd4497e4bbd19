/* config.c - the settings, from the environment and a KEY=VALUE file. */
#include "server/config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/text.h"
#include "server/config_file.h"

#define ROW(type_, member_, name_, fallback_, ...)                                                                 \
    {                                                                                                              \
        .name = name_, .type = SETTING_##type_, .offset = offsetof(struct config, member_), .fallback = fallback_, \
        __VA_ARGS__                                                                                                \
    }

enum { TEXT_MOST = 4000, FILE_MOST = 65536 };

const struct setting config_settings[] = {
    ROW(TEXT, name, "EDURAG_NAME", "EduRag", .max = 80, .help = "The school's name, as the terminals show it."),
    ROW(TEXT, database_url, "EDURAG_DATABASE_URL", "", .secret = true,
        .help = "A PostgreSQL (15 or newer) of your own, login edurag_app; empty: a private one in EDURAG_DATA_DIR."),
    ROW(TEXT, database_worker_url, "EDURAG_DATABASE_WORKER_URL", "", .secret = true,
        .help = "The same database, login edurag_worker."),
    ROW(TEXT, database_owner_url, "EDURAG_DATABASE_OWNER_URL", "", .secret = true,
        .help = "The same database, login edurag_owner: for migrations at start and for commands."),
    ROW(TEXT, database_listen_url, "EDURAG_DATABASE_LISTEN_URL", "", .secret = true,
        .help = "A direct connection for LISTEN where the others go through a pooler; empty: the worker's."),
    ROW(TEXT, database_prepare, "EDURAG_DATABASE_PREPARE", "auto", .one_of = "auto|off",
        .help = "off behind a pooler in transaction mode."),
    ROW(TEXT, data_dir, "EDURAG_DATA_DIR", "", .max = 1000,
        .help = "Where the private PostgreSQL lives; empty: /var/lib/edurag as root, else edurag under XDG_DATA_HOME."),
    ROW(TEXT, listen, "EDURAG_LISTEN", "127.0.0.1:7420", .max = 300,
        .help = "ADDRESS:PORT to serve; [::1]:7420 for IPv6; off: the Unix socket only."),
    ROW(TEXT, socket, "EDURAG_SOCKET", "", .max = 106, .help = "Path of a Unix socket to serve as well."),
    ROW(TEXT, tls_cert, "EDURAG_TLS_CERT", "", .help = "Certificate chain (PEM) for TLS."),
    ROW(TEXT, tls_key, "EDURAG_TLS_KEY", "", .help = "Its private key (PEM)."),
    ROW(BOOL, allow_insecure, "EDURAG_ALLOW_INSECURE", "false",
        .help = "Serve beyond this machine without TLS all the same: everybody on the way can read along."),
    ROW(TEXT, environment, "EDURAG_ENVIRONMENT", "production", .one_of = "production|staging|development",
        .help = "Which web origins are let in, see EDURAG_ORIGINS."),
    ROW(TEXT, origins, "EDURAG_ORIGINS", "",
        .help = "Web origins that may connect, separated by blanks; staging may use *. patterns."),
    ROW(TEXT, trusted_proxies, "EDURAG_TRUSTED_PROXIES", "",
        .help = "Addresses or networks, separated by blanks, whose X-Forwarded-For is believed."),
    ROW(INT, rate_person, "EDURAG_RATE_PERSON", "60", .min = 1, .max = 1000000,
        .help = "Requests a minute for a person, on each node."),
    ROW(INT, rate_address, "EDURAG_RATE_ADDRESS", "600", .min = 1, .max = 1000000,
        .help = "Requests a minute before login for an address: a class may sit behind one."),
    ROW(INT, connections, "EDURAG_CONNECTIONS", "4000", .min = 1, .max = 100000,
        .help = "Sockets at once, at most. A fifth of them may be those of people who have not logged in."),
    ROW(INT, connections_person, "EDURAG_CONNECTIONS_PERSON", "20", .min = 1, .max = 100000,
        .help = "Sockets of one person at once, on each node."),
    ROW(INT, message_bytes, "EDURAG_MESSAGE_BYTES", "1048576", .min = 4096, .max = 67108864,
        .help = "Size of one message to the server, at most."),
    ROW(INT, message_seconds, "EDURAG_MESSAGE_SECONDS", "30", .min = 1, .max = 3600,
        .help = "Seconds that a message has to become whole."),
    ROW(INT, upload_bytes, "EDURAG_UPLOAD_BYTES", "209715200", .min = 1024, .max = 1073741824,
        .help = "Size of one document, at most."),
    ROW(INT, person_bytes, "EDURAG_PERSON_BYTES", "5368709120", .min = 1024, .max = 1099511627776,
        .help =
            "Bytes of documents that one person may have in the library; users.quota gives somebody another share."),
    ROW(INT, unfinished_bytes, "EDURAG_UNFINISHED_BYTES", "419430400", .min = 1024, .max = 1099511627776,
        .help = "Bytes of documents that one person may have begun to send and not completed."),
    ROW(INT, disk_floor, "EDURAG_DISK_FLOOR", "268435456", .min = 0, .max = 1099511627776,
        .help = "Bytes of EDURAG_DATA_DIR's disk under which uploads and indexing wait, while all else goes on."),
    ROW(INT, ballast_bytes, "EDURAG_BALLAST_BYTES", "67108864", .min = 0, .max = 1073741824,
        .help = "Bytes kept back there for the day when the disk is full: eduragd doctor release gives them free."),
    ROW(INT, token_ttl, "EDURAG_TOKEN_TTL", "43200", .min = 60, .max = 31536000, .help = "Seconds that a login lasts."),
    ROW(INT, login_timeout, "EDURAG_LOGIN_TIMEOUT", "10", .min = 1, .max = 3600,
        .help = "Seconds that a connection has to log in."),
    ROW(INT, ping, "EDURAG_PING", "30", .min = 1, .max = 3600,
        .help = "Seconds of silence after which a peer is asked whether it is still there."),
    ROW(INT, chat_ttl, "EDURAG_CHAT_TTL", "3600", .min = 1, .max = 31536000, .help = "Seconds that a chat line lives."),
    ROW(INT, bcrypt_cost, "EDURAG_BCRYPT_COST", "12", .min = 4, .max = 16, .help = "Cost of a new password's hash."),
    ROW(INT, indexers, "EDURAG_INDEXERS", "2", .min = 0, .max = 64, .help = "Documents indexed at once on this node."),
    ROW(TEXT, log, "EDURAG_LOG", "info", .one_of = "error|warn|info|debug", .help = "The least that is logged."),
    ROW(TEXT, memory, "EDURAG_MEMORY", "", .one_of = "hindsight|builtin|off",
        .help = "Where memories live; empty: hindsight with HINDSIGHT_URL, else builtin."),
    ROW(TEXT, embeddings, "EDURAG_EMBEDDINGS", "", .one_of = "builtin|gemini|openai",
        .help = "What turns passages into vectors; empty: the service that has a key here, else builtin."),
    ROW(TEXT, generation, "EDURAG_GENERATION", "", .one_of = "extractive|gemini|openai",
        .help = "What writes answers; empty: the service that has a key here, else extractive."),
    ROW(BOOL, hindsight_enabled, "HINDSIGHT_ENABLED", "true", .help = "false: no memory at all, whatever else is set."),
    ROW(TEXT, hindsight_url, "HINDSIGHT_URL", "", .help = "Base URL of the memory service."),
    ROW(TEXT, hindsight_api_key, "HINDSIGHT_API_KEY", "", .secret = true, .help = "Its key."),
    ROW(INT, hindsight_timeout, "HINDSIGHT_TIMEOUT", "6", .min = 1, .max = 120,
        .help = "Seconds to wait for what it remembers."),
    ROW(TEXT, gemini_api_key, "GEMINI_API_KEY", "", .secret = true, .help = "Key for Gemini."),
    ROW(TEXT, openai_base_url, "OPENAI_BASE_URL", "",
        .help = "An OpenAI-compatible service; empty: https://api.openai.com/v1."),
    ROW(TEXT, openai_api_key, "OPENAI_API_KEY", "", .secret = true, .help = "Its key."),
    ROW(TEXT, gemini_base_url, "GEMINI_BASE_URL", "https://generativelanguage.googleapis.com/v1beta", .max = 1000,
        .help = "Where Gemini answers."),
    ROW(TEXT, gemini_model, "EDURAG_GEMINI_MODEL", "gemini-flash-latest", .max = 90,
        .help = "The model that writes answers."),
    ROW(TEXT, gemini_embedding_model, "EDURAG_GEMINI_EMBEDDING_MODEL", "gemini-embedding-2", .max = 70,
        .help = "The model that embeds."),
    ROW(TEXT, gemini_thinking, "EDURAG_GEMINI_THINKING", "", .one_of = "MINIMAL|LOW|MEDIUM|HIGH",
        .help = "How much it thinks before an answer; empty: its own way (older models accept nothing else)."),
    ROW(TEXT, openai_chat_model, "EDURAG_OPENAI_CHAT_MODEL", "gpt-4o-mini", .max = 90,
        .help = "The model that writes answers, as the OpenAI-compatible service names it."),
    ROW(TEXT, openai_embedding_model, "EDURAG_OPENAI_EMBEDDING_MODEL", "text-embedding-3-small", .max = 70,
        .help = "The model that embeds, as the OpenAI-compatible service names it."),
    ROW(TEXT, openai_embeddings_base_url, "OPENAI_EMBEDDINGS_BASE_URL", "",
        .help = "Another OpenAI-compatible service for embeddings; empty: the same."),
    ROW(TEXT, openai_embeddings_api_key, "OPENAI_EMBEDDINGS_API_KEY", "", .secret = true,
        .help = "Its key; the first service's key is never sent there."),
    ROW(BOOL, openai_reasoning, "EDURAG_OPENAI_REASONING", "false",
        .help = "For models that want max_completion_tokens and no temperature."),
    ROW(BOOL, models_insecure, "EDURAG_MODELS_INSECURE", "false",
        .help = "Send questions to a service on another machine without TLS all the same."),
    ROW(TEXT, query_prefix, "EDURAG_QUERY_PREFIX", "", .max = 500,
        .help = "What the embedding model wants in front of questions; empty: what it is known to want."),
    ROW(TEXT, passage_prefix, "EDURAG_PASSAGE_PREFIX", "", .max = 500, .help = "The same in front of passages."),
    ROW(INT, embedding_dimensions, "EDURAG_EMBEDDING_DIMENSIONS", "0", .min = 0, .max = 4096,
        .help = "Dimensions to ask the service for; 0: 768 of Gemini, else the model's own."),
    ROW(INT, embedding_weight, "EDURAG_EMBEDDING_WEIGHT", "100", .min = 0, .max = 10000,
        .help = "Weight of an outside service's vectors beside words, in hundredths."),
    ROW(INT, generations, "EDURAG_GENERATIONS", "4", .min = 1, .max = 64,
        .help = "Answers that the language model writes at once; others wait in turn."),
    ROW(INT, model_first_byte, "EDURAG_MODEL_FIRST_BYTE", "120", .min = 1, .max = 600,
        .help = "Seconds to wait for the beginning of an answer: a local model may have to load first."),
    ROW(INT, model_silence, "EDURAG_MODEL_SILENCE", "30", .min = 1, .max = 600,
        .help = "Seconds of silence in the middle of an answer after which it counts as broken off."),
    ROW(INT, trending_interval, "EDURAG_TRENDING_INTERVAL", "900", .min = 1, .max = 86400,
        .help = "Seconds between two counts of what many search."),
    ROW(INT, trending_people, "EDURAG_TRENDING_PEOPLE", "5", .min = 5, .max = 1000,
        .help = "How many different people make a topic that many search; never fewer than five."),
    ROW(INT, audit_days, "EDURAG_AUDIT_DAYS", "365", .min = 1, .max = 36500,
        .help = "Days that the audit log goes back."),
    ROW(INT, address_days, "EDURAG_ADDRESS_DAYS", "30", .min = 1, .max = 36500,
        .help = "Days that the addresses of logins are kept."),
    ROW(BOOL, metrics_public, "EDURAG_METRICS_PUBLIC", "false", .help = "Serve /metrics to other machines too."),
    {0}};

struct config config;

enum { SETTINGS_MOST = 128 };
/* Owned texts, and whether somebody set the row, by its place in the table. */
static char *texts[SETTINGS_MOST];
static bool given[SETTINGS_MOST];
_Static_assert(COUNT_OF(config_settings) <= SETTINGS_MOST, "room for every setting");

static int problem(struct buf *problems, const char *format, ...) PRINTF_LIKE(2, 3);
static int problem(struct buf *problems, const char *format, ...)
{
    va_list args;
    char line[1200];
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    /* It may quote a value, in which anything may stand, and which the format may have cut inside a character. */
    text_clean(problems, line, strlen(line), TEXT_ONE_LINE);
    buf_char(problems, '\n');
    return 1;
}

static bool one_of(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = words; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
        if (n && !strncmp(p, word, n) && (p[n] == '|' || !p[n]))
            return true;
    return false;
}

static int set_int(const struct setting *s, const char *text, struct buf *problems)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end || errno || value < s->min || value > s->max)
        return problem(problems, "%s must be a whole number from %" PRId64 " to %" PRId64 ", not \"%.40s\".", s->name,
                       s->min, s->max, text);
    *(int64_t *)((char *)&config + s->offset) = value;
    return 0;
}

static int set_bool(const struct setting *s, const char *text, struct buf *problems)
{
    bool yes = one_of("true|yes|on|1", text);
    if (!yes && !one_of("false|no|off|0", text))
        return problem(problems, "%s must be true or false, not \"%.40s\".", s->name, text);
    *(bool *)((char *)&config + s->offset) = yes;
    return 0;
}

static int set_text(const struct setting *s, const char *text, struct buf *problems)
{
    size_t length = strlen(text), most = s->max ? (size_t)s->max : TEXT_MOST;
    if (*text && s->one_of && !one_of(s->one_of, text))
        return problem(problems, "%s must be one of %s, not \"%.40s\".", s->name, s->one_of, text);
    if (length > most)
        return problem(problems, "%s is longer than %zu bytes.", s->name, most);
    if (!text_valid_utf8(text, length) || strpbrk(text, "\r\n"))
        return problem(problems, "%s must be one line of UTF-8 text.", s->name);
    char **own = &texts[s - config_settings];
    char *old = *own;
    *own = mem_dup(text);
    mem_freep(&old);
    *(const char **)((char *)&config + s->offset) = *own;
    return 0;
}

static int set(const struct setting *s, const char *text, struct buf *problems)
{
    return s->type == SETTING_INT    ? set_int(s, text, problems)
           : s->type == SETTING_BOOL ? set_bool(s, text, problems)
                                     : set_text(s, text, problems);
}

/* Somebody's value; an empty one is the default. */
static int assign(const struct setting *s, const char *text, struct buf *problems)
{
    given[s - config_settings] = *text != '\0';
    return set(s, *text ? text : s->fallback, problems);
}

/* The first line of a file that holds a secret. */
static int assign_file(const struct setting *s, const char *path, struct buf *problems)
{
    char line[TEXT_MOST + 2] = "";
    FILE *file = fopen(path, "re");
    if (!file)
        return problem(problems, "%s_FILE names %.400s, which can't be read: %s.", s->name, path, strerror(errno));
    if (!fgets(line, sizeof line, file))
        line[0] = '\0';
    fclose(file);
    line[strcspn(line, "\r\n")] = '\0';
    int count = *line ? assign(s, line, problems)
                      : problem(problems, "%s_FILE names %.400s, whose first line is empty.", s->name, path);
    mem_wipe(line, sizeof line);
    return count;
}

static const struct setting *find(const char *name, bool *is_file)
{
    size_t length = strlen(name);
    for (const struct setting *s = config_settings; s->name; s++) {
        size_t n = strlen(s->name);
        *is_file = s->secret && length == n + 5 && !strcmp(name + n, "_FILE");
        if (!strncmp(s->name, name, n) && (length == n || *is_file))
            return s;
    }
    return NULL;
}

/* How many letters have to be changed, put in or left out: Levenshtein's distance, for short names. */
static size_t distance(const char *a, const char *b)
{
    enum { MOST = 64 };
    size_t row[MOST + 1], n = strlen(b);
    if (strlen(a) > MOST || n > MOST)
        return MOST;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t change = corner + (a[i] != b[j]), least = row[j + 1] < row[j] ? row[j + 1] : row[j];
            corner = row[j + 1];
            row[j + 1] = change < least + 1 ? change : least + 1;
        }
    }
    return row[n];
}

/* The setting that is most likely meant; NULL: none is near. */
static const char *nearest(const char *name)
{
    const char *best = NULL;
    size_t least = 3;
    for (const struct setting *s = config_settings; s->name; s++) {
        size_t d = distance(name, s->name);
        if (d && d < least) {
            least = d;
            best = s->name;
        }
    }
    return best;
}

struct reading {
    struct buf *problems;
    int count;
};

static void one_line(const char *name, const char *value, void *context)
{
    struct reading *r = context;
    bool is_file;
    const struct setting *s = find(name, &is_file);
    if (s)
        r->count += is_file ? assign_file(s, value, r->problems) : assign(s, value, r->problems);
    else if (nearest(name))
        r->count += problem(r->problems, "%.80s is not a setting. Is %s meant?", name, nearest(name));
    else if (!strncmp(name, "EDURAG_", 7) && strncmp(name, "EDURAG_TEST_", 12) != 0)
        r->count += problem(r->problems, "%.80s is not a setting. `eduragd --help` lists them.", name);
}

static int read_file(const char *path, struct buf *problems)
{
    AUTO(mem_freep) char *text = mem_alloc(FILE_MOST + 1);
    FILE *file = fopen(path, "re");
    if (!file)
        return problem(problems, "%.400s can't be read: %s.", path, strerror(errno));
    size_t n = fread(text, 1, FILE_MOST + 1, file);
    fclose(file);
    if (n > FILE_MOST)
        return problem(problems, "%.400s is larger than %d bytes.", path, FILE_MOST);
    text[n] = '\0';
    struct reading r = {.problems = problems};
    int line = config_file_parse(text, one_line, &r);
    if (line)
        r.count += problem(problems, "%.400s, line %d: this is not KEY=VALUE.", path, line);
    mem_wipe(text, n);
    return r.count;
}

static int read_environment(struct buf *problems)
{
    int count = 0;
    for (const struct setting *s = config_settings; s->name; s++) {
        char name[80];
        snprintf(name, sizeof name, "%s_FILE", s->name);
        const char *value = getenv(s->name), *path = s->secret ? getenv(name) : NULL;
        if (value)
            count += assign(s, value, problems);
        else if (path && *path)
            count += assign_file(s, path, problems);
    }
    /* What is misspelt there would be passed over in silence; what is of other programs is near to nothing of ours. */
    for (char *const *entry = environ; entry && *entry; entry++) {
        char name[80];
        bool is_file;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(*entry, "="), *entry);
        if (!find(name, &is_file) && strncmp(name, "EDURAG_TEST_", 12) != 0 && nearest(name))
            count += problem(problems, "%.80s is not a setting. Is %s meant?", name, nearest(name));
    }
    return count;
}

/* /var/lib/edurag for a system's server, a place of one's own for somebody who just tries it. */
static char *default_data_dir(void)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (geteuid() == 0)
        return mem_dup("/var/lib/edurag");
    if (data && *data == '/')
        return mem_printf("%s/edurag", data);
    return mem_printf("%s/.local/share/edurag", home && *home ? home : "/tmp");
}

static const char *service_with_key(const char *none)
{
    return *config.gemini_api_key ? "gemini" : *config.openai_api_key || *config.openai_base_url ? "openai" : none;
}

/* What an empty choice comes to, so that nobody else has to know. */
static int resolve(struct buf *problems)
{
    int count = 0;
    if (!*config.data_dir) {
        AUTO(mem_freep) char *dir = default_data_dir();
        bool is_file;
        count = set_text(find("EDURAG_DATA_DIR", &is_file), dir, problems);
    }
    if (!config.hindsight_enabled)
        config.memory = "off";
    else if (!*config.memory)
        config.memory = *config.hindsight_url ? "hindsight" : "builtin";
    if (!*config.embeddings)
        config.embeddings = service_with_key("builtin");
    if (!*config.generation)
        config.generation = service_with_key("extractive");
    return count;
}

int config_read(const char *file, struct buf *problems)
{
    int count = 0;
    for (const struct setting *s = config_settings; s->name; s++)
        count += set(s, s->fallback, problems);
    memset(given, 0, sizeof given);
    if (file)
        count += read_file(file, problems);
    count += read_environment(problems);
    return count + resolve(problems);
}

bool config_is_given(const char *name)
{
    bool is_file;
    const struct setting *s = find(name, &is_file);
    return s && given[s - config_settings];
}

static void print_value(struct buf *out, const struct setting *s)
{
    const char *at = (const char *)&config + s->offset;
    if (s->type == SETTING_INT) {
        buf_printf(out, "%" PRId64, *(const int64_t *)at);
        return;
    }
    const char *text = s->type == SETTING_BOOL ? (*(const bool *)at ? "true" : "false") : *(const char *const *)at;
    if (s->secret && *text)
        text = "(set)";
    bool quote = strpbrk(text, " \t\"'\\#;$`()") != NULL;
    buf_text(out, quote ? "\"" : "");
    for (; *text; text++) {
        if (strchr("\"\\$`", *text))
            buf_char(out, '\\');
        buf_char(out, *text);
    }
    buf_text(out, quote ? "\"" : "");
}

void config_print(struct buf *out)
{
    for (const struct setting *s = config_settings; s->name; s++) {
        buf_printf(out, "%s=", s->name);
        print_value(out, s);
        buf_char(out, '\n');
    }
}

void config_help(struct buf *out)
{
    for (const struct setting *s = config_settings; s->name; s++) {
        buf_printf(out, "  %s%s", s->name, s->secret ? " (or " : "");
        if (s->secret)
            buf_printf(out, "%s_FILE)", s->name);
        buf_printf(out, "\n      %s", s->help);
        if (s->one_of)
            buf_printf(out, " One of: %s.", s->one_of);
        if (s->type == SETTING_INT)
            buf_printf(out, " %" PRId64 " to %" PRId64 ".", s->min, s->max);
        if (*s->fallback)
            buf_printf(out, " Default: %s.", s->fallback);
        buf_char(out, '\n');
    }
}

void config_free(void)
{
    for (size_t i = 0; i < SETTINGS_MOST; i++) {
        if (texts[i] && config_settings[i].secret)
            mem_wipe(texts[i], strlen(texts[i]));
        mem_freep(&texts[i]);
    }
    config = (struct config){0};
}
