/* config.c - the settings: their file, their ranges, what does not go together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "server/config.h"
#include "server/config_check.h"
#include "server/config_file.h"

/* ------------------------------------------------------------------ the file */

static void collect(const char *name, const char *value, void *context)
{
    buf_printf(context, "%s=[%s]", name, value);
}

static void files_are_read_as_systemd_reads_them(void **context)
{
    (void)context;
    static const struct {
        const char *text, *expected;
        int wrong;
    } rows[] = {
        {"", "", 0},
        {"A=1", "A=[1]", 0},
        {"A=1\nB=2\n", "A=[1]B=[2]", 0},
        {"  A=1  \n", "A=[1]", 0},
        {"\n\n# A=0\n; B=0\nA=1", "A=[1]", 0},
        {"A=a b c", "A=[a b c]", 0},
        {"A=\"a  b \"  ", "A=[a  b ]", 0},
        {"A='a \\ \"b\"'", "A=[a \\ \"b\"]", 0},
        {"A=\"a\\\"b\\\\c\\$d\\x\"", "A=[a\"b\\c$d\\x]", 0},
        {"A=one\\\n two\nB=2", "A=[one two]B=[2]", 0},
        {"A=\"two\nlines\"\nB=2", "A=[two\nlines]B=[2]", 0},
        {"A=x # no comment", "A=[x # no comment]", 0},
        {"A=", "A=[]", 0},
        {"A=\"\"", "A=[]", 0},
        {"A=a=b", "A=[a=b]", 0},
        {"A=\\ x\\ ", "A=[ x ]", 0},
        {"A=1\r\n", "A=[1]", 0},
        {"A=1\nnonsense\nB=2", "A=[1]B=[2]", 2},
        {"A B=1", "", 1},
        {"=1", "", 1},
        {"export A=1", "", 1},
        {"A=\"open", "A=[open]", 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buf_free) struct buf seen = {0};
        int wrong = config_file_parse(rows[i].text, collect, &seen);
        if (wrong != rows[i].wrong || strcmp(seen.data ? seen.data : "", rows[i].expected) != 0)
            fail_msg("%s: %s, line %d", rows[i].text, seen.data, wrong);
    }
}

/* ------------------------------------------------------------------ values */

static char directory[] = "/tmp/edurag-config-XXXXXX";

static const char *file_with(const char *text)
{
    static char path[80];
    snprintf(path, sizeof path, "%s/conf", directory);
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    return path;
}

static void clean_environment(void)
{
    for (const struct setting *s = config_settings; s->name; s++) {
        AUTO(mem_freep) char *file = mem_printf("%s_FILE", s->name);
        unsetenv(s->name);
        unsetenv(file);
    }
    unsetenv("XDG_DATA_HOME");
}

/* The problems of a file, one sentence a line. */
static int read_text(const char *text, struct buf *problems)
{
    clean_environment();
    return config_read(text ? file_with(text) : NULL, problems);
}

static void defaults_are_fine(void **context)
{
    (void)context;
    AUTO(buf_free) struct buf problems = {0};
    assert_int_equal(read_text(NULL, &problems) + config_check(&problems), 0);
    assert_string_equal(config.listen, "127.0.0.1:7420");
    assert_string_equal(config.environment, "production");
    assert_int_equal(config.bcrypt_cost, 12);
    assert_int_equal(config.rate_person, 60);
    assert_int_equal(config.login_timeout, 10);
    assert_string_equal(config.memory, "builtin");
    assert_string_equal(config.embeddings, "builtin");
    assert_string_equal(config.generation, "extractive");
    assert_true(*config.data_dir == '/');
    assert_null(problems.data);
}

static void each_wrong_value_is_named(void **context)
{
    (void)context;
    static const struct {
        const char *text, *says;
        int count;
    } rows[] = {
        {"EDURAG_BCRYPT_COST=3", "EDURAG_BCRYPT_COST must be a whole number from 4 to 16", 1},
        {"EDURAG_BCRYPT_COST=17", "EDURAG_BCRYPT_COST", 1},
        {"EDURAG_BCRYPT_COST=ten", "not \"ten\"", 1},
        {"EDURAG_BCRYPT_COST=12x", "EDURAG_BCRYPT_COST", 1},
        {"EDURAG_TOKEN_TTL=99999999999999999999", "EDURAG_TOKEN_TTL", 1},
        {"EDURAG_ALLOW_INSECURE=maybe", "EDURAG_ALLOW_INSECURE must be true or false", 1},
        {"EDURAG_ENVIRONMENT=prod", "one of production|staging|development", 1},
        {"EDURAG_ENVIRONMENT=produc", "EDURAG_ENVIRONMENT", 1},
        {"EDURAG_LOGG=info", "EDURAG_LOGG is not a setting. Is EDURAG_LOG meant?", 1},
        {"HINDSIGHT_URLS=http://a", "HINDSIGHT_URLS is not a setting. Is HINDSIGHT_URL meant?", 1},
        {"EDURAG_LOG=loud\nEDURAG_CHAT_TTL=0", "EDURAG_CHAT_TTL", 2},
        {"EDURAG_NAME=\"two\nlines\"", "EDURAG_NAME must be one line", 1},
        {"EDURAG_NAME=\xff", "UTF-8", 1},
        {"EDURAG_SOCKET=/tmp/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "EDURAG_SOCKET is longer than", 1},
        {"nonsense", "line 1: this is not KEY=VALUE", 1},
        {"OPENAI_API_KEY_FILE=/nonexistent/key", "OPENAI_API_KEY_FILE names /nonexistent/key", 1},
        {"EDURAG_NAME_FILE=/etc/hostname", "EDURAG_NAME_FILE is not a setting", 1},
        {"PATH=/bin\nSOMETHING_ELSE=1", NULL, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buf_free) struct buf problems = {0};
        int count = read_text(rows[i].text, &problems);
        if (count != rows[i].count || (rows[i].says && !strstr(problems.data, rows[i].says)))
            fail_msg("%s: %d, %s", rows[i].text, count, problems.data);
    }
}

static void the_environment_wins_over_the_file(void **context)
{
    (void)context;
    AUTO(buf_free) struct buf problems = {0};
    const char *file = file_with("EDURAG_NAME=File\nEDURAG_CHAT_TTL=60\nEDURAG_BCRYPT_COST=5\n");
    clean_environment();
    setenv("EDURAG_NAME", "Environment", 1);
    setenv("EDURAG_BCRYPT_COST", "", 1); /* empty: the default */
    assert_int_equal(config_read(file, &problems), 0);
    assert_string_equal(config.name, "Environment");
    assert_int_equal(config.chat_ttl, 60);
    assert_int_equal(config.bcrypt_cost, 12);
    clean_environment();
}

static void secrets_come_from_files_and_stay_hidden(void **context)
{
    (void)context;
    AUTO(buf_free) struct buf problems = {0};
    AUTO(buf_free) struct buf out = {0};
    AUTO(mem_freep) char *path = mem_printf("%s/key", directory);
    AUTO(mem_freep)
    char *text = mem_printf("OPENAI_API_KEY_FILE=%s\nGEMINI_API_KEY=gem-secret\nEDURAG_NAME=\"A \\\"B\\\"\"", path);
    FILE *file = fopen(path, "w");
    fputs("sk-secret\n", file);
    fclose(file);
    assert_int_equal(read_text(text, &problems), 0);
    assert_string_equal(config.openai_api_key, "sk-secret");
    config_print(&out);
    assert_null(strstr(out.data, "secret"));
    assert_non_null(strstr(out.data, "OPENAI_API_KEY=\"(set)\"\n"));
    assert_non_null(strstr(out.data, "EDURAG_NAME=\"A \\\"B\\\"\"\n"));
    assert_non_null(strstr(out.data, "HINDSIGHT_API_KEY=\n"));
    file = fopen(path, "w");
    fclose(file);
    assert_int_equal(read_text(text, &problems), 1);
}

/* What is printed can be read again. */
static void what_is_printed_is_a_file(void **context)
{
    (void)context;
    AUTO(buf_free) struct buf problems = {0};
    AUTO(buf_free) struct buf once = {0};
    AUTO(buf_free) struct buf twice = {0};
    assert_int_equal(read_text("EDURAG_NAME='x \"y\" $z `w` \\ #'\nEDURAG_INDEXERS=3", &problems), 0);
    config_print(&once);
    assert_int_equal(read_text(once.data, &problems), 0);
    config_print(&twice);
    assert_string_equal(once.data, twice.data);
    assert_non_null(strstr(once.data, "EDURAG_INDEXERS=3\n"));
}

static void help_names_every_setting(void **context)
{
    (void)context;
    AUTO(buf_free) struct buf out = {0};
    config_help(&out);
    for (const struct setting *s = config_settings; s->name; s++)
        assert_non_null(strstr(out.data, s->name));
}

/* ------------------------------------------------------------------ what goes together */

static void choices_come_out(void **context)
{
    (void)context;
    static const struct {
        const char *text, *memory, *embeddings, *generation;
    } rows[] = {
        {"", "builtin", "builtin", "extractive"},
        {"HINDSIGHT_URL=http://h", "hindsight", "builtin", "extractive"},
        {"HINDSIGHT_URL=http://h\nHINDSIGHT_ENABLED=false", "off", "builtin", "extractive"},
        {"HINDSIGHT_ENABLED=false\nEDURAG_MEMORY=hindsight", "off", "builtin", "extractive"},
        {"HINDSIGHT_URL=http://h\nEDURAG_MEMORY=builtin", "builtin", "builtin", "extractive"},
        {"EDURAG_MEMORY=off", "off", "builtin", "extractive"},
        {"GEMINI_API_KEY=k", "builtin", "gemini", "gemini"},
        {"OPENAI_API_KEY=k", "builtin", "openai", "openai"},
        {"GEMINI_API_KEY=k\nEDURAG_GENERATION=extractive", "builtin", "gemini", "extractive"},
        {"GEMINI_API_KEY=k\nEDURAG_EMBEDDINGS=builtin", "builtin", "builtin", "gemini"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buf_free) struct buf problems = {0};
        int count = read_text(rows[i].text, &problems) + config_check(&problems);
        if (count || strcmp(config.memory, rows[i].memory) != 0 || strcmp(config.embeddings, rows[i].embeddings) != 0 ||
            strcmp(config.generation, rows[i].generation) != 0)
            fail_msg("%s: %s %s %s, %s", rows[i].text, config.memory, config.embeddings, config.generation,
                     problems.data);
    }
}

static void make_certificates(void)
{
    char command[600];
    for (int i = 1; i <= 2; i++) {
        snprintf(command, sizeof command,
                 "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
                 " -keyout %s/%d.key -out %s/%d.pem 2>/dev/null",
                 directory, i, directory, i);
        assert_int_equal(system(command), 0);
    }
}

static void what_does_not_go_together_is_said(void **context)
{
    (void)context;
    static const struct {
        const char *text; /* @ is the directory */
        const char *says; /* NULL: fine */
    } rows[] = {
        {"EDURAG_LISTEN=127.0.0.1:0", NULL},
        {"EDURAG_LISTEN=[::1]:7420", NULL},
        {"EDURAG_LISTEN=localhost:7420", NULL},
        {"EDURAG_LISTEN=127.9.9.9:7420", NULL},
        {"EDURAG_LISTEN=0.0.0.0:7420", "there is no TLS"},
        {"EDURAG_LISTEN=:7420", "there is no TLS"},
        {"EDURAG_LISTEN=[::]:7420", "there is no TLS"},
        {"EDURAG_LISTEN=[::ffff:127.0.0.1]:7420", "there is no TLS"},
        {"EDURAG_LISTEN=127.0.0.1.example.org:7420", "there is no TLS"},
        {"EDURAG_LISTEN=0.0.0.0:7420\nEDURAG_ALLOW_INSECURE=true", NULL},
        {"EDURAG_LISTEN=0.0.0.0:7420\nEDURAG_TLS_CERT=@/1.pem\nEDURAG_TLS_KEY=@/1.key", NULL},
        {"EDURAG_LISTEN=7420", "ADDRESS:PORT"},
        {"EDURAG_LISTEN=127.0.0.1:", "ADDRESS:PORT"},
        {"EDURAG_LISTEN=127.0.0.1:70000", "ADDRESS:PORT"},
        {"EDURAG_LISTEN=::1:7420", "ADDRESS:PORT"},
        {"EDURAG_LISTEN=off", "nobody could connect"},
        {"EDURAG_LISTEN=off\nEDURAG_SOCKET=/tmp/x.sock", NULL},
        {"EDURAG_TLS_CERT=@/1.pem", "belong together"},
        {"EDURAG_TLS_KEY=@/1.key", "belong together"},
        {"EDURAG_TLS_CERT=@/1.pem\nEDURAG_TLS_KEY=@/2.key", "not the private key"},
        {"EDURAG_TLS_CERT=@/1.key\nEDURAG_TLS_KEY=@/1.key", "not a certificate chain"},
        {"EDURAG_TLS_CERT=@/none.pem\nEDURAG_TLS_KEY=@/1.key", "EDURAG_TLS_CERT names @/none.pem"},
        {"EDURAG_DATABASE_URL=postgresql://h/d", "EDURAG_DATABASE_WORKER_URL is missing"},
        {"EDURAG_DATABASE_OWNER_URL=postgresql://h/d", "EDURAG_DATABASE_URL is not set"},
        {"EDURAG_DATABASE_URL=a\nEDURAG_DATABASE_WORKER_URL=b", NULL},
        {"EDURAG_DATABASE_URL=a\nEDURAG_DATABASE_WORKER_URL=b\nEDURAG_DATABASE_PREPARE=off",
         "EDURAG_DATABASE_LISTEN_URL"},
        {"EDURAG_MEMORY=hindsight", "Set HINDSIGHT_URL"},
        {"HINDSIGHT_ENABLED=true", "Set HINDSIGHT_URL"},
        {"HINDSIGHT_ENABLED=true\nEDURAG_MEMORY=builtin", NULL},
        {"HINDSIGHT_URL=hindsight.example", "must begin with http"},
        {"EDURAG_GENERATION=gemini", "GEMINI_API_KEY is not set"},
        {"EDURAG_EMBEDDINGS=openai", "neither OPENAI_API_KEY nor OPENAI_BASE_URL"},
        {"EDURAG_EMBEDDINGS=openai\nOPENAI_BASE_URL=http://localhost:1", NULL},
    };
    make_certificates();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buf_free) struct buf problems = {0};
        AUTO(buf_free) struct buf text = {0};
        AUTO(buf_free) struct buf says = {0};
        for (const char *p = rows[i].text; *p; p++)
            *p == '@' ? buf_text(&text, directory) : buf_char(&text, *p);
        for (const char *p = rows[i].says ? rows[i].says : ""; *p; p++)
            *p == '@' ? buf_text(&says, directory) : buf_char(&says, *p);
        int count = read_text(text.data, &problems) + config_check(&problems);
        if (rows[i].says ? count != 1 || !strstr(problems.data, says.data) : count != 0)
            fail_msg("%s: %d, %s", text.data, count, problems.data);
    }
}

static int start(void **context)
{
    (void)context;
    return !mkdtemp(directory);
}

static int stop(void **context)
{
    static const char *const files[] = {"conf", "key", "1.key", "1.pem", "2.key", "2.pem"};
    (void)context;
    config_free();
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        AUTO(mem_freep) char *path = mem_printf("%s/%s", directory, files[i]);
        unlink(path);
    }
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read_as_systemd_reads_them),
        cmocka_unit_test(defaults_are_fine),
        cmocka_unit_test(each_wrong_value_is_named),
        cmocka_unit_test(the_environment_wins_over_the_file),
        cmocka_unit_test(secrets_come_from_files_and_stay_hidden),
        cmocka_unit_test(what_is_printed_is_a_file),
        cmocka_unit_test(help_names_every_setting),
        cmocka_unit_test(choices_come_out),
        cmocka_unit_test(what_does_not_go_together_is_said),
    };
    return cmocka_run_group_tests_name("config", tests, start, stop);
}
