/* keys.h - from the bytes of a keyboard to keys, and keys by name.
 *
 * Reads what xterm, the Linux console, tmux, screen, rxvt and a vt100 send. Unknown CSI, OSC and SS3
 * sequences are swallowed to their end, or their letters would act as commands. A paste is one key.
 */
#ifndef TUI_KEYS_H
#define TUI_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

enum key_code {
    KEYS_NONE,
    KEYS_CHAR,
    KEYS_UP,
    KEYS_DOWN,
    KEYS_LEFT,
    KEYS_RIGHT,
    KEYS_HOME,
    KEYS_END,
    KEYS_PGUP,
    KEYS_PGDN,
    KEYS_INSERT,
    KEYS_DELETE,
    KEYS_BACKSPACE,
    KEYS_ENTER,
    KEYS_TAB,
    KEYS_BACKTAB,
    KEYS_ESC,
    KEYS_F1,
    KEYS_F12 = KEYS_F1 + 11,
    KEYS_PASTE
};

enum { KEYS_ALT = 1, KEYS_CTRL = 2 };

struct key {
    enum key_code code;
    uint32_t ch; /* KEYS_CHAR: the character (for Ctrl its lower-case letter) */
    unsigned mods;
    const char *paste; /* KEYS_PASTE: valid during the call */
    size_t paste_length;
};

enum { KEYS_ESC_MS = 25, KEYS_REST_MS = 500, KEYS_PASTE_MOST = 1 << 20 };

struct keys {
    unsigned char pending[64];
    size_t count;
    bool swallowing; /* a sequence longer than any key */
    bool string;     /* it ends with ST or BEL */
    bool ending;     /* ESC within it: a backslash ends it */
    bool pasting;
    struct buf paste;
};

typedef void keys_take(void *context, const struct key *key);

void keys_feed(struct keys *k, const void *bytes, size_t length, keys_take *take, void *context);
/* Milliseconds after which keys_rest is due if nothing more comes; -1: nothing is pending. */
int keys_wait(const struct keys *k);
void keys_rest(struct keys *k, keys_take *take, void *context);
void keys_free(struct keys *k);

/* "Ctrl-R", "Alt-1", "PgUp", "x", "Space". */
void keys_name(const struct key *key, char *out, size_t size);
bool keys_parse(const char *name, struct key *key);
bool keys_same(const struct key *a, const struct key *b);

#endif
