/* redact.c - takes what identifies a person out of a text before it is stored or sent. */
#include "server/memory/redact.h"

#include <string.h>

#include "common/mem.h"
#include "server/memory/redact_names.h"
#include "server/memory/redact_numbers.h"
#include "server/memory/redact_pattern.h"

const char *redact_word(enum redact_kind kind)
{
    static const char *const words[] = {
#define REDACT_WORD(name, word) word,
        REDACT_KINDS(REDACT_WORD)
#undef REDACT_WORD
    };
    return words[kind];
}

int redact_total(const struct redact_counts *counts)
{
    int total = 0;
    for (size_t i = 0; i < REDACT_KIND_COUNT; i++)
        total += counts->of[i];
    return total;
}

/* ------------------------------------------------------------------ patterns that replace as they are */

#define LOCAL "[^\\s@\\x{ff20}\\[\\]<>(){},;:\"|=?&/]"
#define DOMAIN "[^\\s@\\x{ff20}\\[\\]<>(){},;:\"|=?&/\\#!']"
#define WORD "[\\p{L}\\p{N}_-]"

/* With a password or a person in front of the host, or a key among the parameters. */
static struct redact_pattern url = {.text = "(?i)[a-z][a-z0-9+.-]{0,20}://(?:[^\\s/?\\#@<>\"]+@[^\\s<>\"]*|"
                                            "[^\\s<>\"]*?[?&\\#;](?:access_?token|refresh_?token|id_?token|token|api_?"
                                            "key|key|pass(?:word|wd)?|pwd|secret|client_?secret|auth|"
                                            "session(?:_?id)?|sid|sig(?:nature)?|jwt|code)=[^\\s<>\"]+)"};

static struct redact_pattern email = {.text = "(?:\"[^\\n\"@]{1,64}\"|(?<!" LOCAL ")" LOCAL
                                              "++)(?:(?:[ ]?[@\\x{ff20}][ ]?(?:" DOMAIN "+\\.(?:" DOMAIN
                                              "*[\\p{L}\\p{N}])|localhost\\b))+|"
                                              "@\\[[0-9a-fA-F.:IPv]+\\])"};
static struct redact_pattern email_coded = {
    .text = "[\\p{L}\\p{N}._+-]+(?:%40|&\\#64;|&commat;)[\\p{L}\\p{N}._-]+\\.[\\p{L}\\p{N}-]*[\\p{L}\\p{N}]"};
/* jane (at) school (dot) org */
static struct redact_pattern email_spelt = {
    .text = "(?i)" WORD "(?:" WORD "|[.+])*\\s{0,2}(?:[\\[({<]\\s?(?:at|@)\\s?[\\])}>]|_at_)\\s{0,2}" WORD
            "+(?:\\s{0,2}(?:\\.|[\\[({<]\\s?(?:dot|\\.)\\s?[\\])}>]|_dot_|[ ]dot[ ])\\s{0,2}" WORD "+)+|" WORD
            "(?:" WORD "|[.+])*[ ]at[ ]" WORD "+(?:[ ]dot[ ]" WORD
            "+)*[ ]dot[ ](?:com|org|net|edu|info|io|de|fr|uk|eu|es|it|nl|pl|us|ca|au|in)\\b"};

/* Identity numbers that begin with a letter or are announced by a word. */
static struct redact_pattern lettered = {
    .text =
        "(?<![A-Za-z0-9])(?:[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ ]?\\d\\d[ ]?\\d\\d[ ]?\\d\\d[ ]?[A-D]|"
        "[A-Z]{6}\\d\\d[A-EHLMPRST]\\d\\d[A-Z]\\d{3}[A-Z]|[A-Z]{4}\\d{6}[HM][A-Z]{5}[A-Z0-9]\\d|[XYZ]-?\\d{7}-?[A-Z]|"
        "\\d{8}[A-Z]\\d{3}|[A-Z]{2}\\d{6}[A-Z0-9]\\d{2}[A-Z0-9]?)(?![A-Za-z0-9])"};
static struct redact_pattern introduced = {
    .text = "(?i)(?<![a-z])(?:passport|social\\ security|ssn|national\\ (?:id|insurance|identity)|identity\\ card|id\\ "
            "card|tax(?:payer)?\\ id|"
            "(?:student|pupil|learner|staff|institution)\\ "
            "(?:id|number|no)|matric(?:ulation)?|matrikel|driv(?:er'?s|ing)\\ licen[cs]e|"
            "personnummer|steuer-?id|ausweis|nif|nie|dni|bsn|pesel|cpf|curp|sin|tfn|aadhaar)"
            "(?:[\\s:=\\#.-]|card|id|number|nummer|numbers|no\\.|nr\\.?|is|was)*?[\\s:=\\#.]\\K"
            "(?=(?:[A-Z]{0,3}[ ./-]?\\d){5})(?-i:[A-Z]{1,3}[ -]?)?\\d[0-9A-Z]*(?:[ ./-]?\\d[0-9A-Z]*)*"};

/* Whether it is worth looking for the one that is spelt. */
static struct redact_pattern spelt_hint = {.text = "(?i)[\\[({<_]\\s?(?:at|@)\\s?[\\])}>_]|[ ]dot[ ]"};

static struct redact_pattern iban_start = {.text = "(?<![A-Za-z0-9])[A-Za-z]{2}\\d{2}[ -]?[A-Za-z0-9]{4}"};

static void put(struct buf *out, enum redact_kind kind, struct redact_counts *counts)
{
    buf_printf(out, "[%s]", redact_word(kind));
    counts->of[kind]++;
}

static bool limit_met(struct err *err)
{
    return err_set(err, ERR_INTERNAL, "redaction met its match limit");
}

/* Appends `text` with every match replaced. */
static bool replace(struct redact_pattern *pattern, enum redact_kind kind, const struct buf *text, struct buf *out,
                    struct redact_counts *counts, struct err *err)
{
    size_t at = 0, start, end;
    while (at < text->length) {
        enum redact_match match = redact_pattern_find(pattern, text->data, text->length, at, &start, &end);
        if (match == REDACT_MATCH_LIMIT)
            return limit_met(err);
        if (match == REDACT_MATCH_NONE)
            break;
        buf_bytes(out, text->data + at, start - at);
        put(out, kind, counts);
        at = end;
    }
    buf_bytes(out, text->data + at, text->length - at);
    return true;
}

static bool replace_ibans(const struct buf *text, struct buf *out, struct redact_counts *counts, struct err *err)
{
    size_t copied = 0, at = 0, start, end;
    while (at < text->length) {
        enum redact_match match = redact_pattern_find(&iban_start, text->data, text->length, at, &start, &end);
        if (match == REDACT_MATCH_LIMIT)
            return limit_met(err);
        if (match == REDACT_MATCH_NONE)
            break;
        size_t taken = redact_numbers_iban(text->data + start, text->length - start);
        at = taken ? start + taken : start + 4;
        if (taken) {
            buf_bytes(out, text->data + copied, start - copied);
            put(out, REDACT_IBAN, counts);
            copied = at;
        }
    }
    buf_bytes(out, text->data + copied, text->length - copied);
    return true;
}

/* ------------------------------------------------------------------ the passes, in their order */

/* One pass reads `from` and appends to `to`. Each asks first whether the text has what it looks for. */
static bool pass(int number, const struct redact_person *person, const struct buf *from, struct buf *to,
                 struct redact_counts *counts, bool *ran, struct err *err)
{
    bool at_sign = memchr(from->data, '@', from->length) || strstr(from->data, "\xEF\xBC\xA0");
    bool digit = from->data[strcspn(from->data, "0123456789")];
    size_t start, end;
    *ran = true;
    switch (number) {
    case 0:
        if (strstr(from->data, "://"))
            return replace(&url, REDACT_URL, from, to, counts, err);
        break;
    case 1:
        if (at_sign)
            return replace(&email, REDACT_EMAIL, from, to, counts, err);
        break;
    case 2:
        if (strpbrk(from->data, "%&"))
            return replace(&email_coded, REDACT_EMAIL, from, to, counts, err);
        break;
    case 3:
        if (redact_pattern_find(&spelt_hint, from->data, from->length, 0, &start, &end) != REDACT_MATCH_NONE)
            return replace(&email_spelt, REDACT_EMAIL, from, to, counts, err);
        break;
    case 4:
        if (digit)
            return replace_ibans(from, to, counts, err);
        break;
    case 5: redact_names_pass(person, from->data, from->length, to, counts); return true;
    case 6:
        if (digit)
            return replace(&introduced, REDACT_ID, from, to, counts, err);
        break;
    case 7:
        if (digit)
            return replace(&lettered, REDACT_ID, from, to, counts, err);
        break;
    case 8:
        if (digit)
            return redact_numbers_pass(from->data, from->length, to, counts, err);
        break;
    }
    *ran = false;
    return true;
}

enum { PASSES = 9, ROUNDS = 6 };

/* All passes over `now`, which is the result afterwards. */
static bool round_of(const struct redact_person *person, struct buf *now, struct buf *next, struct redact_counts *found,
                     struct err *err)
{
    for (int i = 0; i < PASSES && now->length; i++) {
        bool ran;
        buf_clear(next);
        if (!pass(i, person, now, next, found, &ran, err))
            return false;
        if (ran) {
            struct buf swap = *now;
            *now = *next;
            *next = swap;
        }
    }
    return true;
}

bool redact_text(const struct redact_person *person, const char *text, size_t length, struct buf *out,
                 struct redact_counts *counts, struct err *err)
{
    AUTO(buf_free) struct buf now = {0}, next = {0};
    struct redact_counts found = {0};
    buf_bytes(&now, text, length);
    /* What went may lay bare what stood against it ("GB33BUKB20201555555555Maya"): until nothing more is found. */
    for (int round = 0, before = -1; redact_total(&found) != before; round++) {
        before = redact_total(&found);
        if (round == ROUNDS)
            return limit_met(err);
        if (!round_of(person, &now, &next, &found, err))
            return false;
    }
    buf_bytes(out, now.data ? now.data : "", now.length);
    for (size_t i = 0; counts && i < REDACT_KIND_COUNT; i++)
        counts->of[i] += found.of[i];
    return true;
}
