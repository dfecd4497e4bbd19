/* keys.c - from the bytes of a keyboard to keys, and keys by name. */
#include "tui/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "common/text.h"

static const struct {
    const char *name;
    enum key_code code;
} names[] = {
    {"Up", KEYS_UP},         {"Down", KEYS_DOWN},           {"Left", KEYS_LEFT},
    {"Right", KEYS_RIGHT},   {"Home", KEYS_HOME},           {"End", KEYS_END},
    {"PgUp", KEYS_PGUP},     {"PgDn", KEYS_PGDN},           {"Insert", KEYS_INSERT},
    {"Delete", KEYS_DELETE}, {"Backspace", KEYS_BACKSPACE}, {"Enter", KEYS_ENTER},
    {"Tab", KEYS_TAB},       {"Shift-Tab", KEYS_BACKTAB},   {"Esc", KEYS_ESC},
};
enum { NAMES = sizeof names / sizeof *names };

static void emit(keys_take *take, void *context, enum key_code code, uint32_t ch, unsigned mods)
{
    struct key key = {.code = code, .ch = ch, .mods = mods};
    take(context, &key);
}

/* The number in `CSI number ~`, as vt220, xterm, rxvt and the Linux console use it. */
static enum key_code tilde(int number)
{
    static const enum key_code keys[] = {
        [1] = KEYS_HOME,    [2] = KEYS_INSERT,  [3] = KEYS_DELETE,  [4] = KEYS_END,      [5] = KEYS_PGUP,
        [6] = KEYS_PGDN,    [7] = KEYS_HOME,    [8] = KEYS_END,     [11] = KEYS_F1,      [12] = KEYS_F1 + 1,
        [13] = KEYS_F1 + 2, [14] = KEYS_F1 + 3, [15] = KEYS_F1 + 4, [17] = KEYS_F1 + 5,  [18] = KEYS_F1 + 6,
        [19] = KEYS_F1 + 7, [20] = KEYS_F1 + 8, [21] = KEYS_F1 + 9, [23] = KEYS_F1 + 10, [24] = KEYS_F12,
    };
    return number > 0 && (size_t)number < sizeof keys / sizeof *keys ? keys[number] : KEYS_NONE;
}

static enum key_code letter(unsigned char c)
{
    switch (c) {
    case 'A': return KEYS_UP;
    case 'B': return KEYS_DOWN;
    case 'C': return KEYS_RIGHT;
    case 'D': return KEYS_LEFT;
    case 'H': return KEYS_HOME;
    case 'F': return KEYS_END;
    case 'M': return KEYS_ENTER; /* the keypad's, in SS3 */
    case 'P':
    case 'Q':
    case 'R':
    case 'S': return (enum key_code)(KEYS_F1 + (c - 'P'));
    case 'Z': return KEYS_BACKTAB;
    default: return KEYS_NONE;
    }
}

/* xterm's modifier parameter: one more than a sum of Shift 1, Alt 2, Ctrl 4. */
static unsigned modifiers(int parameter)
{
    unsigned bits = parameter > 0 ? (unsigned)(parameter - 1) : 0;
    return (bits & 2 ? KEYS_ALT : 0u) | (bits & 4 ? KEYS_CTRL : 0u);
}

static void finish_csi(struct keys *k, unsigned extra, keys_take *take, void *context)
{
    k->pending[k->count] = 0;
    unsigned char final = k->pending[k->count - 1];
    int first = 0, second = 0;
    char *end = NULL;
    const char *body = (const char *)memchr(k->pending, '[', k->count) + 1;
    k->count = 0;
    if (*body == '<' || *body == '?' || *body == '>' || *body == '=')
        return;
    first = (int)strtol(body, &end, 10);
    if (*end == ';')
        second = (int)strtol(end + 1, NULL, 10);
    if (final == '~' && first == 200) {
        k->pasting = true;
        buf_clear(&k->paste);
        return;
    }
    enum key_code code = final == '~' ? tilde(first) : letter(final);
    if (code == KEYS_ENTER)
        code = KEYS_NONE; /* CSI M begins a mouse report, which nobody asked for */
    if (code != KEYS_NONE)
        emit(take, context, code, 0, modifiers(second) | extra);
}

static void plain(uint32_t c, unsigned mods, keys_take *take, void *context)
{
    if (c == '\r')
        emit(take, context, KEYS_ENTER, 0, mods);
    else if (c == '\t')
        emit(take, context, KEYS_TAB, 0, mods);
    else if (c == 0x7F || c == 0x08)
        emit(take, context, KEYS_BACKSPACE, 0, mods);
    else if (c == 0)
        emit(take, context, KEYS_CHAR, ' ', mods | KEYS_CTRL);
    else if (c < 0x1B)
        emit(take, context, KEYS_CHAR, c + 'a' - 1, mods | KEYS_CTRL);
    else if (c >= 0x1C && c < 0x20)
        emit(take, context, KEYS_CHAR, c + '@', mods | KEYS_CTRL);
    else if (c < 0x80 || c >= 0xA0)
        emit(take, context, KEYS_CHAR, c, mods);
}

/* A character of one to four bytes at `from` in pending: true when it is complete (or cannot become one). */
static bool character(struct keys *k, size_t from, unsigned mods, keys_take *take, void *context)
{
    unsigned char a = k->pending[from];
    size_t need = a < 0x80                 ? 1
                  : a >= 0xC2 && a <= 0xDF ? 2
                  : a >= 0xE0 && a <= 0xEF ? 3
                  : a >= 0xF0 && a <= 0xF4 ? 4
                                           : 1;
    if (k->count - from < need)
        return false;
    size_t at = 0;
    uint32_t c = text_next((const char *)k->pending + from, k->count - from, &at);
    k->count = 0;
    if (c != 0xFFFD)
        plain(c, mods, take, context);
    return true;
}

static bool continues(const struct keys *k, unsigned char byte)
{
    size_t from = k->count && k->pending[0] == 0x1B ? 1 : 0;
    return k->count <= from || k->pending[from] < 0xC2 || (byte & 0xC0) == 0x80;
}

/* What a sequence that began with ESC is waiting for after one more byte. */
static void escape(struct keys *k, keys_take *take, void *context)
{
    size_t second = k->pending[1] == 0x1B ? 2 : 1; /* ESC ESC [ is Alt with a key on some terminals */
    unsigned extra = second == 2 ? KEYS_ALT : 0u;
    if (k->count <= second)
        return;
    unsigned char kind = k->pending[second], last = k->pending[k->count - 1];
    if (kind == '[') {
        if (k->count == second + 1)
            return;
        if (k->pending[second + 1] == '[') { /* the Linux console's F1 to F5 */
            if (k->count == second + 3) {
                k->count = 0;
                if (last >= 'A' && last <= 'E')
                    emit(take, context, (enum key_code)(KEYS_F1 + (last - 'A')), 0, extra);
            }
        } else if (last >= 0x40 && last <= 0x7E) {
            finish_csi(k, extra, take, context);
        } else if (last < 0x20 || last > 0x3F) {
            k->count = 0;
        }
    } else if (kind == 'O') {
        if (k->count == second + 2 || last > '9') {
            if (k->count > second + 1) {
                k->count = 0;
                enum key_code code = letter(last);
                if (code != KEYS_NONE)
                    emit(take, context, code, 0, extra);
            }
        }
    } else if (kind == ']' || kind == 'P' || kind == '_' || kind == '^' || kind == 'X') {
        k->swallowing = k->string = true;
        k->count = 0;
    } else if (second == 2) {
        emit(take, context, KEYS_ESC, 0, 0);
        memmove(k->pending, k->pending + 1, --k->count);
        escape(k, take, context);
    } else {
        character(k, 1, KEYS_ALT, take, context);
    }
}

static void pasted(struct keys *k, unsigned char byte, keys_take *take, void *context)
{
    static const char end[] = "\033[201~";
    size_t n = sizeof end - 1;
    /* Past the most a window as long as the end goes on moving, or the end would never be seen. */
    if (k->paste.length == KEYS_PASTE_MOST + n) {
        char *window = k->paste.data + KEYS_PASTE_MOST;
        memmove(window, window + 1, n - 1);
        k->paste.length--;
    }
    buf_char(&k->paste, (char)byte);
    if (k->paste.length < n || memcmp(k->paste.data + k->paste.length - n, end, n) != 0)
        return;
    k->pasting = false;
    struct key key = {.code = KEYS_PASTE, .paste = k->paste.data, .paste_length = k->paste.length - n};
    k->paste.data[key.paste_length] = '\0';
    take(context, &key);
    buf_free(&k->paste);
}

static void feed(struct keys *k, unsigned char byte, keys_take *take, void *context)
{
    if (k->pasting) {
        pasted(k, byte, take, context);
        return;
    }
    if (k->swallowing && k->ending) {
        k->swallowing = k->ending = false;
        if (byte == '\\')
            return;
        k->pending[k->count++] = 0x1B; /* another sequence cut it off */
    } else if (k->swallowing) {
        k->ending = k->string && byte == 0x1B;
        if (k->string ? byte == 0x07 : byte >= 0x40 && byte <= 0x7E)
            k->swallowing = false;
        return;
    }
    if (!continues(k, byte))
        k->count = 0; /* a broken character; its rest begins anew */
    k->pending[k->count++] = byte;
    if (k->pending[0] == 0x1B && k->count > 1)
        escape(k, take, context);
    else if (k->pending[0] != 0x1B)
        character(k, 0, 0, take, context);
    if (k->count == sizeof k->pending - 1) {
        k->count = 0;
        k->swallowing = true;
        k->string = false;
    }
}

void keys_feed(struct keys *k, const void *bytes, size_t length, keys_take *take, void *context)
{
    for (size_t i = 0; i < length; i++)
        feed(k, ((const unsigned char *)bytes)[i], take, context);
}

int keys_wait(const struct keys *k)
{
    if (k->pasting || k->swallowing)
        return KEYS_REST_MS * 4;
    if (!k->count)
        return -1;
    return k->pending[0] == 0x1B && k->count <= 2 ? KEYS_ESC_MS : KEYS_REST_MS;
}

void keys_rest(struct keys *k, keys_take *take, void *context)
{
    if (k->pasting) { /* its end got lost: what came is still one paste */
        struct key key = {
            .code = KEYS_PASTE, .paste = k->paste.data ? k->paste.data : "", .paste_length = k->paste.length};
        k->pasting = false;
        take(context, &key);
        buf_free(&k->paste);
    } else if (k->count == 1 && k->pending[0] == 0x1B) {
        emit(take, context, KEYS_ESC, 0, 0);
    } else if (k->count == 2 && k->pending[0] == 0x1B && k->pending[1] == 0x1B) {
        emit(take, context, KEYS_ESC, 0, 0);
        emit(take, context, KEYS_ESC, 0, 0);
    } else if (k->count == 2 && k->pending[0] == 0x1B && k->pending[1] < 0x80) {
        plain(k->pending[1], KEYS_ALT, take, context);
    }
    k->count = 0;
    k->swallowing = k->ending = false;
}

void keys_free(struct keys *k)
{
    buf_free(&k->paste);
    *k = (struct keys){0};
}

void keys_name(const struct key *key, char *out, size_t size)
{
    const char *alt = key->mods & KEYS_ALT ? "Alt-" : "", *ctrl = key->mods & KEYS_CTRL ? "Ctrl-" : "";
    if (key->code >= KEYS_F1 && key->code <= KEYS_F12) {
        snprintf(out, size, "%s%sF%d", ctrl, alt, (int)key->code - (int)KEYS_F1 + 1);
        return;
    }
    if (key->code == KEYS_CHAR) {
        AUTO(buf_free) struct buf letters = {0};
        uint32_t c = key->mods & KEYS_CTRL && key->ch >= 'a' && key->ch <= 'z' ? key->ch - 32 : key->ch;
        text_append(&letters, c);
        snprintf(out, size, "%s%s%s", ctrl, alt, c == ' ' ? "Space" : letters.data);
        return;
    }
    for (size_t i = 0; i < NAMES; i++)
        if (names[i].code == key->code) {
            snprintf(out, size, "%s%s%s", ctrl, alt, names[i].name);
            return;
        }
    snprintf(out, size, "?");
}

bool keys_parse(const char *name, struct key *key)
{
    struct key made = {0};
    for (;;) {
        if (strncasecmp(name, "Ctrl-", 5) == 0 && name[5])
            made.mods |= KEYS_CTRL, name += 5;
        else if (strncasecmp(name, "Alt-", 4) == 0 && name[4])
            made.mods |= KEYS_ALT, name += 4;
        else
            break;
    }
    size_t length = strlen(name), at = 0;
    for (size_t i = 0; i < NAMES; i++)
        if (strcasecmp(names[i].name, name) == 0)
            made.code = names[i].code;
    int number = 0;
    if (made.code == KEYS_NONE && (name[0] == 'F' || name[0] == 'f') && sscanf(name + 1, "%d", &number) == 1 &&
        number >= 1 && number <= 12)
        made.code = (enum key_code)(KEYS_F1 + number - 1);
    if (made.code == KEYS_NONE && length) {
        made.code = KEYS_CHAR;
        made.ch = strcasecmp(name, "Space") == 0 ? ' ' : text_next(name, length, &at);
        if (made.ch != ' ' && at != length)
            return false;
        if (made.mods & KEYS_CTRL && made.ch >= 'A' && made.ch <= 'Z')
            made.ch += 32;
    }
    if (made.code == KEYS_NONE)
        return false;
    *key = made;
    return true;
}

bool keys_same(const struct key *a, const struct key *b)
{
    return a->code == b->code && a->mods == b->mods && (a->code != KEYS_CHAR || a->ch == b->ch);
}
