/* redact.c - what identifies a person goes, wherever it stands; a second time changes nothing; it never breaks a character.
 * FUZZ_LONGEST 500
 */
#include "common/text.h"
#include "server/memory/redact.h"
#include "tests/fuzz/fuzz.h"

static const struct redact_person people[] = {
    {"Maya Okafor", "s1024"}, {NULL, NULL}, {"\xC3\x85sa \xC3\x96 Li", "77"}, {"Name Url", "url"}};
static const char *const secrets[] = {"maya.okafor@school.example",
                                      "DE89 3704 0044 0532 0130 00",
                                      "4111 1111 1111 1111",
                                      "+49 30 1234567",
                                      "https://maya:geheim9@school.example/x",
                                      "GB33BUKB20201555555555"};

/* false: a pattern met its limit, so nothing is stored. */
static bool redacted(const struct redact_person *who, const char *text, size_t length, struct buf *out)
{
    struct err err = {0};
    struct redact_counts counts = {0};
    AUTO(mem_freep) char *exact = mem_dupn(text, length);
    if (!redact_text(who, exact, length, out, &counts, &err)) {
        FUZZ_MUST(!out->length && err.code, "refused, but something is there");
        return false;
    }
    buf_bytes(out, "", 0);
    FUZZ_MUST(text_valid_utf8(out->data, out->length), "not UTF-8");
    FUZZ_MUST(redact_total(&counts) || (out->length == length && !memcmp(out->data, text, length)),
              "changed, and nothing is counted");
    return true;
}

static void nothing_is_left(const struct redact_person *who, const struct buf *text)
{
    AUTO(buf_free) struct buf once = {0};
    AUTO(buf_free) struct buf twice = {0};
    if (!redacted(who, text->data, text->length, &once) || !redacted(who, once.data, once.length, &twice))
        return;
    FUZZ_MUST(once.length == twice.length && !memcmp(once.data, twice.data, once.length),
              "[%s] became [%s] and then [%s]", text->data, once.data, twice.data);
}

static void the_secret_goes(const struct redact_person *who, const struct buf *text, const char *secret, uint8_t place)
{
    AUTO(buf_free) struct buf with = {0};
    AUTO(buf_free) struct buf out = {0};
    size_t cut = text_offset(text->data, text->length, place);
    buf_bytes(&with, text->data, cut);
    buf_printf(&with, "\n%s\n", secret);
    buf_bytes(&with, text->data + cut, text->length - cut);
    AUTO(mem_freep) char *alone = mem_printf("\n%s\n", secret);
    if (redacted(who, with.data, with.length, &out))
        FUZZ_MUST(!strstr(out.data, alone), "%s is still in [%s]", secret, out.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    const struct redact_person *who = &people[fuzz_byte(&in) % COUNT_OF(people)];
    const char *secret = secrets[fuzz_byte(&in) % COUNT_OF(secrets)];
    uint8_t place = fuzz_byte(&in);
    size_t length;
    AUTO(mem_freep) char *bytes = fuzz_rest(&in, &length);
    AUTO(buf_free) struct buf text = {0};
    buf_bytes(&text, "", 0);
    for (size_t at = 0; at < length;) {
        uint32_t c = text_next(bytes, length, &at);
        text_append(&text, c ? c : ' ');
    }
    nothing_is_left(who, &text);
    the_secret_goes(who, &text, secret, place);
    return 0;
}
