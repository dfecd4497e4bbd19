/* subjects.c - several wordings of one thing have one name, the library's; what it doesn't know has none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "server/memory/subjects.h"

static const char *const names[] = {"Aldol addition",
                                    "Enzyme inhibition",
                                    "Enzymes",
                                    "Inhibition of enzymes",
                                    "Organic Chemistry",
                                    "The French Revolution",
                                    "Introduction",
                                    "of the",
                                    "Photosynthesis",
                                    "Reversible enzyme inhibition",
                                    "Überkritische Flüssigkeiten"};

static void wordings_meet_at_the_name_of_the_library(void **state)
{
    (void)state;
    static const char *const expected[][2] = {
        {"enzyme inhibition", "Enzyme inhibition"},
        {"The inhibition of enzymes?", "Enzyme inhibition"},
        {"how are enzymes inhibited", "Enzyme inhibition"},
        {"enzyme inhibitors", "Enzyme inhibition"},
        {"enzyme", "Enzymes"},
        {"reversible inhibition of an enzyme", "Reversible enzyme inhibition"},
        {"causes of the french revolution in paris 1789", "The French Revolution"},
        {"ÜBERKRITISCHE FLÜSSIGKEIT", "Überkritische Flüssigkeiten"},
        {"photosphere", NULL},
        {"Tim is a thief", NULL},
        {"Tim Teacher is as stupid as an aldol", NULL},
        {"", NULL},
        {"of the", NULL},
    };
    AUTO(subjects_freep) struct subjects *subjects = subjects_new(names, COUNT_OF(names));
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        for (int again = 0; again < 2; again++) {
            const char *found = subjects_find(subjects, expected[i][0]);
            if ((found && expected[i][1]) ? strcmp(found, expected[i][1]) != 0 : found != expected[i][1])
                fail_msg("%s: %s instead of %s", expected[i][0], found ? found : "nothing",
                         expected[i][1] ? expected[i][1] : "nothing");
        }
}

static void an_empty_library_names_nothing(void **state)
{
    (void)state;
    AUTO(subjects_freep) struct subjects *subjects = subjects_new(NULL, 0);
    assert_null(subjects_find(subjects, "enzyme inhibition"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wordings_meet_at_the_name_of_the_library),
        cmocka_unit_test(an_empty_library_names_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
