/* keys.c - bytes from a keyboard: the same keys however they were cut, and a name for each that leads back to it.
 * FUZZ_LONGEST 400
 */
#include "common/text.h"
#include "tests/fuzz/fuzz.h"
#include "tui/keys.h"

static void take(void *context, const struct key *key)
{
    struct buf *out = context;
    char name[64];
    struct key back;
    if (key->code == KEYS_PASTE) {
        FUZZ_MUST(key->paste_length <= KEYS_PASTE_MOST, "a paste of %zu bytes", key->paste_length);
        buf_printf(out, "paste %zu ", key->paste_length);
        buf_bytes(out, key->paste, key->paste_length);
        return;
    }
    keys_name(key, name, sizeof name);
    buf_printf(out, "%d %x %x %s,", key->code, key->ch, key->mods, name);
    FUZZ_MUST(text_valid_utf8(name, strlen(name)), "a key's name is not UTF-8");
    if (key->code != KEYS_NONE && keys_parse(name, &back))
        FUZZ_MUST(keys_same(key, &back), "%s is another key", name);
}

static struct buf typed(const uint8_t *bytes, size_t length, unsigned step)
{
    struct keys keys = {0};
    struct buf out = {0};
    for (size_t at = 0; at < length; at += step) {
        size_t n = length - at < step ? length - at : step;
        char *piece = mem_dupn(bytes + at, n);
        keys_feed(&keys, piece, n, take, &out);
        free(piece);
        FUZZ_MUST(keys.count <= sizeof keys.pending, "more is pending than fits");
    }
    keys_rest(&keys, take, &out);
    keys_free(&keys);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    unsigned step = fuzz_byte(&in) % 7 + 1;
    AUTO(buf_free) struct buf whole = typed(in.at, in.left, 4096);
    AUTO(buf_free) struct buf cut = typed(in.at, in.left, step);
    FUZZ_MUST(whole.length == cut.length && (!whole.length || !memcmp(whole.data, cut.data, whole.length)),
              "cut by %u: [%s] and [%s]", step, whole.data ? whole.data : "", cut.data ? cut.data : "");
    return 0;
}
