/* models.c - the fake of Gemini and OpenAI as a program: `models [PORT]` prints its port and serves until killed. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/lib/fake_models.h"

int main(int argc, char **argv)
{
    struct fake_models *fake = fake_models_start(argc > 1 ? atoi(argv[1]) : 0);
    printf("%d\n", fake_models_port(fake));
    fflush(stdout);
    for (;;)
        pause();
}
