/* redact_cases.c - texts that redaction must change, and texts that it must leave. */
#include "tests/lib/redact_cases.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/mem.h"

const struct redact_person redact_case_person = {.name = "Maya Chidinma Okafor", .institution_id = "S2023-0042"};

const struct redact_case redact_cases_go[] = {
    /* e-mail */
    {"write to jane.doe@school.edu please", "write to [email] please"},
    {"jane+bio101@mail.example.co.uk", "[email]"},
    {"JANE@EXAMPLE.ORG!", "[email]!"},
    {"<jane@example.org>", "<[email]>"},
    {"(jane_o'neil@example.org)", "([email])"},
    {"mail=jane@example.org;x", "mail=[email];x"},
    {"a@b.co and c@d.info", "[email] and [email]"},
    {"käthe@größe.example", "[email]"},
    {"jane @ example.org", "[email]"},
    {"jane＠example.org", "[email]"},
    {"mailto:jane%40example.org", "mailto:[email]"},
    {"\"jane doe\"@x.org", "[email]"},
    {"a@b.co@c.de", "[email]"},
    {"root@localhost", "[email]"},
    {"x@[192.168.1.20]", "[email]"},
    {"jane (at) example (dot) org", "[email]"},
    {"jane[at]example[dot]org", "[email]"},
    {"jane (at) example.org", "[email]"},
    {"jane at example dot com", "[email]"},
    {"student jane@example.org searched for enzymes", "student [email] searched for enzymes"},
    {"1234@example.org", "[email]"},
    {"x.y-z_1%2@sub-domain.example.museum", "[email]"},
    /* telephone, international */
    {"+49 30 1234567", "[phone]"},
    {"+49-30-123456", "[phone]"},
    {"+49.30.123456", "[phone]"},
    {"+4930123456", "[phone]"},
    {"+49 (0)30 123456", "[phone]"},
    {"+49 (30) 123 456", "[phone]"},
    {"+1 (555) 123-4567", "[phone]"},
    {"+1-555-123-4567", "[phone]"},
    {"+15551234567", "[phone]"},
    {"+44 20 7946 0958", "[phone]"},
    {"+33 1 23 45 67 89", "[phone]"},
    {"+39 06 6982 1234", "[phone]"},
    {"+358 40 123 4567", "[phone]"},
    {"+91 98765 43210", "[phone]"},
    {"(+49) 30 1234567", "[phone]"},
    {"＋49 30 1234567", "[phone]"},
    {"0049 30 1234567", "[phone]"},
    {"0044 (0)20 7946 0958", "[phone]"},
    {"call +41 44 668 18 00 today", "call [phone] today"},
    {"tel:+49301234567", "tel:[phone]"},
    {"ring me:+49 30 1234567.", "ring me:[phone]."},
    {"x+49 30 1234567y", "x[phone]y"},
    {"+49 30\xC2\xA0"
     "1234567",
     "[phone]"},
    {"+49 30 123\xE2\x80\x91"
     "4567",
     "[phone]"},
    /* telephone, local */
    {"(555) 123-4567", "[phone]"},
    {"(555)123-4567", "[phone]"},
    {"(555) 123.4567", "[phone]"},
    {"(030) 1234567", "[phone]"},
    {"(0171) 123 45 67", "[phone]"},
    {"(11) 91234-5678", "[phone]"},
    {"555-123-4567", "[phone]"},
    {"555.123.4567", "[phone]"},
    {"555 123 4567", "[phone]"},
    {"555/123-4567", "[phone]"},
    {"1-800-555-0199", "[phone]"},
    {"1 (800) 555-0199", "1 [phone]"},
    {"555-0199", "[phone]"},
    {"my number is 555-0199 ok", "my number is [phone] ok"},
    {"030 1234567", "[phone]"},
    {"030/1234567", "[phone]"},
    {"030-1234567", "[phone]"},
    {"030.1234567", "[phone]"},
    {"0301234567", "[phone]"},
    {"01 23 45 67 89", "[phone]"},
    {"01.23.45.67.89", "[phone]"},
    {"07911 123456", "[phone]"},
    {"020 7946 0958", "[phone]"},
    {"0171-1234567", "[phone]"},
    {"8-800-555-35-35", "[phone]"},
    {"9123-4567", "[phone]"},
    {"06-12345678", "[phone]"},
    {"5551234567", "[phone]"},
    {"call 5551234", "call [phone]"},
    {"Tel. 12 34 56 78", "Tel. [phone]"},
    {"phone: 612 345 678", "phone: [phone]"},
    {"whatsapp 98765 43210", "whatsapp [phone]"},
    {"mobile 512 345 6", "mobile [phone]"},
    {"telefon 1234567", "telefon [phone]"},
    {"at 555-123-4567 or 555-987-6543", "at [phone] or [phone]"},
    {"555-123-4567 555-987-6543", "[phone] [phone]"},
    {"cell555-123-4567wall", "cell[phone]wall"},
    {"in 1914-1918 555-123-4567", "in 1914-1918 [phone]"},
    /* extensions */
    {"555-123-4567 ext. 89", "[phone]"},
    {"555-123-4567 x89", "[phone]"},
    {"(555) 123-4567 extension 1234", "[phone]"},
    {"+1 555 123 4567, ext 12", "[phone]"},
    {"+49 30 1234567 #12", "[phone]"},
    {"030 1234567 Durchwahl 22 bitte", "[phone] bitte"},
    /* addresses with credentials */
    {"https://jane:secret@files.example.org/a?b", "[url]"},
    {"see ftp://u:p@10.0.0.1/x now", "see [url] now"},
    {"https://jane@host.example/x", "[url]"},
    {"https://example.org/?token=abc123", "[url]"},
    {"https://example.org/a?x=1&api_key=zzz#top", "[url]"},
    {"http://example.org/#access_token=abc", "[url]"},
    {"postgresql://user:pw@db/edurag", "[url]"},
    {"https://example.org/login?password=hunter2 !", "[url] !"},
    /* bank and cards */
    {"DE89 3704 0044 0532 0130 00", "[iban]"},
    {"DE89370400440532013000", "[iban]"},
    {"gb82 west 1234 5698 7654 32", "[iban]"},
    {"pay to FR14 2004 1010 0505 0001 3M02 606 now", "pay to [iban] now"},
    {"NL91ABNA0417164300, thanks", "[iban], thanks"},
    {"NO93 8601 1117 947", "[iban]"},
    {"4111 1111 1111 1111", "[card]"},
    {"4111-1111-1111-1111", "[card]"},
    {"4111111111111111", "[card]"},
    {"5500 0000 0000 0004", "[card]"},
    {"3782 822463 10005", "[card]"},
    {"378282246310005", "[card]"},
    {"card 6011000990139424 exp 12/29", "card [card] exp 12/29"},
    /* identity */
    {"123-45-6789", "[id]"},
    {"my SSN is 123-45-6789.", "my SSN is [id]."},
    {"ssn 123456789", "ssn [id]"},
    {"AB 12 34 56 C", "[id]"},
    {"QQ123456C", "QQ123456C"},
    {"JG103759A", "[id]"},
    {"RSSMRA85T10A562S", "[id]"},
    {"GODE561231HVZRRL04", "[id]"},
    {"X1234567L", "[id]"},
    {"12345678Z", "[id]"},
    {"123.456.789-09", "[id]"},
    {"85.07.30-033.28", "[id]"},
    {"756.9217.0769.85", "[id]"},
    {"811218-9876", "[id]"},
    {"19811218-9876", "[id]"},
    {"131052-308T", "[id]"},
    {"44051401359", "[id]"},
    {"1 85 05 78 006 084 91", "[id]"},
    {"2345 6789 0124", "[id]"},
    {"11010519491231002X", "[id]"},
    {"820701-1234567", "[id]"},
    {"65070412A123", "[id]"},
    {"passport number C01X00T47", "passport number [id]"},
    {"student id: 20231234", "student id: [id]"},
    {"Matrikelnummer 1234567", "Matrikelnummer [id]"},
    {"driver's licence no. D123 4567", "driver's licence no. [id]"},
    /* the person */
    {"Maya Chidinma Okafor asked", "[name] asked"},
    {"maya chidinma okafor asked", "[name] asked"},
    {"MAYA OKAFOR asked", "[name] asked"},
    {"Okafor, Maya", "[name]"},
    {"Maya's notes", "[name]'s notes"},
    {"notes of Okafor.", "notes of [name]."},
    {"id S2023-0042", "id [id]"},
    {"s2023-0042 searched", "[id] searched"},
    {"Màyá Okàfor", "[name]"},
    {"Maya wrote to maya@okafor.net", "[name] wrote to [email]"},
    {NULL, NULL},
};

const char *const redact_cases_stay[] = {
    "student searched for enzyme inhibition mechanisms in Biochemistry 101",
    "in 1914-1918",
    "in 1914–1918 and 1939–1945",
    "1914-1918 1939-1945",
    "6.022e23",
    "6.022e+23 per mol",
    "6.02214076 x 10^23",
    "page 120-135",
    "pages 995-1003",
    "pp. 1001-1023",
    "p. 12",
    "S. 120-135",
    "lines 2345-2360",
    "CAS 7732-18-5",
    "7732-18-5",
    "CAS number 50-00-0",
    "ISBN 978-3-16-148410-0",
    "ISBN 9783161484100",
    "ISBN 0-306-40615-2",
    "ISBN-10: 0306406152",
    "978 0 13 110362 7",
    "ISSN 0028-0836",
    "PMID 12345678",
    "doi:10.1038/s41586-020-2649-2",
    "https://doi.org/10.1016/S0140-6736(20)30183-5",
    "arXiv:2101.12345",
    "2024-01-15",
    "15.01.2024",
    "01/02/2024",
    "15/01/2024",
    "2024-01-15 2024-02-15",
    "from 01.02.2024 to 03.04.2024",
    "15 01 2024",
    "2024-01-15T10:30:00Z",
    "12:30-14:45",
    "2023/2024",
    "20240115",
    "3.14159265358979",
    "3,14159265358979",
    "0.000123456",
    "52.5200, 13.4050",
    "52.520008 13.404954",
    "-33.8688 151.2093",
    "48.8566° N, 2.3522° E",
    "0.123-0.4567",
    "1.5-2.25",
    "12.5 %",
    "299792458 m/s",
    "299 792 458 m/s",
    "1 000 000",
    "12,345,678",
    "1.234.567",
    "612.345.678",
    "8 100 000 people",
    "population 1000000000",
    "2147483647",
    "4294967296",
    "01101001 01110101",
    "1010101010",
    "2^31 - 1",
    "C6H12O6",
    "H2SO4 + 2 NaOH",
    "E = mc^2",
    "a + b = 12345",
    "x^2 + 4x - 5 = 0",
    "2+2=4",
    "100-200-300-400",
    "10-20-30-40",
    "1-2-3-4-5-6-7",
    "NPK 10-10-10",
    "400-700 nm",
    "300-3000 Hz",
    "1066 1492 1789 1848",
    "12 34 56 78",
    "ISO 9001-2015",
    "RFC 2119",
    "Figure 12",
    "chapter 3-4",
    "Nature 583(7816):459",
    "Science 365(6456), 1234",
    "Nature (2019) 365, 1234",
    "192.168.1.1",
    "10.0.0.1",
    "version 1.2.3",
    "ENSG00000139618",
    "NM_000546.6",
    "3'-5' exonuclease",
    "H1N1 2009",
    "Apollo 11",
    "Windows 95",
    "5-HT2A receptor",
    "1,2,3,4-tetrahydroquinoline",
    "2,4,6-trinitrotoluene",
    "p53",
    "pH 7.4",
    "0.05 < p < 0.10",
    "22:30",
    "3/4 cup",
    "@property decorator in Python",
    "meet @ 5 pm",
    "x @ y",
    "https://en.wikipedia.org/wiki/Enzyme",
    "https://example.org/a?page=2",
    "look at the dot product",
    "find (at least) 3",
    "arr[at] index",
    "the number 12345",
    "question 12-15",
    "16S rRNA",
    "18-electron rule",
    "1000-2000 years",
    "between 1200-1500",
    "4111 1111 1111 1112",
    "DE00 is a country code",
    "GB 12 West",
    "mark 1:14-20",
    "Psalm 119:105-112",
    "maya civilisation",
    "student",
    "café at noon",
    "Ωμέγα 3",
    "日本語 2024",
    "f(100) = 200",
    "P(123) 45",
    "sin(30)",
    "10 000 000 units",
    "5 000 000-6 000 000",
    "RGB (255, 128, 64)",
    "#ff8800",
    "0x1F600",
    "0xDEADBEEF",
    "1e-9",
    "1.6e-19 C",
    "9.81 m/s^2",
    "[email] [phone]",
    "",
    NULL,
};

static const char *const phone_shapes[] = {
    "+29 29 9999999",  "+29-299-9999999",      "+2999999999",         "+1 (299) 299-9999", "+1-299-299-9999",
    "+1 299 299 9999", "+29 (0)299 999999",    "0029 29 9999999",     "(299) 299-9999",    "(299)299-9999",
    "(029) 9999999",   "299-299-9999",         "299.299.9999",        "299 299 9999",      "1-299-299-9999",
    "029 9999999",     "029/9999999",          "029-9999999",         "0299 999 9999",     "02 99 99 99 99",
    "02299 999999",    "299-299-9999 ext. 99", "+29 29 999 99 99 x9",
};
static const char *const email_shapes[] = {"aaa.aaaa@aaaaa.aaa", "a9@aa.aa", "aaa+aa@aaa.aaaa.aa", "a_a-a@aa-aa.aaa",
                                           "aaaaaaaa@aaa.aa.aa"};

static uint64_t seed = 20261123;
unsigned redact_case_roll(unsigned below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed % below);
}

static void fill(struct buf *out, const char *shape)
{
    for (const char *p = shape; *p; p++) {
        if (*p == '9')
            buf_char(out, (char)('0' + redact_case_roll(10)));
        else if (*p == '2')
            buf_char(out, (char)('2' + redact_case_roll(8)));
        else if (*p == 'a')
            buf_char(out, (char)('a' + redact_case_roll(26)));
        else
            buf_char(out, *p);
    }
}

bool redact_case_embed(struct buf *secret, struct buf *text)
{
    size_t hosts = COUNT_OF(redact_cases_stay) - 1;
    bool phone = redact_case_roll(3) > 0;
    buf_clear(secret);
    buf_clear(text);
    fill(secret, phone ? phone_shapes[redact_case_roll(COUNT_OF(phone_shapes))]
                       : email_shapes[redact_case_roll(COUNT_OF(email_shapes))]);
    const char *host = redact_cases_stay[redact_case_roll((unsigned)hosts)];
    size_t at = *host ? redact_case_roll((unsigned)strlen(host) + 1) : 0;
    while (((unsigned char)host[at] & 0xC0) == 0x80)
        at++;
    if (strstr(host, "01001") || (at && strspn(host + at - 1, "0123456789") > 1))
        return false; /* inside a number, or in one that looks like a telephone's to a reader */
    /* Beside a digit a number is another number; three in four stand apart by a blank. */
    bool apart = redact_case_roll(4) > 0;
    bool digits = (at && host[at - 1] >= '0' && host[at - 1] <= '9') || (host[at] >= '0' && host[at] <= '9');
    apart = apart || (phone && digits && secret->data[0] != '+');
    buf_bytes(text, host, at);
    buf_text(text, apart ? " " : "");
    buf_bytes(text, secret->data, secret->length);
    buf_text(text, apart ? " " : "");
    buf_text(text, host + at);
    return true;
}
