/* SPDX-License-Identifier: MIT */
/*
 * A binary heap of running tasks by deadline, and the thread that waits for
 * the earliest: see timers.h. A task knows its place in the heap, so that
 * ending it takes it out at once. Places count from 1; 0 is nowhere.
 */
#include "lib/timers.h"

#include "lib/cancel.h"
#include "lib/clock.h"
#include "lib/cond.h"
#include "lib/executor.h"
#include "lib/helper_thread.h"

#include <pthread.h>
#include <stdlib.h>

struct cf__timers {
    /* Set once. */
    cf__expired_fn *expired;
    const struct cf__origin *origin; /* the executor's, for the thread */
    pthread_mutex_t lock;
    /* On the monotonic clock. changed: for the thread; returned: expired()
     * has. */
    pthread_cond_t changed, returned;
    pthread_t thread; /* set before started */
    /* Guarded by lock. */
    cf_future **heap; /* 1 .. count; room for capacity */
    size_t count, capacity;
    size_t reserved; /* running or pending tasks with a timeout */
    bool started, ending;
    bool calling;              /* expired() is being called */
    const cf_future *expiring; /* with this, which has not been stopped */
    bool orphan;               /* the thread frees this when it ends */
};

struct cf__timers *
cf__timers_new(cf__expired_fn *expired, const struct cf__origin *origin)
{
    struct cf__timers *timers = calloc(1, sizeof *timers);
    if (!timers)
        return NULL;
    timers->expired = expired;
    timers->origin = origin;
    cf__cond_init(&timers->changed);
    cf__cond_init(&timers->returned);
    pthread_mutex_init(&timers->lock, NULL);
    return timers;
}

static void
release(struct cf__timers *timers)
{
    pthread_cond_destroy(&timers->changed);
    pthread_cond_destroy(&timers->returned);
    pthread_mutex_destroy(&timers->lock);
    free(timers->heap);
    free(timers);
}

static void
place_locked(struct cf__timers *timers, size_t at, cf_future *f)
{
    timers->heap[at] = f;
    f->attributes->timer_index = at;
}

static int64_t
at_locked(const struct cf__timers *timers, size_t i)
{
    return timers->heap[i]->attributes->timer_at;
}

/* Puts f where it belongs, starting at a free place. */
static void
sift_locked(struct cf__timers *timers, size_t at, cf_future *f)
{
    int64_t key = f->attributes->timer_at;
    while (at > 1 && at_locked(timers, at / 2) > key) {
        place_locked(timers, at, timers->heap[at / 2]);
        at /= 2;
    }
    for (size_t child; (child = 2 * at) <= timers->count; at = child) {
        if (child < timers->count &&
            at_locked(timers, child + 1) < at_locked(timers, child))
            child++;
        if (at_locked(timers, child) >= key)
            break;
        place_locked(timers, at, timers->heap[child]);
    }
    place_locked(timers, at, f);
}

static void
remove_locked(struct cf__timers *timers, cf_future *f)
{
    size_t at = f->attributes->timer_index;
    f->attributes->timer_index = 0;
    cf_future *last = timers->heap[timers->count--];
    if (last != f)
        sift_locked(timers, at, last);
}

static void
expire_first_locked(struct cf__timers *timers)
{
    cf_future *f = cf_future_ref(timers->heap[1]);
    remove_locked(timers, f);
    timers->expiring = f;
    timers->calling = true;
    pthread_mutex_unlock(&timers->lock);
    timers->expired(f);
    cf_future_unref(f);
    pthread_mutex_lock(&timers->lock);
    timers->expiring = NULL;
    timers->calling = false;
    pthread_cond_broadcast(&timers->returned);
}

static bool
in_callback_locked(const struct cf__timers *timers)
{
    return timers->calling && !pthread_equal(timers->thread, pthread_self());
}

bool
cf__timers_busy(struct cf__timers *timers)
{
    pthread_mutex_lock(&timers->lock);
    bool busy = in_callback_locked(timers);
    pthread_mutex_unlock(&timers->lock);
    return busy;
}

cf_err
cf__timers_settle(struct cf__timers *timers, int64_t deadline_ns)
{
    pthread_mutex_lock(&timers->lock);
    while (in_callback_locked(timers) &&
           cf__cond_wait(&timers->returned, &timers->lock, deadline_ns))
        continue;
    bool busy = in_callback_locked(timers);
    pthread_mutex_unlock(&timers->lock);
    return busy ? CF_ETIMEDOUT : CF_OK;
}

static void *
timers_main(void *arg)
{
    struct cf__timers *timers = arg;
    (void)cf__cancel_disable();
    cf__origin_enter(timers->origin);
    pthread_mutex_lock(&timers->lock);
    while (!timers->ending) {
        int64_t at = timers->count ? at_locked(timers, 1) : CF__NEVER;
        if (at <= cf__now_ns())
            expire_first_locked(timers);
        else
            (void)cf__cond_wait(&timers->changed, &timers->lock, at);
    }
    bool orphan = timers->orphan;
    pthread_mutex_unlock(&timers->lock);
    if (orphan)
        release(timers);
    return NULL;
}

void
cf__timers_free(struct cf__timers *timers)
{
    if (!timers)
        return;
    pthread_mutex_lock(&timers->lock);
    bool started = timers->started;
    timers->ending = true;
    timers->orphan = started && pthread_equal(timers->thread, pthread_self());
    bool orphan = timers->orphan;
    pthread_cond_signal(&timers->changed);
    pthread_mutex_unlock(&timers->lock);
    if (orphan) {
        pthread_detach(pthread_self());
        return;
    }
    if (started)
        cf__join(timers->thread);
    release(timers);
}

static cf_err
start_thread_locked(struct cf__timers *timers)
{
    cf_err err = cf__helper_thread_start(
        timers->origin, &timers->thread, timers_main, timers);
    timers->started = err == CF_OK;
    return err;
}

cf_err
cf__timers_reserve(struct cf__timers *timers)
{
    cf_err err = CF_OK;
    cf__notice_fork();
    pthread_mutex_lock(&timers->lock);
    if (timers->reserved + 2 > timers->capacity) {
        size_t capacity = timers->capacity ? 2 * timers->capacity : 16;
        cf_future **heap = realloc(timers->heap, capacity * sizeof *heap);
        if (heap) {
            timers->heap = heap;
            timers->capacity = capacity;
        } else {
            err = CF_ENOMEM;
        }
    }
    if (!err && !timers->started)
        err = start_thread_locked(timers);
    if (!err)
        timers->reserved++;
    pthread_mutex_unlock(&timers->lock);
    return err;
}

void
cf__timers_unreserve(struct cf__timers *timers)
{
    pthread_mutex_lock(&timers->lock);
    timers->reserved--;
    pthread_mutex_unlock(&timers->lock);
}

static void
insert_locked(struct cf__timers *timers, cf_future *f, int64_t deadline_ns)
{
    f->attributes->timer_at = deadline_ns;
    timers->count++;
    sift_locked(timers, timers->count, f);
    if (f->attributes->timer_index == 1)
        pthread_cond_signal(&timers->changed);
}

void
cf__timers_start(struct cf__timers *timers, cf_future *f)
{
    pthread_mutex_lock(&timers->lock);
    if (!f->attributes->timer_index && timers->expiring != f)
        insert_locked(timers, f, cf__deadline(f->attributes->timeout_ns));
    pthread_mutex_unlock(&timers->lock);
}

void
cf__timers_again(struct cf__timers *timers, cf_future *f, int64_t deadline_ns)
{
    pthread_mutex_lock(&timers->lock);
    if (timers->expiring == f) /* else it has been stopped meanwhile */
        insert_locked(timers, f, deadline_ns);
    pthread_mutex_unlock(&timers->lock);
}

void
cf__timers_stop(struct cf__timers *timers, cf_future *f)
{
    pthread_mutex_lock(&timers->lock);
    if (f->attributes->timer_index && timers->count) /* 0 after a fork */
        remove_locked(timers, f);
    if (timers->expiring == f)
        timers->expiring = NULL;
    timers->reserved--;
    pthread_mutex_unlock(&timers->lock);
}

void
cf__timers_after_fork(struct cf__timers *timers)
{
    pthread_mutex_init(&timers->lock, NULL);
    pthread_cond_init(&timers->changed, NULL);
    pthread_cond_init(&timers->returned, NULL);
    timers->count = 0;
    timers->expiring = NULL;
    timers->calling = false;
    timers->started = false;
    timers->ending = true; /* this thread may be in a callback of it */
}
