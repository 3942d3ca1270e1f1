/* SPDX-License-Identifier: MIT */
/* A counter under a mutex, with a condition for who waits for room. */
#include "lib/bound.h"

#include "lib/clock.h"
#include "lib/cond.h"
#include "lib/forked.h"

#include <pthread.h>
#include <stdlib.h>

struct cf__bound {
    size_t capacity;
    cf_queue_policy policy;
    pthread_mutex_t lock;
    pthread_cond_t room;
    /* Guarded by lock. */
    size_t pending; /* above capacity after submits that went over it */
    size_t blocked; /* threads that wait for room */
    cf_err closed;  /* CF_OK: open */
};

struct cf__bound *
cf__bound_new(size_t capacity, cf_queue_policy policy)
{
    struct cf__bound *bound = calloc(1, sizeof *bound);
    if (!bound)
        return NULL;
    bound->capacity = capacity;
    bound->policy = policy;
    pthread_mutex_init(&bound->lock, NULL); /* cannot fail on Linux */
    pthread_cond_init(&bound->room, NULL);
    return bound;
}

void
cf__bound_free(struct cf__bound *bound)
{
    if (!bound)
        return;
    /* Who was refused may still be on its way out. */
    pthread_mutex_lock(&bound->lock);
    while (bound->blocked)
        (void)cf__cond_wait(&bound->room, &bound->lock, CF__NEVER);
    pthread_mutex_unlock(&bound->lock);
    pthread_cond_destroy(&bound->room);
    pthread_mutex_destroy(&bound->lock);
    free(bound);
}

static bool
fits_locked(const struct cf__bound *bound, size_t count)
{
    return bound->pending <= bound->capacity &&
           count <= bound->capacity - bound->pending;
}

/* The thread is cancelled while it waits for room. */
static void
give_up_locked(void *data)
{
    struct cf__bound *bound = data;
    bound->blocked--;
    pthread_cond_broadcast(&bound->room); /* pairs with free */
    pthread_mutex_unlock(&bound->lock);
}

static cf_err
make_room_locked(struct cf__bound *bound, size_t count, bool at_once)
{
    if (count > bound->capacity)
        return CF_ETOOBIG;
    if (fits_locked(bound, count))
        return CF_OK;
    if (bound->policy == CF_QUEUE_REJECT)
        return CF_EAGAIN;
    if (at_once)
        return CF_OK;
    if (bound->policy == CF_QUEUE_CALLER_RUNS)
        return CF_EDONE;
    bound->blocked++;
    while (!bound->closed && !fits_locked(bound, count))
        (void)cf__cond_wait_or_end(
            &bound->room, &bound->lock, CF__NEVER, give_up_locked, bound);
    bound->blocked--;
    if (bound->closed)
        pthread_cond_broadcast(&bound->room); /* pairs with free */
    return bound->closed;
}

cf_err
cf__bound_acquire(struct cf__bound *bound, size_t count, enum cf__entry entry)
{
    cf__notice_fork();
    pthread_mutex_lock(&bound->lock);
    cf_err err = bound->closed;
    if (!err && entry != CF__ENTRY_OVER)
        err = make_room_locked(bound, count, entry == CF__ENTRY_AT_ONCE);
    if (!err)
        bound->pending += count;
    pthread_mutex_unlock(&bound->lock);
    return err;
}

size_t
cf__bound_capacity(const struct cf__bound *bound)
{
    return bound->capacity;
}

void
cf__bound_release(struct cf__bound *bound, size_t count)
{
    pthread_mutex_lock(&bound->lock);
    bound->pending -= count;
    if (bound->blocked) /* they may want different counts: wake all */
        pthread_cond_broadcast(&bound->room);
    pthread_mutex_unlock(&bound->lock);
}

void
cf__bound_close(struct cf__bound *bound, cf_err why)
{
    pthread_mutex_lock(&bound->lock);
    bound->closed = why;
    pthread_cond_broadcast(&bound->room);
    pthread_mutex_unlock(&bound->lock);
}

void
cf__bound_after_fork(struct cf__bound *bound)
{
    pthread_mutex_init(&bound->lock, NULL);
    pthread_cond_init(&bound->room, NULL);
    bound->closed = CF_EFORKED;
    bound->blocked = 0;
}
