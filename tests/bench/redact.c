/* redact.c - the processor time it takes to get what identifies a person out of a fact of 200
 * characters (aim: under 20 µs).
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "server/memory/redact.h"
#include "tests/lib/bench.h"
#include "tests/lib/redact_cases.h"

enum { ROUNDS = 20000 };

static const struct {
    const char *name, *text;
} facts[] = {
    {"redaction of a fact, 200 characters, nothing to hide",
     "student searched for enzyme inhibition mechanisms in Biochemistry 101 and opened page 120-135 of Principles of "
     "Biochemistry, "
     "the section on competitive inhibitors from 1914-1918, then asked for Km values"},
    {"redaction of a fact, 200 characters, three details",
     "student Maya Okafor (maya@okafor.net, +49 30 1234567) searched for enzyme inhibition in Biochemistry 101 and "
     "opened pages "
     "120-135 of Principles of Biochemistry, call 555-123-4567 ext. 12 for the notes, 2024-01-15"},
};

int main(void)
{
    for (size_t f = 0; f < COUNT_OF(facts); f++) {
        AUTO(buf_free) struct buf out = {0};
        struct err err = {0};
        int64_t from = bench_cpu_us(getpid());
        for (int i = 0; i < ROUNDS; i++) {
            buf_clear(&out);
            if (!redact_text(&redact_case_person, facts[f].text, strlen(facts[f].text), &out, NULL, &err)) {
                fprintf(stderr, "bench: %s\n", err.log);
                return 1;
            }
        }
        bench_aim(facts[f].name, (double)(bench_cpu_us(getpid()) - from) / ROUNDS, "us", 0, "<= 20");
    }
    return 0;
}
