/* config.c - settings files of server and terminal: every value within its row, no secret shown, and what is printed
 * reads back as it was. FUZZ_LONGEST 2048
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/text.h"
#include "server/config.h"
#include "server/config_check.h"
#include "server/net/limits.h"
#include "tests/fuzz/fuzz.h"
#include "tui/settings.h"

static int lines_of(const struct buf *b)
{
    int lines = 0;
    for (size_t i = 0; i < b->length; i++)
        lines += b->data[i] == '\n';
    return lines;
}

static int read_back(const char *text, size_t length)
{
    AUTO(buf_free) struct buf problems = {0};
    char path[40];
    int file = memfd_create("settings", 0);
    FUZZ_MUST(file >= 0 && write(file, text, length) == (ssize_t)length, "no file in memory");
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    int count = config_read(path, &problems);
    close(file);
    FUZZ_MUST(count >= lines_of(&problems) - 1 && (count > 0) == (problems.length > 0), "%d problems: %s", count,
              problems.data ? problems.data : "");
    return count;
}

static void rows_hold(const struct buf *shown)
{
    for (const struct setting *s = config_settings; s->name; s++) {
        const char *at = (const char *)&config + s->offset;
        int64_t number;
        const char *text;
        memcpy(&number, at, sizeof number);
        memcpy(&text, at, sizeof text);
        if (s->type == SETTING_INT)
            FUZZ_MUST(number >= s->min && number <= s->max, "%s is %lld", s->name, (long long)number);
        if (s->type != SETTING_TEXT)
            continue;
        FUZZ_MUST(text && text_valid_utf8(text, strlen(text)) && !strpbrk(text, "\r\n"), "%s is not a line", s->name);
        AUTO(mem_freep) char *masked = mem_printf("\n%s=%s\n", s->name, *text ? "\"(set)\"" : "");
        FUZZ_MUST(!s->secret || strstr(shown->data, masked), "the secret %s is shown", s->name);
    }
}

static void terminal(const char *text)
{
    struct settings settings;
    struct keymap map;
    keymap_defaults(&map);
    settings_parse(&settings, &map, text);
    FUZZ_MUST(!*settings.glyphs || !strcmp(settings.glyphs, "ascii") || !strcmp(settings.glyphs, "unicode"),
              "glyphs %s", settings.glyphs);
    for (int i = 0; i < ACT_COUNT; i++)
        FUZZ_MUST(map.count[i] >= 0 && (size_t)map.count[i] <= COUNT_OF(map.keys[i]), "%d keys", map.count[i]);
    char keys[100];
    for (int i = 1; i < ACT_COUNT; i++)
        keymap_keys(&map, (enum action)i, true, keys, sizeof keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    size_t length, address;
    clearenv();
    AUTO(mem_freep) char *listen = fuzz_line(&in, &address);
    AUTO(mem_freep) char *text = fuzz_rest(&in, &length);
    AUTO(buf_free) struct buf shown = {0};
    AUTO(buf_free) struct buf again = {0};
    char host[64];
    int port = 0;
    if (config_check_address(listen, host, sizeof host, &port))
        FUZZ_MUST(port >= 0 && port < 65536 && strlen(host) < sizeof host, "port %d", port);
    terminal(text);
    if (strstr(text, "_FILE")) /* it would read what happens to be there */
        return 0;
    int wrong = read_back(text, length);
    config_print(&shown);
    rows_hold(&shown);
    struct buf problems = {0};
    FUZZ_MUST((config_check(&problems) > 0) == (problems.length > 0), "problems are miscounted");
    buf_free(&problems);
    if (!wrong) {
        FUZZ_MUST(!read_back(shown.data, shown.length), "what was printed does not read back: %s", shown.data);
        config_print(&again);
        FUZZ_MUST(again.length == shown.length && !memcmp(again.data, shown.data, shown.length),
                  "read back it is another: %s", again.data);
    }
    config_free();
    return 0;
}
