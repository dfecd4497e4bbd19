/* hindsight.c - the fake memory service as a program: `hindsight [PORT]` prints its port and serves until killed. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/lib/fake_hindsight.h"

int main(int argc, char **argv)
{
    struct fake_hindsight *fake = fake_hindsight_start(argc > 1 ? atoi(argv[1]) : 0);
    printf("%d\n", fake_hindsight_port(fake));
    fflush(stdout);
    for (;;)
        pause();
}
