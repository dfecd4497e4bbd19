/* json.c - JSON as it is read: what is accepted is unambiguous, bounded in depth, and survives being written.
 * FUZZ_LONGEST 1024
 */
#include "common/json.h"
#include "common/text.h"
#include "tests/fuzz/fuzz.h"

static int depth(const cJSON *value)
{
    int deepest = 0;
    for (const cJSON *item = value->child; item; item = item->next) {
        int below = depth(item);
        deepest = below > deepest ? below : deepest;
    }
    return deepest + (cJSON_IsArray(value) || cJSON_IsObject(value));
}

static bool infinite; /* 1e999 is a number, and has no other form */

static void look(const cJSON *value)
{
    infinite = infinite || (cJSON_IsNumber(value) && value->valuedouble - value->valuedouble != 0);
    if (cJSON_IsString(value))
        FUZZ_MUST(text_valid_utf8(value->valuestring, strlen(value->valuestring)), "a string is not UTF-8");
    int64_t whole;
    if (json_is_int(value, &whole))
        FUZZ_MUST((double)whole == value->valuedouble && llabs(whole) < 1LL << 53, "a whole number lost digits");
    for (const cJSON *item = value->child; item; item = item->next) {
        if (cJSON_IsObject(value)) {
            FUZZ_MUST(json_get(value, item->string) == item, "two members are called %s", item->string);
            FUZZ_MUST(text_valid_utf8(item->string, strlen(item->string)), "a name is not UTF-8");
        }
        look(item);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    struct err err = {0}, again = {0};
    size_t length;
    AUTO(mem_freep) char *text = fuzz_rest(&in, &length);
    AUTO(json_freep) cJSON *value = json_parse(text, length, &err);
    if (!value) {
        FUZZ_MUST(err.code == ERR_PARSE, "refused with %s", err_reason(err.code));
        return 0;
    }
    FUZZ_MUST(text_valid_utf8(text, length) && !memchr(text, 0, length), "accepted what is not UTF-8");
    FUZZ_MUST(depth(value) <= JSON_DEPTH, "nested %d deep", depth(value));
    infinite = false;
    look(value);
    if (infinite)
        return 0;
    AUTO(buf_free) struct buf written = {0};
    json_write(&written, value);
    FUZZ_MUST(!memchr(written.data, '\n', written.length), "more than one line was written");
    AUTO(json_freep) cJSON *back = json_parse(written.data, written.length, &again);
    FUZZ_MUST(back, "what was written can't be read: %s: %s", again.log, written.data);
    FUZZ_MUST(cJSON_Compare(value, back, true), "what was written is something else: %s", written.data);
    return 0;
}
