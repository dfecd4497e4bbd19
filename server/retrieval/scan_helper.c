/* scan_helper.c - a second thread for half a millisecond: it helps whoever searches alone. */
#include "server/retrieval/scan_helper.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/mem.h"

struct scan_helper {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake, over;
    void (*work)(void *context); /* to be begun; NULL: nothing, or it has */
    void *context;
    bool lent, busy, stop;
};

static void *run(void *data)
{
    struct scan_helper *a = data;
    pthread_mutex_lock(&a->lock);
    for (;;) {
        while (!a->work && !a->stop)
            pthread_cond_wait(&a->wake, &a->lock);
        if (a->stop)
            break;
        void (*work)(void *) = a->work;
        void *context = a->context;
        a->work = NULL;
        a->busy = true;
        pthread_mutex_unlock(&a->lock);
        work(context);
        pthread_mutex_lock(&a->lock);
        a->busy = false;
        pthread_cond_signal(&a->over);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

static void destroy(struct scan_helper *a)
{
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->wake);
    pthread_cond_destroy(&a->over);
    free(a);
}

struct scan_helper *scan_helper_new(void)
{
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        return NULL;
    struct scan_helper *a = mem_alloc(sizeof *a);
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->wake, NULL);
    pthread_cond_init(&a->over, NULL);
    if (pthread_create(&a->thread, NULL, run, a) != 0) {
        destroy(a);
        return NULL;
    }
    pthread_setname_np(a->thread, "scan_helper");
    return a;
}

void scan_helper_free(struct scan_helper *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->stop = true;
    pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    destroy(a);
}

bool scan_helper_begin(struct scan_helper *a, void (*work)(void *context), void *context)
{
    if (!a || pthread_mutex_trylock(&a->lock) != 0)
        return false;
    bool mine = !a->lent;
    if (mine) {
        a->lent = true;
        a->work = work;
        a->context = context;
        pthread_cond_signal(&a->wake);
    }
    pthread_mutex_unlock(&a->lock);
    return mine;
}

void scan_helper_end(struct scan_helper *a)
{
    pthread_mutex_lock(&a->lock);
    a->work = NULL;
    while (a->busy)
        pthread_cond_wait(&a->over, &a->lock);
    a->lent = false;
    pthread_mutex_unlock(&a->lock);
}
