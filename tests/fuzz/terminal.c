/* terminal.c - the whole client without a terminal: keys, notifications and answers in any order, and the screen stays one.
 *
 * A line of the input is one thing that happens; its first letter says what. Some begin with every pane full of what
 * the first line says. FUZZ_LONGEST 1500
 */
#include "common/text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/fake_terminal_data.h"

enum { EVENTS_MOST = 40 };

static const char *const notifications[] = {"search.sources", "search.delta",   "library.progress", "chat.message",
                                            "chat.expired",   "chat.deleted",   "chat.presence",    "chat.lagged",
                                            "auth.expiring",  "server.closing", "no.such"};

/* JSON as the client takes it; NULL where it would have been thrown away. */
static cJSON *json_of(const char *text, size_t length)
{
    struct err err = {0};
    return json_parse(text, length, &err);
}

static void hear(struct fake_terminal *g, const char *text, size_t length)
{
    if (length < 2)
        return;
    AUTO(json_freep) cJSON *params = json_of(text + 1, length - 1);
    if (params || length == 2)
        ui_notification(&g->ui, notifications[(unsigned char)(text[0] - 'a') % COUNT_OF(notifications)], params);
}

/* An answer to one of what was asked, counted from the last. */
static void answer(struct fake_terminal *g, const char *text, size_t length, bool fails)
{
    if (!g->count || length < 2)
        return;
    int at = g->count - 1 - (text[0] & 15) % g->count;
    uint64_t id = g->asked[at].id;
    AUTO(json_freep) cJSON *result = fails ? NULL : json_of(text + 1, length - 1);
    struct err err = {.code = 1 + (enum err_code)((unsigned char)text[0] >> 3) % (ERR_COUNT - 1),
                      .retry_after_ms = 3000};
    snprintf(err.say, sizeof err.say, "%s", text + 1);
    if (!result && !fails)
        return;
    free(g->asked[at].method);
    free(g->asked[at].params);
    memmove(g->asked + at, g->asked + at + 1, (size_t)(g->count - at - 1) * sizeof *g->asked);
    g->count--;
    ui_reply(&g->ui, id, result, fails ? &err : NULL);
}

static void press(struct fake_terminal *g, const char *text, size_t length)
{
    /* Letters type; bytes from 0x80 on are the keys that have no letter. */
    for (size_t i = 0; i < length && i < 30; i++) {
        unsigned char c = (unsigned char)text[i];
        struct key key = {.code = KEYS_CHAR, .ch = c};
        if (c >= 0xC0)
            key = (struct key){.code = KEYS_CHAR, .ch = 'a' + c % 26, .mods = c & 0x20 ? KEYS_ALT : KEYS_CTRL};
        else if (c >= 0x80)
            key = (struct key){.code = KEYS_UP + (enum key_code)c % (KEYS_F12 - KEYS_UP)};
        if (c >= 0x20)
            ui_keys_press(&g->ui, &key);
    }
}

static void happen(struct fake_terminal *g, const char *line, size_t length)
{
    static const int sizes[][2] = {{24, 80}, {10, 40}, {60, 200}, {1, 1}, {3, 20}, {24, 41}, {40, 10}};
    const char *text = line + 1;
    size_t left = length - 1;
    switch (line[0]) {
    case 'n': hear(g, text, left); break;
    case 'a': answer(g, text, left, false); break;
    case 'e': answer(g, text, left, true); break;
    case 'k': press(g, text, left); break;
    case 'p': ui_keys_press(&g->ui, &(struct key){.code = KEYS_PASTE, .paste = text, .paste_length = left}); break;
    case 't': fake_terminal_later(g, 1 << (left ? (unsigned char)text[0] % 24 : 8)); break;
    case 's':
        ui_resize(&g->ui, sizes[(unsigned char)text[0] % COUNT_OF(sizes)][0],
                  sizes[(unsigned char)text[0] % COUNT_OF(sizes)][1]);
        break;
    case 'l': ui_link(&g->ui, (enum ui_link)((unsigned char)text[0] % (UI_LOST + 1)), NULL); break;
    case 'o': ui_open(&g->ui, (enum pane)((unsigned char)text[0] % PANE_COUNT)); break;
    default: return;
    }
    ui_draw(&g->ui);
}

/* Every pane with the first line in all its texts, as JSON can hold it. */
static void fill(struct fake_terminal *g, const char *role, struct fuzz_input *in)
{
    size_t length;
    AUTO(mem_freep) char *line = fuzz_line(in, &length);
    AUTO(buf_free) struct buf text = {0};
    for (size_t at = 0; at < length;) {
        uint32_t c = text_next(line, length, &at);
        text_append(&text, c ? c : ' ');
    }
    fake_terminal_data_fill(g, role, text.data ? text.data : "");
    fake_terminal_sane(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const roles[] = {"student", "teacher", "admin"};
    struct fuzz_input in = {data, size};
    uint8_t who = fuzz_byte(&in);
    struct fake_terminal g;
    fake_terminal_start(&g, who & 8 ? 24 : 10, who & 8 ? 80 : 40);
    if (who & 4)
        fake_terminal_login(&g, roles[who % 3]);
    if ((who & 20) == 20)
        fill(&g, roles[who % 3], &in);
    for (int i = 0; i < EVENTS_MOST && in.left && !g.left; i++) {
        size_t length;
        AUTO(mem_freep) char *line = fuzz_line(&in, &length);
        if (length)
            happen(&g, line, length);
    }
    ui_draw(&g.ui);
    fake_terminal_sane(&g);
    fake_terminal_stop(&g);
    return 0;
}
