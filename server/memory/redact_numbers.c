/* redact_numbers.c - tells telephone, card and identity numbers from numbers of study.
 *
 * At each place where a number can begin the rules are tried in order; the first whose pattern and
 * check both hold decides. Numbers that no rule knows stay.
 */
#include "server/memory/redact_numbers.h"

#include <string.h>

#include "common/mem.h"
#include "server/memory/redact_pattern.h"

enum { DIGITS_MAX = 32, GROUPS_MAX = 16, LOOK_BACK = 28 };

/* A candidate: its digits, its groups of digits, and where it lies. */
struct number {
    const char *text;
    size_t length, start, end;
    char digits[DIGITS_MAX + 1];
    size_t count, groups;
    char separator; /* what stands between all of its groups; 0 where that differs */
    struct {
        size_t count, end;
        long long value; /* VALUE_MAX and nothing rounder where it does not fit */
        bool zero;       /* begins with 0 */
    } group[GROUPS_MAX];
};

static const long long VALUE_MAX = 1000000000000007LL;

static void number_read(struct number *n)
{
    bool inside = false, first = true;
    for (size_t i = n->start; i < n->end; i++) {
        char c = n->text[i];
        if (c < '0' || c > '9') {
            if (n->count) {
                n->separator = first || n->separator == c ? c : 0;
                first = false;
            }
            inside = false;
            continue;
        }
        if (n->count == DIGITS_MAX || (!inside && n->groups == GROUPS_MAX))
            return;
        if (!inside) {
            n->group[n->groups].zero = c == '0';
            n->groups++;
        }
        inside = true;
        n->digits[n->count++] = c;
        size_t last = n->groups - 1;
        n->group[last].count++;
        n->group[last].end = i + 1;
        n->group[last].value = n->group[last].value * 10 + (c - '0');
        if (n->group[last].value > VALUE_MAX)
            n->group[last].value = VALUE_MAX;
    }
}

/* Gives groups back from the end until it is no longer than telephone numbers are. */
static void number_trim(struct number *n)
{
    while (n->count > 15 && n->groups > 2 && n->count - n->group[n->groups - 1].count >= 8) {
        n->count -= n->group[--n->groups].count;
        n->end = n->group[n->groups - 1].end;
    }
}

bool redact_numbers_luhn(const char *digits, size_t count)
{
    int sum = 0;
    for (size_t i = 0; i < count; i++) {
        int d = digits[count - 1 - i] - '0';
        sum += i % 2 ? (d * 2 > 9 ? d * 2 - 9 : d * 2) : d;
    }
    return count > 1 && sum % 10 == 0;
}

bool redact_numbers_isbn(const char *digits, size_t count)
{
    int sum = 0;
    for (size_t i = 0; i < count; i++) {
        bool x = digits[i] == 'X' || digits[i] == 'x';
        if (x && (count != 10 || i != 9))
            return false;
        int d = x ? 10 : digits[i] - '0';
        sum += count == 10 ? d * (10 - (int)i) : d * (i % 2 ? 3 : 1);
    }
    return count == 10 ? sum % 11 == 0 : count == 13 && sum % 10 == 0;
}

bool redact_numbers_cas(const char *digits, size_t count)
{
    int sum = 0;
    for (size_t i = 1; i < count; i++)
        sum += (digits[count - 1 - i] - '0') * (int)i;
    return count >= 5 && sum % 10 == digits[count - 1] - '0';
}

/* Country and length of its IBANs. */
static const char iban_lengths[] =
    "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27"
    "GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22"
    "MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28"
    "TL23TN24TR26UA29VA22VG24XK20YE30";

static int iban_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c & ~0x20);
    return c >= 'A' && c <= 'Z' ? c - 'A' + 10 : -1;
}

static size_t iban_length(const char *country)
{
    for (const char *p = iban_lengths; *p; p += 4)
        if (p[0] == (country[0] & ~0x20) && p[1] == (country[1] & ~0x20))
            return (size_t)((p[2] - '0') * 10 + p[3] - '0');
    return 0;
}

size_t redact_numbers_iban(const char *text, size_t length)
{
    size_t want = length > 4 ? iban_length(text) : 0, have = 0, at = 0;
    int values[40];
    for (; have < want && at < length; at++) {
        int value = iban_value(text[at]);
        if (value >= 0)
            values[have++] = value;
        else if ((text[at] != ' ' && text[at] != '-') || have < 4)
            return 0;
    }
    if (!want || have < want || (at < length && iban_value(text[at]) >= 0))
        return 0;
    int rest = 0;
    for (size_t i = 0; i < have; i++) {
        int value = values[(i + 4) % have];
        rest = (value > 9 ? rest * 100 + value : rest * 10 + value) % 97;
    }
    return rest == 1 ? at : 0;
}

/* ------------------------------------------------------------------ what stands around a number */

static struct redact_pattern before_phone = {
    .text = "(?i)(?:tel(?:e(?:ph|f)on[eo]?)?|t[ée]l(?:[ée]phone)?|phone|mobile?|m[óo]vil|cell(?:phone)?|fax|whats\\ "
            "?app|signal|"
            "handy|sms|call|text|ring|dial|reach|contact|rufnummer|festnetz|num[ée]ro)"
            "(?:\\s*(?:me|us|him|her|them|at|on|is|was|number|no\\.?|nr\\.?|nummer|[:.=\\#/-]))*\\s*\\(?$"};
static struct redact_pattern before_pages = {.text =
                                                 "(?i)(?<![a-z])(?:pp?|pages?|pgs?|seiten?|s|lines?|verses?|vv?|vol(?:"
                                                 "ume)?|bd|chapters?|ch|nos?|nrs?|numbers?|years?|in|"
                                                 "from|between|during|questions?|exercises?|problems?|figures?|figs?|"
                                                 "tables?|sections?|§+|rfc|iso(?:/iec)?|iec|din(?:\\ en)?|"
                                                 "en|astm|ieee|ansi|bs|residues?|positions?|bases?|range)[.:]?\\s*$"};
static struct redact_pattern before_register = {
    .text =
        "(?i)(?<![a-z])(?:issn|pmid|pmc(?:id)?|arxiv|oeis|lccn|oclc|omim|genbank|uniprot|cid|ec|patent)[\\s:\\#]*$"};
static struct redact_pattern before_isbn = {.text = "(?i)isbn(?:[-\\ ]?1[03])?[\\s:]*$"};
static struct redact_pattern before_accession = {.text = "(?:[A-Z]{3,}|0[xX]|[0-9],)$"};
static struct redact_pattern after_unit = {
    .anchored = true,
    .text = "\\s?(?:[kMGT]?Hz|[fpnµμmck]?m|[µμmk]?g|[mµμ]?[lL]|m?mol|k?J|[kM]?W|[mk]?V|m?A|[kMG]?Pa|[mh]?bar|[kMG]?eV|"
            "K|°\\ ?[CF]?|%|‰|ppm|ppb|"
            "bp|kb|aa|kDa|Da|BCE?|AD|CE|years?|pages?|nm|[kMGT]B|cal|kcal|people|inhabitants|units)(?![A-Za-z])"};

static bool around(struct redact_pattern *pattern, const struct number *n)
{
    size_t from = n->start > LOOK_BACK ? n->start - LOOK_BACK : 0, start, end;
    while (from < n->start && ((unsigned char)n->text[from] & 0xC0) == 0x80)
        from++;
    return redact_pattern_find(pattern, n->text + from, n->start - from, 0, &start, &end) == REDACT_MATCH_YES;
}

static bool unit_follows(const struct number *n)
{
    size_t start, end;
    return redact_pattern_find(&after_unit, n->text, n->length, n->end, &start, &end) == REDACT_MATCH_YES;
}

/* ------------------------------------------------------------------ checks */

typedef bool check(struct number *n);

static bool each_group_is_round(const struct number *n)
{
    for (size_t i = 0; i < n->groups; i++)
        if (n->group[i].value % 100)
            return false;
    return true;
}

static bool each_group_is_a_year(const struct number *n)
{
    for (size_t i = 0; i < n->groups; i++)
        if (n->group[i].count != 4 || n->group[i].value < 1000 || n->group[i].value > 2100)
            return false;
    return true;
}

/* Digits that count or calculate: binary, powers of two and their neighbours, round to 100,000. */
static bool of_study(const struct number *n)
{
    if (strspn(n->digits, "01") == n->count)
        return true;
    long long v = n->group[0].value;
    return n->groups == 1 && (v % 100000 == 0 || !(v & (v - 1)) || !(v & (v + 1)));
}

static bool ascending(const struct number *n)
{
    return n->groups == 2 && !n->group[0].zero && !n->group[1].zero && n->group[0].value < n->group[1].value;
}

static bool keep_range(struct number *n)
{
    if (!ascending(n))
        return n->groups == 2 && around(&before_pages, n) && !n->group[0].zero && n->count <= 8;
    return n->group[1].value - n->group[0].value <= 100 || n->separator == '/' || each_group_is_a_year(n) ||
           around(&before_pages, n) || unit_follows(n);
}

static bool keep_isbn10(struct number *n)
{
    char digits[11] = "";
    size_t count = 0;
    for (size_t i = n->start; i < n->end; i++) {
        if (n->text[i] == '-' || n->text[i] == ' ')
            continue;
        if (count == 10)
            return false;
        digits[count++] = n->text[i];
    }
    return count == 10 && redact_numbers_isbn(digits, 10) && (n->groups > 1 || around(&before_isbn, n));
}

static bool keep_isbn13(struct number *n)
{
    return redact_numbers_isbn(n->digits, n->count);
}
static bool keep_cas(struct number *n)
{
    return redact_numbers_cas(n->digits, n->count);
}
static bool keep_register(struct number *n)
{
    return around(&before_register, n);
}

static bool is_card(struct number *n)
{
    return n->count >= 13 && n->count <= 19 && n->digits[0] >= '2' && n->digits[0] <= '6' &&
           redact_numbers_luhn(n->digits, n->count) && !of_study(n);
}

static int two(const char *digits)
{
    return (digits[0] - '0') * 10 + digits[1] - '0';
}

/* YYMMDD or DDMMYY in front (Sweden, Finland, Denmark, Latvia, Korea). */
static bool is_birth_number(struct number *n)
{
    const char *d = n->digits;
    if (n->group[0].count == 8)
        d += 2;
    int a = two(d), b = two(d + 2), c = two(d + 4);
    return b >= 1 && b <= 12 && ((a >= 1 && a <= 31) || (c >= 1 && c <= 31) || (c > 60 && c <= 91));
}

static bool is_pesel(struct number *n)
{
    static const int weights[] = {1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1};
    int sum = 0;
    for (size_t i = 0; i < 11; i++)
        sum += weights[i] * (n->digits[i] - '0');
    int month = two(n->digits + 2) % 20, day = two(n->digits + 4);
    return sum % 10 == 0 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* Aadhaar: the last digit is Verhoeff's. */
static bool is_verhoeff(struct number *n)
{
    static const char product[] =
        "0123456789123406789523401789563401289567401239567859876043216598710432765982104387659321049876543210";
    static const char turn[] = "01234567891576283094580379614289160435279453126870428657390127938064157046913258";
    int c = 0;
    for (size_t i = 0; i < n->count; i++)
        c = product[c * 10 + turn[(i % 8) * 10 + (size_t)(n->digits[n->count - 1 - i] - '0')] - '0'] - '0';
    return c == 0 && !each_group_is_a_year(n);
}

static bool is_insee(struct number *n)
{
    if (n->count != 15)
        return false;
    long long v = 0;
    for (size_t i = 0; i < 13; i++)
        v = v * 10 + (n->digits[i] - '0');
    return 97 - v % 97 == two(n->digits + 13);
}

static bool is_dni(struct number *n)
{
    char letter = (char)(n->text[n->end - 1] & ~0x20);
    return letter == "TRWAGMYFPDXBNJZSQVHLCKE"[n->group[0].value % 23];
}

static bool is_chinese(struct number *n)
{
    static const int weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    int sum = 0;
    for (size_t i = 0; i < 17; i++)
        sum += weights[i] * (n->digits[i] - '0');
    char last = n->text[n->end - 1];
    return "10X98765432"[sum % 11] == (last == 'x' ? 'X' : last);
}

static bool is_phone_international(struct number *n)
{
    number_trim(n);
    return n->count >= 7 && !(n->groups == 1 && (n->group[0].value % 10000 == 0));
}

static bool is_phone_brackets(struct number *n)
{
    number_trim(n);
    if (n->count < 7 || n->groups < 2)
        return false;
    if (n->group[0].zero)
        return true;
    bool glued = n->start && n->text[n->start - 1] >= '0' && n->text[n->start - 1] <= '9'; /* volume(issue) */
    bool year = n->group[0].count == 4 && n->group[0].value >= 1000 && n->group[0].value <= 2100;
    return !year && (!glued || (n->group[0].count == 3 && n->count >= 10));
}

static bool is_phone_trunk(struct number *n)
{
    number_trim(n);
    return n->count >= 7 && !of_study(n);
}

static bool is_phone_ten(struct number *n)
{
    return n->count <= 24 && !each_group_is_round(n) && !of_study(n);
}

static bool is_phone_pair(struct number *n)
{
    size_t a = n->group[0].count, b = n->group[1].count;
    if (n->groups != 2 || n->count > 20 || each_group_is_round(n) || of_study(n))
        return false;
    return (a == 3 && b == 4) || (n->count >= 8 && b >= 3 && a >= 2);
}

static bool is_phone_chain(struct number *n)
{
    size_t longest = 0;
    for (size_t i = 0; i < n->groups; i++)
        longest = n->group[i].count > longest ? n->group[i].count : longest;
    return n->count >= 7 && n->count <= 24 && longest >= 3 && n->group[n->groups - 1].count >= 2 &&
           !each_group_is_round(n) && !each_group_is_a_year(n) && !of_study(n);
}

static bool is_phone_spaced(struct number *n)
{
    return n->groups == 2 && n->count >= 10 && n->count <= 22 && (n->group[0].count >= 6 || n->group[1].count >= 6) &&
           n->group[0].value % 1000 && n->group[1].value % 1000 && !of_study(n) && !unit_follows(n);
}

static bool is_phone_plain(struct number *n)
{
    return !of_study(n) && !around(&before_accession, n);
}

static bool is_phone_announced(struct number *n)
{
    return n->count <= 20 && around(&before_phone, n) && n->group[0].value % 1000 && !unit_follows(n);
}

/* ------------------------------------------------------------------ the rules, in their order */

#define SEP "[ \\x{a0}\\x{202f}.\\-\\x{2010}-\\x{2013}/]"
#define HYPHEN "[-\\x{2010}-\\x{2013}]"
#define DECIMAL "(?:0|[1-9]\\d{0,8})\\.\\d+(?:[eE][-+]?\\d{1,3}(?!\\d|[ ][\\d(]))?"
#define DAY "(?:0?[1-9]|[12]\\d|3[01])"
#define MONTH "(?:0?[1-9]|1[0-2])"
#define YEAR "(?:1\\d|20)\\d\\d"

enum { KEEP = REDACT_KIND_COUNT };

static struct rule {
    int kind;
    size_t least;      /* digits; where fewer stand together it is not tried */
    const char *first; /* the bytes it can begin with: "+", "(", "0", "9" for any digit */
    struct redact_pattern pattern;
    check *check;
} rules[] = {
#define RULE(kind_, least_, first_, check_, text_)                       \
    {                                                                    \
        kind_, least_, first_, {.text = text_, .anchored = true}, check_ \
    }
    RULE(REDACT_PHONE, 7, "+", is_phone_international,
         "[+\\x{ff0b}]\\(?\\d(?:[ \\x{a0}\\x{202f}.\\-\\x{2010}-\\x{2013}/()]{0,3}\\d){6,19}\\d*"),
    RULE(REDACT_PHONE, 7, "(", is_phone_international, "\\([+]\\d{1,3}\\)(?:[ \\x{a0}.\\-/()]{0,3}\\d){6,19}\\d*"),
    RULE(REDACT_PHONE, 7, "(", is_phone_brackets, "\\(\\d{2,5}\\)[ \\x{a0}.\\-/]{0,3}\\d{2,15}(?:" SEP "\\d{2,15})*"),
    RULE(KEEP, 5, "9", NULL,
         "10\\.\\d{4,9}/(?!\\S*?(?:(?<!\\d)\\d{3}[-.)/]\\d{3}[-./]\\d{4}|(?<!\\d)0\\d{1,4}[-/"
         ".]\\d{6}))[^\\s\"<>+@]++(?![ ]\\d)"),
    RULE(KEEP, 5, "9", NULL,
         "(?:" YEAR "([-/.])" MONTH "\\1" DAY "|" DAY "([-/.])" MONTH "\\2" YEAR "|" MONTH "([-/.])" DAY "\\3" YEAR
         ")(?![-/.]?\\d)"),
    RULE(KEEP, 5, "9", NULL, DAY "[ ]" MONTH "[ ]" YEAR "(?![-/. ]?\\d)"),
    RULE(KEEP, 5, "9", NULL, DECIMAL "(?:[-\\x{2013}/ ]" DECIMAL ")*(?![.\\-/]\\d|[ ]\\d{5}|\\d)"),
    RULE(KEEP, 13, "9", keep_isbn13, "97[89](?:([- ])\\d{1,5}\\1\\d{1,7}\\1\\d{1,7}\\1\\d|\\d{10})(?!\\d)"),
    RULE(KEEP, 10, "9", keep_isbn10, "\\d{1,5}([- ])\\d{1,7}\\1\\d{1,7}\\1[\\dXx](?![\\dA-Za-z])|\\d{9}[\\dXx](?!\\d)"),
    RULE(KEEP, 5, "9", keep_cas, "[1-9]\\d{1,6}-\\d\\d-\\d(?![\\d-])"),
    RULE(KEEP, 5, "9", keep_register,
         "\\d{4}-\\d{3}[\\dxX](?!\\d)|\\d{4}\\.\\d{4,5}(?!\\d)|[1-9]\\d{4,8}(?![ .-]?\\d)"),
    RULE(REDACT_CARD, 13, "9", is_card,
         "\\d{4}([- ])\\d{4}\\1\\d{4}\\1\\d{1,7}(?!\\d)|\\d{4}([- ])\\d{6}\\2\\d{5}(?!\\d)|\\d{13,19}(?!\\d)"),
    RULE(REDACT_ID, 9, "9", NULL,
         "\\d{3}-\\d{2}-\\d{4}(?![-\\d])|\\d{3}\\.\\d{3}\\.\\d{3}-\\d{2}(?!\\d)|"
         "\\d{2}\\.\\d{2}\\.\\d{2}-\\d{3}\\.\\d{2}(?!\\d)|756\\.\\d{4}\\.\\d{4}\\.\\d{2}(?!\\d)"),
    RULE(REDACT_ID, 9, "9", is_birth_number,
         "\\d{6}[-+A]\\d{3}[0-9A-Y](?![0-9A-Za-z])|\\d{8}-\\d{4}(?!\\d)|\\d{6}-[1-8]\\d{6}(?!\\d)"),
    RULE(REDACT_ID, 15, "9", is_insee, "[12][ ]?\\d\\d[ ]?\\d\\d[ ]?\\d\\d[ ]?\\d{3}[ ]?\\d{3}[ ]?\\d\\d(?!\\d)"),
    RULE(REDACT_ID, 12, "9", is_verhoeff, "[2-9]\\d{3}[ ]?\\d{4}[ ]?\\d{4}(?![ ]?\\d)"),
    RULE(REDACT_ID, 11, "9", is_pesel, "\\d{11}(?!\\d)"),
    RULE(REDACT_ID, 8, "9", is_dni, "\\d{8}-?[A-Za-z](?![0-9A-Za-z])"),
    RULE(REDACT_ID, 17, "9", is_chinese, "[1-9]\\d{5}(?:19|20)\\d{9}[\\dXx](?![0-9A-Za-z])"),
    RULE(KEEP, 5, "9", keep_range, "\\d{1,7}[-\\x{2013}/]\\d{1,7}(?![-.]?\\d)"),
    RULE(REDACT_PHONE, 9, "0", is_phone_international,
         "00[1-9](?:[ \\x{a0}.\\-\\x{2010}-\\x{2013}/()]{0,3}\\d){7,18}\\d*"),
    RULE(REDACT_PHONE, 7, "0", is_phone_trunk,
         "0[1-9]\\d{0,10}(?:[ \\x{a0}\\x{202f}.\\-\\x{2010}-\\x{2013}/]{1,3}\\d{2,12})*(?!\\d)"),
    RULE(REDACT_PHONE, 10, "9", is_phone_ten, "(?:1[ .\\-])?\\d{3,12}" SEP "\\d{3}" SEP "\\d{4,12}(?!\\d)"),
    RULE(REDACT_PHONE, 7, "9", is_phone_pair, "\\d{2,12}" HYPHEN "\\d{3,12}(?!\\d|-\\d)"),
    RULE(REDACT_PHONE, 7, "9", is_phone_chain, "\\d{1,12}(?:" HYPHEN "\\d{1,12}){2,7}(?!\\d)"),
    RULE(REDACT_PHONE, 5, "9", is_phone_announced, "\\d(?:[ \\x{a0}.\\-/()]{0,2}\\d){4,17}(?!\\d)"),
    RULE(REDACT_PHONE, 10, "9", is_phone_spaced, "\\d{2,12}[ \\x{a0}]\\d{3,12}(?![ ]?\\d)"),
    RULE(REDACT_PHONE, 10, "9", is_phone_plain, "\\d{10,15}(?!\\d)"),
#undef RULE
};

static struct redact_pattern extension = {.anchored = true,
                                          .text = "(?i)[\\s,;]{0,3}(?:ext(?:ension|n)?\\b\\.?|x|\\#|durchwahl|dw\\.?|"
                                                  "poste|extensi[óo]n|int\\.)\\s?:?\\s?\\d{1,6}(?!\\d)"};

static bool begins(const struct rule *rule, const char *at, size_t left)
{
    if ((unsigned char)*at == 0xEF) /* the wide plus sign */
        return rule->first[0] == '+' && left > 2 && !memcmp(at, "\xEF\xBC\x8B", 3);
    return rule->first[0] == *at || (rule->first[0] == '9' && *at >= '0' && *at <= '9');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits that stand together from `at` on: with nothing between them but what separates groups. */
static size_t together(const char *text, size_t length, size_t at)
{
    size_t digits = 0;
    for (; at < length && digits < DIGITS_MAX; at++) {
        if (is_digit(text[at]))
            digits++;
        else if ((unsigned char)text[at] < 0x80 && !strchr(" .-/()+eEA", text[at]))
            break;
    }
    return digits;
}

/* The rule that decides about the number at `at`, or NULL. */
static const struct rule *decide(const char *text, size_t length, size_t at, size_t *end, bool *limit)
{
    size_t digits = together(text, length, at);
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        if (rules[i].least > digits || !begins(&rules[i], text + at, length - at))
            continue;
        struct number n = {.text = text, .length = length};
        switch (redact_pattern_find(&rules[i].pattern, text, length, at, &n.start, &n.end)) {
        case REDACT_MATCH_LIMIT: *limit = true; return NULL;
        case REDACT_MATCH_NONE: continue;
        case REDACT_MATCH_YES: break;
        }
        number_read(&n);
        if (rules[i].check && !rules[i].check(&n))
            continue;
        *end = n.end;
        return &rules[i];
    }
    return NULL;
}

bool redact_numbers_pass(const char *text, size_t length, struct buf *out, struct redact_counts *counts,
                         struct err *err)
{
    size_t copied = 0;
    for (size_t at = 0; at < length;) {
        char c = text[at];
        if (!is_digit(c) && c != '+' && c != '(' && (unsigned char)c != 0xEF) {
            at++;
            continue;
        }
        size_t end, start;
        bool limit = false;
        const struct rule *rule = decide(text, length, at, &end, &limit);
        if (limit)
            return err_set(err, ERR_INTERNAL, "redaction met its match limit");
        if (!rule) {
            at++;
            while (is_digit(c) && at < length && is_digit(text[at]))
                at++;
            continue;
        }
        if (rule->kind != KEEP) {
            if (rule->kind == REDACT_PHONE)
                if (redact_pattern_find(&extension, text, length, end, &start, &end) == REDACT_MATCH_LIMIT)
                    return err_set(err, ERR_INTERNAL, "redaction met its match limit");
            buf_bytes(out, text + copied, at - copied);
            buf_printf(out, "[%s]", redact_word((enum redact_kind)rule->kind));
            counts->of[rule->kind]++;
            copied = end;
        }
        at = end;
    }
    buf_bytes(out, text + copied, length - copied);
    return true;
}
