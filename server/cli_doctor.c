/* cli_doctor.c - `eduragd doctor`: what is well here and what is not, a line each, with what to do. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>

#include "common/mem.h"
#include "server/cli.h"
#include "server/cli_bound.h"
#include "server/config.h"
#include "server/config_check.h"
#include "server/models/http.h"
#include "server/store/database.h"
#include "server/store/disk.h"

enum { ADDRESS_DAYS = 90, AUDIT_DAYS = 1100, TRENDING_SECONDS = 60 }; /* from here on it is said */
enum { CLOCK_SECONDS = 2, CERT_DAYS = 14, SPARE_FILES = 256, WARN_MIB = 2048, BAD_MIB = 256, SERVICE_MS = 8000 };
enum level { OK, WARN, BAD };

static int worst;

static void line(enum level level, const char *format, ...) PRINTF_LIKE(2, 3);
static void line(enum level level, const char *format, ...)
{
    static const char *const words[] = {"ok", "warn", "bad"};
    va_list args;
    printf("%-4s ", words[level]);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    worst = (int)level > worst ? (int)level : worst;
}

static const char *why(const struct err *err)
{
    return err->say[0] ? err->say : err->log[0] ? err->log : err_sentence(err);
}

/* What a school keeps for longer, or tells sooner, than people expect. */
static void privacy(void)
{
    if (config.address_days > ADDRESS_DAYS)
        line(WARN,
             "EDURAG_ADDRESS_DAYS keeps for %lld days from where people logged in. Thirty are enough to look into an "
             "attack.",
             (long long)config.address_days);
    if (config.audit_days > AUDIT_DAYS)
        line(WARN, "EDURAG_AUDIT_DAYS keeps for %lld days who did what. A year is enough for most schools.",
             (long long)config.audit_days);
    if (config.trending_interval < TRENDING_SECONDS)
        line(WARN,
             "EDURAG_TRENDING_INTERVAL is %lld s: who watches what many search can tell at which moment it changed. "
             "Quarter of an hour (900) hides that.",
             (long long)config.trending_interval);
}

/* A sentence a line, as config_check leaves them. */
static bool settings(const struct cli *cli)
{
    AUTO(mem_freep) char *text = mem_dup(cli->problems->data ? cli->problems->data : "");
    char *save = NULL;
    bool fine = true;
    for (char *one = strtok_r(text, "\n", &save); one; one = strtok_r(NULL, "\n", &save), fine = false)
        line(BAD, "settings: %s", one);
    if (fine)
        line(OK, "settings%s%s", cli->file ? " in " : "", cli->file ? cli->file : "");
    struct stat st;
    bool secret = false;
    for (const struct setting *s = config_settings; s->name; s++)
        secret = secret || (s->secret && config_is_given(s->name));
    if (cli->file && secret && stat(cli->file, &st) == 0 && st.st_mode & S_IROTH)
        line(WARN,
             "%s holds secrets and everybody on this machine can read it. Do: chmod 640 %s, and give it to the "
             "group of eduragd's account; or move the secrets into files of their own (NAME_FILE=/path).",
             cli->file, cli->file);
    if (config.allow_insecure && strcmp(config.listen, "off") != 0)
        line(WARN, "EDURAG_ALLOW_INSECURE is true: passwords travel in clear unless a proxy in front has TLS and the "
                   "network behind it is yours.");
    if (fine)
        privacy();
    return fine;
}

/* What other machines reach is what counts, whoever opened it. */
static void bound(void)
{
    char host[64], text[400];
    int port = 0;
    bool open = false;
    if (!strcmp(config.listen, "off"))
        line(OK, "listening: at the Unix socket %s alone", config.socket);
    else if (!config_check_address(config.listen, host, sizeof host, &port))
        return; /* the settings say so */
    else if (!cli_bound(port, text, sizeof text, &open))
        line(OK, "listening: nobody is at port %d now; asked for is %s", port, config.listen);
    else if (open && config_check_loopback(host))
        line(BAD,
             "listening: at %s, but EDURAG_LISTEN=%s asks for this machine alone. Find out which program that is: "
             "ss -ltnp 'sport = :%d'.",
             text, config.listen, port);
    else if (open && !*config.tls_cert)
        line(WARN, "listening: at %s, where other machines can connect, without TLS", text);
    else
        line(OK, "listening: at %s", text);
}

static void certificate(void)
{
    if (!*config.tls_cert)
        return;
    FILE *file = fopen(config.tls_cert, "re");
    X509 *cert = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    int days = 0, seconds = 0;
    if (file)
        fclose(file);
    if (!cert)
        return; /* the settings say so */
    bool read = ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert)) == 1;
    X509_free(cert);
    if (!read || days < 0 || seconds < 0)
        line(BAD, "the TLS certificate has expired. Get a new one, then systemctl reload edurag.");
    else if (days < CERT_DAYS)
        line(WARN, "the TLS certificate expires in %d days. Get a new one, then systemctl reload edurag.", days);
    else
        line(OK, "the TLS certificate is good for %d days", days);
}

static void limits(void)
{
    struct rlimit files;
    rlim_t want = (rlim_t)config.connections + SPARE_FILES;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max < want)
        line(BAD,
             "open files: %llu are allowed, but EDURAG_CONNECTIONS=%lld needs %llu. Raise LimitNOFILE= in the unit "
             "(or ulimit -n), or lower EDURAG_CONNECTIONS.",
             (unsigned long long)files.rlim_max, (long long)config.connections, (unsigned long long)want);
    else
        line(OK, "open files: enough for %lld connections", (long long)config.connections);
    struct statvfs disk;
    if (*config.database_url || statvfs(config.data_dir, &disk) != 0)
        return;
    unsigned long long mib = (unsigned long long)disk.f_bavail * disk.f_frsize >> 20;
    enum level level = mib < BAD_MIB ? BAD : mib < WARN_MIB ? WARN : OK;
    line(level, "disk: %llu MiB are free for %s%s", mib, config.data_dir,
         level == OK ? "" : ". Make room there, or move EDURAG_DATA_DIR to a larger disk.");
    if (mib < (unsigned long long)config.disk_floor >> 20)
        line(BAD, "disk: that is less than EDURAG_DISK_FLOOR, so uploads and indexing wait.");
    if (config.ballast_bytes && !disk_ballast(config.data_dir, false))
        line(WARN, "disk: no ballast is laid back. The next start of eduragd does it, where there is room.");
}

static void machine_clock(void)
{
    struct timex t = {0};
    if (adjtimex(&t) == TIME_ERROR)
        line(WARN, "clock: nothing keeps this machine's clock right. Install one that does (apt-get install "
                   "systemd-timesyncd); logins end by the clock.");
    else
        line(OK, "clock: it is kept right");
}

static void database_clock(void)
{
    AUTO(rows_free) struct rows *rows = NULL;
    struct err err = {0};
    if (!database_as_owner(SQL_OWNER_CLOCK, NULL, 0, &rows, &err)) {
        line(BAD, "clock of the database: %s", why(&err));
        return;
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    double apart = strtod(rows_text(rows, 0, 0), NULL) - ((double)now.tv_sec + (double)now.tv_nsec / 1e9);
    if (apart < -CLOCK_SECONDS || apart > CLOCK_SECONDS)
        line(BAD, "clock of the database: %.0f seconds apart from this machine's. Set both by a time server (NTP).",
             apart);
    else
        line(OK, "clock of the database: as this machine's");
}

static void hardening(void)
{
    AUTO(rows_free) struct rows *rows = NULL;
    struct err err = {0};
    if (!database_as_owner(SQL_OWNER_DOCTOR, NULL, 0, &rows, &err)) {
        line(BAD, "database: %s", why(&err));
        return;
    }
    for (int i = 0; i < rows_count(rows); i++) {
        const char *found = rows_text(rows, i, 2);
        if (!found)
            line(OK, "database: %s", rows_text(rows, i, 1));
        else
            line(!strcmp(rows_text(rows, i, 0), "bad") ? BAD : WARN, "database: not so: %s (%s). %s",
                 rows_text(rows, i, 1), found, rows_text(rows, i, 3));
    }
}

static void database(const struct cli *cli)
{
    AUTO(buf_free) struct buf problems = {0};
    struct err err = {0};
    if (database_check(&problems)) {
        char *save = NULL;
        for (char *one = strtok_r(problems.data, "\n", &save); one; one = strtok_r(NULL, "\n", &save))
            line(BAD, "database: %s", one);
        return;
    }
    if (!database_is_made()) {
        line(WARN, "database: there is none in %s yet. The first start of eduragd makes it.", config.data_dir);
        return;
    }
    if (!database_start(&cli->account, true, &err)) {
        line(BAD, "database: %s", why(&err));
    } else if (!*database_url("edurag_owner")) {
        line(WARN,
             "database: not looked into. Set EDURAG_DATABASE_OWNER_URL for this command, to the login edurag_owner.");
    } else {
        hardening();
        database_clock();
    }
    database_stop();
}

/* Whether it answers at all, and takes the key. */
static void service(const char *what, struct http_settings settings, const char *path)
{
    struct err err = {0};
    struct http_service *there = NULL;
    struct http_reply reply = {0};
    struct http_request request = {.path = path, .first_byte_ms = SERVICE_MS, .total_ms = SERVICE_MS};
    settings.allow_insecure = config.models_insecure;
    if (!http_open(&settings, &there, &err) || !http_send(there, &request, &reply, &err))
        line(BAD, "%s: %s does not answer: %s. Look at its address (%s), the network, and the service itself.", what,
             settings.name, err.log[0] ? err.log : why(&err), settings.base_url);
    else if (reply.status == 401 || reply.status == 403)
        line(BAD, "%s: %s refuses the key (%ld). Set the right one.", what, settings.name, reply.status);
    else if (reply.status >= 500)
        line(WARN, "%s: %s answers, but is in trouble (%ld). Look at the service itself.", what, settings.name,
             reply.status);
    else
        line(OK, "%s: %s answers", what, settings.name);
    http_reply_free(&reply);
    http_close(there);
}

static void model(const char *what, const char *choice, bool embeds)
{
    const char *base = *config.openai_base_url ? config.openai_base_url : "https://api.openai.com/v1";
    bool other = embeds && *config.openai_embeddings_base_url;
    if (!strcmp(choice, "gemini"))
        service(what,
                (struct http_settings){.name = "gemini",
                                       .base_url = config.gemini_base_url,
                                       .key = config.gemini_api_key,
                                       .key_header = "x-goog-api-key"},
                "/models");
    else if (!strcmp(choice, "openai"))
        service(what,
                (struct http_settings){.name = "openai",
                                       .base_url = other ? config.openai_embeddings_base_url : base,
                                       .key = other ? config.openai_embeddings_api_key : config.openai_api_key},
                "/models");
    else
        line(OK, "%s: %s, needs no service", what, choice);
}

/* Said without looking at anything else: on a full disk nothing else may work. */
static int release(void)
{
    int64_t given = disk_ballast(config.data_dir, true);
    if (!given) {
        line(WARN, "there is no ballast in %s to release", config.data_dir);
        return CLI_FAILED;
    }
    line(
        OK,
        "%lld MiB are free again in %s. Delete documents that are no longer needed, or make room there; the next start "
        "lays the ballast back.",
        (long long)(given >> 20), config.data_dir);
    return CLI_OK;
}

int cli_doctor(struct cli *cli)
{
    if (cli->count == 1 && !strcmp(cli->args[0], "release"))
        return release();
    bool fine = settings(cli);
    bound();
    certificate();
    limits();
    machine_clock();
    if (fine)
        database(cli);
    else
        line(WARN, "database and services: not looked at while the settings are wrong. Mend those first.");
    if (fine) {
        model("answers", config.generation, false);
        model("embeddings", config.embeddings, true);
        if (!strcmp(config.memory, "hindsight"))
            service("memory",
                    (struct http_settings){
                        .name = "hindsight", .base_url = config.hindsight_url, .key = config.hindsight_api_key},
                    "/health");
        else
            line(OK, "memory: %s, needs no service", config.memory);
    }
    return worst == BAD ? CLI_FAILED : CLI_OK;
}
