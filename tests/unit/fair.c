/* fair.c - places go round robin by person, and a cancel frees one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/mem.h"
#include "server/models/fair.h"

struct seat {
    struct fair *fair;
    pthread_t thread;
    char person[8];
    atomic_bool cancel, inside, refused;
    atomic_int position, order;
};

static atomic_int entered;

static void on_position(void *context, int position)
{
    atomic_store(&((struct seat *)context)->position, position);
}

static bool on_cancelled(void *context)
{
    return atomic_load(&((struct seat *)context)->cancel);
}

static void *sit(void *context)
{
    struct seat *seat = context;
    struct fair_waiter waiter = {on_position, on_cancelled, seat};
    if (!fair_enter(seat->fair, seat->person, &waiter, NULL)) {
        atomic_store(&seat->refused, true);
        return NULL;
    }
    atomic_store(&seat->order, ++entered);
    atomic_store(&seat->inside, true);
    return NULL;
}

static void wait_for(const atomic_bool *flag)
{
    for (int i = 0; i < 2000 && !atomic_load(flag); i++)
        usleep(1000);
    assert_true(atomic_load(flag));
}

/* Starts a thread, and waits until it is in line or inside. */
static void start(struct seat *seat, struct fair *fair, const char *person, int all)
{
    int at_work = 0, waiting = 0;
    seat->fair = fair;
    snprintf(seat->person, sizeof seat->person, "%s", person);
    pthread_create(&seat->thread, NULL, sit, seat);
    for (int i = 0; i < 2000 && at_work + waiting < all; i++) {
        usleep(1000);
        fair_stats(fair, &at_work, &waiting);
    }
    assert_int_equal(at_work + waiting, all);
}

static void leave(struct seat *seat)
{
    wait_for(&seat->inside);
    fair_leave(seat->fair, seat->person);
}

static void who_asks_often_waits_behind_who_asks_once(void **state)
{
    (void)state;
    /* a takes the place and lines up three times before b and c come. */
    static const char *const people[] = {"a", "a", "a", "a", "b", "c"};
    static const int turn[] = {0, 4, 5, 1, 2, 3};
    struct fair *fair = fair_new(1);
    struct seat seats[6] = {0};
    atomic_store(&entered, 0);
    for (int i = 0; i < 6; i++)
        start(&seats[i], fair, people[i], i + 1);
    for (int i = 0; i < 100 && atomic_load(&seats[1].position) != 3; i++)
        usleep(5000);
    assert_int_equal(atomic_load(&seats[4].position), 1);
    assert_int_equal(atomic_load(&seats[5].position), 2);
    assert_int_equal(atomic_load(&seats[1].position), 3);
    for (int i = 0; i < 6; i++) {
        leave(&seats[turn[i]]);
        assert_int_equal(atomic_load(&seats[turn[i]].order), i + 1);
    }
    for (int i = 0; i < 6; i++)
        pthread_join(seats[i].thread, NULL);
    fair_free(fair);
}

static void a_class_is_served_in_turn(void **state)
{
    (void)state;
    struct fair *fair = fair_new(4);
    struct seat *seats = mem_array(30, sizeof *seats);
    atomic_store(&entered, 0);
    for (int i = 0; i < 30; i++) {
        char person[8];
        snprintf(person, sizeof person, "p%d", i);
        start(&seats[i], fair, person, i + 1);
    }
    int at_work, waiting;
    fair_stats(fair, &at_work, &waiting);
    assert_int_equal(at_work, 4);
    for (int i = 0; i < 30; i++)
        leave(&seats[i]);
    for (int i = 0; i < 30; i++) {
        pthread_join(seats[i].thread, NULL);
        assert_in_range(atomic_load(&seats[i].order), i > 3 ? i - 3 : 0, i + 4);
    }
    free(seats);
    fair_free(fair);
}

static void a_cancel_leaves_the_line(void **state)
{
    (void)state;
    struct fair *fair = fair_new(1);
    struct seat seats[3] = {0};
    for (int i = 0; i < 3; i++)
        start(&seats[i], fair, (const char *const[]){"a", "b", "c"}[i], i + 1);
    atomic_store(&seats[1].cancel, true);
    wait_for(&seats[1].refused);
    leave(&seats[0]);
    leave(&seats[2]);
    int at_work, waiting;
    fair_stats(fair, &at_work, &waiting);
    assert_int_equal(at_work + waiting, 0);
    for (int i = 0; i < 3; i++)
        pthread_join(seats[i].thread, NULL);
    fair_free(fair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_asks_often_waits_behind_who_asks_once),
        cmocka_unit_test(a_class_is_served_in_turn),
        cmocka_unit_test(a_cancel_leaves_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
